"""Web pages to articles."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

from ingest.article import Loaded, loaded
from ingest.boilerplate import without_boilerplate
from ingest.texts import decode, take_fields, title_from
from rag.errors import LoadError

_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})|<\?xml[^>]*encoding=["']([\w.-]+)""", re.I
)
_CHARSET_BYTES = 4096
# lxml refuses text that says how its bytes were encoded.
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")

_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "div", "dl", "dt", "figcaption", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
    "section", "table", "tr", "ul",
))  # fmt: skip
_CELLS = frozenset(("td", "th"))
_UNSEEN = frozenset(("head", "script", "style", "template", "noscript", "svg", "math", "object", "iframe"))
_GAP = re.compile(r"\n\s*\n\s*")


def read_html(name: str, data: bytes, *, url: str = "", encoding: str = "") -> Iterator[Loaded]:
    """The article of a web page, without the page around it.

    Args:
        name: the file that it comes from.
        data: the page.
        url: its address, where that is known from outside.
        encoding: what its server said it is in.
    """
    yield page_article(name, data, len(data), url=url, encoding=encoding)


def page_article(
    origin: str, data: bytes, size: int, *, url: str = "", encoding: str = "", title: str = "", place: str = ""
) -> Loaded:
    """The article of a web page that was saved in the file `origin`, of which it took `size` bytes.

    Raises:
        LoadError: no article is found in it.
    """
    from trafilatura import bare_extraction
    from trafilatura.settings import Document

    # What it has to say about a page is in the reason below, and would otherwise stand among the user's messages.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    logging.getLogger("htmldate").setLevel(logging.CRITICAL)
    page = bare_extraction(
        html_text(data, encoding), url=url or None, with_metadata=True, include_comments=False, include_tables=False
    )
    if not isinstance(page, Document) or not page.text:
        raise LoadError("no article text was found in the page")
    title = page.title or title or title_from(origin)
    paragraphs = without_boilerplate([line for line in page.text.split("\n") if line.strip()])
    while paragraphs and paragraphs[0].strip() == title.strip():
        del paragraphs[0]
    seen = take_fields(paragraphs, is_titled=True)
    fields = {
        "title": title,
        "text": "\n\n".join(paragraphs),
        "outlet": page.sitename or page.hostname or seen.get("outlet"),
        "published": page.date or seen.get("published"),
        "url": page.url or url,
        "author": page.author or seen.get("author"),
    }
    return loaded(fields, origin, size, place)


def html_text(data: bytes, encoding: str = "") -> str:
    """A page's characters: in `encoding`, or else in what the page says itself, where the bytes don't speak otherwise.

    Raises:
        LoadError: it is no text.
    """
    declared = _CHARSET.search(data[:_CHARSET_BYTES])
    named = next(filter(None, declared.groups()), b"").decode("ascii") if declared else ""
    return _XML_DECLARATION.sub("", decode(data, encoding or named))


def blocks(html: str) -> list[tuple[str, str]]:
    """The paragraphs of HTML that is all article, each with the tag of the element that it stands in.

    A row of a table is one paragraph, its cells apart by bars.
    """
    from lxml import etree
    from lxml import html as parser

    try:
        root = parser.document_fromstring(_XML_DECLARATION.sub("", html))
    except etree.ParserError:
        return []
    found: list[tuple[str, str]] = []
    pieces: list[str] = []
    tags = ["p"]
    rows = unseen = 0

    def flush() -> None:
        parts = (" ".join(part.split()).strip("| ") for part in _GAP.split("".join(pieces)))
        found.extend((tags[-1], text) for text in parts if text)
        pieces.clear()

    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            unseen += tag in _UNSEEN
            if tag in _BLOCKS and (not rows or tag == "tr"):
                flush()
                tags.append(tag)
            rows += tag == "tr"
            if tag in _CELLS and rows:
                pieces.append(" | ")
            elif tag == "br":
                pieces.append("\n")
            elif rows and tag in _BLOCKS:
                pieces.append(" ")
            if not unseen and element.text:
                pieces.append(element.text.replace("\n", " "))
        elif event == "end":
            unseen -= tag in _UNSEEN
            rows -= tag == "tr"
            if tag in _BLOCKS and not rows:
                flush()
                tags.pop()
        if event != "start" and not unseen and element.tail:
            pieces.append(element.tail.replace("\n", " "))
    return found
