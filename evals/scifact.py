"""SciFact in BEIR's form: scientific claims, and the abstracts that bear on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals import beir
from evals.remembering import RememberingEmbedder
from evals.searching import searched
from rag.cross_encoder import CrossEncoder
from rag.embed import Embedder, MiniLM
from rag.index import Index
from rag.records import Article, Passage

SEARCHED = 30
"""Passages that are asked for, so that ten different articles are among them."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, and the ids of the abstracts that bear on it."""

    text: str
    relevant: frozenset[str]

    def worth(self, passage: Passage) -> float:
        """1 for a passage of a right abstract, else 0."""
        return float(passage.article_id in self.relevant)

    def measures(self, passages: Sequence[Passage]) -> dict[str, float]:
        """How good the passages found are, best first."""
        return {"nDCG@10": beir.ndcg(beir.ranked(passages), self.relevant, 10)}


def read(folder: Path) -> tuple[list[Article], list[Claim]]:
    """The abstracts and the judged claims of a folder with corpus.jsonl.gz, queries.jsonl and qrels_test.tsv."""
    relevant = beir.relevant(folder / "qrels_test.tsv")
    claims = [Claim(text, relevant[id_]) for id_, text in beir.queries(folder / "queries.jsonl") if id_ in relevant]
    return beir.articles(folder / "corpus.jsonl.gz"), claims


def score(claims: Sequence[Claim], index: Index, embedder: Embedder) -> dict[str, float]:
    """The mean gains over all claims."""
    cross_encoder = CrossEncoder(MiniLM())
    embedder = RememberingEmbedder(embedder, [claim.text for claim in claims])
    rows = [searched(claim.text, index, embedder, SEARCHED, cross_encoder, claim.measures) for claim in claims]
    return {"questions": len(claims)} | {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
