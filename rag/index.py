"""Articles, passages, sentences and their vectors on disk: all of it in SQLite, and the vectors once more in Chroma.

An `Index` is one generation of the index directory (see `rag.generations`), opened for reading. It is written only
while it is being built (see `rag.writable`). What Chroma holds (see `rag.vectors`) follows from the rest.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rag import generations
from rag.embed import DIMENSIONS
from rag.errors import IndexDamagedError, IndexMismatchError
from rag.figures import MONTHS
from rag.postings import BREAK, Lengths, Occurrences, number
from rag.records import Article, Evidence, Passage, Sentence, Source
from rag.remembered import Recent
from rag.stored import FIELDS, SCHEMA, Candidate, Embedding, Prospects, Stamp, article_of, candidate_of, sources_of
from rag.vectors import SEGMENT, Vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ARTICLE_FIELDS = ", ".join(FIELDS)
_ROWS = 500
_RECENT = 256
"""Passages of which are kept at hand what a search needs, some 20 KB each."""


class Index:
    """One generation: its articles, and search over their passages. Safe to share between threads.

    Args:
        folder: the generation's directory.
        root: the index directory, for messages.
        salvage: open it also when only its articles can be read; it then counts as made by nobody knows what.

    Raises:
        IndexDamagedError: from any method, when the files can't be read.
    """

    def __init__(self, folder: Path, root: Path, *, salvage: bool = False) -> None:
        self.folder = folder
        self.root = root
        self._lock = threading.RLock()
        self._chroma_lock = threading.RLock()
        self._counts: tuple[int, int] | None = None
        self._prospects: Recent[tuple[int, str, bytes, bytes, bytes]] = Recent(_RECENT)
        self._candidates: Recent[Candidate] = Recent(_RECENT)
        with self._translated():
            if not (folder / "articles.sqlite").is_file():
                raise IndexDamagedError(generations.damaged(root, "articles.sqlite is missing", articles=False))
            try:
                self.stamp = Stamp(**json.loads((folder / "stamp.json").read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                if not salvage:
                    raise
                self.stamp = Stamp("", "", 0)
            self._database = sqlite3.connect(folder / "articles.sqlite", check_same_thread=False)
            try:
                # Articles of older schemas can still be read, so that an index is rebuilt without losing any.
                columns = {row[1] for row in self._database.execute("PRAGMA table_info(article)")}
            except sqlite3.DatabaseError as error:
                self._database.close()
                raise IndexDamagedError(generations.damaged(root, error, articles=False)) from error
            self._fields = ", ".join(name if name in columns else default for name, default in FIELDS.items())

    @classmethod
    def open(cls, root: Path, embedder: str) -> Self:
        """Open the current generation of the index directory `root` for searching.

        Raises:
            IndexMissingError: there is no index.
            IndexDamagedError: it can't be read.
            IndexMismatchError: it was made by another embedder or an older version of Aftershock.
        """
        index = cls(generations.current(root), root)
        try:
            index.check_schema()
            if index.stamp.embedder != embedder:
                raise IndexMismatchError(_mismatch(root, "another embedding model"))
            # Opened now: files that are open stay readable when a writer removes a replaced generation.
            _ = index._vectors
        except BaseException:
            index.close()
            raise
        return index

    def check_schema(self) -> None:
        """Raise IndexMismatchError where only the articles can be read, because of an older version's schema."""
        if self.stamp.schema != SCHEMA:
            raise IndexMismatchError(_mismatch(self.root, "another version of Aftershock"))

    @cached_property
    def _vectors(self) -> Vectors:
        with self._translated():
            # Chroma makes missing files anew, which would turn a damaged index into an empty one.
            if not (self.folder / "chroma" / "chroma.sqlite3").is_file() and self.passages():
                raise IndexDamagedError(generations.damaged(self.root, "chroma.sqlite3 is missing"))
            rows = self._database.execute(f"SELECT DISTINCT id / {SEGMENT} FROM passage").fetchall()
        with self._chroma():
            return Vectors(self.folder, [segment for (segment,) in rows])

    def close(self) -> None:
        """Give back the files. The object can't be used afterwards."""
        if "_vectors" in self.__dict__:
            self._vectors.close()
        self._database.close()

    def counts(self) -> tuple[int, int]:
        """How many articles and passages there are; counted once."""
        if self._counts is None:
            passages = self.passages()
            with self._translated():
                (articles,) = self._database.execute("SELECT count(*) FROM article").fetchone()
            with self._chroma():
                vectors = self._vectors.count()
            if vectors != passages:
                reason = f"{passages} passages but {vectors} vectors"
                raise IndexDamagedError(generations.damaged(self.root, reason))
            self._counts = articles, passages
        return self._counts

    def passages(self) -> int:
        """How many passages there are, without a look at their vectors in Chroma."""
        with self._translated():
            (passages,) = self._database.execute("SELECT count(*) FROM passage").fetchone()
        return int(passages)

    @cached_property
    def copies(self) -> int:
        """How many articles are copies of another one, which leads their story and is searched in their place."""
        with self._translated():
            if self.stamp.schema < 3:
                return 0
            (copies,) = self._database.execute("SELECT count(*) FROM article WHERE story != id").fetchone()
        return int(copies)

    def article(self, article_id: str) -> Article | None:
        """The article of that id."""
        with self._translated():
            row = self._database.execute(f"SELECT {self._fields} FROM article WHERE id = ?", (article_id,)).fetchone()
        return article_of(row) if row else None

    def articles(self) -> list[Article]:
        """All articles, oldest first."""
        with self._translated():
            rows = self._database.execute(f"SELECT {self._fields} FROM article ORDER BY published, id").fetchall()
        return [article_of(row) for row in rows]

    def dated(self, start: str = "", end: str = "") -> list[tuple[Article, list[Evidence]]]:
        """The articles that may tell of events of these days, oldest first, each with all its passages in order.

        Those are the articles with event dates, and of the others those that appeared then or up to six days later or
        name one of the months. Without a first and a last day, or with a year or more between them, all may.

        Args:
            start: the first day, as ISO 8601 date, or empty; `end` the last day.
        """
        months = _months(start, end) if start and end else []
        if not months:
            return self._whole("TRUE")
        # "January", "Jan." or "2025-01-27".
        names = [name for year, month in months for name in (MONTHS[month - 1][:3].capitalize(), f"{year}-{month:02}-")]
        named = " OR instr(article.text, ?)" * len(names)
        wanted = f"(event_dates != '[]' OR published BETWEEN ? AND date(?, '+6 days'){named})"
        return self._whole(wanted, (start, end, *names))

    def measured(self) -> list[tuple[Article, list[Evidence]]]:
        """The articles that hold a percentage, oldest first, each with all its passages in order."""
        return self._whole("(instr(article.text, '%') OR article.text LIKE '%per%cent%')")

    def _whole(self, wanted: str, values: Sequence[str] = ()) -> list[tuple[Article, list[Evidence]]]:
        """The articles that a condition in SQL is true of; of copies only the one that leads their story."""
        with self._translated():
            articles = self._database.execute(
                f"SELECT {_ARTICLE_FIELDS} FROM article WHERE {wanted} AND story = id ORDER BY published, id",
                values,
            ).fetchall()
            passages = self._database.execute(
                f"""SELECT article_id, start, "end", sentences FROM passage JOIN article ON article.id = article_id
                   WHERE {wanted} AND story = article.id ORDER BY passage.id""",
                values,
            ).fetchall()
        told = self._told_by([row[0] for row in articles])
        found: dict[str, tuple[Article, list[Evidence]]] = {row[0]: (article_of(row), []) for row in articles}
        for article_id, start, end, spans in passages:
            a, evidence = found[article_id]
            passage = Passage(
                a.text[start:end],
                0.0,
                a.id,
                a.title,
                a.outlet,
                a.published,
                a.url,
                start,
                end,
                told.get(a.id, a.sources),
            )
            evidence.append(Evidence(passage, tuple(Sentence(a.text[s:e], s, e) for s, e in json.loads(spans))))
        return list(found.values())

    @cached_property
    def outlets(self) -> frozenset[str]:
        """The outlets of all articles and of their sources, as they are written there."""
        with self._translated():
            rows = self._database.execute(
                """SELECT outlet FROM article
                   UNION SELECT json_extract(value, '$.outlet') FROM article, json_each(sources)"""
            ).fetchall()
        return frozenset(outlet for (outlet,) in rows if outlet)

    def recorded(self, article_id: str) -> tuple[str, str] | None:
        """The digest of an article's content, and the file it came from; None where there is no such article."""
        with self._translated():
            row = self._database.execute("SELECT digest, origin FROM article WHERE id = ?", (article_id,)).fetchone()
        return (row[0], row[1]) if row else None

    def of_origin(self, origin: str) -> Iterator[tuple[str, str]]:
        """The ids and digests of the articles that came from a file."""
        return self._rows("SELECT id, digest FROM article WHERE origin = ?", origin)

    def origins(self) -> Iterator[tuple[str, str]]:
        """The ids of all articles, and the files they came from."""
        return self._rows("SELECT id, origin FROM article")

    def stories(self) -> Iterator[tuple[str, bytes]]:
        """The ids and signatures of the articles that lead a story."""
        return self._rows("SELECT id, signature FROM article WHERE story = id")

    def characters(self) -> int:
        """How long the articles' texts are together."""
        with self._translated():
            (characters,) = self._database.execute("SELECT coalesce(sum(length(text)), 0) FROM article").fetchone()
        return int(characters)

    @property
    def has_embeddings(self) -> bool:
        """Whether `embeddings` can be asked: older schemas did not keep what they were made of."""
        return self.stamp.schema >= 4

    @property
    def is_sparse(self) -> bool:
        """Whether so many passages were removed that a search looks through mostly empty segments."""
        with self._translated():
            (last,) = self._database.execute("SELECT coalesce(max(id), 0) FROM passage").fetchone()
        return bool(last > 2 * self.passages() + SEGMENT)

    def copies_of(self, article_id: str) -> list[tuple[str, bytes]]:
        """The ids and signatures of an article's copies, oldest first."""
        with self._translated():
            return self._database.execute(
                "SELECT id, signature FROM article WHERE story = ? AND story != id ORDER BY published, id",
                (article_id,),
            ).fetchall()

    def embeddings(self, keys: Sequence[bytes]) -> dict[bytes, Embedding]:
        """What of the passages with these keys was embedded, where there are any."""
        with self._translated():
            rows = self._database.execute(
                f"SELECT key, vector, vectors, tokens FROM passage WHERE key IN ({placeholders(keys)})", list(keys)
            )
            return {key: Embedding(*rest) for key, *rest in rows}

    def nearest(self, vector: NDArray[np.float32], limit: int) -> dict[int, float]:
        """The passages closest to a unit vector: id to cosine, at most `limit`, best first."""
        with self._chroma():
            return self._vectors.nearest(vector, limit)

    def occurrences(self, terms: Sequence[str]) -> list[Occurrences]:
        """Where each of the terms stands."""
        numbers = [number(term) for term in terms]
        with self._translated():
            rows = self._database.execute(
                f"""SELECT word, segment, passages, counts FROM posting
                    WHERE segment IN ({placeholders(self.segments)}) AND word IN ({placeholders(numbers)})""",
                [*self.segments, *numbers],
            ).fetchall()
        found: dict[int, list[tuple[int, bytes, bytes]]] = {}
        for word, *rest in rows:
            found.setdefault(word, []).append((rest[0], rest[1], rest[2]))
        return [_occurrences(found.get(word, ())) for word in numbers]

    @cached_property
    def segments(self) -> tuple[int, ...]:
        """The numbers of the segments that hold passages, in order."""
        with self._translated():
            rows = self._database.execute("SELECT number FROM segment ORDER BY number").fetchall()
        return tuple(segment for (segment,) in rows)

    @cached_property
    def lengths(self) -> Lengths:
        """How long the passages are."""
        with self._translated():
            rows = self._database.execute("SELECT number, lengths FROM segment").fetchall()
        found = np.zeros(SEGMENT * (1 + max((segment for segment, _ in rows), default=-1)), np.float32)
        for segment, lengths in rows:
            found[segment * SEGMENT :][:SEGMENT] = np.frombuffer(lengths, np.uint16)
        return Lengths.of(found)

    def vectors(self, passage_ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """The unit vectors of passages."""
        if not passage_ids:
            return {}
        with self._translated():
            found = self._database.execute(
                f"SELECT id, vector FROM passage WHERE id IN ({placeholders(passage_ids)})", list(passage_ids)
            ).fetchall()
        return {passage_id: np.frombuffer(vector, np.float32) for passage_id, vector in found}

    def prospects(self, passage_ids: Sequence[int]) -> Prospects:
        """The passages of these ids, in their order."""
        with self._translated():
            found = self._prospects.of(passage_ids, self._prospect_rows)
            made = Prospects(
                ids=tuple(row[0] for row in found),
                article_ids=tuple(row[1] for row in found),
                vectors=np.frombuffer(b"".join(row[2] for row in found), np.float32).reshape(-1, DIMENSIONS),
                sentences=np.array([len(row[3]) // (2 * DIMENSIONS) for row in found], np.int64),
                sentence_vectors=np.frombuffer(b"".join(row[3] for row in found), np.float16)
                .astype(np.float32)
                .reshape(-1, DIMENSIONS),
                words=np.frombuffer(b"".join(row[4] for row in found), np.uint32),
            )
            if np.count_nonzero(made.words == BREAK) != len(found) + made.sentences.sum():
                raise ValueError("the words of some passages are not those of their sentences")
            return made

    def _prospect_rows(self, passage_ids: Sequence[int]) -> dict[int, tuple[int, str, bytes, bytes, bytes]]:
        rows = self._database.execute(
            f"""SELECT id, article_id, vector, vectors, words FROM passage
                WHERE id IN ({placeholders(passage_ids)})""",
            list(passage_ids),
        )
        return {row[0]: row for row in rows.fetchall()}

    def candidates(self, passage_ids: Sequence[int]) -> list[Candidate]:
        """The passages of these ids, in their order."""
        with self._translated():
            found = self._candidates.of(passage_ids, self._load_candidates)
            if len(found) < len(passage_ids):
                raise ValueError("passages without an article")
            return found

    def _load_candidates(self, passage_ids: Sequence[int]) -> dict[int, Candidate]:
        rows = self._database.execute(
            f"""SELECT passage.id, article.id, title, outlet, published, url, sources, start, "end", passage.text,
                       tokens, sentences
                FROM passage JOIN article ON article.id = article_id
                WHERE passage.id IN ({placeholders(passage_ids)})""",
            list(passage_ids),
        ).fetchall()
        told = self._told_by([row[1] for row in rows])
        # One text for all, as reading so many short ones takes three times as long.
        spans = json.loads(f"[{','.join(row[-1] for row in rows)}]")
        return {row[0]: candidate_of(row[1:-1], own, told.get(row[1])) for row, own in zip(rows, spans, strict=True)}

    def _told_by(self, article_ids: Sequence[str]) -> dict[str, tuple[Source, ...]]:
        """Of the articles that have copies: who told the story, themselves first."""
        if not self.copies:
            return {}
        marks = placeholders(article_ids)
        with self._translated():
            rows = self._database.execute(
                f"""SELECT story, title, outlet, published, url, sources FROM article
                    WHERE id IN ({marks}) AND id IN (SELECT story FROM article WHERE story != id)
                    UNION ALL SELECT * FROM (
                        SELECT story, title, outlet, published, url, sources FROM article
                        WHERE story IN ({marks}) AND story != id ORDER BY published, id
                    )""",
                [*article_ids, *article_ids],
            ).fetchall()
        told: dict[str, dict[Source, None]] = {}
        for story, title, outlet, published, url, sources in rows:
            own = sources_of(sources) or (Source(outlet, title, url, published),)
            told.setdefault(story, {}).update(dict.fromkeys(own))
        return {story: tuple(sources) for story, sources in told.items()}

    def _rows(self, query: str, *values: object) -> Iterator[Any]:
        """The rows of a query, few of them in memory at a time."""
        with self._translated():
            cursor = self._database.execute(query, values)
        while True:
            with self._translated():
                rows = cursor.fetchmany(_ROWS)
            if not rows:
                return
            yield from rows

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """One thread at a time, and SQLite's errors as ours."""
        try:
            with self._lock:
                yield
        except (sqlite3.DatabaseError, OSError, ValueError, TypeError) as error:
            raise IndexDamagedError(generations.damaged(self.root, error)) from error

    @contextmanager
    def _chroma(self) -> Iterator[None]:
        """One thread at a time, beside another one that reads from SQLite, and Chroma's errors as ours."""
        try:
            with self._chroma_lock:
                yield
        except (OSError, ValueError, TypeError) as error:
            raise IndexDamagedError(generations.damaged(self.root, error)) from error
        except Exception as error:
            if not is_chromas(error):
                raise
            raise IndexDamagedError(generations.damaged(self.root, error)) from error


def is_chromas(error: Exception) -> bool:
    """Whether an error is one of Chroma's own."""
    # Imported only where something has gone wrong: it takes a second.
    from chromadb.errors import ChromaError

    return isinstance(error, ChromaError)


def _mismatch(root: Path, maker: str) -> str:
    return f"The index at {root} was made by {maker}: make it anew with 'aftershock index rebuild --index {root}'."


def placeholders(values: Sequence[object]) -> str:
    """SQL's placeholders for so many values."""
    return ", ".join("?" * len(values))


def _months(start: str, end: str) -> list[tuple[int, int]]:
    """Year and month of each month between two ISO 8601 dates; none where there are more than eleven."""
    first, last = ((year, month) for year, month, _ in (map(int, day.split("-")) for day in (start, end)))
    count = (last[0] - first[0]) * 12 + last[1] - first[1] + 1
    return (
        [(first[0] + (first[1] + n - 1) // 12, (first[1] + n - 1) % 12 + 1) for n in range(count)] if count < 12 else []
    )


def _occurrences(rows: Sequence[tuple[int, bytes, bytes]]) -> Occurrences:
    """A word's postings of all segments as one."""
    counts = np.frombuffer(b"".join(counts for *_, counts in rows), np.uint8).astype(np.float32)
    passages = np.frombuffer(b"".join(places for _, places, _ in rows), np.uint16).astype(np.int64)
    start = 0
    for segment, places, _ in rows:
        end = start + len(places) // 2
        passages[start:end] += segment * SEGMENT
        start = end
    return Occurrences(passages, counts)
