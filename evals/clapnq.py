"""MTRAG's ClapNQ part: questions within conversations, and the passages of Wikipedia that answer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals import beir
from evals.remembering import RememberingEmbedder
from evals.searching import searched
from rag.conversation import standalone
from rag.cross_encoder import CrossEncoder
from rag.embed import Embedder, MiniLM
from rag.index import Index
from rag.records import Article, Passage

SEARCHED = 10
"""Passages that are asked for, so that five different articles are among them."""
_USER = "|user|:"


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn of a conversation, the ones before it, its rewriting by a person, and the right articles."""

    conversation: str
    text: str
    before: tuple[str, ...]
    rewrite: str
    relevant: frozenset[str]

    @property
    def ways(self) -> Mapping[str, str]:
        """What can be searched for: the turn as it is, as rewritten by a person, and as made of the history."""
        return {
            "last turn": self.text,
            "rewrite": self.rewrite,
            "history": standalone(self.text, [(turn, "") for turn in self.before]),
        }

    def worth(self, passage: Passage) -> float:
        """1 for a passage of a right article, else 0."""
        return float(passage.article_id in self.relevant)

    def measures(self, passages: Sequence[Passage]) -> dict[str, float]:
        """How good the passages found are, best first."""
        found = beir.ranked(passages)
        return {"recall@5": beir.recall(found, self.relevant, 5), "nDCG@5": beir.ndcg(found, self.relevant, 5)}


def read(folder: Path) -> tuple[list[Article], list[Turn]]:
    """The articles and the judged turns of a folder with corpus.jsonl.gz, qrels/dev.tsv and clapnq_*.jsonl."""
    relevant = beir.relevant(folder / "qrels" / "dev.tsv")
    rewrites = dict(beir.queries(folder / "clapnq_rewrite.jsonl"))
    turns = []
    for id_, text in beir.queries(folder / "clapnq_questions.jsonl"):
        if id_ in relevant:
            *before, last = _turns(text)
            [rewrite] = _turns(rewrites[id_])
            turns.append(Turn(id_.partition("<")[0], last, tuple(before), rewrite, relevant[id_]))
    return beir.articles(folder / "corpus.jsonl.gz"), turns


def _turns(text: str) -> list[str]:
    return [turn.strip() for turn in text.split(_USER) if turn.strip()]


def score(turns: Sequence[Turn], index: Index, embedder: Embedder) -> dict[str, float]:
    """The means of `measures` over all turns, for each of their `ways`."""
    cross_encoder = CrossEncoder(MiniLM())
    embedder = RememberingEmbedder(embedder, [text for turn in turns for text in turn.ways.values()])
    sums: dict[str, float] = {}
    for turn in turns:
        for way, text in turn.ways.items():
            for measure, value in searched(text, index, embedder, SEARCHED, cross_encoder, turn.measures).items():
                sums[f"{way} {measure}"] = sums.get(f"{way} {measure}", 0.0) + value
    return {"questions": len(turns)} | {measure: total / len(turns) for measure, total in sums.items()}
