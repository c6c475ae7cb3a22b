"""Files and folders to articles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingest.article import Loaded
from ingest.readers import SUFFIXES, read
from rag.errors import LoadError


def files(path: Path) -> tuple[list[Path], list[Path]]:
    """The files to read under `path`, sorted, and those in a folder that are left aside.

    In folders, hidden files and READMEs are passed over, and files of unknown formats are left aside; a file
    named directly is always read.

    Raises:
        LoadError: there is nothing at `path`, or it can't be listed.
    """
    if path.is_file():
        return [path], []
    if not path.is_dir():
        raise LoadError("there is no such file or folder" if not path.exists() else "it is neither a file nor a folder")
    try:
        found = sorted(p for p in path.rglob("*") if p.is_file() and _is_visible(p.relative_to(path)))
    except OSError as error:
        raise LoadError(f"it can't be listed ({error.strerror or error})") from error
    known = [p for p in found if p.suffix.lower() in SUFFIXES]
    return known, [p for p in found if p.suffix.lower() not in SUFFIXES]


def load(path: Path) -> Iterator[Loaded]:
    """The articles of one file; what can't be read is yielded with its reason, and never raised."""
    try:
        # A kind that can't be read is not worth reading.
        data = path.read_bytes() if path.suffix.lower() in SUFFIXES else b""
    except OSError as error:
        yield Loaded(str(path), 0, reason=f"it can't be read ({error.strerror or error})")
    else:
        yield from read(str(path), data)


def _is_visible(relative: Path) -> bool:
    hidden = any(part.startswith((".", "__pycache__")) for part in relative.parts)
    return not hidden and relative.stem.upper() != "README"
