"""Getting a model onto the Ollama server, with progress, and taking one off it."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

from rag.errors import ModelInterruptedError, ModelNotFoundError, ModelRoomError, ModelServerError
from rag.ollama import listing_client, ollama_errors
from rag.recommend import gibibytes
from rag.served import client_options

if TYPE_CHECKING:
    from ollama import ProgressResponse

DONE = "success"
"""The status of a pull's last progress."""

_HEARTBEAT_SECONDS = 0.2
_CONNECT_SECONDS = 5.0
_SILENCE_SECONDS = 600.0
"""Ollama says nothing while it checks what it downloaded: minutes, for tens of gigabytes on a slow disk."""
_MARGIN = 2**30
"""Disk that a pull leaves free, in bytes."""
_NO_SUCH_MODEL = re.compile(r"file does not exist|invalid model name|not found", re.IGNORECASE)
_NO_NETWORK = re.compile(r"no such host|dial tcp|network is unreachable|i/o timeout|TLS handshake", re.IGNORECASE)
_DISK_FULL = re.compile(r"no space left|not enough space|disk full", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull has come: what the server is doing, bytes that are there, bytes in all (0: not known yet)."""

    status: str = ""
    completed: int = 0
    total: int = 0

    @property
    def share(self) -> float:
        """What is there of the whole, 0 to 1."""
        return self.completed / self.total if self.total else 0.0


def pull(url: str, name: str, room: int | None = None) -> Generator[PullProgress, None, None]:
    """Download a model to the server at `url`, from where an earlier download was cancelled or broke off.

    Closing the generator closes the connection, at which Ollama stops downloading and keeps what is there; while
    the server is silent the generator yields the same progress several times a second and can be closed then, too.

    Args:
        url: address of the server.
        name: the model's name in Ollama's library.
        room: bytes free where the server keeps its models; None not to look at that.

    Raises:
        ModelServerError: the server cannot be reached, or failed.
        ModelNotFoundError: there is no model of that name.
        ModelRoomError: the disk has no room for it.
        ModelInterruptedError: the download broke off.
    """
    progress = PullProgress()
    layers: dict[str, tuple[int, int]] = {}
    with _pull_errors(url, name, layers), closing(_records(url, name)) as records:
        for record in records:
            if record is not None:
                if record.digest and record.total:
                    layers[record.digest] = (record.completed or 0, record.total)
                progress = PullProgress("downloading" if record.digest else record.status or "", *_sums(layers))
                missing = progress.total - progress.completed
                if missing and room is not None and missing + _MARGIN > room:
                    raise ModelRoomError(
                        f"{name} needs {gibibytes(missing)} more on the disk, but only {gibibytes(room)} are free "
                        "where the model server keeps its models: make room, or choose a smaller model."
                    )
            yield progress
            if progress.status == DONE:
                return
        raise ModelInterruptedError


def remove(url: str, name: str) -> None:
    """Delete a model from the server at `url`.

    Raises:
        ModelServerError: the server cannot be reached, or failed.
        ModelNotFoundError: the server doesn't have it.
    """
    with listing_client(url) as client, ollama_errors(url, name):
        client.delete(name)


def _records(url: str, name: str) -> Generator[ProgressResponse | None, None, None]:
    """Ollama's reports; None while there is nothing new.

    A thread with an event loop does the reading, so that whoever cancels need not wait for the next report.
    """
    import httpx
    from anyio.from_thread import start_blocking_portal
    from ollama import AsyncClient

    inbox: SimpleQueue[ProgressResponse | Exception | None] = SimpleQueue()

    async def read() -> None:
        try:
            options = client_options(httpx.Timeout(None, connect=_CONNECT_SECONDS))
            async with AsyncClient(host=url, **options) as client:
                async for record in await client.pull(name, stream=True):
                    inbox.put(record)
            inbox.put(None)
        except Exception as error:
            inbox.put(error)

    last = monotonic()
    with start_blocking_portal() as portal:
        portal.start_task_soon(read)
        while True:
            try:
                item = inbox.get(timeout=_HEARTBEAT_SECONDS)
            except Empty:
                if monotonic() - last >= _SILENCE_SECONDS:
                    raise ModelInterruptedError from None
                yield None
                continue
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item
            last = monotonic()


@contextmanager
def _pull_errors(url: str, name: str, layers: dict[str, tuple[int, int]]) -> Iterator[None]:
    """What Ollama reports in words, and exceptions of the client library, as errors of ours."""
    import ollama

    try:
        with ollama_errors(url):
            yield
    except ModelInterruptedError as error:
        raise ModelInterruptedError(_broken(name, layers)) from error
    except ModelServerError as error:
        if not isinstance(error.__cause__, ollama.ResponseError):
            raise
        said = " ".join(error.__cause__.error.split()).rstrip(".")[:300]
        if _DISK_FULL.search(said):
            raise ModelRoomError(
                f"The disk where the model server keeps its models is full: make room, then get {name} again, and it "
                "goes on from where it is."
            ) from error
        if _NO_SUCH_MODEL.search(said):
            raise ModelNotFoundError(
                f"Ollama's library has no model {name}; those that it has are at https://ollama.com/library."
            ) from error
        if _NO_NETWORK.search(said):
            raise ModelInterruptedError(_broken(name, layers, "the model server has no network")) from error
        if layers:
            raise ModelInterruptedError(_broken(name, layers, said)) from error
        raise


def _broken(name: str, layers: dict[str, tuple[int, int]], cause: str = "") -> str:
    completed, total = _sums(layers)
    share = f" at {completed / total:.0%}" if total else ""
    because = f" ({cause})" if cause else ""
    return f"The download of {name} broke off{share}{because}: start it again, and it goes on from there."


def _sums(layers: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Bytes of all layers that are there, and in all."""
    return sum(completed for completed, _ in layers.values()), sum(total for _, total in layers.values())
