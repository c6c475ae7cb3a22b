"""The pictures in README: `python -m tests.screenshots` draws them anew into docs/screenshots.

Real articles and quoted answers; what only a model brings (thinking, text as it streams) is scripted.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Event as Signal

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

import corpus
from ingest import sync
from rag import Assistant, Settings
from rag.records import ContextUse, Disagreement, DoneEvent, ReportedValue, Support
from tests.browser import PHONE, WIDE, ask, serving
from tests.fakes import COST, LOSS, ScriptedAssistant, model_answer

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
QUESTION = "How much market value did Nvidia lose on 27 January 2025?"
DISPUTED = Disagreement(
    "Nvidia's loss of market value on 27 January 2025",
    (
        ReportedValue("$589 billion", ("Bloomberg", "CNBC"), ("2025-01-27",), (1,)),
        ReportedValue("$593 billion", ("Reuters",), ("2025-01-28",), (2,)),
    ),
    "The sums are taken from different closing prices.",
)


def main() -> None:
    """Draw all pictures, on a wide screen and a phone, light and dark."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = Settings(Path(folder, "index"), model="quotes")
        sync([corpus.FOLDER], settings)
        real = Assistant.from_settings(settings)
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
        with serving(real) as address:
            for scheme in ("light", "dark"):
                for phone in (False, True):
                    _real(_visit(browser, address, phone, scheme), _names(phone, scheme))
        real.close()
        for scheme in ("light", "dark"):
            for phone in (False, True):
                scripted = ScriptedAssistant(index=Path(folder, "none"))
                with serving(scripted) as address:
                    _scripted(scripted, _visit(browser, address, phone, scheme), _names(phone, scheme))
        browser.close()


def _visit(browser: Browser, address: str, phone: bool, scheme: str) -> Page:
    page = browser.new_context(
        viewport=PHONE if phone else WIDE,
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    ).new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    expect(page.locator("#chat .example").first).to_be_visible(timeout=120_000)
    return page


def _names(phone: bool, scheme: str) -> str:
    return f"{'phone' if phone else 'desktop'}-{scheme}"


def _take(page: Page, name: str) -> None:
    """With 256 colours, which makes a picture half as large and looks the same."""
    page.mouse.move(0, 0)  # Nothing is pointed at.
    picture = Image.open(BytesIO(page.screenshot()))
    picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


def _real(page: Page, kind: str) -> None:
    _take(page, f"{kind}-empty")
    ask(page, QUESTION)
    expect(page.locator("#chat .badge")).to_have_count(1, timeout=120_000)
    page.locator("#chat a.mark").first.click()
    expect(page.locator("#reader mark").first).to_be_visible()
    _take(page, f"{kind}-source")
    page.keyboard.press("Escape")
    expect(page.locator("#ask .submit-button")).to_be_visible()
    ask(page, "Who won the football World Cup in 2022?")
    expect(page.locator("#chat .badge")).to_have_count(2, timeout=120_000)
    _take(page, f"{kind}-refusal")
    page.locator("#to-library").dispatch_event("click")
    expect(page.locator("#library .source").first).to_be_visible()
    _take(page, f"{kind}-library")
    page.keyboard.press("Escape")
    if kind in ("desktop-light", "phone-dark"):
        _timeline(page, kind)
    page.context.close()


def _timeline(page: Page, kind: str) -> None:
    """Events with one chosen, and the figures day by day."""
    page.locator("#to-timeline").dispatch_event("click")
    panel = page.locator("#timeline")
    expect(panel.locator(".picture .point").first).to_be_visible()
    first = panel.locator('.events tr[data-date="2025-01-27"] .said').first.text_content()
    panel.locator(".picture").focus()
    while panel.locator(".card").get_by_text(str(first)).count() == 0:
        page.keyboard.press("ArrowRight")
    _take(page, f"{kind}-timeline")
    panel.get_by_role("button", name="Figures").click()
    expect(panel.locator(".picture[data-kind=week] .point").first).to_be_visible()
    _take(page, f"{kind}-figures")


def _scripted(assistant: ScriptedAssistant, page: Page, kind: str) -> None:
    held = Signal()
    script = model_answer()
    done = script[-1]
    assert isinstance(done, DoneEvent)
    answer = replace(
        done.answer,
        disagreements=(DISPUTED,),
        context=ContextUse(2310, 8192),
        support=Support(4),
        citations=(LOSS, COST),
    )
    assistant.scripts.append([*script[:-4], held, *script[-4:-1], DoneEvent(answer)])
    ask(page, "How much did Nvidia lose, and what set it off?")
    expect(page.locator("#chat .answer .text")).to_be_visible()
    _take(page, f"{kind}-streaming")
    held.set()
    expect(page.locator("#chat .disputed")).to_be_visible()
    page.locator("#chat .disputed").scroll_into_view_if_needed()
    _take(page, f"{kind}-disputed")
    page.context.close()


if __name__ == "__main__":
    main()
