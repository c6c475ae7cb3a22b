"""Pages that a browser or a crawler saved, to articles: MHTML and WARC."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from ingest.article import Loaded
from ingest.pages import page_article
from ingest.pdf import pdf_article
from rag.errors import LoadError

if TYPE_CHECKING:
    from warcio.recordloader import ArcWarcRecord

_HTML = ("text/html", "application/xhtml+xml")
_PDF = "application/pdf"
_MOST_BYTES = 32 * 2**20


def read_mhtml(name: str, data: bytes) -> Iterator[Loaded]:
    """The article of a page that a browser saved with all that belongs to it, in one file."""
    from email import message_from_bytes
    from email.policy import default

    message = message_from_bytes(data, policy=default)
    url = str(message.get("Snapshot-Content-Location") or message.get("Content-Location") or "")
    pages = [part for part in message.walk() if part.get_content_type() in _HTML]
    if not pages:
        raise LoadError("no web page is in the file")
    page = next((part for part in pages if url and part.get("Content-Location") == url), pages[0])
    content = page.get_payload(decode=True)
    address = url or str(page.get("Content-Location") or "")
    yield page_article(
        name,
        content if isinstance(content, bytes) else b"",
        len(data),
        url=address if address.startswith(("http://", "https://")) else "",
        encoding=page.get_content_charset("") or "",
        title=str(message.get("Subject") or ""),
    )


def read_warc(name: str, data: bytes) -> Iterator[Loaded]:
    """The articles of the pages and PDF files in an archive of a crawl; images, scripts and the like are passed over.

    Raises:
        LoadError: it is no such archive, or breaks off.
    """
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    pages = position = 0
    stream = BytesIO(data)
    try:
        for record in ArchiveIterator(stream):
            # Roughly, because the stream is read ahead.
            start, position = position, stream.tell()
            kind, url = _kind(record), record.rec_headers.get_header("WARC-Target-URI") or ""
            if not kind:
                continue
            pages += 1
            place = f"{name}#{url}"
            try:
                yield _article(record, kind, url, name, place, position - start)
            except LoadError as error:
                yield Loaded(place, 0, reason=str(error))
    # The last two are what warcio does where a record has no type or no length.
    except (ArchiveLoadFailed, EOFError, zlib.error, AttributeError, ValueError) as error:
        if not pages:
            raise LoadError("it is no web archive, or a damaged one") from error
        raise LoadError(f"the archive is damaged after its first {pages} pages; those were read") from error
    if not pages:
        raise LoadError("no web page is in the archive")


def _kind(record: ArcWarcRecord) -> str:
    """The media type of what a record holds, if it is a page or a PDF file that was really there; else empty."""
    if record.rec_type not in ("response", "resource"):
        return ""
    if record.http_headers is not None and record.http_headers.get_statuscode() != "200":
        return ""
    headers = record.http_headers or record.rec_headers
    kind = (headers.get_header("Content-Type") or "").partition(";")[0].strip().lower()
    return kind if kind in (*_HTML, _PDF) else ""


def _article(record: ArcWarcRecord, kind: str, url: str, origin: str, place: str, size: int) -> Loaded:
    content = record.content_stream().read(_MOST_BYTES + 1)
    # A record without a length is read to the end of all.
    if getattr(record.raw_stream, "limit", 0) > 0 and len(content) <= _MOST_BYTES:
        raise LoadError("the archive breaks off in the middle of the page")
    if len(content) > _MOST_BYTES:
        raise LoadError(f"the page is larger than {_MOST_BYTES >> 20} MB")
    if kind == _PDF:
        return pdf_article(origin, content, size, url=url, place=place)
    charset = (record.http_headers or record.rec_headers).get_header("Content-Type").lower().partition("charset=")[2]
    return page_article(origin, content, size, url=url, encoding=charset.strip(" ;\"'"), place=place)
