"""Dated events from articles, and the questions that ask for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ingest import sync
from rag import Assistant, Settings
from rag.chronology import asked_timeline
from rag.embed import MiniLM
from rag.errors import QuestionError
from rag.period import Period, period_named
from rag.records import DoneEvent, StageEvent
from rag.sequence import SURE, shipped
from rag.timeline import MOST_A_DAY, MOST_CITATIONS, in_lines, timeline
from tests.fakes import Told, told


def lines(
    articles: Sequence[Told],
    start: str = "",
    end: str = "",
    about: dict[tuple[str, int], float] | None = None,
    most: int | None = None,
) -> list[str]:
    """The texts of a timeline, checked for what holds for every one: in order, cited exactly, numbered throughout."""
    entries = timeline(articles, start, end, about, most)
    assert [entry.date for entry in entries] == sorted(entry.date for entry in entries)
    texts = {article.id: article.text for article, _ in articles}
    citations = [citation for entry in entries for citation in entry.citations]
    assert [citation.number for citation in citations] == list(range(1, len(citations) + 1))
    for citation in citations:
        assert texts[citation.passage.article_id][citation.start : citation.end] == citation.quote
    for entry in entries:
        assert entry.text == " ".join(entry.citations[0].quote.split())
    return [entry.text for entry in entries]


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ("Nvidia has been watched closely since 27 January 2025.", "Nvidia shares fell 17% on 27 January 2025."),
        (
            "Reuters reported on 27 January 2025 that a record was near.",
            "On Monday 27 January 2025 Nvidia shares fell 17%.",
        ),
        ("Nvidia's value of 27 January 2025 is disputed.", "Nvidia lost $589 billion on January 27, 2025."),
        ("They also lost 12% on 27 January 2025.", "Micron shares lost 12% on 27 January 2025."),
        (
            "Shares rose on 24 January 2025 and fell on 27 January 2025.",
            "Nvidia shares fell on Monday, 27 January 2025.",
        ),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_sentence_that_tells_the_event_is_chosen(worse: str, better: str, turned: bool) -> None:
    """A line says what happened on the day, rather than naming the day in passing, wherever in the text it stands."""
    text = f"Some words come first.\n\n{better} {worse}" if turned else f"Some words come first.\n\n{worse} {better}"
    assert lines([told("a", text, "2025-01-27")]) == [better]


def test_a_day_without_an_event_is_left_out() -> None:
    """A date that is only a bound, or that no sentence names in full, gives no line rather than a wrong one."""
    text = "Chips had been scarce until 27 January 2025. Italy blocked the app on 30 January."
    assert lines([told("a", text, "2025-01-27", "2025-01-30")]) == []


def test_the_same_event_of_several_articles_is_one_line() -> None:
    """Who reads a timeline reads each event once, with everybody who tells of it, and no more marks than needed."""
    tellings = [
        "Italy's data protection authority blocked the DeepSeek app on 30 January 2025.",
        "On 30 January 2025 the data protection authority of Italy blocked DeepSeek's app.",
        "The DeepSeek app was blocked by Italy's data protection authority on 30 January 2025.",
        "Italy's data protection authority had the DeepSeek app blocked on 30 January 2025.",
    ]
    other = "Nvidia edged up 0.8% to $124.65 on 30 January 2025."
    articles = [told(f"a{i}", text, "2025-01-30") for i, text in enumerate([*tellings, other])]
    entries = timeline(articles)
    assert [len(entry.citations) for entry in entries] == [MOST_CITATIONS, 1]
    assert entries[1].text == other
    assert len({citation.passage.article_id for citation in entries[0].citations}) == MOST_CITATIONS


MAKERS = ("Nvidia", "Oracle", "Micron", "Vistra", "Apple", "Disco", "Arm", "Marvell")
PLANTS = ("lathes", "boats", "carpets", "bicycles", "pianos", "tents", "windows", "umbrellas")
CROWDED = [
    told(f"{maker.lower()}-{day}", f"{maker} opened a factory for {plant} on {day} March 2025.", f"2025-03-{day:02}")
    for day in (3, 4)
    for maker, plant in zip(MAKERS, PLANTS, strict=True)
]


def test_a_crowded_day_is_cut_to_its_main_events() -> None:
    """A day that everybody writes about must not drown the days around it."""
    assert len(lines(CROWDED)) == 2 * MOST_A_DAY


def test_a_limit_is_shared_between_the_days() -> None:
    """An answer of few lines tells of each day before it tells more of one."""
    assert [re.findall(r"\d March", line)[0] for line in lines(CROWDED, most=3)] in (
        ["3 March", "3 March", "4 March"],
        ["3 March", "4 March", "4 March"],
    )


def test_period_and_subject_limit_the_events() -> None:
    """Asked about one company in one week, a reader gets neither another week nor another company."""
    articles = [
        told("rise", "Nvidia shares rose 9% on 28 January 2025.", "2025-01-28"),
        told("fall", "Nvidia shares fell 17% on 27 January 2025.", "2025-01-27"),
        told("ban", "Texas banned DeepSeek on 28 January 2025.", "2025-01-28"),
        told("late", "Nvidia closed at $116.66 on 3 February 2025.", "2025-02-03"),
    ]
    assert len(lines(articles)) == 4
    assert len(lines(articles, "2025-01-28", "2025-01-31")) == 2
    about = {("rise", 0): 1.0, ("fall", 0): 0.98, ("late", 0): 0.99, ("ban", 0): 0.6}
    assert lines(articles, "2025-01-28", "2025-01-31", about) == ["Nvidia shares rose 9% on 28 January 2025."]
    assert lines(articles, "", "", {}) == []


# Articles that nobody has marked with days

PLANT = [
    told(
        "ledger",
        "OSAKA, March 11 (Wire) - Halden Optics stopped work at its Osaka plant on Monday after a fire. The company"
        " said on Tuesday that it would open the site again. Shares of Halden fell 8.2% on Monday.\n\nHalden, which"
        " opened the plant on 4 May 2019, will publish results on Thursday. Nobody had worked there since Friday.",
        title="Halden halts its Osaka plant",
        published="2025-03-12",
    ),
    told(
        "post",
        "A fire stopped Halden Optics' plant in Osaka on March 10. Is the plant finished? Published on March 11.",
        title="Fire stops Osaka plant of Halden Optics",
        published="2025-03-11",
    ),
    told(
        "courier",
        "Boreal Networks agreed on Wednesday to buy Tarn Labs for $2.1 billion. A deal announced on Tuesday fell apart."
        " We met the founder on Sunday. The regulator reported on 3 March that all was well.",
        title="Boreal to buy Tarn",
        published="2025-03-13",
    ),
]


def test_events_are_told_by_articles_that_nobody_marked() -> None:
    """Somebody's own articles have a timeline: what they tell beyond doubt, on its day, once, with all who tell it."""
    entries = timeline(PLANT)
    assert [(entry.date, entry.text, len(entry.citations)) for entry in entries] == [
        ("2025-03-10", "A fire stopped Halden Optics' plant in Osaka on March 10.", 2),
        ("2025-03-12", "Boreal Networks agreed on Wednesday to buy Tarn Labs for $2.1 billion.", 1),
    ]
    assert len(lines(PLANT)) == 2
    assert lines(PLANT, "2025-03-11") == [entries[1].text]


@pytest.mark.parametrize(
    "sentence",
    [
        "Nvidia will publish its results on Wednesday.",
        "Nvidia fell after DeepSeek released its model on Monday.",
        "The shares, which fell 17% on Monday, rose again.",
        "The rout that began on Monday is over.",
        "Nvidia closed higher than on Monday.",
        "Reuters reported on Monday that Nvidia lost ground.",
        "The rules announced on Monday ban all exports.",
        "He sold all his shares on Monday.",
        "On Monday, the company sold its plant.",
        "On Monday we sold our shares in Nvidia.",
        "Did Nvidia lose $589 billion on Monday?",
        "Published on Monday by the Harbour Times",
        '"We sold it all on Monday," the founder of High-Flyer said.',
        "Nvidia lost 17% on Monday 3 March 2031.",
    ],
)
def test_what_leaves_a_doubt_is_no_event(sentence: str) -> None:
    """A day named in passing, told by hearsay, by somebody unnamed, or still to come, gives no line."""
    assert lines([told("a", sentence, published="2025-01-30")]) == []


def test_a_line_says_its_day() -> None:
    """In an answer, "on Monday" has the date in front; a sentence with its own date has none."""
    text = in_lines(timeline(PLANT[2:])).text
    assert text == "12 March 2025: Boreal Networks agreed on Wednesday to buy Tarn Labs for $2.1 billion. [1]"
    assert in_lines(timeline([told("a", "Nvidia shares fell on 27 January 2025.", "2025-01-27")])).text.startswith("Nv")


@pytest.mark.parametrize(
    ("question", "period"),
    [
        ("What happened on 27 January 2025?", ("2025-01-27", "2025-01-27", "")),
        ("what happened on Jan 30", ("2025-01-30", "2025-01-30", "")),
        ("What took place on 2025-01-30?", ("2025-01-30", "2025-01-30", "")),
        ("What happened between 20 and 31 January?", ("2025-01-20", "2025-01-31", "")),
        ("What happened from January 20 to February 4, 2025?", ("2025-01-20", "2025-02-04", "")),
        ("What happened in the week after the crash?", ("2025-01-28", "2025-02-03", "")),
        ("What happened in the week after?", ("2025-01-28", "2025-02-03", "")),
        ("What happened in the three days following R1's launch?", ("2025-01-21", "2025-01-23", "")),
        ("What happened the weekend before the sell-off?", ("2025-01-25", "2025-01-26", "")),
        ("What happened the next day?", ("2025-01-28", "2025-01-28", "")),
        ("What happened after the crash?", ("2025-01-28", "", "")),
        ("What happened the week of 27 January?", ("2025-01-27", "2025-02-02", "")),
        ("What happened in late February 2025?", ("2025-02-21", "2025-02-28", "")),
        ("What happened in 2023?", ("2023-01-01", "2023-12-31", "")),
        ("How did it unfold?", ("2025-01-20", "2025-02-04", "")),
        ("How did the crash unfold?", ("2025-01-20", "2025-02-04", "")),
        ("List the events of that week in order", ("2025-01-27", "2025-02-02", "")),
        ("Which events led from R1's release to the crash?", ("2025-01-20", "2025-01-27", "")),
        ("What happened to Nvidia in the week after the crash?", ("2025-01-28", "2025-02-03", "Nvidia")),
        ("What happened to R1 models in the days after 27 January?", ("2025-01-28", "2025-02-03", "R1 models")),
        ("How did Nvidia's shares move in the days before the rout?", ("2025-01-20", "2025-01-26", "Nvidia's shares")),
        ("Timeline of the Stargate project", ("", "", "Stargate project")),
        ("What happened when?", ("2025-01-20", "2025-02-04", "")),
        ("Walk me through the week of the crash", ("2025-01-27", "2025-02-02", "")),
        ("Take me through the days before the sell-off.", ("2025-01-20", "2025-01-26", "")),
        ("Summarise the events of late January 2025.", ("2025-01-21", "2025-01-31", "")),
        ("In which order did Italy and Texas ban DeepSeek?", ("", "", "Italy Texas ban DeepSeek")),
        ("Arrange by date: the launch of R1, the crash, the rebound", ("2025-01-20", "2025-02-04", "")),
        ("Recap the events from Christmas to the crash", ("2024-12-25", "2025-01-27", "")),
        ("List DeepSeek's models before R1 in the order they came out.", ("", "2025-01-19", "DeepSeek's models")),
        (
            "Nvidia's stock day by day from Monday 27 to Friday 31 January",
            ("2025-01-27", "2025-01-31", "Nvidia's stock"),
        ),
        ("Nvidia session by session for the week of the rout", ("2025-01-27", "2025-02-02", "Nvidia")),
        ("In what order did governments ban it, until mid-February?", ("", "2025-02-20", "governments ban")),
        (
            "List in order who banned it between the end of January and about 10 February",
            ("2025-01-21", "2025-02-10", "banned"),
        ),
        ("What went on between Trump's inauguration and the crash a week later?", ("2025-01-20", "2025-01-27", "")),
        (
            "The days from Trump's inauguration to the weekend before the crash: what happened in AI on which day?",
            ("2025-01-20", "2025-01-26", ""),
        ),
        ("29 January 2025: what all happened that day around DeepSeek?", ("2025-01-29", "2025-01-29", "")),
        ("What happened on the 28th?", ("2025-01-28", "2025-01-28", "")),
        ("What happened on 28 January 2025, the day after the big fall?", ("2025-01-28", "2025-01-28", "")),
        ("What happened on 30 January 2025 concerning DeepSeek?", ("2025-01-30", "2025-01-30", "")),
        ("What went down on 27 January 2025? In order, please.", ("2025-01-27", "2025-01-27", "")),
        ("Timeline of DeepSeek from its founding to the release of R1", ("", "2025-01-20", "DeepSeek founding")),
        (
            "Timeline of chip rules from the first controls to January 2025",
            ("", "2025-01-31", "chip rules first controls"),
        ),
        ("Which US states banned it, and when?", ("", "", "American states banned")),
        ("The sequence with dates: V3, then R1, then the bad Monday.", ("2024-12-26", "2025-02-04", "")),
        ("South Korea's steps, one after the other", ("", "", "South Korea's")),
        ("Which bans came in the week or so after the share rout?", ("2025-01-28", "2025-02-03", "bans")),
        ("Which states banned it in the days after the crash?", ("2025-01-28", "2025-02-03", "states banned")),
        ("What happened among its rivals on 29 January?", ("2025-01-29", "2025-01-29", "among rivals")),
        ("What did OpenAI release in the week after the crash?", ("2025-01-28", "2025-02-03", "OpenAI release")),
        (
            "Nvidia's stock session by session from Monday the 27th to that Friday",
            ("2025-01-27", "2025-01-31", "Nvidia's stock"),
        ),
        ("bans thru mid feb, dates pls", ("", "2025-02-20", "bans")),
        ("Trace how states shut it out with dates, into February", ("", "2025-02-28", "states shut")),
        ("Key dates of its founder up to February 2025", ("", "2025-02-28", "founder")),
        ("Chronology of its founder until R1", ("", "2025-01-20", "founder")),
        ("Its releases from March until the summer, oldest first", ("2025-03-01", "2025-08-31", "releases first")),
        (
            "From where we sit privacy matters most to us, so could you list in order what Italy's regulator did?",
            ("", "", "Italy's regulator"),
        ),
    ],
)
def test_questions_for_a_timeline_are_recognised(question: str, period: tuple[str, str, str]) -> None:
    """However a period is put, the reader gets its events."""
    assert asked_timeline(question) == Period(*period)


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("Which regulators looked into the app, which of them blocked it, and on what days did they act?", True),
        ("I was at sea that week. Who in Brussels reacted, and on which days?", True),
        ("Set out how Washington tightened chip sales to China, from the first rules on", True),
        ("I need every move of the Australian authorities against the app with its day", True),
        ("Who reacted first in Brussels, and what was said?", False),
        ("On which day did the Italian affair end?", False),
        ("How many days passed from the first query to the block?", False),
        ("One paper gives 28 January and another 30 January for the Italian order: which is right?", False),
        ("Take me through the mathematics of GRPO", False),
    ],
)
def test_a_sequence_is_recognised_without_any_word_for_one(question: str, asks: bool) -> None:
    """Readers who want events in order often say neither "timeline" nor "order"; days alone don't ask for it."""
    likelihood = shipped().likelihood(question, MiniLM().embed_question(question).vector)
    assert (likelihood >= SURE) is asks


@pytest.mark.parametrize(
    "question",
    [
        "How much did Nvidia lose on 27 January 2025?",
        "What happened to Nvidia on 27 January 2025?",
        "What did Reuters report in the week after the crash?",
        "Why did shares fall in the week after the crash?",
        "Which countries banned DeepSeek in 2025?",
        "Which companies hosted R1 in the week after the crash?",
        "What happened to Liang Wenfeng's wealth?",
        "What happened?",
        "Explain step by step how GRPO works.",
        "Walk me through how R1 was trained.",
        "Give me the date of R1's release.",
        "Tell me the day on which the app was blocked.",
        "When was R1 released?",
        "What did OpenAI do in order to protect its models?",
        "How did DeepSeek develop R1 in 2024?",
        "What happened on 31 February?",
        "What happened when you asked it about Tiananmen Square?",
        "Who founded DeepSeek, and when?",
        "What is the 4th generation of Nvidia's chips?",
    ],
)
def test_other_questions_are_left_alone(question: str) -> None:
    """A question for a fact gets its answer, not a list of events."""
    assert asked_timeline(question) is None


def test_a_period_follows_the_question_before() -> None:
    """In a conversation "the week after" is the week after what was asked about."""
    assert asked_timeline("And what happened in the week after?", "What happened on 29 May 2025?") == Period(
        "2025-05-30", "2025-06-05"
    )
    assert period_named("the day after", "") == Period("2025-01-28", "2025-01-28")


# Over the shipped articles


def answer_of(
    assistant: Assistant, question: str, history: Sequence[tuple[str, str]] = ()
) -> tuple[list[str], list[str]]:
    """The lines of an answer and the days of their first citations' quotes, checked as every answer is."""
    *events, last = assistant.stream(question, history)
    assert isinstance(last, DoneEvent)
    assert any(isinstance(event, StageEvent) for event in events)
    answer = last.answer
    assert not answer.refused
    assert [int(n) for n in re.findall(r"\[(\d+)\]", answer.text)] == [c.number for c in answer.citations]
    for citation in answer.citations:
        text = assistant.article(citation.passage.article_id).text
        assert text[citation.start : citation.end] == citation.quote
        assert citation.passage in answer.passages
    return answer.text.splitlines(), [c.quote for c in answer.citations]


def test_what_happened_on_a_day_is_answered_in_dated_lines(assistant: Assistant) -> None:
    """The reader who asks for a day gets its events, one a line, at most ten, each with the day in it."""
    told_lines, _ = answer_of(assistant, "What happened on 27 January 2025?")
    assert 4 <= len(told_lines) <= 10
    assert all("27 January 2025" in line for line in told_lines)
    assert "Nvidia" in told_lines[0] or "technology shares" in told_lines[0]


def test_what_happened_in_a_week_is_answered_in_order(assistant: Assistant) -> None:
    """The reader sees the week unfold, each day before more of one, and nothing from outside it."""
    told_lines, _ = answer_of(assistant, "What happened in the week after the crash?")
    days = [re.findall(r"\b(\d\d?) (January|February) 2025", line)[0] for line in told_lines]
    order = [(month == "February", int(day)) for day, month in days]
    assert order == sorted(order)
    assert {(False, 28), (False, 29), (False, 30), (False, 31)} <= set(order)
    assert order[-1] <= (True, 3)


def test_a_follow_up_asks_for_the_next_day(assistant: Assistant) -> None:
    """A conversation can go on from day to day."""
    told_lines, _ = answer_of(assistant, "And what happened the next day?", [("What happened on 29 January 2025?", "")])
    assert all("30 January 2025" in line for line in told_lines)


def test_a_subject_in_a_week_is_answered_with_its_events(assistant: Assistant) -> None:
    """The reader who asks about Nvidia reads about Nvidia."""
    told_lines, _ = answer_of(assistant, "What happened to Nvidia shares in the week after the crash?")
    assert len(told_lines) >= 3
    assert any("8.9%" in line for line in told_lines)
    assert sum("Nvidia" in line for line in told_lines) >= len(told_lines) - 1


def test_events_that_are_listed_are_told_in_order(assistant: Assistant) -> None:
    """Who names some events gets each of them, also one that few others are told of on its day."""
    told_lines, _ = answer_of(assistant, "Put in order: the crash, the Stargate announcement, the release of R1.")
    places = [
        next(place for place, line in enumerate(told_lines) if words in line and day in line)
        for words, day in (("R1", "20 January"), ("Stargate", "21 January"), ("Nvidia", "27 January"))
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("question", "told_of"),
    [
        ("Chronology of the governments that restricted DeepSeek, please", ("Australia", "Texas", "Italy", "Taiwan")),
        ("timeline of deepseek's model releases from V3 through R1", ("V3", "R1")),
    ],
)
def test_a_subject_is_found_by_what_it_means(assistant: Assistant, question: str, told_of: tuple[str, ...]) -> None:
    """Articles have other words for it than the reader: "banned" for "restricted"."""
    told_lines, _ = answer_of(assistant, question)
    assert len(told_lines) >= 2
    assert sum(any(word in line for line in told_lines) for word in told_of) >= 2


def test_a_share_is_followed_by_its_moves(assistant: Assistant) -> None:
    """Who asks how a share moved from day to day gets each day's move, and not what else happened."""
    told_lines, _ = answer_of(
        assistant, "How did Nvidia's stock move day by day from Monday 27 to Friday 31 January 2025?"
    )
    assert all(re.search(r"\d ?%|\$\d", line) for line in told_lines)
    for day, moves in ((27, r"16\.97%|17%|\$589 billion"), (28, r"8\.9%|about 9%"), (29, r"4\.1%")):
        assert any(f"{day} January" in line and re.search(moves, line) for line in told_lines), day


@pytest.mark.parametrize(
    ("question", "told_of"),
    [
        (
            "Set out how Washington tightened chip sales to China, from the first rules on",
            ("October 2022", "October 2023"),
        ),
        ("Wednesday 29 January 2025 was busy: what all happened?", ("Wiz", "Lutnick|Alibaba|OpenAI")),
        (
            "Where did the selling start on that Monday and how did it go round the world? Asia, Europe, New York.",
            (r"Tokyo|SoftBank|Advantest", r"ASML|Siemens|STOXX|Europe", r"Nasdaq|Nvidia"),
        ),
    ],
)
def test_a_sequence_comes_of_the_articles_about_it(
    assistant: Assistant, question: str, told_of: tuple[str, ...]
) -> None:
    """Whoever says little of the subject gets its events all the same, from the articles that answer the question."""
    told_lines, _ = answer_of(assistant, question)
    assert len(told_lines) >= 3
    for words in told_of:
        assert any(re.search(words, line) for line in told_lines), words


def test_bans_are_listed_by_whatever_word(assistant: Assistant) -> None:
    """Who was locked out, barred or banned is the same question, and other events have no place among its lines."""
    told_lines, _ = answer_of(
        assistant,
        "List in order the governments that barred DeepSeek between the end of January and about 10 February.",
    )
    assert all(re.search(r"\b(?:bann?|barr|block|prohibit|order|forb|not (?:to )?use)", line) for line in told_lines)
    assert sum(any(name in line for line in told_lines) for name in ("Italy", "Taiwan", "Australia", "Texas")) >= 3


def test_steps_against_it_are_bans(assistant: Assistant) -> None:
    """Who acted against DeepSeek in those days is answered with each of them, not with a bill that came later."""
    told_lines, _ = answer_of(
        assistant, "Which governments acted against DeepSeek in the two weeks after the sell-off?"
    )
    assert sum(any(name in line for line in told_lines) for name in ("Ital", "Taiwan", "Australia", "Texas")) >= 3


def test_who_did_not_ban_it_is_not_listed_among_bans(assistant: Assistant) -> None:
    """The first country to block the app belongs to its bans, and one that only says that it bans nothing doesn't."""
    told_lines, _ = answer_of(assistant, "Governments' bans on DeepSeek in order, January and February 2025.")
    assert any("Ital" in line for line in told_lines)
    assert not any("did not ban" in line and "and did not ban" not in line for line in told_lines)


def test_a_subject_that_no_article_names_has_no_timeline(assistant: Assistant) -> None:
    """What happened to others is no answer."""
    assert assistant.ask("Timeline of Qualcomm's share price in January 2025").refused
    assert assistant.timeline(question="Qualcomm") == []


@pytest.mark.parametrize(
    "question",
    [
        "list the wars of the 19th century in order, with dates",
        "How did bread prices develop in February 2025, day by day?",
        "Chronology of Qualcomm's lawsuits against Arm",
        "Timeline of Elon Musk's marriages",
        "Which DeepSeek employees resigned, and on which days?",
    ],
)
def test_what_no_article_tells_of_has_no_timeline(assistant: Assistant, question: str) -> None:
    """What happened to others in those days, or to the same ones otherwise, is no answer."""
    assert assistant.ask(question).refused


def test_a_period_without_events_is_answered_like_any_question(assistant: Assistant) -> None:
    """Of a day that no article tells of nothing is made up."""
    assert assistant.ask("What happened on 27 January 1997?").refused


def test_the_whole_timeline_can_be_had(assistant: Assistant) -> None:
    """Developers get records: in order, limited to a period or a subject, as the arguments or the words say."""
    entries = assistant.timeline()
    assert len(entries) > 100
    assert entries == sorted(entries, key=lambda entry: entry.date)
    week = assistant.timeline("2025-01-27", "2025-01-31")
    assert {entry.date for entry in week} == {f"2025-01-{day}" for day in range(27, 32)}
    assert assistant.timeline(question="from 27 to 31 January 2025") == week
    assert {"2025-01-21"} < {entry.date for entry in assistant.timeline(question="Stargate")}
    assert assistant.timeline("2025-01-28", question="Stargate")[0].date > "2025-01-27"
    with pytest.raises(QuestionError, match="'soon' is no day: write it as 2025-01-27"):
        assistant.timeline("soon")


def test_own_articles_have_a_timeline(tmp_path: Path) -> None:
    """Plain articles that somebody adds are told of by day, in an answer too, and only their own days are read."""
    for article, _ in PLANT:
        lines_ = f"---\ntitle: {article.title}\npublished: {article.published}\n---\n{article.text}\n"
        (tmp_path / f"{article.id}.md").write_text(lines_, encoding="utf-8")
    settings = Settings(tmp_path / "index", model="quotes")
    sync([tmp_path], settings)
    own = Assistant.from_settings(settings)
    with closing(own):
        assert [entry.date for entry in own.timeline()] == ["2025-03-10", "2025-03-12"]
        assert own.timeline("2025-03-12", "2025-03-12") == own.timeline("2025-03-11")
        answer = own.ask("What happened on 10 March 2025?")
        assert answer.text == "10 March 2025: A fire stopped Halden Optics' plant in Osaka on March 10. [1] [2]"
        assert not own.timeline("2025-05-01", "9999-12-31")
