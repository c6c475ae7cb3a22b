"""The current generation of an index, for those that outlive it."""

from __future__ import annotations

import threading
from pathlib import Path

from rag import generations
from rag.errors import IndexStateError
from rag.index import Index


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
