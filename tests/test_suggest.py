from __future__ import annotations

from dataclasses import replace

from rag.records import Answer, Article
from tests.fakes import COST, LOSS, passage
from ui.suggest import MOST, suggestions

LAB = Article(
    id="lab",
    title="How the laboratory hires young graduates",
    text=(
        "The laboratory looks for talent over experience. The founder, in the words of Wei Example, a former manager, "
        "reads every application. On 20 January 2025 he met the premier. Later that week Wei Example said that "
        "salaries were high."
    ),
    outlet="The Ledger",
    published="2025-01-29",
)
FOUND = Answer(
    question="How much did Nvidia lose?",
    text=f"{LOSS.quote} [1]",
    citations=(LOSS,),
    passages=(LOSS.passage, COST.passage, passage(LAB, LAB.text)),
)


def test_what_was_found_and_not_told_is_suggested() -> None:
    """An article that was not cited, a person who speaks, a day: one of each kind, as questions."""
    assert suggestions(FOUND) == (
        "Tell me what training DeepSeek-V3 cost.",
        "What did Wei Example say?",
        "What happened on 20 January 2025?",
    )


def test_what_was_told_or_asked_is_not_suggested() -> None:
    """Whoever knows about the person, the day and the article is not sent there again."""
    asked = [
        "What did Wei Example say?",
        "What happened on 20 January 2025?",
        "Tell me what training DeepSeek-V3 cost.",
    ]
    assert suggestions(FOUND, asked) == ("Tell me how the laboratory hires young graduates.",)


def test_there_are_few_suggestions_and_none_without_passages() -> None:
    """A reply to a greeting, a refusal, and an answer that was stopped, suggest nothing."""
    assert len(suggestions(FOUND)) == MOST
    assert suggestions(Answer("Hello", "Hello.")) == ()
    assert suggestions(replace(FOUND, refused=True)) == ()
    assert suggestions(replace(FOUND, interrupted=True)) == ()
