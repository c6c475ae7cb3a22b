from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event as Signal

import httpx
import pytest
from playwright.sync_api import Page, expect

from rag.errors import ModelServerError
from rag.records import (
    UNSUPPORTED,
    Answer,
    ContextUse,
    Disagreement,
    DoneEvent,
    Event,
    Facet,
    FacetsEvent,
    ReportedValue,
    Support,
    TextEvent,
)
from tests.browser import Held, Visit, ask, ask_next, serving, settle
from tests.fakes import COST, LOSS, TRAINING, ScriptedAssistant, quoted_answer
from tests.ollama_server import Model, OllamaServer
from ui import places

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

log = logging.getLogger(__name__)

DAY = Facet("date", "27 January 2025")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ScriptedAssistant, str]]:
    """One server for all tests of this module, with its assistant."""
    with OllamaServer([Model("deepseek-r1:8b")]) as models:
        assistant = ScriptedAssistant(index=tmp_path_factory.mktemp("library") / "index")
        assistant.settings = replace(assistant.settings, ollama_host=models.url)
        with serving(assistant) as address:
            yield assistant, address


@pytest.fixture
def scripted(served: tuple[ScriptedAssistant, str]) -> ScriptedAssistant:
    """The server's assistant, as new."""
    for list_ in (served[0].scripts, served[0].asked, served[0].ignored, served[0].settled):
        list_.clear()
    return served[0]


@pytest.fixture
def address(served: tuple[ScriptedAssistant, str]) -> str:
    """Where the page is."""
    return served[1]


def told(text: str, **more: object) -> list[Event]:
    """A script that is one answer."""
    answer = replace(Answer("", text, (LOSS,), (LOSS.passage, COST.passage)), **more)  # type: ignore[arg-type]
    return [FacetsEvent(answer.facets), TextEvent(text), DoneEvent(answer)]


def badges(page: Page, count: int) -> None:
    """Wait until there are so many answers, and the next question can be asked."""
    expect(page.locator("#chat .badge")).to_have_count(count)
    expect(page.locator("#ask .submit-button")).to_be_visible()


def test_a_chip_is_removed_and_the_question_asked_without_it(
    scripted: ScriptedAssistant, address: str, visit: Visit
) -> None:
    """What the search made of the question is the visitor's to take back, one thing after the other."""
    rewritten = "What did Liang say on 27 January 2025?"
    scripted.scripts += [
        told("First [1].", facets=(DAY, Facet("outlet", "Reuters")), standalone_question=rewritten),
        told("Second [1].", facets=(DAY,), standalone_question=rewritten),
        told("Third [1].", standalone_question=rewritten),
    ]
    page = visit(address)
    ask(page, "What did he say?")
    badges(page, 1)
    expect(page.locator("#chat .chips li").first).to_contain_text(f"Searched for “{rewritten}”")
    page.get_by_role("button", name="Search without Reuters").click()
    expect(page.locator("#chat .answer .text")).to_have_text("Second1.")
    badges(page, 1)
    page.get_by_role("button", name="Search without 27 January 2025").click()
    expect(page.locator("#chat .answer .text")).to_have_text("Third1.")
    assert scripted.ignored == [[], ["outlet:Reuters"], ["outlet:Reuters", DAY.key]]
    expect(page.locator("#chat .question")).to_have_count(1)


def test_a_rewritten_question_can_be_asked_as_it_was(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """Taken off, the question is searched for without what was said before."""
    scripted.scripts += [
        told("First [1]."),
        told("Second [1].", standalone_question="Quite another question?"),
        told("Third [1]."),
    ]
    page = visit(address)
    ask(page, "One?")
    badges(page, 1)
    ask_next(page, "Two?")
    badges(page, 2)
    page.get_by_role("button", name="Search as asked").click()
    expect(page.locator("#chat .answer .text").last).to_have_text("Third1.")
    assert scripted.asked[1:] == [("Two?", [("One?", "First [1].")]), ("Two?", [])]


def test_a_question_is_edited_and_what_followed_goes(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """The box takes the question; sent, it replaces it and all after it; Escape gives it up."""
    scripted.scripts += [quoted_answer() for _ in range(3)]
    page = visit(address)
    ask(page, "One?")
    badges(page, 1)
    ask_next(page, "Two?")
    badges(page, 2)
    page.get_by_role("button", name="Edit", exact=True).first.click()
    expect(page.locator("#ask textarea")).to_have_value("One?")
    page.keyboard.press("Escape")
    expect(page.locator("#ask textarea")).to_have_value("")
    page.get_by_role("button", name="Edit", exact=True).first.click()
    page.fill("#ask textarea", "One, but better?")
    page.keyboard.press("Enter")
    expect(page.locator("#chat .question")).to_have_text(["One, but better?"])
    badges(page, 1)
    assert scripted.asked[-1] == ("One, but better?", [])
    page.reload()
    expect(page.locator("#chat .question")).to_have_text(["One, but better?"])


def test_an_edit_ends_where_one_goes_to_another_conversation(
    scripted: ScriptedAssistant, address: str, visit: Visit
) -> None:
    """By the browser's way back, too: the question of that number there is another one, and must not be replaced."""
    scripted.scripts += [quoted_answer(), quoted_answer(), quoted_answer()]
    page = visit(address)
    ask(page, "Here?")
    badges(page, 1)
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#chat .question")).to_have_count(0)
    ask_next(page, "There?")
    badges(page, 1)
    page.get_by_role("button", name="Edit", exact=True).click()
    expect(page.locator("#ask textarea")).to_have_value("There?")
    page.go_back()
    page.go_back()
    expect(page.locator("#chat .question")).to_have_text(["Here?"])
    expect(page.locator("#editing")).to_have_count(0)
    expect(page.locator("#ask textarea")).to_have_value("")
    ask_next(page, "And then?")
    expect(page.locator("#chat .question")).to_have_text(["Here?", "And then?"])


def test_enter_asks_once_and_what_is_typed_then_stays(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """However long the server takes to hear of it: a second Enter asks nothing twice, the next question is not lost."""
    scripted.scripts += [quoted_answer(), quoted_answer()]
    page = visit(address)
    held = Held(page, "**/queue/join**")
    ask(page, "One?")
    page.keyboard.press("Enter")
    page.keyboard.type("Two?")
    held.let_go()
    badges(page, 1)
    expect(page.locator("#ask textarea")).to_have_value("Two?")
    page.keyboard.press("Enter")
    badges(page, 2)
    assert [question for question, _ in scripted.asked] == ["One?", "Two?"]


def test_a_question_that_nobody_heard_is_given_back(address: str, visit: Visit) -> None:
    """Where the server is gone the page says so, and what was typed is not lost."""
    page = visit(address)
    page.context.set_offline(True)
    ask(page, "Still there?")
    expect(page.locator("#notices")).to_contain_text("The page has lost Aftershock")
    expect(page.locator("#ask textarea")).to_have_value("Still there?")
    page.context.set_offline(False)


def test_an_answer_is_made_again_in_quotes_or_by_another_model(
    scripted: ScriptedAssistant, address: str, visit: Visit
) -> None:
    """The menu offers the models that there are; the new answer takes the place of the old one."""
    scripted.scripts += [
        quoted_answer(),
        told("Once more [1]."),
        told("By a model [1].", model="ollama/deepseek-r1:8b"),
    ]
    page = visit(address)
    ask(page, "Why?")
    badges(page, 1)
    page.get_by_role("button", name="Ask again…").click()
    page.get_by_role("menuitem", name="In the articles’ own words").click()
    expect(page.locator("#chat .answer .text")).to_have_text("Once more1.")
    badges(page, 1)
    late = Held(page, "**/models/names")
    page.get_by_role("button", name="Ask again…").click()
    expect(page.get_by_role("menuitem")).to_have_count(2)  # The models are added when they are known.
    page.keyboard.press("Escape")
    late.let_go()
    settle(page)
    expect(page.get_by_role("menu")).to_have_count(0)
    page.get_by_role("button", name="Ask again…").click()
    page.get_by_role("menuitem", name="With deepseek-r1:8b").click()
    expect(page.locator("#chat .badge")).to_contain_text("Written by deepseek-r1:8b")
    assert [settings.model for settings in scripted.settled] == ["auto", "quotes", "ollama:deepseek-r1:8b"]
    expect(page.locator("#chat .question")).to_have_count(1)


def test_a_new_question_is_in_sight(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """However long the answers before it, it stands at the top when it is asked and when the page is opened again."""
    long = Answer("", "\n\n".join(f"Line {number}." for number in range(60)))
    scripted.scripts += [[TextEvent(long.text), DoneEvent(long)], quoted_answer()]
    page = visit(address)
    ask(page, "First?")
    badges(page, 1)
    ask_next(page, "Second?")
    badges(page, 2)
    expect(page.locator("#chat .question").last).to_be_in_viewport(ratio=1)
    expect(page.locator("#chat .answer").last).to_be_in_viewport()
    page.reload()
    expect(page.locator("#chat .question").last).to_be_in_viewport(ratio=1)


def test_what_to_ask_next_is_asked_with_a_click(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """An article that was found and not told becomes a question."""
    scripted.scripts += [quoted_answer(), quoted_answer()]
    page = visit(address)
    ask(page, "How much did Nvidia lose?")
    badges(page, 1)
    suggested = f"Tell me w{TRAINING.title[1:]}."
    page.get_by_role("button", name=suggested).click()
    expect(page.locator("#chat .question")).to_have_text(["How much did Nvidia lose?", suggested])
    badges(page, 2)
    assert scripted.asked[-1] == (suggested, [])


def test_a_failure_offers_a_way_out(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """Under the sentence stand a button that tries again and one that answers without a model."""
    sentence = "The model server went away; start it again."
    scripted.scripts += [[ModelServerError(sentence)], [ModelServerError(sentence)], quoted_answer()]
    page = visit(address)
    ask(page, "Why?")
    expect(page.locator("#chat .failure")).to_have_text(sentence)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#chat .failure")).to_have_text(sentence)
    expect(page.locator("#ask .submit-button")).to_be_visible()
    page.reload()
    expect(page.locator("#chat .failure")).to_have_text(sentence)
    page.get_by_role("button", name="Answer in the articles’ own words").click()
    badges(page, 1)
    assert [settings.model for settings in scripted.settled] == ["auto", "auto", "quotes"]
    expect(page.locator("#chat .failure")).to_have_count(0)


def test_what_is_doubtful_is_shown(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """Unsupported sentences are marked, differing reports stand side by side and open, the badge has the facts."""
    values = (
        ReportedValue("$589 billion", ("Bloomberg",), ("2025-01-27",), (1,)),
        ReportedValue("$593 billion", ("The Ledger",), ("2025-01-29",), (2,)),
    )
    scripted.scripts.append(
        told(
            f"It lost $589 billion [1]. All was well {UNSUPPORTED}.",
            citations=(LOSS, COST),
            model="ollama/m:1b",
            disagreements=(Disagreement("the loss of Nvidia", values, "They count from different prices."),),
            support=Support(2, ("All was well.",)),
            context=ContextUse(2310, 8192),
        )
    )
    page = visit(address)
    ask(page)
    badges(page, 1)
    expect(page.locator("#chat .unsupported")).to_be_visible()
    card = page.locator("#chat .disputed")
    expect(card).to_contain_text("Reports differ: the loss of Nvidia")
    expect(card.locator("li")).to_contain_text(["$589 billion Bloomberg · 27", "$593 billion The Ledger · 29"])
    expect(page.locator("#chat .badge")).to_contain_text(
        "Written by m:1b · 2 articles read · 1 of 2 sentences borne out · 2,310 of 8,192 tokens of context"
    )
    card.locator("a.mark").nth(1).click()
    expect(page.locator("#reader mark")).to_have_text(COST.quote)


def test_a_full_queue_says_so(tmp_path: Path, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes when too many wait gets a sentence and a button, and is answered once there is room; so do programs."""
    monkeypatch.setattr(places, "ANSWERS_AT_ONCE", 1)
    monkeypatch.setattr(places, "WAITING_AT_MOST", 1)
    held = Signal()
    assistant = ScriptedAssistant(index=tmp_path / "index")
    assistant.scripts += [[held, *quoted_answer()], quoted_answer(), quoted_answer()]
    with serving(assistant) as address:
        answered, waiting, refused = visit(address), visit(address), visit(address)
        for page in (answered, waiting, refused):
            ask(page)
            expect(page.locator("#chat .question")).to_be_visible()
        expect(waiting.locator("#chat .title").first).to_contain_text("Waiting: another question comes first")
        expect(refused.locator("#chat .failure")).to_contain_text("Too many questions are waiting")
        program = {"model": "aftershock", "messages": [{"role": "user", "content": "Why?"}]}
        assert httpx.post(f"{address}v1/chat/completions", json=program).status_code == 429
        held.set()
        badges(waiting, 1)
        refused.get_by_role("button", name="Try again").click()
        badges(refused, 1)


def test_stop_needs_no_word_of_the_model(
    scripted: ScriptedAssistant,
    address: str,
    visit: Visit,
) -> None:
    """The sentence that says so comes while the model is silent; how soon is logged."""
    held = Signal()
    scripted.scripts.append([TextEvent("It fell"), held])
    page = visit(address)
    ask(page)
    expect(page.locator("#chat .answer")).to_have_text("It fell")
    page.evaluate(
        """() => {
            window.took = new Promise((resolve) => {
                let began;
                document.addEventListener("click", () => { began = performance.now(); }, { once: true, capture: true });
                new MutationObserver((_, watching) => {
                    if (!document.querySelector("#chat .note")) return;
                    watching.disconnect();
                    resolve(performance.now() - began);
                }).observe(document.body, { childList: true, subtree: true });
            });
        }"""
    )
    page.get_by_role("button", name="Stop").click()
    took = page.evaluate("window.took")
    held.set()
    log.info("From the click on Stop to the note: %.0f ms", took)
    expect(page.locator("#chat .note")).to_have_text("You stopped this answer: what stands here is cut short.")


def test_an_answer_that_cannot_be_saved_says_so(tmp_path: Path, visit: Visit) -> None:
    """A full disk or a damaged file loses no answer silently."""
    place = tmp_path / "conversations.sqlite"
    held = Signal()
    assistant = ScriptedAssistant(index=tmp_path / "index")
    assistant.scripts.append([TextEvent("It fell"), held, *quoted_answer()])
    with serving(assistant, place) as address:
        page = visit(address)
        ask(page)
        expect(page.locator("#chat .answer")).to_have_text("It fell")
        for file in tmp_path.glob("conversations.sqlite*"):
            file.unlink()
        place.write_bytes(b"no database " * 1000)
        held.set()
        expect(page.locator("#chat .note")).to_contain_text("This answer will be gone when the page is closed.")
