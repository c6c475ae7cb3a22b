from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from rag.records import Event
from tests.browser import Held, Visit, ask, serving
from tests.fakes import ScriptedAssistant, quoted_answer
from tests.ollama_server import Failure, Hang, Model, OllamaServer
from ui import preferences
from ui.answering import Desk
from ui.conversations import Conversations
from ui.library import Library
from ui.model_choice import Survey
from ui.models import Models, Pull
from ui.places import Places
from ui.routes import page_routes

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")


@contextmanager
def page_with(ollama: OllamaServer, folder: Path, *scripts: Sequence[Event]) -> Iterator[tuple[str, ScriptedAssistant]]:
    """The page whose models are on this server, and what answers there, by these scripts."""
    assistant = ScriptedAssistant(index=folder / "index")
    assistant.settings = replace(assistant.settings, ollama_host=ollama.url)
    assistant.scripts += scripts
    with serving(assistant) as address:
        yield address, assistant


def test_a_model_is_chosen_and_remembered(tmp_path: Path, visit: Visit) -> None:
    """The choice, whether it thinks and how long its answers are count from now on and at the next start."""
    with (
        OllamaServer([Model("qwen3:4b")]) as ollama,
        page_with(ollama, tmp_path, quoted_answer()) as (address, assistant),
    ):
        page = visit(address)
        page.get_by_role("button", name="Models", exact=True).click()
        page.get_by_role("radio", name="qwen3:4b").last.check()
        expect(page.locator("#notices")).to_contain_text("Kept for the next questions.")
        with page.expect_response("**/models/choice"):
            page.get_by_role("radio", name="Never").check()
        with page.expect_response("**/models/choice"):
            page.get_by_role("radio", name="Long").check()
        kept = {"model": "ollama:qwen3:4b", "think": "false", "length": "long"}
        assert preferences.read() == kept
        page.keyboard.press("Escape")
        ask(page)
        expect(page.locator("#chat .badge")).to_be_visible()
        assert {name: getattr(assistant.settled[-1], name) for name in kept} == kept
        preferences.location().unlink()


def test_what_was_asked_before_a_choice_does_not_undo_it(tmp_path: Path, visit: Visit) -> None:
    """The list of models that is on its way while one chooses comes too late to count: no choice is lost."""
    with OllamaServer([Model("qwen3:4b")]) as ollama, page_with(ollama, tmp_path) as (address, _):
        page = visit(address)
        page.get_by_role("button", name="Models", exact=True).click()
        page.get_by_role("radio", name="qwen3:4b").last.check()
        expect(page.locator("#notices")).to_contain_text("Kept for the next questions.")
        late = Held(page, "**/models", fetched=True)
        page.get_by_role("radio", name="Short").check()
        late.wait()
        with page.expect_response("**/models/choice"):
            page.get_by_role("radio", name="Never").check()
        with page.expect_response("**/models"):  # It looks once more when the late list has come.
            late.let_go()
        with page.expect_response("**/models/choice"):
            page.get_by_role("radio", name="Long").check()
        assert preferences.read() == {"model": "ollama:qwen3:4b", "think": "false", "length": "long"}
        preferences.location().unlink()


def test_two_tabs_choose_without_undoing_each_others_choice(tmp_path: Path, visit: Visit) -> None:
    """A tab whose list is old tells only what was chosen in it."""
    with OllamaServer([Model("qwen3:4b")]) as ollama, page_with(ollama, tmp_path) as (address, _):
        tabs = [visit(address)]
        tabs.append(visit(address, by=tabs[0]))
        for page in tabs:
            page.get_by_role("button", name="Models", exact=True).click()
            expect(page.get_by_role("radio", name="The best model")).to_be_focused()
        for page, choice in zip(tabs, ("qwen3:4b", "Long"), strict=True):
            with page.expect_response("**/models/choice"):
                page.get_by_role("radio", name=choice).last.check()
        assert preferences.read() == {"model": "ollama:qwen3:4b", "length": "long"}
        expect(tabs[1].get_by_role("radio", name="qwen3:4b").last).to_be_checked()
        preferences.location().unlink()


def test_a_model_is_got_with_progress_and_can_be_cancelled(tmp_path: Path, visit: Visit) -> None:
    """While it is on its way a bar shows how far; cancelled, it can be got later; got, it can be chosen."""
    with (
        OllamaServer([], pull_breaks_at=0.6, pull_break=Hang()) as ollama,
        page_with(ollama, tmp_path) as (address, _),
    ):
        page = visit(address)
        page.get_by_role("button", name="Models", exact=True).click()
        page.get_by_role("button", name="Get deepseek-r1:1.5b").click()
        expect(page.locator("#models .pulling")).to_contain_text("downloading")
        expect(page.locator("#models progress")).to_have_attribute("value", re.compile(r"0\.[56]\d*"))
        page.get_by_role("button", name="Cancel deepseek-r1:1.5b").hover()
        page.mouse.down()
        for _ in range(2):  # The list is drawn anew between the button's way down and up: that is a click all the same.
            page.wait_for_event("response", lambda response: response.url.endswith("/models"))
        page.mouse.up()
        expect(page.locator("#models .pulling")).to_have_count(0)
        page.get_by_role("button", name="Get deepseek-r1:1.5b").click()
        expect(page.get_by_role("radio", name="deepseek-r1:1.5b").last).to_be_visible()


def test_a_download_that_fails_says_why(tmp_path: Path, visit: Visit) -> None:
    """In one sentence, with a button to try again."""
    said = "pull model manifest: file does not exist"
    with (
        OllamaServer([], pull_breaks_at=0.0, pull_break=Failure(200, said)) as ollama,
        page_with(ollama, tmp_path) as (address, _),
    ):
        page = visit(address)
        page.get_by_role("button", name="Models", exact=True).click()
        page.get_by_role("button", name="Get deepseek-r1:1.5b").click()
        expect(page.locator("#models .failure")).to_contain_text("library has no model deepseek-r1:1.5b")
        expect(page.locator("#models .failure").get_by_role("button", name="Try again")).to_be_visible()


def test_a_download_that_ends_while_the_models_are_listed_is_asked_for_again(tmp_path: Path) -> None:
    """Or the page would show for ever how far it was."""

    class Ending(Models):
        def survey(self) -> Survey | str:
            self.pulls["m"].ended = True
            return "No model server answers."

    assistant = ScriptedAssistant(index=tmp_path / "index")
    models = Ending(assistant)
    models.pulls["m"] = Pull("m")
    store = Conversations.open(tmp_path / "conversations.sqlite")
    app = FastAPI()
    app.include_router(page_routes(models, store, Desk(Places()), Library(assistant)))
    assert [TestClient(app).get("/models").headers["X-Busy"] for _ in range(2)] == ["1", "0"]
