"""Zip archives to the files in them, in memory and never on disk, whatever the archive says about itself."""

from __future__ import annotations

import io
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from ingest.ignore import is_visible
from rag.errors import LoadError

SUFFIX = ".zip"

_MOST_DIRECTORY = 16 * 2**20
"""Bytes of the list of files: 100,000 of them and more."""
_MOST_RATIO = 100
"""Text packs to a third of its size, pages full of markup to a tenth; bombs to a thousandth."""
_DEPTH = 3
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive, or the reason why it can't be had. `size` is how many of the archive's bytes it takes."""

    name: str
    size: int
    data: bytes = b""
    reason: str = ""
    is_aside: bool = False
    """Its kind is none that is read."""


class _Budget:
    """How many bytes an archive, and those inside it, may still unpack to."""

    def __init__(self, size: int, most_bytes: int) -> None:
        self.left = _MOST_RATIO * size + most_bytes

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise LoadError(
                f"it unpacks to more than {_MOST_RATIO} times its size, as archives do that are made to fill a disk; "
                "the rest of it was not unpacked"
            )


class _Bounded:
    """A file of which not too much can be read at once: the list of its files is, before anything else."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > _MOST_DIRECTORY:
            raise LoadError("it lists too many files; make several smaller archives of it")
        return self._file.read(size if size >= 0 else _MOST_DIRECTORY)


def members(file: BinaryIO, size: int, kinds: Collection[str], most_bytes: int) -> Iterator[Member]:
    """The files in an archive whose names end in one of `kinds`, and those in archives inside it.

    Hidden files and READMEs are passed over; files of other kinds come without data.

    Args:
        file: the archive.
        size: its size in bytes.
        kinds: endings of names, in lower case.
        most_bytes: how large one file may be.

    Raises:
        LoadError: it is no archive, or a bomb.
    """
    yield from _members(file, kinds, most_bytes, _Budget(size, most_bytes), _DEPTH)


def _members(file: BinaryIO, kinds: Collection[str], most_bytes: int, budget: _Budget, depth: int) -> Iterator[Member]:
    try:
        archive = zipfile.ZipFile(cast(BinaryIO, _Bounded(file)))
    except _BROKEN as error:
        raise LoadError(_damage("it is not a zip archive, or a damaged one", error)) from error
    with archive:
        for info in archive.infolist():
            name = _shown(info.filename)
            path = PurePosixPath(name)
            if info.is_dir() or not all(map(is_visible, path.parts)):
                continue
            is_archive = path.suffix.lower() == SUFFIX
            if not (is_archive or path.suffix.lower() in kinds) or stat.S_ISLNK(info.external_attr >> 16):
                yield Member(name, info.compress_size, is_aside=True)
                continue
            try:
                data = _unpacked(archive, info, most_bytes, budget)
                if is_archive and not depth:
                    raise LoadError("it is an archive inside archives inside archives; unpack it first")
            except LoadError as error:
                if budget.left < 0:
                    raise
                yield Member(name, info.compress_size, reason=str(error))
                continue
            if is_archive:
                yield from _nested(name, data, kinds, most_bytes, budget, depth - 1)
            else:
                yield Member(name, info.compress_size, data)


def _nested(
    name: str, data: bytes, kinds: Collection[str], most_bytes: int, budget: _Budget, depth: int
) -> Iterator[Member]:
    try:
        for inner in _members(io.BytesIO(data), kinds, most_bytes, budget, depth):
            # The sizes are of the archive inside, and say nothing about the one around it.
            yield Member(f"{name}/{inner.name}", 0, inner.data, inner.reason, inner.is_aside)
    except LoadError as error:
        if budget.left < 0:
            raise
        yield Member(name, 0, reason=str(error))


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most_bytes: int, budget: _Budget) -> bytes:
    if info.flag_bits & _ENCRYPTED:
        raise LoadError("it is locked with a password; unpack the archive first")
    # Of the other methods, one call may unpack to gigabytes.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise LoadError("it is packed by an unusual method; unpack the archive first")
    if info.file_size > most_bytes:
        raise LoadError(f"it is larger than {most_bytes >> 20} MB")
    budget.spend(info.file_size)
    try:
        with archive.open(info) as file:
            # Never more than the size that the archive gave and the budget was asked for.
            return file.read(info.file_size)
    except _BROKEN as error:
        raise LoadError(_damage("it is damaged in the archive", error)) from error


_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    OverflowError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
"""All that the standard library raises over archives that break their own rules."""


def _damage(what: str, error: Exception) -> str:
    said = " ".join(str(error).split())[:100]
    return f"{what} ({said})" if said else what


def _shown(name: str) -> str:
    """A name that can be shown and leads nowhere: no steps up, no drive, no characters that are none.

    >>> _shown("../../etc/passwd.txt"), _shown("C:\\\\a\\x1b[2J.md")
    ('etc/passwd.txt', 'C_/a_[2J.md')
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "".join("_" if unicodedata.category(c)[0] == "C" or c == ":" else c for c in "/".join(parts))[-300:]
