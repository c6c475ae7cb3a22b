"""What in a folder or an archive is not for reading: hidden files, READMEs, and what patterns of the user's name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from rag.errors import LoadError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

NAME = ".aftershockignore"
"""A file of patterns in the syntax of .gitignore, for the folder that it is in and those below."""

_CLUTTER = (".", "__pycache__", "__MACOSX")


def is_visible(name: str) -> bool:
    """Whether a file or folder of this name, its path left off, may be read at all.

    >>> is_visible("notes.md"), is_visible("README.txt"), is_visible(".git")
    (True, False, False)
    """
    return not name.startswith(_CLUTTER) and PurePath(name).stem.upper() != "README"


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns of one folder, and those of the folders around it."""

    folder: str
    spec: GitIgnoreSpec
    around: Patterns | None

    @classmethod
    def parse(cls, text: str, folder: str, around: Patterns | None) -> Patterns:
        """The patterns of a file in `folder`, one a line.

        Raises:
            LoadError: one can't be understood.
        """
        from pathspec import GitIgnoreSpec

        try:
            return cls(folder, GitIgnoreSpec.from_lines(text.splitlines()), around)
        except ValueError as error:
            raise LoadError(f"a pattern in its {NAME} can't be understood ({error})") from error

    def leave_out(self, path: str, is_folder: bool) -> bool:
        """Whether a file or folder is left out: the patterns closest to it that name it decide."""
        inner: Patterns | None = self
        while inner is not None:
            relative = PurePath(path).relative_to(inner.folder).as_posix() + "/" * is_folder
            if (decision := inner.spec.check_file(relative).include) is not None:
                return decision
            inner = inner.around
        return False
