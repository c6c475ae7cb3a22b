"""Word documents and electronic books to articles."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import unquote
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

from ingest.article import Loaded, date, loaded
from ingest.pages import blocks, html_text
from ingest.texts import take_fields, title_from, usable_title
from rag.errors import LoadError

MOST_BYTES = 256 * 2**20
"""All files in a document together, unpacked."""

_DAMAGE = (BadZipFile, ZlibError, EOFError, OSError, NotImplementedError, ValueError)
"""What reading a zip archive raises when bytes of it are wrong."""

_NOTE_MARK = re.compile(
    r'<sup><a href="#(?:foot|end)note[^>]*>\[\d+\]</a></sup>|<a href="#(?:foot|end)note-ref[^>]*>↑</a>'
)
_STYLES = "p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => h2:fresh"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
_TERMS = "http://purl.org/dc/terms/"
_PACKAGE = "http://www.idpf.org/2007/opf"
_CONTAINER = "urn:oasis:names:tc:opendocument:xmlns:container"


def read_docx(name: str, data: bytes) -> Iterator[Loaded]:
    """The article of a Word document: insertions that were tracked are in, deletions are out, notes come last."""
    import mammoth

    package = _Package(data)
    try:
        html = mammoth.convert_to_html(
            BytesIO(data), style_map=_STYLES, convert_image=mammoth.images.img_element(lambda _: {})
        ).value
    except (*_DAMAGE, KeyError, ExpatError) as error:
        raise LoadError("it is no Word document, or a damaged one") from error
    paragraphs = blocks(_NOTE_MARK.sub("", html))
    core = package.xml("docProps/core.xml") if "docProps/core.xml" in package.names else None
    lines = [text for _, text in paragraphs]
    named = usable_title(_first(core, _DUBLIN_CORE, "title"))
    heading = lines.pop(0) if len(lines) > 1 and (paragraphs[0][0] == "h1" or lines[0] == named) else ""
    seen = take_fields(lines, is_titled=bool(heading or named))
    fields = {
        **seen,
        "title": heading or named or seen.get("title") or title_from(name),
        # A date on the page is the article's own; the other one is when the file was made.
        "published": seen.get("published") or day(_first(core, _TERMS, "created")),
        "author": seen.get("author") or _first(core, _DUBLIN_CORE, "creator"),
        "text": "\n\n".join(lines),
    }
    yield loaded(fields, name, len(data))


def read_epub(name: str, data: bytes) -> Iterator[Loaded]:
    """An electronic book as one article: its chapters in their order, without the table of contents."""
    package = _Package(data)
    root = package.xml("META-INF/container.xml").find(f".//{{{_CONTAINER}}}rootfile")
    path = root.get("full-path", "") if root is not None else ""
    book = package.xml(path)
    items = {item.get("id"): item for item in book.iter(f"{{{_PACKAGE}}}item")}
    lines: list[str] = []
    for reference in book.iter(f"{{{_PACKAGE}}}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or "nav" in item.get("properties", "").split() or "html" not in item.get("media-type", ""):
            continue
        chapter = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(item.get("href", ""))))
        lines += [text for _, text in blocks(html_text(package.read(chapter)))]
    if not lines and "META-INF/encryption.xml" in package.names:
        raise LoadError("the book is protected against being read by other programs than its shop's")
    fields = {
        "title": _first(book, _DUBLIN_CORE, "title") or title_from(name),
        "published": day(_first(book, _DUBLIN_CORE, "date")),
        "author": _first(book, _DUBLIN_CORE, "creator"),
        "outlet": _first(book, _DUBLIN_CORE, "publisher"),
        "text": "\n\n".join(lines),
    }
    yield loaded(fields, name, len(data))


def day(value: str) -> str:
    """The ISO date of a file's property; empty where it can't be understood."""
    try:
        return date(value)
    except LoadError:
        return ""


class _Package:
    """The files in a document that is a zip archive."""

    def __init__(self, data: bytes) -> None:
        try:
            self._archive = ZipFile(BytesIO(data))
        except (BadZipFile, ValueError, OSError) as error:
            raise LoadError("it is damaged, or not of the kind that its name says") from error
        self.names = set(self._archive.namelist())
        if sum(info.file_size for info in self._archive.infolist()) > MOST_BYTES:
            raise LoadError(f"it holds more than {MOST_BYTES >> 20} MB")

    def read(self, name: str) -> bytes:
        """The content of one file.

        Raises:
            LoadError: it is not there, or can't be unpacked.
        """
        try:
            return self._archive.read(name)
        except KeyError as error:
            raise LoadError(f"its part {name!r} is missing") from error
        except _DAMAGE as error:
            raise LoadError("it is damaged") from error
        except RuntimeError as error:
            raise LoadError("it is protected by a password; save it without one") from error

    def xml(self, name: str) -> Any:
        """The root element of one file.

        Raises:
            LoadError: it is no XML.
        """
        from lxml import etree

        try:
            return etree.fromstring(self.read(name), etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError as error:
            raise LoadError(f"its part {name!r} is damaged") from error


def _first(root: Any, namespace: str, name: str) -> str:
    """The text of the first element of that name; empty when there is none."""
    element = root.find(f".//{{{namespace}}}{name}") if root is not None else None
    return " ".join("".join(element.itertext()).split()) if element is not None else ""
