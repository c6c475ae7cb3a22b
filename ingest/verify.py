"""Whether both sides of an index, SQLite and Chroma, hold exactly what its articles call for."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from ingest.article import digest, header
from rag import generations
from rag.embed import DIMENSIONS
from rag.errors import IndexDamagedError
from rag.index import Index
from rag.postings import count, numbered
from rag.records import Article
from rag.stored import NORM_TOLERANCE, Embedding
from rag.vectors import SEGMENT, Vectors

_BREAK = numbered([""])
_BATCH = 1_000
_SAMPLE = 20
"""Vectors of each batch that are looked for as a question's would be."""
_KINDS = {
    "database": "The database of the articles is malformed in {count} places",
    "content": "{count} articles are not what was read",
    "story": "{count} copies have no leader of their story, or are searched themselves",
    "orphan": "{count} passages belong to no article",
    "offsets": "{count} passages or sentences lie outside their article's text, or overlap",
    "text": "{count} passages have another text than their article has in their place",
    "lost": "{count} articles have text that is in none of their passages",
    "embedding": "{count} passages have vectors that no embedder makes",
    "terms": "{count} passages have other search terms than their article, or none",
    "search terms": "The lists of which passages hold which term are wrong for {count} of their segments",
    "missing vector": "{count} passages have no vector in Chroma",
    "orphaned vector": "{count} vectors in Chroma belong to no passage",
    "other vector": "{count} vectors in Chroma are not those of their passage",
    "search": "{count} vectors of a sample are not found by a search for them",
    "vectors": "Chroma's files can't be read",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of problem: in how many places it was found, and a sentence for the user with one of them."""

    kind: str
    count: int
    message: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What an index holds, and what is wrong with it: nothing when `faults` is empty."""

    articles: int
    passages: int
    faults: tuple[Fault, ...]


def verify(root: Path) -> Findings:
    """Check the current generation: articles, passages, search terms and vectors against each other.

    Raises:
        IndexMissingError: there is no index.
        IndexDamagedError: its articles can't be read.
        IndexMismatchError: it was made by an older version of Aftershock.
    """
    folder = generations.current(root)
    with closing(Index(folder, root)) as index:
        index.check_schema()
        with closing(sqlite3.connect(folder / "articles.sqlite")) as database:
            check = _Check(index, database)
            try:
                return check.run()
            except sqlite3.DatabaseError as error:
                raise IndexDamagedError(generations.damaged(root, error)) from error


class _Check:
    def __init__(self, index: Index, database: sqlite3.Connection) -> None:
        self._index = index
        self._database = database
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def run(self) -> Findings:
        self._check_files()
        articles = 0
        for article_id, stored, story in self._rows("SELECT id, digest, story FROM article"):
            articles += 1
            self._check_article(article_id, stored, story)
        for (passage,) in self._rows("SELECT id FROM passage WHERE article_id NOT IN (SELECT id FROM article)"):
            self._find("orphan", f"passage {passage}")
        self._check_postings()
        self._check_vectors()
        passages = self._index.passages()
        return Findings(articles, passages, tuple(self._fault(kind) for kind in _KINDS if self._counts[kind]))

    def _fault(self, kind: str) -> Fault:
        count = self._counts[kind]
        example = f" (for instance {self._examples[kind]})" if count > 1 else f" ({self._examples[kind]})"
        return Fault(kind, count, f"{_KINDS[kind].format(count=f'{count:,}')}{example}.")

    def _find(self, kind: str, example: str) -> None:
        self._counts[kind] += 1
        self._examples.setdefault(kind, example)

    def _rows(self, query: str) -> Iterator[Any]:
        return self._database.execute(query)

    def _check_files(self) -> None:
        for (line,) in self._rows("PRAGMA integrity_check(100)"):
            if line != "ok":
                self._find("database", str(line))

    def _check_postings(self) -> None:
        segments = self._database.execute(
            f"""SELECT id / {SEGMENT} FROM passage UNION SELECT number FROM segment
                UNION SELECT segment FROM posting"""
        ).fetchall()
        for (segment,) in segments:
            first = segment * SEGMENT
            words = self._rows(
                f"SELECT id - {first}, words FROM passage WHERE id BETWEEN {first} AND {first + SEGMENT - 1}"
            )
            stored = self._rows(f"SELECT word, passages, counts FROM posting WHERE segment = {segment} ORDER BY word")
            lengths = self._database.execute("SELECT lengths FROM segment WHERE number = ?", (segment,)).fetchone()
            wanted, postings = count(((place, own[: len(own) // 4 * 4]) for place, own in words), SEGMENT)
            if lengths != (wanted,) or any(own != other for own, other in zip_longest(postings, stored)):
                self._find("search terms", f"segment {segment}")

    def _check_article(self, article_id: str, stored: str, story: str) -> None:
        article = self._index.article(article_id)
        assert article is not None
        if digest(article) != stored:
            self._find("content", article_id)
        passages = self._database.execute(
            """SELECT id, start, "end", sentences, vector, vectors, tokens, text, words FROM passage
               WHERE article_id = ? ORDER BY start""",
            (article_id,),
        ).fetchall()
        if story != article_id:
            leader = self._database.execute("SELECT story FROM article WHERE id = ?", (story,)).fetchone()
            if leader != (story,) or passages:
                self._find("story", article_id)
            return
        reached = 0
        line = numbered([header(article)])
        for passage, start, end, sentences, vector, vectors, tokens, text, words in passages:
            spans = [(s, e) for s, e in json.loads(sentences)]
            if not _in_order([(reached, start), *spans, (end, len(article.text))]) or not spans or spans[0][0] != start:
                self._find("offsets", f"passage {passage} of {article_id}")
            elif article.text[reached:start].strip():
                self._find("lost", article_id)
            reached = max(reached, end)
            if len(vector) != DIMENSIONS * 4 or not Embedding(vector, vectors, tokens).fits(len(spans)):
                self._find("embedding", f"passage {passage} of {article_id}")
            if text != article.text[start:end]:
                self._find("text", f"passage {passage} of {article_id}")
            if not _are_terms(words, line, article, spans):
                self._find("terms", f"passage {passage} of {article_id}")
        if article.text[reached:].strip():
            self._find("lost", article_id)

    def _check_vectors(self) -> None:
        segments = self._database.execute(f"SELECT DISTINCT id / {SEGMENT} FROM passage").fetchall()
        if not (self._index.folder / "chroma" / "chroma.sqlite3").is_file():
            if segments:
                self._find("vectors", "chroma.sqlite3 is missing")
            return
        try:
            with closing(Vectors(self._index.folder, [segment for (segment,) in segments])) as vectors:
                for (segment,) in segments:
                    self._check_segment(vectors, segment)
        except Exception as error:  # whatever Chroma may come up with about damaged files
            self._find("vectors", " ".join(str(error).split()) or type(error).__name__)

    def _check_segment(self, vectors: Vectors, segment: int) -> None:
        ends = (segment * SEGMENT, (segment + 1) * SEGMENT - 1)
        wanted = [i for (i,) in self._database.execute("SELECT id FROM passage WHERE id BETWEEN ? AND ?", ends)]
        held = set(vectors.ids(segment))
        for passage in sorted(held.difference(wanted)):
            self._find("orphaned vector", f"that of passage {passage}")
        for passage in wanted:
            if passage not in held:
                self._find("missing vector", f"passage {passage}")
        present = [passage for passage in wanted if passage in held]
        for batch in (present[start : start + _BATCH] for start in range(0, len(present), _BATCH)):
            own, theirs = self._index.vectors(batch), vectors.vectors(batch)
            for passage in batch:
                if own[passage].shape != theirs[passage].shape or not np.allclose(
                    own[passage], theirs[passage], atol=1e-5
                ):
                    self._find("other vector", f"that of passage {passage}")
            for passage in batch[:: max(1, len(batch) // _SAMPLE)]:
                nearest = vectors.nearest(own[passage], 1)
                if not nearest or max(nearest.values()) < 1 - NORM_TOLERANCE:
                    self._find("search", f"that of passage {passage}")


def _in_order(spans: Sequence[tuple[int, int]]) -> bool:
    """Whether the stretches are none of them backwards, and none begins before the one in front of it ends."""
    places = [place for span in spans for place in span]
    return places == sorted(places)


def _are_terms(words: bytes, line: bytes, article: Article, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a passage's search terms are those of its header, which may be clipped, and of its sentences."""
    rest = numbered(article.text[start:end] for start, end in spans)
    own, end = words[: -len(rest) - len(_BREAK)], words[-len(rest) - len(_BREAK) :]
    return line.startswith(own) and end == _BREAK + rest
