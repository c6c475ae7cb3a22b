from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Page, expect

from rag.errors import ModelServerError
from rag.records import (
    Answer,
    Article,
    Citation,
    Disagreement,
    DoneEvent,
    Event,
    Facet,
    FacetsEvent,
    ReasoningEvent,
    ReportedValue,
    Source,
    StageEvent,
    TextEvent,
)
from tests.browser import Visit, ask, ask_next, fits, serving
from tests.fakes import ScriptedAssistant, citation
from ui.library import Addition
from ui.panels import additions

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

BLOCKS = re.findall(r"^== (.+)\n((?:(?!^== ).*\n?)*)", Path(__file__).with_name("vectors.txt").read_text("utf-8"), re.M)
AT_ONCE = 8
"""So many in one conversation: the more stand in it, the longer each takes."""
DEEP = {
    "long word": "long" * 50_000,
    "deep quotes": ">" * 3000 + " x",
    "deep lists": "".join(f"{'  ' * depth}- x\n" for depth in range(300)),
    "deep tags": "<div>" * 20_000,
    "deep brackets": "[" * 20_000 + "]" * 20_000,
    "deep emphasis": "*a **b " * 5000,
    "wide table": "|a" * 2000 + "|\n" + "|-" * 2000 + "|\n" + "|x" * 2000 + "|",
}


class Beacon:
    """An address that notes whoever asks it for anything."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[bytes] = []
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                said = connection.recv(1000)
                if said == b"end":
                    return
                self.asked.append(said)

    def close(self) -> None:
        """End it."""
        with socket.create_connection(self._listener.getsockname()) as last:
            last.sendall(b"end")
        self._thread.join()
        self._listener.close()


@pytest.fixture(scope="module")
def beacon() -> Iterator[Beacon]:
    """What the vectors try to reach."""
    made = Beacon()
    yield made
    made.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ScriptedAssistant, str]]:
    """One server for all tests of this module, with its assistant."""
    assistant = ScriptedAssistant(index=tmp_path_factory.mktemp("library") / "index")
    with serving(assistant) as address:
        yield assistant, address


def everywhere(hostile: str, number: int) -> tuple[Article, Citation, list[Event]]:
    """The text as article, title, outlet, quote, stage, thinking, answer, chip, differing report, note."""
    article = Article(f"hostile{number}", hostile, hostile, hostile, hostile, "", (Source(hostile, hostile, hostile),))
    source = citation(1, article, hostile)
    disputed = Disagreement(hostile, (ReportedValue(hostile, (hostile,), (hostile,), (1,)),), hostile)
    answer = Answer(
        "",
        f"{hostile} [1]",
        (source,),
        (source.passage,),
        model=f"ollama/{hostile}",
        notes=(hostile,),
        facets=(Facet("outlet", hostile),),
        standalone_question=f"{hostile}!",
        disagreements=(disputed,),
        reasoning=hostile,
    )
    events: list[Event] = [StageEvent("read", hostile), FacetsEvent(answer.facets), ReasoningEvent(hostile)]
    return article, source, [*events, TextEvent(hostile), DoneEvent(answer)]


def unharmed(page: Page, beacon: Beacon, address: str) -> None:
    """Nothing ran, nothing was fetched, the page is where it was and answers."""
    assert page.evaluate("window.ran === undefined")
    assert beacon.asked == []
    assert page.url.startswith(address)
    assert page.evaluate("document.querySelectorAll('#reader').length") == 1
    brought = "img, script, iframe, form, input, object, embed, video, audio, math, [style*=url], [onerror], [onload]"
    places = "#chat .message, #reader .page, #side nav, #library .shelf, #library .progress"
    assert page.locator(f":is({places}) :is({brought})").count() == 0
    assert fits(page)


def test_hostile_text_does_nothing_wherever_it_stands(
    served: tuple[ScriptedAssistant, str], beacon: Beacon, visit: Visit
) -> None:
    """Every vector, through answer, question, title, quote, article, stage, thinking, chip, report, note and error."""
    assistant, address = served
    page = visit(address)
    assert len(BLOCKS) > 25
    conversations = []
    numbered = list(enumerate(BLOCKS, 1))
    for part in [numbered[begin : begin + AT_ONCE] for begin in range(0, len(numbered), AT_ONCE)]:
        page.get_by_role("button", name="New chat").click()
        expect(page.locator("#chat .question")).to_have_count(0)
        for nth, (number, (name, block)) in enumerate(part, 1):
            hostile = block.strip().replace("BEACON", beacon.address)
            article, _, events = everywhere(hostile, number)
            assistant.add(article)
            assistant.scripts.append(events)
            ask_next(page, f"{number} {hostile}")
            expect(page.locator("#chat .badge"), name).to_have_count(nth)
            if number in (1, len(BLOCKS)):
                page.locator("#chat .thought-group .title").last.click()
                page.locator("#chat a.source").last.click()
                expect(page.locator("#reader .text")).to_be_visible()
                page.keyboard.press("Escape")
        unharmed(page, beacon, address)
        conversations.append((page.url, len(part)))
    assistant.scripts.append([ModelServerError(" ".join(block for _, block in BLOCKS))])
    ask_next(page, "And an error?")
    expect(page.locator("#chat .failure")).to_be_attached()
    unharmed(page, beacon, address)
    for link, count in conversations:
        page.goto(link)
        expect(page.locator("#chat .badge")).to_have_count(count)
        unharmed(page, beacon, address)
    page.get_by_role("button", name="Articles", exact=True).click()
    expect(page.locator("#library .source")).to_have_count(len(BLOCKS) + 2)
    page.locator("#library .source").first.click()
    expect(page.locator("#reader .text")).to_be_visible()
    unharmed(page, beacon, address)


def test_hostile_names_of_files_and_pages_stay_names(
    served: tuple[ScriptedAssistant, str], beacon: Beacon, visit: Visit
) -> None:
    """Every vector as the name of a file and of a page from the web, and as the reason why it was not added."""
    _, address = served
    names = [block.strip().replace("BEACON", beacon.address) for _, block in BLOCKS]
    added = [Addition(name, name, "failed", message=name) for name in names]
    html = additions(added, names, dict(zip(names, names, strict=True)))
    page = visit(address)
    page.route("**/library/additions", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.get_by_role("button", name="Articles", exact=True).click()
    expect(page.locator("#library .additions .name")).to_have_count(len(names))
    for kind in page.locator("#library .added summary").all():
        kind.click()
    expect(page.locator("#library .remove-link").last).to_be_visible()
    assert page.locator("#library .remove-file").evaluate_all("all => all.map((each) => each.value)") == names
    unharmed(page, beacon, address)


@pytest.mark.parametrize("name", DEEP)
def test_long_and_deep_text_does_not_freeze_the_page(
    served: tuple[ScriptedAssistant, str], visit: Visit, name: str
) -> None:
    """The page answers a click afterwards."""
    assistant, address = served
    answer = Answer("", DEEP[name])
    assistant.scripts += [[TextEvent(answer.text), DoneEvent(answer)]]
    page = visit(address)
    ask(page)
    expect(page.locator("#chat .badge")).to_have_count(1)
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#chat .question")).to_have_count(0)


def test_a_hostile_file_name_stays_a_name(served: tuple[ScriptedAssistant, str], beacon: Beacon, visit: Visit) -> None:
    """Whether it is refused or kept, it is shown as text."""
    _, address = served
    page = visit(address)
    page.get_by_role("button", name="Articles", exact=True).click()
    name = '<img src=x onerror="window.ran=1">'
    page.set_input_files("#files", {"name": f"{name}.exe", "mimeType": "text/plain", "buffer": b"x"})
    expect(page.locator("#notices")).to_contain_text("can't be read")
    page.set_input_files("#files", {"name": f"{name}.pdf", "mimeType": "text/plain", "buffer": b"x"})
    expect(page.locator("#library .additions .name")).to_contain_text("img src=x onerror=")
    unharmed(page, beacon, address)
