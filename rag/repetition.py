"""Notices that a stream says the same again and again. Pure."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r".+?[.!?…][\"”’)*_]*(?:\s+|\Z)", re.DOTALL)
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
    """A text that ends by repeating itself, up to where it begins to, and without half a sentence at its end.

    >>> cut("It fell [1]. It rose. Well, it fell. It rose. Well, it fell. It rose. Well, it")
    'It fell [1]. It rose. Well, it fell. It rose.'
    >>> cut("and on and on and on and on " * 12)
    'and on'
    """
    sentences = [found[0] for found in _SENTENCE.finditer(text)]
    for length in range(1, len(sentences) // 2 + 1):
        while _alike(sentences[-length:], sentences[-2 * length : -length]):
            del sentences[-length:]
    if sentences:
        return "".join(sentences).rstrip()
    length = period(text)
    while 0 < 2 * length <= len(text) and text[-length:] == text[-2 * length : -length]:
        text = text[:-length]
    return text.rstrip()


def _alike(some: list[str], others: list[str]) -> bool:
    return bool(others) and [s.split() for s in some] == [s.split() for s in others]
