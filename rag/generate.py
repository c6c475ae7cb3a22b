"""A question and its evidence to a model's answer, cited while it is written."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from rag.citations import Citer, Piece
from rag.errors import ModelError
from rag.models import LocalModel, Usage
from rag.prompts import REFUSAL, Prompt, render
from rag.records import (
    Citation,
    CitationEvent,
    Draft,
    Event,
    Evidence,
    History,
    ReasoningEvent,
    StageEvent,
    TextEvent,
)

# Small models say it in their own words, too.
_OWN_REFUSAL = re.compile(
    r"\b(?:articles?|passages?|sources?|texts?|documents?|context)\b.{0,60}?\b(?:(?:do|does|did)(?: not|n['’]t)|no)\b"
    r".{0,40}?\b(?:answer|contain|hold|include|information|mention|provide|say|specify|state)",
    re.IGNORECASE | re.DOTALL,
)


def generate(
    model: LocalModel, question: str, evidence: Sequence[Evidence], history: History
) -> Generator[Event, None, Draft]:
    """The events of an answer by `model`, and the draft as the generator's return value.

    The texts of the `TextEvent`s make up `Draft.text`; a `CitationEvent` comes before the text that carries its mark.
    While the server is silent, the same `StageEvent` is repeated several times a second as a sign of life; closing
    the generator there or anywhere else stops the server. An answer that breaks off is kept and marked as
    interrupted.

    Raises:
        ModelError: there is no answer: the server failed before its first word, or the model said nothing.
    """
    prompt = render(
        question,
        [e.passage for e in evidence],
        history,
        system_prompt=model.system_prompt,
        token_budget=model.prompt_tokens,
    )
    if not prompt.passages:
        raise ModelError(
            f"The question leaves no room for any passage in the {model.num_ctx} tokens of {model.name}; "
            "ask a shorter one, or raise the num_ctx setting."
        )
    answer = _Answer(Citer(evidence[: len(prompt.passages)]))
    try:
        yield from _relay(model, prompt, answer, think=True)
        if not answer.text and model.can_think:
            yield StageEvent("model", f"{model.name} thought without answering, and is asked again without thinking")
            yield from _relay(model, prompt, answer, think=False)
    except ModelError as error:
        yield from answer.add(answer.citer.finish())
        if not answer.text:
            raise
        answer.interrupted = True
        answer.notes.append(f"The answer is cut short. {error}")
    if not answer.text:
        raise ModelError(f"The model {model.name} gave an empty answer.")
    return Draft(
        text=answer.text,
        citations=tuple(answer.citer.citations),
        refused=_refuses(answer.text, answer.citer.citations),
        reasoning=answer.reasoning,
        notes=tuple(answer.notes),
        interrupted=answer.interrupted,
    )


@dataclass
class _Answer:
    """What has come in so far."""

    citer: Citer
    text: str = ""
    reasoning: str = ""
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False

    def add(self, pieces: Sequence[Piece]) -> Generator[Event]:
        for piece in pieces:
            if isinstance(piece, Citation):
                yield CitationEvent(piece)
            else:
                self.text += piece
                yield TextEvent(piece)


def _relay(model: LocalModel, prompt: Prompt, answer: _Answer, *, think: bool) -> Generator[Event]:
    """One call of the model into `answer`."""
    count = len(prompt.passages)
    waiting = StageEvent("model", f"{model.name} reads {count} passage{'s' * (count != 1)}")
    yield waiting
    with closing(model.stream(prompt.messages, think=think)) as deltas:
        while True:
            try:
                delta = next(deltas)
            except StopIteration as stop:
                usage: Usage = stop.value
                break
            if delta.reasoning:
                answer.reasoning += delta.reasoning
                yield ReasoningEvent(delta.reasoning)
            elif delta.text:
                yield from answer.add(answer.citer.feed(delta.text))
            else:
                yield waiting
    yield from answer.add(answer.citer.finish())
    if usage.full and answer.text:
        answer.interrupted = True
        answer.notes.append(f"The answer is cut short: the model may use {model.reply_tokens} tokens for it.")
    if usage.prompt_tokens is not None and usage.prompt_tokens < prompt.least_tokens:
        answer.notes.append(
            f"The model server read only {usage.prompt_tokens} tokens of a longer prompt, so context was lost: "
            f"some passages did not reach the model. Check that the server allows {model.num_ctx} tokens."
        )


def _refuses(text: str, citations: Sequence[Citation]) -> bool:
    return not citations and (REFUSAL.rstrip(".") in text or _OWN_REFUSAL.search(text) is not None)
