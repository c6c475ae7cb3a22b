"""Values that sources give differently, and those that only look so."""

from __future__ import annotations

import pytest

from evals import disagreements as evaluation
from rag import Assistant
from rag.contradiction import contradict
from rag.disagreements import disagreements
from rag.headings import heading
from rag.records import Citation, Evidence, Passage, Sentence
from rag.reports import claims


def evidence(*articles: tuple[str, str]) -> list[Evidence]:
    """One passage of one sentence each, of an outlet."""
    return [
        Evidence(
            Passage(text, 0.5, outlet, "News", outlet, "2025-01-28", "", 0, len(text)),
            (Sentence(text, 0, len(text), 0.8, 0.8),),
        )
        for outlet, text in articles
    ]


def contradictory(one: str, other: str) -> bool:
    """Whether any of their claims contradict each other."""
    return any(contradict(a, b) for a in claims(one) for b in claims(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Oriel lost $589 billion on 27 January 2025.", "Reuters said Oriel lost $593 billion on 27 January 2025."),
        ("The strike in Varn began on 8 February 2025.", "The strike in Varn began on 6 February 2025."),
        ("Valdo recalled 41,000 vans.", "Valdo recalled 53,000 vans, according to the BBC."),
        ('"We saw it coming," said Maria Lund.', '"We saw it coming," said Peter Aske.'),
    ],
)
def test_different_values_of_the_same_thing_contradict(one: str, other: str) -> None:
    """Figures, days and who said something can be disputed."""
    assert contradictory(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Oriel lost $588.8 billion on 27 January 2025.", "Oriel lost $589 billion on 27 January 2025."),
        ("Oriel lost nearly $600 billion on 27 January 2025.", "Oriel lost $589 billion on 27 January 2025."),
        ("Oriel lost $589 billion on 27 January 2025.", "Valdo lost $593 billion on 27 January 2025."),
        ("Oriel fell 17% on 27 January 2025.", "Oriel fell 4.1% on 29 January 2025."),
        ("Disco closed 2.9% lower on 28 January 2025.", "Disco fell as much as 9.5% on 28 January 2025."),
        ("Oriel expected to spend $60 billion in 2025.", "Oriel spent $72 billion in 2025."),
        ("The strike began on 8 February 2025.", "The strike ended on 21 February 2025."),
        ("Oriel fell 17% on 27 January 2025.", "Oriel lost $589 billion on 27 January 2025."),
    ],
)
def test_rounding_and_other_things_are_no_dispute(one: str, other: str) -> None:
    """Rounded and vague values, other subjects, days, bases and units don't contradict."""
    assert not contradictory(one, other)


def test_values_are_grouped_with_outlets_dates_and_citations_that_open() -> None:
    """Agreeing values are one, in order of size; each can be opened, and citations that there are are used."""
    found = evidence(
        ("CNBC", "Oriel lost $593 billion of market value on 27 January 2025."),
        ("Bloomberg", "Oriel lost $589 billion of market value on 27 January 2025."),
        ("Forbes", "Oriel lost $588.8 billion of market value on 27 January 2025."),
    )
    cited = Citation(1, found[0].passage.text, found[0].passage, 0, found[0].passage.end)
    disputed, further = disagreements("How much market value did Oriel lose?", found, [cited])
    assert [(v.value, set(v.outlets), v.citations) for v in disputed[0].values] == [
        ("$589 billion", {"Bloomberg", "Forbes"}, (2,)),
        ("$593 billion", {"CNBC"}, (1,)),
    ]
    assert [(c.number, c.quote) for c in further] == [(2, found[1].passage.text)]
    assert disputed[0].subject == "Oriel's loss of market value on 27 January 2025"
    assert disputed[0].explanation == ""


def test_each_value_is_listed_with_all_who_give_it() -> None:
    """A value that is vague or more exact than another, and whoever gives it in the same sentence, is not left out."""
    found = evidence(
        ("Forbes", "Oriel's loss of market value on 27 January 2025, Forbes reported, was $589 billion."),
        (
            "CNBC",
            "Reports disagree on how much market value Oriel lost on 27 January 2025: Reuters said $593 billion, CNBC "
            "more than $595 billion, Barron's $596 billion and the Daily Star $596.7 billion.",
        ),
    )
    disputed, _ = disagreements("How much market value did Oriel lose?", found)
    values = {v.value: set(v.outlets) for v in disputed[0].values}
    assert values["$593 billion"] == {"Reuters"}
    assert values["more than $595 billion"] == {"CNBC"}
    assert values["$596.7 billion"] == {"Daily Star"}
    assert disputed[0].subject == "Oriel's loss of market value on 27 January 2025"


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Oriel's loss on 27 January 2025, put at …", "Oriel's loss on 27 January 2025"),
        ("A figure of … for Oriel's loss", "Oriel's loss"),
        ("Reports disagree on how much Oriel lost in 2025: …", "How much Oriel lost in 2025"),
        ("The workers of Oriel rose … in 2025", "Workers of Oriel's rise in 2025"),
        ("For 2024 the spending of Oriel and Valdo at …", "Spending of Oriel and Valdo for 2024"),
        ("Oriel built … ships", "Oriel built … ships"),
    ],
)
def test_what_is_disputed_is_named(told: str, name: str) -> None:
    """A reader sees what the reports differ in, not the beginning of a sentence."""
    assert heading([told]) == name


def test_what_is_not_asked_is_not_disputed() -> None:
    """A dispute about something else in the same passages stays out of the answer."""
    found = evidence(
        ("CNBC", "Oriel lost $593 billion of market value on 27 January 2025."),
        ("Forbes", "Oriel lost $589 billion of market value on 27 January 2025."),
    )
    assert disagreements("How many vans did Valdo recall?", found) == ((), ())
    assert disagreements("Why did Oriel fall?", found) == ((), ())


def test_an_answer_shows_what_reports_differ_in(assistant: Assistant) -> None:
    """The sums for Nvidia's loss stand side by side, and every citation stands in its article."""
    answer = assistant.ask("How much market value did Nvidia lose on 27 January 2025?")
    values = {value.value: value for value in answer.disagreements[0].values}
    assert {"$589 billion", "$593 billion"} <= {value.removeprefix("about ") for value in values}
    numbers = [citation.number for citation in answer.citations]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(value.citations and set(value.citations) <= set(numbers) for value in values.values())
    for citation in answer.citations:
        assert assistant.article(citation.passage.article_id).text[citation.start : citation.end] == citation.quote


def test_pairs_are_scored_by_precision_and_recall() -> None:
    """A false alarm lowers precision, a missed contradiction recall."""
    text = "Valdo recalled 41,000 vans."
    pairs = [
        evaluation.Pair("a", "disagree", text, "Valdo recalled 53,000 vans."),
        evaluation.Pair("b", "disagree", text, text),
        evaluation.Pair("c", "agree", text, "Valdo recalled 59,000 vans."),
    ]
    assert evaluation.summary(pairs) == {"pairs": 3, "precision": 0.5, "recall": 0.5}
