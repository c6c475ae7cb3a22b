"""Words as the index keeps them: which passages hold each, and how well these match a question (BM25). Pure.

A word is kept as a number, and a passage as its words' numbers in order, so that questions are answered by a few
operations on arrays instead of a loop over words.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Self, TypeAlias
from zlib import crc32

import numpy as np

from rag.remembered import Remembered
from rag.text import terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

BREAK = 0
"""Stands behind the words of a passage's header, and behind those of each of its sentences."""
K1, B = 1.2, 0.75
"""Of BM25: how soon more of a word adds nothing more, and how much a passage's length counts."""
_MOST_COUNTED = 255
_MOST_PIECES = 4_000
_TOGETHER = 128
"""Passages whose words are counted together."""
_STRETCH = 16_384
_GROUP = 64
"""Scores of which the highest is looked at first."""

Posting: TypeAlias = "tuple[int, bytes, bytes]"
"""A word's number, the places of the passages that hold it as 16-bit integers, and how often each as 8-bit ones."""


def number(term: str) -> int:
    """The number of a search term, 1 to 2³² - 1. Two terms share one so rarely that it costs nothing."""
    return crc32(term.encode()) or 1


def numbered(stretches: Iterable[str]) -> bytes:
    """The words of a passage's header and sentences as 32-bit integers, each stretch closed by `BREAK`."""
    # No term reaches across a space.
    pieces: list[str] = []
    for stretch in stretches:
        pieces += stretch.split()
        pieces.append(_END)
    return b"".join(map(_NUMBERED.__getitem__, pieces))


def _numbered(piece: str) -> bytes:
    numbers = [BREAK] if piece == _END else map(number, terms(piece))
    return b"".join(one.to_bytes(4, sys.byteorder) for one in numbers)


_END = " "
"""Stands among pieces of text, which have no space in them, for `BREAK`."""
_NUMBERED = Remembered(_numbered, _MOST_PIECES)


def count(passages: Iterable[tuple[int, bytes]], size: int) -> tuple[bytes, Iterator[Posting]]:
    """How many words each place of a segment holds as 16-bit integers, and the postings in the order of their words.

    Args:
        passages: place in the segment, below `size`, and what `numbered` made of the passage.
        size: how many places there are, at most 65,536.
    """
    lengths = np.zeros(size, np.uint16)
    # 32 bits of a word, 16 of a place and 8 of a count in one number, so that sorting them takes no more memory.
    found = array("Q")
    for some in _together(passages):
        parts = []
        for place, words in some:
            own = np.frombuffer(words, np.uint32)
            own = own[own != BREAK]
            lengths[place] = min(len(own), np.iinfo(np.uint16).max)
            parts.append((own.astype(np.uint64) << np.uint64(16)) | np.uint64(place))
        pairs, counts = np.unique(np.concatenate(parts), return_counts=True)
        found.frombytes((pairs << np.uint64(8) | np.minimum(counts, _MOST_COUNTED).astype(np.uint64)).tobytes())
    sorted_ = np.frombuffer(found, np.uint64)
    sorted_.sort()
    return lengths.tobytes(), _postings(sorted_)


def _together(passages: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """A few passages at a time."""
    rest = iter(passages)
    while some := list(islice(rest, _TOGETHER)):
        yield some


def _postings(found: NDArray[np.uint64]) -> Iterator[Posting]:
    for start, end in pairwise(_bounds(found)):
        places = (found[start:end] >> np.uint64(8)).astype(np.uint16)
        yield int(found[start]) >> 24, places.tobytes(), found[start:end].astype(np.uint8).tobytes()


def _bounds(found: NDArray[np.uint64]) -> Iterator[int]:
    """Where each word begins, and the end; looked for a stretch at a time, as all at once takes thrice the memory."""
    if not len(found):
        return
    yield 0
    for start in range(0, len(found) - 1, _STRETCH):
        words = found[start : start + _STRETCH + 1] >> np.uint64(24)
        yield from (np.flatnonzero(words[1:] != words[:-1]) + start + 1).tolist()
    yield len(found)


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Where a word stands: the passages' numbers and how often in each, shape (passages,) both."""

    passages: NDArray[np.int64]
    counts: NDArray[np.float32]

    @property
    def frequency(self) -> int:
        """In how many passages."""
        return len(self.passages)


def rarity(frequency: int, passages: int) -> float:
    """A word's inverse document frequency, as BM25 has it."""
    return math.log(1 + (passages - frequency + 0.5) / (frequency + 0.5))


@dataclass(frozen=True, slots=True)
class Lengths:
    """What the passages' lengths come to in BM25.

    Args:
        present: how many passages there are.
        slowing: how much a passage's length slows each word, shape (numbers,).
    """

    present: int
    slowing: NDArray[np.float32]

    @classmethod
    def of(cls, words: NDArray[np.float32]) -> Self:
        """Of how many words the passage of each number has; 0 where there is none of that number."""
        present = int(np.count_nonzero(words))
        usual = float(words.sum()) / max(1, present) or 1.0
        return cls(present, np.asarray(K1 * (1 - B + B * words / usual), np.float32))


def bm25(found: Sequence[Occurrences], lengths: Lengths) -> NDArray[np.float32]:
    """How well the passage of each number matches a question's words (Robertson et al. 1994), shape (numbers,).

    Args:
        found: where each of the words stands.
        lengths: of the passages.
    """
    scores = np.zeros(len(lengths.slowing), np.float32)
    for word in found:
        own = lengths.slowing.take(word.passages)
        own += word.counts
        np.divide(word.counts, own, out=own)
        own *= np.float32(rarity(word.frequency, lengths.present) * (K1 + 1))
        own += scores.take(word.passages)
        scores[word.passages] = own
    return scores


def highest(scores: NDArray[np.float32], limit: int) -> list[int]:
    """The places of the highest scores above 0, at most `limit`, best first."""
    least = np.float32(0)
    if len(scores) > limit * _GROUP:
        # As many groups have a score that is no lower than this, and so whatever is looked for is among those.
        of_groups = np.maximum.reduceat(scores, np.arange(0, len(scores), _GROUP))
        least = np.partition(of_groups, -limit)[-limit]
    places = np.flatnonzero(scores >= least if least > 0 else scores > 0)
    return [int(place) for place in places[np.argsort(-scores[places], kind="stable")][:limit]]
