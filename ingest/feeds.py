"""RSS and Atom feeds to articles."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from time import struct_time
from typing import Any

from ingest.article import Loaded, loaded
from ingest.boilerplate import without_boilerplate
from ingest.pages import blocks
from ingest.split import sentences
from rag.errors import LoadError

LEAST_SENTENCES = 2
"""An entry with fewer is a teaser, and its page holds the article."""


def read_feed(name: str, data: bytes) -> Iterator[Loaded]:
    """The entries of a feed that hold a text, each an article; how many hold only a teaser is said at the end.

    Raises:
        LoadError: it is no feed, or has no entry.
    """
    import feedparser

    if b"<!ENTITY" in data:
        raise LoadError("it defines entities of its own, which no feed needs and which can blow it up")
    # As a stream: bytes alone would be tried as an address and as the name of a file first.
    feed = feedparser.parse(BytesIO(data), sanitize_html=True, resolve_relative_uris=False)
    if not feed.get("version"):
        raise LoadError("it is neither an RSS nor an Atom feed")
    if not feed.entries:
        raise LoadError("the feed has no entries")
    size = len(data) // len(feed.entries)
    teasers = 0
    for number, entry in enumerate(feed.entries, 1):
        place = f"{name}#{entry.get('link') or number}"
        paragraphs = _paragraphs(entry)
        text = "\n\n".join(paragraphs)
        if len(sentences(text, (0, len(text)))) < LEAST_SENTENCES:
            teasers += 1
            continue
        fields = {
            "title": " ".join(line for _, line in blocks(entry.get("title") or "")) or paragraphs[0][:100],
            "text": text,
            "outlet": (entry.get("source") or {}).get("title") or feed.feed.get("title"),
            "published": _day(entry),
            "url": entry.get("link"),
            "author": entry.get("author"),
        }
        try:
            yield loaded(fields, name, size, place)
        except LoadError as error:
            yield Loaded(place, size, reason=str(error))
    if teasers:
        yield Loaded(
            name,
            0,
            reason=f"{teasers} of its {len(feed.entries)} entries hold a headline or a teaser only; "
            "the articles are at the entries' own addresses",
        )


def _paragraphs(entry: Any) -> list[str]:
    """The longest of the texts that an entry carries."""
    texts = [content.get("value") or "" for content in entry.get("content", [])] + [entry.get("summary") or ""]
    found = [without_boilerplate([text for _, text in blocks(html)]) for html in texts]
    return max(found, key=lambda paragraphs: sum(map(len, paragraphs)))


def _day(entry: Any) -> str:
    """The day of publication, in universal time; that of the last change where no other is given."""
    parsed: struct_time | None = entry.get("published_parsed") or entry.get("updated_parsed")
    return f"{parsed.tm_year:04}-{parsed.tm_mon:02}-{parsed.tm_mday:02}" if parsed else ""
