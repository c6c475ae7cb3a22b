"""Which reader a file is for: its bytes to articles, or to the reason why there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePath

from ingest.article import Loaded
from ingest.exports import read_json_lines
from ingest.language import ENGLISH, language
from ingest.pages import read_html
from ingest.texts import read_markdown, read_text
from rag.errors import LoadError

_READERS: dict[str, Callable[[str, bytes], Iterator[Loaded]]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
}

SUFFIXES = frozenset(_READERS)
"""The endings of names that are read, in lower case."""


def read(name: str, data: bytes) -> Iterator[Loaded]:
    """The articles of one file; what can't be read is yielded with its reason, and never raised.

    Args:
        name: the file's path; it ends in one of `SUFFIXES`, and is where the articles say they come from.
        data: what the file holds.
    """
    try:
        reader = _READERS.get(PurePath(name).suffix.lower())
        if reader is None:
            kind = PurePath(name).suffix or PurePath(name).name
            raise LoadError(f"files of the kind {kind!r} can't be read; the kinds are {', '.join(sorted(SUFFIXES))}")
        if not data.strip():
            raise LoadError("the file is empty")
        yield from map(_in_its_language, reader(name, data))
    except LoadError as error:
        yield Loaded(name, 0, reason=str(error))


def _in_its_language(loaded: Loaded) -> Loaded:
    """With the article's language, and a warning where that isn't the one the embedder knows."""
    article = loaded.article
    if article is None:
        return loaded
    article = replace(article, language=article.language or language(article.text))
    warnings = loaded.warnings
    if article.language and article.language.lower().split("-")[0] != ENGLISH:
        note = f"its language is {article.language!r}, and the default embedder knows English best"
        warnings = (*warnings, note)
    return replace(loaded, article=article, warnings=warnings)
