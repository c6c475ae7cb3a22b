"""What vectors and words say about passages that may answer a question, before any of their text is loaded. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.postings import BREAK, number
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


def standardised(signals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Signals in standard deviations from the candidates' mean."""
    spread = signals.std(axis=0)
    differences = signals - signals.mean(axis=0)
    standard: NDArray[np.float32] = np.divide(differences, spread, out=np.zeros_like(signals), where=spread > 1e-9)
    return np.clip(standard, LEAST, MOST)
