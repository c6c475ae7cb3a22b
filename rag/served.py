"""What all models on servers have in common: an answer as it is written, silence, and stopping."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import cache
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.errors import ModelError, ModelInterruptedError, ModelServerError
from rag.thoughts import Delta, ThoughtSplitter

if TYPE_CHECKING:
    import ssl

    import httpx
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage

HEARTBEAT_SECONDS = 0.1
"""How often a silent server gives a reader the occasion to stop."""
LISTING_SECONDS = 10.0
CONNECT_SECONDS = 5.0
_R1_FAMILY = re.compile(r"deepseek-r1|r1-1776|deepseek-reasoner", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server reported at the end of an answer; None where it reported nothing.

    `full` says that the answer ended because it reached the number of tokens allowed.
    """

    prompt_tokens: int | None
    answer_tokens: int | None
    full: bool


@dataclass(frozen=True, kw_only=True)
class ServedModel(ABC):
    """A model on a server.

    Args:
        tag: its name on the server.
        url: address of the server.
        num_ctx: context window in tokens, the same for every call.
        can_think: the model's thinking can be switched on and off.
        thinks: the model is expected to think before it answers, in a field of its own or in the text.
        system_prompt: rules go into a system message. The R1 family does better without one.
        think: whether it is to think; without effect where that can't be switched.
        think_asked: the user asked in so many words that it thinks.
        thinking_tokens: tokens of thinking, after which it is stopped.
        thinking_seconds: seconds of thinking, after which it is stopped.
        first_token_seconds: longest wait for the first token: the server may have to load tens of gigabytes first.
        next_token_seconds: longest silence after that.
    """

    tag: str
    url: str
    num_ctx: int
    can_think: bool
    thinks: bool
    system_prompt: bool
    think: bool = True
    think_asked: bool = False
    thinking_tokens: int = 2048
    thinking_seconds: float = 180.0
    first_token_seconds: float = 600.0
    next_token_seconds: float = 60.0

    @property
    @abstractmethod
    def name(self) -> str:
        """The model's name in answers, for instance "ollama/deepseek-r1:8b"."""

    @abstractmethod
    def window(self) -> int | None:
        """The context window that the server really gave the model, in tokens; None where it doesn't say."""

    @abstractmethod
    def _chat(self, think: bool, most_tokens: int) -> BaseChatModel:
        """LangChain's client for one answer of at most `most_tokens`, thinking included."""

    @abstractmethod
    def _errors(self) -> AbstractContextManager[None]:
        """Turns the client library's exceptions into errors of ours."""

    @property
    def temperature(self) -> float:
        """0, and for the R1 family what its makers recommend."""
        return 0.0 if self.system_prompt else 0.6

    def stream(
        self, messages: Sequence[BaseMessage], *, think: bool, most_tokens: int
    ) -> Generator[Delta, None, Usage]:
        """The answer to `messages` as it is written, `most_tokens` long at most, thinking included.

        Closing the generator closes the connection, so that the server stops generating; during the server's
        silence it yields an empty `Delta` several times a second and can be closed then, too.

        Raises:
            ModelServerError: the server cannot be reached, failed, or stayed silent for too long.
            ModelThinkingError: it was to think, and the server says that it can't.
            ModelNotFoundError: the server no longer has the model.
            ModelInterruptedError: the answer broke off.
        """
        splitter = ThoughtSplitter(expects_thoughts=think and self.thinks)
        reason: str | None = None
        counts: Any = None
        shown = monotonic()
        try:
            with closing(self._chunks(messages, think, most_tokens)) as chunks:
                for chunk in chunks:
                    if chunk is None:
                        yield Delta()
                        continue
                    if thought := chunk.additional_kwargs.get("reasoning_content"):
                        splitter.thoughts_come_apart()
                        shown = monotonic()
                        yield Delta(reasoning=thought)
                    for delta in splitter.feed(chunk.text):
                        shown = monotonic()
                        yield delta
                    reason = _reason(chunk) or reason
                    counts = chunk.usage_metadata or counts
                    # Some pieces hold nothing to show, such as thoughts that weren't asked for.
                    if reason is None and monotonic() - shown >= HEARTBEAT_SECONDS:
                        shown = monotonic()
                        yield Delta()
            if reason is None:
                raise ModelInterruptedError(f"The model server at {self.url} stopped in the middle of its answer.")
        except ModelError:
            yield from splitter.finish(complete=False)
            raise
        full = reason == "length"
        yield from splitter.finish(complete=not full)
        return Usage(counts["input_tokens"] if counts else None, counts["output_tokens"] if counts else None, full)

    def _chunks(
        self, messages: Sequence[BaseMessage], think: bool, most_tokens: int
    ) -> Generator[AIMessageChunk | None]:
        """LangChain's chunks; None while there is nothing new.

        A thread with an event loop does the reading: only so can a reader who gives up close the connection at once,
        although the server may not send its first byte for minutes.
        """
        from anyio.from_thread import start_blocking_portal
        from langsmith import tracing_context

        chat = self._chat(think, most_tokens)
        inbox: SimpleQueue[AIMessageChunk | Exception | None] = SimpleQueue()

        async def read() -> None:
            try:
                # Questions stay here, even where the environment asks LangChain to report its calls to a service.
                with tracing_context(enabled=False):
                    async for chunk in chat.astream(list(messages)):
                        inbox.put(chunk)
                inbox.put(None)
            except Exception as error:
                inbox.put(error)

        limit, last = self.first_token_seconds, monotonic()
        with self._errors(), start_blocking_portal() as portal:
            portal.start_task_soon(read)
            while True:
                try:
                    item = inbox.get(timeout=min(HEARTBEAT_SECONDS, limit))
                except Empty:
                    if monotonic() - last >= limit:
                        raise ModelServerError(
                            f"The model server at {self.url} has been silent for {limit:g} seconds."
                        ) from None
                    yield None
                    continue
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item
                limit, last = self.next_token_seconds, monotonic()


def _reason(chunk: AIMessageChunk) -> str | None:
    """Why the answer ended, in the server's words; None while it goes on."""
    about = chunk.response_metadata
    return about.get("done_reason") or about.get("finish_reason") or ("stop" if about.get("done") else None)


def client_options(timeout: httpx.Timeout) -> dict[str, Any]:
    """What every HTTP client for a model server is made with."""
    # A proxy that is meant for the web would only stand in the way of a server on this machine or next to it.
    return {"timeout": timeout, "trust_env": False, "verify": _certificates()}


def streaming_options() -> dict[str, Any]:
    """The same for an answer: silence is watched by the reader, and the connection is used once."""
    import httpx

    return {
        **client_options(httpx.Timeout(None, connect=CONNECT_SECONDS)),
        "limits": httpx.Limits(max_keepalive_connections=0),
    }


def listing_timeout() -> httpx.Timeout:
    """For what a server answers at once."""
    import httpx

    return httpx.Timeout(LISTING_SECONDS, connect=CONNECT_SECONDS)


@cache
def _certificates() -> ssl.SSLContext:
    """The trusted certificates, read once: reading them takes longer than a whole call to a server nearby."""
    import httpx

    return httpx.create_ssl_context()


def is_r1(tag: str) -> bool:
    """Whether a model is of the DeepSeek-R1 family, by its name."""
    return _R1_FAMILY.search(tag) is not None


def is_here(url: str) -> bool:
    """Whether the address is this machine's own."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def one_line(text: str) -> str:
    """What a server said, short enough for a sentence of ours."""
    return " ".join(text.split()).rstrip(".")[:300]
