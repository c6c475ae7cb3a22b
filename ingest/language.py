"""Which language a text is in."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

ENGLISH = "en"
LEAST_PROBABILITY = 0.9
"""Below this the language can't be told: a line of names or figures looks like anything."""
CHARACTERS = 4000
"""So much of a text tells its language; more would only cost time."""


def language(text: str) -> str:
    """The ISO 639-1 code of the language that most of the beginning of `text` is in; empty when it can't be told."""
    code, probability = _identifier().classify(text[:CHARACTERS])
    return str(code) if probability >= LEAST_PROBABILITY else ""


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
