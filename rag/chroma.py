"""Chroma's collections, opened for writing by its Python package, and for reading without the second that this takes.

The package hands every search on to a library that comes with it. Reading needs three of the library's functions, which
are called here directly. They are no documented interface: where they are missing or have changed, the package serves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_Found = TypeVar("_Found")

_DATABASE = ("default_tenant", "default_database")
_OPEN_GRAPHS = 1_000


def client(folder: Path) -> Any:
    """Chroma's own client for the collections in a directory."""
    from chromadb import PersistentClient
    from chromadb.config import Settings

    return PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))


class Reader:
    """Searches collections; not for several threads at once.

    Args:
        folder: the directory.
        names: of the collections.

    Raises:
        chromadb.errors.ChromaError: from any method, when the files can't be read.
    """

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._folder = folder
        self._names = tuple(names)
        self._source: _Library | _Package
        try:
            self._source = _Library(folder, self._names)
        except (ImportError, AttributeError, TypeError):
            self._source = _Package(folder, self._names)

    def nearest(self, name: str, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """The ids in a collection closest to a vector, each with its distance, at most `limit`, closest first."""
        return self._from_source(lambda source: source.nearest(name, vector, limit))

    def count(self, name: str) -> int:
        """How many vectors a collection has."""
        return self._from_source(lambda source: source.count(name))

    def close(self) -> None:
        """Give back the files."""
        self._source.close()

    def _from_source(self, found: Callable[[_Library | _Package], _Found]) -> _Found:
        try:
            return found(self._source)
        except (AttributeError, TypeError):
            if isinstance(self._source, _Package):
                raise
            self._source.close()
            self._source = _Package(self._folder, self._names)
            return found(self._source)


class _Library:
    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        from chromadb_rust_bindings import Bindings, MigrationHash, MigrationMode, SqliteDBConfig

        database = SqliteDBConfig(
            hash_type=MigrationHash.MD5, migration_mode=MigrationMode.Apply, url=str(folder / "chroma.sqlite3")
        )
        self._bindings: Any = Bindings(
            allow_reset=False, sqlite_db_config=database, persist_path=str(folder), hnsw_cache_size=_OPEN_GRAPHS
        )
        self._ids = {name: str(self._bindings.get_collection(name, *_DATABASE).id) for name in names}

    def nearest(self, name: str, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        vectors = [vector.tolist()]
        found = self._bindings.query(self._ids[name], None, vectors, limit, None, None, ["distances"], *_DATABASE)
        return list(zip(found.ids[0], found.distances[0], strict=True))

    def count(self, name: str) -> int:
        return int(self._bindings.count(self._ids[name], *_DATABASE))

    def close(self) -> None:
        self._bindings = None


class _Package:
    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._client = client(folder)
        try:
            self._collections = {name: self._client.get_collection(name, embedding_function=None) for name in names}
        except BaseException:
            self._client.close()
            raise

    def nearest(self, name: str, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        found = self._collections[name].query(vector.reshape(1, -1), n_results=limit, include=["distances"])
        return list(zip(found["ids"][0], found["distances"][0], strict=True))

    def count(self, name: str) -> int:
        return int(self._collections[name].count())

    def close(self) -> None:
        self._client.close()
