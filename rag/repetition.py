"""Notices that a stream says the same again and again. Pure."""

from __future__ import annotations

_PROBE = 24
"""Characters by which an earlier place is recognised."""
_REPEATS = 4
_LEAST = 240
_MOST = 6000
_EVERY = 120


class Repetition:
    """Watches a stream for a stretch that is repeated at least four times in a row, over 240 characters or more.

    The stretch may be up to 1,500 characters long. A piece costs a microsecond, and every 120 characters a search.
    """

    def __init__(self) -> None:
        self._tail = ""
        self._fresh = 0

    def feed(self, text: str) -> bool:
        """Whether the stream, with another piece, ends in such a repetition."""
        self._tail += text
        self._fresh += len(text)
        if self._fresh < _EVERY:
            return False
        self._fresh = 0
        self._tail = self._tail[-_MOST:]
        return period(self._tail) > 0


def period(text: str) -> int:
    """The length of the stretch that a text ends by repeating; 0 when it doesn't.

    >>> period("Well. " + "It fell again. " * 20), period("It fell again. It rose again. " * 3)
    (15, 0)
    """
    end = len(text) - 1
    while (found := text.rfind(text[-_PROBE:], 0, end)) >= 0:
        length = len(text) - _PROBE - found
        span = max(_REPEATS * length, _LEAST)
        if span > len(text):
            return 0
        stretch = text[-span:]
        if stretch[length:] == stretch[:-length]:
            return length
        end = found + _PROBE - 1
    return 0


def cut(text: str) -> str:
    """The text up to the end of the first of its repeated stretches."""
    length = period(text)
    while length and text.endswith(text[-2 * length : -length]) and len(text) >= 2 * length:
        text = text[:-length]
    return text
