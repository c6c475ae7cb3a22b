"""OpenAI's chat completions and list of models under `/v1`, so that chat programs can use Aftershock as a model.

The conversation is in each request, and nothing of it is kept. Besides the text, which ends with the numbered sources,
the answer's record comes in a field `aftershock` of the response, or of a stream's last chunk.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, Field

from rag.errors import (
    AftershockError,
    IndexStateError,
    ModelError,
    ModelNotFoundError,
    QuestionError,
    QueueFullError,
    SettingsError,
)
from rag.records import Answer, DoneEvent, Event, FacetsEvent, ReasoningEvent, StageEvent
from ui import panels
from ui.chat_text import Writing, conversation, whole
from ui.export import record
from ui.models import Models
from ui.places import RETRY_SECONDS, Places

if TYPE_CHECKING:
    from fastapi import APIRouter, Request, Response

NAME = "aftershock"
"""As a model; a model setting may follow after a slash."""
MOST_BYTES = 4 * 2**20
"""Of a request."""
KEEP_ALIVE_SECONDS = 5.0
STILL_AT_IT = ": still at it\n\n"
"""A comment in a stream, which clients pass over."""

_TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens")

_FAILURES: tuple[tuple[type[AftershockError], int, str], ...] = (
    (QueueFullError, 429, "rate_limit_exceeded"),
    (QuestionError, 400, "invalid_question"),
    (SettingsError, 404, "model_not_found"),
    (ModelNotFoundError, 404, "model_not_found"),
    (ModelError, 502, "model_failed"),
    (IndexStateError, 503, "index_unavailable"),
)


class Part(BaseModel):
    """A part of a message."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """A message of the conversation."""

    role: str
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """What it says."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content or ())


class StreamOptions(BaseModel):
    """What a stream is to hold besides."""

    include_usage: bool = False


class Completion(BaseModel):
    """A request for an answer; what else programs send, such as a temperature, is not for them to choose."""

    model: str
    messages: list[Message] = Field(max_length=1000)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None


class RequestError(AftershockError):
    """What a program sent can't be answered."""


def failure(status: int, message: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    """An error in OpenAI's form."""
    kind = "invalid_request_error" if status < 429 else "rate_limit_error" if status == 429 else "server_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def openai_routes(models: Models, places: Places) -> "APIRouter":
    """All routes of it."""
    from fastapi import APIRouter, Request
    from fastapi.responses import JSONResponse, StreamingResponse

    routes = APIRouter(prefix="/v1", route_class=_route_class())

    @routes.get("/models")
    def every_model() -> dict[str, Any]:
        return {"object": "list", "data": [_model(name) for name in _names(models)]}

    @routes.get("/models/{name:path}")
    def one_model(name: str) -> dict[str, Any]:
        if name not in _names(models):
            raise _no_model(name)
        return _model(name)

    @routes.post("/chat/completions", max_body_size=MOST_BYTES)
    async def complete(request: Request, asked: Completion) -> "Response":
        try:
            question, history = conversation((message.role, message.text) for message in asked.messages)
        except ValueError as error:
            raise RequestError(str(error)) from None
        assistant = models.assistant(_setting(asked.model))
        head = {"id": f"chatcmpl-{uuid4().hex}", "created": int(time.time()), "model": asked.model}
        batches = places.answer(lambda: assistant.stream(question, history))
        if asked.stream:
            begun = await _begun(batches)
            counted = bool(asked.stream_options and asked.stream_options.include_usage)
            lines = _lines(begun, batches, head, counted)
            return StreamingResponse(lines, media_type="text/event-stream", headers=_NO_BUFFER)
        answer = await _while_connected(request, _whole(batches))
        return JSONResponse(_completion(answer, head) if answer else None)

    @routes.api_route("/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def unknown(rest: str) -> JSONResponse:
        message = f"There is no /v1/{rest} here; there are /v1/chat/completions and /v1/models."
        return JSONResponse(failure(404, message, "not_found"), 404)

    return routes


# Without it, proxies that hold back what they pass on would make one piece of a stream.
_NO_BUFFER = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def _route_class() -> Any:
    """FastAPI's route, with every error in OpenAI's form."""
    from fastapi import HTTPException, Request, Response
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from fastapi.routing import APIRoute

    class OpenAIRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_or_say(request: Request) -> Response:
                try:
                    return await handle(request)
                except RequestValidationError as error:
                    first = error.errors()[0]
                    where = ".".join(str(part) for part in first["loc"][1:])
                    message = f"{where}: {first['msg']}" if where else first["msg"]
                    return JSONResponse(failure(400, message, "invalid_request", where or None), 400)
                except AftershockError as error:
                    status, body = _failure_of(error)
                    retry = {"Retry-After": str(RETRY_SECONDS)} if status == 429 else None
                    return JSONResponse(body, status, headers=retry)
                except HTTPException as error:
                    return JSONResponse(failure(error.status_code, str(error.detail)), error.status_code)

            return handle_or_say

    return OpenAIRoute


def _failure_of(error: AftershockError) -> tuple[int, dict[str, Any]]:
    if isinstance(error, RequestError):
        return 400, failure(400, str(error), "invalid_request", "messages")
    status, code = next(((status, code) for kind, status, code in _FAILURES if isinstance(error, kind)), (500, None))
    return status, failure(status, str(error), code, "model" if code == "model_not_found" else None)


def _names(models: Models) -> list[str]:
    served = panels.names(models.survey())
    if models.settings.model.startswith("openai:"):
        served.append(models.settings.model)
    return [NAME, *(f"{NAME}/{setting}" for setting in ("quotes", *served))]


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "aftershock"}


def _setting(name: str) -> str:
    """The model setting that a name stands for; empty for the server's own choice.

    Raises:
        SettingsError: the name is none of ours.
    """
    ours, _, setting = name.partition("/")
    if ours != NAME:
        raise _no_model(name)
    return setting


def _no_model(name: str) -> SettingsError:
    return SettingsError(f"There is no model {name!r} here; '{NAME}' is one, and /v1/models lists all.")


async def _begun(batches: AsyncGenerator[list[Event]]) -> list[Event]:
    """The first events, up to one after which hardly anything fails: until then an error has a status of its own."""
    begun: list[Event] = []
    async for events in batches:
        begun += events
        if any(not _is_preparation(event) for event in events):
            break
    return begun


def _is_preparation(event: Event) -> bool:
    return isinstance(event, FacetsEvent) or (isinstance(event, StageEvent) and event.stage in ("search", "read"))


async def _lines(
    begun: list[Event], batches: AsyncGenerator[list[Event]], head: dict[str, Any], counted: bool
) -> AsyncGenerator[str]:
    """The stream's lines: chunks, and comments as a sign of life. Cancelled when the client is gone.

    Where the tokens are to be counted, a chunk more says at the end how many they were.
    """
    head = head | {"object": "chat.completion.chunk"} | ({"usage": None} if counted else {})

    def chunk(delta: dict[str, Any], reason: str | None = None, **extra: Any) -> str:
        return _line(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]} | extra)

    writing = Writing()
    try:
        async with aclosing(batches), aclosing(_with_silence(batches)) as ticking:
            yield chunk({"role": "assistant", "content": ""})
            async for events in _then(begun, ticking):
                lines = []
                for event in events:
                    if isinstance(event, ReasoningEvent):
                        lines.append(chunk({"reasoning_content": event.text}))
                    elif text := writing.take(event):
                        lines.append(chunk({"content": text}))
                    if isinstance(event, DoneEvent):
                        lines.append(chunk({}, _reason(event.answer), aftershock=record(event.answer)))
                        if counted:
                            lines.append(_line(head | {"choices": [], "usage": _usage(event.answer)}))
                        lines.append("data: [DONE]\n\n")
                if lines or not events:
                    yield "".join(lines) or STILL_AT_IT
    except AftershockError as error:
        yield _line(_failure_of(error)[1])


async def _with_silence(batches: AsyncGenerator[list[Event]]) -> AsyncGenerator[list[Event]]:
    """The batches that hold more than a repeated stage, and an empty one whenever none came for a while.

    Proxies close connections that are silent, as they are for whoever waits in the queue or for a model that loads.
    """
    step: asyncio.Future[list[Event]] | None = None
    spoke = time.monotonic()
    try:
        while True:
            step = step or asyncio.ensure_future(anext(batches))
            await asyncio.wait((step,), timeout=max(spoke + KEEP_ALIVE_SECONDS - time.monotonic(), 0))
            events: list[Event] = []
            if step.done():
                events, step = [event for event in step.result() if not isinstance(event, StageEvent)], None
            if events or time.monotonic() >= spoke + KEEP_ALIVE_SECONDS:
                spoke = time.monotonic()
                yield events
    except StopAsyncIteration:
        return
    finally:
        if step is not None:
            step.cancel()
            await asyncio.gather(step, return_exceptions=True)


async def _then(begun: list[Event], batches: AsyncGenerator[list[Event]]) -> AsyncGenerator[list[Event]]:
    yield begun
    async for events in batches:
        yield events


def _line(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _whole(batches: AsyncGenerator[list[Event]]) -> Answer:
    async with aclosing(batches):
        async for events in batches:
            for event in events:
                if isinstance(event, DoneEvent):
                    return event.answer
    raise AssertionError("a stream ends with a DoneEvent")


async def _while_connected(request: "Request", work: Coroutine[Any, Any, Answer]) -> Answer | None:
    """What the work makes; it is ended when the client is gone, and then makes nothing."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    tasks = (asyncio.ensure_future(work), asyncio.ensure_future(gone()))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].result() if tasks[0].done() else None
    finally:
        for task in tasks:
            task.cancel()


def _completion(answer: Answer, head: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": whole(answer)}
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    choice = {"index": 0, "message": message, "finish_reason": _reason(answer)}
    counted = {"usage": _usage(answer), "aftershock": record(answer)}
    return head | {"object": "chat.completion", "choices": [choice]} | counted


def _usage(answer: Answer) -> dict[str, int] | None:
    """The tokens that a model read and wrote: none where sources were quoted, None where its server doesn't say."""
    if answer.context is None:
        return None if answer.model != "quotes" else dict.fromkeys(_TOKENS, 0)
    used, written = answer.context.used, answer.context.written
    return dict(zip(_TOKENS, (used - written, written, used), strict=True))


def _reason(answer: Answer) -> str:
    return "length" if answer.interrupted else "stop"
