"""Questions as people type them, made the articles' spelling."""

from collections.abc import Sequence

import pytest

from rag.assistant import Assistant
from rag.spelling import likeliest, respelt, written_out
from rag.text import terms

TEXTS = (
    "DeepSeek's headquarters\nThe headquarters of DeepSeek are in Hangzhou, and Nvidia is based in Santa Clara.",
    "Chip makers such as Nvidia fell in January. Apple rose, and an apple is a fruit.",
)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("whats r1", "what is r1"),
        ("Whats R1 to U of T?", "What is R1 to U of T?"),
        ("why did it fall bc of ai", "why did it fall because of ai"),
        ("What even is DeepSeek?", "What is DeepSeek?"),
        ("What did the B.C. court say?", "What did the B.C. court say?"),
        ("nvda vs avgo on monday", "Nvidia vs Broadcom on monday"),
        ("What did $MSFT do?", "What did Microsoft do?"),
        ("NVDA's fall, vst.us and vst.", "Nvidia's fall, vst.us and Vistra."),
        ("Is U.S. law different?", "Is U.S. law different?"),
        ("who is u.k.'s minister", "who is u.k.'s minister"),
    ],
)
def test_chat_abbreviations_are_written_out(question: str, expected: str) -> None:
    """An abbreviation or a ticker that no article has would look like a word that is missing."""
    assert written_out(question) == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who leads DeepSeek?", "Who is the chief executive of DeepSeek?"),
        ("Who's in charge of DeepSeek?", "Who is the chief executive of DeepSeek?"),
        ("who’s the head of Nvidia", "who is the chief executive of Nvidia"),
        ("whos in charge of nvidia", "who is the chief executive of nvidia"),
        ("Who is the boss of Moonshot AI?", "Who is the chief executive of Moonshot AI?"),
        ("Who leads the committee on China?", "Who leads the committee on China?"),
        ("Who leads in chips?", "Who leads in chips?"),
        ("Who runs R1?", "Who runs R1?"),
        ("Who runs DeepSeek's office in London?", "Who runs DeepSeek's office in London?"),
    ],
)
def test_who_heads_a_firm_is_asked_for_by_the_post(question: str, expected: str) -> None:
    """Articles say who is a firm's chief executive, hardly ever who leads it; models and offices have none."""
    assert written_out(question) == expected


@pytest.mark.parametrize(
    ("question", "slips", "expected"),
    [
        ("why did nvidia fall in january", (), "why did Nvidia fall in January"),
        ("did apple rise", (), "did apple rise"),
        ("Where are the headquaters?", ["headquaters"], "Where are the headquarters?"),
        ("how did nvidea do", ["nvidea"], "how did Nvidia do"),
        ("Where is the Headquater?", (), "Where is the Headquater?"),
        ("Who is Hangzhau's mayor?", ["Hangzhau"], "Who is Hangzhou's mayor?"),
        ("Who is Mr Fruite?", ["Fruite"], "Who is Mr Fruite?"),
        ("what do chips cost", ["cost"], "what do chips cost"),
    ],
)
def test_names_and_slips_are_spelt_as_in_what_was_found(question: str, slips: list[str], expected: str) -> None:
    """Names count more than other words, and a slip must not hide the word that was meant."""
    assert respelt(question, slips, TEXTS) == expected


HELD = {"founded": 9, "rival": 5, "arrival": 1, "tencent": 7, "recent": 20, "like": 9, "buri": 3, "gelsinger": 2}
WHOLE = {
    "founded",
    "bounce",
    "rival",
    "arrival",
    "recent",
    "like",
    "likes",
    "bury",
    "curb",
    "cures",
    "moment",
    "comment",
}


def frequency(words: Sequence[str]) -> list[int]:
    """In how many passages of the tests' articles words stand, as an index tells by their stems."""
    return [HELD.get(terms(word)[0], HELD.get(word, 0)) for word in words]


def parts(words: Sequence[str]) -> list[int]:
    """Of how many parts words are to the tests' model."""
    return [1 if word in WHOLE else 2 for word in words]


@pytest.mark.parametrize(
    ("slip", "expected"),
    [
        ("foudned", "founded"),
        ("founnded", "founded"),
        ("fonded", "founded"),
        ("fiunded", "founded"),
        ("arival", "arrival"),
        ("tecent", "tencent"),
        ("buonce", "bounce"),
        ("curbs", ""),
        ("coment", "comment"),
        ("liken", ""),
        ("zzyzx", ""),
    ],
)
def test_a_slip_is_made_the_word_that_the_likeliest_slip_makes_of_it(slip: str, expected: str) -> None:
    """Whoever types fast is answered; letters left out or exchanged are likelier than others, words are no slips."""
    assert likeliest(slip, frequency, parts) == expected


@pytest.mark.parametrize(("slip", "expected"), [("Tecent", "tencent"), ("Burry", ""), ("Buonce", "")])
def test_a_name_is_taken_for_another_name_only(slip: str, expected: str) -> None:
    """Who asks about somebody the articles don't know must not be told about an everyday word."""
    assert likeliest(slip, frequency, parts, is_name=True) == expected


@pytest.mark.parametrize(
    ("question", "searched"),
    [
        ("who foudned deepseek", "who founded DeepSeek"),
        ("What did Pat Glsinger say about DeepSeek?", "What did Pat Gelsinger say about DeepSeek?"),
        ("did nvidia shares buonce back", "did Nvidia shares bounce back"),
    ],
)
def test_a_slip_in_the_word_that_matters_is_mended(assistant: Assistant, question: str, searched: str) -> None:
    """The rest of such a question finds no passage that could tell what the slip is meant for."""
    answer = assistant.ask(question)
    assert not answer.refused
    assert answer.standalone_question == searched


def test_a_question_with_a_slip_is_answered_and_says_what_was_searched(assistant: Assistant) -> None:
    """Nobody should have to type everything right, and everybody sees what their words were taken for."""
    answer = assistant.ask("in which chinese city does deepseek have its headquaters")
    assert not answer.refused
    assert "Hangzhou" in answer.text
    assert "headquarters" in answer.standalone_question


def test_an_english_word_that_no_article_uses_is_no_slip(assistant: Assistant) -> None:
    """Who asks about a dividend must not be answered about something that divided."""
    question = "What dividend does Vistra outdo?"
    assert assistant.ask(question).standalone_question == question


def test_text_of_unknown_words_is_left_as_it_is(assistant: Assistant) -> None:
    """Whoever pastes something that is no question must not wait until each of its words has been looked for."""
    pasted = " ".join(["foudned", *(f"zq{letter}xvk" for letter in "abcdefghij")])
    assert assistant.ask(pasted).standalone_question == pasted


def test_a_question_without_capitals_counts_as_it_was_typed(assistant: Assistant) -> None:
    """What is searched for is shown where it differs from what was typed; capitals make no difference."""
    assert assistant.ask("who founded deepseek").standalone_question == "who founded deepseek"


def test_a_word_of_another_subject_is_no_slip(assistant: Assistant) -> None:
    """Neither bread nor Buffett is a misspelt word of something else, and a refusal must name what was asked."""
    for question in ("How do I bake sourdough bread?", "What did Warren Buffett say about DeepSeek?"):
        assert assistant.ask(question).standalone_question == question
