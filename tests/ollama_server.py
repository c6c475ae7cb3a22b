"""A real HTTP server that speaks Ollama's documented protocol, and fails on demand.

In a test:

    with OllamaServer(models=[Model("deepseek-r1:8b")], replies=[[Thinking("Hm."), "It fell [1]."]]) as server:
        ...ask something of server.url...

For manual trials, answering every chat from the passages in its prompt:

    python -m tests.ollama_server --port 11434
"""

from __future__ import annotations

import argparse
import json
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from typing import Any, NoReturn, Self, TypeAlias

_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Model:
    """A model that is installed. `capabilities` None: the server is too old to name any."""

    name: str = "deepseek-r1:8b"
    size: int = 5_225_376_047
    capabilities: tuple[str, ...] | None = ("completion", "thinking")
    family: str = "qwen3"
    context_length: int = 131_072
    template: str = "{{ .Prompt }}"
    size_vram: int = 0


@dataclass(frozen=True)
class Thinking:
    """A piece of thinking, in its own field."""

    text: str


@dataclass(frozen=True)
class Raw:
    """A line as it is, whether or not it is of the protocol."""

    line: str


@dataclass(frozen=True)
class Failure:
    """Instead of an answer: an HTTP status and Ollama's error record."""

    status: int
    error: str


@dataclass(frozen=True)
class Hang:
    """Silence until the client goes away or the server is closed."""


@dataclass(frozen=True)
class Cut:
    """The connection is closed in the middle of the response."""


@dataclass(frozen=True)
class End:
    """The response ends in good order, but without the record that says so."""


@dataclass(frozen=True)
class Done:
    """The last record. `prompt_tokens` None: as many as the prompt has by a plausible count."""

    reason: str = "stop"
    prompt_tokens: int | None = None


Step: TypeAlias = str | Thinking | Raw | Failure | Hang | Cut | End | Done
Reply: TypeAlias = Sequence[Step]


@dataclass
class Request:
    """A request as it came in; `gone` is set when its client closed the connection before the response's end."""

    method: str
    path: str
    body: dict[str, Any]
    gone: threading.Event = field(default_factory=threading.Event)


class OllamaServer:
    """The server; `replies` are used up in order, and when none is left `answer` makes one from the request."""

    chat_path = "/api/chat"

    def __init__(
        self,
        models: Sequence[Model] = (Model(),),
        replies: Sequence[Reply] = (),
        *,
        answer: Callable[[dict[str, Any]], Reply] | None = None,
        pull_breaks_at: float | None = None,
        pull_break: Cut | Hang | Failure = Cut(),
        version: str = "0.12.6",
        port: int = 0,
        seconds_per_piece: float = 0.0,
        window: int | None = None,
        tells_window: bool = True,
        counts_cached: bool = True,
    ) -> None:
        """Scripts the server.

        `window` is the context that it really gives a model, whatever is asked of it: of longer prompts it reads as
        much as half the window holds. Without `tells_window`, as in 2024, it keeps that to itself. Without
        `counts_cached` it reports only those tokens of a prompt that weren't in its cache.
        """
        self.models = {model.name: model for model in models}
        self.replies = list(replies)
        self.answer = answer
        self.pull_breaks_at = pull_breaks_at
        self.pull_break = pull_break
        self.version = version
        self.requests: list[Request] = []
        self.seconds_per_piece = seconds_per_piece
        self.window = window
        self.tells_window = tells_window
        self.counts_cached = counts_cached
        self.evaluated: list[int] = []
        self._cached: list[str] = []
        self.closing = threading.Event()
        self.hanging = threading.Event()
        """Set when a reply or a pull has come to a `Hang`."""
        self._pulled: dict[str, int] = {}
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", port), self.handler)
        self._http.ollama = self
        self.port: int = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._http.server_close()
        self._thread.join()

    @property
    def chats(self) -> list[Request]:
        """The chat requests, oldest first."""
        return [request for request in self.requests if request.path == self.chat_path]

    def next_reply(self, body: dict[str, Any]) -> Reply:
        """The reply for a chat request."""
        with self._lock:
            if self.replies:
                return self.replies.pop(0)
        assert self.answer is not None, "a chat came in that no reply was scripted for"
        return self.answer(body)

    def evaluate(self, messages: Sequence[dict[str, str]]) -> int:
        """How many tokens of a prompt the server says that it read."""
        tokens = _TOKEN.findall(" ".join(message["content"] for message in messages))
        if self.window is not None and len(tokens) > self.window:
            tokens = tokens[: self.window // 2 + 2]
        known = 0
        if not self.counts_cached:
            known = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(tokens, self._cached, strict=False)))
        self._cached = tokens
        self.evaluated.append(len(tokens) - known)
        return self.evaluated[-1]

    def pull(self, name: str) -> Iterator[dict[str, Any] | Cut | Hang]:
        """Progress records, and how it breaks; a broken pull goes on where it broke."""
        total = 1_000_000
        digest = "sha256:" + "a" * 64
        yield {"status": "pulling manifest"}
        while (completed := self._pulled.get(name, 0)) < total:
            if self.pull_breaks_at is not None and completed >= self.pull_breaks_at * total:
                self.pull_breaks_at = None
                if isinstance(self.pull_break, Failure):
                    yield {"error": self.pull_break.error}
                    return
                yield self.pull_break
            self._pulled[name] = completed + total // 10
            yield {"status": f"pulling {digest[7:19]}", "digest": digest, "total": total, "completed": completed}
        yield {"status": f"pulling {digest[7:19]}", "digest": digest, "total": total, "completed": total}
        yield {"status": "verifying sha256 digest"}
        yield {"status": "writing manifest"}
        self.models[name] = Model(name)
        yield {"status": "success"}

    @property
    def handler(self) -> type[Handler]:
        """What serves a connection."""
        return Handler

    @property
    def connections(self) -> int:
        """How many connections are open."""
        with self._lock:
            return len(self._connections)

    def keep(self, connection: socket.socket) -> None:
        """Remembers an open connection, to be closed with the server."""
        with self._lock:
            self._connections.add(connection)

    def forget(self, connection: socket.socket) -> None:
        """Forgets a connection that is closed."""
        with self._lock:
            self._connections.discard(connection)


class _Http(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close waits for every connection's thread
    ollama: OllamaServer


class _Gone(Exception):
    """The client closed the connection."""


class Handler(BaseHTTPRequestHandler):
    """Ollama's protocol on one connection."""

    protocol_version = "HTTP/1.1"
    server: _Http

    def setup(self) -> None:
        super().setup()
        self.server.ollama.keep(self.connection)

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        self.server.ollama.forget(self.connection)

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve({})

    def do_DELETE(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        self._serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _serve(self, body: dict[str, Any]) -> None:
        request = Request(self.command, self.path, body)
        self.server.ollama.requests.append(request)
        try:
            getattr(self, f"_{self.command}_{self.path.strip('/').replace('/', '_')}".lower(), self._unknown)(request)
        except (_Gone, ConnectionError):
            request.gone.set()
            self.close_connection = True

    def _unknown(self, _: Request) -> None:
        self._send(404, b"404 page not found", "text/plain")

    def _get_(self, _: Request) -> None:
        self._send(200, b"Ollama is running", "text/plain; charset=utf-8")

    def _get_api_version(self, _: Request) -> None:
        self.json({"version": self.server.ollama.version})

    def _get_api_tags(self, _: Request) -> None:
        self.json({"models": [self._listed(model) for model in self.server.ollama.models.values()]})

    def _get_api_ps(self, _: Request) -> None:
        loaded = {request.body.get("model"): request.body for request in self.server.ollama.chats}
        self.json(
            {
                "models": [
                    self._listed(model)
                    | {"expires_at": "2025-01-27T18:00:00Z", "size_vram": model.size_vram}
                    | self._context(loaded[model.name])
                    for model in self.server.ollama.models.values()
                    if model.name in loaded
                ]
            }
        )

    def _context(self, chat: dict[str, Any]) -> dict[str, int]:
        if not self.server.ollama.tells_window:
            return {}
        return {"context_length": self.server.ollama.window or chat.get("options", {}).get("num_ctx", 4096)}

    def _post_api_show(self, request: Request) -> None:
        model = self.server.ollama.models.get(request.body["model"])
        if model is None:
            self.json({"error": f"model '{request.body['model']}' not found"}, 404)
            return
        shown: dict[str, Any] = {
            "license": "MIT",
            "modelfile": f"FROM {model.name}",
            "template": model.template,
            "details": self._details(model),
            "model_info": {
                "general.architecture": model.family,
                f"{model.family}.context_length": model.context_length,
            },
            "modified_at": "2025-01-27T16:00:00Z",
        }
        if model.capabilities is not None:
            shown["capabilities"] = list(model.capabilities)
        self.json(shown)

    def _post_api_pull(self, request: Request) -> None:
        self._start_lines()
        for record in self.server.ollama.pull(request.body["model"]):
            if isinstance(record, Cut):
                self.close_connection = True
                return
            if isinstance(record, Hang):
                self.hang()
            self._line(json.dumps(record))
            self.check_client(self.server.ollama.seconds_per_piece)
        self._end_lines()

    def _delete_api_delete(self, request: Request) -> None:
        if self.server.ollama.models.pop(request.body["model"], None) is None:
            self.json({"error": f"model '{request.body['model']}' not found"}, 404)
        else:
            self._send(200, b"", "text/plain")

    def _post_api_chat(self, request: Request) -> None:
        name = request.body["model"]
        model = self.server.ollama.models.get(name)
        if model is None:
            self.json({"error": f"model '{name}' not found"}, 404)
            return
        if request.body.get("think") and "thinking" not in (model.capabilities or ()):
            self.json({"error": f'"{name}" does not support thinking'}, 400)
            return
        started = False
        count = 0
        reply = self.server.ollama.next_reply(request.body)
        for step in (*reply, Done()):
            if isinstance(step, Failure):
                self.json({"error": step.error}, step.status)
                return
            if isinstance(step, Hang):
                self.hang()
            if not started:
                self._start_lines()
                started = True
            self.check_client(self.server.ollama.seconds_per_piece)
            if isinstance(step, Cut):
                self.close_connection = True
                return
            if isinstance(step, End):
                break
            if isinstance(step, Raw):
                self._line(step.line)
                continue
            count += 1
            self._line(
                json.dumps({"model": name, "created_at": "2025-01-27T16:00:00Z"} | self._record(request, step, count))
            )
            if isinstance(step, Done):
                break
        self._end_lines()

    def _record(self, request: Request, step: str | Thinking | Done, count: int) -> dict[str, Any]:
        if isinstance(step, str):
            return {"message": {"role": "assistant", "content": step}, "done": False}
        if isinstance(step, Thinking):
            return {"message": {"role": "assistant", "content": "", "thinking": step.text}, "done": False}
        prompt = step.prompt_tokens
        if prompt is None:
            prompt = self.server.ollama.evaluate(request.body["messages"])
        return {
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": step.reason,
            "total_duration": 1_000_000,
            "load_duration": 100_000,
            "prompt_eval_count": prompt,
            "prompt_eval_duration": 500_000,
            "eval_count": count,
            "eval_duration": 400_000,
        }

    def hang(self) -> NoReturn:
        """Silence until the client goes away or the server is closed."""
        self.server.ollama.hanging.set()
        while not self.server.ollama.closing.is_set():
            self.check_client(0.01)
        raise _Gone

    def check_client(self, seconds: float) -> None:
        """Wait, and raise when the client has gone."""
        readable, _, _ = select.select([self.connection], [], [], seconds)
        if readable and not self.connection.recv(1, socket.MSG_PEEK):
            raise _Gone

    @staticmethod
    def _details(model: Model) -> dict[str, Any]:
        return {
            "parent_model": "",
            "format": "gguf",
            "family": model.family,
            "families": [model.family],
            "parameter_size": "8.2B",
            "quantization_level": "Q4_K_M",
        }

    def _listed(self, model: Model) -> dict[str, Any]:
        return {
            "name": model.name,
            "model": model.name,
            "modified_at": "2025-01-27T16:00:00Z",
            "size": model.size,
            "digest": "f" * 64,
            "details": self._details(model),
        }

    def json(self, record: dict[str, Any], status: int = 200) -> None:
        """Send one record."""
        self._send(status, json.dumps(record).encode(), "application/json; charset=utf-8")

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _start_lines(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _line(self, line: str) -> None:
        content = line.encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))

    def _end_lines(self) -> None:
        self.wfile.write(b"0\r\n\r\n")


def answer_from_passages(body: dict[str, Any]) -> Reply:
    """A plausible reply: the sentences of the prompt's passages that share most words with its question."""
    prompt = body["messages"][-1]["content"]
    question = prompt.rpartition("Question:")[2]
    asked = set(re.findall(r"\w{3,}", question.lower()))
    found: list[tuple[int, str, str]] = []
    for number, text in re.findall(r"<passage (\d+)>\n.*?\n(.*?)\n</passage \1>", prompt, re.DOTALL):
        for sentence in re.split(r"(?<=[.!?])\s+", text):
            shared = len(asked & set(re.findall(r"\w{3,}", sentence.lower())))
            found.append((shared, number, sentence))
    best = sorted(found, key=lambda entry: -entry[0])[:3]
    text = " ".join(f"{sentence.rstrip('.')} [{number}]." for shared, number, sentence in best if shared > 1)
    thoughts = f"Okay, the question is:{question}. " + f"There are {len(found)} sentences to choose from. " * 3
    steps: list[Step] = []
    if body.get("think"):
        steps += [Thinking(piece) for piece in re.findall(r"\S+\s*", thoughts)]
    return steps + re.findall(r"\S{1,5}\s*", text or "The articles do not answer this question.")


def main() -> None:
    """Serves until interrupted."""
    parser = argparse.ArgumentParser(description="A stand-in for an Ollama server, for trials without a model.")
    parser.add_argument("--port", type=int, default=11434)
    parser.add_argument("--seconds-per-piece", type=float, default=0.03)
    arguments = parser.parse_args()
    server = OllamaServer(
        answer=answer_from_passages, port=arguments.port, seconds_per_piece=arguments.seconds_per_piece
    )
    with server, suppress(KeyboardInterrupt):
        print(f"Answering as {', '.join(server.models)} at {server.url}; stop with Ctrl+C.", flush=True)  # noqa: T201
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
