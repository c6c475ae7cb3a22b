"""What is asked most, in its usual words."""

from __future__ import annotations

import pytest

from rag.assistant import Assistant
from rag.usual import usual


@pytest.mark.parametrize(
    ("worded", "as_usual"),
    [
        ("By what percentage did Micron slide on 27 January 2025?", "How far did Micron fall on 27 January 2025?"),
        ("arm percent down deepseek", "How far did arm fall?"),
        ("Tell me how deep the Nasdaq sank in the DeepSeek shock.", "How far did the Nasdaq fall on 27 January 2025?"),
        ("The Philadelphia semiconductor index's slump on DeepSeek Monday?",
         "How far did the Philadelphia semiconductor index fall on 27 January 2025?"),
        ("Kindly quantify the depreciation of Siemens Energy AG.", "How far did Siemens Energy fall?"),
        ("What was behind Nvidia's nosedive, what caused it?", "Why did Nvidia fall?"),
        ("What caused Oracle's plunge on January 27?", "Why did Oracle fall on 27 January 2025?"),
        ("How much worth vanished from Nvidia?", "How much market value did Nvidia lose?"),
        ("What sum has Google earmarked for data centres in 2025?", "How much does Alphabet plan to spend in 2025?"),
        ("deepseek v3 training expense in dollars", "What does DeepSeek say it cost to train v3?"),
        ("When did R1 follow?", "When was R1 released?"),
        ("What happened on Wall Street on 28 January?", "What happened on the US stock market on 28 January 2025?"),
        ("Who spoke on Jan 28th?", "Who spoke on 28 January 2025?"),
        ("Who spoke between 27 and 31 January?", "Who spoke between 27 and 31 January 2025?"),
        ("How did chips do the day after the DeepSeek sell-off?", "How did chips do on 28 January 2025?"),
        ("The launch date of Janus-Pro?", "When was Janus-Pro released?"),
        ("So who's the guy that got High-Flyer off the ground?", "Who founded High-Flyer?"),
        ("In what town does DeepSeek have its seat?", "Where is DeepSeek based?"),
        ("On which day did Canberra outlaw DeepSeek on official phones?", "When did Australia ban DeepSeek?"),
        ("How did Rome justify blocking the app?", "Why did Italy block DeepSeek?"),
    ],
)  # fmt: skip
def test_what_is_asked_most_is_asked_in_its_usual_words(worded: str, as_usual: str) -> None:
    """Whoever asks in other words than reports use is not to be told less."""
    assert usual(worded) == as_usual


@pytest.mark.parametrize(
    "question",
    [
        "who founded deepseek",
        "How far did Nvidia fall before the opening?",
        "How far did Nvidia rise the day after?",
        "How many points did the Nasdaq drop?",
        "Why did Oracle's and Dell's shares fall?",
        "Why did Nvidia not fall on 20 January 2025?",
        "How much did DeepSeek drop its prices?",
        "Which R1 models were released?",
        "What did Alibaba release when R1 came out?",
        "Who founded DeepSeek and in which city is it based?",
        "Who started the price war?",
        "How far did the price of V3 fall?",
        "When did the app vanish from Italy's app stores?",
        "When was DeepSeek founded?",
        "When did Taiwan lift its ban on DeepSeek?",
        "How much did Jensen Huang lose?",
        "Where did the app top the charts?",
        "What did Nvidia say on the day its shares crashed?",
        "Why did shares of power companies fall?",
    ],
)
def test_what_says_more_is_left_as_it_is(question: str) -> None:
    """Nothing that a question says may be lost: with any word besides it is asked as it stands."""
    assert usual(question) == question


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Who's the brains that got DeepSeek off the ground?", "Liang Wenfeng"),
        ("What kind of a nosedive did Broadcom take on DeepSeek Monday, in percent?", "17.4"),
        ("On what day exactly came R1 out?", "20 January 2025"),
    ],
)
def test_the_answer_is_that_to_the_usual_question(assistant: Assistant, question: str, told: str) -> None:
    """Rare words find what the usual ones find, and the question is shown in the words that were searched for."""
    answer = assistant.ask(question)
    assert told in answer.text
    assert answer.standalone_question == usual(question) != question
