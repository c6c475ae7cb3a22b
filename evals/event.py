"""Questions about the event, with the regular expressions that a right answer has to match."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.assistant import Assistant
from rag.records import Answer


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its history. `expect` is a list of groups, each of which must have one pattern that is found."""

    id: str
    kind: str
    turns: tuple[str, ...]
    expect: tuple[tuple[str, ...], ...]
    refuse: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question, the answer it got, and whether that is right."""

    question: Question
    answer: Answer
    right: bool


def read(path: Path) -> list[Question]:
    """The questions of a JSON Lines file: `id, kind`, `question` or `turns`, `expect` or `refuse`."""
    questions = []
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        questions.append(
            Question(
                entry["id"],
                entry["kind"],
                tuple(entry.get("turns") or [entry["question"]]),
                tuple(map(tuple, entry.get("expect", ()))),
                entry.get("refuse", False),
            )
        )
    return questions


def run(assistant: Assistant, questions: Sequence[Question]) -> list[Outcome]:
    """Ask every question, its earlier turns first, and judge the last answer."""
    outcomes = []
    for question in questions:
        history: list[tuple[str, str]] = []
        for turn in question.turns:
            answer = assistant.ask(turn, history)
            history.append((turn, answer.text))
        outcomes.append(Outcome(question, answer, is_right(question, answer, assistant)))
    return outcomes


def is_right(question: Question, answer: Answer, assistant: Assistant) -> bool:
    """A refusal where one is due; else every group matched, and every citation's quote standing in its article."""
    if question.refuse or answer.refused:
        return question.refuse and answer.refused
    matched = all(any(re.search(pattern, answer.text) for pattern in group) for group in question.expect)
    return matched and all(
        assistant.article(c.passage.article_id).text[c.start : c.end] == c.quote for c in answer.citations
    )


def summary(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Share right overall, of the answerable ones and of those to refuse; share of answerable ones wrongly refused."""
    answerable = [o for o in outcomes if not o.question.refuse]
    to_refuse = [o for o in outcomes if o.question.refuse]
    return {
        "questions": len(outcomes),
        "right": _share([o.right for o in outcomes]),
        "answerable right": _share([o.right for o in answerable]),
        "refusals right": _share([o.right for o in to_refuse]),
        "wrongly refused": _share([o.answer.refused for o in answerable]),
    }


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
