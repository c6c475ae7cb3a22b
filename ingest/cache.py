"""What need not be done again: embeddings that were finished, and files that have not changed since they were read."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from importlib.metadata import version
from os import stat_result
from pathlib import Path
from typing import Self

from ingest.load import shown
from rag.errors import IndexStateError
from rag.generations import unwritten
from rag.index import Index
from rag.stored import Embedding

_COARSEST_CLOCK_NS = 2_000_000_000
"""Within this time two changes of a file can bear the same time: on FAT file systems it is two seconds."""
_MOST_KEYS = 10_000
_CACHE_KILOBYTES = 200
"""Of SQLite's for the ledger, which is no slower for it: a run looks up each of its lines once."""


def key(embedder: str, text: str, spans: Sequence[tuple[int, int]]) -> bytes:
    """Names an embedding by all that it depends on: who made it, of which text, and of which stretches of that."""
    content = "\0".join((embedder, text, repr([tuple(span) for span in spans])))
    return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Embeddings:
    """The embeddings at hand: those of the current generation, and those of runs that did not get to their end.

    The latter are kept beside the generations, some 6 KB for each passage and .8 KB for each sentence, until a run
    gets to its end. Nothing is stored twice while all goes well: a run's own embeddings are kept in the generation
    that it builds, and only taken out of it when the run has failed.

    Args:
        root: the index directory.
        base: the current generation, where it can be read.
    """

    def __init__(self, root: Path, base: Index | None) -> None:
        self._path = root / "embeddings.sqlite"
        self._base = base if base is not None and base.has_embeddings else None
        self._kept: sqlite3.Connection | None = None
        if self._path.is_file():
            self._kept = sqlite3.connect(self._path, check_same_thread=False)

    @classmethod
    def collected(cls, root: Path, base: Index | None, unfinished: Iterable[Path]) -> Self:
        """With what the unfinished generations hold, which are then removed.

        Raises:
            IndexStateError: it can't be written.
        """
        for folder in unfinished:
            try:
                _collect(root / "embeddings.sqlite", folder / "articles.sqlite", base)
            except sqlite3.OperationalError as error:
                # Its writer may not even have got to make the table; anything else is a reason to stop.
                if (folder / "articles.sqlite").is_file() and "no such table" not in str(error):
                    raise IndexStateError(unwritten(root, error)) from error
            except sqlite3.DatabaseError:
                pass  # What a power cut has spoiled is embedded again.
            shutil.rmtree(folder, ignore_errors=True)
        return cls(root, base)

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Embedding]:
        """Those at hand, by their keys."""
        found: dict[bytes, Embedding] = {}
        for start in range(0, len(keys), _MOST_KEYS):
            some = keys[start : start + _MOST_KEYS]
            if self._base is not None:
                found |= self._base.embeddings(some)
            if self._kept is not None:
                with suppress(sqlite3.DatabaseError):
                    marks = ", ".join("?" * len(some))
                    rows = self._kept.execute(f"SELECT * FROM embedding WHERE key IN ({marks})", list(some))
                    found |= {name: Embedding(*rest) for name, *rest in rows}
        return found

    def close(self) -> None:
        """Give back the file."""
        if self._kept is not None:
            self._kept.close()

    def drop(self) -> None:
        """Forget what unfinished runs have left: a generation that is complete holds it."""
        self.close()
        self._path.unlink(missing_ok=True)


def _collect(kept: Path, articles: Path, base: Index | None) -> None:
    """Add the embeddings of an unfinished generation that neither `base` nor `kept` holds."""
    with closing(_opened(kept, "embedding (key BLOB PRIMARY KEY, vector BLOB, vectors BLOB, tokens BLOB)")) as database:
        database.execute("ATTACH ? AS unfinished", (f"{articles.absolute().as_uri()}?mode=rw",))
        unknown = ""
        if base is not None and base.has_embeddings:
            database.execute("ATTACH ? AS base", (f"{base.folder.absolute().as_uri()}/articles.sqlite?mode=ro",))
            unknown = "WHERE NOT EXISTS (SELECT 1 FROM base.passage AS held WHERE held.key = passage.key)"
        database.execute(
            f"INSERT OR IGNORE INTO embedding SELECT key, vector, vectors, tokens FROM unfinished.passage {unknown}"
        )
        database.commit()


class Content:
    """Which articles a file holds, in any order and number, in a few bytes."""

    def __init__(self) -> None:
        self.articles = 0
        self._sum = 0

    def add(self, article_id: str, digest: str) -> None:
        """Take an article in."""
        one = hashlib.blake2b(f"{article_id}\0{digest}".encode(), digest_size=16).digest()
        self._sum = (self._sum + int.from_bytes(one)) % (1 << 128)
        self.articles += 1

    @property
    def fingerprint(self) -> str:
        """Differs when the articles do."""
        return f"{self.articles} {self._sum:032x}"


class Ledger:
    """Which files were read when, and which articles this run has seen.

    A file is known when its size, times and number on the disk are those of the time when it was read, and what the
    index holds of it is what was read. Times that are so young that another change could bear the same are not kept.

    Args:
        path: where to keep it; beside the generations, because it stays right whichever of them is current.
        base: the current generation.
        is_kept: write down what is read.
    """

    def __init__(self, path: Path, base: Index | None, *, is_kept: bool) -> None:
        self._base = base
        self._is_kept = is_kept
        table = "file (path TEXT PRIMARY KEY, reader TEXT, state TEXT, articles TEXT) WITHOUT ROWID"
        try:
            self._database = _opened(path if is_kept or path.is_file() else None, table)
        except sqlite3.DatabaseError as error:
            raise IndexStateError(unwritten(path.parent, error)) from error
        # Losing some of it costs no more than reading some files again.
        self._database.execute("PRAGMA synchronous = OFF")
        for part in ("main", "temp"):
            self._database.execute(f"PRAGMA {part}.cache_size = -{_CACHE_KILOBYTES}")
        self._database.execute("CREATE TEMP TABLE seen (id TEXT PRIMARY KEY, digest TEXT) WITHOUT ROWID")
        self._reader = version("aftershock")

    def known(self, path: Path, found: stat_result) -> int:
        """How many articles a file holds that need not be read, all of them now seen; 0 when it has to be.

        Nor is it known when this run has seen one of its articles before: who reads it again says so.
        """
        if self._base is None:
            return 0
        row = self._database.execute(
            "SELECT state, articles FROM file WHERE path = ? AND reader = ?", (shown(path), self._reader)
        ).fetchone()
        if row is None or row[0] != _state(found):
            return 0
        content = Content()
        for article_id, digest in self._base.of_origin(shown(path)):
            if self.has_seen(article_id):
                return 0
            content.add(article_id, digest)
        if row[1] != content.fingerprint:
            return 0
        for article_id, digest in self._base.of_origin(shown(path)):
            self.see(article_id, digest)
        return content.articles

    def note(self, path: Path, found: stat_result, content: Content) -> None:
        """Write down that a file, which was in the state `found` before it was read, holds these articles."""
        if self._is_kept and max(found.st_mtime_ns, found.st_ctime_ns) < time.time_ns() - _COARSEST_CLOCK_NS:
            self._database.execute(
                "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)",
                (shown(path), self._reader, _state(found), content.fingerprint),
            )

    def see(self, article_id: str, digest: str) -> None:
        """Note that this run has seen an article with that content."""
        self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (article_id, digest))

    def has_seen(self, article_id: str) -> bool:
        """Whether this run has seen an article."""
        return self.seen(article_id) is not None

    def seen(self, article_id: str) -> str | None:
        """The digest of an article that this run has seen; None where it has not."""
        row = self._database.execute("SELECT digest FROM seen WHERE id = ?", (article_id,)).fetchone()
        return None if row is None else str(row[0])

    def close(self) -> None:
        """Keep what was written down."""
        with suppress(sqlite3.DatabaseError):
            self._database.commit()
        self._database.close()


def _opened(path: Path | None, table: str) -> sqlite3.Connection:
    """The database of that one table, in memory where there is no path; a damaged one is made anew."""
    database = sqlite3.connect(path.absolute().as_uri() if path else ":memory:", uri=True)
    try:
        database.execute(f"CREATE TABLE IF NOT EXISTS {table}")
    except sqlite3.OperationalError:  # for instance a full disk
        database.close()
        raise
    except sqlite3.DatabaseError:
        database.close()
        if path is None:
            raise
        path.unlink()
        return _opened(path, table)
    return database


def _state(found: stat_result) -> str:
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
