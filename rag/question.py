"""What is taken for a question at all. Pure."""

from __future__ import annotations

from rag.errors import QuestionError

MOST_CHARACTERS = 4000
"""The longest question that is taken: several pages of text are no question."""


def checked(question: str) -> str:
    """The question with single spaces.

    Raises:
        QuestionError: it is empty or too long.
    """
    question = " ".join(question.split())
    if not question:
        raise QuestionError("The question is empty: type one, for example 'Why did Nvidia fall?'.")
    if len(question) > MOST_CHARACTERS:
        raise QuestionError(
            f"The question has {len(question):,} characters, but at most {MOST_CHARACTERS:,} are taken: shorten it."
        )
    return question
