"""Models on a server that speaks OpenAI's chat completions, as vLLM, SGLang and llama.cpp do, through ChatOpenAI."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from rag.errors import (
    ModelAccessError,
    ModelError,
    ModelInterruptedError,
    ModelNotFoundError,
    ModelOverflowError,
    ModelServerError,
)
from rag.served import ServedModel, client_options, is_r1, listing_timeout, one_line, streaming_options
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_NO_KEY = "none"
"""Sent where there is no key: the client library insists on one, and servers without keys ignore it."""
_MOST_NAMES = 5
_TOO_LONG = re.compile(r"context.{0,20}(?:length|size|window)|too long", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class OpenAIModel(ServedModel):
    """A model on a server that speaks OpenAI's protocol.

    Args:
        key: what the server asks of its users.
        switches: every call says in so many words whether the model is to think.
    """

    key: str = field(default="", repr=False)
    switches: bool = False

    @property
    def name(self) -> str:
        """For instance "openai/deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"."""
        return f"openai/{self.tag}"

    def window(self) -> int | None:
        """Unknown beyond what the list of models says; these servers refuse a prompt that is too long."""
        return None

    def _chat(self, think: bool, most_tokens: int) -> BaseChatModel:
        import httpx
        from pydantic import SecretStr

        # Templates that know such a switch call it by one of these names. Others ignore both; servers that take no
        # switches at all are left alone as long as the model is to do what it does by itself.
        switched = think != self.think or self.switches
        extra = {"chat_template_kwargs": {"enable_thinking": think, "thinking": think}} if switched else None
        chat: BaseChatModel = _chat_class()(
            model=self.tag,
            base_url=self.url,
            api_key=SecretStr(self.key or _NO_KEY),
            temperature=self.temperature,
            max_tokens=most_tokens,
            stream_usage=True,
            max_retries=0,
            timeout=streaming_options()["timeout"],
            stream_chunk_timeout=None,
            use_responses_api=False,
            output_version="v0",
            http_async_client=httpx.AsyncClient(**streaming_options()),
            extra_body=extra,
        )
        return chat

    def _errors(self) -> AbstractContextManager[None]:
        return _openai_errors(self.url, self.key, self.tag)


def find_openai_model(settings: Settings) -> OpenAIModel:
    """The model that the settings name, with the context length that the server tells.

    Raises:
        ModelServerError: the server cannot be reached, or failed.
        ModelAccessError: it refuses the key.
        ModelNotFoundError: it doesn't have the model.
    """
    wanted = settings.model.removeprefix("openai:")
    url, key = settings.openai_base_url, settings.openai_api_key
    with _openai_errors(url, key):
        entries = _listed(url, key)
        tag, length = wanted, None
        if entries:
            entry = entries.get(wanted) or {name.lower(): e for name, e in entries.items()}.get(wanted.lower())
            if entry is None:
                names = ", ".join(list(entries)[:_MOST_NAMES])
                raise ModelNotFoundError(f"The model server at {url} has no model {wanted}; it has {names}.")
            tag, length = entry["id"], _context_length(url, key, entry)
    r1 = is_r1(tag)
    think = settings.think != "false"
    return OpenAIModel(
        tag=tag,
        url=url,
        key=key,
        num_ctx=min(settings.num_ctx, length or settings.num_ctx),
        # The protocol has no question for it. The R1 family always thinks; of others it must be expected.
        can_think=not r1,
        thinks=think or r1,
        system_prompt=not r1,
        think=think,
        think_asked=settings.think == "true",
        thinking_tokens=settings.think_tokens,
        thinking_seconds=settings.think_seconds,
        switches=settings.think != "auto" and not r1,
    )


def listed_models(settings: Settings) -> tuple[str, ...]:
    """The names of the models that the server at `openai_base_url` lists.

    Raises:
        ModelServerError: the server cannot be reached, or failed.
        ModelAccessError: it refuses the key.
    """
    with _openai_errors(settings.openai_base_url, settings.openai_api_key):
        return tuple(_listed(settings.openai_base_url, settings.openai_api_key))


def _listed(url: str, key: str) -> dict[str, dict[str, Any]]:
    """The server's models by name; empty where it has no such list, as some proxies."""
    import httpx

    response = _get(f"{url}/models", key)
    if response.status_code in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED):
        return {}
    if response.is_error:
        _raise_for_status(url, key, response.status_code, response.text)
    return {entry["id"]: entry for entry in response.json()["data"]}


def _context_length(url: str, key: str, entry: Mapping[str, Any]) -> int | None:
    """The model's context length in tokens: vLLM and SGLang list it; of llama.cpp's, what it was started with."""
    lengths = [entry.get("max_model_len"), (entry.get("meta") or {}).get("n_ctx_train")]
    if entry.get("owned_by") == "llamacpp":
        props = _get(f"{url.removesuffix('/v1')}/props", key)
        if props.is_success:
            lengths.append((props.json().get("default_generation_settings") or {}).get("n_ctx"))
    return min((int(length) for length in lengths if length), default=None)


def _get(url: str, key: str) -> Any:
    import httpx

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.get(url, headers=headers, **client_options(listing_timeout()))


@cache
def _chat_class() -> Any:
    """ChatOpenAI, which by its makers' decision drops what servers other than OpenAI's add, with the thinking kept."""
    from langchain_core.outputs import ChatGenerationChunk
    from langchain_openai import ChatOpenAI

    class ThinkingChat(ChatOpenAI):
        def _convert_chunk_to_generation_chunk(
            self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
        ) -> ChatGenerationChunk | None:
            made = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
            delta = (chunk.get("choices") or [{}])[0].get("delta") or {}
            # vLLM calls it `reasoning` since 2026, before that as llama.cpp and SGLang do; some proxies send both.
            if made and (thought := delta.get("reasoning_content") or delta.get("reasoning")):
                made.message.additional_kwargs["reasoning_content"] = thought
            return made

    return ThinkingChat


@contextmanager
def _openai_errors(url: str, key: str, tag: str = "") -> Iterator[None]:
    """Exceptions of the client libraries as errors of ours."""
    import httpx
    import openai

    try:
        yield
    except ModelError:
        raise
    except openai.APIStatusError as error:
        _raise_for_status(url, key, error.status_code, _message(error.body) or error.message, tag, error)
    except openai.APITimeoutError as error:
        raise ModelServerError(f"The model server at {url} takes too long to answer.") from error
    except (openai.APIConnectionError, httpx.HTTPError) as error:
        raise _broken(url, error) from error
    except openai.APIError as error:
        raise ModelServerError(f"The model server at {url} failed: {_said(error.message, key)}.") from error
    except (openai.OpenAIError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelServerError(f"The server at {url} sent no answer in the form of OpenAI's.") from error


def _broken(url: str, error: Exception) -> ModelError:
    """A server that isn't there, is too slow, or went away in the middle."""
    import httpx

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout):
            return ModelServerError(
                f"No model server answers at {url}; check that it runs there, "
                "and that the openai_base_url setting is right."
            )
        if isinstance(cause, httpx.TimeoutException):
            return ModelServerError(f"The model server at {url} takes too long to answer.")
        cause = cause.__cause__
    return ModelInterruptedError(f"The model server at {url} broke off the connection.")


def _raise_for_status(
    url: str, key: str, status: int, said: str, tag: str = "", cause: BaseException | None = None
) -> None:
    if status in (401, 403):
        raise ModelAccessError(
            f"The model server at {url} refuses the key; set the right one in AFTERSHOCK_OPENAI_API_KEY."
        ) from cause
    if status == 404 and tag:
        raise ModelNotFoundError(f"The model server at {url} has no model {tag}: {_said(said, key)}.") from cause
    overflow = status == 400 and _TOO_LONG.search(said)
    kind = ModelOverflowError if overflow else ModelServerError
    raise kind(f"The model server at {url} failed: {_said(said, key)}.") from cause


def _message(body: object) -> str:
    """The message in an error record, which some servers wrap once more."""
    if isinstance(body, Mapping) and isinstance(inner := body.get("error"), Mapping):
        body = inner
    return str(body.get("message") or "") if isinstance(body, Mapping) else ""


def _said(text: str, key: str) -> str:
    # Some servers repeat the key that they were sent.
    return one_line(text.replace(key, "***") if key else text) or "it doesn't say why"
