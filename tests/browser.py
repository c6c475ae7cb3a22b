"""A served page and a real Chromium that visits it."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ui.models import Assistant

expect.set_options(timeout=60_000)  # A machine that runs ten other things draws the page in seconds.

Visit = Callable[..., Page]
WIDE = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)


@contextmanager
def serving(assistant: Assistant, place: Path | None = None, **options: Any) -> Iterator[str]:
    """The page with this assistant on a free port of the loopback address, until the block ends; its address.

    Args:
        assistant: answers the questions.
        place: the file with the conversations, instead of one that ends with the block.
        options: of `build_app`.
    """
    from ui.conversations import Conversations
    from ui.web import build_app

    async def build() -> FastAPI:
        return build_app(assistant, Conversations.open(place or Path(folder, "conversations.sqlite")), **options)

    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        # Where no event loop runs Gradio makes some and leaves them open; Playwright may have one in this thread.
        with ThreadPoolExecutor(1) as elsewhere:
            app = elsewhere.submit(asyncio.run, build()).result()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium that resolves no name but the loopback address."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """`visit(address, phone=False)` opens the page as a new visitor.

    When the test ends, every visit must have asked nothing of any other address, and no script may have failed
    or been refused by the content security policy (but for the inline scripts of Gradio's own page, which it
    can do without).
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def unexpected(message: ConsoleMessage) -> bool:
        # The last two are what Gradio says when a page is left while it streams.
        known = (
            "Executing inline script violates",
            "Failed to load resource",
            "AbortError: signal is aborted",
            "Unexpected error Connection errored out",
        )
        return message.type == "error" and not message.text.startswith(known)

    def open_page(address: str, *, phone: bool = False, by: Page | None = None, **options: Any) -> Page:
        """Open the page as a new visitor, or in another tab `by` the visitor of a page."""
        if by:
            context = by.context
        else:
            context = browser.new_context(
                viewport=PHONE if phone else WIDE,
                reduced_motion="reduce",
                permissions=["clipboard-read", "clipboard-write"],
                **options,
            )
            contexts.append(context)
        own = "{0.scheme}://{0.netloc}/".format(urlsplit(address))
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((own, "data:", "blob:"))
                else complaints.append(f"asked for {request.url}")
            ),
        )
        page.on(
            "console",
            lambda message: complaints.append(f"console: {message.text}") if unexpected(message) else None,
        )
        page.goto(address)
        expect(page.locator("#ask textarea")).to_be_visible()
        # The last thing that the page's script does when it is loaded: from then on it hears what is done.
        expect(page.locator("#ask :is(.submit-button, .stop-button)[title]")).to_be_attached()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints, complaints


def ask(page: Page, question: str = "Why?") -> None:
    """Type a question and press Enter."""
    page.fill("#ask textarea", question)
    page.keyboard.press("Enter")


def ask_next(page: Page, question: str = "Why?") -> None:
    """`ask` as soon as the page takes another question, which is a moment after the answer before has its badge."""
    expect(page.locator("#ask .submit-button")).to_be_visible()
    ask(page, question)


def fits(page: Page) -> bool:
    """Whether the page needs no scrolling but inside its own parts."""
    size = "document.documentElement"
    return bool(page.evaluate(f"{size}.scrollWidth <= innerWidth && {size}.scrollHeight <= innerHeight"))
