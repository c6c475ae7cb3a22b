"""A small sound file of each format that is read, made here."""

from __future__ import annotations

import gzip
import html
import io
import json
import quopri
import zipfile
from collections.abc import Callable

from ingest import archives
from ingest.readers import SUFFIXES

_SENTENCES = [
    f"On day {day} the exchange in Westhaven reported that shares of chip makers fell by {day} percent, and brokers "
    f"named the laboratory's model number {day * 7} as the cause."
    for day in range(2, 14)
]
_TITLE = "Chip makers fall in Westhaven"
_LONG = "".join(f"<p>{sentence}</p>" for sentence in _SENTENCES[:6])


def all_kinds() -> dict[str, bytes]:
    """A small sound file of each format that is read, by its ending."""
    made = {suffix: make() for suffix, make in _SAMPLES.items() if suffix in SUFFIXES | {archives.SUFFIX}}
    missing = SUFFIXES - made.keys()
    same = {".markdown": ".md", ".htm": ".html", ".ndjson": ".jsonl", ".mht": ".mhtml", ".xhtml": ".html"}
    return made | {suffix: made[same[suffix]] for suffix in missing if same.get(suffix) in made}


def packed(parts: dict[str, bytes]) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            # Without the time, so that a seed makes the same copies each day.
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def _markdown() -> bytes:
    body = "\n\n".join([*_SENTENCES[:6], "- one [point](https://example.org)\n- another **point**", *_SENTENCES[6:]])
    fields = "published: 2025-01-27\nevent_dates: [2025-01-27]\nsources:\n  - {outlet: Ledger, date: 2025-01-28}"
    return f"---\ntitle: {_TITLE}\n{fields}\n---\n# Heading\n\n{body}\n".encode()


def _text() -> bytes:
    return "\n\n".join(["27 January 2025", _TITLE, *_SENTENCES]).encode()


def _html() -> bytes:
    paragraphs = "".join(f"<p>{sentence}</p>" for sentence in _SENTENCES)
    return (
        f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>{_TITLE}</title>"
        "<meta property='og:site_name' content='The Ledger'><meta name='author' content='A. Reporter'>"
        "<meta property='article:published_time' content='2025-01-27T10:00:00Z'>"
        '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2025-01-27"}</script></head>'
        f"<body><nav><a href='/'>Home</a></nav><article><h1>{_TITLE}</h1>{paragraphs}</article></body></html>"
    ).encode()


def _json_lines() -> bytes:
    lines = [
        {
            "id": f"a{number}",
            "title": f"{_TITLE} {number}",
            "text": sentence,
            "published": "2025-01-27",
            "url": "http://example.org",
        }
        for number, sentence in enumerate(_SENTENCES)
    ]
    return "\n".join(json.dumps(line) for line in lines).encode()


def _pdf() -> bytes:
    shown = b" T* ".join(b"(" + sentence[:90].encode() + b") Tj" for sentence in _SENTENCES)
    stream = b"BT /F1 11 Tf 14 TL 60 760 Td " + shown + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title (%s) /CreationDate (D:20250127100000Z) >>" % _TITLE.encode(),
    ]
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        data
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF"
        % (
            len(places) + 1,
            table,
            len(places) + 1,
            len(data),
        )
    )


def _docx() -> bytes:
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    paragraphs = "".join(f"<w:p><w:r><w:t>{sentence}</w:t></w:r></w:p>" for sentence in _SENTENCES)
    heading = f'<w:p><w:pPr><w:pStyle w:val="Title"/></w:pPr><w:r><w:t>{_TITLE}</w:t></w:r></w:p>'
    office = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    package = "http://schemas.openxmlformats.org/package/2006"
    declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    parts = {
        "[Content_Types].xml": f'{declaration}<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{office}.document.main+xml"/>'
        '<Override PartName="/docProps/core.xml" '
        'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
        "</Types>",
        "_rels/.rels": f'{declaration}<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/>'
        f'<Relationship Id="r2" Type="{package}/relationships/metadata/core-properties" Target="docProps/core.xml"/>'
        "</Relationships>",
        "docProps/core.xml": f'{declaration}<cp:coreProperties xmlns:cp="{package}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{_TITLE}</dc:title><dc:creator>A. Reporter</dc:creator>"
        '<dcterms:created xsi:type="dcterms:W3CDTF">2025-01-27T10:00:00Z</dcterms:created></cp:coreProperties>',
        "word/document.xml": f'{declaration}<w:document xmlns:w="{word}"><w:body>{heading}{paragraphs}'
        "</w:body></w:document>",
    }
    return packed({name: text.encode() for name, text in parts.items()})


def _epub() -> bytes:
    page = f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{_TITLE}</title></head><body><h1>{_TITLE}</h1>%s</body></html>'
    chapters = {
        f"OEBPS/c{number}.xhtml": page
        % "".join(f"<p>{sentence}</p>" for sentence in _SENTENCES[number * 6 : number * 6 + 6])
        for number in range(2)
    }
    items = "".join(f'<item id="c{n}" href="c{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(2))
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles>'
        "</container>",
        "OEBPS/content.opf": '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">book-1</dc:identifier>'
        f"<dc:title>{_TITLE}</dc:title><dc:creator>A. Reporter</dc:creator><dc:date>2025-01-27</dc:date>"
        "<dc:language>en</dc:language></metadata>"
        f'<manifest>{items}<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/></manifest>'
        '<spine toc="ncx"><itemref idref="c0"/><itemref idref="c1"/></spine></package>',
        "OEBPS/toc.ncx": '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1"><navMap><navPoint id="n0">'
        '<navLabel><text>One</text></navLabel><content src="c0.xhtml"/></navPoint></navMap></ncx>',
        **chapters,
    }
    return packed({name: text.encode() for name, text in parts.items()})


def _rss() -> bytes:
    items = "".join(
        f"<item><title>{_TITLE} {number}</title><link>https://example.org/{number}</link><guid>{number}</guid>"
        f"<pubDate>Mon, 27 Jan 2025 10:00:00 GMT</pubDate>"
        f"<description><![CDATA[<p>{sentence}</p>{_LONG}]]></description></item>"
        for number, sentence in enumerate(_SENTENCES)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>The Ledger</title>{items}</channel></rss>'.encode()


def _atom() -> bytes:
    entries = "".join(
        f"<entry><title>{_TITLE} {number}</title><id>urn:x:{number}</id><link href='https://example.org/{number}'/>"
        "<updated>2025-01-27T10:00:00Z</updated>"
        f"<content type='html'>{html.escape(f'<p>{sentence}</p>{_LONG}')}</content></entry>"
        for number, sentence in enumerate(_SENTENCES)
    )
    head = '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>The Ledger</title>'
    return f"{head}{entries}</feed>".encode()


def _mhtml() -> bytes:
    return (
        b"From: <Saved by a browser>\r\nSnapshot-Content-Location: https://example.org/a\r\nSubject: %s\r\n"
        b"Date: Mon, 27 Jan 2025 10:00:00 -0000\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related; type="text/html"; boundary="edge"\r\n\r\n--edge\r\n'
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n"
        b"Content-Location: https://example.org/a\r\n\r\n%s\r\n--edge--\r\n"
    ) % (_TITLE.encode(), quopri.encodestring(_html()).replace(b"\n", b"\r\n"))


def _warc() -> bytes:
    records = []
    for number in range(2):
        page = _html()
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s" % (
            len(page),
            page,
        )
        head = (
            b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-00000000000%d>\r\n"
            b"WARC-Date: 2025-01-27T10:00:00Z\r\nWARC-Target-URI: https://example.org/%d\r\n"
            b"Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n"
        ) % (number, number, len(answer))
        records.append(head + answer + b"\r\n\r\n")
    return b"".join(gzip.compress(record, mtime=0) for record in records)


def _zip() -> bytes:
    return packed({"a.md": _markdown(), "b/c.html": _html(), "more.zip": packed({"d.txt": _text()})})


_SAMPLES: dict[str, Callable[[], bytes]] = {
    ".md": _markdown,
    ".txt": _text,
    ".html": _html,
    ".jsonl": _json_lines,
    ".pdf": _pdf,
    ".docx": _docx,
    ".epub": _epub,
    ".rss": _rss,
    ".xml": _rss,
    ".atom": _atom,
    ".mhtml": _mhtml,
    ".warc": lambda: gzip.decompress(_warc()),
    ".warc.gz": _warc,
    ".gz": _warc,
    ".zip": _zip,
}
