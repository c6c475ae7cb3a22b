"""Answers under way: each goes on by itself, whoever watches it, until it is whole, stopped, or abandoned."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing, closing, contextmanager, suppress

from rag.errors import AftershockError, ConversationMissingError, ConversationsError
from rag.records import Answer, Event
from ui.render import Turn

UPDATE_SECONDS = 0.05
"""A change is shown at most this often: drawing a message anew costs the browser milliseconds."""
LINGER_SECONDS = 20.0
"""For so long an answer goes on that nobody watches: a reload of the page takes a few seconds."""
ANSWERS_AT_ONCE = 4
WAITING_AT_MOST = 32

Stream = Callable[[], Generator[Event, None, None]]
Key = tuple[str, str]
"""Of a conversation: its visitor and its id."""

log = logging.getLogger(__name__)


class Running:
    """An answer under way. Lives in the event loop's thread."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.saved = asyncio.Event()
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

    def tell(self) -> None:
        """The turn has changed."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def stop(self) -> None:
        """End the work; what there is of the answer stays."""
        if self.turn.running:
            self.turn.stopped = True
            self.tell()

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
    """Takes questions, has a few answered at a time and the others wait, and refuses when too many do."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(ANSWERS_AT_ONCE)
        self._running: dict[Key, Running] = {}
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def running(self, key: Key) -> Running | None:
        """The answer under way in a conversation."""
        return self._running.get(key)

    def start(self, key: Key, turn: Turn, stream: Stream, save: Callable[[Answer], object]) -> Running:
        """Begin to answer; `save` is called with what there is at the end, in a thread."""
        running = self._running[key] = Running(turn)
        task = asyncio.create_task(self._answer(key, running, stream, save))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return running

    async def _answer(self, key: Key, running: Running, stream: Stream, save: Callable[[Answer], object]) -> None:
        turn = running.turn
        try:
            if self._places.locked() and self._waiting >= WAITING_AT_MOST:
                turn.failure = f"Too many questions are waiting ({self._waiting}): try again in a moment."
            else:
                await self._wait_and_fill(running, stream)
            running.tell()
            await asyncio.to_thread(_kept, turn, save)
            running.tell()
        finally:
            if self._running.get(key) is running:
                del self._running[key]
            running.saved.set()

    async def _wait_and_fill(self, running: Running, stream: Stream) -> None:
        if self._places.locked():
            ahead = self._waiting + ANSWERS_AT_ONCE
            others = "another question comes" if ahead == 1 else f"{ahead} other questions come"
            running.turn.stages.append(f"Waiting: {others} first")
            running.tell()
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            await _fill(running, stream)
        finally:
            self._places.release()


def _kept(turn: Turn, save: Callable[[Answer], object]) -> None:
    try:
        save(turn.record())
    except ConversationMissingError:
        pass  # It was deleted meanwhile, so there is nothing to keep.
    except ConversationsError as error:
        turn.unsaved = f"{error} This answer will be gone when the page is closed."


async def _fill(running: Running, stream: Stream) -> None:
    """Let the turn take its answer's events as they come."""
    turn = running.turn
    began = time.monotonic()
    try:
        async with aclosing(_batches(stream, running)) as batches:
            async for events in batches:
                for event in events:
                    turn.take(event, time.monotonic() - began)
                if not turn.running:
                    return
                running.tell()
    except AftershockError as error:
        turn.failure = str(error)
    except Exception:
        log.exception("The answer failed.")
        turn.failure = "Something went wrong inside Aftershock; the details are in its log. Ask again, or restart it."
    if turn.running:
        turn.failure = "The answer ended before it was whole: ask again."


async def _batches(stream: Stream, running: Running) -> AsyncGenerator[list[Event]]:
    """What a stream yields, gathered so that a batch comes at most every `UPDATE_SECONDS`; ends when it is stopped.

    One thread runs the stream from its start to its close. When nobody wants more, the stream is closed as soon as it
    yields again.
    """
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[Event | None] = asyncio.Queue()
    failures: list[Exception] = []
    left = threading.Event()

    def hand_over(item: Event | None) -> None:
        with suppress(RuntimeError):  # The loop is closed: the server has ended.
            loop.call_soon_threadsafe(arrived.put_nowait, item)

    def run() -> None:
        try:
            with closing(stream()) as events:
                for event in events:
                    if left.is_set():
                        break
                    hand_over(event)
        except Exception as error:
            failures.append(error)
        finally:
            hand_over(None)

    async def stopped() -> None:
        async with aclosing(running.changes()) as changes:
            async for _ in changes:
                pass

    threading.Thread(target=run, name="answer", daemon=True).start()
    until_stopped = asyncio.ensure_future(stopped())
    try:
        ended = False
        while not ended:
            first = asyncio.ensure_future(arrived.get())
            await asyncio.wait((first, until_stopped), return_when=asyncio.FIRST_COMPLETED)
            if not first.done():
                first.cancel()
                return
            batch = [first.result()]
            while not arrived.empty():
                batch.append(arrived.get_nowait())
            ended = batch[-1] is None
            yield [event for event in batch if event is not None]
            await asyncio.sleep(0 if ended else UPDATE_SECONDS)
    finally:
        left.set()
        until_stopped.cancel()
    if failures:
        raise failures[0]
