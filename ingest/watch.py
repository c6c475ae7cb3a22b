"""Calls whoever keeps an index in line with files again after each change to them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath

from rag.errors import LoadError

QUIET = 0.5
"""Seconds without a change after which an editor or a copy is taken to be done; also how soon a stop is noticed."""
PATIENCE = 5.0
"""More seconds than these of ceaseless changes are not waited out."""
RETRY = 5.0
"""Seconds until what could not be done is tried again."""

_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".download", ".swp", ".bak", "~")

_State = list[tuple[int, ...] | None]


def watch(
    paths: Sequence[Path],
    action: Callable[[], bool],
    *,
    leave: Path,
    stop: threading.Event | None = None,
) -> None:
    """Call `action` now, and again after each change to the files and folders, one that is not there included.

    Changes made while it runs are not missed. Files that editors and browsers keep for themselves don't count.

    Args:
        paths: files and folders. One that vanishes, such as a disk that is taken out, is waited for.
        action: returns whether it could do its work; if not it is called again soon.
        leave: a folder whose changes don't count, wherever it is: the action writes there.
        stop: ends it; without one, only an interrupt does.

    Raises:
        LoadError: the system watches no more files.
        KeyboardInterrupt: interrupted.
    """
    stop = stop or threading.Event()
    roots = [path.absolute() for path in paths]
    leave = leave.absolute()
    due, not_before = True, 0.0
    while not stop.is_set():
        state = _state(roots)
        for changed in _changes([root for root in roots if root.is_dir()], leave, stop):
            if _state(roots) != state:
                due = True
                break  # A folder that is new is not watched yet, and one that was replaced no longer.
            due = due or changed
            if due and time.monotonic() >= not_before:
                due = not action()
                not_before = time.monotonic() + RETRY if due else 0.0


def _changes(folders: Sequence[Path], leave: Path, stop: threading.Event) -> Iterator[bool]:
    """Whether something changed, at least each `QUIET` seconds; nothing is missed after the first."""
    if not folders:
        while not stop.is_set():
            yield False
            stop.wait(QUIET)
        return
    import watchfiles

    def counts(_: watchfiles.Change, path: str) -> bool:
        return _counts(Path(path), folders, leave)

    try:
        for changes in watchfiles.watch(
            *folders,
            watch_filter=counts,
            debounce=int(PATIENCE * 1000),
            step=int(QUIET * 1000),
            rust_timeout=int(QUIET * 1000),
            yield_on_timeout=True,
            stop_event=stop,
            ignore_permission_denied=True,
        ):
            yield bool(changes)
    except FileNotFoundError:
        return  # It went between the look and the watch; the next look sees that.
    except OSError as error:
        raise LoadError(
            f"{', '.join(map(str, folders))} can't be watched ({error.strerror or error}); "
            "run the command without --watch now and then instead."
        ) from error


def _counts(path: PurePath, folders: Sequence[PurePath], leave: PurePath) -> bool:
    """Whether a change to a file matters: it is not hidden, nobody's unfinished work, and not in `leave`."""
    if path == leave or leave in path.parents or path.name.startswith("~$") or path.name.endswith(_UNFINISHED):
        return False
    return any(
        not any(part.startswith(".") for part in path.relative_to(folder).parts)
        for folder in folders
        if path == folder or folder in path.parents
    )


def _state(roots: Sequence[Path]) -> _State:
    """Which folders are there, and how the files are; editors put others in their place, which no watch would see."""
    state: _State = []
    for root in roots:
        try:
            found = root.stat()
        except OSError:
            state.append(None)
        else:
            folder = (found.st_dev, found.st_ino)
            state.append(folder if root.is_dir() else (*folder, found.st_mtime_ns, found.st_size))
    return state
