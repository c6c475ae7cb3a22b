"""Which reader a file is for: its bytes to articles, or to the reason why there are none."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import PurePath

from ingest.article import Loaded
from ingest.language import ENGLISH, language
from rag.errors import LoadError

_READERS: dict[str, str] = {
    ".atom": "feeds:read_feed",
    ".docx": "documents:read_docx",
    ".epub": "documents:read_epub",
    ".gz": "captures:read_warc",
    ".htm": "pages:read_html",
    ".html": "pages:read_html",
    ".jsonl": "exports:read_json_lines",
    ".markdown": "texts:read_markdown",
    ".md": "texts:read_markdown",
    ".mht": "captures:read_mhtml",
    ".mhtml": "captures:read_mhtml",
    ".ndjson": "exports:read_json_lines",
    ".pdf": "pdf:read_pdf",
    ".rss": "feeds:read_feed",
    ".txt": "texts:read_text",
    ".warc": "captures:read_warc",
    ".xhtml": "pages:read_html",
    ".xml": "feeds:read_feed",
}
"""For each ending of a name the module and the function; what is not needed is not imported."""

SUFFIXES = frozenset(_READERS)
"""The endings of names that are read, in lower case."""

_BEGINNINGS = (
    (re.compile(rb"%PDF-"), "pdf:read_pdf"),
    (re.compile(rb"PK\x03\x04.{26}mimetypeapplication/epub\+zip", re.DOTALL), "documents:read_epub"),
    (re.compile(rb"(?=PK\x03\x04)(?=.*\bword/)", re.DOTALL), "documents:read_docx"),
    (re.compile(rb"WARC/1|\x1f\x8b"), "captures:read_warc"),
    (
        re.compile(rb"(<\?xml[^>]*>\s*)?(?:<!--(?>.*?-->)\s*+)*+<(rss|feed|rdf:RDF)[\s>]", re.IGNORECASE | re.DOTALL),
        "feeds:read_feed",
    ),
    (
        re.compile(rb"(<\?xml[^>]*>\s*)?(?:<!--(?>.*?-->)\s*+)*+<(!doctype html|html)[\s>]", re.IGNORECASE | re.DOTALL),
        "pages:read_html",
    ),
    (
        re.compile(rb"From: <?Saved by |(\S+: [^\n]*\n([ \t][^\n]*\n)*)*?Snapshot-Content-Location:"),
        "captures:read_mhtml",
    ),
)
_BEGINNING_BYTES = 4096
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read(name: str, data: bytes) -> Iterator[Loaded]:
    """The articles of one file; what can't be read is yielded with its reason, and never raised.

    Args:
        name: the file's path; it ends in one of `SUFFIXES`, and is where the articles say they come from.
        data: what the file holds.
    """
    try:
        if not data.strip():
            raise LoadError("the file is empty")
        yield from map(_in_its_language, _reader(name, data)(name, data))
    except LoadError as error:
        yield Loaded(name, 0, reason=str(error))


def _reader(name: str, data: bytes) -> Callable[[str, bytes], Iterator[Loaded]]:
    """The reader for what the data plainly is, whatever it is called, or else for what its name says.

    Raises:
        LoadError: there is none.
    """
    suffix = PurePath(name).suffix.lower()
    named = "texts:read_text" if not suffix else _READERS.get(suffix)
    found = named
    if named not in ("texts:read_markdown", "exports:read_json_lines"):
        beginning = data[:_BEGINNING_BYTES].removeprefix(codecs.BOM_UTF8).lstrip()
        found = next((reader for pattern, reader in _BEGINNINGS if pattern.match(beginning)), named)
        if found is None:
            kind = suffix or PurePath(name).name
            raise LoadError(f"files of the kind {kind!r} can't be read; the kinds are {', '.join(sorted(SUFFIXES))}")
        if beginning.startswith(_OLD_OFFICE):
            raise LoadError("it is protected by a password, or of an old kind; save it as .docx without a password")
    return _imported(found)


@cache
def _imported(reader: str) -> Callable[[str, bytes], Iterator[Loaded]]:
    module, _, function = reader.partition(":")
    found: Callable[[str, bytes], Iterator[Loaded]] = getattr(import_module(f"ingest.{module}"), function)
    return found


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
