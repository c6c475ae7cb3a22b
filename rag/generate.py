"""A question and its evidence to a model's answer, cited while it is written."""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING

from rag.citations import Citer, Piece
from rag.errors import ModelError, ModelOverflowError, ModelThinkingError
from rag.length import LENGTHS, Length
from rag.prompts import REFUSAL, Prompt, render
from rag.records import (
    Citation,
    CitationEvent,
    ContextUse,
    Draft,
    Event,
    Evidence,
    History,
    ReasoningEvent,
    StageEvent,
    TextEvent,
    WithdrawnEvent,
)
from rag.repetition import Repetition, cut
from rag.served import ServedModel, Usage
from rag.support import verify
from rag.window import Room, memory, share_out, unread

if TYPE_CHECKING:
    from rag.embed import Embedder

# Small models say it in their own words, too.
_OWN_REFUSAL = re.compile(
    r"\b(?:articles?|passages?|sources?|texts?|documents?|context)\b.{0,60}?\b(?:(?:do|does|did)(?: not|n['’]t)|no)\b"
    r".{0,40}?\b(?:answer|contain|hold|include|information|mention|provide|say|specify|state)",
    re.IGNORECASE | re.DOTALL,
)


_SENTENCE_END = re.compile(r"[.!?…][\"”’)*_]*(?:\s+|\Z)")
_CHARACTERS_A_TOKEN = 4
"""Of thinking in English, about."""


def generate(
    model: ServedModel,
    question: str,
    evidence: Sequence[Evidence],
    history: History,
    embedder: Embedder | None = None,
    length: Length = LENGTHS["medium"],
) -> Generator[Event, None, Draft]:
    """The events of an answer by `model`, and the draft as the generator's return value.

    The texts of the `TextEvent`s since the last `WithdrawnEvent` make up `Draft.text`; a `CitationEvent` comes before
    the text that carries its mark. While the server is silent, the same `StageEvent` is repeated several times a
    second as a sign of life; closing the generator there or anywhere else stops the server.

    An answer that breaks off is kept and marked as interrupted. One for which the server didn't read the whole prompt
    is written once more, from fewer passages; one that is all thinking, once more without thinking. At the end every
    sentence is checked against the passages, by meaning too where there is an `embedder`.

    Raises:
        ModelError: there is no answer: the server failed before its first word, or the model said nothing.
    """
    answer, loss = yield from _attempt(model, question, evidence, history, length)
    if loss:
        yield StageEvent("note", f"{loss}; the answer is written again from fewer passages.")
        if answer.text:
            yield WithdrawnEvent()
        thoughts = answer.reasoning
        answer, again = yield from _attempt(model, question, evidence, history, length)
        answer.reasoning = thoughts + answer.reasoning
        passages = f"{answer.passages} of {len(evidence)} passages"
        answer.notes.append(
            f"{again}: some passages did not reach the model."
            if again
            else f"{loss}; the answer was written again from {passages}."
        )
    if not model.think and answer.reasoning:
        answer.notes.append(f"The model {model.name} can't be told not to think.")
    if model.think_asked and not answer.reasoning:
        trouble = "did not" if model.can_think or model.thinks else "cannot"
        answer.notes.append(f"The model {model.name} {trouble} think first, although it was asked to.")
    return (yield from _finished(answer, evidence[: answer.passages], embedder))


@dataclass
class _Answer:
    """What has come in so far."""

    citer: Citer
    passages: int
    text: str = ""
    reasoning: str = ""
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False
    repeats: bool = False
    context: ContextUse | None = None

    def add(self, pieces: Sequence[Piece]) -> Generator[Event]:
        for piece in pieces:
            if isinstance(piece, Citation):
                yield CitationEvent(piece)
            else:
                self.text += piece
                yield TextEvent(piece)


def _attempt(
    model: ServedModel, question: str, evidence: Sequence[Evidence], history: History, length: Length
) -> Generator[Event, None, tuple[_Answer, str]]:
    """An answer, and what is wrong with it where the server didn't read the whole prompt."""
    learned = memory()[_key(model)]
    room = share_out(min(model.num_ctx, learned.window or model.num_ctx), model.thinking_tokens if model.thinks else 0)
    prompt = render(
        question,
        [e.passage for e in evidence],
        history,
        system_prompt=model.system_prompt,
        token_budget=int(room.prompt / learned.factor),
        length=length,
    )
    if not prompt.passages:
        raise ModelError(
            f"The question leaves no room for any passage in the {room.window} tokens of {model.name}; "
            "ask a shorter one, or raise the num_ctx setting."
        )
    answer = _Answer(Citer(evidence[: len(prompt.passages)]), len(prompt.passages))
    try:
        usage = yield from _answer(model, prompt, room, answer)
    except ModelOverflowError as error:
        if learned.window and learned.window < model.num_ctx:
            raise
        memory()[_key(model)] = replace(learned, window=room.window // 2)
        return answer, str(error).rstrip(".")
    except ModelError as error:
        yield from answer.add(answer.citer.finish())
        if not answer.text:
            raise
        answer.interrupted = True
        answer.notes.append(f"The answer is cut short. {error}")
        return answer, ""
    return answer, _check_reading(model, prompt, room, answer, usage) if usage else ""


def _answer(model: ServedModel, prompt: Prompt, room: Room, answer: _Answer) -> Generator[Event, None, Usage | None]:
    """The model's answer; where it is all thinking, another one without, if thinking can be switched off."""
    try:
        usage, trouble = yield from _relay(model, prompt, room, answer, think=model.think)
    except ModelThinkingError:
        # A server that is older than the model: it was told that the model can think, and doesn't know how.
        usage, trouble = yield from _relay(model, prompt, room, answer, think=False)
    if answer.text:
        return usage
    if not (model.think and model.can_think):
        raise ModelError(f"The model {model.name} {trouble}.")
    yield StageEvent("model", f"{model.name} {trouble}, and is asked again without thinking")
    usage, again = yield from _relay(model, prompt, room, answer, think=False)
    if not answer.text:
        raise ModelError(f"The model {model.name} {again}, also when asked not to think.")
    answer.notes.append(f"The model {model.name} {trouble}, so it was asked again without thinking.")
    return usage


def _relay(
    model: ServedModel, prompt: Prompt, room: Room, answer: _Answer, *, think: bool
) -> Generator[Event, None, tuple[Usage | None, str]]:
    """One call of the model into `answer`; returns the server's report, and what the model did if not answer."""
    waiting = StageEvent("model", f"{model.name} reads {answer.passages} passage{'s' * (answer.passages != 1)}")
    yield waiting
    thoughts, words = Repetition(), Repetition()
    began, length = None, 0
    usage = None
    with closing(model.stream(prompt.messages, think=think, most_tokens=room.reply)) as deltas:
        while True:
            try:
                delta = next(deltas)
            except StopIteration as stop:
                usage = stop.value
                break
            if delta.reasoning:
                now = monotonic()
                began = now if began is None else began
                length += len(delta.reasoning)
                answer.reasoning += delta.reasoning
                yield ReasoningEvent(delta.reasoning, now - began)
            elif delta.text:
                yield from answer.add(answer.citer.feed(delta.text))
                if words.feed(delta.text):
                    answer.repeats = answer.interrupted = True
                    answer.notes.append("The answer is cut short: the model began to repeat itself.")
                    break
            else:
                yield waiting
            if began is not None and not answer.text:
                if length > model.thinking_tokens * _CHARACTERS_A_TOKEN:
                    return None, f"thought for more than {model.thinking_tokens:,} tokens without answering"
                if monotonic() - began > model.thinking_seconds:
                    return None, f"thought for more than {model.thinking_seconds:g} seconds without answering"
                if delta.reasoning and thoughts.feed(delta.reasoning):
                    return None, "thought in circles"
    yield from answer.add(answer.citer.finish())
    if usage and usage.full and answer.text:
        answer.interrupted = True
        answer.notes.append(f"The answer is cut short: the model may use {room.reply} tokens for it.")
    return usage, "gave an empty answer" if began is None else "thought without answering"


def _check_reading(model: ServedModel, prompt: Prompt, room: Room, answer: _Answer, usage: Usage) -> str:
    """Learn from what the server reports; says what is wrong where it didn't read the whole prompt."""
    key = _key(model)
    learned, evaluated = memory()[key], usage.prompt_tokens
    if evaluated is None:
        return ""
    if whole := evaluated >= prompt.least_tokens:
        memory()[key] = learned.after(prompt, evaluated)
    else:
        window = model.window()
        if unread(prompt, learned, evaluated, window):
            memory()[key] = replace(learned, window=window or evaluated)
            return f"The model server read only {evaluated:,} tokens of a longer prompt, so context was lost"
        memory()[key] = replace(learned, last=prompt.text)
    read = evaluated if whole else math.ceil(prompt.tokens * learned.factor)
    written = usage.answer_tokens or 0
    answer.context = ContextUse(min(read + written, room.window), room.window, written)
    return ""


def _finished(
    answer: _Answer, evidence: Sequence[Evidence], embedder: Embedder | None
) -> Generator[Event, None, Draft]:
    """The draft, every sentence checked; what that changed of the text is told before."""
    text, citations = answer.text, tuple(answer.citer.citations)
    if answer.repeats:
        text = cut(text)
        citations = tuple(c for c in citations if f"[{c.number}]" in text)
    refused = _refuses(text, citations)
    support = None
    if not refused:
        # Of half a sentence nobody knows what it would have said.
        whole = max((end.end() for end in _SENTENCE_END.finditer(text)), default=0) if answer.interrupted else len(text)
        verified = verify(text[:whole], citations, evidence, embedder)
        text, citations, support = verified.text + text[whole:], verified.citations, verified.support
    if (text, citations) != (answer.text, tuple(answer.citer.citations)):
        yield WithdrawnEvent()
        for citation in citations:
            yield CitationEvent(citation)
        yield TextEvent(text)
    return Draft(
        text=text,
        citations=citations,
        refused=refused,
        reasoning=answer.reasoning,
        notes=tuple(answer.notes),
        interrupted=answer.interrupted,
        support=support,
        context=answer.context,
    )


def _key(model: ServedModel) -> str:
    return f"{model.name} {model.url}"


def _refuses(text: str, citations: Sequence[Citation]) -> bool:
    return not citations and (REFUSAL.rstrip(".") in text or _OWN_REFUSAL.search(text) is not None)
