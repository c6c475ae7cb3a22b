"""Which articles are copies of one story: syndicated texts with small edits, found by MinHash and checked by sketches.

What a text comes to here is its signature, at most 1.1 KB, which can be kept with the article.
"""

from __future__ import annotations

import re
import sqlite3
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from rag.remembered import Remembered

SHINGLE = 4
"""Words that are looked at together."""
BANDS, ROWS = 31, 4
"""Of the MinHash: texts that share half of their shingles meet with a probability of .86, two thirds .999, a tenth
.003."""
SKETCH = 128
"""Shingles, those with the smallest hashes, by which two texts are compared (a bottom-k sketch)."""
FIGURES = 96
"""Figures, those with the smallest hashes, that have to agree."""
LEAST_SHARED = 0.5
"""So much of all their shingles a copy and its original share, whatever was added around or cut."""
LEAST_CONTAINED = 0.7
"""And so much of the shorter one's shingles: what was said in other words counts, a cut or an addition doesn't."""
SHORT = 60
"""A text of fewer shingles has to be in the longer one nearly word by word."""
LEAST_CONTAINED_SHORT = 0.92

MOST_CHARACTERS = 500_000
"""A longer text is compared by its beginning, so that memory stays bounded."""

_VERSION = 1
_PERMUTATIONS = 128
_SEED = 27012025
_THOUSANDS = re.compile(r",(?=\d)(?<=\d,)")  # looked for from the comma on: there are few
_TOKEN = re.compile(r"\d+(?:\.\d+)*|[^\W\d]+")
# What outlets write differently, in the words of the others.
_SIGNS = (("%", " percent "), ("&", " and "))
_TWO_WORDS = ("per cent", "percent")
_UNITS = {"bn": "billion", "m": "million", "mn": "million", "mln": "million", "tn": "trillion", "trn": "trillion"}
_VALUES = frozenset((
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march",
    "april", "june", "july", "august", "september", "october", "november", "december", "one", "two", "three", "four",
    "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "hundred", "thousand", "million", "billion",
    "trillion", "first", "second", "third", "fourth", "fifth", "half", "quarter",
))  # fmt: skip
_FACTORS = np.array(
    [
        0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F,
        0xE7037ED1A0B428DB,
    ],
    np.uint64,
)  # fmt: skip
_FIGURE = 1 << 32
_AROUND = (0, 1, 2, 4, 5, 6)
_EDGE = np.zeros(3, np.uint64)
_HEADER = struct.Struct("<HHH")
_CACHE_KILOBYTES = 1_000
"""Of SQLite's for the stories, which are looked up all over the place: more makes them no faster."""
_VALUE_BITS = 12

_Hashes = NDArray[np.uint64]


class Likeness(NamedTuple):
    """How much two texts are alike: the share of all their shingles that both have, and of the shorter one's."""

    shared: float
    contained: float
    is_short: bool
    figures_agree: bool

    @property
    def is_copy(self) -> bool:
        """Whether one is a copy of the other."""
        contained = LEAST_CONTAINED_SHORT if self.is_short else LEAST_CONTAINED
        return self.figures_agree and self.shared >= LEAST_SHARED and self.contained >= contained


class Stories:
    """Stories, each with the article that leads it.

    The first article of a story is its leader; later ones that are copies of it are known by its id. Two articles are
    copies when they share most of their four-word shingles and no figure, day or month stands among the same words
    with another value. Candidates are found by locality-sensitive hashing of MinHash signatures (Broder 1997; Indyk
    and Motwani 1998), never by comparing each with each. All is kept in a temporary file, so that memory stays the same
    for any number of articles.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KILOBYTES}")
        # Numbers are never given twice, so that what still leads to a story that was removed leads nowhere.
        self._database.executescript(
            """CREATE TABLE story (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, packed BLOB);
               CREATE TABLE band (key INTEGER, number INTEGER, PRIMARY KEY (key, number)) WITHOUT ROWID;"""
        )
        self.close = finalize(self, self._database.close)

    def add(self, article_id: str, signature: bytes) -> str | None:
        """The leader of the story that an article is a copy of; None when it is a new story, which it then leads.

        An article that led a story before is forgotten first.
        """
        self.remove(article_id)
        keys, packed = _unpacked(signature)
        rows = self._database.execute(
            "SELECT DISTINCT story.number, id, packed FROM band JOIN story USING (number) "
            f"WHERE key IN ({', '.join('?' * len(keys))}) ORDER BY story.number",
            keys,
        )
        best, most = None, 0.0
        for _, leader, other in rows:
            alike = _compared(_sketch(packed), _sketch(other))
            if alike.is_copy and alike.shared > most:
                best, most = leader, alike.shared
        if best is None:
            self.lead(article_id, signature)
        return best

    def lead(self, article_id: str, signature: bytes) -> None:
        """Take an article that is known to lead a story, without looking for one that it might be a copy of."""
        self.remove(article_id)
        keys, packed = _unpacked(signature)
        cursor = self._database.execute("INSERT INTO story (id, packed) VALUES (?, ?)", (article_id, packed))
        self._database.executemany(
            "INSERT OR IGNORE INTO band VALUES (?, ?)", [(key, cursor.lastrowid) for key in keys]
        )

    def remove(self, article_id: str) -> None:
        """Forget a leader; nothing happens for any other article. Its copies find each other when added again."""
        self._database.execute("DELETE FROM story WHERE id = ?", (article_id,))


def signature(text: str) -> bytes:
    """What `Stories` knows a text by; one of another version of this method resembles none of this one."""
    from rensa import RMinHash

    # Nothing else that is looked for reaches across a space.
    pieces = text[:MOST_CHARACTERS].casefold().replace(*_TWO_WORDS).split()
    words = np.frombuffer(b"".join(map(_HASHES.__getitem__, pieces)), np.uint64)
    shingles = _shingles(words)
    if not len(shingles):
        return _HEADER.pack(_version(), 0, 0)
    minhash = RMinHash(_PERMUTATIONS, _SEED)
    minhash.update(shingles.astype("<u8").view("V8").tolist())  # as bytes
    rows = np.array(minhash.digest()[: BANDS * ROWS], np.uint64).reshape(BANDS, ROWS)
    keys = _mixed(np.add(_combined([*rows.T]), np.arange(BANDS, dtype=np.uint64), dtype=np.uint64))
    figures = _figures(words)[:FIGURES]
    sketch = shingles[:SKETCH] >> np.uint64(32)
    parts = (keys.astype("<u8"), figures.astype("<u4"), sketch.astype("<u4"))
    return _HEADER.pack(_version(), len(figures), len(sketch)) + b"".join(part.tobytes() for part in parts)


def likeness(one: bytes, other: bytes) -> Likeness:
    """How much the texts of two signatures are alike."""
    return _compared(*(_sketch(_unpacked(signature)[1]) for signature in (one, other)))


def _hashes(piece: str) -> bytes:
    """The hashes of the words between two spaces, as 64-bit integers."""
    piece = _THOUSANDS.sub("", piece)
    for sign, word in _SIGNS:
        piece = piece.replace(sign, word)
    return np.array([*map(_hash, _TOKEN.findall(piece))], np.uint64).tobytes()


_HASHES = Remembered(_hashes, 4_000)


def _hash(token: str) -> int:
    """A word's hash, which is marked when the word is a figure."""
    token = _UNITS.get(token, token)
    return zlib.crc32(token.encode()) | (_FIGURE if token[0].isdigit() or token in _VALUES else 0)


@cache
def _version() -> int:
    from rensa import RMinHash

    return _VERSION << 8 | int(RMinHash.ALGORITHM_VERSION)


def _shingles(words: _Hashes) -> _Hashes:
    """The hashes of all neighbouring words, sorted, each once; a shorter text is one shingle."""
    if not len(words):
        return words
    if len(words) < SHINGLE:
        words = np.pad(words, (0, SHINGLE - len(words)))
    count = len(words) - SHINGLE + 1
    return _distinct(_mixed(_combined([words[i : i + count] for i in range(SHINGLE)])))


def _figures(words: _Hashes) -> _Hashes:
    """The figures of a text, each as 20 bits of the words around it, other figures left open, and 12 of its value."""
    places = np.flatnonzero(words & np.uint64(_FIGURE))
    open_words = words.copy()
    open_words[places] = 0
    padded = np.concatenate([_EDGE, open_words, _EDGE])
    around = _mixed(_combined([padded[places + shift] for shift in _AROUND])) >> np.uint64(64 - 20)
    values = _mixed(words[places]) >> np.uint64(64 - _VALUE_BITS)
    return _distinct(around << np.uint64(_VALUE_BITS) | values)


def _distinct(hashes: _Hashes) -> _Hashes:
    """`hashes` sorted, each once; on so few, numpy's own function takes five times as long."""
    in_order: _Hashes = np.sort(hashes)
    is_new = np.ones(len(in_order), np.bool_)
    np.not_equal(in_order[1:], in_order[:-1], out=is_new[1:])
    distinct: _Hashes = in_order[is_new]
    return distinct


def _combined(columns: Sequence[_Hashes]) -> _Hashes:
    """One hash of each row, in which the order of the columns counts."""
    total: _Hashes = columns[0] * _FACTORS[0]
    for column, factor in zip(columns[1:], _FACTORS[1:], strict=False):
        total += column * factor
    return total


def _mixed(hashes: _Hashes) -> _Hashes:
    """`hashes` with every bit depending on all bits, as a multiplication alone doesn't make them."""
    hashes = (hashes ^ (hashes >> np.uint64(31))) * _FACTORS[1]
    hashes = (hashes ^ (hashes >> np.uint64(29))) * _FACTORS[2]
    mixed: _Hashes = hashes ^ (hashes >> np.uint64(32))
    return mixed


class _Sketch(NamedTuple):
    figures: NDArray[np.uint32]
    shingles: NDArray[np.uint32]


def _unpacked(signature: bytes) -> tuple[list[int], bytes]:
    """The bands' keys, none for a signature of another version or of no words, and what else it holds."""
    version, _, shingles = _HEADER.unpack_from(signature)
    if version != _version() or not shingles:
        return [], _HEADER.pack(0, 0, 0)
    end = _HEADER.size + BANDS * 8
    keys = np.frombuffer(signature, "<i8", BANDS, _HEADER.size)  # as SQLite keeps whole numbers, with a sign
    return keys.tolist(), signature[: _HEADER.size] + signature[end:]


def _sketch(packed: bytes) -> _Sketch:
    _, figures, shingles = _HEADER.unpack_from(packed)
    start = _HEADER.size + figures * 4
    return _Sketch(np.frombuffer(packed, "<u4", figures, _HEADER.size), np.frombuffer(packed, "<u4", shingles, start))


def _compared(one: _Sketch, other: _Sketch) -> Likeness:
    first, second = _comparable(one.shingles, other.shingles, SKETCH)
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return Likeness(
        shared / max(1, len(first) + len(second) - shared),
        shared / max(1, min(len(first), len(second))),
        min(len(one.shingles), len(other.shingles)) < SHORT,
        not _figures_differ(*_comparable(one.figures, other.figures, FIGURES)),
    )


def _comparable(
    one: NDArray[np.uint32], other: NDArray[np.uint32], most: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Of two sorted lists of the smallest hashes the part for which both are complete."""
    ends = [hashes[-1] for hashes in (one, other) if len(hashes) == most]
    if not ends:
        return one, other
    return one[one <= min(ends)], other[other <= min(ends)]


def _figures_differ(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> bool:
    """Whether the same words have one value in one text and another in the other."""
    ones, others = np.setdiff1d(one, other, assume_unique=True), np.setdiff1d(other, one, assume_unique=True)
    return bool(np.intersect1d(ones >> _VALUE_BITS, others >> _VALUE_BITS).size)
