"""PDF files with a text layer to articles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ingest.article import Loaded, date, loaded
from ingest.layout import Line, paragraphs, running_heads, title_lines
from ingest.texts import fields_of, take_fields, title_from, usable_title
from rag.errors import LoadError

_GAP = 0.9
"""In heights of a line: where letters stand further apart than this, another column or cell may begin."""
_LEAST_READABLE = 0.7
_METADATA_DATE = re.compile(r"D:(\d{4})(\d{2})(\d{2})")


def read_pdf(name: str, data: bytes) -> Iterator[Loaded]:
    """The text of a PDF file as one article: paragraphs in reading order, without what stands on every page."""
    yield pdf_article(name, data, len(data))


def pdf_article(origin: str, data: bytes, size: int, *, url: str = "", place: str = "") -> Loaded:
    """The article of a PDF file that came in the file `origin`, of which it took `size` bytes.

    Raises:
        LoadError: it is damaged, or asks for a password, or has no text.
    """
    import pypdfium2 as pdfium
    from pypdfium2 import raw

    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise LoadError("it asks for a password; save a copy without one") from error
        raise LoadError("it is no PDF file, or a damaged one") from error
    try:
        pages, pictures = [], 0
        for number in range(len(document)):
            lines, has_pictures = _page(document, number)
            pages.append(lines)
            pictures += has_pictures and not lines
        properties = {key: value.replace("\0", "") for key, value in document.get_metadata_dict().items()}
    finally:
        document.close()
    _assert_readable(pages, pictures)
    result = loaded({**_fields(pages, properties, origin), "url": url}, origin, size, place)
    if pictures:
        note = f"{pictures} of its {len(pages)} pages are pictures, whose text can't be read"
        return Loaded(result.place, result.size, result.article, warnings=(*result.warnings, note))
    return result


def _fields(pages: list[list[Line]], properties: dict[str, str], origin: str) -> dict[str, str]:
    heads = running_heads(pages)
    pages = [[line for line in page if line not in head] for page, head in zip(pages, heads, strict=True)]
    named = usable_title(properties.get("Title", ""))
    largest = title_lines(pages)
    seen_title = " ".join(line.text for line in largest)
    if largest and (not named or _same(named, seen_title)):
        pages[0] = [line for line in pages[0] if line not in largest]
    text = paragraphs(pages, lambda line: bool(fields_of(line)))
    if named and text and _same(text[0], named) and len(text) > 1:
        del text[0]
    seen = take_fields(text, is_titled=bool(named or largest))
    if not text and (named or seen_title or "title" in seen):
        text = [seen_title or seen.get("title") or named]
    created = _METADATA_DATE.match(properties.get("CreationDate", ""))
    return {
        "author": usable_title(properties.get("Author", "")),
        # When the file was made, if the page doesn't say when the article was published.
        "published": _day("-".join(created.groups())) if created else "",
        **seen,
        "title": named or seen_title or seen.get("title") or title_from(origin),
        "text": "\n\n".join(text),
    }


def _same(one: str, other: str) -> bool:
    return re.sub(r"\W", "", one).casefold() == re.sub(r"\W", "", other).casefold()


def _day(iso: str) -> str:
    try:
        return date(iso)
    except LoadError:
        return ""


def _assert_readable(pages: list[list[Line]], pictures: int) -> None:
    letters = [letter for lines in pages for line in lines for letter in line.text if not letter.isspace()]
    if not letters:
        if pictures:
            raise LoadError("it holds only pictures of pages; run text recognition (OCR) over it first")
        raise LoadError("no text is in it")
    if sum(letter.isprintable() and letter != "�" for letter in letters) < _LEAST_READABLE * len(letters):
        raise LoadError("its fonts don't say which letters they show; run text recognition (OCR) over it first")


def _page(document: Any, number: int) -> tuple[list[Line], bool]:
    """The stretches of text on a page that nothing interrupts, and whether there are pictures."""
    import pypdfium2 as pdfium
    from pypdfium2 import raw

    try:
        page = document[number]
        text = page.get_textpage()
    except pdfium.PdfiumError:
        return [], False
    lines = _Lines()
    for index in range(text.count_chars()):
        letter = chr(raw.FPDFText_GetUnicode(text, index))
        if letter in "\r\n":
            lines.close()
        elif raw.FPDFText_IsGenerated(text, index) == 1:
            lines.space()
        else:
            angle = raw.FPDFText_GetCharAngle(text, index)
            lines.add(letter, text.get_charbox(index, loose=True), is_upright=abs(angle) < 0.1 or angle > 6.1)
    lines.close()
    has_pictures = next(iter(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE])), None) is not None
    return [line for line in lines.found if line.text], has_pictures


class _Lines:
    """Letters put together to stretches; those of turned text to lines in the order in which they come."""

    def __init__(self) -> None:
        self.found: list[Line] = []
        self._letters: list[str] = []
        self._box: list[float] = []
        self._last: tuple[float, float, float, float] | None = None
        self._turned = 0.0

    def space(self) -> None:
        self._letters.append(" ")

    def add(self, letter: str, box: tuple[float, float, float, float], *, is_upright: bool) -> None:
        if not is_upright:
            # Stacked below each other where nothing else is, each line as high as letters usually are.
            self._turned -= 0 if self._letters else 12.0
            offset = float(len(self._letters))
            box = (offset, self._turned, offset + 1.0, self._turned + 10.0)
        if self._last is not None and self._is_apart(self._last, box):
            self.close()
        self._letters.append(letter)
        self._last = box
        if not self._box:
            self._box = list(box)
        else:
            left, bottom, right, top = self._box
            self._box = [min(left, box[0]), min(bottom, box[1]), max(right, box[2]), max(top, box[3])]

    def close(self) -> None:
        text = " ".join("".join(self._letters).split())
        if text and self._box:
            left, bottom, right, top = self._box
            self.found.append(Line(text, left, bottom, right, top))
        self._letters, self._box, self._last = [], [], None

    @staticmethod
    def _is_apart(one: tuple[float, float, float, float], two: tuple[float, float, float, float]) -> bool:
        height = max(one[3] - one[1], two[3] - two[1], 1.0)
        overlap = min(one[3], two[3]) - max(one[1], two[1])
        across = max(two[0] - one[2], one[0] - two[2])
        return overlap < 0.3 * min(one[3] - one[1], two[3] - two[1]) or across > _GAP * height
