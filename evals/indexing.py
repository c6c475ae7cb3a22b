"""An index of an evaluation's articles, made the way a user would make it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from ingest import sync
from rag.embed import Embedder
from rag.index import Index
from rag.records import Article
from rag.settings import Settings


def index(articles: Iterable[Article], root: Path, embedder: Embedder) -> Index:
    """An index of the articles in the directory `root`; what an earlier run left there is not embedded again."""
    root.mkdir(parents=True, exist_ok=True)
    export = root / "articles.jsonl"
    export.write_text("\n".join(json.dumps(asdict(article)) for article in articles), encoding="utf-8")
    sync([export], Settings.from_env(index=root / "index", model="quotes"), embedder=embedder)
    return Index.open(root / "index", embedder.identity)


@contextmanager
def folder(keep: Path | None) -> Iterator[Path]:
    """The folder for indexes: `keep` where one is given, else one that is gone afterwards."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)
