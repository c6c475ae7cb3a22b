"""The timeline on the page, in Chromium: pictures, their tables, the reader beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from rag.records import Citation, DailyChange, TimelineEntry
from tests.browser import Visit, fits, serving, settle
from tests.fakes import COST, LOSS, NVIDIA, TRAINING, ScriptedAssistant, citation, quoted_answer
from tests.test_web_access import violations
from ui.timeline_reading import Readings

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

HOSTILE = "<img src=x onerror=alert(1)> was banned by a <b>ministry</b> on 3 February 2025."
NASDAQ = citation(1, NVIDIA, "The Nasdaq Composite fell 3.1%.")
FALL = citation(2, NVIDIA, "On Monday they fell 17% to $118.42.")
EVENTS = [
    TimelineEntry("2025-01-27", "Nvidia shares lost $589 billion on 27 January 2025.", (LOSS, FALL)),
    TimelineEntry("2025-01-27", "The Nasdaq index fell on 27 January 2025.", (NASDAQ,)),
    TimelineEntry("2025-01-29", "DeepSeek published what training its model cost on 29 January 2025.", (COST,)),
    TimelineEntry("2025-02-03", HOSTILE, (COST,)),
]


def change(
    subject: str, day: int, percent: float, cited: Citation, written: str = "", close: bool = True
) -> DailyChange:
    value = written or f"{abs(percent):g}%"
    return DailyChange(subject, f"2025-01-{day}", percent, value, close, "", ("Reuters",), (cited,))


CHANGES = [
    change("Nasdaq Composite", 27, -3.1, NASDAQ),
    change("Nasdaq Composite", 28, 2.0, NASDAQ, "about 2%"),
    change("Nvidia", 27, -17.0, FALL),
    change("Nvidia", 27, -16.2, LOSS),
    change("Nvidia", 27, -12.0, LOSS, "more than 12%", close=False),
    change("Nvidia", 28, 8.9, LOSS),
]


TYPE_FAST = """(word) => {
    window.drawn = 0;
    new MutationObserver((changes) => {
        const added = changes.flatMap((change) => [...change.addedNodes]);
        window.drawn += added.filter((node) => node.matches(".plot-container")).length;
    }).observe(document.querySelector("#timeline .picture"), { childList: true });
    const box = document.querySelector("#timeline input[type=search]");
    for (const letter of word) {
        box.value += letter;
        box.dispatchEvent(new Event("input", { bubbles: true }));
    }
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ScriptedAssistant, str]]:
    """One server for all tests of this module, with its assistant."""
    assistant = ScriptedAssistant((NVIDIA, TRAINING), tmp_path_factory.mktemp("timeline") / "index")
    assistant.events, assistant.changes = EVENTS, CHANGES
    with serving(assistant) as address:
        yield assistant, address


def opened(page: Page) -> Locator:
    """The panel, its first picture drawn."""
    page.locator("#to-timeline").dispatch_event("click")
    expect(page.locator("#timeline .picture .point").first).to_be_visible()
    return page.locator("#timeline")


def click_point(page: Page, point: Locator, said: str) -> None:
    """Where Plotly draws it (what it listens to lies over its points), until the card begins with what is `said`.

    Closing the reader makes the picture wider; a click while it is drawn anew is lost, and one clicks once more.
    """
    card = page.locator("#timeline .card .about").first
    for patience in (2_000, 4_000, 8_000, 60_000):
        page.wait_for_function(
            "[...document.querySelectorAll('#timeline .picture')].every(({ _fullLayout: drawn, clientWidth }) =>"
            " drawn?.width === clientWidth) && !document.querySelector('#reader[open]')"
        )
        while not (box := point.bounding_box()):  # It is being drawn anew.
            expect(point).to_be_visible()
        page.mouse.move(box["x"] + box["width"] / 2 - 3, box["y"] + box["height"] / 2)
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.up()
        try:
            expect(card).to_have_text(said, timeout=patience)
        except AssertionError:
            if patience == 60_000:
                raise
        else:
            return


def test_an_event_is_read_at_its_sentence_and_asked_about(served: tuple[ScriptedAssistant, str], visit: Visit) -> None:
    """A click on the picture opens the reader beside it, and the card asks; the library is loaded only for that."""
    assistant, address = served
    assistant.scripts.append(quoted_answer())
    page = visit(address)
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    assert page.evaluate("typeof window.Plotly") == "undefined"
    panel = opened(page)
    assert any("/charts/" in url for url in asked_for)
    expect(panel.locator(".picture .point")).to_have_count(4)
    expect(panel.locator(".picture .ytick")).to_have_text(["Markets", "Models", "Policy"])
    click_point(page, panel.locator(".picture .point").first, "27 January 2025 · Markets")
    expect(page.locator("#reader mark")).to_have_text(LOSS.quote)
    page.get_by_role("button", name="Next source").click()
    expect(page.locator("#reader mark")).to_have_text(FALL.quote)
    page.keyboard.press("Escape")
    expect(page.locator("#reader")).to_be_hidden()
    expect(panel).to_be_visible()
    expect(panel.locator(".card a.source").first).to_be_focused()
    panel.locator(".card").get_by_role("button", name="Ask about this").click()
    expect(page.locator("#chat .badge")).to_be_visible()
    assert assistant.asked[-1][0] == f"Tell me more about this: {EVENTS[0].text}"


def test_arrow_keys_go_through_the_picture(served: tuple[ScriptedAssistant, str], visit: Visit) -> None:
    """By keyboard alone: each event in turn, its sentence announced, read with Enter, the picture zoomed."""
    page = visit(served[1])
    page.get_by_role("button", name="Timeline").focus()
    page.keyboard.press("Enter")
    panel = page.locator("#timeline")
    expect(panel.locator(".picture .point").first).to_be_visible()
    expect(panel.get_by_role("button", name="Events")).to_be_focused()
    picture = panel.locator(".picture")
    while not picture.evaluate("picture => picture === document.activeElement"):
        page.keyboard.press("Tab")
        focused = "getComputedStyle(document.activeElement)"
        visible = page.evaluate(f"{focused}.outlineStyle != 'none' || {focused}.boxShadow != 'none'")
        assert visible, page.evaluate("document.activeElement.outerHTML")
    expect(panel.locator(".card")).to_have_attribute("aria-live", "polite")
    for event in EVENTS:
        page.keyboard.press("ArrowRight")
        expect(panel.locator(".card .said")).to_have_text(event.text)  # Text, although it looks like HTML.
    page.keyboard.press("Home")
    expect(panel.locator(".card .said")).to_have_text(EVENTS[0].text)
    page.keyboard.press("Enter")
    expect(page.locator("#reader mark")).to_be_focused()
    page.keyboard.press("Escape")
    ranges = "document.querySelector('#timeline .picture').layout.xaxis.range.map(day => Date.parse(day))"
    panel.locator(".picture").focus()
    before = page.evaluate(ranges)
    page.keyboard.press("+")
    page.wait_for_function(f"{ranges}[0] > {before[0]} && {ranges}[1] < {before[1]}")
    page.keyboard.press("0")
    page.wait_for_function(f"{ranges}[0] < {before[0]} + 864e5")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_role("button", name="Timeline")).to_be_focused()


def test_picture_and_table_show_what_the_filters_leave(served: tuple[ScriptedAssistant, str], visit: Visit) -> None:
    """Period, words and topics narrow both; the table has a caption and headers, and its links are the sources."""
    page = visit(served[1])
    panel = opened(page)
    points, rows = panel.locator(".picture .point"), panel.locator(".tables .events tbody tr:visible")
    panel.get_by_label("From").fill("2025-01-28")
    expect(points).to_have_count(2)
    page.evaluate(TYPE_FAST, "ministry")
    expect(points).to_have_count(1)
    assert page.evaluate("window.drawn") == 1  # Over thousands of events one picture for each letter would take long.
    expect(panel.locator(".count")).to_have_text("1 of 4 events")
    panel.get_by_label("From").fill("")
    panel.get_by_label("Filter by words").fill("")
    panel.get_by_label("Markets").uncheck()
    expect(points).to_have_count(2)
    panel.get_by_role("button", name="Table").click()
    table = page.get_by_role("table", name="What happened, day by day")
    expect(rows).to_have_count(2)
    assert table.get_by_role("columnheader").all_inner_texts() == ["Day", "Topic", "Event", "Told by"]
    expect(table.get_by_role("rowheader").first).to_have_text("29 January 2025")
    rows.first.locator("a.source").click()
    expect(page.locator("#reader mark")).to_have_text(COST.quote)


def test_figures_are_drawn_with_every_value_that_is_told(served: tuple[ScriptedAssistant, str], visit: Visit) -> None:
    """Day by day and for one day: bars at the close, marks for what others say and for the hours before."""
    page = visit(served[1])
    panel = opened(page)
    panel.get_by_role("button", name="Figures").click()
    week = panel.locator(".picture[data-kind=week]")
    expect(week.locator(".bars .point")).to_have_count(4)
    expect(week.locator(".scatterlayer .point")).to_have_count(2)
    expect(week.locator(".xtick")).to_have_text(["Mon 27 Jan", "Tue 28 Jan"])
    panel.get_by_label("Nasdaq Composite").uncheck()
    expect(week.locator(".bars .point")).to_have_count(2)
    # It is drawn anew when it gets dark, but not, and under nobody's mouse, when an answer ends or a file is dragged.
    page.evaluate("document.querySelector('#timeline .picture').firstElementChild.dataset.drawn = 'before'")
    page.evaluate("document.body.classList.toggle('dropping')")
    settle(page)
    expect(week.locator("> [data-drawn]")).to_have_count(1)
    page.evaluate("document.body.classList.add('dark')")
    expect(week.locator("> [data-drawn]")).to_have_count(0)
    panel.get_by_role("combobox", name="Show").select_option("2025-01-27")
    day = panel.locator(".picture[data-kind=day]")
    expect(day.locator(".bars .point")).to_have_count(2)
    expect(day.locator(".scatterlayer .point")).to_have_count(2)
    expect(day.locator(".ytick")).to_have_text(["Nasdaq Composite", "Nvidia"])
    for nth, (said, quote) in enumerate({"Nasdaq Composite −3.1%": NASDAQ.quote, "Nvidia −17%": FALL.quote}.items()):
        click_point(page, day.locator(".bars .point path").nth(nth), f"27 January 2025 · {said}")
        expect(page.locator("#reader mark")).to_have_text(quote)
        page.keyboard.press("Escape")
    panel.locator(".picture").press("Home")
    panel.locator(".picture").press("ArrowDown")
    expect(panel.locator(".card .about").first).to_have_text("27 January 2025 · Nvidia −16.2%")
    panel.locator(".picture").press("Home")
    panel.locator(".picture").press("Enter")
    expect(page.locator("#reader mark")).to_have_text(FALL.quote)
    page.keyboard.press("Escape")
    panel.get_by_role("button", name="Table").click()
    nvidia = panel.locator('.changes tr[data-subject="Nvidia"]')
    assert [row.split("\t")[2].split("\n")[0].strip() for row in nvidia.all_inner_texts()][:2] == ["−17%", "−16.2%"]
    expect(nvidia.locator(".differs")).to_have_count(2)


def test_a_long_reading_says_how_far_it_is(
    served: tuple[ScriptedAssistant, str], visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many articles: the panel tells the share that is read, and shows the picture when it is; that is kept."""
    assistant, address = served
    monkeypatch.setattr(assistant, "events", EVENTS[:3])  # Another state of the articles.
    assistant.reading.clear()
    page = visit(address)
    page.locator("#to-timeline").dispatch_event("click")
    expect(page.locator("#timeline .count")).to_have_text("Reading the articles: 30%")
    assistant.reading.set()
    expect(page.locator("#timeline .picture .point")).to_have_count(3)
    expect(page.locator("#timeline .count")).to_have_text("3 events")
    readings = Readings()
    kept = readings.now(assistant)
    assert readings.now(assistant) is kept
    monkeypatch.setattr(assistant, "events", EVENTS[:2])
    assert readings.now(assistant) is not kept


def test_arrow_keys_begin_with_what_is_in_sight(served: tuple[ScriptedAssistant, str], visit: Visit) -> None:
    """Not with what happened years before."""
    page = visit(served[1])
    panel = opened(page)
    before = page.evaluate("document.querySelector('#timeline .picture').layout.xaxis.range[1]")
    panel.get_by_role("button", name="Zoom in").click()
    page.wait_for_function(
        f"document.querySelector('#timeline .picture').layout.xaxis.range[1] !== {json.dumps(before)}"
    )
    panel.locator(".picture").press("ArrowRight")
    expect(panel.locator(".card .said")).to_have_text(EVENTS[2].text)
    panel.locator(".picture").press("Home")
    expect(panel.locator(".card .said")).to_have_text(EVENTS[0].text)


def test_an_index_without_dates_or_figures_says_so(
    served: tuple[ScriptedAssistant, str], visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In place of an empty picture stands one sentence."""
    assistant, address = served
    monkeypatch.setattr(assistant, "events", [])
    monkeypatch.setattr(assistant, "changes", [])
    page = visit(address)
    page.locator("#to-timeline").dispatch_event("click")
    panel = page.locator("#timeline")
    expect(panel.locator(".events .none")).to_contain_text("says on which day something happened")
    expect(panel.locator(".picture")).to_be_hidden()
    panel.get_by_role("button", name="Figures").click()
    expect(panel.locator(".changes .none")).to_be_visible()
    expect(panel.locator(".changes .none")).to_contain_text("how far a price or an index moved")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("phone", [False, True])
def test_axe_finds_nothing_in_the_timeline(
    served: tuple[ScriptedAssistant, str], visit: Visit, phone: bool, scheme: str
) -> None:
    """WCAG 2.2 AA by machine: pictures, the card, both tables, the reader in the panel; and nothing is cut off."""
    page = visit(served[1], phone=phone, scheme=scheme)
    panel = opened(page)
    panel.locator(".picture").press("ArrowRight")
    expect(panel.locator(".card .said")).to_be_visible()
    found = {"events": violations(page)}
    panel.locator(".picture").press("Enter")
    expect(page.locator("#reader mark")).to_be_visible()
    found["reader"] = violations(page)
    page.keyboard.press("Escape")
    panel.get_by_role("button", name="Table").click()
    found["table"] = violations(page)
    panel.get_by_role("button", name="Figures").click()
    expect(panel.locator(".changes table")).to_be_visible()
    found["figures table"] = violations(page)
    panel.get_by_role("button", name="Picture").click()
    expect(panel.locator(".picture[data-kind=week] .point").first).to_be_visible()
    found["figures"] = violations(page)
    panel.get_by_role("combobox", name="Show").select_option("2025-01-27")
    expect(panel.locator(".picture[data-kind=day] .point").first).to_be_visible()
    found["one day"] = violations(page)
    assert {state: list_ for state, list_ in found.items() if list_} == {}
    assert fits(page)
