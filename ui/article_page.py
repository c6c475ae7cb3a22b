"""An article as the reader's page, and the links that open it there. Pure; all text is untrusted and escaped."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import urlencode, urlsplit

from rag.records import Article, Citation, Passage, Source
from ui.wording import day, outlets_of

PARAGRAPH = re.compile(r"\S(?:.*\S)?(?:\n[^\S\n]*\S.*)*")


def reader_address(passage: Passage, citation: Citation | None) -> str:
    """The link, escaped, that opens the reader at a citation, or at the head of a passage's article."""
    place: dict[str, int] = {}
    if citation:
        place = {"start": citation.start, "end": citation.end, "number": citation.number}
        if citation.highlight:
            place |= {"first": citation.highlight[0], "last": citation.highlight[1]}
    return "#read?" + escape(urlencode({"id": passage.article_id, **place}))


def article_page(article: Article, start: int = 0, end: int = 0, first: int = 0, last: int = 0) -> str:
    """The whole article for the reader's panel, with links to the originals.

    `article.text[start:end]` is highlighted, and in it `article.text[first:last]`, the words that answer by themselves.
    """
    outlets = outlets_of(article)
    about = [f"<span>{escape(outlets)}</span>"] if outlets else []
    if article.published:
        about.append(f'<time datetime="{escape(article.published)}">{escape(day(article.published))}</time>')
    if article.author:
        about.append(f"<span>{escape(article.author)}</span>")
    paragraphs = "".join(
        f"<p>{_highlighted(article.text, p.span(), (start, end), (first, last))}</p>"
        for p in PARAGRAPH.finditer(article.text)
    )
    own = [Source(article.outlet, article.title, article.url, article.published)] if article.url else []
    originals = "".join(f"<li>{_original(source)}</li>" for source in own or article.sources)
    return (
        f'<article dir="auto"><p class="about">{" · ".join(about)}</p><h2 tabindex="-1">{escape(article.title)}</h2>'
        f'<div class="text">{paragraphs}</div>'
        + (f'<h3>The originals, on the web</h3><ul class="originals">{originals}</ul>' if originals else "")
        + "</article>"
    )


def _highlighted(text: str, paragraph: tuple[int, int], quote: tuple[int, int], answer: tuple[int, int]) -> str:
    """A paragraph with what it has of the quote in a mark, and what that has of the answer standing out."""
    (begin, stop), (start, end) = paragraph, _common(paragraph, quote)
    if start >= end:
        return escape(text[begin:stop])
    first, last = _common((start, end), answer)
    quoted = escape(text[start:end])
    if first < last:
        quoted = f"{escape(text[start:first])}<strong>{escape(text[first:last])}</strong>{escape(text[last:end])}"
    return f"{escape(text[begin:start])}<mark>{quoted}</mark>{escape(text[end:stop])}"


def _common(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return max(one[0], other[0]), min(one[1], other[1])


def _original(source: Source) -> str:
    """A publication by name; a link only where its address is one of the web."""
    name = f"<cite>{escape(source.title)}</cite>" if source.title else escape(source.outlet)
    about = [source.outlet] if source.title and source.outlet else []
    about += [day(source.date)] if source.date else []
    if _on_the_web(source.url):
        name = (
            f'<a href="{escape(source.url)}" target="_blank" rel="noopener noreferrer">{name}'
            '<span class="leaves"> (opens outside this computer)</span></a>'
        )
    return f'{name} <span class="about">{escape(" · ".join(about))}</span>'


def _on_the_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)
