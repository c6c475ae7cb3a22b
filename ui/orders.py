"""What the visitor orders, and what the page then shows. It knows nothing of Gradio: page.py has the components."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from rag.errors import AftershockError
from rag.question import MOST_CHARACTERS
from rag.records import Answer, Event
from ui import render
from ui.answering import Desk, Key, Running
from ui.conversations import Conversations, SavedTurn, Visitor
from ui.models import Models
from ui.suggest import suggestions
from ui.turn import Turn

NONE_OPEN = "-"
REST_SECONDS = 0.005
"""For each turn above it, a growing answer is shown so much less often: Gradio goes through all of them each time."""
MOST_REST_SECONDS = 0.15


class Order(BaseModel):
    """What the visitor wants, as the page's script says it.

    "ask" a question, ask one "again" with another text, model or search, "open" a conversation, or begin a "new" one.
    `id` is of the conversation to open, or in which the question stands that is asked again.
    """

    do: Literal["ask", "again", "open", "new"]
    question: Annotated[str, BeforeValidator(lambda text: str(text)[: 10 * MOST_CHARACTERS])] = ""
    turn: int = 0
    model: str = Field(default="", max_length=200)
    ignore: tuple[str, ...] = Field(default=(), max_length=50)
    alone: bool = False
    """Search for the question as it stands, whatever was asked before."""
    id: str = Field(default="", max_length=100)
    count: int = 0
    """Of the page's orders, from 1: they may arrive in another order than they were given."""


@dataclass
class Session:
    """An open page: the conversation that it shows, which order it obeys, and the turns on show."""

    conversation: str = ""
    view: int = 0
    gone: int = 0
    """The count of the last order that went to another conversation."""
    turns: list[Turn] = field(default_factory=list)
    orders: asyncio.Lock = field(default_factory=asyncio.Lock)
    """They are taken one after another, as they were given: none is overtaken by one that has more to look up."""
    showing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """What they show is sent one after another, too: nothing that an earlier one shows arrives after a later one's."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What changes on the page; what is None stays as it is."""

    messages: list[render.Message] | None = None
    busy: bool | None = None
    """Whether an answer is under way: then it can be stopped, and nothing else be asked."""
    opened: str | None = None
    """The id of the conversation; numbers behind it say that there is something new in the list of conversations."""
    typed: str | None = None
    """What stands in the question box."""


class Orders:
    """Carries out what is ordered on all pages. Lives in the event loop's thread."""

    def __init__(self, models: Models, store: Conversations, desk: Desk) -> None:
        self._models = models
        self._store = store
        self._desk = desk

    async def obey(self, wanted: Order, session: Session, visitor: str) -> AsyncGenerator[Shown]:
        """What the page shows, as it changes, until the order is carried out or a later one has the page.

        What is yielded counts as sent when the next one is asked for: until then no other order shows anything.
        """
        async with aclosing(self._carry_out(wanted, session, visitor)) as updates:
            async for view, shown in updates:
                async with session.showing:
                    if view == session.view:
                        yield shown

    async def _carry_out(self, wanted: Order, session: Session, visitor: str) -> AsyncGenerator[tuple[int, Shown]]:
        """What the order shows, each with its view of the session."""
        conversations = self._store.of(visitor)
        view = 0
        try:
            async with session.orders:
                if not self._is_for(session, wanted, visitor):
                    return
                session.view += 1
                view = session.view
                await self._turn_to(wanted, session, conversations, visitor)
                key, turns = (visitor, session.conversation), session.turns
            if wanted.do == "new":
                yield view, Shown([], False, NONE_OPEN)
                return
            if wanted.do == "ask":
                async with aclosing(self._others(key, conversations, session, view)) as updates:
                    async for shown in updates:
                        yield view, shown
            running = self._desk.running(key)
            if wanted.do != "open":
                running, turns = await self._begin(wanted, turns, key, conversations)
                if session.view == view:
                    session.turns = turns
        except AftershockError as error:
            if session.view == view:
                session.conversation, session.turns = "", []
                given_back = wanted.question if wanted.do == "ask" else None
                yield view, Shown(render.notice(str(error)), False, NONE_OPEN, given_back)
            return
        if running:
            async with aclosing(self._watch(running, turns, session, view)) as updates:
                async for shown in updates:
                    yield view, shown
        if session.view == view:
            opened = f"{self._desk.now(key)[1]} {len(turns)} {view}"
            yield view, Shown(render.messages(turns, _next(turns)), False, opened)

    def _is_for(self, session: Session, wanted: Order, visitor: str) -> bool:
        """Whether there is something to do: not for an empty question, nor for one of a conversation no longer open.

        Nor for going where the visitor went before, but has gone on since.
        """
        _, session.conversation = self._desk.now((visitor, session.conversation))
        if wanted.do == "again":
            return self._desk.now((visitor, wanted.id))[1] == session.conversation
        if wanted.do == "ask":
            return bool(wanted.question.strip())
        is_overtaken = 0 < wanted.count < session.gone
        session.gone = max(session.gone, wanted.count)
        return not is_overtaken

    async def _turn_to(self, wanted: Order, session: Session, conversations: Visitor, visitor: str) -> None:
        """Have the session be in the conversation that the order is about."""
        if wanted.do == "new":
            session.conversation, session.turns = "", []
        elif wanted.do == "open":
            running = self._desk.running((visitor, wanted.id))
            session.turns = await _turns(conversations, wanted.id, running)
            session.conversation = wanted.id
        elif not session.conversation:
            session.conversation, session.turns = await asyncio.to_thread(conversations.create), []

    async def _others(self, key: Key, conversations: Visitor, session: Session, view: int) -> AsyncGenerator[Shown]:
        """The conversation while what another tab has asked in it is answered: that comes first."""
        while running := self._desk.running(key):
            turns = await _turns(conversations, self._desk.now(running.key)[1], running)
            async with aclosing(self._watch(running, turns, session, view)) as updates:
                async for shown in updates:
                    yield shown
            await running.saved.wait()

    async def _watch(
        self, running: Running, turns: Sequence[Turn], session: Session, view: int
    ) -> AsyncGenerator[Shown]:
        """The conversation as its answer grows, until that is saved or something else is on show."""
        if session.view == view:
            yield Shown(render.messages(turns), True, self._desk.now(running.key)[1])
        with running.watched():
            async with aclosing(running.changes()) as changes:
                async for _ in changes:
                    if session.view != view:
                        return
                    yield Shown(render.messages(turns))
                    await running.rest(min(REST_SECONDS * (len(turns) - 1), MOST_REST_SECONDS))
            await running.saved.wait()

    async def _begin(
        self, wanted: Order, shown: Sequence[Turn], key: Key, conversations: Visitor
    ) -> tuple[Running, list[Turn]]:
        """Begin to answer a question, in place of the turn of that number where it is asked again."""
        saved: Sequence[SavedTurn] | None = None
        # One at a time in a conversation, also where two tabs begin at once: nothing is awaited from here to the start.
        while (under_way := self._desk.running(key)) or saved is None:
            if under_way:
                if wanted.do == "again":
                    under_way.stop()
                await under_way.saved.wait()
            saved = (await asyncio.to_thread(conversations.get, self._desk.now(key)[1])).turns
        number = wanted.turn if wanted.do == "again" and 0 < wanted.turn <= len(shown) else len(saved) + 1
        question = wanted.question.strip() or shown[number - 1].question
        earlier = saved[: number - 1]
        history = [] if wanted.alone else [(t.answer.question, t.answer.text) for t in earlier if t.answer.text]
        turn = Turn(question, len(earlier) + 1, wanted.ignore)
        replaced = len(saved) - number + 1

        def stream() -> Generator[Event, None, None]:
            return self._models.assistant(wanted.model).stream(question, history, wanted.ignore)

        def save(conversation: str, answer: Answer) -> None:
            # What it replaces goes only now that there is something in its place.
            if answer.text or replaced <= 0:
                if replaced > 0:
                    conversations.cut(conversation, number)
                conversations.append(conversation, answer)

        return self._desk.start(key, turn, stream, save), [*_earlier(earlier, None), turn]


async def _turns(conversations: Visitor, conversation: str, running: Running | None) -> list[Turn]:
    """What is saved of a conversation, and what is under way in it."""
    saved = await asyncio.to_thread(conversations.get, conversation)
    turns = _earlier(saved.turns, running.turn.number if running else None)
    return [*turns, running.turn] if running else turns


def _earlier(saved: Sequence[SavedTurn], until: int | None) -> list[Turn]:
    return [Turn.saved(turn) for turn in saved if until is None or turn.number < until]


def _next(turns: Sequence[Turn]) -> tuple[str, ...]:
    if not turns or not turns[-1].answer:
        return ()
    return suggestions(turns[-1].answer, [turn.question for turn in turns])
