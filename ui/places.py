"""How many questions are answered at once and how many may wait: one limit for the page and every other way to ask."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing, suppress

from rag.errors import AftershockError, QueueFullError
from rag.records import Event, StageEvent

UPDATE_SECONDS = 0.05
"""Events come at most this often: drawing a message anew costs the browser milliseconds."""
ANSWERS_AT_ONCE = 4
WAITING_AT_MOST = 32

RETRY_SECONDS = 5
"""After so long a program that was refused may ask again."""

log = logging.getLogger(__name__)

Stream = Callable[[], Generator[Event, None, None]]


class Places:
    """The places of those who are answered, and of those who wait for one. Lives in the event loop's thread."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(ANSWERS_AT_ONCE)
        self.answering = 0
        self.waiting = 0

    async def answer(self, stream: Stream) -> AsyncGenerator[list[Event]]:
        """The events of an answer in batches, as soon as it is its turn. Closing the generator ends the work.

        Raises:
            QueueFullError: too many are waiting; raised at the first step.
            AftershockError: what the stream raises; a fault of ours is logged, and raised as one sentence.
        """
        ahead = self.waiting + self.answering if self._free.locked() else 0
        if ahead and self.waiting >= WAITING_AT_MOST:
            raise QueueFullError(f"Too many questions are waiting ({self.waiting}): try again in a moment.")
        self.waiting += 1
        try:
            if ahead:
                others = "another question comes" if ahead == 1 else f"{ahead} other questions come"
                yield [StageEvent("wait", f"Waiting: {others} first")]
            await self._free.acquire()
        finally:
            self.waiting -= 1
        self.answering += 1
        try:
            async with aclosing(_batches(stream)) as batches:
                async for events in batches:
                    yield events
        except AftershockError:
            raise
        except Exception as error:
            log.exception("The answer failed.")
            raise AftershockError(
                "Something went wrong inside Aftershock; the details are in its log. Ask again, or restart it."
            ) from error
        finally:
            self.answering -= 1
            self._free.release()


async def _batches(stream: Stream) -> AsyncGenerator[list[Event]]:
    """What a stream yields, gathered so that a batch comes at most every `UPDATE_SECONDS`.

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

    threading.Thread(target=run, name="answer", daemon=True).start()
    try:
        ended = False
        while not ended:
            batch = [await arrived.get()]
            while not arrived.empty():
                batch.append(arrived.get_nowait())
            ended = batch[-1] is None
            yield [event for event in batch if event is not None]
            await asyncio.sleep(0 if ended else UPDATE_SECONDS)
    finally:
        left.set()
    if failures:
        raise failures[0]
