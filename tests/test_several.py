"""Questions that ask several things at once."""

from __future__ import annotations

import re

import pytest

from rag.assistant import Assistant
from rag.records import Answer
from rag.several import alone, questions_in, side_by_side, with_told_day, without_statements


def quotes(answer: Answer) -> list[str]:
    """What it quotes, in order."""
    return [citation.quote for citation in answer.citations]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who founded DeepSeek, and when?", ["Who founded DeepSeek?", "when?"]),
        ("When did Korea act and over what?", ["When did Korea act?", "over what?"]),
        ("Did Italy ban it? When?", ["Did Italy ban it?", "When?"]),
        ("what is r1 and what does it cost", ["what is r1?", "what does it cost?"]),
        ("Which shares fell and by how much?", ["Which shares fell?", "by how much?"]),
        ("How and why did Nvidia fall?", ["How and why did Nvidia fall?"]),
        ("What did Trump and Vance say?", ["What did Trump and Vance say?"]),
        ("Nvidia fell. Why?", ["Nvidia fell. Why?"]),
        ("a? b? c? d?", ["a? b? c? d?"]),
        ("", [""]),
    ],
)
def test_what_is_asked_is_taken_apart(question: str, expected: list[str]) -> None:
    """Each question that stands in one is asked for; what is no question of its own is left where it is."""
    assert questions_in(question) == expected


@pytest.mark.parametrize(
    ("question", "first", "expected"),
    [
        ("why?", "By how much did Broadcom drop?", "Why did Broadcom drop?"),
        ("by whom?", "When was DeepSeek founded?", "By whom was DeepSeek founded?"),
        ("who leads it?", "Where is DeepSeek based?", "Who is the chief executive of DeepSeek?"),
    ],
)
def test_a_further_question_is_understood_alone(question: str, first: str, expected: str) -> None:
    """What it leaves unsaid was said in the one before."""
    assert alone(question, [(first, "")]).casefold() == expected.casefold()


@pytest.mark.parametrize("question", ["What did Apple and Meta agree on?", "Did Apple or Meta rise?", "Apple vs Meta?"])
def test_who_asks_about_two_together_is_answered_about_both_together(question: str) -> None:
    """A deal between two is no deal of each."""
    assert side_by_side(question, ["Apple", "Meta"]) == []


@pytest.mark.parametrize(
    ("question", "bare"),
    [
        ("Oracle isn't a chip maker - how far did its stock fall?", "how far did Oracle's stock fall?"),
        ("V3 came before R1. When was it published?", "When was V3 published?"),
        ("How many chips are there? I read different numbers.", "How many chips are there?"),
        ("Hi there! Who founded DeepSeek?", "Who founded DeepSeek?"),
        ("What did Mr. Huang say?", "What did Mr. Huang say?"),
        (
            "Sales went through Singapore. What was booked there?",
            "Sales went through Singapore. What was booked there?",
        ),
        ("What of utilities? Explain why Vistra fell.", "What of utilities? Explain why Vistra fell."),
        ("Who founded it? And when?", "Who founded it? And when?"),
    ],
)
def test_what_is_told_beside_a_question_is_taken_away(question: str, bare: str) -> None:
    """What somebody says before asking is not asked, but may say what the question leaves unsaid."""
    assert without_statements(question) == bare


def test_a_remark_before_the_question_hides_no_answer(assistant: Assistant) -> None:
    """The articles need not speak of what is only remarked."""
    answer = assistant.ask("We were all on holiday in Tuscany and heard nothing. Why did Nvidia fall?")
    assert not answer.refused
    assert "DeepSeek" in quotes(answer)[0]
    assert answer.standalone_question == "Why did Nvidia fall?"


def test_what_a_remark_names_is_not_left_out_of_a_question_that_names_nothing(assistant: Assistant) -> None:
    """Whose prices are asked for stands in the remark: those of somebody else are no answer."""
    question = "Oracle charges for Java by the employee now. What's the list price for a firm with 500 staff?"
    assert assistant.ask(question).refused


def test_each_of_two_questions_is_answered(assistant: Assistant) -> None:
    """In their order, each with its own citation."""
    answer = assistant.ask("Who founded DeepSeek and in which city is it based?")
    founder, city = quotes(answer)
    assert "Liang Wenfeng" in founder
    assert "Hangzhou" in city
    assert [citation.number for citation in answer.citations] == [1, 2]
    assert not answer.notes


def test_what_is_told_is_answered_and_what_is_not_is_named(assistant: Assistant) -> None:
    """Half an answer is worth having, as long as nobody takes it for a whole one."""
    answer = assistant.ask("Who founded DeepSeek, and what is the melting point of tungsten?")
    assert "Liang Wenfeng" in quotes(answer)[0]
    assert answer.notes == ("The articles do not answer “what is the melting point of tungsten?”",)


def test_two_firms_in_one_breath_get_an_answer_each(assistant: Assistant) -> None:
    """A sentence about the one leaves the other open."""
    answer = assistant.ask("How far did Nvidia and Broadcom fall on 27 January 2025?")
    assert any(quote.startswith("Broadcom") for quote in quotes(answer))
    assert any(quote.startswith("Nvidia") and "%" in quote for quote in quotes(answer))


def test_what_one_sentence_tells_is_quoted_once(assistant: Assistant) -> None:
    """The second question's answer may stand in the first one's."""
    answer = assistant.ask("How many parameters does DeepSeek-V3 have, and how many are active per token?")
    assert any("671" in quote and "37" in quote for quote in quotes(answer))
    assert len(set(quotes(answer))) == len(quotes(answer))


def test_nothing_told_of_any_of_them_is_refused(assistant: Assistant) -> None:
    """Asking twice opens no second door."""
    assert assistant.ask("Who won the 1985 Wimbledon final and how tall is he?").refused


def test_nothing_is_asked_further_of_what_is_private(assistant: Assistant) -> None:
    """Who "they" are is not told, and whom else Liang Wenfeng met is no answer."""
    assert assistant.ask("What is the name of Liang Wenfeng's wife and how did they meet?").refused


def test_a_question_that_goes_on_unsaid_is_answered_with_the_one_before(assistant: Assistant) -> None:
    """No pronoun tells that it is the funding of Stargate that is meant."""
    before = "What is Stargate?"
    answer = assistant.ask("Who heads the funding side?", [(before, "")])
    assert before in answer.standalone_question
    assert any("Son" in quote for quote in quotes(answer))


def test_what_is_not_told_is_not_answered_with_the_question_before(assistant: Assistant) -> None:
    """What the earlier question finds is no answer to this one."""
    senator = ("Which senator wanted prison for users?", "Josh Hawley did. [1]")
    assert assistant.ask("How did his bill fare in the committee vote?", [senator]).refused


def test_what_is_told_of_a_day_is_asked_of_that_day(assistant: Assistant) -> None:
    """The day that a remark names is the one that the question beside it is about; who somebody is has no day."""
    answer = assistant.ask("Nvidia clawed some of it back on the Tuesday - by how many per cent did the stock rise?")
    assert "8.9%" in answer.citations[0].quote
    assert with_told_day("It fell on 27 January. Who founded it?", "Who founded it?") == "Who founded it?"


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (
            "Feroot, a Canadian security shop, found code in the chatbot's login page "
            "pointing to which state-owned telecom?",
            "China Mobile",
        ),
        (
            "Help me explain to my readers why power producers such as Vistra got caught up in all this.",
            "power|electric",
        ),
        ("When did Taiwan tell its civil servants not to use DeepSeek, late January or early February?", "31 January"),
    ],
)
def test_an_unusual_way_of_asking_hides_no_answer(assistant: Assistant, question: str, told: str) -> None:
    """What a question asks for may stand at its end, behind a request, or before answers to choose from."""
    answer = assistant.ask(question)
    assert not answer.refused
    assert re.search(told, answer.text)


def test_an_unusual_way_of_asking_makes_no_answer(assistant: Assistant) -> None:
    """What the articles don't tell is refused in whatever way it is asked."""
    obliged = "I should be much obliged if you told me for how many minutes the New York Stock Exchange suspended all"
    assert assistant.ask(f"{obliged} trading on 27 January 2025 because of the fall of Nvidia.").refused
    assert assistant.ask("Help me explain to my readers why Tim Cook resigned that week.").refused
    assert assistant.ask("Vistra, the power producer, was sold to which bank?").refused


def test_who_changes_the_subject_is_answered_as_if_nothing_was_asked_before(assistant: Assistant) -> None:
    """The question before, which would make more of the articles look like an answer, is left behind."""
    asked = "what was the regulator's objection?"
    alone_ = assistant.ask(f"Something else: {asked}")
    after = assistant.ask(f"Something else: {asked}", [("Who blocked DeepSeek in Italy?", "The Garante did. [1]")])
    going_on = assistant.ask(asked, [("Who blocked DeepSeek in Italy?", "The Garante did. [1]")])
    assert after.text == alone_.text != going_on.text
    assert "Italy" not in after.standalone_question
