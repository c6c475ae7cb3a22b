"""What speaks for a passage as the place of the answer, and how much each of these signals counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from rag.index import Candidate, Prospects
from rag.kinds import expected, holds
from rag.postings import BREAK, number
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
class Asked:
    """A question as the ranking sees it.

    Args:
        question: its text.
        vector: its unit vector, shape (384,).
        tokens: the unit vectors of its tokens of content, shape (tokens, 384).
        token_weights: how much each of these counts; they sum to 1.
        weights: its content terms, in order, and their inverse document frequencies.
    """

    question: str
    vector: NDArray[np.float32]
    tokens: NDArray[np.float32]
    token_weights: NDArray[np.float32]
    weights: dict[str, float]


@dataclass(frozen=True, slots=True)
class Looked:
    """What vectors and words say about n passages.

    Args:
        vectors: their unit vectors, shape (n, 384).
        dense: their cosines to the question, shape (n,).
        lexical: their BM25 scores, shape (n,).
        cosines: of their sentences to the question, -1 where a passage has no more, shape (n, most sentences).
        shares: of the question's words that each sentence holds, weighted by rarity, 0 to 1; shaped alike.
        header: the share that the header holds, shape (n,).
        pairs: the share of neighbouring words of the question that some sentence holds near each other, shape (n,).
        around: the share that the passage, its header and the passages beside it hold, shape (n,).
        sentences: how many each has, shape (n,).
        before, after: the place of the passage beside it in its article; its own where that one is none of the n.
    """

    vectors: NDArray[np.float32]
    dense: NDArray[np.float32]
    lexical: NDArray[np.float32]
    cosines: NDArray[np.float32]
    shares: NDArray[np.float32]
    header: NDArray[np.float32]
    pairs: NDArray[np.float32]
    around: NDArray[np.float32]
    sentences: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]

    def of(self, places: NDArray[np.int64]) -> Looked:
        """The same of some of the passages, in the order given."""
        among = np.full(len(self.dense), -1)
        among[places] = own = np.arange(len(places))
        beside = {
            name: np.where(among[neighbours] < 0, own, among[neighbours])
            for name, neighbours in (("before", self.before[places]), ("after", self.after[places]))
        }
        rest = {f.name: getattr(self, f.name)[places] for f in fields(self) if f.name not in beside}
        return Looked(**rest, **beside)


@dataclass(frozen=True, slots=True)
class Pool:
    """The passages that may answer a question, with what ranks them; what was looked at is of the same passages."""

    asked: Asked
    looked: Looked
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What speaks for each candidate.

    Args:
        signals: shape (n, len(SIGNALS)).
        qualities: of the question, as many as `QUALITIES`.
        tokens: how well each sentence matches the question's tokens, about 0 to 1, shape (n, most sentences).
        matches: how well each of the question's tokens is matched somewhere in the candidate, shape (n, tokens).
    """

    signals: NDArray[np.float32]
    qualities: tuple[float, ...]
    tokens: NDArray[np.float32]
    matches: NDArray[np.float32]


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


def look(asked: Asked, prospects: Prospects, lexical: NDArray[np.float32]) -> Looked:
    """What vectors and words say about passages.

    Args:
        lexical: their BM25 scores.
    """
    count = len(prospects.ids)
    there = np.arange(max(prospects.sentences, default=1)) < prospects.sentences[:, None]
    cosines = np.full(there.shape, -1, np.float32)
    cosines[there] = prospects.sentence_vectors @ asked.vector
    # Header and sentences of all passages in one row of stretches; of each the question's words that it holds.
    headers = np.cumsum(prospects.sentences + 1) - prospects.sentences - 1
    held, near = _words(asked, prospects.words, count + int(prospects.sentences.sum()))
    of_stretches = _shares(held, asked.weights)
    near[headers] = 0
    shares = np.zeros(there.shape, np.float32)
    shares[there] = np.delete(of_stretches, headers)
    held = np.logical_or.reduceat(held, headers) if count else held
    before, after = _beside(prospects)
    return Looked(
        vectors=prospects.vectors,
        dense=prospects.vectors @ asked.vector,
        lexical=lexical,
        cosines=cosines,
        shares=shares,
        header=of_stretches[headers],
        pairs=np.maximum.reduceat(near, headers) if count else near,
        around=_shares(held | held[before] | held[after], asked.weights),
        sentences=prospects.sentences,
        before=before,
        after=after,
    )


def promising(looked: Looked, limit: int) -> NDArray[np.int64]:
    """The places of the passages that vectors and words speak for most, at most `limit`, in their order."""
    if len(looked.dense) <= limit:
        return np.arange(len(looked.dense))
    signals = (looked.dense, looked.lexical, looked.cosines.max(axis=1), _matches(looked).max(axis=1), looked.around)
    order = np.argsort(-standardised(np.stack(signals, axis=1)).sum(axis=1), kind="stable")
    return np.sort(order[:limit])


def _matches(looked: Looked) -> NDArray[np.float32]:
    """How well each sentence matches the question by vector and words."""
    combined: NDArray[np.float32] = looked.cosines + SHARE_OF_WORDS * looked.shares
    return combined


def _words(asked: Asked, words: NDArray[np.uint32], stretches: int) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which of the question's words each stretch holds, and the share of its pairs of words that stands together."""
    weights = np.array(list(asked.weights.values()), np.float32)
    numbers = np.array([number(term) for term in asked.weights], np.uint32)
    order = np.argsort(numbers)
    held = np.zeros((stretches, len(numbers)), np.bool_)
    near = np.zeros((stretches, max(0, len(numbers) - 1)), np.bool_)
    places = np.flatnonzero(np.isin(words, numbers))
    term = order[np.searchsorted(numbers[order], words[places])]
    own = np.searchsorted(np.flatnonzero(words == BREAK), places)
    held[own, term] = True
    for step in range(1, NEAR + 1):
        # No more than so many of the words found can stand so near.
        together = (
            (places[step:] - places[:-step] <= NEAR)
            & (own[step:] == own[:-step])
            & (np.abs(term[step:] - term[:-step]) == 1)
        )
        near[own[step:][together], np.minimum(term[step:], term[:-step])[together]] = True
    of_pairs = weights[1:] + weights[:-1]
    total = of_pairs.sum()
    return held, (near @ of_pairs / total if total > 0 else np.zeros(stretches)).astype(np.float32)


def _shares(held: NDArray[np.bool_], weights: dict[str, float]) -> NDArray[np.float32]:
    """The share of the question's words that is held in each row, weighted by rarity."""
    of_terms = np.array(list(weights.values()), np.float32)
    total = of_terms.sum()
    shares: NDArray[np.float32] = held @ of_terms / total if total > 0 else np.zeros(len(held), np.float32)
    return shares


def _beside(prospects: Prospects) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places of the passages right before and after each in its article; its own where that is not among them."""
    places = {found: place for place, found in enumerate(zip(prospects.article_ids, prospects.ids, strict=True))}
    before, after = (
        np.array([places.get((article, i + step), place) for (article, i), place in places.items()], np.int64)
        for step in (-1, 1)
    )
    return before, after


def measure(pool: Pool) -> Measured:
    """The signals of every candidate of a pool that is not empty."""
    asked, looked = pool.asked, pool.looked
    kind, own = expected(asked.question), frozenset(terms(asked.question))
    rows = np.arange(len(pool.candidates))
    stretches = _token_matches(pool.candidates, looked, asked.tokens)
    tokens = stretches[:, 1:] @ asked.token_weights
    matches = stretches.max(axis=1)
    combined = _matches(looked)
    with_tokens = combined + tokens
    best = with_tokens.argmax(axis=1)
    beside = np.maximum(matches, np.maximum(matches[looked.before], matches[looked.after]))
    sentence = looked.cosines.max(axis=1)
    signals = np.stack(
        [
            looked.dense,
            looked.lexical,
            sentence,
            looked.header,
            looked.pairs,
            combined.max(axis=1),
            _two_best(looked),
            _feedback(asked, looked),
            np.array([holds(kind, c.sentence(i), own) for c, i in zip(pool.candidates, best, strict=True)]),
            matches.min(axis=1),
            with_tokens[rows, best],
            beside @ asked.token_weights,
            tokens.max(axis=1),
            looked.around,
        ],
        axis=1,
    ).astype(np.float32)
    qualities = (
        float(looked.around.max()),
        _correlation(looked.dense, looked.lexical),
        math.log(max(1, len(asked.weights))),
    )
    return Measured(signals, qualities, tokens, matches)


def _correlation(ones: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    return float(np.corrcoef(ones, others)[0, 1]) if ones.std() > 0 and others.std() > 0 else 0.0


def _two_best(looked: Looked) -> NDArray[np.float32]:
    """The mean cosine of the two best sentences, or of the one."""
    best = -np.sort(-looked.cosines, axis=1)[:, :2]
    two: NDArray[np.float32] = np.where(looked.sentences > 1, best.mean(axis=1), best[:, 0])
    return two


def _token_matches(candidates: Sequence[Candidate], looked: Looked, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
    """How well each token of the question is matched by the best token of each stretch.

    Shape (n, 1 + most sentences, tokens); the first stretch is the header. Late interaction (Khattab and Zaharia 2020,
    arXiv:2004.12832), on the signs of the passages' values.
    """
    width = 1 + math.ceil(tokens.shape[1] / 8)
    stored = np.frombuffer(b"".join(c.tokens for c in candidates), np.uint8).reshape(-1, width)
    owners = np.repeat(np.arange(len(candidates)), [len(c.tokens) // width for c in candidates])
    matches = np.zeros((len(candidates), 1 + looked.cosines.shape[1], len(tokens)), np.float32)
    if not len(stored):
        return matches
    signs = np.unpackbits(stored[:, 1:], axis=1, count=tokens.shape[1]).astype(np.float32)
    # A value of 0 or 1 in place of -1 or 1: twice the product, less the sum of the token's values.
    similar = (2 * (signs @ tokens.T) - tokens.sum(axis=1)) / math.sqrt(tokens.shape[1])
    # What lies beyond the number that fits into a byte counts with the last.
    stretch = np.minimum(stored[:, 0], looked.sentences[owners])
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(owners) != 0) | (np.diff(stretch) != 0)]))
    np.maximum.at(matches, (owners[starts], stretch[starts]), np.maximum.reduceat(similar, starts, axis=0))
    return matches


def _feedback(asked: Asked, looked: Looked) -> NDArray[np.float32]:
    """The candidates' cosines to the question moved towards the first of them (Rocchio 1971)."""
    signals = [looked.dense, looked.cosines.max(axis=1), looked.shares.max(axis=1), looked.lexical]
    first = np.argsort(-standardised(np.stack(signals, axis=1)).sum(axis=1))[:FEEDBACK]
    moved = asked.vector + looked.vectors[first].mean(axis=0)
    cosines: NDArray[np.float32] = looked.vectors @ (moved / np.linalg.norm(moved))
    return cosines
