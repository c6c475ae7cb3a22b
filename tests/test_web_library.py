from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event as Signal

import pytest
from playwright.sync_api import expect

from ingest import polite, sync
from rag import Assistant, Settings
from rag.embed import MiniLM
from tests.browser import Held, Visit, ask, serving, settle
from tests.test_web_access import violations
from tests.web_server import Handler, WebServer, html

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

FERRY = "# The ferry\n\nThe ferry of Exampleton ran every twelve minutes in 2024.\n"
BRIDGE = "# The harbour bridge\n\nThe harbour bridge at Exampleton reopened on 3 March 2025 after a long repair.\n"
DROP = """([place, files]) => {
    const held = new DataTransfer();
    for (const [name, text] of files) held.items.add(new File([text], name));
    for (const kind of ["dragenter", "dragover", "drop"]) {
        document.querySelector(place).dispatchEvent(new DragEvent(kind, {dataTransfer: held, bubbles: true}));
    }
}"""


@pytest.fixture
def assistant(tmp_path: Path, embedder: MiniLM) -> Iterator[Assistant]:
    """Answers from one article, to which others are added."""
    (tmp_path / "ferry.md").write_text(FERRY, encoding="utf-8")
    sync([tmp_path / "ferry.md"], Settings(tmp_path / "index"), embedder=embedder)
    with closing(Assistant.from_settings(Settings(tmp_path / "index", model="quotes"))) as opened:
        yield opened


def slow_page() -> tuple[Signal, WebServer]:
    """A server whose one page comes when the signal is set."""
    held = Signal()

    def slow(handler: Handler) -> None:
        held.wait()
        html(title="The lighthouse")(handler)

    return held, WebServer({"/lighthouse": slow})


def test_articles_are_dropped_linked_and_taken_out_while_others_chat(
    tmp_path: Path, assistant: Assistant, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropped files and links are read one after the other, what fails says why, all can be removed, and meanwhile
    another visitor is answered."""
    monkeypatch.setattr(polite, "PAUSE", 0.0)
    held, web = slow_page()
    with web, serving(assistant, tmp_path / "conversations.sqlite", allowed=("127.0.0.0/8",)) as address:
        page = visit(address)
        page.evaluate(DROP, ["#chat", [["bridge.md", BRIDGE], ["broken.pdf", "no PDF"]]])
        added = page.locator("#library .additions")
        expect(added.locator(".done")).to_contain_text("bridge.md 1 added")
        expect(added.locator(".failed")).to_contain_text("broken.pdf not added: ")
        expect(page.locator("#library .source")).to_have_count(2)
        page.get_by_label("Address of a page or feed").fill(f"{web.url}/lighthouse")
        page.get_by_role("button", name="Add link").click()
        expect(added.locator(".reading progress")).to_be_visible()
        other = visit(address)
        ask(other, "How often did the ferry of Exampleton run?")
        expect(other.locator("#chat .answer .text")).to_contain_text("every twelve minutes")
        expect(added.locator(".reading progress")).to_be_visible()
        held.set()
        expect(added.locator(".done").last).to_contain_text("1 added")
        expect(page.locator("#library .source")).to_have_count(3)
        for heading, name in (("1 page from the web", "The lighthouse"), ("1 file added by hand", "bridge.md")):
            page.get_by_text(heading).click()
            page.get_by_role("button", name=f"Remove {name}").click()
            page.get_by_role("button", name="Remove", exact=True).last.click()
            expect(added.locator(".done").last).to_contain_text("1 taken out")
            page.get_by_role("button", name="Clear the list").click()
        expect(page.locator("#library .source")).to_have_count(1)


def test_what_the_panel_is_told_late_hides_nothing_new(tmp_path: Path, assistant: Assistant, visit: Visit) -> None:
    """An addition is shown although the panel was just being told that nothing goes on, its article although the
    panel never saw it being read, and neither goes when an older list of the articles arrives at last."""
    held, web = slow_page()
    with web, serving(assistant, tmp_path / "conversations.sqlite", allowed=("127.0.0.0/8",)) as address:
        page = visit(address)
        looks = Held(page, "**/library/additions", fetched=True)
        articles = Held(page, "**/library?q=", fetched=True)
        page.get_by_role("button", name="Articles").click()
        looks.wait()
        articles.wait()
        page.get_by_label("Address of a page or feed").fill(f"{web.url}/lighthouse")
        with page.expect_response("**/library/links"):
            page.get_by_role("button", name="Add link").click()
        later = Held(page, "**/library/additions")
        looks.let_go()
        later.wait()
        held.set()
        while page.request.get(f"{address}library/additions").headers["x-busy"] == "1":
            settle(page)
        later.let_go()
        expect(page.locator("#library .additions .done")).to_contain_text("1 added")
        expect(page.locator("#library .source")).to_have_count(2)
        articles.let_go()
        settle(page)
        expect(page.locator("#library .source")).to_have_count(2)


def test_axe_finds_nothing_in_a_library_in_use(tmp_path: Path, assistant: Assistant, visit: Visit) -> None:
    """WCAG 2.2 AA by machine, in all four views: what is being read, was added and failed, and what can be removed."""
    found = {}
    held, web = slow_page()
    with web, serving(assistant, tmp_path / "conversations.sqlite", allowed=("127.0.0.0/8",)) as address:
        for scheme, phone in itertools.product(("light", "dark"), (False, True)):
            page = visit(address, phone=phone, scheme=scheme)
            if (scheme, phone) == ("light", False):
                page.evaluate(DROP, ["#chat", [["bridge.md", BRIDGE], ["broken.pdf", "no PDF"]]])
                expect(page.locator("#library .additions .failed")).to_be_visible()
                page.get_by_label("Address of a page or feed").fill(f"{web.url}/lighthouse")
                page.get_by_role("button", name="Add link").click()
            else:
                page.locator("#to-library").dispatch_event("click")
            expect(page.locator("#library .additions .reading progress")).to_be_visible()
            page.get_by_text("1 file added by hand").click()
            expect(page.get_by_role("button", name="Remove bridge.md")).to_be_visible()
            found[scheme, phone, "in use"] = violations(page)
            page.get_by_role("button", name="Remove bridge.md").click()
            expect(page.get_by_role("button", name="Remove", exact=True).last).to_be_visible()
            found[scheme, phone, "asked"] = violations(page)
            page.keyboard.press("Escape")
            page.get_by_label("Search the articles").fill("nothing holds this")
            expect(page.locator("#library .none")).to_be_visible()
            found[scheme, phone, "nothing found"] = violations(page)
        held.set()
    assert {state: list_ for state, list_ in found.items() if list_} == {}
