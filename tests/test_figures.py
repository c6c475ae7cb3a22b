"""Numbers with units, and dates, read from text and compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.figures import Figure, agree, bears_out, dates, figures


def figure(text: str) -> Figure:
    """The one figure of a text."""
    (found,) = figures(text)
    return found


WAYS = {
    "$589bn": (589e9, "USD"),
    "589 billion dollars": (589e9, "USD"),
    "US$589,000 million": (589e9, "USD"),
    "$60-billion": (60e9, "USD"),
    "$5.6m": (5.6e6, "USD"),
    "half a billion dollars": (0.5e9, "USD"),
    "a trillion dollars": (1e12, "USD"),
    "14 cents": (0.14, "USD"),
    "$118.42 a share": (118.42, "USD a share"),
    "€1.5 million": (1.5e6, "EUR"),
    "RMB 100 million": (1e8, "CNY"),
    "100 million yuan": (1e8, "CNY"),
    "2 trillion won": (2e12, "KRW"),
    "17%": (17, "percent"),
    "17 per cent": (17, "percent"),
    "seventeen percent": (17, "percent"),
    "twenty-five percent": (25, "percent"),
    "3.1pc": (3.1, "percent"),
    "0.5 percentage points": (0.5, "percentage points"),
    "92.96 points": (92.96, "points"),
    "25 basis points": (25, "basis points"),
    "ten times": (10, "times"),
    "20-fold": (20, "times"),
    "2,048 chips": (2048, ""),
    "2048 chips": (2048, ""),
    "671B parameters": (671e9, "parameters"),
    "2.788 million GPU hours": (2.788e6, "GPU hours"),
    "55 days": (55, "days"),
    "a hundred and fifty people": (150, ""),
    "In 50 states": (50, ""),
}


@pytest.mark.parametrize(("text", "expected"), WAYS.items(), ids=WAYS.keys())
def test_ways_to_write_a_figure(text: str, expected: tuple[float, str]) -> None:
    """However a figure is written, its value and unit are the same, and its place is told."""
    found = figure(f"It was {text}." if text[0] != "I" else text)
    assert found.value == pytest.approx(expected[0])
    assert found.unit == expected[1]
    assert found.text in text


@pytest.mark.parametrize(
    "text",
    [
        "DeepSeek-V3, R1, GPT-4, o1 and 4o ran on H800 and A100 chips",
        "Llama 3.1, Claude 3.5 Sonnet and Qwen2.5-Max",
        "DeepSeek-R1-Distill-Qwen-32B",
        "the S&P 500 and the Nikkei 225",
        "on 27 January, Jan. 28, 2025 and 2025-01-29",
        "in 2025, and in the 1990s",
        "in Q4 2024",
        "at 9:30 a.m. and 16:00 GMT",
        "as said above [1, 2] and [3]",
        "1. The first\n2. The second",
        "one of them",
        "Section 232",
        "open 24/7",
    ],
)
def test_no_figures(text: str) -> None:
    """Names with numbers, dates, times, marks and list numbers say neither how much nor how many."""
    assert figures(text) == []


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("between $60 billion and $65 billion", 60e9, 65e9, "USD"),
        ("$60 to $65 billion", 60e9, 65e9, "USD"),
        ("$60-65 billion", 60e9, 65e9, "USD"),
        ("10–12%", 10, 12, "percent"),
        ("10% to 12%", 10, 12, "percent"),
    ],
)
def test_ranges(text: str, low: float, high: float, unit: str) -> None:
    """Both ends of a range are figures with the scale and unit that may stand at one of them only."""
    assert [(f.value, f.unit) for f in figures(text)] == [(low, unit), (high, unit)]


def test_a_level_after_a_fall_is_no_percentage() -> None:
    """The level that a price falls to doesn't get the percent sign of the fall."""
    assert [(f.value, f.unit) for f in figures("fell 3.1% to 19,341.83")] == [(3.1, "percent"), (19341.83, "")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$588.8 billion", "$589 billion"),
        ("$588.8 billion", "US$589,000 million"),
        ("16.97%", "17 per cent"),
        ("$5.576 million", "$5.6m"),
        ("$588.8 billion", "nearly $600 billion"),
        ("$593 billion", "about $600bn"),
        ("$969 billion", "almost $1 trillion"),
        ("$589 billion", "more than $500 billion"),
        ("2,048", "about 2,000"),
        ("$589 billion", "589 billion"),
        ("$118.42", "$118.42 a share"),
        ("more than 50,000", "about 50,000"),
    ],
)
def test_figures_that_agree(one: str, other: str) -> None:
    """Rounding, rough words and bounds that fit are no contradiction, in either order."""
    assert agree(figure(one), figure(other))
    assert agree(figure(other), figure(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$589 billion", "$593 billion"),
        ("$588.8 billion", "$588 billion"),
        ("$589 billion", "$1 trillion"),
        ("$589 billion", "$589 million"),
        ("$589 billion", "€589 billion"),
        ("$500 billion", "nearly $600 billion"),
        ("$603 billion", "nearly $600 billion"),
        ("$589 billion", "more than $600 billion"),
        ("17%", "17"),
        ("17%", "17 percentage points"),
        ("2,048", "2,000"),
        ("17 days", "17 hours"),
    ],
)
def test_figures_that_do_not_agree(one: str, other: str) -> None:
    """Other values and other units contradict, in either order."""
    assert not agree(figure(one), figure(other))
    assert not agree(figure(other), figure(one))


def test_a_source_bears_out_what_is_vaguer_but_not_what_is_more_precise() -> None:
    """From "nearly 600" nobody may conclude 589, though both can be true."""
    assert bears_out(figure("589"), figure("nearly 600"))
    assert bears_out(figure("nearly 600"), figure("600"))
    assert not bears_out(figure("nearly 600"), figure("589"))
    assert not bears_out(figure("about $15 billion"), figure("$15.1 billion"))
    assert not bears_out(figure("more than 500"), figure("589"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("27 January 2025", [(2025, 1, 27)]),
        ("January 27, 2025", [(2025, 1, 27)]),
        ("Jan. 27", [(None, 1, 27)]),
        ("the 27th of January", [(None, 1, 27)]),
        ("2025-01-27", [(2025, 1, 27)]),
        ("27 and 28 January 2025", [(2025, 1, 27), (2025, 1, 28)]),
        ("January 27-28, 2025", [(2025, 1, 27), (2025, 1, 28)]),
        ("May 2024", [(2024, 5, None)]),
        ("in May", [(None, 5, None)]),
        ("late February", [(None, 2, None)]),
        ("in 2023", [(2023, None, None)]),
        ("it may march on", []),
        ("in the late 1950's", []),
        ("2025's loss", [(2025, None, None)]),
        ("2,025 chips", []),
        ("2048 chips", []),
    ],
)
def test_dates(text: str, expected: list[tuple[int | None, int | None, int | None]]) -> None:
    """Days, months and years are read in British, American and ISO order, and verbs and counts are not."""
    assert [(d.year, d.month, d.day) for d in dates(text)] == expected


@given(st.text(alphabet="0123456789.,$%€-–+ /[]()\nabnmtx Jan27MaymillionV", max_size=60))
def test_any_text(text: str) -> None:
    """Whatever the text, figures and dates stand where they say, in order, and agree with themselves."""
    for found in (figures(text), dates(text)):
        assert all(text[f.start : f.end] == f.text for f in found)
        assert [f.start for f in found] == sorted(f.start for f in found)
    assert all(agree(f, f) and bears_out(f, f) for f in figures(text) if not f.rough)


def test_long_text_is_read_quickly() -> None:
    """Long runs of digits, signs and spaces are read in one go."""
    assert len(figures("about 5,000 and " * 5_000)) == 5_000
    assert figures("9" * 50_000 + "x") == []
