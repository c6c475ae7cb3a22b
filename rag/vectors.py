"""The passages' vectors in Chroma, in segments: derived from the passages in SQLite, and made anew from them.

Chroma keeps a whole graph in memory while it adds to it, and lets nothing else run meanwhile. So the passages are
spread over collections of a bounded size, by their numbers, and large ones are filled in a process of their own:
`python -m rag.vectors FOLDER SEGMENT`.
"""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rag import memory
from rag.chroma import Collections

if TYPE_CHECKING:
    # Not otherwise: the processes that fill segments have no use for it.
    import numpy as np
    from numpy.typing import NDArray

SEGMENT = 12_288
"""Passages of one collection: a search takes about 1 ms of a core for each collection, adding to one some 60 MB."""
ALONE = 2_000
"""So many new vectors are worth a process of their own, which takes more than a second to start."""
_BATCH = 256
"""Vectors given to Chroma together: each time it writes down what has changed of the graph."""


class Vectors:
    """Search over the vectors of one generation; not for several threads at once.

    Args:
        folder: the generation's directory.
        segments: the numbers of the segments that hold passages.
    """

    def __init__(self, folder: Path, segments: Iterable[int]) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._segments = tuple(segments)
        self._collections = Collections(_place(folder), map(_name, self._segments))
        # Chroma lets Python go on while it searches.
        self._pool = ThreadPoolExecutor(min(len(self._segments), os.cpu_count() or 1) or 1, "vectors")

    def nearest(self, vector: NDArray[np.float32], limit: int) -> dict[int, float]:
        """The passages closest to a unit vector: id to cosine, at most `limit`, best first."""
        if not self._segments:
            return {}
        wanted = vector.tobytes()
        # Most segments hold hardly more than their part of them, and each that is told of costs some microseconds.
        share = min(limit, -(-2 * limit // len(self._segments)))
        found = self._each(self._segments, wanted, share)
        if share < limit:
            distances = sorted(distance for own in found.values() for distance, _ in own)
            bound = distances[limit - 1] if len(distances) >= limit else math.inf
            more = [segment for segment, own in found.items() if len(own) == share and own[-1][0] < bound]
            found |= self._each(more, wanted, limit)
        best = sorted(chain.from_iterable(found.values()))[:limit]
        return {passage: 1 - distance for distance, passage in best}

    def _each(self, segments: Sequence[int], vector: bytes, limit: int) -> dict[int, list[tuple[float, int]]]:
        """For each segment its passages closest to a vector, at most `limit`, with their distances, closest first."""

        def closest(segment: int) -> list[tuple[float, int]]:
            found = self._collections.nearest(_name(segment), vector, limit)
            return [(distance, int(passage)) for passage, distance in found]

        # One segment needs no other thread.
        return dict(zip(segments, (self._pool.map if len(segments) > 1 else map)(closest, segments), strict=True))

    def count(self) -> int:
        """How many vectors there are."""
        return sum(self._collections.count(_name(segment)) for segment in self._segments)

    def ids(self, segment: int) -> list[int]:
        """The passages of a segment that have a vector."""
        return [int(i) for i in self._collections.ids(_name(segment))]

    def vectors(self, passage_ids: Sequence[int]) -> dict[int, NDArray[np.float32]]:
        """The vectors of passages of one segment."""
        import numpy as np

        found = self._collections.vectors(_name(passage_ids[0] // SEGMENT), [str(i) for i in passage_ids])
        return {int(i): np.asarray(vector, np.float32) for i, vector in found.items()}

    def close(self) -> None:
        """Give back the files."""
        self._pool.shutdown()
        self._collections.close()


class Filler:
    """Brings the segments of a generation that is being built in line with its passages, one at a time.

    Use as a context manager: a process that still runs at the end is stopped.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: subprocess.Popen[str] | None = None

    def __enter__(self) -> Filler:
        return self

    def __exit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._release()

    @property
    def is_busy(self) -> bool:
        """Whether a segment is still being filled."""
        return self._running is not None and self._running.poll() is None

    def start(self, segment: int) -> None:
        """Fill a segment in a process of its own, after the one that is being filled.

        Raises:
            OSError: a segment could not be filled.
        """
        self.wait()
        # Its standard input ends when this process does, and so does it then. `-P`: nothing is imported from the
        # folder where the user stands; in a group of its own Ctrl-C reaches it through this process alone.
        self._running = subprocess.Popen(
            [sys.executable, "-P", "-m", "rag.vectors", str(self._folder), str(segment)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
            process_group=None if sys.platform == "win32" else 0,
        )

    def wait(self) -> None:
        """Until the segment that is being filled is complete; raises what `start` raises."""
        if self._running is None:
            return
        # Kept until it has ended, so that an interrupted wait leaves something to stop; and `communicate` would end its
        # standard input, and so the process.
        assert self._running.stderr is not None
        messages = self._running.stderr.read()
        status = self._running.wait()
        self._release()
        if status:
            lines = messages.strip().splitlines() or [f"the process that writes the vectors ended with status {status}"]
            raise OSError(lines[-1])

    def _release(self) -> None:
        if self._running is not None:
            for pipe in (self._running.stdin, self._running.stderr):
                if pipe is not None:
                    pipe.close()
            self._running = None


def fill(folder: Path, segment: int) -> None:
    """Bring one segment in line with the passages that SQLite holds of it, and read it back.

    Raises:
        OSError: what was written can't be found again.
        chromadb.errors.ChromaError, sqlite3.DatabaseError: the files can't be read or written.
    """
    name = _name(segment)
    with (
        closing(sqlite3.connect(folder / "articles.sqlite")) as database,
        closing(Collections(_place(folder))) as collections,
    ):
        ends = (segment * SEGMENT, (segment + 1) * SEGMENT - 1)
        rows = database.execute("SELECT id FROM passage WHERE id BETWEEN ? AND ? ORDER BY id", ends)
        wanted = [passage for (passage,) in rows]
        collections.ensure(name)
        held = {int(i) for i in collections.ids(name)}
        superfluous = held.difference(wanted)
        if not wanted or 2 * len(superfluous) > len(held):
            # A deleted vector stays in the graph as a hole.
            collections.drop(name)
            if not wanted:
                return
            held, superfluous = set(), set()
            collections.ensure(name)
        for batch in _batches(sorted(superfluous)):
            collections.delete(name, [str(i) for i in batch])
        for batch in _batches([i for i in wanted if i not in held]):
            marks = ", ".join("?" * len(batch))
            vectors = database.execute(f"SELECT vector FROM passage WHERE id IN ({marks}) ORDER BY id", batch)
            collections.add(name, [str(i) for i in batch], [vector for (vector,) in vectors])
        (last,) = database.execute("SELECT vector FROM passage WHERE id = ?", (wanted[-1],)).fetchone()
    # Read back from the disk: Chroma doesn't notice that a graph could not be written as a whole.
    with closing(Collections(_place(folder), [name])) as written:
        if written.count(name) != len(wanted) or not written.nearest(name, last, 1):
            raise OSError("the vectors that were written can't be found again")


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]


def _name(segment: int) -> str:
    return f"passages-{segment}"


def _place(folder: Path) -> Path:
    return folder / "chroma"


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    memory.give_back_large_pieces()  # such as hold a graph that has outgrown them
    try:
        fill(Path(sys.argv[1]), int(sys.argv[2]))
    except Exception as error:  # whatever a library may come up with: its text is the reason that the user sees
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())}")
