"""The files that a run is to read: their paths in little memory, and what the system says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from os import stat_result
from os.path import commonprefix
from pathlib import Path


class Paths:
    """Many paths in a few bytes each: in one text, without what all begin with."""

    _BETWEEN = "\0"
    """The one character that no path can have."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._beginning = commonprefix(paths)  # noqa: RUF071 - of characters, not of folders
        self._rests = self._BETWEEN.join(path.removeprefix(self._beginning) for path in paths)
        self._count = len(paths)

    def __iter__(self) -> Iterator[Path]:
        start = 0
        for _ in range(self._count):
            end = self._rests.find(self._BETWEEN, start)
            yield Path(self._beginning + self._rests[start : end if end >= 0 else None])
            start = end + 1


def resolved(path: Path) -> Path:
    """The path that a path leads to; itself where it leads nowhere."""
    try:
        return path.resolve()
    # A loop of links, or a character that no path can have: to be said like anything else that can't be read.
    except (RuntimeError, ValueError, OSError):
        return path


def state(path: Path) -> stat_result | None:
    """What a file is like; None where there is none."""
    with suppress(OSError, ValueError):
        return path.stat()
    return None


def size(path: Path) -> int:
    """A file's bytes; 0 where there is none."""
    found = state(path)
    return found.st_size if found else 0
