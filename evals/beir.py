"""Sets in the form of BEIR (Thakur et al. 2021, arXiv:2104.08663): articles, queries, and which articles are right."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path
from typing import Any

from rag.records import Article, Passage


def articles(path: Path) -> list[Article]:
    """The articles of a compressed JSON Lines file: `_id, title, text`."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [Article(entry["_id"], entry["title"], entry["text"]) for entry in map(json.loads, lines)]


def queries(path: Path) -> Iterator[tuple[str, str]]:
    """The ids and texts of a JSON Lines file: `_id, text`."""
    for line in path.read_text(encoding="utf-8").splitlines():
        entry: dict[str, Any] = json.loads(line)
        yield entry["_id"], entry["text"]


def relevant(path: Path) -> dict[str, frozenset[str]]:
    """For each query the right articles of a table: `query-id, corpus-id, score`, divided by tabs."""
    found: dict[str, set[str]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if int(row["score"]) > 0:
                found.setdefault(row["query-id"], set()).add(row["corpus-id"])
    return {query: frozenset(of) for query, of in found.items()}


def ranked(passages: Iterable[Passage]) -> list[str]:
    """The articles of passages, in the order of the best of each."""
    return list(dict.fromkeys(passage.article_id for passage in passages))


def recall(found: Sequence[str], right: Set[str], k: int) -> float:
    """The share of the right articles among the first `k`."""
    return len(right & set(found[:k])) / len(right)


def ndcg(found: Sequence[str], right: Set[str], k: int) -> float:
    """Normalised discounted cumulative gain of the first `k`, every right article being worth the same."""
    gain = sum(1 / math.log2(rank + 2) for rank, article in enumerate(found[:k]) if article in right)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(k, len(right))))
