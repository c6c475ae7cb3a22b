"""A question and what has arrived in answer to it, event by event."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rag.records import (
    Answer,
    Citation,
    CitationEvent,
    DoneEvent,
    Event,
    Facet,
    FacetsEvent,
    ReasoningEvent,
    StageEvent,
    TextEvent,
    WithdrawnEvent,
)
from ui.conversations import SavedTurn, Thumb

STOPPED = "You stopped this answer."
WHOLE = "page: whole answer"
TO_TEXT = "page: to the first word"
"""Timings that the page adds to an answer when it is saved."""


@dataclass(slots=True)
class Turn:
    """A question and what has arrived in answer to it so far; `seconds` count from the question."""

    question: str
    number: int = 1
    ignore: tuple[str, ...] = ()
    """Keys of the facets that the visitor took off."""
    stages: list[str] = field(default_factory=list)
    facets: tuple[Facet, ...] = ()
    reasoning: str = ""
    text: str = ""
    citations: list[Citation] = field(default_factory=list)
    answer: Answer | None = None
    failure: str = ""
    stopped: bool = False
    seconds_to_text: float | None = None
    seconds: float = 0.0
    seconds_of_thinking: float = 0.0
    thumb: Thumb | None = None
    unsaved: str = ""
    """Why it could not be saved."""

    @classmethod
    def saved(cls, saved: SavedTurn) -> Turn:
        """A turn as it was when its answer was saved."""
        answer = saved.answer
        read = len({passage.article_id for passage in answer.passages})
        stages = [f"Read {read} article{'s' * (read != 1)}"] if read else []
        turn = cls(answer.question, saved.number, stages=stages, thumb=saved.thumb, reasoning=answer.reasoning)
        turn.take(DoneEvent(answer), answer.timings.get(WHOLE, sum(answer.timings.values())))
        turn.seconds_to_text = answer.timings.get(TO_TEXT, turn.seconds)
        if answer.interrupted and not answer.text and answer.notes:
            turn.answer, turn.failure = None, answer.notes[-1]
        return turn

    def record(self) -> Answer:
        """What is to be saved of it: the answer, or what there is of one that failed or was stopped."""
        answer = self.answer or Answer(
            self.question,
            self.text,
            tuple(self.citations),
            tuple(dict.fromkeys(citation.passage for citation in self.citations)),
            model="",
            reasoning=self.reasoning,
            facets=self.facets,
            notes=(self.failure or STOPPED,),
            interrupted=True,
        )
        timings = {**answer.timings, WHOLE: self.seconds, TO_TEXT: self.seconds_to_text or self.seconds}
        reasoning = answer.reasoning or self.reasoning
        return replace(answer, question=answer.question or self.question, reasoning=reasoning, timings=timings)

    @property
    def running(self) -> bool:
        """Whether more can still arrive."""
        return not (self.answer or self.failure or self.stopped)

    def take(self, event: Event, seconds: float) -> None:
        """Add an event that arrived `seconds` after the question."""
        self.seconds = seconds
        match event:
            case StageEvent():
                # A silent server is a stage that is repeated.
                if event.message not in self.stages[-1:]:
                    self.stages.append(event.message)
            case ReasoningEvent():
                self.reasoning += event.text
                self.seconds_of_thinking = event.seconds
            case FacetsEvent():
                self.facets = event.facets
            case CitationEvent():
                self.citations.append(event.citation)
            case TextEvent():
                self.text += event.text
            case WithdrawnEvent():
                self.text, self.citations = "", []
            case DoneEvent():
                self.answer, self.text, self.citations = event.answer, event.answer.text, list(event.answer.citations)
                self.facets = event.answer.facets
        if self.seconds_to_text is None and isinstance(event, TextEvent | DoneEvent):
            self.seconds_to_text = seconds
