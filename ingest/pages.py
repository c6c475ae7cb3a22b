"""Web pages to articles."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from ingest.article import Loaded, loaded
from ingest.texts import title_from
from rag.errors import LoadError


def read_html(name: str, data: bytes) -> Iterator[Loaded]:
    """The article of a web page, without the page around it."""
    from trafilatura import bare_extraction
    from trafilatura.settings import Document

    # What it has to say about a page is in the reason below, and would otherwise stand among the user's messages.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    page = bare_extraction(data, with_metadata=True, include_comments=False, include_tables=False)
    if not isinstance(page, Document) or not page.text:
        raise LoadError("no article text was found in the page")
    fields = {
        "title": page.title or title_from(name),
        "text": page.text.replace("\n", "\n\n"),
        "outlet": page.sitename or page.hostname,
        "published": page.date,
        "url": page.url,
        "author": page.author,
    }
    yield loaded(fields, name, len(data))
