"""Whether a word is English, by the word list of pyspellchecker: what articles don't use need not be a slip."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spellchecker import SpellChecker


def is_word(word: str) -> bool:
    """Whether the list has it, in small letters. The first call takes a quarter of a second."""
    return bool(_words().known([word.lower()]))


@cache
def _words() -> SpellChecker:
    from spellchecker import SpellChecker

    return SpellChecker(language="en", distance=1)
