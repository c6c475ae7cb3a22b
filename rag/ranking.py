"""What speaks for a passage as the place of the answer, and how much each of these signals counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rag.interaction import token_matches
from rag.kinds import asks_holder, asks_seat, expected, holds, names_holder, names_seat
from rag.looking import STRAY, Asked, Looked, matches_of_sentences, standardised
from rag.products import product
from rag.stored import Candidate
from rag.text import terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEEDBACK = 3
"""The vectors of so many first passages are added to the question's for the signal "like the first"."""
SHARPNESS = 0.3
"""How much likelier a passage is to answer with each deviation that its signals come to, as a logarithm."""
SOFTNESS = 0.1
"""A sentence whose cosine is less than the best one's by more than this adds little to it."""
TINY = 1e-9
"""Where there is no other, none is likely."""
DECIMALS = 5
"""Of scores: passages that say the same get the same one, in whichever order its parts were added up."""
MOST_UNUSUAL = 2.0
"""A question's quality counts in standard deviations, too, and no more than this."""

SIGNALS = (
    "passage vector",
    "passage words",
    "sentence vector",
    "header words",
    "word pairs",
    "words together",
    "best sentence",
    "two sentences",
    "kind",
    "worst token",
    "best sentence with tokens",
    "tokens around",
    "sentence tokens",
    "words around",
    "all sentences",
    "like the first",
    "like the likely",
    "rare kind",
    "opening about it",
)
RARE = ("reason", "meaning")
"""Kinds of answers that few passages hold, and those that don't can't answer.

As few say who holds a post, or where something has its seat.
"""
FIRST = (0, 1, 2, 6, 10, 11, 12, 13)
"""The signals that tell which passages come first and how likely each is, for what looks at what is like them."""
ALL = 0.999
"""A sentence that holds all of the question's words has this share of them at least."""
FEW = 2
"""A question of at most so many words of content says little, and asks for what matters most: where articles begin."""
QUALITIES = ("agreement", "length", "all matched")
"""What tells how much the signals know about a question: the correlation of vectors and words among the candidates, the
logarithm of its number of words, and how well the candidate that matches all of its tokens best matches the worst."""
MEANS, SPREADS = (0.294, 1.636, 0.418), (0.379, 0.544, 0.159)
"""Of `QUALITIES`, over the questions that the weights were made with."""
WEIGHTS = (
    (
        0.111,
        0.123,
        0.138,
        0.094,
        0.021,
        0.151,
        0.082,
        0.091,
        0.167,
        0.183,
        0.090,
        0.257,
        0.144,
        0.158,
        0.181,
        0.122,
        0.188,
        0.292,
        0.376,
    ),
    (
        0.021,
        0.046,
        0.002,
        0.018,
        0.021,
        -0.027,
        0.002,
        0.030,
        -0.025,
        0.081,
        0.003,
        0.016,
        0.002,
        -0.003,
        0.031,
        0.000,
        -0.065,
        0.000,
        0.000,
    ),
    (
        -0.001,
        -0.009,
        -0.052,
        -0.010,
        -0.006,
        0.005,
        -0.042,
        0.018,
        -0.098,
        -0.056,
        -0.010,
        -0.000,
        -0.010,
        -0.009,
        -0.063,
        0.045,
        0.012,
        0.000,
        0.000,
    ),
    (
        -0.024,
        -0.048,
        0.023,
        0.029,
        0.008,
        -0.025,
        0.006,
        -0.014,
        0.080,
        0.025,
        -0.028,
        -0.014,
        -0.025,
        -0.019,
        0.048,
        -0.052,
        -0.002,
        0.000,
        0.000,
    ),
)
"""What each of `SIGNALS` counts for: as such, and more for each standard deviation of each of `QUALITIES`.

Made by `python -m evals.learn`, the last two as shares of what the kind counts for: few questions ask for what is rare.
"""


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
        matches: how well each of the question's tokens is matched in the header and in each sentence of a candidate,
            shape (n, 1 + most sentences, tokens).
    """

    signals: NDArray[np.float32]
    qualities: tuple[float, ...]
    tokens: NDArray[np.float32]
    matches: NDArray[np.float32]


@STRAY
def scores(measured: Measured, weights: Sequence[Sequence[float]] = WEIGHTS) -> NDArray[np.float32]:
    """The candidates' scores from 0 (the worst of them) to 1 (the best), shape (n,).

    Score fusion rather than rank fusion follows Bruch et al. 2023 (arXiv:2210.11934).
    """
    sums = standardised(measured.signals) @ (_quality_factors(measured) @ np.array(weights, np.float32))
    width = np.ptp(sums)
    scaled = (sums - sums.min()) / width if width > 0 else np.ones_like(sums)
    rounded: NDArray[np.float32] = np.round(scaled, DECIMALS)
    return rounded


def _quality_factors(measured: Measured) -> NDArray[np.float32]:
    """1, and each of the question's `QUALITIES` in standard deviations from their usual mean."""
    standard = (np.array(measured.qualities) - MEANS) / SPREADS
    return np.concatenate([[1.0], np.clip(standard, -MOST_UNUSUAL, MOST_UNUSUAL)]).astype(np.float32)


@STRAY
def measure(pool: Pool) -> Measured:
    """The signals of every candidate of a pool that is not empty."""
    asked, looked = pool.asked, pool.looked
    kind, own = expected(asked.question), frozenset(terms(asked.question))
    rows = np.arange(len(pool.candidates))
    stretches = token_matches(
        [c.tokens for c in pool.candidates], looked.sentences, looked.cosines.shape[1], asked.tokens
    )
    tokens = stretches[:, 1:] @ asked.token_weights
    matches = stretches.max(axis=1)
    combined = matches_of_sentences(looked)
    with_tokens = combined + tokens
    best = with_tokens.argmax(axis=1)
    beside = np.maximum(matches, np.maximum(matches[looked.before], matches[looked.after]))
    sentence = looked.cosines.max(axis=1)
    own_signals = np.stack(
        [
            looked.dense,
            looked.lexical,
            sentence,
            looked.header,
            looked.pairs,
            looked.together,
            combined.max(axis=1),
            _two_best(looked),
            np.array([holds(kind, c.sentence(i), own) for c, i in zip(pool.candidates, best.tolist(), strict=True)]),
            matches.min(axis=1),
            with_tokens[rows, best],
            beside @ asked.token_weights,
            tokens.max(axis=1),
            looked.around,
            _all_sentences(looked),
        ],
        axis=1,
    ).astype(np.float32)
    promise = standardised(own_signals)[:, FIRST].sum(axis=1)
    opens = np.array([c.passage.start == 0 for c in pool.candidates])
    signals = np.column_stack(
        [
            own_signals,
            _like_first(asked, looked, np.argsort(-promise, kind="stable")[:FEEDBACK]),
            _like_likely(looked, promise),
            _rare(pool, own_signals[:, SIGNALS.index("kind")] * (kind in RARE)),
            looked.header * opens * (len(asked.weights) <= FEW),
        ]
    ).astype(np.float32)
    qualities = (
        _correlation(looked.dense, looked.lexical),
        math.log(max(1, len(asked.weights))),
        float(matches.min(axis=1).max()),
    )
    return Measured(signals, qualities, tokens, stretches)


def _rare(pool: Pool, of_kind: NDArray[np.float32]) -> NDArray[np.float32]:
    """Which candidates have what few have: something of a rare kind, who holds the post asked about, or a seat."""
    question, asked = pool.asked.question, frozenset(pool.asked.weights)
    says: Callable[[str, frozenset[str]], bool]
    if asks_holder(question):
        # To have all of the words for a post a sentence must have all of the question's.
        says, least = names_holder, ALL
    elif asks_seat(question):
        says, least = names_seat, 0.0
    elif expected(question) == "meaning":
        says, least = partial(holds, "meaning"), ALL
    else:
        return of_kind
    shares = pool.looked.shares
    return np.array(
        [
            any(says(c.sentence(i), asked) for i in range(len(c.spans)) if shares[place, i] > least)
            for place, c in enumerate(pool.candidates)
        ],
        np.float32,
    )


def _correlation(ones: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    one, other = ones - ones.mean(), others - others.mean()
    spread = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / spread if spread > 0 else 0.0


def _two_best(looked: Looked) -> NDArray[np.float32]:
    """The mean cosine of the two best sentences, or of the one."""
    best = -np.sort(-looked.cosines, axis=1)[:, :2]
    two: NDArray[np.float32] = np.where(looked.sentences > 1, best.mean(axis=1), best[:, 0])
    return two


def _all_sentences(looked: Looked) -> NDArray[np.float32]:
    """The best sentence's cosine, and more the more others come near it: a soft maximum."""
    there = np.where(np.arange(looked.cosines.shape[1]) < looked.sentences[:, None], looked.cosines, -np.inf)
    soft: NDArray[np.float32] = SOFTNESS * np.log(np.exp(there / SOFTNESS).sum(axis=1))
    return soft


def _like_first(asked: Asked, looked: Looked, first: NDArray[np.int64]) -> NDArray[np.float32]:
    """The candidates' cosines to the question moved towards the first of them (Rocchio 1971)."""
    moved = asked.vector + looked.vectors[first].mean(axis=0)
    cosines: NDArray[np.float32] = looked.vectors @ (moved / np.linalg.norm(moved))
    return cosines


def _like_likely(looked: Looked, promise: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the candidates' cosines to the others, each counted by how likely it is to answer.

    What is near to what answers answers, too: the cluster hypothesis, as scores made smooth (Diaz 2005, "Regularizing
    ad hoc retrieval scores").
    """
    likely = np.exp(SHARPNESS * (promise - promise.max()))
    others = 1 - np.eye(len(likely), dtype=np.float32)
    cosines = product(looked.vectors, looked.vectors.T)
    mean: NDArray[np.float32] = (cosines * others) @ likely / np.maximum(others @ likely, TINY)
    return mean
