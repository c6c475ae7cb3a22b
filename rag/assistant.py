"""The assistant: finds passages, has them answered, and returns the answer with its sources."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from typing import Any, Self

from rag import sequence, smalltalk
from rag.changes import daily_changes
from rag.chronology import STORY, asked_timeline, events_listed
from rag.conversation import changes_subject, gone_on_from, standalone
from rag.cross_encoder import CrossEncoder
from rag.disagreements import disagreements
from rag.embed import Embedder, MiniLM
from rag.errors import (
    IndexEmptyError,
    IndexMissingError,
    ModelAccessError,
    ModelError,
    ModelNotFoundError,
    QuestionError,
)
from rag.facets import Wanted, named, parts
from rag.gate import THRESHOLD, confidence
from rag.index import Index
from rag.kinds import expected
from rag.length import LENGTHS
from rag.live import LiveIndex
from rag.period import is_iso_date, period_named
from rag.question import checked
from rag.quote import nearness, quote, read
from rag.records import (
    Answer,
    Article,
    CitationEvent,
    DailyChange,
    Disagreement,
    DoneEvent,
    Draft,
    Event,
    Evidence,
    FacetsEvent,
    Passage,
    StageEvent,
    TextEvent,
    TimelineEntry,
    WithdrawnEvent,
)
from rag.refusal import closest, refused, unknown
from rag.rerank import find, ordered
from rag.retrieve import Retrieval, best_of_articles, search
from rag.settings import Settings, default_index
from rag.several import Found, answered, without_statements
from rag.telling import VERBS, deeds_named, doers_named
from rag.text import content_terms
from rag.timeline import in_lines, nearer, timeline
from rag.usual import usual

PASSAGES = 8
"""Passages that an answer is made from."""
PASSAGES_FOR_FEW_WORDS, FEW_WORDS = 12, 1
"""What a question for a meaning with so many words of content says is near to more passages."""
ABOUT = 240
"""Passages that a timeline of a subject is made of."""
COMPARED = 16
"""Passages in which reports may differ."""
NEAR, MOST_UNHEARD_OF, MAY_TELL = 1.3, 0.2, 0.2
"""A timeline is told of a subject that some sentence is so near to, with no more of its words unheard of, or where the
gate gives the question so much trust: little, as no single sentence answers it."""
FEWEST_EVENTS = 3
"""Fewer events about a subject are no timeline of it; the question is answered like any other."""

History = Sequence[tuple[str, str]]


class Assistant:
    """Answers questions from one index. Holds no conversation: one assistant serves all visitors at once.

    Args:
        settings: which model is to answer.
        index: the articles.
        embedder: turns questions into vectors; the same that made the index.
        cross_encoder: judges sentences; one that several assistants share.
    """

    def __init__(
        self, settings: Settings, index: LiveIndex, embedder: Embedder, cross_encoder: CrossEncoder | None = None
    ) -> None:
        self.settings = settings
        self._index = index
        self._embedder = embedder
        self._cross_encoder = cross_encoder or CrossEncoder(embedder if isinstance(embedder, MiniLM) else MiniLM())

    @classmethod
    def from_settings(cls, settings: Settings | None = None) -> Self:
        """Open the index that the settings name, or the environment's when none are given.

        The default index is built from the shipped articles when it does not exist yet.

        Raises:
            IndexStateError: the index is missing, empty, damaged or made by another embedder.
        """
        settings = settings or Settings.from_env()
        embedder = MiniLM()
        try:
            index = LiveIndex(settings.index, embedder.identity)
        except IndexMissingError:
            if settings.index != default_index():
                raise
            _build_default_index(settings)
            index = LiveIndex(settings.index, embedder.identity)
        return cls(settings, index, embedder)

    def with_settings(self, settings: Settings) -> Self:
        """An assistant over the same open index that answers with other settings of the model."""
        return type(self)(settings, self._index, self._embedder, self._cross_encoder)

    def retrieve(
        self,
        question: str,
        k: int = 10,
        history: History = (),
        ignore: Collection[str] = (),
        rerank: bool = True,
    ) -> list[Passage]:
        """The `k` passages that best answer the question, best first, with scores between 0 and 1.

        Args:
            ignore: keys of facets that are not to be preferred, as for `ask`.
            rerank: where it isn't clear which passage comes first, have the cross-encoder take a second look, which
                there takes longer than the search; who searches very often may do without.

        Raises:
            QuestionError: the question is empty or too long.
            IndexStateError: the index can't be read.
        """
        asked = usual(standalone(checked(question), history))
        index = self._ready_index()
        wanted = named(asked, index.outlets, ignore)
        return find(asked, index, self._embedder, k, wanted, self._cross_encoder if rerank else None)

    def ask(self, question: str, history: History = (), ignore: Collection[str] = ()) -> Answer:
        """The whole answer.

        Args:
            question: at most 4,000 characters.
            history: earlier turns, oldest first, as (question, answer text).
            ignore: keys of facets that the question names but that are not to be preferred: "outlet:Reuters".

        Raises:
            QuestionError: the question is empty or too long.
            IndexStateError: the index can't be read.
            ModelNotFoundError: the server doesn't have the model that the settings name.
            ModelAccessError: the server refuses the key. Whatever else a model fails in, the sources are quoted
                instead, and a note says why.
        """
        for event in self.stream(question, history, ignore):
            if isinstance(event, DoneEvent):
                return event.answer
        raise AssertionError("a stream ends with a DoneEvent")

    async def aask(self, question: str, history: History = (), ignore: Collection[str] = ()) -> Answer:
        """`ask` for asynchronous callers, run in a thread of its own."""
        return await asyncio.to_thread(self.ask, question, history, ignore)

    def stream(
        self, question: str, history: History = (), ignore: Collection[str] = ()
    ) -> Generator[Event, None, None]:
        """The answer as it comes about: stages, facets, thinking, text, citations, and at the end the whole answer.

        Closing the generator stops the model. Raises what `ask` raises.
        """
        clock = _Clock()
        question = checked(question)
        if reply := smalltalk.reply(question):
            yield TextEvent(reply)
            yield DoneEvent(Answer(question=question, text=reply, refused=True, standalone_question=question))
            return
        if changes_subject(question):
            history = ()
        asked = usual(standalone(question, history))
        filled_in = asked != question
        index = self._ready_index()
        self._cross_encoder.warm_up()
        yield StageEvent("search", f"Searching {index.counts()[0]:,} articles" + _rewritten(question, asked))
        wanted = named(asked, index.outlets, ignore)
        facets = tuple(w.facet for w in wanted)
        if facets:
            yield FacetsEvent(facets)
        spelt, compared = search(asked, index, self._embedder, COMPARED, wanted)
        # Whoever asks without capitals has asked the same.
        asked = asked if spelt.casefold() == asked.casefold() else spelt
        read_closely = PASSAGES_FOR_FEW_WORDS if _says_little(compared, asked) else PASSAGES
        found = replace(compared, evidence=compared.evidence[:read_closely])
        clock.lap("retrieve")
        articles = len({e.passage.article_id for e in found.evidence})
        yield StageEvent("read", f"Reading {articles} article{'s' * (articles != 1)}")

        model_name, length = "quotes", LENGTHS[self.settings.length]
        days_count = not any(key.startswith("date:") for key in ignore)
        dated = self._dated(asked, history, compared, index, wanted, length.events) if days_count else None
        if dated:
            # What happened when, the articles' own dates tell better than a model that reads a few passages.
            draft = dated
        else:
            found, quoted, answers = self._quoted(asked, spelt, found, index, wanted, gone_on_from(asked, history))
            # A question that was filled in says already what it goes on from.
            asked = asked if filled_in and answers.startswith(asked) else answers
            if quoted is None:
                draft = refused(closest(found.evidence, asked, index.counts()[0]))
            elif says_unknown := unknown(asked, quoted):
                draft = says_unknown
            else:
                draft, model_name = yield from self._draft(asked, found, history, quoted)
        if model_name == "quotes":
            yield from _events(draft)
        elif draft.refused:
            yield TextEvent(further := closest(found.evidence, asked, index.counts()[0]))
            draft = replace(draft, text=draft.text + further)
        disputed: tuple[Disagreement, ...] = ()
        if not draft.refused and not dated:
            disputed, others = disagreements(asked, compared.evidence, draft.citations)
            # Each value can be opened, also one whose sentence the answer doesn't cite.
            yield from map(CitationEvent, others)
            draft = replace(draft, citations=draft.citations + others)
        clock.lap("answer")
        yield DoneEvent(
            Answer(
                question=question,
                text=draft.text,
                citations=draft.citations,
                passages=_passages(draft) if dated else tuple(e.passage for e in found.evidence),
                refused=draft.refused,
                model=model_name,
                reasoning=draft.reasoning,
                timings=clock.laps,
                standalone_question=asked,
                notes=draft.notes,
                interrupted=draft.interrupted,
                support=draft.support,
                context=draft.context,
                facets=facets,
                disagreements=disputed,
            )
        )

    async def astream(
        self, question: str, history: History = (), ignore: Collection[str] = ()
    ) -> AsyncGenerator[Event, None]:
        """`stream` for asynchronous callers; each step runs in a thread, so that the event loop stays free."""
        events = self.stream(question, history, ignore)
        step: asyncio.Future[Event | None] | None = None
        try:
            while True:
                step = asyncio.ensure_future(asyncio.to_thread(next, events, None))
                event = await asyncio.shield(step)
                if event is None:
                    return
                yield event
        finally:
            # A cancelled caller leaves the last step running in its thread; a running generator can't be closed.
            if step is not None and not step.done():
                await asyncio.wait([step])
            events.close()

    def timeline(
        self, start: str = "", end: str = "", question: str = "", progress: Callable[[float], object] | None = None
    ) -> list[TimelineEntry]:
        """The dated events that the articles tell of, in order, at most `MOST_A_DAY` of `rag.timeline` for a day.

        Args:
            start: the first day as ISO 8601 date; when not given, that of the question or no limit.
            end: the last day, in the same way.
            question: what the events are to be about, and in which period: "Nvidia in the week after the crash".
            progress: takes the share of the articles that is read, from 0 to 1, now and then.

        Raises:
            QuestionError: a day is no ISO 8601 date, or the question is too long.
            IndexStateError: the index can't be read.
        """
        for day in (start, end):
            if day and not is_iso_date(day):
                raise QuestionError(f"{day!r} is no day: write it as 2025-01-27.")
        period = period_named(checked(question) if question else "")
        start, end = start or period.start, end or period.end
        index = self._ready_index()
        about = self._about(period.subject, index, named(question, index.outlets))
        return timeline(_told(index.dated(start, end), progress), start, end, about)

    def daily_changes(
        self, start: str = "", end: str = "", progress: Callable[[float], object] | None = None
    ) -> list[DailyChange]:
        """How far prices and indices moved on each day, by subject and day, as the articles tell it.

        Args:
            start: the first day as ISO 8601 date; empty for no limit, as is `end`, the last day.
            progress: takes the share of the articles that is read, from 0 to 1, now and then.

        Raises:
            IndexStateError: the index can't be read.
        """
        return daily_changes(_told(self._ready_index().measured(), progress), start, end)

    def state(self) -> str:
        """What the articles are at, for those who keep what they read out of them: another one after each change.

        Raises:
            IndexStateError: the index can't be read.
        """
        return self._index.now().folder.name

    def article(self, article_id: str) -> Article:
        """The whole article of a passage.

        Raises:
            KeyError: the index has no article of that id.
            IndexStateError: the index can't be read.
        """
        article = self._index.now().article(article_id)
        if article is None:
            raise KeyError(article_id)
        return article

    def articles(self) -> list[Article]:
        """All articles, oldest first."""
        return self._index.now().articles()

    def counts(self) -> tuple[int, int]:
        """How many articles and passages there are.

        Raises:
            IndexStateError: the index can't be read.
        """
        return self._index.now().counts()

    def origins(self) -> dict[str, str]:
        """Where each article was read from: an id to a path or an address."""
        return dict(self._index.now().origins())

    def as_runnable(self) -> Any:
        """A LangChain `Runnable`: from a question, or a dict with `question` and `history`, to an `Answer`."""
        from langchain_core.runnables import RunnableLambda

        def call(given: str | dict[str, Any]) -> Answer:
            return self.ask(given) if isinstance(given, str) else self.ask(given["question"], given.get("history", ()))

        return RunnableLambda(call, name="aftershock")

    def close(self) -> None:
        """Give back the index's files."""
        self._index.close()

    def _ready_index(self) -> Index:
        index = self._index.now()
        if not index.counts()[1]:
            raise IndexEmptyError(
                f"The index at {self.settings.index} holds no article: "
                f"add some with 'aftershock ingest PATH --index {self.settings.index}'."
            )
        return index

    def _dated(
        self, asked: str, history: History, found: Retrieval, index: Index, wanted: Sequence[Wanted], most: int
    ) -> Draft | None:
        """The events of the period, where the question asks for those of one and the articles tell of them."""
        before = history[-1][0] if history else ""
        likely = found.vector is not None and sequence.shipped().likelihood(asked, found.vector) >= sequence.SURE
        bare = without_statements(asked)
        period = asked_timeline(bare, before, likely)
        # What is told beside an order may say what it is about.
        says_little = period is None or period == STORY or not (period.start or period.end or _names(period.subject))
        if says_little and bare != asked:
            bare, period = asked, asked_timeline(asked, before, likely) or period
        if period is None:
            return None
        deeds = deeds_named(period.subject)
        about = self._about(" ".join([period.subject, *(VERBS[deed] for deed in sorted(deeds))]), index, wanted)
        if about is not None:
            closely = replace(found, evidence=found.evidence[:PASSAGES])
            if not self._may_tell(asked, closely, index, period.subject, max(about.values(), default=0.0)):
                return None
            spelt, around = search(bare, index, self._embedder, ABOUT, wanted, whole=True)
            about = nearer(about, nearness(read(spelt, around)), best_of_articles(around))
        listed = [near for event in events_listed(asked) if (near := self._about(event, index, wanted))]
        told = index.dated(period.start, period.end)
        doers = doers_named(period.subject)
        entries = timeline(told, period.start, period.end, about, most, listed, deeds, doers)
        return in_lines(entries) if len(entries) >= (FEWEST_EVENTS if period.subject else 1) else None

    def _may_tell(self, asked: str, found: Retrieval, index: Index, subject: str, nearest: float) -> bool:
        """Whether the articles may tell of a subject, and not only of what happened to others in those days.

        Args:
            nearest: how near the nearest sentence is to the subject.
        """
        words = content_terms(subject)
        unheard_of = sum(not one.frequency for one in index.occurrences(words))
        if nearest >= NEAR and unheard_of <= MOST_UNHEARD_OF * len(words):
            return True
        return confidence(self._cross_encoder.read(asked, found)) >= MAY_TELL

    def _about(self, subject: str, index: Index, wanted: Sequence[Wanted]) -> dict[tuple[str, int], float] | None:
        """How near to the subject each sentence is that a search for it finds; None where there is none."""
        if not subject:
            return None
        spelt, found = search(subject, index, self._embedder, ABOUT, wanted, whole=True)
        return nearness(read(spelt, found))

    def _quoted(
        self, asked: str, spelt: str, found: Retrieval, index: Index, wanted: Sequence[Wanted], before: str
    ) -> tuple[Retrieval, Draft | None, str]:
        """What was found, the answer in the sources' words, None where they hold none, and the question it answers."""
        most = LENGTHS[self.settings.length].quoted

        def judged(question: str, spelt: str, found: Retrieval) -> Found:
            reading = self._cross_encoder.read(spelt, found)
            sure = confidence(reading)
            return Found(question, quote(reading, most) if sure >= THRESHOLD else None, ordered(reading), sure)

        def ask(question: str) -> Found:
            question = usual(question)
            return judged(question, *search(question, index, self._embedder, PASSAGES, wanted))

        names = [part.facet.label for part in parts(asked, wanted) if part.facet.kind == "subject"]
        best = answered(judged(asked, spelt, found), names, ask, PASSAGES, before)
        return replace(found, evidence=best.evidence), best.draft, best.question

    def _draft(
        self, asked: str, found: Retrieval, history: History, quoted: Draft
    ) -> Generator[Event, None, tuple[Draft, str]]:
        """The answer's content and its maker: a local model where one is wanted and there, else the sources' words."""
        if self.settings.model == "quotes":
            return quoted, "quotes"
        from rag.generate import generate
        from rag.models import find_model

        try:
            model = find_model(self.settings)
            draft = yield from generate(
                model, asked, found.evidence, tuple(history), self._embedder, LENGTHS[self.settings.length]
            )
        except ModelError as error:
            # A wrong name or key is for whoever set it to put right; what happens to a server is not.
            if self.settings.model != "auto" and isinstance(error, ModelNotFoundError | ModelAccessError):
                raise
            note = f"{error} The answer is in the sources' own words."
        else:
            if draft.support is None or not draft.support.sentences or draft.support.share:
                return draft, model.name
            note = f"Nothing that {model.name} wrote stands in the articles: the answer is in the sources' own words."
            yield WithdrawnEvent()
        yield StageEvent("note", note)
        return replace(quoted, notes=(*quoted.notes, note)), "quotes"


def _says_little(found: Retrieval, question: str) -> bool:
    """Whether a question asks what a name stands for, and has hardly a word besides: "What is R1?"."""
    return len(found.weights) <= FEW_WORDS and expected(question) == "meaning"


def _names(subject: str) -> bool:
    """Whether a subject has a name."""
    return subject != subject.lower()


def _passages(draft: Draft) -> tuple[Passage, ...]:
    return tuple(dict.fromkeys(citation.passage for citation in draft.citations))


def _events(draft: Draft) -> Generator[Event, None, None]:
    for citation in draft.citations:
        yield CitationEvent(citation)
    yield TextEvent(draft.text)


def _told(
    articles: Sequence[tuple[Article, Sequence[Evidence]]], progress: Callable[[float], object] | None
) -> Iterator[tuple[Article, Sequence[Evidence]]]:
    """The same, telling now and then how many are read."""
    for number, article in enumerate(articles):
        if progress and number % 50 == 0:
            progress(number / len(articles))
        yield article


def _rewritten(question: str, asked: str) -> str:
    return "" if asked == question else f" for: {asked}"


def _build_default_index(settings: Settings) -> None:
    """Build the default index through whoever is registered for it: `rag` itself can't read articles."""
    builders = list(entry_points(group="aftershock.default_index"))
    if not builders:
        raise IndexMissingError(f"There is no index at {settings.index}: make one with 'aftershock ingest'.")
    builders[0].load()(settings)


class _Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now
