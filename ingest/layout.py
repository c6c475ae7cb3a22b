"""Lines on pages to paragraphs in the order in which people read them. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

HYPHENS = "\ufffe\u00ad\x02"
"""Marks of a word that was divided at the end of a line; a written hyphen may be one too."""

_PAGE_NUMBER = re.compile(
    r"[-–—\s]*(?:(?:page|seite|p\.)\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:of|/|von)\s*\d{1,4})?[-–—\s]*", re.I
)
_BULLET = re.compile(r"[•‣▪●◦■]\s*")
_ENDS_SENTENCE = re.compile(r"[.!?:…。！？]['\"”’»)\]]*$")
_EDGE_ROWS = 2
_GUTTER_STEP = 2.0
_LEAST_COLUMN_LINES = 4
_MOST_COLUMN_LINES = 2000
_LEAST_COLUMN_LETTERS = 14
_MOST_CROSSING = 0.25
_WIDER = 1.3
"""So many times the usual distance of lines is a gap between paragraphs."""
_LARGER = 1.12
_TITLE_LARGER = 1.15
_TITLE_WITHIN = 12
_TITLE_LETTERS = 300
_CELL_GAP = 1.5
_LEAST_CELLS = 3
"""A row of fewer may be a line with its number, or with a wide space in it."""


@dataclass(frozen=True, slots=True)
class Line:
    """Letters in a row, and the box around them, in points from the lower left corner of the page."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    cells: int = 1
    """How many stretches far apart from each other the row was put together from."""

    @property
    def size(self) -> float:
        """The height of the box, which goes with that of the letters."""
        return max(self.top - self.bottom, 1.0)


def paragraphs(pages: Sequence[Sequence[Line]], stands_alone: Callable[[str], bool] = lambda _: False) -> list[str]:
    """The paragraphs of pages in reading order, lines joined, and words that were divided put together again.

    A paragraph that goes on in the next column or on the next page stays one; a line that `stands_alone` is one.
    """
    columns = [column for page in pages for column in _columns(page)]
    pitch = _pitch(columns)
    found: list[list[Line]] = []
    for column in columns:
        blocks = _blocks(column, pitch, stands_alone)
        for index, block in enumerate(blocks):
            first, *rest = _unindented(block)
            if index == 0 and found and _goes_on(found[-1][-1], first[0]):
                found[-1] += first
                found += rest
            else:
                found += [first, *rest]
    words = Counter(word for column in columns for line in column for word in line.text.casefold().split())
    return [text for lines in found if (text := join([line.text for line in lines], words))]


def running_heads(pages: Sequence[Sequence[Line]]) -> list[set[Line]]:
    """For each page its lines that stand on top or at the bottom of other pages too, and its page number."""
    rows = [_rows(page) for page in pages]
    pitch = _pitch([[_whole(row) for row in page] for page in rows])
    counts = Counter(
        key for page in rows for key in {_key(row) for row in (*page[:_EDGE_ROWS], *page[-_EDGE_ROWS:])} if key
    )
    repeated = {key for key, count in counts.items() if count >= max(2, len(pages) / 2)}
    return [_heads(page, repeated, pitch) | _heads(page[::-1], repeated, pitch) for page in rows]


def title_lines(pages: Sequence[Sequence[Line]]) -> list[Line]:
    """The lines near the top of the first page in letters that are larger than all others; none if no letters are."""
    first = [line for column in _columns(pages[0]) for line in column][:_TITLE_WITHIN] if pages else []
    candidates = [line for line in first if sum(map(str.isalpha, line.text)) > 2]
    if not candidates:
        return []
    largest = max(candidates, key=lambda line: line.size)
    if largest.size < _TITLE_LARGER * body_size(pages):
        return []
    start = first.index(largest)
    title = []
    for line in first[start:]:
        if abs(line.size - largest.size) > 0.05 * largest.size:
            break
        title.append(line)
    return title if sum(len(line.text) for line in title) <= _TITLE_LETTERS else []


def body_size(pages: Iterable[Iterable[Line]]) -> float:
    """The size that most letters have."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page:
            sizes[round(line.size, 1)] += len(line.text)
    return max(sizes, key=lambda size: sizes[size], default=1.0)


def join(lines: Sequence[str], words: Counter[str]) -> str:
    """Lines as running text; `words` are those of the whole text, which tell whether a hyphen belongs to a word.

    >>> join(["The ex-", "change and the well-", "known bank"], Counter(["well-known"]))
    'The exchange and the well-known bank'
    """
    text = ""
    for line in lines:
        if not text:
            text = line
        elif text[-1] in HYPHENS:
            text = text.rstrip(HYPHENS) + _hyphen(text.rstrip(HYPHENS), line, words) + line
        elif text[-1] == "-" and line[0].islower() and text[-2:-1].isalpha():
            text = text[:-1] + _hyphen(text[:-1], line, words) + line
        elif _is_wide(text[-1]) and _is_wide(line[0]):
            text += line
        else:
            text += f" {line}"
    return text.translate(dict.fromkeys(map(ord, HYPHENS), "-"))


def _hyphen(before: str, after: str, words: Counter[str]) -> str:
    """The hyphen between two parts of a word, or nothing where it only stood at the end of a line."""
    one, two = before.split()[-1:], after.split()[:1]
    if not one or not two:
        return "-"
    return "-" if words[f"{one[0]}-{two[0]}".casefold()] or not two[0][0].islower() else ""


def _is_wide(character: str) -> bool:
    """Whether it is of a script that puts no spaces between words."""
    return unicodedata.east_asian_width(character) in "WF" and not "가" <= character <= "힣"


def _columns(lines: Sequence[Line]) -> list[list[Line]]:
    """The columns in reading order, each with its rows as lines from top to bottom.

    A line across several columns parts what is above from what is below.
    """
    gutter = _gutter(lines)
    if gutter is None:
        rows = [_whole(row) for row in _rows(lines)]
        return [rows] if rows else []
    found: list[list[Line]] = []
    sides: tuple[list[Line], list[Line]] = ([], [])
    across: list[Line] = []

    def flush(*groups: list[Line]) -> None:
        for group in groups:
            found.extend(_columns(group))
            group.clear()

    for line in sorted(lines, key=lambda line: -line.top):
        if line.left < gutter - 1 and line.right > gutter + 1:
            flush(*sides)
            across.append(line)
        else:
            flush(across)
            sides[line.left >= gutter - 1].append(line)
    flush(*sides, across)
    return found


def _gutter(lines: Sequence[Line]) -> float | None:
    """Where the page is parted into columns of running text; None where it isn't."""
    if not 2 * _LEAST_COLUMN_LINES <= len(lines) <= _MOST_COLUMN_LINES:
        return None
    start, end = min(line.left for line in lines), max(line.right for line in lines)
    best: list[float] = []
    fewest = _MOST_CROSSING * len(lines)
    position = start + 0.15 * (end - start)
    while position < end - 0.15 * (end - start):
        left = [line for line in lines if line.right <= position + 1]
        right = [line for line in lines if line.left >= position - 1]
        crossing = len(lines) - len(left) - len(right)
        if crossing <= fewest and _is_prose(left) and _is_prose(right) and _are_beside(left, right):
            best = [*best, position] if crossing == fewest else [position]
            fewest = crossing
        position += _GUTTER_STEP
    return best[len(best) // 2] if best else None


def _is_prose(lines: Sequence[Line]) -> bool:
    return len(lines) >= _LEAST_COLUMN_LINES and median(len(line.text) for line in lines) >= _LEAST_COLUMN_LETTERS


def _are_beside(left: Sequence[Line], right: Sequence[Line]) -> bool:
    low = max(min(line.bottom for line in side) for side in (left, right))
    high = min(max(line.top for line in side) for side in (left, right))
    shorter = min(max(line.top for line in side) - min(line.bottom for line in side) for side in (left, right))
    return high - low > 0.5 * shorter


def _rows(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines that stand beside each other together, from left to right, the rows from top to bottom."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: -(line.top + line.bottom)):
        if rows:
            last = rows[-1][0]
            overlap = min(last.top, line.top) - max(last.bottom, line.bottom)
            if overlap > 0.5 * min(last.size, line.size):
                rows[-1].append(line)
                continue
        rows.append([line])
    return [sorted(row, key=_from_the_start) for row in rows]


def _from_the_start(line: Line) -> float:
    runs_left = any(unicodedata.bidirectional(character) in ("R", "AL") for character in line.text[:20])
    return -line.right if runs_left else line.left


def _whole(row: Sequence[Line]) -> Line:
    """A row as one line."""
    if len(row) == 1:
        return row[0]
    cells = 1 + sum(two.left - one.right > _CELL_GAP * two.size for one, two in pairwise(row))
    between = " | " if cells >= _LEAST_CELLS else " "
    return Line(
        between.join(line.text for line in row),
        min(line.left for line in row),
        min(line.bottom for line in row),
        max(line.right for line in row),
        max(line.top for line in row),
        cells,
    )


def _pitch(columns: Iterable[Sequence[Line]]) -> float:
    """The usual distance from one line of a paragraph to the next, in sizes of a line."""
    distances = [
        distance
        for column in columns
        for one, two in pairwise(column)
        if (distance := (one.top - two.top) / two.size) < 2
    ]
    return median(distances) if distances else 1.0


def _key(row: Sequence[Line]) -> str:
    """What equal heads of different pages have in common: everything but figures."""
    return re.sub(r"\d+", "0", " ".join(line.text for line in row)).casefold()


def _heads(rows: Sequence[Sequence[Line]], repeated: set[str], pitch: float) -> set[Line]:
    """The outermost rows of a page that are heads, if a gap parts them from the text or they are page numbers."""
    count = 0
    while count < min(_EDGE_ROWS, len(rows)) and (_key(rows[count]) in repeated or _is_page_number(rows[count])):
        count += 1
    while count and not (_is_page_number(rows[count - 1]) or _is_parted(rows, count, pitch)):
        count -= 1
    return {line for row in rows[:count] for line in row}


def _is_page_number(row: Sequence[Line]) -> bool:
    return bool(_PAGE_NUMBER.fullmatch(_whole(row).text))


def _is_parted(rows: Sequence[Sequence[Line]], count: int, pitch: float) -> bool:
    # What a page consists of is no head.
    if count >= len(rows):
        return False
    head, text = _whole(rows[count - 1]), _whole(rows[count])
    distance = abs(head.top - text.top) / text.size
    return distance > _WIDER * pitch or not _is_as_large(head, text)


def _blocks(column: Sequence[Line], pitch: float, stands_alone: Callable[[str], bool]) -> list[list[Line]]:
    """A column cut where a gap, other letters, a bullet or the row of a table shows that something else begins."""
    alone = {line for line in column if line.cells >= _LEAST_CELLS or stands_alone(line.text)}
    blocks = [[column[0]]]
    for previous, line in pairwise(column):
        is_apart = (previous.top - line.top) / line.size > _WIDER * pitch
        if (
            is_apart
            or line in alone
            or previous in alone
            or _BULLET.match(line.text)
            or not _is_as_large(previous, line)
        ):
            blocks.append([])
        blocks[-1].append(line)
    return blocks


def _unindented(block: Sequence[Line]) -> list[list[Line]]:
    """The paragraphs of lines at equal distances: an indent begins one, and a line that was cut short ends one."""
    left, right = min(line.left for line in block), max(line.right for line in block)
    found = [[block[0]]]
    for previous, line in pairwise(block):
        letter = (line.right - line.left) / len(line.text)
        room = right - previous.right - 0.02 * (right - left)
        had_room = room > letter * (len(line.text.split()[0]) + 1)
        ends = bool(_ENDS_SENTENCE.search(previous.text))
        is_cut_short = had_room and (ends or previous.right < left + 0.85 * (right - left))
        is_indented = line.left > previous.left + 0.6 * line.size and previous.left < left + 0.3 * line.size
        if previous.text[-1] not in HYPHENS and (is_cut_short or (is_indented and ends)):
            found.append([])
        found[-1].append(line)
    return found


def _is_as_large(one: Line, other: Line) -> bool:
    return 1 / _LARGER < one.size / other.size < _LARGER


def _goes_on(previous: Line, line: Line) -> bool:
    """Whether a column goes on with the paragraph that the one before ends with."""
    if not _is_as_large(previous, line):
        return False
    return previous.text[-1] in f"{HYPHENS}-" or (not _ENDS_SENTENCE.search(previous.text) and line.text[0].islower())
