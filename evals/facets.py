"""Questions that name outlets, days and speakers: whether these are recognised, and what the search gains by them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals import indexing, news
from rag.embed import Embedder
from rag.facets import named
from rag.index import Index
from rag.records import Passage
from rag.retrieve import retrieve

SETS = ("corpus", "news")
MOST = 4
"""The last rank that counts."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the articles it is asked of ("corpus" or "news"), the keys of its facets, and its gold passages.

    Each of `groups` has to be found: by ids of articles in `news`, by regular expressions for the text in `corpus`.
    """

    id: str
    on: str
    text: str
    facets: frozenset[str]
    groups: tuple[tuple[str, ...], ...]

    def is_gold(self, passage: Passage, group: Sequence[str]) -> bool:
        """Whether a passage is one of those that the group asks for."""
        if self.on == "news":
            return passage.article_id in group
        return any(re.search(pattern, passage.text) for pattern in group)


def read(path: Path) -> list[Question]:
    """The questions of a JSON Lines file: `id, on, question, facets`, and `gold` or `expect`."""
    return [
        Question(
            entry["id"],
            entry["on"],
            entry["question"],
            frozenset(entry["facets"]),
            tuple(map(tuple, entry.get("gold") or entry["expect"])),
        )
        for entry in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    ]


def index_news(root: Path, embedder: Embedder) -> Index:
    """An index of the made-up news in the directory `root`."""
    return indexing.index(news.articles(), root, embedder)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a question: the facets recognised, and the rank (from 0) of each group's first gold passage.

    `plain` are the ranks without facets, `ranks` those with them; a group that was not found has rank `MOST`.
    """

    question: Question
    facets: frozenset[str]
    plain: tuple[int, ...]
    ranks: tuple[int, ...]


def run(questions: Sequence[Question], indexes: Mapping[str, Index], embedder: Embedder) -> list[Outcome]:
    """Search for every question without and with what it names."""
    outcomes = []
    for question in questions:
        index = indexes[question.on]
        wanted = named(question.text, index.outlets)
        ranks = []
        for search in (
            retrieve(question.text, index, embedder, MOST),
            retrieve(question.text, index, embedder, MOST, wanted),
        ):
            passages = [e.passage for e in search.evidence]
            ranks.append(
                tuple(
                    next((rank for rank, p in enumerate(passages) if question.is_gold(p, group)), MOST)
                    for group in question.groups
                )
            )
        outcomes.append(Outcome(question, frozenset(w.facet.key for w in wanted), *ranks))
    return outcomes


def summary(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Precision and recall of the facets; hits for questions with one gold group; how often several are all found."""
    named_rightly = sum(len(o.facets & o.question.facets) for o in outcomes)
    single = [o for o in outcomes if len(o.question.groups) == 1]
    several = [o for o in outcomes if len(o.question.groups) > 1]
    return {
        "questions": len(outcomes),
        "facet precision": _share(named_rightly, sum(len(o.facets) for o in outcomes)),
        "facet recall": _share(named_rightly, sum(len(o.question.facets) for o in outcomes)),
        "hit@1 without": _share(sum(o.plain[0] == 0 for o in single), len(single)),
        "hit@1 with": _share(sum(o.ranks[0] == 0 for o in single), len(single)),
        "hit@4 without": _share(sum(o.plain[0] < MOST for o in single), len(single)),
        "hit@4 with": _share(sum(o.ranks[0] < MOST for o in single), len(single)),
        "all found without": _share(sum(max(o.plain) < MOST for o in several), len(several)),
        "all found with": _share(sum(max(o.ranks) < MOST for o in several), len(several)),
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
