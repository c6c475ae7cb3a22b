"""The chat page's server: everything put together, for this machine, or with a password for others."""

import logging
import os
import socket
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import SettingsError
from ui.answering import Desk
from ui.conversations import Conversations
from ui.guard import HEALTH, LOOPBACK, Guard, check_binding, is_known
from ui.health import health
from ui.library import Library
from ui.mcp_server import mcp_route
from ui.models import Assistant, Models
from ui.openai_api import openai_routes
from ui.page import layout, theme
from ui.places import Places
from ui.routes import add_error_pages, page_routes

if TYPE_CHECKING:
    from fastapi import FastAPI

ASSETS = Path(__file__).parent / "assets"
STYLES = "page conversation question reader actions conversations panels narrow timeline".split()  # noqa: SIM905
"""In the order in which one outranks the other."""
FONTS = Path(str(files("font_source_serif_pro"))) / "files"
"""Its Semibold and Regular are the page's serif: Gradio brings none that is whole, and systems differ."""
DEFAULT_PORT = 7860
PASSWORD = "AFTERSHOCK_PASSWORD"
"""The environment variable with the password; not an option, because options can be seen by other users."""


def serve(assistant: Assistant, host: str = LOOPBACK[0], port: int | None = None, open_browser: bool = True) -> None:
    """Serve the chat page until interrupted, and say on standard error where it is.

    Args:
        assistant: answers the questions.
        host: where to listen; addresses that other machines reach need a password in `AFTERSHOCK_PASSWORD`.
        port: None for 7860 or, where that is taken, any free one.
        open_browser: open the page in the user's browser too.

    Raises:
        SettingsError: a password is missing or too short, or the host or port cannot be had.
        ConversationsError: the saved conversations cannot be opened.
    """
    import typer
    import uvicorn

    password = os.environ.get(PASSWORD, "")
    check_binding(host, password)
    with _listen(host, port) as listener:
        app = build_app(assistant, Conversations.open(), password=password, host=host)

        class Server(uvicorn.Server):
            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # An open tab that is cut off is none.
                await super().shutdown(sockets)

        # Without a limit the server would wait for every open tab before it ends.
        server = Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        address = f"http://{host}:{listener.getsockname()[1]}/"
        typer.echo(f"The chat is at {address} (Ctrl-C ends it).", err=True)
        if open_browser:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def _listen(host: str, port: int | None) -> socket.socket:
    """A listening socket, so that whoever knows the address can connect from now on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    where = LOOPBACK[0] if host in LOOPBACK else host
    try:
        socket.getaddrinfo(where, None, family)
    except OSError:
        raise SettingsError(f"{host!r} is no address of this machine; leave --host away for {LOOPBACK[0]}.") from None
    for attempt in (DEFAULT_PORT, 0) if port is None else (port,):
        with suppress(OSError):
            return socket.create_server((where, attempt), family=family)
    raise SettingsError(f"Port {port} is in use or not allowed; choose another one, or none to get a free one.")


def build_app(
    assistant: Assistant,
    store: Conversations,
    *,
    password: str = "",
    host: str = LOOPBACK[0],
    allowed: tuple[str, ...] = (),
) -> "FastAPI":
    """The chat page at `/`, its files under `/page/` and what its script asks for, the APIs, and `/healthz`.

    Args:
        assistant: answers the questions.
        store: keeps the conversations.
        password: asked of everybody when not empty.
        host: where the page is served.
        allowed: networks that links in the library may lead to although they are not public.
    """
    # Read when Gradio is imported: no version check, no telemetry.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse
    from starlette.staticfiles import StaticFiles

    models, places = Models(assistant), Places()
    desk = Desk(places)
    protocol, serving = mcp_route(models, places)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with serving():
            yield

    undocumented: dict[str, Any] = {"docs_url": None, "redoc_url": None, "openapi_url": None}
    app = FastAPI(title="Aftershock", lifespan=lifespan, **undocumented)
    app.add_middleware(Guard, password=password, host=host)
    add_error_pages(app)
    app.mount("/page/fonts", StaticFiles(directory=FONTS))
    app.mount("/page", StaticFiles(directory=ASSETS))
    app.include_router(page_routes(models, store, desk, Library(assistant, allowed)))
    app.include_router(openai_routes(models, places))
    app.router.routes.append(protocol)

    @app.get(HEALTH)
    def healthz(request: Request) -> JSONResponse:
        found = health(models, places)
        shown = found if is_known(request.scope) else {"ready": found["ready"]}
        return JSONResponse(shown, 200 if found["ready"] else 503)

    # Gradio takes every path that is left.
    gr.mount_gradio_app(
        app,
        layout(models, store, places, desk, assistant.counts()[0]),
        path="/",
        app_kwargs=undocumented,
        theme=theme(),
        head="".join(f'<link rel="stylesheet" href="/page/{name}.css">' for name in STYLES)
        + '<script type="module" src="/page/page.js"></script>',
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
