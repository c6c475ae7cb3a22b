"""Which language a text is in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

ENGLISH = "en"
LEAST_PROBABILITY = 0.8
"""Below this the language can't be told: a line of names or figures looks like anything."""
CHARACTERS = 4000
"""So much of a text tells its language; more would only cost time."""

_LATIN = "la"
_LEAST_WORDS_FOREIGN = 20
_PLAINLY_ENGLISH, _BEYOND_DOUBT = 0.15, 0.2
_LEAST_WORDS = 30
_ENGLISH_WORDS = frozenset((
    "the", "of", "and", "to", "that", "was", "for", "with", "as", "by", "from", "it", "at", "had", "this", "which",
    "were", "has", "have", "their", "its", "been",
))  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")


def language(text: str) -> str:
    """The ISO 639-1 code of the language that most of the beginning of `text` is in; empty when it can't be told."""
    beginning = text[:CHARACTERS]
    if _is_plainly_english(beginning):
        return ENGLISH
    code, probability = _identifier().classify(beginning)
    # Names and figures look like Latin, in which nobody writes the news, and few words look like anything but English.
    is_mistaken = code == _LATIN or (code != ENGLISH and _words(beginning) < _LEAST_WORDS_FOREIGN)
    return "" if is_mistaken or probability < LEAST_PROBABILITY else str(code)


def _words(text: str) -> int:
    """How many words a text has: counted in bytes too, for languages that put no spaces between them."""
    return max(len(_WORD.findall(text)), len(text.encode("utf-8", "replace")) // 8)


def _is_plainly_english(text: str) -> bool:
    """Whether so many of its words are English ones that the model, a second's work to load, can stay where it is."""
    text = text.lower()
    # A glance that nearly always suffices, and takes a quarter of the time: words with a mark behind them are missed.
    pieces = text.split()
    if len(pieces) >= _LEAST_WORDS and _english(pieces) > _BEYOND_DOUBT * len(pieces):
        return True
    words = _WORD.findall(text)
    return len(words) >= _LEAST_WORDS and _english(words) > _PLAINLY_ENGLISH * len(words)


def _english(words: Sequence[str]) -> int:
    return sum(map(_ENGLISH_WORDS.__contains__, words))


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
