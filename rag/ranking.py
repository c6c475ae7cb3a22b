"""What speaks for a passage as the place of the answer, and how much each of these signals counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.kinds import asks_holder, asks_seat, expected, holds, names_holder, names_seat
from rag.postings import BREAK, number
from rag.stored import Candidate, Prospects
from rag.text import function_terms, terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR = 3
"""Two words of the question that follow each other are found together when they stand no further apart than this."""
FAR = 12
"""Two words of a sentence that are found with more than so many of the question's between them don't stand together."""
FEEDBACK = 3
"""The vectors of so many first passages are added to the question's for the signal "like the first"."""
TELLING = 10
"""So many words of these passages are looked for in the others."""
SHARE_OF_WORDS = 0.5
"""What a sentence's share of the question's words counts for beside its cosine."""
LEAST, MOST = -3.0, 6.0
"""A signal counts in standard deviations from the candidates' mean, within these bounds."""
ALONE = 1 << 18
"""OpenBLAS computes so many products by itself, and shares more of them among cores."""
STRAY = np.errstate(invalid="ignore")
"""What BLAS computes of memory beside a row of few values is thrown away, and must not be warned of, either."""
BLOCK = 256
"""About so many rows of floats fit into a core's own memory."""
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
    "like the first",
    "words of the first",
    "rare kind",
    "opening about it",
)
RARE = ("reason", "meaning")
"""Kinds of answers that few passages hold, and those that don't can't answer.

As few say who holds a post, or where something has its seat.
"""
FIRST = (0, 1, 2, 6, 10, 11, 12, 13)
"""The signals that tell which passages come first for those that look for what is like them."""
ALL = 0.999
"""A sentence that holds all of the question's words has this share of them at least."""
FEW = 2
"""A question of at most so many words of content says little, and asks for what matters most: where articles begin."""
QUALITIES = ("words found", "agreement", "length")
"""What tells how much the signals know about a question: the share of its words that the best candidate holds, the
correlation of vectors and words among the candidates, and the logarithm of its number of words."""
MEANS, SPREADS = (0.807, 0.246, 1.685), (0.202, 0.360, 0.485)
"""Of `QUALITIES`, over the questions that the weights were made with."""
WEIGHTS = (
    (
        0.013,
        0.171,
        0.072,
        0.183,
        0.134,
        0.145,
        0.120,
        0.275,
        0.273,
        0.233,
        0.257,
        0.292,
        0.291,
        0.130,
        0.120,
        0.031,
        0.273,
        0.4,
    ),
    (
        0.022,
        0.056,
        -0.012,
        0.055,
        0.028,
        0.070,
        0.016,
        -0.003,
        -0.139,
        -0.007,
        -0.119,
        0.053,
        -0.099,
        -0.049,
        -0.092,
        -0.020,
        0.0,
        0.0,
    ),
    (
        0.136,
        0.095,
        0.080,
        0.003,
        0.034,
        -0.096,
        0.041,
        -0.042,
        -0.163,
        0.095,
        -0.012,
        0.052,
        0.105,
        0.116,
        -0.163,
        -0.006,
        0.0,
        0.0,
    ),
    (
        -0.029,
        -0.006,
        -0.024,
        0.130,
        0.070,
        0.066,
        -0.123,
        0.015,
        0.024,
        -0.084,
        -0.130,
        0.218,
        -0.097,
        -0.116,
        -0.056,
        -0.004,
        0.0,
        0.0,
    ),
)
"""What each of `SIGNALS` counts for: as such, and more for each standard deviation of each of `QUALITIES`.

Made by `python -m evals.learn`, but for the last two: few questions of its sets ask for what is rare, so that counts as
much as the kind does anyhow; and its sets have few short questions, and few articles like those of newspapers.
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the ranking sees it.

    Args:
        question: its text.
        vector: its unit vector, shape (384,).
        tokens: the unit vectors of its tokens of content, shape (tokens, 384).
        token_words: the word that each of these is of.
        token_weights: how much each of these counts; they sum to 1.
        weights: its content terms, in order, and their inverse document frequencies.
    """

    question: str
    vector: NDArray[np.float32]
    tokens: NDArray[np.float32]
    token_words: tuple[str, ...]
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
        together: the share of all pairs of its words that some sentence holds, each divided by the words it stands
            apart, shape (n,).
        around: the share that the passage, its header and the passages beside it hold, shape (n,).
        sentences: how many each has, shape (n,).
        before, after: the place of the passage beside it in its article; its own where that one is none of the n.
        words: the numbers of the words of all of them, shape (words,).
        owners: the place of the passage of each word, shape (words,).
    """

    vectors: NDArray[np.float32]
    dense: NDArray[np.float32]
    lexical: NDArray[np.float32]
    cosines: NDArray[np.float32]
    shares: NDArray[np.float32]
    header: NDArray[np.float32]
    pairs: NDArray[np.float32]
    together: NDArray[np.float32]
    around: NDArray[np.float32]
    sentences: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    words: NDArray[np.uint32]
    owners: NDArray[np.int64]

    def of(self, places: NDArray[np.int64]) -> Looked:
        """The same of some of the passages, in the order given."""
        among = np.full(len(self.dense), -1)
        among[places] = own = np.arange(len(places))
        beside = {
            name: np.where(among[neighbours] < 0, own, among[neighbours])
            for name, neighbours in (("before", self.before[places]), ("after", self.after[places]))
        }
        kept = among[self.owners] >= 0
        beside |= {"words": self.words[kept], "owners": among[self.owners[kept]]}
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


@STRAY
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
    held, near, together = _words(asked, prospects.words, count + int(prospects.sentences.sum()))
    of_stretches = _shares(held, asked.weights)
    near[headers] = together[headers] = 0
    shares = np.zeros(there.shape, np.float32)
    shares[there] = np.delete(of_stretches, headers)
    held = np.logical_or.reduceat(held, headers) if count else held
    before, after = _beside(prospects)
    closed = np.flatnonzero(prospects.words == BREAK)[np.cumsum(prospects.sentences + 1) - 1]
    return Looked(
        vectors=prospects.vectors,
        dense=prospects.vectors @ asked.vector,
        lexical=lexical,
        cosines=cosines,
        shares=shares,
        header=of_stretches[headers],
        pairs=np.maximum.reduceat(near, headers) if count else near,
        together=np.maximum.reduceat(together, headers) if count else together,
        around=_shares(held | held[before] | held[after], asked.weights),
        sentences=prospects.sentences,
        before=before,
        after=after,
        words=prospects.words,
        owners=np.searchsorted(closed, np.arange(len(prospects.words))),
    )


def promising(looked: Looked) -> NDArray[np.int64]:
    """The places of the passages, those first that vectors and words speak for most."""
    signals = (looked.dense, looked.lexical, looked.cosines.max(axis=1), _matches(looked).max(axis=1), looked.around)
    return np.argsort(-standardised(np.stack(signals, axis=1)).sum(axis=1), kind="stable")


def _matches(looked: Looked) -> NDArray[np.float32]:
    """How well each sentence matches the question by vector and words."""
    combined: NDArray[np.float32] = looked.cosines + SHARE_OF_WORDS * looked.shares
    return combined


def _words(
    asked: Asked, words: NDArray[np.uint32], stretches: int
) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32]]:
    """Which of the question's words each stretch holds, and what its `Looked.pairs` and `Looked.together` are."""
    weights = np.array(list(asked.weights.values()), np.float32)
    numbers = np.array([number(term) for term in asked.weights], np.uint32)
    count = len(numbers)
    order = np.argsort(numbers)
    places = np.flatnonzero(np.isin(words, numbers))
    term = order[np.searchsorted(numbers[order], words[places])]
    own = np.searchsorted(np.flatnonzero(words == BREAK), places)
    held = np.zeros((stretches, count), np.bool_)
    held[own, term] = True
    stretch, one, other, nearness = _nearest(places, term, own, count)
    of_pairs = weights[one] + weights[other]
    is_near = (other - one == 1) & (nearness >= 1 / NEAR)
    every = (count - 1) * weights.sum()
    following = (weights[1:] + weights[:-1]).sum()
    near = np.bincount(stretch[is_near], of_pairs[is_near], stretches) / (following or 1.0)
    together = np.bincount(stretch, of_pairs * nearness, stretches) / (every or 1.0)
    return held, near.astype(np.float32), together.astype(np.float32)


def _nearest(
    places: NDArray[np.int64], term: NDArray[np.int64], own: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """For each stretch and pair of the question's words in it: the stretch, the two words, and how near they come.

    Of the words the question's first comes first; near is 1 where they stand side by side.
    """
    cells, nearness = [np.empty(0, np.int64)], [np.empty(0)]
    for step in range(1, min(FAR, len(places) - 1) + 1):
        same = np.flatnonzero((own[step:] == own[:-step]) & (term[step:] != term[:-step]))
        one, other = term[same + step], term[same]
        cells.append((own[same] * count + np.minimum(one, other)) * count + np.maximum(one, other))
        nearness.append(1 / (places[same + step] - places[same]))
    found, place = np.unique(np.concatenate(cells), return_inverse=True)
    most = np.zeros(len(found))
    np.maximum.at(most, place, np.concatenate(nearness))
    return found // count**2, found // count % count, found % count, most


def _weighted(rows: NDArray[Any], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of each row's values, with weights; 0 where these are."""
    total = weights.sum()
    mean: NDArray[np.float32] = rows @ (weights / total if total > 0 else weights)
    return mean


def _shares(held: NDArray[np.bool_], weights: dict[str, float]) -> NDArray[np.float32]:
    """The share of the question's words that is held in each row, weighted by rarity."""
    return _weighted(held, np.array(list(weights.values()), np.float32))


def _beside(prospects: Prospects) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places of the passages right before and after each in its article; its own where that is not among them."""
    places = {found: place for place, found in enumerate(zip(prospects.article_ids, prospects.ids, strict=True))}
    before, after = (
        np.array([places.get((article, i + step), place) for (article, i), place in places.items()], np.int64)
        for step in (-1, 1)
    )
    return before, after


@STRAY
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
            np.array([holds(kind, c.sentence(i), own) for c, i in zip(pool.candidates, best, strict=True)]),
            matches.min(axis=1),
            with_tokens[rows, best],
            beside @ asked.token_weights,
            tokens.max(axis=1),
            looked.around,
        ],
        axis=1,
    ).astype(np.float32)
    first = np.argsort(-standardised(own_signals)[:, FIRST].sum(axis=1), kind="stable")[:FEEDBACK]
    opens = np.array([c.passage.start == 0 for c in pool.candidates])
    signals = np.column_stack(
        [
            own_signals,
            _likeness(asked, looked, first),
            _shared_words(asked, looked, first),
            _rare(pool, own_signals[:, SIGNALS.index("kind")] * (kind in RARE)),
            looked.header * opens * (len(asked.weights) <= FEW),
        ]
    ).astype(np.float32)
    qualities = (
        float(looked.around.max()),
        _correlation(looked.dense, looked.lexical),
        math.log(max(1, len(asked.weights))),
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
    signs = np.unpackbits(stored[:, 1:], axis=1, count=tokens.shape[1])
    # A value of 0 or 1 in place of -1 or 1: twice the product, less the sum of the token's values.
    similar = (2 * _product(signs, tokens) - tokens.sum(axis=1)) / math.sqrt(tokens.shape[1])
    # What lies beyond the number that fits into a byte counts with the last.
    stretch = np.minimum(stored[:, 0], looked.sentences[owners])
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(owners) != 0) | (np.diff(stretch) != 0)]))
    np.maximum.at(matches, (owners[starts], stretch[starts]), np.maximum.reduceat(similar, starts, axis=0))
    return matches


def _product(signs: NDArray[np.uint8], tokens: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every token's product with every row of signs, shape (rows, tokens).

    In pieces that are too small for the library to share them among cores: it would gain little by that, and keep the
    cores busy with waiting for more of it, to the harm of all else that runs.
    """
    rows = max(1, ALONE // tokens.size)
    block = rows * -(-BLOCK // rows)
    product = np.empty((len(signs), len(tokens)), np.float32)
    room = np.zeros((block // rows, rows, tokens.shape[1]), np.float32)
    for start in range(0, len(signs), block):
        own = signs[start : start + block]
        room.reshape(-1, tokens.shape[1])[: len(own)] = own
        product[start : start + block] = (room @ tokens.T).reshape(-1, len(tokens))[: len(own)]
    return product


def _likeness(asked: Asked, looked: Looked, first: NDArray[np.int64]) -> NDArray[np.float32]:
    """The candidates' cosines to the question moved towards the first of them (Rocchio 1971)."""
    moved = asked.vector + looked.vectors[first].mean(axis=0)
    cosines: NDArray[np.float32] = looked.vectors @ (moved / np.linalg.norm(moved))
    return cosines


def _shared_words(asked: Asked, looked: Looked, first: NDArray[np.int64]) -> NDArray[np.float32]:
    """The share of the words most telling of the first candidates that each holds: feedback of a relevance model.

    After RM3 (Lavrenko and Croft 2001; Abdul-Jaleel et al. 2004), with what is rare among the candidates as telling,
    and only for the order of what was found.
    """
    count = len(looked.dense)
    among = np.isin(looked.owners, first)
    ignored = [BREAK, *map(number, asked.weights), *_function_numbers()]
    known = np.setdiff1d(looked.words[among], np.array(ignored, np.uint32))
    if not len(known):
        return np.zeros(count, np.float32)
    place = np.minimum(np.searchsorted(known, looked.words), len(known) - 1)
    found = known[place] == looked.words
    cells = looked.owners[found] * len(known) + place[found]
    counts = np.bincount(cells, minlength=count * len(known)).reshape(count, len(known))
    frequencies = np.count_nonzero(counts, axis=0)
    rare = np.log(1 + (count - frequencies + 0.5) / (frequencies + 0.5))
    lengths = np.bincount(looked.owners, minlength=count)[first]
    telling = (counts[first] / lengths[:, None]).sum(axis=0) * rare
    most = np.argsort(-telling, kind="stable")[:TELLING]
    shares: NDArray[np.float32] = (counts[:, most] > 0) @ telling[most] / telling[most].sum()
    return shares


@cache
def _function_numbers() -> tuple[int, ...]:
    return tuple(map(number, function_terms()))
