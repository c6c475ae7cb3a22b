"""Models on an Ollama server.

They answer through LangChain's ChatOllama; what LangChain doesn't cover (which models there are, what they can do) is
asked through the `ollama` client.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError, ModelInterruptedError, ModelNotFoundError, ModelServerError, ModelThinkingError
from rag.served import ServedModel, client_options, is_here, is_r1, listing_timeout, one_line, streaming_options
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

SUGGESTED = "deepseek-r1:8b"
"""The model recommended to somebody who has none."""


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


@dataclass(frozen=True, kw_only=True)
class OllamaModel(ServedModel):
    """A model on an Ollama server."""

    @property
    def name(self) -> str:
        """For instance "ollama/deepseek-r1:8b"."""
        return f"ollama/{self.tag}"

    def window(self) -> int | None:
        """The context window of the model as it is loaded; None where the server is too old to say, or gone."""
        try:
            with listing_client(self.url) as client:
                return next((m.context_length for m in client.ps().models if m.model == self.tag), None)
        except ModelError:
            return None

    def _chat(self, think: bool, most_tokens: int) -> BaseChatModel:
        from langchain_ollama import ChatOllama

        return ChatOllama(
            model=self.tag,
            base_url=self.url,
            num_ctx=self.num_ctx,
            # Without this limit Ollama makes room for a long answer by forgetting the beginning of the prompt.
            num_predict=most_tokens,
            temperature=self.temperature,
            reasoning=think if self.can_think else None,
            client_kwargs=streaming_options(),
        )

    def _errors(self) -> AbstractContextManager[None]:
        return ollama_errors(self.url, self.tag)


def installed(client: Any) -> list[InstalledModel]:
    """The models that the server has."""
    return [InstalledModel(model.model, int(model.size or 0)) for model in client.list().models if model.model]


def describe(client: Any, tag: str, settings: Settings) -> OllamaModel | None:
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
    r1 = is_r1(tag)
    can_think = "thinking" in capabilities
    think = settings.think != "false"
    return OllamaModel(
        tag=tag,
        url=settings.ollama_host,
        num_ctx=min([settings.num_ctx, *lengths]),
        can_think=can_think,
        thinks=think if can_think else r1 or "<think>" in (shown.template or ""),
        system_prompt=not r1,
        think=think,
        think_asked=settings.think == "true",
        thinking_tokens=settings.think_tokens,
        thinking_seconds=settings.think_seconds,
    )


@contextmanager
def listing_client(url: str) -> Iterator[Any]:
    """A client for what the server answers at once, whose exceptions are errors of ours."""
    import ollama

    with ollama_errors(url), ollama.Client(host=url, **client_options(listing_timeout())) as client:
        yield client


@contextmanager
def ollama_errors(url: str, tag: str = "") -> Iterator[None]:
    """Exceptions of the client libraries as errors of ours."""
    import httpx
    import ollama

    try:
        yield
    except ModelError:
        raise
    except ollama.ResponseError as error:
        if error.status_code == 404 and tag:
            raise ModelNotFoundError(not_found(url, tag)) from error
        kind = ModelThinkingError if "does not support thinking" in error.error else ModelServerError
        raise kind(f"The model server at {url} failed: {one_line(error.error)}.") from error
    except (httpx.ConnectError, httpx.ConnectTimeout, ConnectionError) as error:
        raise ModelServerError(f"No model server answers at {url}; {_how_to_start(url)}.") from error
    except httpx.TimeoutException as error:
        raise ModelServerError(f"The model server at {url} takes too long to answer.") from error
    except httpx.HTTPError as error:
        raise ModelInterruptedError(f"The model server at {url} broke off the connection.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelServerError(f"The server at {url} sent no answer in Ollama's form.") from error


def not_found(url: str, tag: str) -> str:
    """The sentence for a model that the server doesn't have."""
    return f"The model server at {url} has no model {tag}; get it with `ollama pull {tag}`" + (
        f", or a model of a good size for most machines with `ollama pull {SUGGESTED}`." if tag != SUGGESTED else "."
    )


def _how_to_start(url: str) -> str:
    if not is_here(url):
        return "check that it runs there, and that the ollama_host setting is right"
    if shutil.which("ollama"):
        return "start it with `ollama serve`"
    install = {"darwin": "brew install ollama", "win32": "winget install Ollama.Ollama"}
    command = install.get(sys.platform, "curl -fsSL https://ollama.com/install.sh | sh")
    return f"install Ollama with `{command}`, then `ollama pull {SUGGESTED}`"
