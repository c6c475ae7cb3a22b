"""Question to ranked passages: vectors and words together, at the level of passages and of their sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rag.embed import Embedder
from rag.facets import Wanted, cover_parts, parts, prefer
from rag.index import Candidate, Index
from rag.records import Evidence, Passage, Source
from rag.text import content_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOL = 60
"""Passages taken from each of the two searches into the common ranking."""
SIGNALS = ("passage vector", "passage words", "sentence vector", "sentence words", "header words")
WEIGHTS = (0.22, 0.22, 0.22, 0.22, 0.12)
"""What each of `SIGNALS` counts for."""
SAME_WORDS = 0.8
"""Passages that share this much of their words (Jaccard) tell the same: they become one with several sources."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What was found for a question, best first; `weights` maps its content terms to inverse document frequencies."""

    evidence: tuple[Evidence, ...]
    weights: dict[str, float]


@dataclass(frozen=True, slots=True)
class Pool:
    """The passages that may answer a question, with what ranks them.

    Args:
        candidates: the passages.
        vector: the question's unit vector.
        weights: the question's content terms and their inverse document frequencies.
        dense: cosine of each candidate.
        lexical: BM25 score of those that have one.
    """

    candidates: tuple[Candidate, ...]
    vector: NDArray[np.float32]
    weights: dict[str, float]
    dense: dict[int, float]
    lexical: dict[int, float]


def retrieve(question: str, index: Index, embedder: Embedder, k: int, wanted: Sequence[Wanted] = ()) -> Retrieval:
    """The `k` passages that best answer the question; those that have what it names (`wanted`) are preferred."""
    pool = gather(question, index, embedder)
    ranked = cover_parts(prefer(rank(pool), wanted), parts(question, wanted))
    return Retrieval(tuple(merge_copies(ranked, k)), pool.weights)


def gather(question: str, index: Index, embedder: Embedder) -> Pool:
    """The passages nearest to the question and those with most of its words."""
    vector = embedder.embed_question(question).vector
    question_terms = content_terms(question)
    frequencies = dict(zip(question_terms, index.document_frequencies(question_terms), strict=True))
    nearest = index.nearest(vector, POOL)
    matching = index.matching([t for t in question_terms if frequencies[t]], POOL)
    ids = list(dict.fromkeys([*nearest, *matching]))
    missing = index.vectors([i for i in ids if i not in nearest])
    return Pool(
        candidates=tuple(index.candidates(ids)),
        vector=vector,
        weights=_inverse_frequencies(frequencies, index.counts()[1]),
        dense=nearest | {i: float(v @ vector) for i, v in missing.items()},
        lexical=matching,
    )


def rank(pool: Pool, weights: Sequence[float] = WEIGHTS) -> list[Evidence]:
    """The candidates, best first, each with the scores of its sentences. Pure.

    The score is the weighted mean of five signals, each scaled to 0..1 over the candidates: cosine and BM25 of the
    passage, the best cosine of one of its sentences, and the largest share of the question's words that one of its
    sentences, and that its title, outlet and date, hold. Score fusion rather than rank fusion follows Bruch et al.
    2023 (arXiv:2210.11934).
    """
    candidates = pool.candidates
    if not candidates:
        return []
    cosines = [c.vectors @ pool.vector for c in candidates]
    shares = [[coverage(terms, pool.weights) for terms in c.sentence_terms] for c in candidates]
    signals = np.array(
        [
            [pool.dense[c.passage_id] for c in candidates],
            [pool.lexical.get(c.passage_id, 0.0) for c in candidates],
            [values.max() for values in cosines],
            [max(values) for values in shares],
            [coverage(c.header_terms, pool.weights) for c in candidates],
        ]
    )
    scores = np.array(weights) @ _scale(signals)
    return [
        candidates[i].evidence(float(scores[i]), list(cosines[i]), shares[i])
        for i in sorted(range(len(candidates)), key=lambda i: -scores[i])
    ]


def coverage(terms: Sequence[str], weights: dict[str, float]) -> float:
    """The share of the question's words, weighted by rarity, that stand among `terms`: 0 to 1."""
    total = sum(weights.values())
    present = set(terms)
    return sum(weight for term, weight in weights.items() if term in present) / total if total else 0.0


def merge_copies(ranked: Sequence[Evidence], k: int) -> list[Evidence]:
    """The best `k`, near-identical passages of other articles merged into the best one as further sources. Pure."""
    kept: list[Evidence] = []
    words: list[frozenset[str]] = []
    for evidence in ranked:
        these = frozenset(evidence.passage.text.lower().split())
        twin = next((i for i, others in enumerate(words) if _jaccard(these, others) >= SAME_WORDS), None)
        if twin is not None:
            kept[twin] = replace(kept[twin], passage=_with_sources(kept[twin].passage, evidence.passage))
        elif len(kept) < k:
            kept.append(evidence)
            words.append(these)
    return kept


def _with_sources(passage: Passage, copy: Passage) -> Passage:
    def own(p: Passage) -> tuple[Source, ...]:
        return p.sources or (Source(p.outlet, p.title, p.url, p.published),)

    return replace(passage, sources=tuple(dict.fromkeys([*own(passage), *own(copy)])))


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a or b else 1.0


def _inverse_frequencies(frequencies: dict[str, int], passages: int) -> dict[str, float]:
    return {t: math.log(1 + (passages - n + 0.5) / (n + 0.5)) for t, n in frequencies.items()}


def _scale(signals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row stretched to 0..1; without differences, as with a single candidate, all are the best there is: 1."""
    low = signals.min(axis=1, keepdims=True)
    spread = signals.max(axis=1, keepdims=True) - low
    scaled: NDArray[np.float64] = np.divide(signals - low, spread, out=np.ones_like(signals), where=spread > 0)
    return scaled
