"""Answers under way: each goes on by itself, whoever watches it, until it is whole, stopped, or abandoned."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any

from rag.errors import AftershockError, ConversationMissingError, ConversationsError
from rag.records import Answer, Event
from ui.conversations import Visitor
from ui.places import Places, Stream
from ui.turn import Turn

LINGER_SECONDS = 20.0
"""For so long an answer goes on that nobody watches: a reload of the page takes a few seconds."""
Key = tuple[str, str]
"""Of a conversation: its visitor and its id."""


class Running:
    """An answer under way in a conversation. Lives in the event loop's thread."""

    def __init__(self, key: Key, turn: Turn) -> None:
        self.key = key
        self.turn = turn
        self.saved = asyncio.Event()
        self._work: asyncio.Future[None] | None = None
        self._changed = asyncio.Event()
        self._watchers = 0

    async def changes(self) -> AsyncGenerator[None]:
        """Yields at once, and whenever the turn has changed, the last time when it is at its end."""
        while True:
            changed = self._changed
            yield
            if not self.turn.running:
                return
            await changed.wait()

    async def rest(self, seconds: float) -> None:
        """Let some time pass, unless the answer comes to its end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.saved.wait(), seconds)

    def tell(self) -> None:
        """The turn has changed."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def stop(self) -> None:
        """End the work; what there is of the answer stays."""
        if self.turn.running:
            self.turn.stopped = True
            if self._work:
                self._work.cancel()
            self.tell()

    async def until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work that `stop` ends."""
        self._work = asyncio.ensure_future(work)
        try:
            await self._work
        except asyncio.CancelledError:
            if not self.turn.stopped:
                self._work.cancel()
                raise

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While somebody looks on. Who is cut off, as by a closed tab, may come back for `LINGER_SECONDS`."""
        self._watchers += 1
        try:
            yield
        except (GeneratorExit, asyncio.CancelledError):
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self._stop_if_abandoned)
            raise
        finally:
            self._watchers -= 1

    def _stop_if_abandoned(self) -> None:
        if not self._watchers:
            self.stop()


class Desk:
    """Takes the page's questions and has each answered when there is a place for it, and saved."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._under_way: set[Running] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._renewed: dict[Key, str] = {}
        self._saving = threading.Lock()

    def running(self, key: Key) -> Running | None:
        """The answer under way in a conversation."""
        return next((each for each in self._under_way if self.now(each.key) == self.now(key)), None)

    def now(self, key: Key) -> Key:
        """What a conversation goes by now, for pages that still show it by the id that it had before."""
        while renewed := self._renewed.get(key):
            key = (key[0], renewed)
        return key

    def renew(self, conversations: Visitor, key: Key) -> str:
        """Give a conversation a new id, so that a link with the old one opens nothing, and return that.

        Raises:
            ConversationMissingError: the visitor has no such conversation.
            ConversationsError: the file cannot be written.
        """
        with self._saving:  # Or what is saved just now would find no conversation of its id.
            self._renewed[key] = conversations.renew(key[1])
        return self._renewed[key]

    def start(self, key: Key, turn: Turn, stream: Stream, save: Callable[[str, Answer], object]) -> Running:
        """Begin to answer; `save` is called with the conversation's id and what there is at the end, in a thread."""
        running = Running(key, turn)
        self._under_way.add(running)
        task = asyncio.create_task(self._answer(running, stream, save))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return running

    async def _answer(self, running: Running, stream: Stream, save: Callable[[str, Answer], object]) -> None:
        try:
            await running.until_stopped(_fill(running, self._places.answer(stream)))
            running.tell()
            await asyncio.to_thread(self._keep, running, save)
            running.tell()
        finally:
            self._under_way.discard(running)
            running.saved.set()

    def _keep(self, running: Running, save: Callable[[str, Answer], object]) -> None:
        turn = running.turn
        try:
            with self._saving:
                save(self.now(running.key)[1], turn.record())
        except ConversationMissingError:
            pass  # It was deleted meanwhile, so there is nothing to keep.
        except ConversationsError as error:
            turn.unsaved = f"{error} This answer will be gone when the page is closed."


async def _fill(running: Running, events: AsyncGenerator[list[Event]]) -> None:
    """Let the turn take its answer's events as they come."""
    turn = running.turn
    began = time.monotonic()
    try:
        async with aclosing(events):
            async for batch in events:
                for event in batch:
                    turn.take(event, time.monotonic() - began)
                if not turn.running:
                    return
                running.tell()
    except AftershockError as error:
        turn.failure = str(error)
    if turn.running:
        turn.failure = "The answer ended before it was whole: ask again."
