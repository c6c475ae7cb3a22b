"""A real web server that misbehaves on demand.

In a test:

    with WebServer({"/a": html(), "/b": respond(403), "/c": endless}) as server:
        ...fetch server.url + "/a"...
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypeAlias

WORDS = (
    "Nvidia shares fell sharply on 27 January 2025 after DeepSeek, a Chinese laboratory, showed that a good model can "
    "be trained for far less than its American rivals had spent. Analysts at several banks asked whether the large "
    "sums planned for data centres would be needed at all."
)


@dataclass(frozen=True)
class Request:
    """A request as it came in."""

    path: str
    headers: Mapping[str, str]


class Handler(BaseHTTPRequestHandler):
    """One request; `web` is the server it came to."""

    protocol_version = "HTTP/1.1"
    web: WebServer

    def do_GET(self) -> None:
        web = self.web
        with web.lock:
            web.requests.append(Request(self.path, dict(self.headers.items())))
        self.close_connection = True
        with suppress(OSError):  # the client has gone
            web.replies.get(self.path, respond(404))(self)

    def work(self) -> None:
        """Take a moment over a request, before the response, and count it as under way meanwhile."""
        web = self.web
        with web.lock:
            web.under_way += 1
            web.most_at_once = max(web.most_at_once, web.under_way)
        web.closing.wait(0.02)
        with web.lock:
            web.under_way -= 1

    def begin(self, status: int, **headers: object) -> None:
        """Send the status line and headers; `content_type` becomes Content-Type."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-").title(), str(value))
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


Reply: TypeAlias = Callable[[Handler], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that don't like the certificate."""


class WebServer:
    """Serves `replies` by path, and keeps the requests; unknown paths, and so robots.txt, are 404."""

    def __init__(self, replies: Mapping[str, Reply] | None = None, tls: Any = None, host: str = "127.0.0.1") -> None:
        self.replies = dict(replies or {})
        self.requests: list[Request] = []
        self.under_way = self.most_at_once = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = type("Server", (_Server,), {"address_family": family})
        self.server = server((host, 0), type("Bound", (Handler,), {"web": self}))
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def paths(self) -> list[str]:
        """What was asked for, robots.txt left out."""
        return [request.path for request in self.requests if request.path != "/robots.txt"]


def respond(status: int, body: str | bytes = b"", content_type: str = "text/html", **headers: object) -> Reply:
    """A whole response."""
    data = body.encode() if isinstance(body, str) else body

    def reply(handler: Handler) -> None:
        handler.begin(status, **{"content_type": content_type, "content_length": len(data), **headers})
        handler.wfile.write(data)

    return reply


def page(text: str = "", title: str = "A page") -> str:
    """A news page with an article of some 100 words behind `text`."""
    paragraphs = "".join(f"<p>{paragraph}</p>" for paragraph in (f"{text} {WORDS}", f"{title}: {WORDS}"))
    return (
        f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{paragraphs}</article></body></html>"
    )


def html(text: str = "", title: str = "A page", **headers: str) -> Reply:
    """A news page."""
    return respond(200, page(text, title), **headers)


def redirect(location: str, status: int = 302) -> Reply:
    """A redirect."""
    return respond(status, location=location)


def endless(handler: Handler) -> None:
    """A body without an end, as fast as it is read."""
    handler.begin(200, content_type="text/html")
    while not handler.web.closing.is_set():
        handler.wfile.write(b"<p>" + b"word " * 20_000)


def trickling(handler: Handler) -> None:
    """A body that comes letter by letter and has no end."""
    handler.begin(200, content_type="text/html")
    while not handler.web.closing.wait(0.02):
        handler.wfile.write(b"a")


def trickling_headers(handler: Handler) -> None:
    """Headers that come letter by letter and have no end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not handler.web.closing.wait(0.02):
        handler.wfile.write(b"a")


def talkative(handler: Handler) -> None:
    """Headers without an end, as fast as they are read."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.web.closing.is_set():
        handler.wfile.write(b"X-Word: word\r\n" * 1000)


def lying(handler: Handler) -> None:
    """A body that is shorter than its header says."""
    handler.begin(200, content_type="text/html", content_length=10_000)
    handler.wfile.write(page().encode())


def silent(handler: Handler) -> None:
    """No answer."""
    handler.web.closing.wait()


def dying(handler: Handler) -> None:
    """The connection breaks off in the middle of the body."""
    data = page().encode()
    handler.begin(200, content_type="text/html", content_length=len(data))
    handler.wfile.write(data[: len(data) // 2])
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)


def in_turn(*replies: Reply) -> Reply:
    """Each reply once, in order, and the last one for all further requests."""
    left = list(replies)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def closed_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
