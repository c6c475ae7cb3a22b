"""What is asked for again and again, kept at hand within bounds.

Nine of ten words that texts hold are a few thousand ones, and questions about one event are answered by few passages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

_Made = TypeVar("_Made")

_LONGEST = 40
"""A longer word is rare, and may be a whole file without a space."""


class Remembered(dict[str, _Made]):
    """For each word what `make` makes of it. Safe to share between threads, and bounded in memory.

    A look-up takes half the time of one by `functools.lru_cache`, as it notes no order: of the words of two rounds,
    those are forgotten that were not looked up in the second.

    Args:
        make: called with a word that isn't known.
        most: words of a round.
    """

    def __init__(self, make: Callable[[str], _Made], most: int) -> None:
        self._make = make
        self._most = most
        self._before: dict[str, _Made] = {}

    def __missing__(self, word: str) -> _Made:
        made = self._before.get(word)
        if made is None:
            made = self._make(word)
            if len(word) > _LONGEST:
                return made
        if len(self) >= self._most:
            self._before = dict(self)
            self.clear()
        self[word] = made
        return made


class Recent(Generic[_Made]):
    """What was loaded last, by number. Not safe to share between threads.

    Of what was loaded or asked for in two rounds, that is forgotten which was not asked for in the second.

    Args:
        most: things of a round; twice as many are kept at most, and whatever is asked for at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._now: dict[int, _Made] = {}
        self._before: dict[int, _Made] = {}

    def of(self, numbers: Sequence[int], load: Callable[[Sequence[int]], Mapping[int, _Made]]) -> list[_Made]:
        """Those of these numbers that there are, in their order; what isn't at hand is loaded, all at once."""
        if len(self._now) >= self._most:
            self._before, self._now = self._now, {}
        now, before = self._now, self._before
        missing = []
        for number in numbers:
            if number in now:
                continue
            if number in before:
                now[number] = before[number]
            else:
                missing.append(number)
        if missing:
            now.update(load(missing))
        return [now[number] for number in numbers if number in now]
