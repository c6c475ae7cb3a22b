"""What an index holds on disk and finds there: its tables, and the records of their rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rag.embed import Embedded
from rag.records import Article, Passage, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA = 8
"""Version of what is stored; an index of another version is rebuilt."""
TABLES = """
CREATE TABLE article (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, title TEXT, outlet TEXT, published TEXT, url TEXT, author TEXT,
    sources TEXT, event_dates TEXT, language TEXT, digest TEXT, origin TEXT, story TEXT, signature BLOB, text TEXT
);
CREATE TABLE passage (
    id INTEGER PRIMARY KEY AUTOINCREMENT, article_id TEXT, start INTEGER, "end" INTEGER, key BLOB, text TEXT,
    sentences TEXT, words BLOB, vector BLOB, vectors BLOB, tokens BLOB
);
CREATE TABLE posting (
    segment INTEGER, word INTEGER, passages BLOB, counts BLOB, PRIMARY KEY (segment, word)
) WITHOUT ROWID;
CREATE TABLE segment (number INTEGER PRIMARY KEY, lengths BLOB);
"""
"""SQL that makes the tables of an empty index."""
INDEXES = """
CREATE INDEX IF NOT EXISTS article_by_origin ON article (origin);
CREATE INDEX IF NOT EXISTS article_by_story ON article (story) WHERE story != id;
CREATE INDEX IF NOT EXISTS passage_by_article ON passage (article_id);
CREATE INDEX IF NOT EXISTS passage_by_key ON passage (key);
"""
"""SQL that makes what finds their rows. When all are written, as nothing is looked for in an index made anew before
that, while each row would change a page of each: of keys, which are hashes, one that no other row of its block does."""
FIELDS = {
    "id": "''", "title": "''", "text": "''", "outlet": "''", "published": "''", "url": "''", "author": "''",
    "sources": "'[]'", "event_dates": "'[]'", "language": "''",
}  # fmt: skip
"""The columns of an article, each with what stands for it in an index of a schema that did not have it."""
NORM_TOLERANCE = 1e-3
"""A unit vector's norm, or the cosine with itself, may be so far from 1."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an index was made with. Another embedder, chunker or schema makes it unusable for the present code."""

    embedder: str
    chunker: str
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage about to be stored.

    Args:
        words: what `numbered` makes of its header and sentences.
        key: names what was embedded and by what, so that it need not be embedded again.
        embedding: its unit vector and those of its sentences.
    """

    start: int
    end: int
    sentences: tuple[tuple[int, int], ...]
    words: bytes
    key: bytes
    embedding: Embedding


@dataclass(frozen=True, slots=True)
class Embedding:
    """What an embedder made of a passage as it is stored.

    The passage's vector as 32-bit floats, its sentences' as 16-bit ones, and its tokens' signs.
    """

    vector: bytes
    sentence_vectors: bytes
    tokens: bytes

    @classmethod
    def of(cls, made: Embedded) -> Self:
        """What is stored of a passage whose stretches are its sentences."""
        return cls(
            made.vector.astype(np.float32).tobytes(), made.spans.astype(np.float16).tobytes(), made.tokens.tobytes()
        )

    def fits(self, sentences: int) -> bool:
        """Whether it can be what an embedder made of a passage of so many sentences: unit vectors, all as long."""
        sentence, token = len(self.vector) // 2, 1 + len(self.vector) // 32
        if not sentences or not self.vector or len(self.vector) % 32 or len(self.tokens) % token:
            return False
        if len(self.sentence_vectors) != sentence * sentences:
            return False
        of_sentences = np.frombuffer(self.sentence_vectors, np.float16).astype(np.float32).reshape(sentences, -1)
        norms = np.linalg.norm(np.vstack([np.frombuffer(self.vector, np.float32), of_sentences]), axis=1)
        # Of 16-bit floats, rounded: up to some thousandths each way.
        return bool((abs(norms - 1) < 5 * NORM_TOLERANCE).all())


@dataclass(frozen=True, slots=True)
class Prospects:
    """Passages that may answer a question, side by side, with what a first ranking needs of them.

    Args:
        ids: of n passages.
        article_ids: of their articles.
        vectors: their unit vectors, shape (n, 384).
        sentences: how many sentences each has, one at least, shape (n,).
        sentence_vectors: the unit vectors of these, shape (all sentences, 384).
        words: the numbers of the words of header and sentences, each stretch closed by `BREAK`.
    """

    ids: tuple[int, ...]
    article_ids: tuple[str, ...]
    vectors: NDArray[np.float32]
    sentences: NDArray[np.int64]
    sentence_vectors: NDArray[np.float32]
    words: NDArray[np.uint32]

    def __add__(self, others: Self) -> Self:
        """These passages and the others behind them."""
        return type(self)(
            self.ids + others.ids,
            self.article_ids + others.article_ids,
            *(
                np.concatenate([getattr(self, name), getattr(others, name)])
                for name in ("vectors", "sentences", "sentence_vectors", "words")
            ),
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage, the spans of its sentences, and its tokens' signs."""

    passage: Passage
    spans: tuple[tuple[int, int], ...]
    tokens: bytes

    def sentence(self, number: int) -> str:
        """The text of one of its sentences."""
        start, end = self.spans[number]
        return self.passage.text[start - self.passage.start : end - self.passage.start]


def article_of(row: Sequence[Any]) -> Article:
    """The article of a row of `FIELDS`."""
    fields = dict(zip(FIELDS, row, strict=True))
    return Article(
        **fields | {"sources": sources_of(fields["sources"]), "event_dates": tuple(json.loads(fields["event_dates"]))}
    )


@lru_cache(maxsize=4096)  # the passages of an article share them
def sources_of(text: str) -> tuple[Source, ...]:
    """An article's sources, from the JSON that they are kept as."""
    return tuple(Source(**source) for source in json.loads(text))


def candidate_of(row: Sequence[Any], spans: Iterable[Sequence[int]], told_by: tuple[Source, ...] | None) -> Candidate:
    """The candidate of a row.

    Args:
        row: of the passage's article id, title, outlet, date, address and sources, and of the passage start, end, text
            and tokens.
        spans: starts and ends of its sentences.
        told_by: who told the article's story, where it has copies; otherwise its own sources count.
    """
    article_id, title, outlet, published, url, sources, start, end, text, tokens = row
    told = told_by or sources_of(sources)
    passage = Passage(text, 0.0, article_id, title, outlet, published, url, start, end, told)
    return Candidate(passage, tuple([(first, last) for first, last in spans]), tokens)
