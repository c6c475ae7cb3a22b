from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event as Signal

import axe_playwright_python
import pytest
from playwright.sync_api import Page, expect

from rag.records import Answer, Article, DoneEvent, Source, StageEvent, TextEvent
from tests.browser import Visit, ask, ask_next, fits, serving, settle
from tests.fakes import NVIDIA, TRAINING, ScriptedAssistant, citation, model_answer, refusal

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Right to left, with numbers in it.
HEBREW = Article(
    "hebrew",
    "מניות השבבים ירדו",
    "מניית אנבידיה ירדה ב-17% ביום שני, 27 בינואר 2025. המדד ירד ב-3.1%.",
    "עיתון לדוגמה",
    "2025-01-28",
    sources=(Source("עיתון לדוגמה"),),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ScriptedAssistant, str]]:
    """One server for all tests of this module, with its assistant."""
    assistant = ScriptedAssistant((NVIDIA, TRAINING, HEBREW), tmp_path_factory.mktemp("library") / "index")
    with serving(assistant) as address:
        yield assistant, address


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is."""
    settle(page)  # What the page mends of Gradio's own parts it mends with the next frame.
    if page.evaluate("window.axe === undefined"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [
        f"{rule['id']}: {node['html'][:200]} {[each['message'] for each in node['any']][:1]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("phone", [False, True])
def test_axe_finds_nothing(served: tuple[ScriptedAssistant, str], visit: Visit, phone: bool, scheme: str) -> None:
    """WCAG 2.2 AA by machine: empty, streaming, answered, refused, with the reader, the list, the panels, a menu."""
    assistant, address = served
    held = Signal()
    assistant.scripts += [
        [StageEvent("read", "Reading 2 articles"), TextEvent("It fell"), held, *model_answer()],
        refusal(),
    ]
    page = visit(address, phone=phone, scheme=scheme)
    found = {"empty": violations(page)}
    ask(page)
    expect(page.locator("#chat .answer")).to_have_text("It fell")
    found["streaming"] = violations(page)
    held.set()
    expect(page.locator("#chat .badge")).to_have_count(1)
    ask_next(page, "Who won?")
    expect(page.locator("#chat .badge")).to_have_count(2)
    found["answered"] = violations(page)
    page.locator("#chat a.mark").first.click()
    expect(page.locator("#reader mark")).to_be_visible()
    found["reader"] = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Ask again…").first.click()
    expect(page.get_by_role("menuitem").first).to_be_focused()
    found["menu"] = violations(page)
    page.keyboard.press("Escape")
    if phone:
        page.get_by_role("button", name="Menu", exact=True).click()
        found["list"] = violations(page)
    page.get_by_role("button", name="Articles", exact=True).click()
    expect(page.locator("#library .source").first).to_be_visible()
    found["articles"] = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Models", exact=True).click()
    expect(page.locator("#models legend").first).to_be_visible()
    found["models"] = violations(page)
    assert {state: list_ for state, list_ in found.items() if list_} == {}


def test_all_is_done_by_keyboard(served: tuple[ScriptedAssistant, str], visit: Visit) -> None:
    """Ask, open a source, come back, open the list of articles, read one: never a mouse, and the focus is visible."""
    assistant, address = served
    assistant.scripts.append(model_answer())
    page = visit(address)
    page.keyboard.press("Tab")
    page.keyboard.press("/")
    expect(page.locator("#ask textarea")).to_be_focused()
    page.keyboard.type("Why?")
    page.keyboard.press("Enter")
    expect(page.locator("#chat .badge")).to_be_visible()
    page.locator("#chat a.mark").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#reader mark")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#chat a.mark").first).to_be_focused()
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.get_by_role("button", name="Ask again…").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Ask again…")).to_be_focused()
    page.get_by_role("button", name="Articles", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Search the articles")).to_be_focused()
    page.locator("#library .source").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#reader h2")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#library .source").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Articles", exact=True)).to_be_focused()


def test_twice_the_size_and_right_to_left_keep_the_form(served: tuple[ScriptedAssistant, str], visit: Visit) -> None:
    """At 200% nothing is cut off sideways, and an article from right to left is set so, the page around it not."""
    assistant, address = served
    source = citation(1, HEBREW, "מניית אנבידיה ירדה ב-17% ביום שני, 27 בינואר 2025.")
    answer = Answer("", f"{source.quote} [1]", (source,), (source.passage,))
    assistant.scripts.append([TextEvent(answer.text), DoneEvent(answer)])
    page = visit(address)
    page.set_viewport_size({"width": 640, "height": 400})  # What 1280 x 800 has room for at 200%.
    ask(page)
    expect(page.locator("#chat .badge")).to_be_attached()
    assert page.locator("#chat .answer .text").evaluate("text => getComputedStyle(text).direction") == "rtl"
    page.locator("#chat a.mark").click()
    expect(page.locator("#reader mark")).to_have_text(source.quote)
    assert page.locator("#reader article").evaluate("article => getComputedStyle(article).direction") == "rtl"
    assert page.evaluate("getComputedStyle(document.body).direction") == "ltr"
    assert fits(page)


def test_streamed_text_is_announced_politely(served: tuple[ScriptedAssistant, str], visit: Visit) -> None:
    """The conversation is a log that screen readers follow without interrupting."""
    _, address = served
    page = visit(address)
    log = page.locator("#chat [role=log]")
    expect(log).to_have_attribute("aria-live", "polite")
