"""How far prices moved on a day, read out of sentences."""

from __future__ import annotations

import pytest

from rag.changes import daily_changes, moves
from rag.records import Source
from tests.fakes import told

Read = tuple[str, str, float]


def read(sentence: str, published: str = "2025-01-29") -> list[Read]:
    return [(move.subject, move.day, move.percent) for move in moves(sentence, published)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Shares of Nvidia closed down 17 percent on 27 January 2025.", [("Nvidia", "2025-01-27", -17.0)]),
        (
            "Rolls-Royce (RR) stock jumped 4.2% Tuesday, while the broader FTSE 100 ended 0.4% higher.",
            [("Rolls-Royce", "2025-01-28", 4.2), ("FTSE 100", "2025-01-28", 0.4)],
        ),
        (
            "The Sensex, India's best-known index, lost 824.29 points, or 1.08%, on January 27, 2025.",
            [("Sensex", "2025-01-27", -1.08)],
        ),
        (
            "Tata Motors gained 3.6%, Infosys 3.2% and Wipro about 1% on 28 January 2025, Mint reported.",
            [("Tata Motors", "2025-01-28", 3.6), ("Infosys", "2025-01-28", 3.2), ("Wipro", "2025-01-28", 1.0)],
        ),
        (
            "Siltronic shares rose 8.9% on 28 January, fell 4.1% on 29 January and lost 3.7% on 31 January 2025.",
            [("Siltronic", f"2025-01-{day}", change) for day, change in ((28, 8.9), (29, -4.1), (31, -3.7))],
        ),
        (
            "Enel and Iberdrola slid 9.3% and 8.4% on 27 January 2025.",
            [("Enel", "2025-01-27", -9.3), ("Iberdrola", "2025-01-27", -8.4)],
        ),
        (
            "The SMI closed at 12,003.4 on 27 January 2025, down 0.97% from its close of 24 January 2025.",
            [("SMI", "2025-01-27", -0.97)],
        ),
        (
            "Euro Stoxx 50 futures were 0.6% lower at 07:10 on 28 January 2025.",
            [("Euro Stoxx 50 futures", "2025-01-28", -0.6)],
        ),
        ("The decline in spot silver on 27 January 2025 came to 1.9%.", [("Spot silver", "2025-01-27", -1.9)]),
        (
            "Comet Holding, which makes X-ray sources, was hit hardest on 27 January 2025, sinking 11.2%.",
            [("Comet Holding", "2025-01-27", -11.2)],
        ),
    ],
)
def test_who_moved_which_way_on_which_day_is_read(sentence: str, expected: list[Read]) -> None:
    """However news puts it: verb or noun, before or after, in lists that leave the rest unsaid."""
    assert read(sentence) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "Nvidia fell 17%.",  # on which day?
        "It fell 17% on 27 January 2025.",
        "Investors in Nvidia lost 17% on 27 January 2025.",
        "Nvidia lost 15.8% over the week to 31 January 2025.",
        "Nvidia gained about 74% between the low of April and 9 July 2025.",
        "Nvidia's revenue rose 78% on 26 January 2025 compared with a year earlier.",
        "Nvidia held 17% of the market on 27 January 2025.",
        'An analyst said on 27 January 2025: "Nvidia fell 40% in my nightmares".',
        "Downloads of the app rose by 110% on 27 January 2025.",
        "Leveraged funds on Nvidia lost between 33% and 34% on 27 January 2025.",
    ],
)
def test_what_leaves_something_open_gives_nothing(sentence: str) -> None:
    """No value is better than one that belongs to another subject, day or span of time."""
    assert read(sentence) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Renesas was as much as 9.5% lower on 28 January 2025.",
        "Renesas fell 6.9% before the opening bell of 28 January 2025.",
        "At midday on 28 January 2025 Renesas was 1.2% lower.",
    ],
)
def test_what_was_measured_before_the_close_is_told_apart(sentence: str) -> None:
    """A fall at midday is not the day's."""
    assert [move.at_close for move in moves(sentence)] == [False]
    assert [move.at_close for move in moves("Renesas fell 2% on 28 January 2025, to 1,950.50.")] == [True]


def test_reports_that_agree_are_one_value_and_others_stay() -> None:
    """Rounded values join the exact one; a different one is shown as well; each is cited where it stands."""
    exact = told("exact", "Aixtron shares fell 7.85% to €14.20 on 27 January 2025.", sources=(Source("Wire"),))
    rounded = told("rounded", "Markets were down.\n\nAixtron SE lost about 8% on 27 January 2025, Reuters reported.")
    other = told("other", "On 27 January 2025 Aixtron dropped 9.1%.")
    before = told("before", "Aixtron rose 1.0% on 24 January 2025.")
    found = daily_changes([exact, rounded, other, before])
    assert [(c.subject, c.date, c.written, c.level) for c in found] == [
        ("Aixtron", "2025-01-24", "1.0%", ""),
        ("Aixtron", "2025-01-27", "7.85%", "€14.20"),
        ("Aixtron", "2025-01-27", "9.1%", ""),
    ]
    assert found[1].outlets == ("Wire", "Reuters")
    assert [c.number for change in found for c in change.citations] == [1, 2, 3, 4]
    texts = {article.id: article.text for article, _ in (exact, rounded, other, before)}
    for change in found:
        for c in change.citations:
            assert texts[c.passage.article_id][c.start : c.end] == c.quote
    assert daily_changes([exact, before], start="2025-01-25", end="2025-01-26") == []


def test_short_and_long_names_are_one_subject() -> None:
    """A company goes by several names, which its articles say; names that could be two things stay apart."""
    texts = [
        "Tokyo Gas and Chubu Electric Power Company, or CEPCO, fell; Chubu Electric Power lost 2% on 27 January 2025.",
        "CEPCO rose 1% on 28 January 2025.",
        "The Nasdaq fell 3.1% on 27 January 2025.",
        "The Nasdaq 100 fell 3% and the Nasdaq Composite 3.1% on 27 January 2025.",
    ]
    found = daily_changes([told(f"a{number}", text) for number, text in enumerate(texts)])
    assert {change.subject for change in found} == {"CEPCO", "Nasdaq", "Nasdaq 100", "Nasdaq Composite"}
