"""Refusals that say what the articles do tell."""

from __future__ import annotations

import pytest

from rag.assistant import Assistant


def test_what_the_articles_call_unknown_is_refused_in_their_words(assistant: Assistant) -> None:
    """Whoever needs names is told that none are known, and can open the sentence that says so."""
    answer = assistant.ask("What are the full names of the hackers who attacked DeepSeek in January 2025?")
    assert answer.refused
    [citation] = answer.citations
    assert "unknown" in citation.quote
    assert citation.quote in answer.text


@pytest.mark.parametrize(
    "question",
    [
        "Who was behind the cyberattacks on DeepSeek?",
        "Did DeepSeek publish the complete training data of R1?",
        "What is the full name of Liang Wenfeng's hedge fund?",
    ],
)
def test_that_something_is_unknown_answers_who_asks_no_further(assistant: Assistant, question: str) -> None:
    """Who asks whether or who at all is answered by that, and what is known is told."""
    assert not assistant.ask(question).refused
