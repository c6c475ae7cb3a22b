"""The index directory: whole generations beside each other, one of them current, replaced by a single rename.

    <index>/current          the current generation's name
    <index>/writer.lock      held by the one process that writes
    <index>/generation-7/    complete and never changed again

A writer builds the next generation in a directory of its own and then renames a new `current` into place, so
readers see either the old index or the new one, and a crash at any moment leaves the old one working.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import IndexBusyError, IndexDamagedError, IndexMissingError, IndexStateError

_PREFIX = "generation-"


def current(root: Path) -> Path:
    """The directory of the current generation.

    Raises:
        IndexMissingError: there is none.
        IndexDamagedError: the pointer to it is broken.
    """
    try:
        name = (root / "current").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        raise IndexMissingError(
            f"There is no index at {root}: make one with 'aftershock ingest PATH --index {root}'."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise IndexDamagedError(damaged(root, error)) from error
    generation = root / name
    if not name.startswith(_PREFIX) or generation.parent != root or not generation.is_dir():
        raise IndexDamagedError(damaged(root, "its pointer 'current' leads nowhere"))
    return generation


def damaged(root: Path, reason: object) -> str:
    """The sentence for a damaged index."""
    return (
        f"The index at {root} is damaged ({reason}): "
        f"make it anew with 'aftershock ingest PATH --rebuild --index {root}'."
    )


@contextmanager
def next_generation(root: Path, *, copy: bool) -> Iterator[Path]:
    """A directory in which to build the next generation; it becomes the current one when the block ends well.

    With `copy` it starts as a copy of the current one. Must be used while `writing` is held.

    Raises:
        IndexStateError: the disk is full, or cannot be written.
    """
    _sweep(root, keep={_current_name(root)})
    previous = current(root) if copy else None
    staged = root / f"{_PREFIX}{_highest(root) + 1}"
    try:
        if previous is not None:
            shutil.copytree(previous, staged)
        else:
            staged.mkdir()
        yield staged
        _point_to(root, staged.name)
    except OSError as error:
        raise IndexStateError(
            f"The index at {root} could not be written ({error.strerror or error}); the old one is unchanged."
        ) from error
    finally:
        # The generation that was just replaced stays until the next write: readers may still be using it.
        if _current_name(root) != staged.name:
            shutil.rmtree(staged, ignore_errors=True)


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Hold the right to write; there is one writer at a time.

    Raises:
        IndexBusyError: another process holds it.
        IndexStateError: the directory cannot be written.
    """
    from filelock import FileLock, Timeout

    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / "writer.lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise IndexBusyError(
            f"Another ingest is writing the index at {root}: try again when it has finished."
        ) from None
    except OSError as error:
        raise IndexStateError(f"The index at {root} cannot be written ({error.strerror or error}).") from error
    try:
        yield
    finally:
        lock.release()


def _point_to(root: Path, name: str) -> None:
    pointer = root / "current.new"
    with pointer.open("w", encoding="utf-8") as file:
        file.write(name + "\n")
        file.flush()
        os.fsync(file.fileno())
    pointer.replace(root / "current")


def _current_name(root: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return (root / "current").read_text(encoding="utf-8").strip()
    return ""


def _highest(root: Path) -> int:
    numbers = [path.name.removeprefix(_PREFIX) for path in root.glob(f"{_PREFIX}*")]
    return max((int(n) for n in numbers if n.isdigit()), default=0)


def _sweep(root: Path, keep: set[str]) -> None:
    """Remove what earlier writers left: replaced generations, and unfinished ones after a crash."""
    for path in root.glob(f"{_PREFIX}*"):
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
