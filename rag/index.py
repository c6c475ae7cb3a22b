"""Articles, passages, sentences and their vectors on disk: vectors in Chroma, everything else in SQLite.

An `Index` is one generation of the index directory (see `rag.generations`). It is opened for reading by everybody,
and written only while it is being built, by `ingest`.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rag import generations
from rag.errors import IndexDamagedError, IndexMismatchError
from rag.records import Article, Evidence, Passage, Sentence, Source
from rag.text import terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEMA = 2
"""Version of what is stored; an index of another version is rebuilt."""

_TABLES = """
CREATE TABLE article (
    id TEXT PRIMARY KEY, title TEXT, text TEXT, outlet TEXT, published TEXT, url TEXT, author TEXT, sources TEXT,
    event_dates TEXT, digest TEXT, origin TEXT
) WITHOUT ROWID;
CREATE INDEX article_by_origin ON article (origin);
CREATE TABLE passage (
    id INTEGER PRIMARY KEY, article_id TEXT, start INTEGER, "end" INTEGER, sentences TEXT, vectors BLOB
);
CREATE INDEX passage_by_article ON passage (article_id);
CREATE VIRTUAL TABLE lexical USING fts5 (body, tokenize = "unicode61 remove_diacritics 0 tokenchars '.,'''");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (lexical, row);
"""
_ARTICLE_FIELDS = "id, title, text, outlet, published, url, author, sources, event_dates"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an index was made with. Another embedder, chunker or schema makes it unusable for the present code."""

    embedder: str
    chunker: str
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage about to be stored: its header for the search, its unit vector and those of its sentences."""

    start: int
    end: int
    sentences: tuple[tuple[int, int], ...]
    header: str
    vector: NDArray[np.float32]
    sentence_vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage with what ranking needs: per sentence its span, vector and terms."""

    passage_id: int
    passage: Passage
    spans: tuple[tuple[int, int], ...]
    vectors: NDArray[np.float32]
    header_terms: tuple[str, ...]
    sentence_terms: tuple[tuple[str, ...], ...]

    def evidence(self, score: float, dense: Sequence[float], lexical: Sequence[float]) -> Evidence:
        """The passage and its sentences with their scores."""
        p = self.passage
        passage = Passage(p.text, score, p.article_id, p.title, p.outlet, p.published, p.url, p.start, p.end, p.sources)
        return Evidence(
            passage,
            tuple(
                Sentence(p.text[start - p.start : end - p.start], start, end, float(d), float(lex))
                for (start, end), d, lex in zip(self.spans, dense, lexical, strict=True)
            ),
        )


class Index:
    """One generation: its articles, and search over their passages.

    Args:
        folder: the generation's directory.
        root: the index directory, for messages.

    Raises:
        IndexDamagedError: from any method, when the files can't be read.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self.root = root
        self._lock = threading.RLock()
        with self._translated():
            # Chroma makes missing files anew, which would turn a damaged index into an empty one.
            for part in ("stamp.json", "articles.sqlite", "chroma/chroma.sqlite3"):
                if not (folder / part).is_file():
                    raise IndexDamagedError(generations.damaged(root, f"{part} is missing"))
            self.stamp = Stamp(**json.loads((folder / "stamp.json").read_text(encoding="utf-8")))
            # Articles of the first schema can still be read, so that an index is rebuilt without losing any.
            first = self.stamp.schema == 1
            self._article_fields = _ARTICLE_FIELDS.replace("event_dates", "'[]'") if first else _ARTICLE_FIELDS
            self._database = sqlite3.connect(folder / "articles.sqlite", check_same_thread=False)
            self._client = _chroma(folder)
            self._vectors = self._client.get_collection("passages", embedding_function=None)

    @classmethod
    def open(cls, root: Path, embedder: str) -> Self:
        """Open the current generation of the index directory `root`.

        Raises:
            IndexMissingError: there is no index.
            IndexDamagedError: it can't be read.
            IndexMismatchError: it was made by another embedder or an older version of Aftershock.
        """
        index = cls(generations.current(root), root)
        if index.stamp.schema != SCHEMA or index.stamp.embedder != embedder:
            what = "another embedding model" if index.stamp.schema == SCHEMA else "another version of Aftershock"
            index.close()
            raise IndexMismatchError(
                f"The index at {root} was made by {what}: "
                f"make it anew with 'aftershock ingest PATH --rebuild --index {root}'."
            )
        return index

    @classmethod
    def create(cls, folder: Path, root: Path, stamp: Stamp) -> Self:
        """A new, empty generation in the empty directory `folder`."""
        database = sqlite3.connect(folder / "articles.sqlite")
        database.executescript(_TABLES)
        database.close()
        client = _chroma(folder)
        client.create_collection("passages", embedding_function=None, configuration={"hnsw": {"space": "cosine"}})
        client.close()
        (folder / "stamp.json").write_text(json.dumps(asdict(stamp)), encoding="utf-8")
        return cls(folder, root)

    def close(self) -> None:
        """Give back the files. The object can't be used afterwards."""
        self._client.close()
        self._database.close()

    # Reading

    def counts(self) -> tuple[int, int]:
        """How many articles and passages there are."""
        with self._translated():
            row = self._database.execute("SELECT (SELECT count(*) FROM article), (SELECT count(*) FROM passage)")
            articles, passages = row.fetchone()
            if self._vectors.count() != passages:
                raise IndexDamagedError(
                    generations.damaged(self.root, f"{passages} passages but {self._vectors.count()} vectors")
                )
        return articles, passages

    def article(self, article_id: str) -> Article | None:
        """The article of that id."""
        with self._translated():
            row = self._database.execute(
                f"SELECT {self._article_fields} FROM article WHERE id = ?", (article_id,)
            ).fetchone()
        return _article(row) if row else None

    def articles(self) -> list[Article]:
        """All articles, oldest first."""
        with self._translated():
            rows = self._database.execute(
                f"SELECT {self._article_fields} FROM article ORDER BY published, id"
            ).fetchall()
        return [_article(row) for row in rows]

    def dated(self) -> list[tuple[Article, list[Evidence]]]:
        """The articles that have event dates, oldest first, each with all its passages in order."""
        with self._translated():
            articles = self._database.execute(
                f"SELECT {_ARTICLE_FIELDS} FROM article WHERE event_dates != '[]' ORDER BY published, id"
            ).fetchall()
            passages = self._database.execute(
                """SELECT article_id, start, "end", sentences FROM passage JOIN article ON article.id = article_id
                   WHERE event_dates != '[]' ORDER BY passage.id"""
            ).fetchall()
        found: dict[str, tuple[Article, list[Evidence]]] = {row[0]: (_article(row), []) for row in articles}
        for article_id, start, end, spans in passages:
            a, evidence = found[article_id]
            passage = Passage(
                a.text[start:end], 0.0, a.id, a.title, a.outlet, a.published, a.url, start, end, a.sources
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

    def digests(self) -> dict[str, tuple[str, str]]:
        """For each article id: the digest of its content, and the file it came from."""
        with self._translated():
            return {i: (d, o) for i, d, o in self._database.execute("SELECT id, digest, origin FROM article")}

    def nearest(self, vector: NDArray[np.float32], limit: int) -> dict[int, float]:
        """The passages closest to a unit vector: id to cosine, at most `limit`, best first."""
        with self._translated():
            found = self._vectors.query(query_embeddings=vector.reshape(1, -1), n_results=limit, include=["distances"])
        return {int(i): 1 - d for i, d in zip(found["ids"][0], found["distances"][0], strict=True)}

    def matching(self, question_terms: Sequence[str], limit: int) -> dict[int, float]:
        """The passages in which most of the terms stand: id to BM25 score, at most `limit`, best first."""
        if not question_terms:
            return {}
        with self._translated():
            rows = self._database.execute(
                "SELECT rowid, -bm25(lexical) FROM lexical WHERE lexical MATCH ? ORDER BY 2 DESC LIMIT ?",
                (" OR ".join(f'"{term}"' for term in question_terms), limit),
            ).fetchall()
        return dict(rows)

    def document_frequencies(self, question_terms: Sequence[str]) -> list[int]:
        """In how many passages each term stands."""
        with self._translated():
            found = dict(
                self._database.execute(
                    f"SELECT term, doc FROM vocabulary WHERE term IN ({_marks(question_terms)})", list(question_terms)
                )
            )
        return [found.get(term, 0) for term in question_terms]

    def vectors(self, passage_ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """The unit vectors of passages."""
        if not passage_ids:
            return {}
        with self._translated():
            found = self._vectors.get(ids=[str(i) for i in passage_ids], include=["embeddings"])
        return {int(i): np.asarray(v, np.float32) for i, v in zip(found["ids"], found["embeddings"], strict=True)}

    def candidates(self, passage_ids: Sequence[int]) -> list[Candidate]:
        """The passages of these ids, in their order."""
        with self._translated():
            rows = self._database.execute(
                f"""SELECT passage.id, article.id, title, outlet, published, url, sources, start, "end",
                           substr(text, start + 1, "end" - start), sentences, vectors, body
                    FROM passage JOIN article ON article.id = article_id JOIN lexical ON lexical.rowid = passage.id
                    WHERE passage.id IN ({_marks(passage_ids)})""",
                list(passage_ids),
            ).fetchall()
        found = {row[0]: _candidate(row) for row in rows}
        return [found[i] for i in passage_ids if i in found]

    # Writing, only while the generation is being built

    def add(self, article: Article, digest: str, origin: str, passages: Sequence[NewPassage]) -> None:
        """Store an article with its passages. The caller has removed an older one of the same id."""
        a = article
        sources = json.dumps([asdict(source) for source in a.sources])
        event_dates = json.dumps(a.event_dates)
        with self._translated(), self._database as database:
            database.execute(
                f"INSERT INTO article ({_ARTICLE_FIELDS}, digest, origin) VALUES ({_marks(range(11))})",
                (a.id, a.title, a.text, a.outlet, a.published, a.url, a.author, sources, event_dates, digest, origin),
            )
            ids = []
            for p in passages:
                lines = [p.header, *(a.text[start:end] for start, end in p.sentences)]
                cursor = database.execute(
                    "INSERT INTO passage VALUES (NULL, ?, ?, ?, ?, ?)",
                    (a.id, p.start, p.end, json.dumps(p.sentences), p.sentence_vectors.astype(np.float16).tobytes()),
                )
                ids.append(cursor.lastrowid)
                database.execute(
                    "INSERT INTO lexical (rowid, body) VALUES (?, ?)",
                    (cursor.lastrowid, "\n".join(" ".join(terms(line)) for line in lines)),
                )
            if ids:
                self._vectors.add(ids=[str(i) for i in ids], embeddings=np.stack([p.vector for p in passages]))

    def move(self, article_id: str, origin: str) -> None:
        """Note that an unchanged article now comes from another file."""
        with self._translated(), self._database as database:
            database.execute("UPDATE article SET origin = ? WHERE id = ?", (origin, article_id))

    def remove(self, article_ids: Iterable[str]) -> None:
        """Forget articles and their passages."""
        with self._translated(), self._database as database:
            for article_id in article_ids:
                ids = [i for (i,) in database.execute("SELECT id FROM passage WHERE article_id = ?", (article_id,))]
                if ids:
                    self._vectors.delete(ids=[str(i) for i in ids])
                database.executemany("DELETE FROM lexical WHERE rowid = ?", [(i,) for i in ids])
                database.execute("DELETE FROM passage WHERE article_id = ?", (article_id,))
                database.execute("DELETE FROM article WHERE id = ?", (article_id,))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """One thread at a time, and the libraries' errors as ours."""
        from chromadb.errors import ChromaError

        try:
            with self._lock:
                yield
        except (sqlite3.DatabaseError, ChromaError, OSError, ValueError, TypeError) as error:
            raise IndexDamagedError(generations.damaged(self.root, error)) from error


class LiveIndex:
    """The current generation of an index directory, reopened when an ingest has put a newer one in place.

    Safe to share between threads. Raises what `Index.open` raises.
    """

    def __init__(self, root: Path, embedder: str) -> None:
        self._root = root
        self._embedder = embedder
        self._lock = threading.Lock()
        self._index = Index.open(root, embedder)
        self._previous: Index | None = None

    def now(self) -> Index:
        """The current generation."""
        with self._lock:
            if generations.current(self._root) != self._index.folder:
                newer = Index.open(self._root, self._embedder)
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


def _chroma(folder: Path) -> Any:
    from chromadb import PersistentClient
    from chromadb.config import Settings

    return PersistentClient(str(folder / "chroma"), settings=Settings(anonymized_telemetry=False))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _article(row: Sequence[Any]) -> Article:
    article_id, title, text, outlet, published, url, author, sources, event_dates = row
    days = tuple(json.loads(event_dates))
    return Article(article_id, title, text, outlet, published, url, _sources(sources), author, days)


def _sources(text: str) -> tuple[Source, ...]:
    return tuple(Source(**source) for source in json.loads(text))


def _candidate(row: Sequence[Any]) -> Candidate:
    passage_id, article_id, title, outlet, published, url, sources, start, end, text, spans, vectors, body = row
    header, *lines = [tuple(line.split(" ")) for line in body.split("\n")]
    return Candidate(
        passage_id=passage_id,
        passage=Passage(text, 0.0, article_id, title, outlet, published, url, start, end, _sources(sources)),
        spans=tuple((s, e) for s, e in json.loads(spans)),
        vectors=np.frombuffer(vectors, np.float16).astype(np.float32).reshape(len(lines), -1),
        header_terms=header,
        sentence_terms=tuple(lines),
    )
