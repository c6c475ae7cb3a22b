"""Small real files of the formats that are read, made byte by byte."""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from io import BytesIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

Text = tuple[float, float, float, str]
"""A line on a page: where it begins, in points from the lower left corner, the size of its letters, and the text."""

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def pdf(pages: Sequence[Sequence[Text] | str], properties: Mapping[str, str] | None = None, encrypt: str = "") -> bytes:
    """A PDF file with these lines on its pages; a page that is a string has that content instead."""
    info = "".join(f"/{name} ({value})" for name, value in (properties or {}).items())
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        f"<<{info}>>",
    ]
    for number, page in enumerate(pages):
        resources = "<</Font<</F 3 0 R>>>>"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources{resources}/Contents {6 + 2 * number} 0 R>>"
        )
        if isinstance(page, str):
            content = page
        else:
            content = "\n".join(f"BT /F {size} Tf {x} {y} Td ({_escaped(text)}) Tj ET" for x, y, size, text in page)
        objects.append(f"<</Length {len(content.encode('cp1252'))}>>stream\n{content}\nendstream")
    file = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(file))
        file += f"{number} 0 obj\n{content}\nendobj\n".encode("cp1252")
    start = len(file)
    file += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    for offset in offsets:
        file += f"{offset:010} 00000 n \n".encode()
    file += f"trailer<</Size {len(objects) + 1}/Root 1 0 R/Info 4 0 R{encrypt}>>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(file)


def column(x: float, top: float, lines: Sequence[str], size: float = 10, pitch: float = 12) -> list[Text]:
    """Lines below each other."""
    return [(x, top - number * pitch, size, line) for number, line in enumerate(lines)]


PASSWORD = f"/Encrypt<</Filter/Standard/V 1/R 2/O<{'41' * 32}>/U<{'42' * 32}>/P -4>>/ID[<{'43' * 16}><{'43' * 16}>]"
"""For `pdf`: makes a file that asks for a password, which nobody knows."""
PICTURE = "q 100 0 0 100 50 50 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x41 EI Q"
"""For `pdf`: the content of a page that is a picture."""


def docx(body: str, core: Mapping[str, str] | None = None) -> bytes:
    """A Word document with this body, in its own XML, and these core properties, such as "dc:title"."""
    properties = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in (core or {}).items())
    return _zip(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" '
            'Target="word/document.xml"/></Relationships>',
            "word/document.xml": f'<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>',
            "word/styles.xml": f'<w:styles xmlns:w="{_W}"><w:style w:type="paragraph" w:styleId="Title">'
            '<w:name w:val="Title"/></w:style></w:styles>',
            "docProps/core.xml": '<cp:coreProperties xmlns:cp="urn:cp" xmlns:dc="http://purl.org/dc/elements/1.1/" '
            f'xmlns:dcterms="http://purl.org/dc/terms/">{properties}</cp:coreProperties>',
        }
    )


def word(text: str, style: str = "") -> str:
    """A paragraph for `docx`."""
    look = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{look}<w:r><w:t>{escape(text)}</w:t></w:r></w:p>"


def epub(chapters: Sequence[str], metadata: Mapping[str, str], extra: Mapping[str, str] | None = None) -> bytes:
    """A book with these chapters, as bodies in HTML, and this metadata, such as "title"."""
    described = "".join(f"<dc:{name}>{escape(value)}</dc:{name}>" for name, value in metadata.items())
    items = "".join(
        f'<item id="c{number}" href="text/chapter%20{number}.xhtml" media-type="application/xhtml+xml"/>'
        for number in range(len(chapters))
    )
    order = "".join(f'<itemref idref="c{number}"/>' for number in range(len(chapters)))
    files = {
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        "OEBPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<metadata>{described}</metadata><manifest>{items}<item id="nav" href="nav.xhtml" properties="nav" '
        f'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="nav"/>{order}</spine></package>',
        "OEBPS/nav.xhtml": "<html><body><p>Table of contents</p></body></html>",
    }
    for number, chapter in enumerate(chapters):
        files[f"OEBPS/text/chapter {number}.xhtml"] = (
            f'<?xml version="1.0" encoding="utf-8"?><html><head><title>x</title></head><body>{chapter}</body></html>'
        )
    return _zip({"mimetype": "application/epub+zip", **files, **(extra or {})})


def mhtml(html: str, url: str, subject: str, charset: str = "utf-8") -> bytes:
    """A page as browsers save it in one file."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "<Saved by a browser>"
    message["Snapshot-Content-Location"] = url
    message["Subject"] = subject
    message.set_content(html, subtype="html", charset=charset, cte="quoted-printable")
    message["Content-Location"] = url
    message.make_related()
    message.add_related(b"p {color: red}", "text", "css", cid="<style>")
    return message.as_bytes()


def warc(answers: Sequence[tuple[str, str, str, bytes]], *, is_packed: bool) -> bytes:
    """An archive of a crawl: for each answer the address, the status line, the media type and the content."""
    records = []
    for number, (url, status, kind, content) in enumerate(answers):
        answer = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode() + content
        head = (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{uuid.UUID(int=number)}>\r\n"
            f"WARC-Date: 2025-01-28T10:00:00Z\r\nWARC-Target-URI: {url}\r\n"
            f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(answer)}\r\n\r\n"
        )
        record = head.encode() + answer + b"\r\n\r\n"
        records.append(gzip.compress(record) if is_packed else record)
    return b"".join(records)


def _zip(files: Mapping[str, str]) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content, ZIP_STORED if name == "mimetype" else ZIP_DEFLATED)
    return out.getvalue()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
