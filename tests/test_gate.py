"""Judging whether the passages hold an answer."""

from dataclasses import replace

import pytest

from rag.assistant import Assistant
from rag.gate import FEATURES, THRESHOLD, WEIGHTS, confidence, features
from rag.quote import read
from rag.records import Evidence, Passage, Sentence
from rag.retrieve import Retrieval


def retrieval(text: str, dense: float, lexical: float) -> Retrieval:
    """One passage of one sentence, for a question about a harbour."""
    passage = Passage(text, 1.0, "a", "The harbour", "Reuters", "", "", 0, len(text))
    sentence = Sentence(text, 0, len(text), dense, lexical, tokens=dense)
    evidence = Evidence(passage, (sentence,), (dense, dense))
    return Retrieval((evidence,), {"harbour": 3.0, "close": 2.0}, (0.5, 0.5))


CLOSED = "The harbour was closed on 3 March 2026 after a storm."


def test_the_closer_the_passage_the_surer() -> None:
    """A passage with the words and the meaning of the question is trusted more than one with neither."""
    question = "Why was the harbour closed?"
    near, far = retrieval(CLOSED, 0.8, 1.0), retrieval("Bread needs flour.", 0.1, 0.0)
    assert confidence(read(question, near)) > THRESHOLD > confidence(read(question, far))


def test_nothing_found_is_no_answer() -> None:
    """An index that has nothing to say must lead to a refusal, not to an error."""
    assert confidence(read("Why?", Retrieval((), {"why": 1.0}))) == 0.0


@pytest.mark.parametrize(
    ("day", "sure"), [("3 March 2026", True), ("March 3", True), ("4 March 2026", False), ("2019", False)]
)
def test_a_day_or_year_that_no_passage_names_is_not_answered_about(day: str, sure: bool) -> None:
    """What happened on another day must never be given as the answer about this one."""
    assert (confidence(read(f"Why was the harbour closed on {day}?", retrieval(CLOSED, 0.9, 1.0))) > THRESHOLD) == sure


def test_a_name_that_no_passage_has_lowers_the_trust() -> None:
    """Somebody whom the articles never mention has said nothing in them."""
    present = retrieval(CLOSED, 0.6, 0.7)
    found = replace(present, weights={"gate": 3.0, "harbour": 3.0, "close": 2.0})
    assert len(features(read("Did Gates close the harbour?", found))) == len(FEATURES) == len(WEIGHTS)
    assert confidence(read("Did Gates close the harbour?", found)) < confidence(
        read("Did they close the harbour?", present)
    )


def test_a_token_that_is_matched_nowhere_lowers_the_trust() -> None:
    """The one word that the passage does not speak of may be the very thing that was asked for."""
    whole = retrieval(CLOSED, 0.6, 0.7)
    lacking = replace(whole, evidence=(replace(whole.evidence[0], matches=(0.6, 0.0)),))
    assert confidence(read("Why was the harbour closed?", lacking)) < confidence(
        read("Why was the harbour closed?", whole)
    )


@pytest.mark.parametrize(
    ("question", "refused"),
    [
        ("When did Italy block DeepSeek?", False),
        ("How many GPUs trained DeepSeek-V3?", False),
        ("What is Jevons' paradox?", False),
        ("What is the boiling point of water?", True),
        ("Which team won the Super Bowl in 1994?", True),
        ("How do I get rid of moss on my lawn?", True),
    ],
)
def test_over_the_shipped_corpus(assistant: Assistant, question: str, refused: bool) -> None:
    """The shipped weights and threshold tell what the articles are about from what they are not."""
    assert assistant.ask(question).refused == refused
