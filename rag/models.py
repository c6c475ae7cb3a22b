"""Settings to a chat model. The only file that names a model vendor.

The model answers through LangChain's ChatOllama; what LangChain doesn't cover (which models there are, what they can
do) is asked through the `ollama` client.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.errors import ModelError, ModelInterruptedError, ModelNotFoundError, ModelServerError
from rag.settings import Settings

if TYPE_CHECKING:
    import ssl

    import httpx
    from langchain_core.messages import AIMessageChunk, BaseMessage

SUGGESTED = "deepseek-r1:8b"
"""The model recommended to somebody who has none."""

_HEARTBEAT_SECONDS = 0.2
_LISTING_SECONDS = 10.0
_CONNECT_SECONDS = 5.0
_R1_FAMILY = re.compile(r"deepseek-r1|r1-1776", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Delta:
    """What a model added to its answer or to its thinking; both empty is a sign of life while the server is silent."""

    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server reported at the end of an answer; None where it reported nothing.

    `full` says that the answer ended because it reached the number of tokens allowed.
    """

    prompt_tokens: int | None
    answer_tokens: int | None
    full: bool


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on the server; `size` in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A model server that answers, and the models it has."""

    url: str
    version: str
    models: tuple[InstalledModel, ...]


@dataclass(frozen=True)
class LocalModel:
    """A model on an Ollama server.

    Args:
        tag: its name on the server.
        url: address of the server.
        num_ctx: context window in tokens, sent with every call.
        can_think: the server separates the model's thinking, and can switch it off.
        thinks: the model thinks before it answers, in a field of its own where `can_think`, else in the text.
        system_prompt: rules go into a system message. The R1 family does better without one.
        first_token_seconds: longest wait for the first token: the server may have to load tens of gigabytes first.
        next_token_seconds: longest silence after that.
    """

    tag: str
    url: str
    num_ctx: int
    can_think: bool
    thinks: bool
    system_prompt: bool
    first_token_seconds: float = 600.0
    next_token_seconds: float = 60.0

    @property
    def name(self) -> str:
        """The model's name in answers, for instance "ollama/deepseek-r1:8b"."""
        return f"ollama/{self.tag}"

    @property
    def reply_tokens(self) -> int:
        """Tokens of the context window that are kept for thinking and answer."""
        return self.num_ctx // (2 if self.thinks else 4)

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the context window that a prompt may fill."""
        return self.num_ctx - self.reply_tokens

    def stream(self, messages: Sequence[BaseMessage], *, think: bool = True) -> Generator[Delta, None, Usage]:
        """The answer to `messages` as it is written.

        Closing the generator closes the connection, so that the server stops generating; during the server's
        silence it yields an empty `Delta` several times a second and can be closed then, too.

        Raises:
            ModelServerError: the server cannot be reached, failed, or stayed silent for too long.
            ModelNotFoundError: the server no longer has the model.
            ModelInterruptedError: the answer broke off.
        """
        splitter = ThoughtSplitter(expects_thoughts=think and self.thinks)
        report: dict[str, Any] | None = None
        try:
            with closing(self._chunks(messages, think)) as chunks:
                for chunk in chunks:
                    if chunk is None:
                        yield Delta()
                        continue
                    if thought := chunk.additional_kwargs.get("reasoning_content"):
                        splitter.thoughts_come_apart()
                        yield Delta(reasoning=thought)
                    yield from splitter.feed(chunk.text)
                    if chunk.response_metadata.get("done"):
                        report = chunk.response_metadata
            if report is None:
                raise ModelInterruptedError(f"The model server at {self.url} stopped in the middle of its answer.")
        except ModelError:
            yield from splitter.finish(complete=False)
            raise
        full = report.get("done_reason") == "length"
        yield from splitter.finish(complete=not full)
        return Usage(report.get("prompt_eval_count"), report.get("eval_count"), full)

    def _chunks(self, messages: Sequence[BaseMessage], think: bool) -> Generator[AIMessageChunk | None]:
        """LangChain's chunks; None while there is nothing new.

        A thread with an event loop does the reading: only so can a reader who gives up close the connection at once,
        although the server may not send its first byte for minutes.
        """
        import httpx
        from anyio.from_thread import start_blocking_portal
        from langchain_ollama import ChatOllama
        from langsmith import tracing_context

        chat = ChatOllama(
            model=self.tag,
            base_url=self.url,
            num_ctx=self.num_ctx,
            # Without this limit Ollama makes room for a long answer by forgetting the beginning of the prompt.
            num_predict=self.reply_tokens,
            temperature=0.0 if self.system_prompt else 0.6,
            reasoning=think if self.can_think else None,
            client_kwargs={
                **_client_options(httpx.Timeout(None, connect=_CONNECT_SECONDS)),
                "limits": httpx.Limits(max_keepalive_connections=0),
            },
        )
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
        with _model_errors(self.url, self.tag), start_blocking_portal() as portal:
            portal.start_task_soon(read)
            while True:
                try:
                    item = inbox.get(timeout=min(_HEARTBEAT_SECONDS, limit))
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


def find_model(settings: Settings) -> LocalModel:
    """The model that the settings ask for, or for "auto" the best one that is installed.

    Raises:
        ModelServerError: the server cannot be reached, or failed.
        ModelNotFoundError: the server doesn't have the model, or has none that can answer.
    """
    wanted = settings.model.removeprefix("ollama:")
    with _listing_client(settings.ollama_host) as client:
        installed = _installed(client)
        if wanted == "auto":
            # Other people's memory is not ours to judge.
            memory = machine_memory() if is_here(settings.ollama_host) else None
            for model in rank(installed, memory):
                if found := _describe(client, model.name, settings):
                    return found
            raise ModelNotFoundError(
                f"The model server at {settings.ollama_host} has no model that can answer; "
                f"get one with `ollama pull {SUGGESTED}`."
            )
        names = {model.name.lower(): model.name for model in installed}
        tag = names.get(wanted.lower()) or names.get(f"{wanted.lower()}:latest")
        if tag is None:
            raise ModelNotFoundError(_not_found(settings.ollama_host, wanted))
        if found := _describe(client, tag, settings):
            return found
        raise ModelNotFoundError(
            f"The model {tag} only makes embeddings and cannot answer; get another with `ollama pull {SUGGESTED}`."
        )


def server_status(settings: Settings) -> ServerStatus:
    """The version of the model server and the models it has.

    Raises:
        ModelServerError: the server cannot be reached, or failed.
    """
    import httpx

    url = settings.ollama_host
    with _listing_client(url) as client:
        # The ollama package has no call for the version.
        response = httpx.get(f"{url}/api/version", **_client_options(_listing_timeout()))
        response.raise_for_status()
        return ServerStatus(url, str(response.json()["version"]), tuple(_installed(client)))


def rank(models: Sequence[InstalledModel], memory: int | None) -> list[InstalledModel]:
    """The models that may answer unasked, best first, for a machine with `memory` bytes (None: any amount).

    Those that fit come before those that don't, the DeepSeek-R1 family before others, larger before smaller; of those
    that don't fit, the smallest first. Models that Ollama only passes on to a service elsewhere are left out.
    """

    def quality(model: InstalledModel) -> tuple[bool, bool, int]:
        fitting = memory is None or fits(model, memory)
        return fitting, bool(_R1_FAMILY.search(model.name)), model.size if fitting else -model.size

    local = [model for model in models if not model.name.endswith(("-cloud", ":cloud"))]
    return sorted(local, key=quality, reverse=True)


def fits(model: InstalledModel, memory: int) -> bool:
    """Whether a machine with `memory` bytes can run the model."""
    return memory_needed(model.size) <= memory


def memory_needed(size: int) -> int:
    """Bytes of memory that a machine needs for a model of `size` bytes."""
    # Weights, their copies in working memory, and room for the context and for the rest of the machine.
    return int(size * 1.25 + 1.5 * 2**30)


def machine_memory() -> int:
    """This machine's memory in bytes."""
    import psutil

    return int(psutil.virtual_memory().total)


class ThoughtSplitter:
    """Moves what raw `<think>` tags enclose from a stream's text to its reasoning.

    Tags may be split across pieces, nested, or stray. Where thoughts are expected, the opening tag may be missing too:
    a beginning that a closing tag ends is thinking, and so is one that sounds like it. If no tag ever comes, the
    latter was the answer after all, and `finish` gives it as such.
    """

    def __init__(self, *, expects_thoughts: bool) -> None:
        self._depth = 0
        self._held = ""  # may be part of a tag
        self._beginning: str | None = "" if expects_thoughts else None  # not yet told apart
        self._unsettled = ""  # sounds like thinking, but no tag has said so

    def feed(self, text: str) -> Iterator[Delta]:
        """What can be told apart after another piece of the stream."""
        self._held += text
        while tag := _THINK_TAG.search(self._held):
            before, self._held = self._held[: tag.start()], self._held[tag.end() :]
            yield from self._give(before)
            if not tag[1]:
                yield from self._decide()
                self._depth += 1
            elif self._beginning is not None:
                thought, self._beginning = self._beginning, None
                yield Delta(reasoning=thought)
            else:
                self._depth = max(self._depth - 1, 0)
                if not self._depth:
                    self._unsettled = ""
        start = self._held.rfind("<")
        if start < 0 or not any(tag_text.startswith(self._held[start:].lower()) for tag_text in _THINK_TAGS):
            start = len(self._held)
        ready, self._held = self._held[:start], self._held[start:]
        yield from self._give(ready)

    def thoughts_come_apart(self) -> None:
        """The server sends thinking in its own field, so text without tags is the answer."""
        self._beginning = None

    def finish(self, *, complete: bool) -> Iterator[Delta]:
        """What is left at the stream's end; `complete` says that it wasn't cut off."""
        yield from self._give(self._held)
        yield from self._decide()
        if complete and self._unsettled:
            yield Delta(text=self._unsettled)

    def _decide(self) -> Iterator[Delta]:
        if self._beginning is not None:
            beginning, self._beginning = self._beginning, None
            self._depth = int(_THINKING_ALOUD.match(beginning) is not None)
            if self._depth:
                self._unsettled = beginning
                yield Delta(reasoning=beginning)
            elif beginning.strip():
                yield Delta(text=beginning)

    def _give(self, text: str) -> Iterator[Delta]:
        if self._beginning is not None:
            self._beginning += text
            if len(self._beginning.lstrip()) >= _BEGINNING:
                yield from self._decide()
        elif self._depth:
            if self._unsettled and self._depth == 1:
                self._unsettled += text
            if text:
                yield Delta(reasoning=text)
        elif text:
            yield Delta(text=text)


_THINK_TAGS = ("<think>", "</think>", "<thinking>", "</thinking>")
_THINK_TAG = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_BEGINNING = 80
"""Characters that are held back where thoughts are expected: enough to tell how they sound, soon enough to show."""
_THINKING_ALOUD = re.compile(
    r"\s*(?:okay|ok|alright|all right|hmm+|wait|let me|let['’]s|the user|the question|(?:so|first),? i|we need|"
    r"i (?:need|have|should|must|think|will|am)|i['’](?:m|ll|ve))\b",
    re.IGNORECASE,
)


def _describe(client: Any, tag: str, settings: Settings) -> LocalModel | None:
    """The model with what the server says it can do; None when it cannot chat."""
    shown = client.show(tag)
    # Servers from before 2025 name no capabilities; their embedding models can be told by family.
    capabilities = shown.capabilities
    if capabilities is None:
        family = (shown.details.family or "") if shown.details else ""
        capabilities = [] if "bert" in family else ["completion"]
    if "completion" not in capabilities:
        return None
    lengths = [v for key, v in (shown.modelinfo or {}).items() if key.endswith(".context_length")]
    r1 = bool(_R1_FAMILY.search(tag))
    can_think = "thinking" in capabilities
    return LocalModel(
        tag=tag,
        url=settings.ollama_host,
        num_ctx=min([settings.num_ctx, *lengths]),
        can_think=can_think,
        thinks=can_think or r1 or "<think>" in (shown.template or ""),
        system_prompt=not r1,
    )


def _installed(client: Any) -> list[InstalledModel]:
    return [InstalledModel(model.model, int(model.size or 0)) for model in client.list().models if model.model]


@contextmanager
def _listing_client(url: str) -> Iterator[Any]:
    import ollama

    with _model_errors(url), ollama.Client(host=url, **_client_options(_listing_timeout())) as client:
        yield client


def _listing_timeout() -> httpx.Timeout:
    import httpx

    return httpx.Timeout(_LISTING_SECONDS, connect=_CONNECT_SECONDS)


def _client_options(timeout: httpx.Timeout) -> dict[str, Any]:
    # A proxy that is meant for the web would only stand in the way of a server on this machine or next to it.
    return {"timeout": timeout, "trust_env": False, "verify": _certificates()}


@cache
def _certificates() -> ssl.SSLContext:
    """The trusted certificates, read once: reading them takes longer than a whole call to a server nearby."""
    import httpx

    return httpx.create_ssl_context()


@contextmanager
def _model_errors(url: str, tag: str = "") -> Iterator[None]:
    """Exceptions of the client libraries as errors of ours."""
    import httpx
    import ollama

    try:
        yield
    except ModelError:
        raise
    except ollama.ResponseError as error:
        if error.status_code == 404 and tag:
            raise ModelNotFoundError(_not_found(url, tag)) from error
        raise ModelServerError(f"The model server at {url} failed: {_one_line(error.error)}.") from error
    except (httpx.ConnectError, httpx.ConnectTimeout, ConnectionError) as error:
        raise ModelServerError(f"No model server answers at {url}; {_how_to_start(url)}.") from error
    except httpx.TimeoutException as error:
        raise ModelServerError(f"The model server at {url} takes too long to answer.") from error
    except httpx.HTTPError as error:
        raise ModelInterruptedError(f"The model server at {url} broke off the connection.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelServerError(f"The server at {url} sent no answer in Ollama's form.") from error


def _not_found(url: str, tag: str) -> str:
    return f"The model server at {url} has no model {tag}; get it with `ollama pull {tag}`" + (
        f", or a model of a good size for most machines with `ollama pull {SUGGESTED}`." if tag != SUGGESTED else "."
    )


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")[:300]


def _how_to_start(url: str) -> str:
    if not is_here(url):
        return "check that it runs there, and that the ollama_host setting is right"
    if shutil.which("ollama"):
        return "start it with `ollama serve`"
    install = {"darwin": "brew install ollama", "win32": "winget install Ollama.Ollama"}
    command = install.get(sys.platform, "curl -fsSL https://ollama.com/install.sh | sh")
    return f"install Ollama with `{command}`, then `ollama pull {SUGGESTED}`"


def is_here(url: str) -> bool:
    """Whether the address is this machine's own."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
