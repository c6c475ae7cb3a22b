"""Articles, passages, sentences and their vectors on disk: all of it in SQLite, and the vectors once more in Chroma.

An `Index` is one generation of the index directory (see `rag.generations`). It is opened for reading by everybody,
and written only while it is being built, by `ingest`. What Chroma holds (see `rag.vectors`) follows from the rest.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rag import generations
from rag.embed import DIMENSIONS, Embedded
from rag.errors import IndexDamagedError, IndexMismatchError, IndexStateError
from rag.figures import MONTHS
from rag.postings import BREAK, Occurrences, count, number, numbered
from rag.records import Article, Evidence, Passage, Sentence, Source
from rag.vectors import ALONE, SEGMENT, Filler, Vectors, fill

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA = 6
"""Version of what is stored; an index of another version is rebuilt."""

_TABLES = """
CREATE TABLE article (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, title TEXT, outlet TEXT, published TEXT, url TEXT, author TEXT,
    sources TEXT, event_dates TEXT, language TEXT, digest TEXT, origin TEXT, story TEXT, signature BLOB, text TEXT
);
CREATE INDEX article_by_origin ON article (origin);
CREATE INDEX article_by_story ON article (story) WHERE story != id;
CREATE TABLE passage (
    id INTEGER PRIMARY KEY AUTOINCREMENT, article_id TEXT, start INTEGER, "end" INTEGER, key BLOB, text TEXT,
    sentences TEXT, words BLOB, vector BLOB, vectors BLOB, tokens BLOB
);
CREATE INDEX passage_by_article ON passage (article_id);
CREATE INDEX passage_by_key ON passage (key);
CREATE TABLE posting (
    segment INTEGER, word INTEGER, passages BLOB, counts BLOB, PRIMARY KEY (segment, word)
) WITHOUT ROWID;
CREATE TABLE segment (number INTEGER PRIMARY KEY, lengths BLOB);
"""
_FIELDS = {
    "id": "''", "title": "''", "text": "''", "outlet": "''", "published": "''", "url": "''", "author": "''",
    "sources": "'[]'", "event_dates": "'[]'", "language": "''",
}  # fmt: skip
"""The columns of an article, each with what stands for it in an index of a schema that did not have it."""
_ARTICLE_FIELDS = ", ".join(_FIELDS)
_ROWS = 500
_CHECKPOINT_PAGES = 4_000
"""Of SQLite's log, until it is worked into the file: by default it would be done several times for each block."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an index was made with. Another embedder, chunker or schema makes it unusable for the present code."""

    embedder: str
    chunker: str
    schema: int = SCHEMA


NORM_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage about to be stored.

    Args:
        header: stands in front of it in the search.
        key: names what was embedded and by what, so that it need not be embedded again.
        embedding: its unit vector and those of its sentences.
    """

    start: int
    end: int
    sentences: tuple[tuple[int, int], ...]
    header: str
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


class Index:
    """One generation: its articles, and search over their passages. Safe to share between threads.

    Args:
        folder: the generation's directory.
        root: the index directory, for messages.
        salvage: open it also when only its articles can be read; it then counts as made by nobody knows what.

    Raises:
        IndexDamagedError: from any method, when the files can't be read.
        IndexStateError: from those that write, when the files can't be written.
    """

    def __init__(self, folder: Path, root: Path, *, salvage: bool = False) -> None:
        self.folder = folder
        self.root = root
        self.touched: set[int] = set()
        """The segments of vectors that are no longer in line with the passages."""
        self._lock = threading.RLock()
        self._chroma_lock = threading.RLock()
        self._counts: tuple[int, int] | None = None
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
            self._fields = ", ".join(name if name in columns else default for name, default in _FIELDS.items())

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

    @classmethod
    def create(cls, folder: Path, root: Path, stamp: Stamp) -> Self:
        """A new, empty generation in the empty directory `folder`, ready to be written.

        Raises:
            IndexStateError: it can't be written.
        """
        with _unwritten(root):
            with closing(sqlite3.connect(folder / "articles.sqlite")) as database:
                database.executescript(_TABLES)
            (folder / "stamp.json").write_text(json.dumps(asdict(stamp)), encoding="utf-8")
        return cls.written(folder, root)

    @classmethod
    def written(cls, folder: Path, root: Path) -> Self:
        """A generation that is being built, ready to be written; `complete` ends that."""
        index = cls(folder, root)
        with _unwritten(root):
            # What is committed survives the end of this process at once, and that of the machine when it is complete.
            index._database.execute("PRAGMA journal_mode = WAL")
            index._database.execute("PRAGMA synchronous = NORMAL")
            index._database.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
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

    # Reading

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
        return _article(row) if row else None

    def articles(self) -> list[Article]:
        """All articles, oldest first."""
        with self._translated():
            rows = self._database.execute(f"SELECT {self._fields} FROM article ORDER BY published, id").fetchall()
        return [_article(row) for row in rows]

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
        found: dict[str, tuple[Article, list[Evidence]]] = {row[0]: (_article(row), []) for row in articles}
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
                f"SELECT key, vector, vectors, tokens FROM passage WHERE key IN ({_marks(keys)})", list(keys)
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
                    WHERE segment IN ({_marks(self.segments)}) AND word IN ({_marks(numbers)})""",
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
    def lengths(self) -> NDArray[np.float32]:
        """How many words each passage has, at its number; 0 where there is no passage of that number."""
        with self._translated():
            rows = self._database.execute("SELECT number, lengths FROM segment").fetchall()
        found = np.zeros(SEGMENT * (1 + max((segment for segment, _ in rows), default=-1)), np.float32)
        for segment, lengths in rows:
            found[segment * SEGMENT :][:SEGMENT] = np.frombuffer(lengths, np.uint16)
        return found

    def vectors(self, passage_ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """The unit vectors of passages."""
        if not passage_ids:
            return {}
        with self._translated():
            found = self._database.execute(
                f"SELECT id, vector FROM passage WHERE id IN ({_marks(passage_ids)})", list(passage_ids)
            ).fetchall()
        return {passage_id: np.frombuffer(vector, np.float32) for passage_id, vector in found}

    def prospects(self, passage_ids: Sequence[int]) -> Prospects:
        """The passages of these ids, in their order."""
        with self._translated():
            rows = {
                row[0]: row
                for row in self._database.execute(
                    f"SELECT id, article_id, vector, vectors, words FROM passage WHERE id IN ({_marks(passage_ids)})",
                    list(passage_ids),
                )
            }
            found = [rows[i] for i in passage_ids if i in rows]
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

    def candidates(self, passage_ids: Sequence[int]) -> list[Candidate]:
        """The passages of these ids, in their order."""
        with self._translated():
            rows = self._database.execute(
                f"""SELECT passage.id, article.id, title, outlet, published, url, sources, start, "end", passage.text,
                           sentences, tokens
                    FROM passage JOIN article ON article.id = article_id
                    WHERE passage.id IN ({_marks(passage_ids)})""",
                list(passage_ids),
            ).fetchall()
        told = self._told_by([row[1] for row in rows])
        with self._translated():
            found = {row[0]: _candidate(row, told.get(row[1])) for row in rows}
            if len(found) < len(passage_ids):
                raise ValueError("passages without an article")
        return [found[i] for i in passage_ids]

    def _told_by(self, article_ids: Sequence[str]) -> dict[str, tuple[Source, ...]]:
        """Of the articles that have copies: who told the story, themselves first."""
        if not self.copies:
            return {}
        marks = _marks(article_ids)
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
            own = _sources(sources) or (Source(outlet, title, url, published),)
            told.setdefault(story, {}).update(dict.fromkeys(own))
        return {story: tuple(sources) for story, sources in told.items()}

    # Writing, only while the generation is being built

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is written in the block is kept as a whole or not at all."""
        with self._lock, _unwritten(self.root), self._database:
            yield

    def add(self, article: Article, digest: str, origin: str, story: str, signature: bytes) -> None:
        """Store an article without its passages. The caller has removed an older one of the same id.

        Args:
            story: the id of the article that it is a copy of, or its own.
        """
        values = {
            **{name: getattr(article, name) for name in _FIELDS},
            "sources": json.dumps([asdict(source) for source in article.sources]),
            "event_dates": json.dumps(article.event_dates),
            "digest": digest,
            "origin": origin,
            "story": story,
            "signature": signature,
        }
        self._counts = None
        self._database.execute(
            f"INSERT INTO article ({', '.join(values)}) VALUES ({_marks(list(values))})", list(values.values())
        )

    def add_passages(self, article: Article, passages: Sequence[NewPassage]) -> None:
        """Store passages of an article that is stored."""
        self._counts = None
        for p in passages:
            cursor = self._database.execute(
                'INSERT INTO passage (article_id, start, "end", key, text, sentences, words, vector, vectors, tokens) '
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (article.id, p.start, p.end, p.key, article.text[p.start:p.end], json.dumps(p.sentences),
                 numbered([p.header, *(article.text[start:end] for start, end in p.sentences)]),
                 p.embedding.vector, p.embedding.sentence_vectors, p.embedding.tokens),
            )  # fmt: skip
            assert cursor.lastrowid is not None
            self.touched.add(cursor.lastrowid // SEGMENT)

    def move(self, article_id: str, origin: str) -> None:
        """Note that an unchanged article now comes from another file."""
        self._database.execute("UPDATE article SET origin = ? WHERE id = ?", (origin, article_id))

    def tell(self, article_id: str, story: str) -> None:
        """Note which article leads an article's story."""
        self._database.execute("UPDATE article SET story = ? WHERE id = ?", (story, article_id))

    def remove(self, article_id: str) -> None:
        """Forget an article and its passages."""
        self._counts = None
        rows = self._database.execute("SELECT id FROM passage WHERE article_id = ?", (article_id,)).fetchall()
        self._database.execute("DELETE FROM passage WHERE article_id = ?", (article_id,))
        self._database.execute("DELETE FROM article WHERE id = ?", (article_id,))
        self.touched.update(passage // SEGMENT for (passage,) in rows)

    def fill(self, filler: Filler) -> None:
        """Bring what follows from the passages in line with a segment that has become complete, if one has.

        Chroma beside other work.
        """
        with self._translated():
            (last,) = self._database.execute("SELECT coalesce(max(id), 0) FROM passage").fetchone()
        complete = [segment for segment in self.touched if segment < last // SEGMENT]
        if complete and not filler.is_busy:
            with _unwritten(self.root):
                filler.start(complete[0])
                self._post(complete[0])
            self.touched.discard(complete[0])

    def complete(self, filler: Filler) -> None:
        """Bring postings and Chroma in line with everything, and leave nothing to be worked in by readers."""
        with self._lock, _unwritten(self.root):
            filler.wait()
            for segment in sorted(self.touched):
                self._post(segment)
                (passages,) = self._database.execute(
                    "SELECT count(*) FROM passage WHERE id BETWEEN ? AND ?",
                    (segment * SEGMENT, (segment + 1) * SEGMENT - 1),
                ).fetchone()
                if passages > ALONE:
                    filler.start(segment)
                    filler.wait()
                else:
                    fill(self.folder, segment)
            self.touched.clear()
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.execute("PRAGMA journal_mode = DELETE")

    def _post(self, segment: int) -> None:
        """Bring the postings of a segment in line with its passages."""
        first = segment * SEGMENT
        rows = self._database.execute(
            "SELECT id - ?, words FROM passage WHERE id BETWEEN ? AND ?", (first, first, first + SEGMENT - 1)
        )
        lengths, postings = count(rows, SEGMENT)
        with self._database:
            self._database.execute("DELETE FROM posting WHERE segment = ?", (segment,))
            self._database.executemany("INSERT INTO posting VALUES (?, ?, ?, ?)", ((segment, *p) for p in postings))
            self._database.execute("DELETE FROM segment WHERE number = ?", (segment,))
            if any(lengths):
                self._database.execute("INSERT INTO segment VALUES (?, ?)", (segment, lengths))

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
            if not _is_chromas(error):
                raise
            raise IndexDamagedError(generations.damaged(self.root, error)) from error


class LiveIndex:
    """The current generation of an index directory, reopened when an ingest has put a newer one in place.

    Safe to share between threads. Raises what `Index.open` raises.
    """

    def __init__(self, root: Path, embedder: str) -> None:
        self._root = root
        self._embedder = embedder
        self._lock = threading.Lock()
        self._index = _open(root, embedder)
        self._previous: Index | None = None

    def now(self) -> Index:
        """The current generation."""
        with self._lock:
            if generations.current(self._root) != self._index.folder:
                newer = _open(self._root, self._embedder)
                # The one just replaced stays open: another thread may be in the middle of a search in it.
                if self._previous is not None:
                    self._previous.close()
                self._previous, self._index = self._index, newer
            return self._index

    def close(self) -> None:
        """Give back the files."""
        for index in (self._previous, self._index):
            if index is not None:
                index.close()


def _open(root: Path, embedder: str) -> Index:
    """The current generation, also when writers replace it while it is being opened."""
    while True:
        folder = generations.current(root)
        try:
            return Index.open(root, embedder)
        except IndexStateError:
            if generations.current(root) == folder:
                raise


@contextmanager
def _unwritten(root: Path) -> Iterator[None]:
    """SQLite's and Chroma's errors as ours, while a generation is being built, which harms no other."""
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        raise IndexStateError(generations.unwritten(root, error)) from error
    except Exception as error:
        if not _is_chromas(error):
            raise
        raise IndexStateError(generations.unwritten(root, error)) from error


def _is_chromas(error: Exception) -> bool:
    # Imported only where something has gone wrong: it takes a second.
    from chromadb.errors import ChromaError

    return isinstance(error, ChromaError)


def _mismatch(root: Path, maker: str) -> str:
    return f"The index at {root} was made by {maker}: make it anew with 'aftershock index rebuild --index {root}'."


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _months(start: str, end: str) -> list[tuple[int, int]]:
    """Year and month of each month between two ISO 8601 dates; none where there are more than eleven."""
    first, last = ((year, month) for year, month, _ in (map(int, day.split("-")) for day in (start, end)))
    count = (last[0] - first[0]) * 12 + last[1] - first[1] + 1
    return (
        [(first[0] + (first[1] + n - 1) // 12, (first[1] + n - 1) % 12 + 1) for n in range(count)] if count < 12 else []
    )


def _article(row: Sequence[Any]) -> Article:
    fields = dict(zip(_FIELDS, row, strict=True))
    return Article(
        **fields | {"sources": _sources(fields["sources"]), "event_dates": tuple(json.loads(fields["event_dates"]))}
    )


@lru_cache(maxsize=4096)  # the passages of an article share them
def _sources(text: str) -> tuple[Source, ...]:
    return tuple(Source(**source) for source in json.loads(text))


def _candidate(row: Sequence[Any], told_by: tuple[Source, ...] | None) -> Candidate:
    _, article_id, title, outlet, published, url, sources, start, end, text, spans, tokens = row
    told = told_by or _sources(sources)
    passage = Passage(text, 0.0, article_id, title, outlet, published, url, start, end, told)
    return Candidate(passage, tuple((s, e) for s, e in json.loads(spans)), tokens)


def _occurrences(rows: Sequence[tuple[int, bytes, bytes]]) -> Occurrences:
    """A word's postings of all segments as one."""
    passages = [segment * SEGMENT + np.frombuffer(places, np.uint16).astype(np.int64) for segment, places, _ in rows]
    counts = np.frombuffer(b"".join(counts for *_, counts in rows), np.uint8).astype(np.float32)
    return Occurrences(np.concatenate(passages) if passages else np.empty(0, np.int64), counts)
