"""A real HTTP server that speaks OpenAI's chat completions as vLLM, SGLang and llama.cpp do, and fails on demand.

It is scripted with the same steps as `tests.ollama_server`:

    with OpenAIServer("deepseek-ai/DeepSeek-R1", [[Thinking("Hm."), "It fell [1]."]]) as server:
        ...ask something of server.url...
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.ollama_server import (
    Cut,
    Done,
    End,
    Failure,
    Handler,
    Hang,
    OllamaServer,
    Raw,
    Reply,
    Request,
    Thinking,
)


class OpenAIServer(OllamaServer):
    """The server.

    Args:
        name: the model that it serves.
        replies: used up in order; when none is left, `answer` makes one from the request.
        answer: see there.
        entry: what the list of models says about it besides its name.
        thinking_field: what thinking is called in the stream: `reasoning` by vLLM, elsewhere `reasoning_content`.
        key: without this one, requests are refused.
        lists: whether there is a list of models at all.
        n_ctx: what llama.cpp's own `/props` says about the context; None for a server without it.
        reports_usage: whether it counts tokens when it is asked to.
    """

    chat_path = "/v1/chat/completions"

    def __init__(
        self,
        name: str = "deepseek-ai/DeepSeek-R1",
        replies: Sequence[Reply] = (),
        *,
        answer: Callable[[dict[str, Any]], Reply] | None = None,
        entry: Mapping[str, Any] | None = None,
        thinking_field: str = "reasoning_content",
        key: str = "",
        lists: bool = True,
        n_ctx: int | None = None,
        reports_usage: bool = True,
        port: int = 0,
    ) -> None:
        super().__init__((), replies, answer=answer, port=port)
        self.name = name
        self.entry = {"id": name, "object": "model", "owned_by": "vllm"} | dict(entry or {})
        self.thinking_field = thinking_field
        self.key = key
        self.lists = lists
        self.n_ctx = n_ctx
        self.reports_usage = reports_usage
        self.url = f"{self.url}/v1"

    @property
    def handler(self) -> type[Handler]:
        """What serves a connection."""
        return _Handler


class _Handler(Handler):
    @property
    def script(self) -> OpenAIServer:
        server = self.server.ollama
        assert isinstance(server, OpenAIServer)
        return server

    def _allowed(self) -> bool:
        if not self.script.key or self.headers.get("Authorization") == f"Bearer {self.script.key}":
            return True
        self._fail(401, f"Incorrect API key provided: {self.headers.get('Authorization')}")
        return False

    def _fail(self, status: int, message: str) -> None:
        self.json({"error": {"message": message, "type": "error", "param": None, "code": status}}, status)

    def _get_v1_models(self, _: Request) -> None:
        if not self.script.lists:
            self._fail(404, "Not Found")
        elif self._allowed():
            self.json({"object": "list", "data": [self.script.entry]})

    def _get_props(self, _: Request) -> None:
        if self.script.n_ctx is None:
            self._fail(404, "Not Found")
        else:
            self.json({"default_generation_settings": {"n_ctx": self.script.n_ctx}, "total_slots": 1})

    def _post_v1_chat_completions(self, request: Request) -> None:
        if not self._allowed():
            return
        name = request.body["model"]
        if name != self.script.name:
            self._fail(404, f"The model `{name}` does not exist.")
            return
        started = False
        count = 0
        for step in (*self.script.next_reply(request.body), Done()):
            if isinstance(step, Failure):
                self._fail(step.status, step.error)
                return
            if isinstance(step, Hang):
                self.hang()
            if not started:
                self._start_events()
                self._event(self._chunk({"role": "assistant", "content": ""}))
                started = True
            self.check_client(self.script.seconds_per_piece)
            if isinstance(step, Cut):
                self.close_connection = True
                return
            if isinstance(step, End):
                break
            if isinstance(step, Raw):
                self._event(step.line)
                continue
            count += 1
            if isinstance(step, Done):
                self._finish(request, step, count)
                break
            delta = {self.script.thinking_field: step.text} if isinstance(step, Thinking) else {"content": step}
            self._event(self._chunk(delta))
        self._end_lines()

    def _finish(self, request: Request, step: Done, count: int) -> None:
        self._event(self._chunk({}, step.reason))
        if self.script.reports_usage and request.body.get("stream_options", {}).get("include_usage"):
            prompt = step.prompt_tokens
            if prompt is None:
                prompt = self.script.evaluate(request.body["messages"])
            usage = {"prompt_tokens": prompt, "completion_tokens": count, "total_tokens": prompt + count}
            self._event(json.dumps({**json.loads(self._chunk({})), "choices": [], "usage": usage}))
        self._event("[DONE]")

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> str:
        return json.dumps(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1737993600,
                "model": self.script.name,
                "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}],
            }
        )

    def _start_events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _event(self, data: str) -> None:
        self._line(f"data: {data}\n")
