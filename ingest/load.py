"""Files and folders to articles."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from ingest import archives, ignore, isolated
from ingest.article import Loaded
from ingest.readers import SUFFIXES
from rag.errors import LoadError

MOST_BYTES = 64 * 2**20
"""Size of a document, or of one line of an export; exports and archives themselves may be of any size."""

_BLOCK = 2**20
"""Bytes of an export that are read together."""
_EXPORTS = (".jsonl", ".ndjson")
_KNOWN = SUFFIXES | {archives.SUFFIX}
_NO_FILES = {
    stat.S_IFDIR: "it is a folder that can't be listed",
    stat.S_IFIFO: "it is a pipe and not a file",
    stat.S_IFSOCK: "it is a socket and not a file",
    stat.S_IFCHR: "it is a device and not a file",
    stat.S_IFBLK: "it is a device and not a file",
}


def files(path: Path) -> tuple[list[str], list[str]]:
    """The paths of the files to read under `path`, sorted, and of those in a folder that are left aside.

    In folders, hidden files, READMEs and what `.aftershockignore` names are passed over, and files of unknown formats
    are left aside; a file named directly is always read. Links are followed, each file and folder that they lead to
    once. Folders that can't be listed are among the files to read, for `load` to say why.

    Raises:
        LoadError: there is nothing at `path`, it can't be listed, or its patterns can't be understood.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return [os.fspath(path)], []
        if not stat.S_ISDIR(mode):
            raise LoadError("it is neither a file nor a folder")
        with os.scandir(path):
            pass
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LoadError("there is no such file or folder") from error
    except (OSError, ValueError) as error:
        raise LoadError(f"it can't be read ({_said(error)})") from error
    known: list[str] = []
    aside: list[str] = []
    for entry in sorted(_walk(os.fspath(path))):
        (known if Path(entry).suffix.lower() in _KNOWN or Path(entry).is_dir() else aside).append(entry)
    return known, aside


def load(path: Path) -> Iterator[Loaded]:
    """The articles of one file; what can't be read is yielded with its reason, and never raised."""
    place = shown(path)
    try:
        if path.suffix.lower() in _EXPORTS:
            yield from _export(path, place)
        elif path.suffix.lower() == archives.SUFFIX:
            yield from _archive(path, place)
        else:
            yield from isolated.read(place, _content(path))
    except LoadError as error:
        yield Loaded(place, 0, reason=str(error))
    except (OSError, ValueError) as error:
        yield Loaded(place, 0, reason=f"it can't be read ({_said(error)})")


def shown(path: Path) -> str:
    r"""A path as text: names may hold bytes that are no characters, and characters that can't be printed.

    >>> shown(Path("notes\n\udcff.md"))
    'notes\\n\\udcff.md'
    """
    text = str(path)
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or unicodedata.category(c) == "Zs" else c.encode("unicode_escape").decode() for c in text
    )


def _walk(root: str) -> Iterator[str]:
    """All files under a folder that may be read; what links lead to comes last, and nothing comes twice."""
    seen: set[str] = set()
    within = {os.path.realpath(root), *map(str, Path(os.path.realpath(root)).parents)}
    links: list[tuple[str, ignore.Patterns | None]] = []
    yield from _folder(root, None, seen, links)
    while links:
        path, patterns = links.pop(0)
        real = os.path.realpath(path)
        # A link upwards is a loop.
        if real in seen or real in within:
            continue
        if Path(path).is_dir():
            yield from _folder(path, patterns, seen, links)
        else:
            seen.add(real)
            yield path


def _folder(
    top: str, patterns: ignore.Patterns | None, seen: set[str], links: list[tuple[str, ignore.Patterns | None]]
) -> Iterator[str]:
    """The files of a folder and those below it, apart from `links`, which are added to."""
    folders = [(top, patterns)]
    while folders:
        folder, patterns = folders.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            yield folder
            continue
        if any(entry.name == ignore.NAME for entry in entries):
            patterns = _patterns(folder, patterns)
        for entry in entries:
            is_link = entry.is_symlink()
            is_folder = Path(entry.path).is_dir() if is_link else entry.is_dir(follow_symlinks=False)
            if not ignore.is_visible(entry.name) or (patterns and patterns.leave_out(entry.path, is_folder)):
                continue
            if is_link:
                links.append((entry.path, patterns))
            elif is_folder:
                folders.append((entry.path, patterns))
            else:
                seen.add(f"{real}{os.sep}{entry.name}")
                yield entry.path


def _patterns(folder: str, around: ignore.Patterns | None) -> ignore.Patterns:
    path = Path(folder) / ignore.NAME
    try:
        text = _content(path).decode("utf-8-sig", "replace")
    except OSError as error:
        raise LoadError(f"its {ignore.NAME} can't be read ({_said(error)})") from error
    return ignore.Patterns.parse(text, folder, around)


def _content(path: Path) -> bytes:
    """What a file holds, all of it from one moment.

    Raises:
        LoadError: it is no file, too large, or keeps changing.
    """
    for _ in range(2):
        with _opened(path) as (file, before):
            if before.st_size > MOST_BYTES:
                raise LoadError(f"it is larger than {MOST_BYTES >> 20} MB; split it up, or make an export of it")
            data = file.read(MOST_BYTES + 1)
            if len(data) == before.st_size and _is_unchanged(file, before):
                return data
    raise LoadError(_CHANGED)


_CHANGED = "it changed while it was read; ingest it again when nothing writes to it any more"


def _export(path: Path, place: str) -> Iterator[Loaded]:
    """The articles of an export, of which a block at a time is in memory."""
    with _opened(path) as (file, before):
        if not before.st_size:
            raise LoadError("the file is empty")
        # In UTF-16 and UTF-32 a line doesn't end with the byte of a line end.
        if file.read(4).startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
            yield from isolated.read(place, _content(path))
            return
        file.seek(0)
        for lines_before, block in _blocks(file, before.st_size):
            if not block:
                yield Loaded(f"{place}:{lines_before + 1}", 0, reason=f"the line is longer than {MOST_BYTES >> 20} MB")
            elif not block.isspace():
                yield from (_moved(loaded, lines_before) for loaded in isolated.read(place, block))
        if not _is_unchanged(file, before):
            yield Loaded(place, 0, reason=_CHANGED)


def _blocks(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes]]:
    """Whole lines, together a block long or a little longer, and how many lines stand before them.

    A line that is too long is passed over, and stands as empty bytes.
    """
    lines: list[bytes] = []
    number = held = 0
    while size > 0 and (line := file.readline(min(size, MOST_BYTES + 1))):
        size -= len(line)
        if len(line) > MOST_BYTES:
            yield number, b"".join(lines)
            number, lines, held = number + len(lines) + 1, [], 0
            yield number - 1, b""
            while size > 0 and line and not line.endswith(b"\n"):
                line = file.readline(min(size, _BLOCK))
                size -= len(line)
            continue
        lines.append(line)
        held += len(line)
        if held >= _BLOCK:
            yield number, b"".join(lines)
            number, lines, held = number + len(lines), [], 0
    if lines:
        yield number, b"".join(lines)


def _moved(loaded: Loaded, lines_before: int) -> Loaded:
    """What was found in a block, with the line that it has in the whole file."""
    name, _, line = loaded.place.rpartition(":")
    if not lines_before or not line.isdecimal():
        return loaded
    return replace(loaded, place=f"{name}:{int(line) + lines_before}")


def _archive(path: Path, place: str) -> Iterator[Loaded]:
    with _opened(path) as (file, before):
        is_empty = True
        for member in archives.members(file, before.st_size, SUFFIXES, MOST_BYTES):
            is_empty = False
            name = f"{place}/{member.name}"
            if member.is_aside:
                yield Loaded(name, member.size, reason="files of its kind are not read", is_aside=True)
            elif member.reason:
                yield Loaded(name, member.size, reason=member.reason)
            else:
                first, *rest = isolated.read(name, member.data) or [Loaded(name, 0, reason="no article is in it")]
                yield replace(first, size=member.size)
                yield from (replace(loaded, size=0) for loaded in rest)
        if is_empty:
            yield Loaded(place, 0, reason="no file is in it")
        if not _is_unchanged(file, before):
            yield Loaded(place, 0, reason=_CHANGED)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, os.stat_result]]:
    """A file that is one, and what it was like when it was opened."""
    # Looked at before it is opened: opening a pipe waits for a writer, and opening a device may do anything.
    _check_kind(path.stat().st_mode)
    # And once more, should it have become something else in between.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        _check_kind(before.st_mode)
        yield file, before


def _check_kind(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise LoadError(_NO_FILES.get(stat.S_IFMT(mode), "it is not a file"))


def _is_unchanged(file: BinaryIO, before: os.stat_result) -> bool:
    after = os.fstat(file.fileno())
    return (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def _said(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or " ".join(str(error).split())
