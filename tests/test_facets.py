"""Outlets, days and speakers in questions, and what the ranking makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from evals import facets as evaluation
from evals import news
from rag import Assistant
from rag.days import days_told
from rag.facets import facets, named, parts
from rag.period import Period, periods_named
from rag.preference import cover, cover_parts, prefer, preference
from rag.records import DoneEvent, Evidence, Passage, Source, StageEvent

OUTLETS = (
    "Reuters (via TRT World)",
    "The Information",
    "Fortune",
    "Nature",
    "OpenAI",
    "Time",
    "Harbour Post",
    "The Wall Street Journal (Dow Jones Newswires)",
)


def passage(text: str, outlet: str = "", published: str = "", score: float = 0.5, *others: str) -> Passage:
    """A passage of an article of its own."""
    sources = tuple(Source(name, date=published) for name in (outlet, *others) if name)
    return Passage(text, score, f"{outlet} {text}", "News", outlet, published, "", 0, len(text), sources)


def evidence(*passages: Passage) -> list[Evidence]:
    """The passages as the ranking has them."""
    return [Evidence(p, ()) for p in passages]


@pytest.mark.parametrize(
    ("question", "keys"),
    [
        ("What did the WSJ and the FT say?", ["outlet:Wall Street Journal", "outlet:Financial Times"]),
        ("What did the Journal report on Jan 28?", ["outlet:Wall Street Journal", "date:28 January 2025"]),
        ("What did reuters report before R1 came out?", ["outlet:Reuters", "date:until 19 January 2025"]),
        ("Is it true, according to Fortune?", ["outlet:Fortune"]),
        ("Did Time report the count?", ["outlet:Time"]),
        ("Fortune vs CNBC on Ellison", ["outlet:Fortune", "outlet:CNBC"]),
        ("What did The Information write in early February?", ["outlet:The Information", "date:1–10 February 2025"]),
        ("Harbour Post on the strike", ["outlet:Harbour Post"]),
        ("What fell on the last Monday of January?", ["date:27 January 2025"]),
        ("What rose between 27 and 31 January?", ["date:27–31 January 2025"]),
        ("Which shares rose in the week after the crash?", ["date:28 January – 3 February 2025"]),
        ("What did Sam Altman say about R1?", ["speaker:Sam Altman"]),
        ("what did altman say about r1", ["speaker:Altman"]),
        ("How did Nvidia respond, according to Reuters?", ["outlet:Reuters", "speaker:Nvidia"]),
        ("What did OpenAI say about R1?", ["speaker:OpenAI"]),
    ],
)
def test_what_a_question_names_is_recognised(question: str, keys: list[str]) -> None:
    """Outlets by their names and short forms, days and periods in words and figures, and speakers."""
    assert [facet.key for facet in facets(question, OUTLETS)] == keys


@pytest.mark.parametrize(
    "question",
    [
        "What time did the market open?",
        "Who made a fortune with Nvidia?",
        "Is there any information on the nature of the attack?",
        "Who gained from the crash?",
        "How tall is a 6 ft rack that runs an ap?",
        "What did analysts say?",
        "How much may shares fall in march step?",
        "What did he say?",
    ],
)
def test_common_words_are_no_facets(question: str) -> None:
    """Names that are words count only where an outlet is meant; events, verbs and pronouns are no days or speakers."""
    assert facets(question, OUTLETS) == ()


def test_a_facet_that_is_taken_off_is_gone() -> None:
    """What the user takes off is neither shown nor preferred."""
    question = "What did Reuters report on 28 January 2025?"
    assert [f.label for f in facets(question, OUTLETS, ignore=["date:28 January 2025"])] == ["Reuters"]
    assert named(question, OUTLETS, ignore=["date:28 January 2025", "outlet:Reuters"]) == ()


def test_an_outlets_own_article_is_preferred_to_one_that_credits_it() -> None:
    """Reported by it, then credited in the text, then one of several sources, then nothing."""
    wanted = named("What did Reuters report?", OUTLETS)
    passages = [
        passage("The strike goes on.", "Reuters"),
        passage("The strike goes on, Reuters reported.", "CNBC"),
        passage("The strike goes on.", "CNBC", "", 0.5, "Reuters (via TRT World)"),
        passage("The strike goes on.", "CNBC"),
    ]
    values = list(map(preference(wanted), passages))
    assert values == sorted(set(values), reverse=True)
    assert values[-1] == 0.0


def test_a_day_is_that_of_the_report_or_of_what_it_tells() -> None:
    """ "Reported on" prefers the day of publication, any other question the day that the text names."""
    issued = passage("The strike goes on.", "Reuters", "2025-02-08")
    told = passage("On 8 February 2025 the strike began.", "Reuters", "2025-03-01")
    neither = passage("On 1 March 2025 the strike ended.", "Reuters", "2025-03-01")
    report = named("What did Reuters report on 8 February?", OUTLETS)
    event = named("What began on 8 February?", OUTLETS)
    of_report, of_event = preference(report), preference(event)
    assert of_report(issued) > of_report(told) > of_report(neither)
    assert of_event(told) > of_event(issued) > of_event(neither) == 0.0


def test_a_weekday_is_the_last_one_before_publication() -> None:
    """News say "on Monday" and mean the last one."""
    assert days_told(passage("It fell on Monday.", "Reuters", "2025-01-28")) == ("2025-01-27",)


def test_preference_drops_nothing_and_keeps_the_best_score() -> None:
    """The only answer stays in the ranking, however little it has of what the question names."""
    ranked = evidence(passage("The strike ended.", "CNBC", "", 0.8), passage("Ships wait.", "Reuters", "", 0.6))
    preferred = prefer(ranked, named("What did Reuters report on the strike?", OUTLETS))
    assert [e.passage.outlet for e in preferred] == ["Reuters", "CNBC"]
    assert max(e.passage.score for e in preferred) == 0.8
    assert prefer(ranked, ()) == ranked


def test_far_passages_stay_behind_whatever_their_outlet() -> None:
    """An outlet's article about something else does not overtake what answers the question."""
    ranked = evidence(passage("The strike ended.", "CNBC", "", 0.9), passage("Tulips bloom.", "Reuters", "", 0.3))
    assert prefer(ranked, named("What did Reuters report on the strike?", OUTLETS))[0].passage.outlet == "CNBC"


@pytest.mark.parametrize(
    ("question", "labels"),
    [
        ("According to both Reuters and CNBC, how long was the strike?", ["Reuters", "CNBC"]),
        ("What did Nvidia, Oracle and Dell lose?", ["Nvidia", "Oracle", "Dell"]),
        ("Compare R1 with o1 in mathematics", ["R1", "o1"]),
        ("What changed from 27 January to 3 February?", []),
        ("How did shares move on 27 January and on 3 February 2025?", ["27 January 2025", "3 February 2025"]),
        ("What did Reuters report?", []),
    ],
)
def test_parts_are_what_needs_evidence_each(question: str, labels: Sequence[str]) -> None:
    """Several outlets, days or names are parts; a single one and the ends of a period are not."""
    assert [part.facet.label for part in parts(question, named(question, OUTLETS))] == labels


def test_each_of_two_outlets_has_a_place_among_the_first() -> None:
    """Ten passages of one outlet don't keep out the other's only one."""
    ranked = evidence(
        *(
            passage(f"The strike held up {n} ships, not 7 as CNBC says.", "Reuters", "", 0.9 - n / 100)
            for n in range(9)
        ),
        passage("The strike held up 7 ships.", "CNBC", "", 0.6),
    )
    question = "What did Reuters and CNBC report on the strike?"
    covered = cover_parts(ranked, parts(question, named(question, OUTLETS)))
    assert {e.passage.outlet for e in covered[:4]} == {"Reuters", "CNBC"}
    assert sorted(map(id, covered)) == sorted(map(id, ranked))


def test_covering_one_thing_does_not_uncover_another() -> None:
    """What gives way is something that nothing else wanted rests on."""
    wanted = [lambda n: n == 3, lambda n: n == 9, lambda n: n == 8]
    assert set(cover([1, 2, 3, 9, 8, 7], wanted, head=3)) == {1, 2, 3, 7, 8, 9}
    assert set(cover([1, 2, 3, 9, 8, 7], wanted, head=3)[:3]) == {3, 8, 9}


@pytest.mark.parametrize(
    ("question", "periods"),
    [
        ("from 27/01/2025 to 1/31/2025", [("2025-01-27", "2025-01-31")]),
        ("the Tuesday after the crash", [("2025-01-28", "2025-01-28")]),
        ("the Friday before 27 January", [("2025-01-24", "2025-01-24")]),
        ("the week of 27 January", [("2025-01-27", "2025-02-02")]),
        ("in the first week of February", [("2025-02-01", "2025-02-07")]),
        ("in the second half of April 2025", [("2025-04-16", "2025-04-30")]),
        ("what Nvidia may do in May", [("2025-05-01", "2025-05-31")]),
        ("on the day of the crash", [("2025-01-27", "2025-01-27")]),
        ("on 30 February", []),
        ("version 1.2.3 of the crash report", []),
    ],
)
def test_every_period_of_a_question_is_read(question: str, periods: list[tuple[str, str]]) -> None:
    """Days in figures and words, weekdays beside events, parts of months; days that there are not are none."""
    assert periods_named(question) == tuple(Period(*days) for days in periods)


def test_made_up_news_are_the_same_each_time() -> None:
    """Gold passages are named by outlet and day, so the items must not change from run to run."""
    items = list(news.articles())
    assert items == list(news.articles())
    assert len({item.id for item in items}) == len(items)
    assert len({item.text for item in items if item.id.startswith("ferry")}) == 16


def test_facets_are_scored_by_keys_and_ranks() -> None:
    """A facet too many lowers precision, one too few recall; a question with two groups needs both."""
    one = evaluation.Question("a", "news", "?", frozenset({"outlet:CNBC", "date:1"}), (("x",),))
    two = evaluation.Question("b", "news", "?", frozenset({"outlet:CNBC"}), (("x",), ("y",)))
    outcomes = [
        evaluation.Outcome(one, frozenset({"outlet:CNBC"}), (1,), (0,)),
        evaluation.Outcome(two, frozenset({"outlet:CNBC", "date:2"}), (0, 4), (0, 3)),
    ]
    assert evaluation.summary(outcomes) == {
        "questions": 2,
        "facet precision": 0.6667,
        "facet recall": 0.6667,
        "hit@1 without": 0.0,
        "hit@1 with": 1.0,
        "hit@4 without": 1.0,
        "hit@4 with": 1.0,
        "all found without": 0.0,
        "all found with": 1.0,
    }


def test_an_answer_says_what_was_preferred_before_it_reads(assistant: Assistant) -> None:
    """The chips come before the passages are read, stand in the answer, and can be taken off."""
    question = "What did Reuters report on 29 January 2025 about High-Flyer's first cluster?"
    events = list(assistant.stream(question))
    kinds = [event.stage if isinstance(event, StageEvent) else event.type for event in events]
    assert kinds[:3] == ["search", "facets", "read"]
    assert isinstance(events[-1], DoneEvent)
    assert [facet.key for facet in events[-1].answer.facets] == ["outlet:Reuters", "date:29 January 2025"]
    without = assistant.ask(question, ignore=["outlet:Reuters", "date:29 January 2025"])
    assert without.facets == ()
    assert not without.refused


def test_a_search_prefers_what_the_question_names_unless_it_is_taken_off(assistant: Assistant) -> None:
    """Search and answers take the same facets off."""
    question = "What did Zing News report about the family?"
    assert "Zing News" in assistant.retrieve(question, k=1)[0].text
    scores = [passage.score for passage in assistant.retrieve(question, ignore=["outlet:Zing News"])]
    assert scores == sorted(scores, reverse=True)
