"""A served page and a real Chromium that visits it."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import (
    APIResponse,
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Route,
    ViewportSize,
    expect,
    sync_playwright,
)

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ui.models import Assistant

expect.set_options(timeout=60_000)  # A machine that runs ten other things draws the page in seconds.

Visit = Callable[..., Page]
_PORTS: list[int] = []
"""Those that served a page before: on the same one the browser has most of the next page already."""
_PAGES: list[Page] = []
"""Those that are on show: a server with visitors would wait for them before it ends."""
NOWHERE = "about:blank"
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

    with tempfile.TemporaryDirectory() as folder, _listener() as listener:
        # Where no event loop runs Gradio makes some and leaves them open; Playwright may have one in this thread.
        with ThreadPoolExecutor(1) as elsewhere:
            app = elsewhere.submit(asyncio.run, build()).result()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        port = listener.getsockname()[1]
        address = f"http://127.0.0.1:{port}/"
        try:
            yield address
        finally:
            for page in _PAGES:
                if page.url.startswith(address) and not page.is_closed():
                    page.goto(NOWHERE)
            server.should_exit = True
            thread.join()
            _PORTS.append(port)


def _listener() -> socket.socket:
    if _PORTS:
        with suppress(OSError):  # Another process has it now.
            return socket.create_server(("127.0.0.1", _PORTS.pop()))
    return socket.create_server(("127.0.0.1", 0))


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


class Profiles:
    """Browser profiles, used again when their visitor has gone: without cookies and storage, but with the cache.

    So are their pages, where all that a test had them do besides is undone: a new one costs a process of the browser's.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[bool, list[tuple[BrowserContext, Page]]] = {False: [], True: []}
        self._taken: list[tuple[bool, BrowserContext, Page]] = []

    def take(self, phone: bool) -> Page:
        """A page of a profile that knows nobody."""
        free = self._free[phone]
        if free:
            context, page = free.pop()
        else:
            context = self._browser.new_context(
                viewport=PHONE if phone else WIDE,
                reduced_motion="reduce",
                permissions=["clipboard-read", "clipboard-write"],
            )
            page = context.new_page()
        self._taken.append((phone, context, page))
        return page

    def give_back(self) -> None:
        """Close the pages of all that were taken but for one of each, and forget who visited them."""
        for phone, context, page in self._taken:
            for other in context.pages:
                if other is not page:
                    other.close()
            context.clear_cookies()
            if page.is_closed():
                page = context.new_page()
            page.unroute_all()
            page.goto(NOWHERE)
            if page.viewport_size != (size := PHONE if phone else WIDE):
                page.set_viewport_size(size)
            self._free[phone].append((context, page))
        self._taken.clear()
        _PAGES.clear()


@pytest.fixture(scope="session")
def profiles(browser: Browser) -> Profiles:
    """The profiles of all visitors."""
    return Profiles(browser)


@pytest.fixture
def visit(profiles: Profiles) -> Iterator[Visit]:
    """`visit(address, phone=False)` opens the page as a new visitor.

    When the test ends, every visit must have asked nothing of any other address, and no script may have failed
    or been refused by the content security policy (but for the inline scripts of Gradio's own page, which it
    can do without).
    """
    complaints: list[str] = []
    listening: list[tuple[Page, str, Callable[[Any], object]]] = []

    def unexpected(message: ConsoleMessage) -> bool:
        # The last two are what Gradio says when a page is left while it streams.
        known = (
            "Executing inline script violates",
            "Failed to load resource",
            "AbortError: signal is aborted",
            "Unexpected error Connection errored out",
        )
        return message.type == "error" and not message.text.startswith(known)

    def listen(page: Page, own: str) -> None:
        def failed(error: object) -> None:
            complaints.append(f"script error: {error}")

        def asked(request: Request) -> None:
            if not request.url.startswith((own, "data:", "blob:")):
                complaints.append(f"asked for {request.url}")

        def said(message: ConsoleMessage) -> None:
            if unexpected(message):
                complaints.append(f"console: {message.text}")

        page.on("pageerror", failed)
        page.on("request", asked)
        page.on("console", said)
        listening.extend([(page, "pageerror", failed), (page, "request", asked), (page, "console", said)])

    def open_page(
        address: str, *, phone: bool = False, by: Page | None = None, scheme: Literal["light", "dark"] = "light"
    ) -> Page:
        """Open the page as a new visitor, or in another tab `by` the visitor of a page."""
        page = by.context.new_page() if by else profiles.take(phone)
        page.emulate_media(color_scheme=scheme)
        _PAGES.append(page)
        page.set_default_timeout(60_000)
        listen(page, "{0.scheme}://{0.netloc}/".format(urlsplit(address)))
        page.goto(address)
        expect(page.locator("#ask textarea")).to_be_visible()
        # The last thing that the page's script does when it is loaded: from then on it hears what is done.
        expect(page.locator("#ask :is(.submit-button, .stop-button)[title]")).to_be_attached()
        return page

    yield open_page
    for page, event, listener in listening:
        page.remove_listener(event, listener)
    profiles.give_back()
    assert not complaints, complaints


def ask(page: Page, question: str = "Why?") -> None:
    """Type a question and press Enter."""
    page.fill("#ask textarea", question)
    page.keyboard.press("Enter")


def ask_next(page: Page, question: str = "Why?") -> None:
    """`ask` as soon as the page takes another question, which is a moment after the answer before has its badge."""
    expect(page.locator("#ask .submit-button")).to_be_visible()
    ask(page, question)


def newest(page: Page, action: str) -> Locator:
    """What can be done with the newest answer.

    Not the last of all buttons of that name: the page makes links into buttons a moment after they are drawn, and till
    then the last is one of an earlier answer.
    """
    return page.locator("#chat .actions").last.get_by_role("button", name=action)


def fits(page: Page) -> bool:
    """Whether the page needs no scrolling but inside its own parts."""
    size = "document.documentElement"
    return bool(page.evaluate(f"{size}.scrollWidth <= innerWidth && {size}.scrollHeight <= innerHeight"))


class Held:
    """Answers of the server that are held back until they are let go, in the order in which they were asked for.

    Args:
        page: whose requests they answer.
        address: a pattern of Playwright's.
        fetched: whether the server is asked at once, and only its answer is held.
        most: so many are held, and those after them pass.
    """

    def __init__(self, page: Page, address: str, *, fetched: bool = False, most: int = 1) -> None:
        self._page = page
        self._fetched = fetched
        self._most = most
        self._held: list[tuple[Route, APIResponse | None]] = []
        page.route(address, self._hold)

    def _hold(self, route: Route) -> None:
        if self._most <= 0:
            route.continue_()
            return
        self._most -= 1
        self._held.append((route, route.fetch() if self._fetched else None))

    def wait(self) -> None:
        """Until something is held."""
        while not self._held:
            self._page.evaluate("0")  # Playwright looks in between.

    def let_go(self) -> None:
        """Wait for the first that is held, and give it to the page."""
        self.wait()
        route, response = self._held.pop(0)
        if response:
            route.fulfill(response=response)
        else:
            route.continue_()


def settle(page: Page) -> None:
    """Wait until the page has done what follows from all that it was given up to now."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


@contextmanager
def obeyed(page: Page) -> Iterator[None]:
    """When the block ends, wait until the page has got all that its orders show: what brings it ends with the last."""
    ended: list[str] = []
    note = lambda request: ended.append(request.url) if "/queue/data" in request.url else None  # noqa: E731
    page.on("requestfinished", note)
    page.on("requestfailed", note)  # The page itself ends it where it is quicker than the server.
    yield
    while not ended:
        page.evaluate("0")
    settle(page)
