"""What speaks for a passage as the place of the answer, and how much each of these signals counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rag.index import Candidate
from rag.kinds import expected, holds
from rag.text import terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR = 3
"""Two words of the question that follow each other are found together when they stand no further apart than this."""
FEEDBACK = 5
"""The vectors of so many first passages are added to the question's for the signal "like the first"."""
SHARE_OF_WORDS = 0.5
"""What a sentence's share of the question's words counts for beside its cosine."""
LEAST, MOST = -3.0, 6.0
"""A signal counts in standard deviations from the candidates' mean, within these bounds."""
MOST_UNUSUAL = 2.0
"""A question's quality counts in standard deviations, too, and no more than this."""

SIGNALS = (
    "passage vector",
    "passage words",
    "sentence vector",
    "header words",
    "word pairs",
    "best sentence",
    "two sentences",
    "like the first",
    "kind",
    "worst token",
    "best sentence with tokens",
    "tokens around",
    "sentence tokens",
    "words around",
)
QUALITIES = ("words found", "agreement", "length")
"""What tells how much the signals know about a question: the share of its words that the best candidate holds, the
correlation of vectors and words among the candidates, and the logarithm of its number of words."""
MEANS, SPREADS = (0.817, 0.092, 1.644), (0.195, 0.351, 0.463)
"""Of `QUALITIES`, over the questions that the weights were made with."""
WEIGHTS = (
    (0.054, 0.274, 0.163, 0.167, 0.151, 0.344, 0.380, 0.128, 0.346, 0.206, 0.183, 0.400, 0.330, 0.194),
    (-0.056, -0.008, -0.082, 0.036, 0.060, -0.012, 0.013, 0.031, -0.128, -0.002, -0.052, -0.021, -0.138, -0.020),
    (0.035, 0.030, 0.106, 0.123, -0.036, 0.037, -0.086, -0.144, -0.062, 0.083, 0.113, 0.077, -0.022, 0.144),
    (-0.044, -0.085, -0.013, 0.158, 0.074, -0.061, 0.010, -0.166, -0.088, -0.091, -0.141, 0.320, -0.056, -0.049),
)
"""What each of `SIGNALS` counts for: as such, and more for each standard deviation of each of `QUALITIES`.

Made by `python -m evals.learn`.
"""


@dataclass(frozen=True, slots=True)
class Pool:
    """The passages that may answer a question, with what ranks them.

    Args:
        question: its text.
        candidates: n passages.
        vector: the question's unit vector, shape (384,).
        tokens: the unit vectors of its tokens of content, shape (tokens, 384).
        token_weights: how much each of these counts; they sum to 1.
        weights: the question's content terms, in order, and their inverse document frequencies.
        vectors: the candidates' unit vectors, shape (n, 384).
        lexical: their BM25 scores, shape (n,).
    """

    question: str
    candidates: tuple[Candidate, ...]
    vector: NDArray[np.float32]
    tokens: NDArray[np.float32]
    token_weights: NDArray[np.float32]
    weights: dict[str, float]
    vectors: NDArray[np.float32]
    lexical: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Measured:
    """What speaks for each candidate.

    Args:
        signals: shape (n, len(SIGNALS)).
        qualities: of the question, as many as `QUALITIES`.
        cosines: of each candidate's sentences to the question.
        shares: of the question's words that each sentence holds, weighted by rarity, 0 to 1.
        tokens: how well each sentence matches the question's tokens, about 0 to 1.
        matches: how well each of the question's tokens is matched somewhere in the candidate, shape (tokens,).
    """

    signals: NDArray[np.float32]
    qualities: tuple[float, ...]
    cosines: list[NDArray[np.float32]]
    shares: list[NDArray[np.float32]]
    tokens: list[NDArray[np.float32]]
    matches: list[NDArray[np.float32]]


def scores(measured: Measured, weights: Sequence[Sequence[float]] = WEIGHTS) -> NDArray[np.float32]:
    """The candidates' scores from 0 (the worst of them) to 1 (the best), shape (n,).

    Score fusion rather than rank fusion follows Bruch et al. 2023 (arXiv:2210.11934).
    """
    sums = standardised(measured.signals) @ (_quality_factors(measured) @ np.array(weights, np.float32))
    width = np.ptp(sums)
    scaled: NDArray[np.float32] = (sums - sums.min()) / width if width > 0 else np.ones_like(sums)
    return scaled


def standardised(signals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Signals in standard deviations from the candidates' mean."""
    spread = signals.std(axis=0)
    differences = signals - signals.mean(axis=0)
    standard: NDArray[np.float32] = np.divide(differences, spread, out=np.zeros_like(signals), where=spread > 1e-9)
    return np.clip(standard, LEAST, MOST)


def _quality_factors(measured: Measured) -> NDArray[np.float32]:
    """1, and each of the question's `QUALITIES` in standard deviations from their usual mean."""
    standard = (np.array(measured.qualities) - MEANS) / SPREADS
    return np.concatenate([[1.0], np.clip(standard, -MOST_UNUSUAL, MOST_UNUSUAL)]).astype(np.float32)


def measure(pool: Pool) -> Measured:
    """The signals of every candidate of a pool that is not empty."""
    candidates = pool.candidates
    kind, asked = expected(pool.question), frozenset(terms(pool.question))
    found = [_words(candidate, pool.weights) for candidate in candidates]
    cosines = [candidate.vectors @ pool.vector for candidate in candidates]
    matches = _token_matches(candidates, pool.tokens)
    tokens = [match[1:] @ pool.token_weights for match in matches]
    combined = [c + SHARE_OF_WORDS * words.shares for c, words in zip(cosines, found, strict=True)]
    with_tokens = [c + t for c, t in zip(combined, tokens, strict=True)]
    whole = [match.max(axis=0) for match in matches]
    around = _neighbours(candidates)
    dense = pool.vectors @ pool.vector
    sentence = np.array([c.max() for c in cosines])
    signals = np.stack(
        [
            dense,
            pool.lexical,
            sentence,
            np.array([words.header for words in found]),
            np.array([words.pairs for words in found]),
            np.array([c.max() for c in combined]),
            np.array([np.sort(c)[-2:].mean() for c in cosines]),
            _feedback(pool, dense, sentence, np.array([words.shares.max() for words in found])),
            np.array([
                holds(kind, candidate.sentence(int(c.argmax())), asked)
                for candidate, c in zip(candidates, with_tokens, strict=True)
            ]),
            np.array([match.min() for match in whole]),
            np.array([c.max() for c in with_tokens]),
            np.array([np.max([whole[i] for i in near], axis=0) @ pool.token_weights for near in around]),
            np.array([t.max() for t in tokens]),
            np.array([_share(frozenset().union(*(found[i].held for i in near)), pool.weights) for near in around]),
        ],
        axis=1,
    ).astype(np.float32)  # fmt: skip
    qualities = (float(signals[:, -1].max()), _correlation(dense, pool.lexical), math.log(max(1, len(pool.weights))))
    return Measured(signals, qualities, cosines, [words.shares for words in found], tokens, whole)


def _correlation(ones: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    return float(np.corrcoef(ones, others)[0, 1]) if ones.std() > 0 and others.std() > 0 else 0.0


@dataclass(frozen=True, slots=True)
class _Words:
    """Which of the question's words a passage holds, and how they stand."""

    held: frozenset[str]
    header: float
    shares: NDArray[np.float32]
    pairs: float


def _words(candidate: Candidate, weights: dict[str, float]) -> _Words:
    pairs = list(zip(weights, list(weights)[1:], strict=False))
    total = sum(weights[a] + weights[b] for a, b in pairs)
    header = frozenset(term for term in candidate.header_terms if term in weights)
    held = set(header)
    shares = []
    best = 0.0
    for sentence in candidate.sentence_terms:
        places: dict[str, list[int]] = {}
        for place, term in enumerate(sentence):
            if term in weights:
                places.setdefault(term, []).append(place)
        held |= places.keys()
        shares.append(_share(frozenset(places), weights))
        if len(places) > 1:
            near = sum(weights[a] + weights[b] for a, b in pairs if _are_near(places.get(a, ()), places.get(b, ())))
            best = max(best, near / total)
    return _Words(frozenset(held), _share(header, weights), np.array(shares, np.float32), best)


def _are_near(ones: Sequence[int], others: Sequence[int]) -> bool:
    return any(abs(one - other) <= NEAR for one in ones for other in others)


def _share(held: frozenset[str], weights: dict[str, float]) -> float:
    total = sum(weights.values())
    return sum(weights[term] for term in held) / total if total else 0.0


def _token_matches(candidates: Sequence[Candidate], tokens: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """How well each token of the question is matched by the best token of each stretch: (1 + sentences, tokens).

    Row 0 is the header's. Late interaction (Khattab and Zaharia 2020, arXiv:2004.12832), on the signs of the
    passages' values.
    """
    width = 1 + math.ceil(tokens.shape[1] / 8)
    stored = np.concatenate([np.frombuffer(c.tokens, np.uint8) for c in candidates]).reshape(-1, width)
    owners = np.repeat(np.arange(len(candidates)), [len(c.tokens) // width for c in candidates])
    signs = np.unpackbits(stored[:, 1:], axis=1, count=tokens.shape[1]).astype(np.float32)
    # A value of 0 or 1 in place of -1 or 1: twice the product, less the sum of the token's values.
    similar = (2 * (signs @ tokens.T) - tokens.sum(axis=1)) / math.sqrt(tokens.shape[1])
    matches = [np.zeros((1 + len(c.spans), len(tokens)), np.float32) for c in candidates]
    if len(similar):
        places = owners * 256 + stored[:, 0]
        starts = np.flatnonzero(np.concatenate([[True], places[1:] != places[:-1]]))
        for place, best in zip(places[starts], np.maximum.reduceat(similar, starts, axis=0), strict=True):
            owner, stretch = divmod(int(place), 256)
            # What lies beyond the number that fits into a byte counts with the last.
            row = matches[owner][min(stretch, len(matches[owner]) - 1)]
            np.maximum(row, best, out=row)
    return matches


def _feedback(pool: Pool, *signals: NDArray[np.float32]) -> NDArray[np.float32]:
    """The candidates' cosines to the question moved towards the first of them (Rocchio 1971)."""
    first = np.argsort(-standardised(np.stack([*signals, pool.lexical], axis=1)).sum(axis=1))[:FEEDBACK]
    moved = pool.vector + pool.vectors[first].mean(axis=0)
    cosines: NDArray[np.float32] = pool.vectors @ (moved / np.linalg.norm(moved))
    return cosines


def _neighbours(candidates: Sequence[Candidate]) -> list[list[int]]:
    """For each candidate itself, and those that stand right before and after it in its article."""
    numbers = {(c.passage.article_id, c.passage_id): number for number, c in enumerate(candidates)}
    return [
        [numbers[place] for step in (0, -1, 1) if (place := (c.passage.article_id, c.passage_id + step)) in numbers]
        for c in candidates
    ]
