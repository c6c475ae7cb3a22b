"""An index while it is being built: articles, passages and vectors are written into it, by `ingest` alone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Self

from rag import generations
from rag.errors import IndexStateError
from rag.index import Index, is_chromas, placeholders
from rag.postings import count
from rag.records import Article
from rag.stored import FIELDS, INDEXES, TABLES, NewPassage, Stamp
from rag.vectors import ALONE, SEGMENT, Filler, fill

_CHECKPOINT_PAGES = 4_000
"""Of SQLite's log, until it is worked into the file: by default it would be done several times for each block."""


class WritableIndex(Index):
    """A generation that is being built, ready to be read and written; `complete` ends that.

    Args:
        folder: the generation's directory.
        root: the index directory, for messages.

    Raises:
        IndexDamagedError: from any method, when the files can't be read.
        IndexStateError: from those that write, when the files can't be written.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        super().__init__(folder, root)
        self.touched: set[int] = set()
        """The segments of vectors that are no longer in line with the passages."""
        with _unwritten(root):
            # What is committed survives the end of this process at once, and that of the machine when it is complete.
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")

    @classmethod
    def create(cls, folder: Path, root: Path, stamp: Stamp) -> Self:
        """A new, empty generation in the empty directory `folder`, ready to be written.

        Raises:
            IndexStateError: it can't be written.
        """
        with _unwritten(root):
            with closing(sqlite3.connect(folder / "articles.sqlite")) as database:
                database.executescript(TABLES)
            (folder / "stamp.json").write_text(json.dumps(asdict(stamp)), encoding="utf-8")
        return cls(folder, root)

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
            **{name: getattr(article, name) for name in FIELDS},
            "sources": json.dumps([asdict(source) for source in article.sources]),
            "event_dates": json.dumps(article.event_dates),
            "digest": digest,
            "origin": origin,
            "story": story,
            "signature": signature,
        }
        self._counts = None
        self._database.execute(
            f"INSERT INTO article ({', '.join(values)}) VALUES ({placeholders(list(values))})", list(values.values())
        )

    def add_passages(self, article: Article, passages: Sequence[NewPassage]) -> None:
        """Store passages of an article that is stored."""
        if not passages:
            return
        self._counts = None
        self._database.executemany(
            'INSERT INTO passage (article_id, start, "end", key, text, sentences, words, vector, vectors, tokens) '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (article.id, p.start, p.end, p.key, article.text[p.start:p.end], json.dumps(p.sentences), p.words,
                 p.embedding.vector, p.embedding.sentence_vectors, p.embedding.tokens)
                for p in passages
            ],
        )  # fmt: skip
        (last,) = self._database.execute("SELECT last_insert_rowid()").fetchone()
        self.touched.update(range((last - len(passages) + 1) // SEGMENT, last // SEGMENT + 1))

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
            self._database.executescript(INDEXES)
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


@contextmanager
def _unwritten(root: Path) -> Iterator[None]:
    """SQLite's and Chroma's errors as ours, while a generation is being built, which harms no other."""
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        raise IndexStateError(generations.unwritten(root, error)) from error
    except Exception as error:
        if not is_chromas(error):
            raise
        raise IndexStateError(generations.unwritten(root, error)) from error
