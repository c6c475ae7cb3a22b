"""What the chat costs in the browser: `python -m bench.page` prints one table.

Chromium draws the page of a server in a process of its own. First paint and first character are medians over rounds. A
scripted model then writes at 50 tokens a second, into an empty conversation and below 40 earlier messages: counted are
tasks of more than 50 ms on the page's main thread, what they are longer than that (total blocking time), and how long
the main thread works for each token. Runs in a checkout only.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import socket
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from rag import Assistant, Settings
from rag.settings import default_index
from tests.ollama_server import Model, OllamaServer, Reply
from ui.conversations import Conversations
from ui.guard import COOKIE

QUESTIONS = (
    "How much market value did Nvidia lose on 27 January 2025?",
    "Who is Liang Wenfeng?",
    "What did training DeepSeek-V3 cost, and what does that figure leave out?",
    "How did Washington react to DeepSeek?",
)
MODEL = "llama3.2:3b"
"""A model that doesn't think, so that all its tokens are of the answer."""
TOKENS = 500
TOKENS_A_SECOND = 50
EARLIER = 20
"""Turns, of two messages each."""
VISITOR = "0123456789abcdef" * 2
_WAIT = 120_000.0
_WATCH = """
window.bench = {long: [], ready: 0, asked: 0, first: 0, answers: 0, clicked: 0, stopped: 0};
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) bench.long.push(task.duration);
}).observe({type: "longtask"});
new MutationObserver(() => {
  if (!bench.ready && document.querySelector("#ask .submit-button")) bench.ready = performance.now();
  const texts = document.querySelectorAll("#chat .answer .text");
  if (bench.asked && !bench.first && texts.length > bench.answers && texts[texts.length - 1].textContent.trim()) {
    bench.first = -1;
    requestAnimationFrame(() => { bench.first = performance.now(); });
  }
  if (bench.clicked && !bench.stopped && document.querySelector("#chat .note")) {
    bench.stopped = -1;
    requestAnimationFrame(() => { bench.stopped = performance.now(); });
  }
}).observe(document, {childList: true, subtree: true, characterData: true});
document.addEventListener("click", (event) => {
  if (event.target.closest(".stop-button")) bench.clicked = performance.now();
}, true);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  bench.answers = document.querySelectorAll("#chat .answer .text").length;
  bench.long = [];
  bench.first = 0;
  bench.asked = performance.now();
}, true);
"""


@dataclass(frozen=True, slots=True)
class Opening:
    """Milliseconds from the request to the first paint with content, and until a question can be typed."""

    paint: float
    ready: float


@dataclass(frozen=True, slots=True)
class Streaming:
    """What one streamed answer cost the page's main thread; times in milliseconds."""

    long_tasks: int
    longest: float
    blocking: float
    per_token: float


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measures what the chat costs in the browser.")
    parser.add_argument("--index", type=Path, default=default_index(), help="the default index when not given")
    parser.add_argument("--rounds", type=int, default=5, help="how often the page is opened, and each question asked")
    parser.add_argument("--streams", type=int, default=3, help="how often an answer is streamed")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
        store = Path(folder, "conversations.sqlite")
        conversation = _earlier(store, chosen.index)
        with _server(chosen.index, store, "quotes") as address:
            openings = [_opened(browser, address) for _ in range(chosen.rounds)]
            first = _first_characters(browser, address, chosen.rounds)
        with _server(chosen.index, store, f"ollama:{MODEL}") as address:
            empty, long, stops = [], [], []
            for _ in range(chosen.streams):
                stops.append(_stopped(browser, address))
                empty.append(_streamed(browser, address))
                long.append(_streamed(browser, f"{address}?c={conversation}"))
        versions = f"Chromium {browser.version}, Gradio {version('gradio')}, Python {platform.python_version()}"
        browser.close()
    for line in table(openings, first, stops, empty, long):
        print(line)  # noqa: T201
    print(f"\n{versions}, {os.cpu_count()} cores; {chosen.rounds} rounds, {chosen.streams} streams")  # noqa: T201


def table(
    openings: list[tuple[Opening, Opening]],
    first: list[float],
    stops: list[float],
    empty: list[Streaming],
    long: list[Streaming],
) -> list[str]:
    """The lines of the table.

    Args:
        openings: pairs of a cold and a warm one.
        first: milliseconds from Enter to the first character.
        stops: milliseconds from a click on Stop until the page says so.
        empty: streamed into a new conversation.
        long: streamed below `EARLIER` turns.
    """
    rows = ["| in the browser | ms |", "|---|---|"]
    for which, name in ((0, "cold"), (1, "warm")):
        rows.append(f"| first paint, {name} | {statistics.median(pair[which].paint for pair in openings):.0f} |")
        rows.append(f"| ready to type, {name} | {statistics.median(pair[which].ready for pair in openings):.0f} |")
    rows.append(f"| Enter to first character, quotes | {statistics.median(first):.0f} |")
    rows.append(f"| Enter to first character, quotes, slowest | {max(first):.0f} |")
    rows.append(f"| Stop while a model writes | {statistics.median(stops):.0f} |")
    heads = ["long tasks", "longest ms", "blocking ms", "ms a token"]
    rows += ["", f"| {TOKENS} tokens at {TOKENS_A_SECOND} a second | {' | '.join(heads)} |"]
    rows.append("|---|---|---|---|---|")
    for name, streams in (("first question", empty), (f"after {2 * EARLIER} messages", long)):
        rows.append(
            f"| {name} | {statistics.median(s.long_tasks for s in streams):.0f} "
            f"| {max(s.longest for s in streams):.0f} | {statistics.median(s.blocking for s in streams):.0f} "
            f"| {statistics.median(s.per_token for s in streams):.2f} |"
        )
    return rows


def _earlier(store: Path, index: Path) -> str:
    """The id of a conversation of `EARLIER` quoted answers, now in the store."""
    with closing(Assistant.from_settings(Settings(index, model="quotes"))) as assistant:
        answers = [assistant.ask(question) for question in QUESTIONS]
    conversations = Conversations.open(store).of(VISITOR)
    made = conversations.create()
    for number in range(EARLIER):
        conversations.append(made, answers[number % len(answers)])
    return made


def _reply(_: dict[str, Any]) -> Reply:
    words = [f"word{number} " for number in range(TOKENS)]
    for number in range(40, TOKENS, 40):  # Paragraphs, points and emphasis, as models write them.
        words[number] = f"\n\n- **word{number}** " if number % 80 else f"\n\nword{number} "
    return words


def _serve(pipe: Connection, index: Path, store: Path, model: str) -> None:
    import uvicorn

    from ui.web import build_app

    pace = OllamaServer(
        [Model(MODEL, capabilities=("completion",))], answer=_reply, seconds_per_piece=1 / TOKENS_A_SECOND
    )
    with pace, socket.create_server(("127.0.0.1", 0)) as listener:
        assistant = Assistant.from_settings(Settings(index, model=model, ollama_host=pace.url))
        app = build_app(assistant, Conversations.open(store))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
        pipe.send(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        server.run(sockets=[listener])


@contextmanager
def _server(index: Path, store: Path, model: str) -> Iterator[str]:
    """The chat in a process of its own; its address."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, index, store, model))
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


@contextmanager
def _page(browser: Browser, address: str) -> Iterator[Page]:
    """A visitor without anything cached, who has the earlier conversation."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": COOKIE, "value": VISITOR, "url": address}])
    context.add_init_script(_WATCH)
    page = context.new_page()
    page.set_default_timeout(_WAIT)
    page.goto(address)
    _until(page, "bench.ready")
    yield page
    context.close()


def _opened(browser: Browser, address: str) -> tuple[Opening, Opening]:
    """The page opened by a browser that knows nothing of it, and once more."""
    with _page(browser, address) as page:
        cold = _opening(page)
        page.reload()
        _until(page, "bench.ready")
        return cold, _opening(page)


def _opening(page: Page) -> Opening:
    _until(page, "performance.getEntriesByName('first-contentful-paint').length")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return Opening(paint, page.evaluate("bench.ready"))


def _first_characters(browser: Browser, address: str, rounds: int) -> list[float]:
    """Milliseconds from Enter until an answer's first text is drawn; the first question of a page doesn't count."""
    found = []
    for _ in range(rounds):
        with _page(browser, address) as page:
            for question in QUESTIONS:
                found.append(_ask(page, question))
                page.wait_for_selector("#ask .submit-button")
            found[-len(QUESTIONS) :] = found[1 - len(QUESTIONS) :]
    return found


def _until(page: Page, condition: str) -> None:
    page.wait_for_function(f"() => {condition}", polling=200)  # As a function: the page lets nothing be evaluated.


def _ask(page: Page, question: str) -> float:
    page.fill("#ask textarea", question)
    page.keyboard.press("Enter")
    _until(page, "bench.first > 0")
    return float(page.evaluate("bench.first - bench.asked"))


def _stopped(browser: Browser, address: str) -> float:
    """Milliseconds from a click on Stop in the middle of an answer until the page says that it is cut short."""
    with _page(browser, address) as page:
        _ask(page, QUESTIONS[0])
        page.click("#ask .stop-button")
        _until(page, "bench.stopped > 0")
        return float(page.evaluate("bench.stopped - bench.clicked"))


def _streamed(browser: Browser, address: str) -> Streaming:
    """One answer of the scripted model, from its first character to its last word."""
    with _page(browser, address) as page:
        _until(page, f"!location.search || document.querySelectorAll('#chat .badge').length >= {EARLIER}")
        page.wait_for_selector("#ask .submit-button")
        session = page.context.new_cdp_session(page)
        # The thread's own time, which other work on the machine does not lengthen.
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        _ask(page, QUESTIONS[0])
        page.evaluate("bench.long = []")
        before = _busy(session)
        last = f"word{TOKENS - 20}"
        _until(page, f"[...document.querySelectorAll('#chat .answer .text')].at(-1).textContent.includes('{last}')")
        worked = _busy(session) - before
        tasks: list[float] = page.evaluate("bench.long")
    blocking = sum(task - 50 for task in tasks)
    return Streaming(len(tasks), max(tasks, default=0.0), blocking, 1000 * worked / (TOKENS - 20))


def _busy(session: Any) -> float:
    """Seconds for which the page's main thread has worked."""
    found = session.send("Performance.getMetrics")["metrics"]
    return next(float(each["value"]) for each in found if each["name"] == "TaskDuration")


if __name__ == "__main__":
    main()
