from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Signal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from rag.records import Answer, DoneEvent, TextEvent
from tests.browser import Held, Visit, ask, ask_next, newest, obeyed, serving, settle
from tests.fakes import LOSS, ScriptedAssistant, quoted_answer
from ui.conversations import SavedConversation, Visitor

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ScriptedAssistant, str]]:
    """One server for all tests of this module, with its assistant."""
    assistant = ScriptedAssistant(index=tmp_path_factory.mktemp("library") / "index")
    with serving(assistant) as address:
        yield assistant, address


@pytest.fixture
def scripted(served: tuple[ScriptedAssistant, str]) -> ScriptedAssistant:
    """The server's assistant, with nothing to say yet."""
    served[0].scripts.clear()
    served[0].closed.clear()
    return served[0]


@pytest.fixture
def address(served: tuple[ScriptedAssistant, str]) -> str:
    """Where the page is."""
    return served[1]


def asked(page: Page, *questions: str) -> None:
    """Ask these questions one after the other, and wait for each answer."""
    for number, question in enumerate(questions, 1):
        ask_next(page, question)
        expect(page.locator("#chat .badge")).to_have_count(number)


def choose(page: Page, title: str, item: str) -> None:
    """Choose from the menu of a conversation in the list."""
    page.locator("#side li", has_text=title).hover()
    page.get_by_role("button", name=f"More about {title}").click()
    page.get_by_role("menuitem", name=item).click()


def test_conversations_are_listed_reopened_and_searched(
    scripted: ScriptedAssistant, address: str, visit: Visit
) -> None:
    """Each question begins a conversation under its title; the list, a link and a reload bring it back."""
    scripted.scripts += [quoted_answer() for _ in range(3)]
    page = visit(address)
    asked(page, "Why did Nvidia fall?", "And then?")
    expect(page).to_have_url(re.compile(r"\?c=[0-9a-f]{32}$"))
    first = page.url
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#chat .question")).to_have_count(0)
    expect(page).to_have_url(address)
    asked(page, "Who is Liang Wenfeng?")
    titles = page.locator("#side .conversation .title")
    expect(titles).to_have_text(["Who is Liang Wenfeng?", "Why did Nvidia fall?"])
    expect(page.locator("#side [aria-current=page]")).to_have_text("Who is Liang Wenfeng?")
    page.locator("#side .conversation", has_text="Nvidia").click()
    expect(page.locator("#chat .question")).to_have_text(["Why did Nvidia fall?", "And then?"])
    page.go_back()
    expect(page.locator("#chat .question")).to_have_text(["Who is Liang Wenfeng?"])
    page.goto(first)
    expect(page.locator("#chat .question")).to_have_text(["Why did Nvidia fall?", "And then?"])
    page.reload()
    expect(page.locator("#chat .answer .text")).to_have_count(2)
    page.fill("#find", "liang")
    expect(titles).to_have_text(["Who is Liang Wenfeng?"])


def test_going_back_twice_leads_two_steps_back_whichever_the_server_hears_of_first(
    scripted: ScriptedAssistant, address: str, visit: Visit
) -> None:
    """What was ordered first may arrive last: then the page must not leave the conversation that it has gone to."""
    scripted.scripts += [quoted_answer() for _ in range(3)]
    page = visit(address)
    asked(page, "Here?")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#chat .question")).to_have_count(0)
    asked(page, "There?")
    held = Held(page, "**/queue/join**")
    page.go_back()
    held.wait()
    page.go_back()
    expect(page.locator("#chat .question")).to_have_text(["Here?"])
    held.let_go()
    ask_next(page, "And then?")
    expect(page.locator("#chat .question")).to_have_text(["Here?", "And then?"])


def test_a_follow_up_of_a_reopened_conversation_knows_what_was_said(
    scripted: ScriptedAssistant, address: str, visit: Visit
) -> None:
    """The history is the one that was saved, whichever tab or page asks."""
    scripted.scripts += [quoted_answer(), quoted_answer()]
    page = visit(address)
    asked(page, "First?")
    other = visit(page.url, by=page)
    expect(other.locator("#chat .badge")).to_have_count(1)
    ask_next(other, "Second?")
    expect(other.locator("#chat .badge")).to_have_count(2)
    assert scripted.asked[-1] == ("Second?", [("First?", f"{LOSS.quote} [1]")])


def test_a_reload_in_mid_stream_loses_nothing(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """What came stands there again, and the rest arrives."""
    more = Signal()
    scripted.scripts.append([TextEvent("It fell"), more, DoneEvent(Answer("", "It fell by 17%."))])
    page = visit(address)
    ask(page)
    expect(page.locator("#chat .answer")).to_have_text("It fell")
    expect(page).to_have_url(re.compile(r"\?c="))
    page.reload()
    expect(page.locator("#chat .answer")).to_have_text("It fell")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    more.set()
    expect(page.locator("#chat .answer .text")).to_have_text("It fell by 17%.")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_a_conversation_is_renamed_and_deleted_for_good(
    scripted: ScriptedAssistant, address: str, visit: Visit
) -> None:
    """Both from the list's menu; deleting asks first, and empties the page where the conversation is open."""
    scripted.scripts.append(quoted_answer())
    page = visit(address)
    asked(page, "Why did it fall?")
    choose(page, "Why did it fall?", "Rename")
    page.get_by_role("textbox", name="Rename this conversation").fill("The fall")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page.locator("#side .conversation .title")).to_have_text(["The fall"])
    expect(page.get_by_role("button", name="More about The fall")).to_be_focused()
    choose(page, "The fall", "Delete for good")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#side .conversation")).to_have_count(1)
    choose(page, "The fall", "Delete for good")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#side .conversation")).to_have_count(0)
    expect(page.get_by_role("button", name="New chat").first).to_be_focused()
    expect(page.locator("#chat .question")).to_have_count(0)


def test_a_late_list_brings_no_old_title_back(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """What was asked for before a conversation was renamed comes too late to count."""
    scripted.scripts += [quoted_answer(), quoted_answer()]
    page = visit(address)
    asked(page, "Why did it fall?")
    expect(page.locator("#side .conversation")).to_have_count(1)
    late = Held(page, "**/conversations?q=", fetched=True)
    page.get_by_role("button", name="New chat").click()
    late.wait()
    choose(page, "Why did it fall?", "Rename")
    page.get_by_role("textbox", name="Rename this conversation").fill("The fall")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page.locator("#side .conversation .title")).to_have_text(["The fall"])
    late.let_go()
    settle(page)
    expect(page.locator("#side .conversation .title")).to_have_text(["The fall"])


def test_a_withdrawn_link_opens_nothing_and_loses_nothing(
    scripted: ScriptedAssistant, address: str, visit: Visit
) -> None:
    """The conversation goes on under a new link, also in another tab and where an answer is under way."""
    more = Signal()
    scripted.scripts += [quoted_answer(), [TextEvent("It fell"), more, *quoted_answer()], quoted_answer()]
    page = visit(address)
    asked(page, "Why did it fall?")
    old = page.url
    other = visit(old, by=page)
    expect(other.locator("#chat .badge")).to_have_count(1)
    ask_next(page, "And then?")
    expect(page.locator("#chat .answer").last).to_have_text("It fell")
    choose(page, "Why did it fall?", "Withdraw link")
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(page.locator("#notices")).to_contain_text("The old link opens nothing any more.")
    expect(page).not_to_have_url(old)
    more.set()
    expect(page.locator("#chat .badge")).to_have_count(2)
    ask_next(other, "And at last?")
    expect(other.locator("#chat .badge")).to_have_count(3)
    assert [question for question, _ in scripted.asked[-1][1]] == ["Why did it fall?", "And then?"]
    other.goto(old)
    expect(other.locator("#chat .failure")).to_contain_text("its link withdrawn")
    page.reload()
    expect(page.locator("#chat .question")).to_have_text(["Why did it fall?", "And then?", "And at last?"])


def test_what_another_tab_asks_meanwhile_is_answered_too(
    scripted: ScriptedAssistant, address: str, visit: Visit
) -> None:
    """A question that is asked while another tab's is being answered waits for that, in sight of it."""
    more = Signal()
    scripted.scripts += [quoted_answer(), [TextEvent("It fell"), more, *quoted_answer()], quoted_answer()]
    page = visit(address)
    asked(page, "First?")
    other = visit(page.url, by=page)
    expect(other.locator("#chat .badge")).to_have_count(1)
    ask(page, "Second?")
    expect(page.locator("#chat .answer").last).to_have_text("It fell")
    ask_next(other, "Third?")
    expect(other.locator("#chat .answer").last).to_have_text("It fell")
    more.set()
    expect(other.locator("#chat .badge")).to_have_count(3)
    expect(other.locator("#chat .question")).to_have_text(["First?", "Second?", "Third?"])
    assert [question for question, _ in scripted.asked[-1][1]] == ["First?", "Second?"]


def test_the_conversation_clicked_last_is_the_one_that_opens(
    scripted: ScriptedAssistant, address: str, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the one clicked before takes longer to be read."""
    scripted.scripts += [quoted_answer(), quoted_answer(), quoted_answer()]
    page = visit(address)
    asked(page, "Slow?")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#chat .question")).to_have_count(0)
    asked(page, "Quick?")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#chat .question")).to_have_count(0)
    held, reading, get = Signal(), Signal(), Visitor.get

    def slow(conversations: Visitor, id: str) -> SavedConversation:
        found = get(conversations, id)
        if found.turns[0].answer.question == "Slow?":
            reading.set()
            held.wait()
        return found

    monkeypatch.setattr(Visitor, "get", slow)
    page.locator("#side .conversation", has_text="Slow?").click()
    assert reading.wait(60)
    with page.expect_response("**/queue/join**"):
        page.locator("#side .conversation", has_text="Quick?").click()
    held.set()
    expect(page.locator("#chat .question")).to_have_text(["Quick?"])
    ask_next(page, "And then?")
    expect(page.locator("#chat .question")).to_have_text(["Quick?", "And then?"])
    expect(page.locator("#chat .badge")).to_have_count(2)
    assert [question for question, _ in scripted.asked[-1][1]] == ["Quick?"]


def test_what_was_clicked_last_stays_on_show_where_updates_cross(
    scripted: ScriptedAssistant, address: str, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier click shows may take long to be sent: it comes before what the last one shows, or not at all."""
    from gradio import Chatbot

    scripted.scripts += [quoted_answer(), quoted_answer()]
    page = visit(address)
    asked(page, "Before?")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#chat .question")).to_have_count(0)
    asked(page, "Last?")
    last = page.url
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#chat .question")).to_have_count(0)
    sending, held, postprocess = Signal(), Signal(), Chatbot.postprocess

    def slow(chatbot: Chatbot, value: Any) -> Any:
        if "Before?" in str(value):
            sending.set()
            held.wait()
        return postprocess(chatbot, value)

    monkeypatch.setattr(Chatbot, "postprocess", slow)
    try:
        page.locator("#side .conversation", has_text="Before?").click()
        assert sending.wait(60)
        with page.expect_response("**/queue/join**"):
            page.locator("#side .conversation", has_text="Last?").click()
        # Time for the second click: another tab shows what it asks for, too.
        expect(visit(last, by=page).locator("#chat .question")).to_have_text(["Last?"])
    except BaseException:
        held.set()
        raise
    with obeyed(page):
        held.set()
    expect(page.locator("#chat .question")).to_have_text(["Last?"])


def test_an_answer_that_ends_elsewhere_changes_nothing_on_show(
    scripted: ScriptedAssistant, address: str, visit: Visit
) -> None:
    """Who opens another conversation while an answer grows stays there, also when it ends."""
    more = Signal()
    scripted.scripts += [quoted_answer(), [TextEvent("It fell"), more, *quoted_answer()]]
    page = visit(address)
    asked(page, "Before?")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#chat .question")).to_have_count(0)
    ask_next(page, "Long?")
    expect(page.locator("#chat .answer")).to_have_text("It fell")
    page.locator("#side .conversation", has_text="Before?").click()
    expect(page.locator("#chat .question")).to_have_text(["Before?"])
    with obeyed(page):
        more.set()
    expect(page.locator("#chat .question")).to_have_text(["Before?"])


def test_an_answer_and_a_conversation_can_be_saved(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """As Markdown with numbered sources and as JSON, as files of the browser."""
    scripted.scripts += [quoted_answer(), quoted_answer()]
    page = visit(address)
    asked(page, "Why did it fall?", "And then?")
    with page.expect_download() as loading:
        choose(page, "Why did it fall?", "Save as Markdown")
    text = Path(loading.value.path()).read_text(encoding="utf-8")
    assert text.startswith("# Why did it fall?\n")
    assert "## And then?" in text
    assert "\\[1\\] **Nvidia falls 17%" in text
    assert loading.value.suggested_filename.endswith(".md")
    newest(page, "Save…").click()
    with page.expect_download() as loading:
        page.get_by_role("menuitem", name="As JSON").click()
    record = json.loads(Path(loading.value.path()).read_text(encoding="utf-8"))
    assert (record["question"], record["citations"][0]["quote"]) == ("And then?", LOSS.quote)


def test_a_thumb_is_kept_with_its_note_and_exported(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """What the visitor thinks of an answer is there after a reload and in the file of evaluation questions."""
    scripted.scripts.append(quoted_answer())
    page = visit(address)
    asked(page, "Why did it fall?")
    late = Held(page, "**/thumb")
    page.get_by_role("button", name="Not helpful").click()
    choose(page, "Why did it fall?", "Rename")
    expect(page.get_by_role("textbox", name="Rename this conversation")).to_have_value("Why did it fall?")
    late.let_go()
    expect(page.locator("#chat a.chosen")).to_have_text("Not helpful")
    expect(page.locator("#asking-heading")).to_have_text("Rename this conversation")  # One is asked after the other.
    page.keyboard.press("Escape")
    page.get_by_role("textbox", name=re.compile("What was good or bad")).fill("The day is missing.")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#notices")).to_contain_text("Your note is kept")
    page.reload()
    expect(page.locator("#chat a.chosen")).to_have_text("Not helpful")
    with page.expect_download() as loading:
        page.get_by_role("button", name="Save ratings").click()
    [line] = Path(loading.value.path()).read_text(encoding="utf-8").splitlines()
    entry = json.loads(line)
    assert (entry["question"], entry["kind"], entry["note"]) == (
        "Why did it fall?",
        "disliked",
        "The day is missing.",
    )


def test_one_visitor_never_sees_anothers_conversation(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """Neither in the list, nor by search, nor by a link to it, nor through what the page's script asks for."""
    scripted.scripts.append(quoted_answer())
    page = visit(address)
    asked(page, "A secret question?")
    link = page.url
    stranger = visit(link)
    expect(stranger.locator("#chat .failure")).to_contain_text("There is no such conversation")
    expect(stranger.locator("#side .none")).to_be_visible()
    stranger.fill("#find", "secret")
    expect(stranger.locator("#side .none")).to_have_text("Nothing was found.")
    id = link.rpartition("=")[2]
    for path in (f"conversations/{id}.md", f"conversations/{id}.json?turn=1"):
        assert stranger.request.get(address + path).status == 404
    origin = {"Origin": address.rstrip("/")}
    assert stranger.request.delete(f"{address}conversations/{id}", headers=origin).status == 404
    rated = stranger.request.post(f"{address}conversations/{id}/turns/1/thumb", data={"thumb": "up"}, headers=origin)
    assert rated.status == 404
    assert "secret" not in stranger.content()
    page.reload()
    expect(page.locator("#chat .question")).to_have_text(["A secret question?"])


def test_the_visitors_cookie_is_for_the_server_alone(address: str, visit: Visit) -> None:
    """No script reads it, no other site's page sends it, and it lasts."""
    page = visit(address)
    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert re.fullmatch(r"[0-9a-f]{32}", cookie["value"])
    page.reload()
    expect(page.locator("#ask textarea")).to_be_visible()
    assert page.context.cookies()[0]["value"] == cookie["value"]


def test_conversations_survive_a_restart(tmp_path: Path, visit: Visit) -> None:
    """They are kept in a file: a server that is started anew shows them to the same visitor."""
    place = tmp_path / "conversations.sqlite"
    assistant = ScriptedAssistant(index=tmp_path / "index")
    assistant.scripts.append(quoted_answer())
    with serving(assistant, place) as address:
        page = visit(address)
        asked(page, "Why did it fall?")
        cookies = page.context.cookies()
        path = page.url.removeprefix(address)
        page.close()
    with serving(assistant, place) as address:
        again = visit(address)
        again.context.add_cookies([{"name": c["name"], "value": c["value"], "url": address} for c in cookies])
        again.goto(address + path)
        expect(again.locator("#chat .question")).to_have_text(["Why did it fall?"])
        expect(again.locator("#chat a.mark")).to_have_text(["1"])
