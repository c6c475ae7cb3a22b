"""Markdown and plain text to articles, in whatever encoding they are."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import PurePath

from ingest.article import Loaded, clean, date, loaded
from ingest.boilerplate import without_boilerplate
from rag.errors import LoadError

_BOMS = (
    # The mark of UTF-16 is the beginning of that of UTF-32.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
# In a text of one byte a character, or of UTF-8, these are not there; in UTF-16 they are halves of characters.
_NARROW_CONTROL = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
_SAMPLE = 1 << 16
# As browsers read them: each of these is declared for texts with characters that only the wider one has.
_WIDER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030",
    "euc_kr": "cp949",
}  # fmt: skip
_TEXT_ENCODINGS = ("ascii", "big5", "cp", "euc", "gb", "hz", "iso", "johab", "koi8", "mac", "shift", "tis", "utf")
_WRAPPING_WIDTHS = range(50, 121)
_LEAST_BROKEN = 3
_MOST_ARE_BROKEN = 0.9
_NEAR_THE_TOP = 6
_LONGEST_DATE_LINE = 80
_LONGEST_FIELD = 200
_LABELLED = re.compile(
    r"(?P<name>title|headline|date|published|updated|posted|author|by|byline|source|outlet|publisher|url|link)"
    r"(?:\s+(?:on|at))?\s*:\s*(?P<value>\S.*)",
    re.IGNORECASE,
)
_FIELD_OF_LABEL = {
    "headline": "title", "date": "published", "updated": "published", "posted": "published", "by": "author",
    "byline": "author", "source": "outlet", "publisher": "outlet", "link": "url",
}  # fmt: skip
_DATE_LINE = re.compile(r"(?:(?:published|updated|posted)(?:\s+(?:on|at))?[\s:]+)?(?P<date>.*)", re.IGNORECASE)
_BYLINE = re.compile(
    r"[Bb][Yy]\s+(?P<author>[^\W\d_a-z][\w.'’-]+(?:,?\s+(?:(?:and|de|di|la|van|von|der|bin|al)\s+)*[^\W\d_a-z][\w.'’-]*){1,6})"
    r"(?<!\.)\s*(?:[,|•·–—-]\s*(?P<date>.*\d{4}.*))?"
)
_NO_TITLE = re.compile(
    r"(?:microsoft )?word(?: document| - .*)?|(?:untitled|unknown|no title|title|document|anonymous|unspecified)\s*\d*",
    re.IGNORECASE,
)
_FILE_NAME = re.compile(r"\S+[._-]\S+")


def read_markdown(name: str, data: bytes) -> Iterator[Loaded]:
    """The article of a Markdown file, its front matter taken as fields."""
    import frontmatter
    import yaml

    try:
        fields, body = frontmatter.parse(decode(data))
    except yaml.YAMLError as error:
        raise LoadError(f"its front matter is not valid YAML ({' '.join(str(error).split())})") from error
    title, text = _plain(body)
    yield loaded({"title": title or title_from(name), **fields, "text": text}, name, len(data))


def read_text(name: str, data: bytes) -> Iterator[Loaded]:
    """The article of a plain text: what stands on top of it as fields, and its paragraphs without boilerplate."""
    paragraphs = without_boilerplate(unwrapped(clean(decode(data)).split("\n")))
    fields = take_fields(paragraphs)
    if not paragraphs and "title" in fields:
        paragraphs.append(fields["title"])
    yield loaded({"title": title_from(name), **fields, "text": "\n\n".join(paragraphs)}, name, len(data))


def decode(data: bytes, declared: str = "") -> str:
    """The text of a file: by its byte order mark, as UTF-8, as `declared`, or by what its bytes look like.

    Raises:
        LoadError: it is no text, or its encoding can't be recognised.
    """
    marked = next((encoding for mark, encoding in _BOMS if data.startswith(mark)), "")
    for encoding in (marked, "" if b"\0" in data else "utf-8", _wider(declared)):
        with suppress(UnicodeError, LookupError):
            if encoding:
                return data.decode(encoding)
    if _NARROW_CONTROL.search(data[:_SAMPLE]):
        for encoding in _WIDE:
            with suppress(UnicodeError):
                if _is_text(text := data.decode(encoding)):
                    return text
        if b"\0" in data:
            raise LoadError("it is a binary file, not text")
    import chardet

    for is_wider in (False, True):
        guess = chardet.detect(data, prefer_superset=is_wider, compat_names=False)["encoding"] or ""
        with suppress(UnicodeError, LookupError):
            return data.decode(_WIDER.get(guess, guess))
    raise LoadError("its character encoding can't be recognised; save it as UTF-8")


def _wider(declared: str) -> str:
    """The encoding to read what is declared as `declared` with; empty for what is no encoding of texts."""
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        return ""
    return _WIDER.get(name, name) if name.startswith(_TEXT_ENCODINGS) else ""


def unwrapped(lines: Sequence[str]) -> list[str]:
    """The paragraphs of lines, blank ones between them: where lines were broken to a width they are joined again."""
    pairs = [(one, two) for one, two in pairwise(lines) if one.strip() and two.strip()]
    width = max((len(line) for line in lines), default=0)

    def is_broken(one: str, two: str) -> bool:
        return len(one) + 1 + len(two.split()[0]) > width

    broken = sum(is_broken(*pair) for pair in pairs)
    is_wrapped = width in _WRAPPING_WIDTHS and broken >= max(_LEAST_BROKEN, _MOST_ARE_BROKEN * len(pairs))
    paragraphs: list[str] = []
    previous = ""
    for line in lines:
        if is_wrapped and previous.strip() and line.strip() and is_broken(previous, line):
            paragraphs[-1] += f" {line.strip()}"
        elif line.strip():
            paragraphs.append(line.strip())
        previous = line
    return paragraphs


def title_from(name: str) -> str:
    """A title for what has none: its file's name, in words.

    >>> title_from("notes/my-first_note.txt")
    'my first note'
    """
    return PurePath(name).stem.replace("-", " ").replace("_", " ")


def date_line(line: str) -> str:
    """The ISO date that a line consists of; empty when it is no date line.

    >>> date_line("Published on 3 February 2025"), date_line("He spoke on 3 February 2025.")
    ('2025-02-03', '')
    """
    if len(line) > _LONGEST_DATE_LINE:
        return ""
    match = _DATE_LINE.fullmatch(line.strip())
    # dateutil takes a bare number such as "17" or "2025" for a part of a date.
    if match is None or not re.search(r"\d{4}", line) or not re.search(r"\d\D+\d|[^\W\d_]{3}", line):
        return ""
    try:
        return date(match["date"].replace("|", " "))
    except LoadError:
        return ""


def is_headline(line: str) -> bool:
    """Whether a line may be a headline: short, no sentence, and no row of a table."""
    return 0 < len(line.strip()) <= 150 and line.strip()[-1] not in ".!:;,。！" and " | " not in line


def _is_text(text: str) -> bool:
    """Whether bytes taken for characters of two or four bytes gave some that follow each other in a text."""
    sample = text[:_SAMPLE]
    return any(character in " \n、。，" for character in sample) and all(
        character in "\t\n\r\f" or unicodedata.category(character)[0] != "C" for character in sample
    )


def take_fields(paragraphs: list[str], *, is_titled: bool = False) -> dict[str, str]:
    """What stands on top of a text that was copied from a page or sent by an agency; taken out of `paragraphs`.

    That is a date line, a headline unless the text `is_titled` already, a line that names the author, or lines such as
    "Source: Reuters".
    """
    fields: dict[str, str] = {}
    position = 0
    for _ in range(_NEAR_THE_TOP):
        if position >= len(paragraphs):
            break
        line = paragraphs[position]
        if found := fields_of(line):
            fields = found | fields
        elif "title" not in fields and not is_titled and is_headline(line) and len(paragraphs) > 1:
            fields["title"] = line
        elif is_headline(line):
            position += 1
            continue
        else:
            break
        del paragraphs[position]
    return fields


def fields_of(line: str) -> dict[str, str]:
    """The fields that one line on top of a text gives, if it is of that kind."""
    if len(line) > _LONGEST_FIELD:
        return {}
    if day := date_line(line):
        return {"published": day}
    if match := _LABELLED.fullmatch(line):
        name = match["name"].lower()
        return {_FIELD_OF_LABEL.get(name, name): match["value"].strip()}
    if match := _BYLINE.fullmatch(line):
        day = date_line(match["date"] or "")
        return {"author": match["author"].strip()} | ({"published": day} if day else {})
    return {}


def usable_title(title: str) -> str:
    """A title out of a file's properties, unless a program put it there.

    >>> usable_title("Chips in the storm"), usable_title("Microsoft Word - draft3.doc"), usable_title("untitled")
    ('Chips in the storm', '', '')
    """
    title = " ".join(title.split())
    return "" if _NO_TITLE.fullmatch(title) or _FILE_NAME.fullmatch(title) else title


def _plain(markdown: str) -> tuple[str, str]:
    """The first heading of the highest level, and the text without Markdown's marks, paragraphs apart."""
    from markdown_it import MarkdownIt

    title, blocks = "", []
    in_heading = False
    for token in MarkdownIt("commonmark").parse(markdown):
        if token.type in ("heading_open", "heading_close"):
            in_heading = token.type == "heading_open" and token.tag == "h1"
        elif token.type == "inline":
            text = "".join(" " if t.type in ("softbreak", "hardbreak") else t.content for t in token.children or [])
            if in_heading and not title:
                title = text
            else:
                blocks.append(text)
        elif token.type in ("fence", "code_block"):
            blocks.append(token.content)
    return title, "\n\n".join(block for block in blocks if block.strip())
