"""The days that a sentence names, whatever the way."""

from __future__ import annotations

import pytest

from rag.dated import dated

PUBLISHED = "2025-01-30"
"""A Thursday."""


@pytest.mark.parametrize(
    ("sentence", "days"),
    [
        ("Nvidia fell 17% on Monday.", ["2025-01-27"]),
        ("Nvidia fell 17% Monday, its worst day.", ["2025-01-27"]),
        ("Shares recovered on Thursday.", ["2025-01-30"]),
        ("On Monday, January 27, Nvidia fell.", ["2025-01-27"]),
        ("Nvidia fell on 27 January and rose on 28 January.", ["2025-01-27", "2025-01-28"]),
        ("V3 came out on Dec. 26.", ["2024-12-26"]),
        ("The bank meets on 20 February.", ["2025-02-20"]),
        ("DeepSeek was founded on 17 July 2023.", ["2023-07-17"]),
        ("NEW YORK, Jan 28 (Wire) - Nvidia fell on Monday.", ["2025-01-27"]),
        ("The bank meets next Monday.", []),
        ("Every Monday the shop is closed.", []),
        ("It fell on Monday and Tuesday.", []),
        ("Monday's rout was the worst.", []),
        ("It was open from 27 to 29 January.", []),
        ("He speaks on 30 February.", []),
        ("It fell in January.", []),
    ],
)
def test_the_days_of_a_sentence(sentence: str, days: list[str]) -> None:
    """A weekday is the latest one when the article appeared; what may mean another day, or several, names none."""
    assert [day.iso for day in dated(sentence, PUBLISHED).days] == days


def test_an_article_without_a_date() -> None:
    """Nobody knows which Monday it means, nor which year; a whole date is one all the same."""
    assert dated("Nvidia fell on Monday, or on 27 January.").days == ()
    assert [day.iso for day in dated("Nvidia fell on January 27, 2025.").days] == ["2025-01-27"]


def test_the_days_are_written_in_full_where_they_stand() -> None:
    """What reads sentences with whole dates reads all others, too."""
    full = dated("Nvidia fell 17% Monday and gained 9% on Jan. 28.", PUBLISHED)
    assert full.text == "Nvidia fell 17% on 27 January 2025 and gained 9% on 28 January 2025."
    assert [full.text[day.start : day.end] for day in full.days] == ["27 January 2025", "28 January 2025"]
