"""The index directory: whole generations beside each other, one of them current, replaced by a single rename.

    <index>/current          the current generation's name
    <index>/writer.lock      held by the one process that writes
    <index>/generation-7/    complete and never changed again
    <index>/unfinished-8/    what a writer that did not get to its end had written

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
_UNFINISHED = "unfinished-"


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
        raise IndexDamagedError(damaged(root, error, articles=False)) from error
    generation = root / name
    if not name.startswith(_PREFIX) or generation.parent != root or not generation.is_dir():
        raise IndexDamagedError(damaged(root, "its pointer 'current' leads nowhere", articles=False))
    return generation


def damaged(root: Path, reason: object, *, articles: bool = True) -> str:
    """The sentence for a damaged index, with the command that mends it: another one where its `articles` are lost."""
    command = f"aftershock index rebuild --index {root}" if articles else rebuilding_from_files(root)
    return f"The index at {root} is damaged ({reason}): make it anew with '{command}'."


def rebuilding_from_files(root: Path) -> str:
    """The command that makes an index anew from the files that its articles came from."""
    return f"aftershock ingest PATH --rebuild --index {root}"


def unwritten(root: Path, error: BaseException) -> str:
    """The sentence for an index that could not be written."""
    reason = (isinstance(error, OSError) and error.strerror) or error
    return f"The index at {root} could not be written ({reason}); the old one is unchanged."


@contextmanager
def next_generation(root: Path, *, copy: bool) -> Iterator[Path]:
    """A directory in which to build the next generation; it becomes the current one when the block ends well.

    With `copy` it starts as a copy of the current one. When the block fails, what was built is put aside for
    `unfinished`. Must be used while `writing` is held.

    Raises:
        IndexStateError: the disk is full, or cannot be written.
    """
    _sweep(root, keep={_current_name(root)})
    previous = current(root) if copy else None
    staged = root / f"{_PREFIX}{_highest(root) + 1}"
    try:
        if previous is not None:
            _copy(previous, staged)
        else:
            staged.mkdir()
        yield staged
        _settle(staged)
        _point_to(root, staged.name)
    except OSError as error:
        raise IndexStateError(unwritten(root, error)) from error
    finally:
        # The generation that was just replaced stays until the next write: readers may still be using it.
        if _current_name(root) != staged.name:
            _put_aside(staged)


def unfinished(root: Path) -> list[Path]:
    """The directories of generations that did not become complete, oldest first. Must be used while `writing` is held.

    They hold what their writers had written until they failed or were killed; the caller removes them.
    """
    number = _number(_current_name(root))
    for path in root.glob(f"{_PREFIX}*"):
        if _number(path.name) > number:
            _put_aside(path)
    return sorted(root.glob(f"{_UNFINISHED}*"), key=lambda path: _number(path.name))


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


def _copy(folder: Path, target: Path) -> None:
    # Not `shutil.copytree`, which goes on after a failure and then raises one for each file.
    target.mkdir()
    for path in sorted(folder.rglob("*")):
        place = target / path.relative_to(folder)
        if path.is_dir():
            place.mkdir()
        else:
            shutil.copy2(path, place)


def _put_aside(staged: Path) -> None:
    """Keep of an unfinished generation what costs time to make again, which is not what Chroma holds."""
    shutil.rmtree(staged / "chroma", ignore_errors=True)
    target = staged.with_name(staged.name.replace(_PREFIX, _UNFINISHED))
    with suppress(OSError):
        shutil.rmtree(target, ignore_errors=True)
        staged.rename(target)


def _settle(folder: Path) -> None:
    """Have the machine write down every file, so that not even a power cut can spoil what becomes current."""
    if os.name == "nt":  # which has no way to do that for a file that is open for reading only
        return
    for path in (folder, *folder.rglob("*")):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


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


def _number(name: str) -> int:
    digits = name.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0


def _highest(root: Path) -> int:
    return max((_number(path.name) for prefix in (_PREFIX, _UNFINISHED) for path in root.glob(f"{prefix}*")), default=0)


def _sweep(root: Path, keep: set[str]) -> None:
    """Remove replaced generations."""
    for path in root.glob(f"{_PREFIX}*"):
        if path.name not in keep:
            shutil.rmtree(path, ignore_errors=True)
