"""The chat page: layout, wiring, and a server that answers this machine only."""

import asyncio
import logging
import os
import socket
import threading
import time
import webbrowser
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Sequence
from contextlib import aclosing, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rag.errors import AftershockError, SettingsError
from rag.records import Article, Event
from ui import render

if TYPE_CHECKING:
    import gradio
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ASSETS = Path(__file__).parent / "assets"
EXAMPLES = (
    "How much market value did Nvidia lose on 27 January 2025?",
    "What did training DeepSeek-V3 cost, and what does that figure leave out?",
    "Who is Liang Wenfeng?",
    "How did Washington react to DeepSeek?",
)
SUBTITLE = "Cited answers about the DeepSeek shock of January 2025"
DEFAULT_PORT = 7860
LOOPBACK = ("127.0.0.1", "localhost")
UPDATE_SECONDS = 0.05
ANSWERS_AT_ONCE = 4
VISITORS_AT_ONCE = 32

# 'unsafe-inline' for styles only: Gradio sets style attributes. Its own inline scripts are optional and stay blocked.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'none'",
        "media-src 'none'",
        "object-src 'none'",
        "frame-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

log = logging.getLogger(__name__)


class Assistant(Protocol):
    """What the page needs of `rag.Assistant`."""

    def stream(self, question: str, history: Sequence[tuple[str, str]] = ()) -> Generator[Event, None, None]:
        """The events of an answer; closing the generator ends the work."""

    def article(self, article_id: str) -> Article:
        """The whole article; KeyError when there is none of that id."""

    def articles(self) -> Sequence[Article]:
        """All articles."""


def serve(assistant: Assistant, host: str = "127.0.0.1", port: int | None = None, open_browser: bool = True) -> None:
    """Serve the chat page until interrupted, and say on standard error where it is.

    Args:
        assistant: answers the questions.
        host: 127.0.0.1 or localhost; the page has no password, so it is for this machine only.
        port: None for 7860 or, where that is taken, any free one.
        open_browser: open the page in the user's browser too.

    Raises:
        SettingsError: the host is not this machine, or the port cannot be had.
    """
    import typer
    import uvicorn

    with _listen(host, port) as listener:
        server = uvicorn.Server(
            # Without a limit the server would wait for every open tab before it ends.
            uvicorn.Config(build_app(assistant), log_level="warning", timeout_graceful_shutdown=1)
        )
        address = f"http://{host}:{listener.getsockname()[1]}/"
        typer.echo(f"The chat is at {address} (Ctrl-C ends it).", err=True)
        if open_browser:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def _listen(host: str, port: int | None) -> socket.socket:
    """A listening socket, so that whoever knows the address can connect from now on."""
    if host not in LOOPBACK:
        raise SettingsError(
            f"The chat page has no password, so it can be served on {' or '.join(LOOPBACK)} only, not on {host!r}."
        )
    for attempt in (DEFAULT_PORT, 0) if port is None else (port,):
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", attempt))
    raise SettingsError(f"Port {port} is in use or not allowed; choose another one, or none to get a free one.")


def build_app(assistant: Assistant) -> "FastAPI":
    """The chat page at `/`, its own files under `/page/`, articles for its reader at `/article`, and `/healthz`."""
    # Read when Gradio is imported: no version check, no telemetry.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.staticfiles import StaticFiles

    undocumented: dict[str, Any] = {"docs_url": None, "redoc_url": None, "openapi_url": None}
    app = FastAPI(title="Aftershock", **undocumented)
    app.add_middleware(_Guard)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK))
    app.mount("/page", StaticFiles(directory=ASSETS))

    @app.get("/healthz")
    def healthz() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/article", response_class=HTMLResponse)
    def article(id: str, start: int = 0, end: int = 0) -> HTMLResponse:
        try:
            return HTMLResponse(render.article_page(assistant.article(id), start, end))
        except KeyError:
            return HTMLResponse(render.failure("This article is no longer in the index."), status_code=404)
        except AftershockError as error:
            return HTMLResponse(render.failure(str(error)), status_code=503)

    gr.mount_gradio_app(
        app,
        _layout(assistant),
        path="/",
        app_kwargs=undocumented,
        theme=_theme(),
        head='<link rel="stylesheet" href="/page/page.css"><script type="module" src="/page/page.js"></script>',
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        max_file_size=0,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
    )
    return app


class _Guard:
    """Refuses requests that another site's page sends, and uploads; adds the security headers to every response.

    Plain ASGI, because Starlette's base class for middleware would hold up the event stream. CORS alone hides
    only the response from the other page: the request would still have its effect.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        from starlette.datastructures import Headers, MutableHeaders
        from starlette.responses import PlainTextResponse

        async def send_guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        foreign = headers.get("origin", own := f"{scope['scheme']}://{headers.get('host')}") != own
        if foreign or scope["path"].startswith("/gradio_api/upload"):
            await PlainTextResponse("Refused.", status_code=403)(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)


def _theme() -> "gradio.themes.Base":
    """Gradio's fonts that come with the package (its SemiBold files lack most letters) and nothing from the web."""
    import gradio as gr

    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.stone,
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )


def _layout(assistant: Assistant) -> "gradio.Blocks":
    """The page's components and what happens on each event.

    The conversation, a list of turns, stays in the session's state on the server and changes in place: a stopped
    answer cannot hand back a new one, and what the browser holds of the conversation is never read.
    """
    import gradio as gr

    places = asyncio.Semaphore(ANSWERS_AT_ONCE)
    page: gradio.Blocks
    with gr.Blocks(title="Aftershock", fill_width=True, analytics_enabled=False) as page:
        turns = gr.State([])
        with gr.Column(elem_id="main"):
            with gr.Row(elem_id="top"):
                gr.Markdown(f"# Aftershock\n{SUBTITLE}", elem_id="name")
                new = gr.Button("New chat", elem_id="new", size="sm", min_width=0, scale=0)
            chat = gr.Chatbot(
                elem_id="chat",
                label="Conversation",
                show_label=False,
                container=False,
                height="100%",
                buttons=["copy"],
                feedback_options=None,
                allow_tags=False,
                latex_delimiters=[],
                allow_file_downloads=False,
                placeholder=render.welcome(),
                examples=[{"text": question} for question in EXAMPLES],
            )
            box = gr.Textbox(
                elem_id="ask",
                label="Your question",
                show_label=False,
                container=False,
                placeholder="Ask about the DeepSeek shock",
                max_lines=8,
                submit_btn=True,
                autofocus=True,
            )
            gr.Markdown(render.status(len(assistant.articles())), elem_id="status")

        async def ask(question: str, turns: list[render.Turn]) -> AsyncIterator[tuple[Any, Any]]:
            if not question.strip() or (turns and turns[-1].running):
                yield gr.skip(), gr.skip()
                return
            turns.append(render.Turn(question.strip()))
            yield render.messages(turns), gr.Textbox(value="", submit_btn=False, stop_btn=True)
            async with places, aclosing(_fill(assistant, turns)) as updates:
                async for _ in updates:
                    yield render.messages(turns), gr.skip()
            yield gr.skip(), gr.Textbox(submit_btn=True, stop_btn=False)

        def pick(chosen: gr.SelectData) -> str:
            return str(chosen.value["text"])

        def stop(turns: list[render.Turn]) -> tuple[Any, Any]:
            if turns and turns[-1].running:
                turns[-1].stopped = True
            return render.messages(turns), gr.Textbox(submit_btn=True, stop_btn=False)

        def start_anew(turns: list[render.Turn]) -> tuple[Any, Any]:
            stop(turns)
            turns.clear()
            return [], gr.Textbox(submit_btn=True, stop_btn=False)

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        picked = chat.example_select(pick, None, box, queue=False, **quiet)
        asking: list[dict[str, Any]] = [
            box.submit(ask, [box, turns], [chat, box], trigger_mode="multiple", **quiet),
            picked.then(ask, [box, turns], [chat, box], **quiet),
        ]
        box.stop(stop, turns, [chat, box], cancels=asking, queue=False, **quiet)
        new.click(start_anew, turns, [chat, box], cancels=asking, queue=False, **quiet)
    page.queue(default_concurrency_limit=VISITORS_AT_ONCE, max_size=VISITORS_AT_ONCE)
    return page


async def _fill(assistant: Assistant, turns: list[render.Turn]) -> AsyncGenerator[None]:
    """Let the last turn take its answer's events as they come; yields whenever it is worth showing."""
    turn = turns[-1]
    history = [(earlier.question, earlier.text) for earlier in turns[:-1] if earlier.text]
    began = time.monotonic()
    try:
        async with aclosing(_batches(lambda: assistant.stream(turn.question, history), UPDATE_SECONDS)) as batches:
            async for events in batches:
                for event in events:
                    turn.take(event, time.monotonic() - began)
                yield
    except AftershockError as error:
        turn.failure = str(error)
    except Exception:
        log.exception("The answer failed.")
        turn.failure = "Something went wrong inside Aftershock; the details are in its log. Ask again, or restart it."
    if turn.running:
        turn.failure = "The answer ended before it was whole: ask again."
    yield


async def _batches(stream: Callable[[], Generator[Event, None, None]], seconds: float) -> AsyncGenerator[list[Event]]:
    """What a stream yields, gathered so that a batch comes at most every `seconds`.

    One thread runs the stream from its start to its close. When the caller stops listening, for a stopped answer
    or a closed tab, the stream is closed as soon as it yields again.
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
            await asyncio.sleep(0 if ended else seconds)
    finally:
        left.set()
    if failures:
        raise failures[0]
