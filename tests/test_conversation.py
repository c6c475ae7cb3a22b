"""Follow-up questions."""

import pytest

from rag.conversation import standalone

NVIDIA = ("What happened to Nvidia on 27 January 2025?", "Nvidia shares fell 17% on 27 January 2025. [1]")
FOUNDER = ("Who founded DeepSeek?", "Liang Wenfeng founded DeepSeek in July 2023. [1]")
NADELLA = ("What did Satya Nadella post about DeepSeek?", "Nadella wrote of the Jevons paradox. [1]")
GELSINGER = "What is Pat Gelsinger's startup called?"
ELLISON = "What did the Nvidia crash cost Larry Ellison?"
PAN = "Zizheng Pan, who left America, works there. [1]"
V3 = ("What is DeepSeek-V3?", "DeepSeek-V3 is a large language model. [1]")


@pytest.mark.parametrize(
    ("question", "last", "expected"),
    [
        ("And Broadcom?", NVIDIA, "What happened to Broadcom on 27 January 2025?"),
        ("What about Oracle?", NVIDIA, "What happened to Oracle on 27 January 2025?"),
        ("Where did he study?", FOUNDER, "Where did Liang Wenfeng study?"),
        ("What is his hedge fund?", FOUNDER, "What is Liang Wenfeng's hedge fund?"),
        ("What did it cost to train?", V3, "What did DeepSeek-V3 cost to train?"),
        ("And the Dow?", ("How far did the Nasdaq fall?", "It fell 3.1%. [1]"), "How far did the Dow fall?"),
        ("And Broadcom?", ("How far did the Nasdaq fall?", "It fell 3.1%. [1]"), "How far did Broadcom fall?"),
        ("What about the Dow on that day?", ("How far did the Nasdaq fall?", "3.1%. [1]"), "How far did the Dow fall?"),
        ("Since when?", FOUNDER, "Since when? (Who founded DeepSeek?)"),
        ("How did Intel and AMD react to it?", V3, "How did Intel and AMD react to DeepSeek-V3?"),
        ("Why?", NVIDIA, "Why? (What happened to Nvidia on 27 January 2025?)"),
        ("What does that paradox mean?", NADELLA, "What does the Jevons paradox mean?"),
        ("How did Sam Altman take it?", NADELLA, "How did Sam Altman take DeepSeek?"),
        ("What is that technique?", FOUNDER, "What is that technique? (Who founded DeepSeek?)"),
        ("How much did that cost?", NVIDIA, f"How much did that cost? ({NVIDIA[0]})"),
        ("What is his startup called?", ("What did former Intel CEO Pat Gelsinger say?", ""), GELSINGER),
        ("Who distilled it?", ("What is the s1 model from Stanford?", ""), "Who distilled s1 model from Stanford?"),
        ("Who ordered that?", FOUNDER, "Who ordered that? (Who founded DeepSeek?)"),
        ("Was that the first one?", FOUNDER, "Was that the first one? (Who founded DeepSeek?)"),
        ("Who works there?", FOUNDER, "Who works there? (Who founded DeepSeek?)"),
        ("How many people work for the company?", FOUNDER, "How many people work for DeepSeek?"),
        ("Did it fail?", ("What did Cisco and the University of Ohio test R1 for?", ""), "Did R1 fail?"),
        ("Were they legal?", ("What chips did it buy?", ""), "Were the chips legal? (What chips did it buy?)"),
        (
            "How many of them rest?",
            ("How many parameters has R1?", ""),
            "How many of the parameters rest? (How many parameters has R1?)",
        ),
        (
            "What user data lay in it?",
            ("Who found a DeepSeek database?", ""),
            "What user data lay in the DeepSeek database?",
        ),
        (
            "How many parameters did it have?",
            ("What did DeepSeek's V2 model change?", ""),
            "How many parameters did V2 have?",
        ),
        ("And on Friday?", ("What did Nvidia do on Monday?", ""), "What did Nvidia do on 31 January 2025?"),
        ("And on Tuesday?", ("What did it do on 3 February 2025?", ""), "What did it do on 4 February 2025?"),
        ("Did it rise the day after?", NVIDIA, "Did Nvidia rise on 28 January 2025?"),
        ("Which minister was it?", FOUNDER, "Which minister was it? (Who founded DeepSeek?)"),
        ("Are they big?", ("Vistra and Dell fell, didn't they?", ""), "Are Vistra and Dell big?"),
        ("And Larry Ellison?", ("What did the Nvidia crash cost Jensen Huang?", ""), ELLISON),
        ("How did DeepSeek answer it?", V3, "How did DeepSeek answer DeepSeek-V3?"),
        (
            "Who banned it?",
            ("What did Italy say of the app?", ""),
            "Who banned the app? (What did Italy say of the app?)",
        ),
        ("Who runs it?", ("Didn't Oracle join?", ""), "Who is the chief executive of Oracle?"),
        ("What was in it?", FOUNDER, "What was in DeepSeek? (Who founded DeepSeek?)"),
        ("ok and Broadcom?", NVIDIA, "What happened to Broadcom on 27 January 2025?"),
        (
            "Then where did he study?",
            ("Was DeepSeek's founder in America?", PAN),
            "Then where did DeepSeek's founder study?",
        ),
        ("Did they close it?", ("Something of Wiz's lay open?", ""), "Did Wiz close it?"),
        ("Did it rise on Tuesday?", ("Permit me to ask how far Oracle fell.", ""), "Did Oracle rise on Tuesday?"),
        (
            "In which year was it set up?",
            ("Which hedge fund backs DeepSeek?", "High-Flyer does. [1]"),
            "In which year was High-Flyer set up?",
        ),
        ("And yet it sold R1?", ("What did Microsoft look into?", ""), "And yet Microsoft sold R1?"),
        ("It fell, didn't it? How far?", ("What did Oracle do?", ""), "Oracle fell? How far?"),
    ],
)
def test_what_a_follow_up_leaves_unsaid_is_filled_in(question: str, last: tuple[str, str], expected: str) -> None:
    """Readers ask on with pronouns and half sentences; the search needs a whole question."""
    assert standalone(question, [last]) == expected


@pytest.mark.parametrize(
    "question",
    [
        "When was DeepSeek-R1 released?",
        "Why did Italy block the app?",
        "How do I bake bread?",
        "What did training DeepSeek-V3 cost, and what does that figure leave out?",
        "Who is Liang Wenfeng and where did he study?",
        "Did Trump say that DeepSeek is a warning?",
        "Which is the model that beat o1?",
    ],
)
def test_a_question_that_stands_alone_does_not_drag_the_old_subject_along(question: str) -> None:
    """After a change of subject, the earlier one must not mislead the search."""
    assert standalone(question, [NVIDIA]) == question


@pytest.mark.parametrize(
    ("question", "last", "expected"),
    [
        ("How much did Oracle lose that day?", (), "How much did Oracle lose on 27 January 2025?"),
        ("nasdaq that monday in percent", (), "nasdaq on 27 January 2025 in percent"),
        ("By that day, how many?", (), "By 27 January 2025, how many?"),
        ("Who fell in that one session?", (), "Who fell on 27 January 2025?"),
        ("S&P 500 move on the day", (), "S&P 500 move on 27 January 2025"),
        ("How far did Broadcom fall that Monday?", NVIDIA, "How far did Broadcom fall on 27 January 2025?"),
        (
            "What did Liang do that day?",
            ("When was R1 released?", "DeepSeek released R1 on 20 January 2025. [1]"),
            "What did Liang do on 20 January 2025?",
        ),
        (
            "Who fell most that day?",
            ("What did Nvidia lose?", "Nvidia lost more on 27 January 2025 than on 3 September 2024. [1]"),
            "Who fell most on 27 January 2025?",
        ),
    ],
)
def test_that_day_is_the_one_spoken_of_or_else_that_of_the_crash(
    question: str, last: tuple[str, str] | tuple[()], expected: str
) -> None:
    """Readers of the story say "that day" and mean the day of the crash, unless another one was just spoken of."""
    assert standalone(question, [last] if last else []) == expected


@pytest.mark.parametrize(
    "question",
    [
        "Did the Dow rise on the day of the crash?",
        "Where was Liang the day R1 came out?",
        "How did Nvidia do the day after the crash?",
        "What happened on 28 January, and who fell most that day?",
        "Was it that Monday that Altman wrote on X?",
    ],
)
def test_a_day_that_a_question_names_itself_stays(question: str) -> None:
    """Where the question says which day it means, no date is put into it."""
    assert standalone(question, []) == question


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("OK, other subject: what did they publish?", "what did they publish?"),
        ("Now something else. Why did it fall?", "Why did it fall?"),
        ("Changing the subject - who is he?", "who is he?"),
    ],
)
def test_who_changes_the_subject_is_not_asked_back_to_the_old_one(question: str, asked: str) -> None:
    """Whoever says that something else comes means nothing that was said before, and the saying is no question."""
    assert (
        standalone(question, [("What did Sam Altman say about R1?", "Sam Altman called it impressive. [1]")]) == asked
    )


def test_what_belongs_to_a_name_of_the_question_is_not_the_one_before() -> None:
    """The Navy's people are the Navy's, whoever was spoken of before."""
    history = [("How did Sam Altman greet R1?", "Sam Altman called it impressive. [1]")]
    question = "What order did the US Navy give its people?"
    assert standalone(question, history) == question
    assert (
        standalone("And how big is its budget?", [("What is Stargate?", "A plan. [1]")]) != "And how big is its budget?"
    )


def test_without_history_nothing_changes() -> None:
    """The first question has nothing to refer to."""
    assert standalone("And Broadcom?", []) == "And Broadcom?"


def test_a_follow_up_of_a_follow_up_reaches_the_first_question() -> None:
    """'And Oracle?' after 'And Broadcom?' still asks what happened that day."""
    history = [NVIDIA, ("And Broadcom?", "Broadcom fell 17.4%. [1]")]
    assert standalone("And Oracle?", history) == "What happened to Oracle on 27 January 2025?"
