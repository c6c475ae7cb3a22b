"""What becomes of memory that a process has done with."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_MMAP_THRESHOLD = -3
"""`M_MMAP_THRESHOLD` of glibc."""
_LARGE = 2**20


def give_back_large_pieces() -> None:
    """Let large pieces of memory go back to the system when they are freed, for as long as this process runs.

    The C library of Linux otherwise keeps pieces of up to 32 MB once such have been freed, and each thread keeps its
    own. Elsewhere nothing is done.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)
