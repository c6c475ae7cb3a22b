"""Chroma's collections, read and written without the second and the 60 MB that its Python package takes.

The package hands everything on to a library that comes with it, whose functions are called here directly. They are no
documented interface: where they are missing or have changed, the package serves.
"""

from __future__ import annotations

import json
import threading
from array import array
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

_Found = TypeVar("_Found")

_DATABASE = ("default_tenant", "default_database")
_OPEN_GRAPHS = 1_000
_HNSW = {
    # Half as many candidates as Chroma's own 100 for each vector that is added, and more in a search, find as many of
    # the nearest and take two thirds of the time to fill.
    "ef_construction": 60,
    "ef_search": 130,
    # Chroma would leave up to a thousand vectors out of the graph, and each reader would add them when it starts.
    "space": "cosine",
    "batch_size": 2,
    "sync_threshold": 2,
}


def client(folder: Path) -> Any:
    """Chroma's own client for the collections in a directory."""
    from chromadb import PersistentClient
    from chromadb.config import Settings

    return PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))


class Collections:
    """Collections of vectors in a directory. Several threads may search them at once, as long as nothing is written.

    A vector is given as the bytes of its 32-bit floats.

    Args:
        folder: the directory.
        names: of collections that must be there.

    Raises:
        chromadb.errors.ChromaError: from any method, when the files can't be read or written.
    """

    def __init__(self, folder: Path, names: Iterable[str] = ()) -> None:
        self._folder = folder
        self._names = tuple(names)
        self._changing = threading.Lock()
        self._source: _Library | _Package
        try:
            self._source = _Library(folder, self._names)
        except (ImportError, AttributeError, TypeError):
            self._source = _Package(folder, self._names)

    def nearest(self, name: str, vector: bytes, limit: int) -> list[tuple[str, float]]:
        """The ids in a collection closest to a vector, each with its distance, at most `limit`, closest first."""
        return self._from_source(lambda source: source.nearest(name, vector, limit))

    def count(self, name: str) -> int:
        """How many vectors a collection has."""
        return self._from_source(lambda source: source.count(name))

    def ids(self, name: str) -> list[str]:
        """The ids of a collection's vectors."""
        return self._from_source(lambda source: source.ids(name))

    def vectors(self, name: str, ids: Sequence[str]) -> dict[str, Sequence[float]]:
        """The vectors of these ids, as far as a collection has them."""
        return self._from_source(lambda source: source.vectors(name, ids))

    def ensure(self, name: str) -> None:
        """Make a collection where there is none of that name, compared by cosine."""
        self._from_source(lambda source: source.ensure(name))

    def add(self, name: str, ids: Sequence[str], vectors: Sequence[bytes]) -> None:
        """Add vectors to a collection; those of ids that it has are left as they are."""
        self._from_source(lambda source: source.add(name, ids, vectors))

    def delete(self, name: str, ids: Sequence[str]) -> None:
        """Delete vectors from a collection."""
        self._from_source(lambda source: source.delete(name, ids))

    def drop(self, name: str) -> None:
        """Delete a collection."""
        self._from_source(lambda source: source.drop(name))

    def close(self) -> None:
        """Give back the files."""
        self._source.close()

    def _from_source(self, found: Callable[[_Library | _Package], _Found]) -> _Found:
        source = self._source
        try:
            return found(source)
        except (AttributeError, TypeError):
            if isinstance(source, _Package):
                raise
            with self._changing:
                if source is self._source:
                    source.close()
                    self._source = _Package(self._folder, self._names)
            return found(self._source)


class _Library:
    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        from chromadb_rust_bindings import Bindings, MigrationHash, MigrationMode, SqliteDBConfig

        folder.mkdir(exist_ok=True)
        database = SqliteDBConfig(
            hash_type=MigrationHash.MD5, migration_mode=MigrationMode.Apply, url=str(folder / "chroma.sqlite3")
        )
        self._bindings: Any = Bindings(
            allow_reset=False, sqlite_db_config=database, persist_path=str(folder), hnsw_cache_size=_OPEN_GRAPHS
        )
        self._ids: dict[str, str] = {}
        for name in names:
            self._id(name)

    def nearest(self, name: str, vector: bytes, limit: int) -> list[tuple[str, float]]:
        given = [array("f", vector)]
        found = self._bindings.query(self._id(name), None, given, limit, None, None, ["distances"], *_DATABASE)
        return list(zip(found.ids[0], found.distances[0], strict=True))

    def count(self, name: str) -> int:
        return int(self._bindings.count(self._id(name), *_DATABASE))

    def ids(self, name: str) -> list[str]:
        return list(self._bindings.get(self._id(name), None, None, None, 0, None, [], *_DATABASE).ids)

    def vectors(self, name: str, ids: Sequence[str]) -> dict[str, Sequence[float]]:
        found = self._bindings.get(self._id(name), list(ids), None, None, 0, None, ["embeddings"], *_DATABASE)
        return dict(zip(found.ids, found.embeddings, strict=True))

    def ensure(self, name: str) -> None:
        configuration = json.dumps({"hnsw": _HNSW, "embedding_function": {"type": "legacy"}})
        made = self._bindings.create_collection(name, configuration, None, None, True, *_DATABASE)
        self._ids[name] = str(made.id)

    def add(self, name: str, ids: Sequence[str], vectors: Sequence[bytes]) -> None:
        given = [array("f", vector) for vector in vectors]
        self._bindings.add(list(ids), self._id(name), given, None, None, None, *_DATABASE)

    def delete(self, name: str, ids: Sequence[str]) -> None:
        self._bindings.delete(self._id(name), list(ids), None, None, None, *_DATABASE)

    def drop(self, name: str) -> None:
        self._bindings.delete_collection(name, *_DATABASE)
        self._ids.pop(name, None)

    def close(self) -> None:
        self._bindings = None

    def _id(self, name: str) -> str:
        if name not in self._ids:
            self._ids[name] = str(self._bindings.get_collection(name, *_DATABASE).id)
        return self._ids[name]


class _Package:
    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._client = client(folder)
        self._opened: dict[str, Any] = {}
        try:
            for name in names:
                self._collection(name)
        except BaseException:
            self._client.close()
            raise

    def nearest(self, name: str, vector: bytes, limit: int) -> list[tuple[str, float]]:
        given = [array("f", vector).tolist()]
        found = self._collection(name).query(given, n_results=limit, include=["distances"])
        return list(zip(found["ids"][0], found["distances"][0], strict=True))

    def count(self, name: str) -> int:
        return int(self._collection(name).count())

    def ids(self, name: str) -> list[str]:
        return list(self._collection(name).get(include=[])["ids"])

    def vectors(self, name: str, ids: Sequence[str]) -> dict[str, Sequence[float]]:
        found = self._collection(name).get(ids=list(ids), include=["embeddings"])
        return dict(zip(found["ids"], found["embeddings"], strict=True))

    def ensure(self, name: str) -> None:
        made = self._client.get_or_create_collection(name, embedding_function=None, configuration={"hnsw": _HNSW})
        self._opened[name] = made

    def add(self, name: str, ids: Sequence[str], vectors: Sequence[bytes]) -> None:
        self._collection(name).add(ids=list(ids), embeddings=[array("f", vector).tolist() for vector in vectors])

    def delete(self, name: str, ids: Sequence[str]) -> None:
        self._collection(name).delete(ids=list(ids))

    def drop(self, name: str) -> None:
        self._client.delete_collection(name)
        self._opened.pop(name, None)

    def close(self) -> None:
        self._client.close()

    def _collection(self, name: str) -> Any:
        if name not in self._opened:
            self._opened[name] = self._client.get_collection(name, embedding_function=None)
        return self._opened[name]
