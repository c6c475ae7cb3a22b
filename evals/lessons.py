"""What the cross-encoder learns from a question, and in which order: `evals.cross_encoder`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from evals.calibrate import Example
from rag.cross_encoder import MOST_OF_QUESTION, MOST_OF_SENTENCE, pair_ids
from rag.embed import MiniLM
from rag.quote import Pair, read, to_judge

CANDIDATES = 6
"""Sentences of a question that it is shown with, at most four of them at a time."""
WRONG = 3
OTHERS = 0.3
"""The share of questions that are shown with other wrong sentences than the best ones, where a round says so."""
AT_ONCE = 8
"""Questions in a batch."""
SORTED = 512
"""So many questions are put in the order of their length, so that those of a batch are about as long."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question's candidates as tokens, the best first, and which of them have its answer: none where it has none.

    Args:
        of: the name of its set.
        spans: of each candidate that has it, the answer's first and last token, where it is known.
    """

    of: str
    candidates: tuple[list[int], ...]
    right: tuple[bool, ...]
    spans: tuple[tuple[int, int] | None, ...]
    has_answer: bool


def lesson(example: Example, base: MiniLM) -> Lesson | None:
    """What is to be learned from a question; None where its answer was not found, or nothing was."""
    if not example.found.evidence:
        return None
    reading = read(example.text, example.found)
    places = list(range(len(reading.ranked)))[:CANDIDATES]
    answered = [i for i, s in enumerate(reading.ranked) if example.answers(s.passage, s.sentence)]
    if example.has_answer and not answered:
        return None
    if example.has_answer and answered[0] >= CANDIDATES:
        places.append(answered[0])
    pairs = to_judge(reading, places)
    right = tuple(example.has_answer and place in answered for place in places)
    spans = tuple(
        span_tokens(base, pair, example.span(pair.sentence)) if is_right else None
        for pair, is_right in zip(pairs, right, strict=True)
    )
    return Lesson(example.of, tuple(pair_ids(base, pair) for pair in pairs), right, spans, example.has_answer)


def span_tokens(base: MiniLM, pair: Pair, span: tuple[int, int] | None) -> tuple[int, int] | None:
    """The first and last token of a stretch of a pair's sentence; None where it lies beyond what is read of that."""
    if span is None:
        return None
    start, end = (len(base.token_ids(pair.sentence[:place])) for place in span)
    if not start < end <= MOST_OF_SENTENCE:
        return None
    first = len(base.token_ids(pair.question)[:MOST_OF_QUESTION]) + 2
    return first + start, first + end - 1


def shown(one: Lesson, chance: random.Random, wrong: int = WRONG, varied: bool = False) -> list[int]:
    """The candidates that it is learned with: one with the answer and the best ones without, or the latter alone.

    Args:
        wrong: how many without the answer there are at most.
        varied: whether these are sometimes other ones than the best.
    """
    without = [place for place, right in enumerate(one.right) if not right]
    if varied and chance.random() < OTHERS:
        chance.shuffle(without)
    if not one.has_answer:
        return without[:wrong]
    rights = [place for place, right in enumerate(one.right) if right]
    return [chance.choice([rights[0], *rights]), *without[:wrong]]


def batches(draw: Callable[[], list[Lesson]], chance: random.Random, steps: int) -> Iterator[list[Lesson]]:
    """Batches of lessons about as long as each other, in any order, all of what is drawn before it is drawn again."""
    drawn_up: list[list[Lesson]] = []
    for _ in range(steps):
        if not drawn_up:
            drawn = draw()
            drawn = chance.sample(drawn, len(drawn))
            for first in range(0, len(drawn), SORTED):
                alike = sorted(drawn[first : first + SORTED], key=lambda lesson: max(map(len, lesson.candidates)))
                drawn_up += [alike[place : place + AT_ONCE] for place in range(0, len(alike), AT_ONCE)]
            chance.shuffle(drawn_up)
        yield drawn_up.pop()
