"""Streams that say the same again and again."""

from __future__ import annotations

import random

import pytest

from rag.repetition import Repetition, cut

SENTENCES = [f"Sentence {n} tells of {n * n} shares that changed hands. " for n in range(400)]


def stopped_after(stream: str, size: int) -> int:
    """Characters of a stream, fed in pieces, until it is stopped; 0 when it isn't."""
    watch = Repetition()
    for start in range(0, len(stream), size):
        if watch.feed(stream[start : start + size]):
            return start + size
    return 0


@pytest.mark.parametrize("size", [1, 4, 50])
@pytest.mark.parametrize("stretch", ["no ", "It fell by 17% [1]. ", "".join(SENTENCES[:6]), "".join(SENTENCES[:24])])
def test_repetition_is_noticed_soon(stretch: str, size: int) -> None:
    """After an ordinary beginning, a stretch of a word to a page is noticed within six rounds or 500 characters."""
    beginning = "".join(SENTENCES[100:110])
    stopped = stopped_after(beginning + stretch * 500, size)
    assert len(beginning) < stopped <= len(beginning) + max(6 * len(stretch), 500)


def test_ordinary_text_is_left_alone() -> None:
    """Lists, tables, figures and words in any order are no repetition."""
    words = random.Random(7)
    table = "".join(f"| {n} | {words.randint(0, 9)} | yes |\n" for n in range(900))
    prose = " ".join(words.choice(["it", "fell", "rose", "and", "then", "again"]) for _ in range(5000))
    for text in ("".join(SENTENCES), table, prose):
        assert stopped_after(text, 4) == 0


def test_the_reader_gets_it_once() -> None:
    """Of a repeated stretch one is left, and no half sentence; a text without repetition stays as it is."""
    assert cut("Well. " + "It fell [1]. " * 40 + "It fe") == "Well. It fell [1]."
    assert cut("It fell. It rose.") == "It fell. It rose."
