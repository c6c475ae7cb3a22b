"""What vectors and words say about passages that may answer a question, before any of their text is loaded. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rag.postings import BREAK, number
from rag.products import product
from rag.stored import Prospects

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR = 3
"""Two words of the question that follow each other are found together when they stand no further apart than this."""
FAR = 12
"""Two words of a sentence that are found with more than so many of the question's between them don't stand together."""
SHARE_OF_WORDS = 0.5
"""What a sentence's share of the question's words counts for beside its cosine."""
LEAST, MOST = -3.0, 6.0
"""A signal counts in standard deviations from the candidates' mean, within these bounds."""
STRAY = np.errstate(invalid="ignore")
"""What BLAS computes of memory beside a row of few values is thrown away, and must not be warned of, either."""


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
class Wording:
    """Which of a question's words n passages hold, and how near to each other: all that needs no vector.

    Args:
        held: for each of the question's words whether a passage holds it, its header included, shape (n, terms).
        shares: of the question's words that header and sentences hold, weighted by rarity, shape (n + all sentences,).
        pairs, together: as `Looked` has them, shape (n,).
    """

    held: NDArray[np.bool_]
    shares: NDArray[np.float32]
    pairs: NDArray[np.float32]
    together: NDArray[np.float32]

    def __add__(self, others: Self) -> Self:
        """That of these passages and of the others behind them."""
        return type(self)(*(np.concatenate([getattr(self, f.name), getattr(others, f.name)]) for f in fields(self)))


@STRAY
def wording(weights: dict[str, float], prospects: Prospects) -> Wording:
    """What the passages hold of a question's content terms, given with their inverse document frequencies, in order."""
    sentences, words = prospects.sentences, prospects.words
    # Header and sentences of all passages in one row of stretches.
    headers = np.cumsum(sentences + 1) - sentences - 1
    closed = np.flatnonzero(words == BREAK)
    held, near, together = _words(weights, words, closed)
    near[headers] = together[headers] = 0
    if not len(headers):
        return Wording(held, np.zeros(0, np.float32), near, together)
    return Wording(
        held=np.logical_or.reduceat(held, headers),
        shares=_shares(held, weights),
        pairs=np.maximum.reduceat(near, headers),
        together=np.maximum.reduceat(together, headers),
    )


@STRAY
def look(asked: Asked, prospects: Prospects, found: Wording, lexical: NDArray[np.float32]) -> Looked:
    """What vectors and words say about passages.

    Args:
        found: their wording.
        lexical: their BM25 scores.
    """
    there = np.arange(max(prospects.sentences, default=1)) < prospects.sentences[:, None]
    cosines = np.full(there.shape, -1, np.float32)
    cosines[there] = product(prospects.sentence_vectors, asked.vector)
    headers = np.cumsum(prospects.sentences + 1) - prospects.sentences - 1
    shares = np.zeros(there.shape, np.float32)
    shares[there] = np.delete(found.shares, headers)
    before, after = _beside(prospects)
    return Looked(
        vectors=prospects.vectors,
        dense=product(prospects.vectors, asked.vector),
        lexical=lexical,
        cosines=cosines,
        shares=shares,
        header=found.shares[headers],
        pairs=found.pairs,
        together=found.together,
        around=_shares(found.held | found.held[before] | found.held[after], asked.weights),
        sentences=prospects.sentences,
        before=before,
        after=after,
    )


def promising(looked: Looked) -> NDArray[np.int64]:
    """The places of the passages, those first that vectors and words speak for most."""
    signals = (
        looked.dense,
        looked.lexical,
        looked.cosines.max(axis=1),
        matches_of_sentences(looked).max(axis=1),
        looked.around,
    )
    return np.argsort(-standardised(np.stack(signals, axis=1)).sum(axis=1), kind="stable")


def matches_of_sentences(looked: Looked) -> NDArray[np.float32]:
    """How well each sentence matches the question by vector and words."""
    combined: NDArray[np.float32] = looked.cosines + SHARE_OF_WORDS * looked.shares
    return combined


def _words(
    of_question: dict[str, float], words: NDArray[np.uint32], closed: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32]]:
    """Which of the question's words each stretch holds, and what its `Looked.pairs` and `Looked.together` are.

    Args:
        closed: the places of `BREAK` among the words.
    """
    weights = np.array(list(of_question.values()), np.float32)
    numbers = np.array([number(term) for term in of_question], np.uint32)
    count, stretches = len(numbers), len(closed)
    order = np.argsort(numbers)
    places = np.flatnonzero(np.isin(words, numbers))
    term = order[np.searchsorted(numbers[order], words[places])]
    own = np.searchsorted(closed, places)
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
        together = own[step:] == own[:-step]
        if not together.any():
            break
        same = np.flatnonzero(together & (term[step:] != term[:-step]))
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


def standardised(signals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Signals in standard deviations from the candidates' mean."""
    spread = signals.std(axis=0)
    differences = signals - signals.mean(axis=0)
    standard: NDArray[np.float32] = np.divide(differences, spread, out=np.zeros_like(signals), where=spread > 1e-9)
    return np.clip(standard, LEAST, MOST)
