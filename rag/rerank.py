"""Passages ranked anew where it isn't clear which comes first, by what a cross-encoder says of their sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from rag.cross_encoder import CrossEncoder
from rag.embed import Embedder
from rag.facets import Wanted, parts
from rag.index import Index
from rag.preference import cover_parts
from rag.quote import Reading, read
from rag.records import Evidence, Passage
from rag.retrieve import search, trim

AHEAD = 0.12
"""A first passage whose score is so much higher than the second one's is left where it is."""
FEWEST = 10
"""Passages among which the best are looked for, if fewer are asked for."""
JUDGED = 6
"""So many sentences are read together with the question."""
CLOSER = 0.15
"""By so much better the sentences at the ends of a passage that surely doesn't answer have to match the question."""
WEIGHT = 0.4
"""What the likelihood that a sentence of it answers counts for beside a passage's score."""
_QUESTION = re.compile(
    r"\?|\b(?:who|whom|whose|what|when|where|why|how|which)\b|\A\W*(?:did|does|do|is|are|was|were|has|have|had|can|could)\b",
    re.IGNORECASE,
)
"""Mere words are no question, and nothing answers them."""


def find(
    question: str,
    index: Index,
    embedder: Embedder,
    k: int,
    wanted: Sequence[Wanted] = (),
    cross_encoder: CrossEncoder | None = None,
) -> list[Passage]:
    """The `k` passages that best answer the question, best first, with scores between 0 and 1.

    Args:
        wanted: what the question names; those that have it are preferred.
        cross_encoder: takes a second look where it isn't clear which passage answers a question best.

    Raises:
        EmbedderError: the model's weights are missing or are not the official ones.
    """
    if cross_encoder is None:
        ranked = search(question, index, embedder, k, wanted)[1].evidence
    else:
        spelt, found = search(question, index, embedder, max(k, FEWEST), wanted)
        ranked = found.evidence
        if is_unsure(question, ranked):
            reading = read(spelt, found)
            again = reranked(reading, cross_encoder.of_first(reading, JUDGED))
            ranked = tuple(cover_parts(again, parts(question, wanted)))
    return [evidence.passage for evidence in trim(ranked[:k], CLOSER)]


def is_unsure(question: str, ranked: Sequence[Evidence]) -> bool:
    """Whether a question is asked and the first passage isn't clearly ahead of the second one."""
    return (
        len(ranked) > 1
        and bool(_QUESTION.search(question))
        and ranked[0].passage.score - ranked[1].passage.score < AHEAD
    )


def reranked(reading: Reading, log_odds: Sequence[float]) -> list[Evidence]:
    """The passages, best first, with scores that count what a cross-encoder says of first sentences as well. Pure.

    Args:
        log_odds: of the first sentences of the reading to answer the question.
    """
    return [replace(own, passage=own.passage.scored(score)) for score, own in _counted(reading, log_odds)]


def ordered(reading: Reading) -> tuple[Evidence, ...]:
    """The passages as they are, those first of which the cross-encoder has found a sentence likely to answer. Pure."""
    return tuple(evidence for _, evidence in _counted(reading, reading.judged))


def _counted(reading: Reading, log_odds: Sequence[float]) -> list[tuple[float, Evidence]]:
    likeliest: dict[tuple[str, int], float] = {}
    for scored, odds in zip(reading.ranked, log_odds, strict=False):
        place = scored.passage.article_id, scored.passage.start
        likeliest[place] = max(likeliest.get(place, 0.0), 1 / (1 + math.exp(-odds)))
    counted = []
    for evidence in reading.retrieval.evidence:
        passage = evidence.passage
        likely = likeliest.get((passage.article_id, passage.start), 0.0)
        counted.append(((passage.score + WEIGHT * likely) / (1 + WEIGHT), evidence))
    return sorted(counted, key=lambda one: -one[0])
