from __future__ import annotations

import logging
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, cycle
from pathlib import Path
from threading import Event as Signal

import httpx
import pytest
from playwright.sync_api import expect

from rag import Assistant as RealAssistant
from rag import Settings
from rag.errors import ModelServerError, SettingsError
from rag.records import Answer, Article, CitationEvent, DoneEvent, ReasoningEvent, Source, StageEvent, TextEvent
from tests.browser import Visit, ask, ask_next, fits, serving
from tests.fakes import (
    COST,
    LOSS,
    NVIDIA,
    TRAINING,
    ScriptedAssistant,
    Step,
    citation,
    model_answer,
    quoted_answer,
    refusal,
)
from tests.ollama_server import Model, OllamaServer, Reply, Thinking
from ui import answering
from ui.page import EXAMPLES
from ui.web import serve

# Gradio's own statistics of its queue use what pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ScriptedAssistant, str]]:
    """One server for all tests of this module, with its assistant."""
    assistant = ScriptedAssistant()
    with serving(assistant) as address:
        yield assistant, address


@pytest.fixture
def scripted(served: tuple[ScriptedAssistant, str]) -> ScriptedAssistant:
    """The server's assistant, as new."""
    scripted, _ = served
    scripted.scripts.clear()
    scripted.asked.clear()
    scripted.closed.clear()
    return scripted


@pytest.fixture
def address(served: tuple[ScriptedAssistant, str]) -> str:
    """Where the page is."""
    return served[1]


@pytest.mark.parametrize("phone", [False, True])
def test_an_answer_streams_and_thinking_folds(
    scripted: ScriptedAssistant, address: str, visit: Visit, phone: bool
) -> None:
    """The reader sees the thinking while it lasts, then text growing, then the whole answer with who wrote it."""
    text, more, end = Signal(), Signal(), Signal()
    whole = DoneEvent(Answer("", "It fell by 17%.", model="ollama/deepseek-r1:8b"))
    script: list[Step] = [
        StageEvent("read", "Reading 2 articles"),
        ReasoningEvent("Let me see."),
        text,
        TextEvent("It fell"),
        more,
    ]
    scripted.scripts.append([*script, TextEvent(" by 17%."), end, whole])
    page = visit(address, phone=phone)
    ask(page)
    expect(page.locator("#chat .question")).to_have_text("Why?")
    expect(page.locator("#chat .thinking")).to_contain_text("Let me see.")
    text.set()
    expect(page.locator("#chat .answer")).to_have_text("It fell")
    expect(page.locator("#chat .thinking")).to_be_hidden()
    more.set()
    expect(page.locator("#chat .answer")).to_have_text("It fell by 17%.")
    expect(page.locator("#ask .submit-button")).to_have_count(0)
    end.set()
    expect(page.locator("#chat .badge")).to_contain_text("Written by deepseek-r1:8b")
    expect(page.locator("#ask .submit-button")).to_be_visible()
    heading = page.locator("#chat .title", has_text=re.compile(r"Thought for [\d.]+ s"))
    heading.click()
    expect(page.locator("#chat .thinking")).to_contain_text("Let me see.")
    assert fits(page)


@pytest.mark.parametrize("phone", [False, True])
def test_a_mark_opens_the_sentence_in_its_article(
    scripted: ScriptedAssistant, address: str, visit: Visit, phone: bool
) -> None:
    """`[1]` leads to the highlighted sentence in the whole article, with outlets, date and originals; Escape back.

    The words that answer by themselves stand out in it as they do in the answer.
    """
    start = NVIDIA.text.index("$589 billion")
    source = replace(LOSS, highlight=(start, start + len("$589 billion")))
    answer = Answer("", f"{LOSS.quote} [1]", (source,), (source.passage,))
    scripted.scripts.append([CitationEvent(source), TextEvent(answer.text), DoneEvent(answer)])
    page = visit(address, phone=phone)
    ask(page)
    expect(page.locator("#chat .badge")).to_be_visible()
    mark = page.locator("#chat a.mark").first
    mark.click()
    reader = page.get_by_role("dialog", name="Source")
    expect(reader.locator("mark")).to_have_text(LOSS.quote)
    expect(reader.locator("mark strong")).to_have_text("$589 billion")
    expect(page.locator("#chat .answer strong")).to_have_text("$589 billion")
    expect(reader.locator("mark")).to_be_focused()
    expect(reader.locator("mark")).to_be_in_viewport(ratio=1)
    expect(reader.locator("h2")).to_have_text(NVIDIA.title)
    expect(reader.locator(".page .about").first).to_have_text("Bloomberg, Reuters and 2 others · 28 January 2025")
    expect(reader.locator(".text p")).to_have_text(NVIDIA.text.split("\n\n"))
    original = reader.get_by_role("link", name=re.compile("DeepSeek sparks .*opens outside this computer"))
    expect(original).to_have_attribute("rel", "noopener noreferrer")
    expect(original).to_have_attribute("target", "_blank")
    assert reader.evaluate("dialog => dialog.matches(':modal')") == phone  # A sheet over the page, or beside it.
    expect(reader.locator(".place")).to_be_in_viewport(ratio=1)
    assert fits(page)
    page.keyboard.press("Escape")
    expect(reader).to_be_hidden()
    expect(mark).to_be_focused()


def test_the_reader_can_be_used_while_text_streams(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """A source opened in mid-answer stays open while the answer is drawn anew, and Escape leads back to its mark."""
    more = Signal()
    script: list[Step] = [CitationEvent(LOSS), TextEvent("It fell [1]"), more, TextEvent(" by 17%.")]
    scripted.scripts.append([*script, DoneEvent(Answer("", "It fell [1] by 17%.", (LOSS,)))])
    page = visit(address)
    ask(page)
    page.locator("#chat a.mark").click()
    expect(page.locator("#reader mark")).to_have_text(LOSS.quote)
    more.set()
    expect(page.locator("#chat .badge")).to_be_visible()
    expect(page.locator("#reader mark")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#reader")).to_be_hidden()
    expect(page.locator("#chat a.mark")).to_be_focused()


def test_the_reader_goes_from_source_to_source(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """A card under the answer opens the reader too, which has a way to the previous and the next source, and out."""
    scripted.scripts.append(model_answer())
    page = visit(address)
    ask(page)
    page.locator("#chat a.source", has_text="What training DeepSeek-V3 cost").click()
    reader = page.locator("#reader")
    expect(reader.locator("mark")).to_have_text(COST.quote)
    expect(reader.locator(".place")).to_have_text("Source 2 of 2")
    expect(reader.get_by_label("Next source")).to_be_disabled()
    reader.get_by_label("Previous source").click()
    expect(reader.locator("mark")).to_have_text(LOSS.quote)
    expect(reader.get_by_label("Previous source")).to_be_disabled()
    reader.get_by_label("Close").click()
    expect(reader).to_be_hidden()


def test_stop_keeps_what_came_and_ends_the_work(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """After Stop the text stands, marked as cut short, the stream is closed, and the next question can be asked."""
    held = Signal()
    scripted.scripts += [[TextEvent("It fell"), held, TextEvent(" never shown"), TextEvent(".")], quoted_answer()]
    page = visit(address)
    ask(page)
    expect(page.locator("#chat .answer")).to_have_text("It fell")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#chat .note")).to_have_text("You stopped this answer: what stands here is cut short.")
    expect(page.locator("#ask .submit-button")).to_be_visible()
    held.set()
    assert scripted.closed.wait(10)
    ask_next(page, "And now?")
    expect(page.locator("#chat .badge")).to_be_visible()
    expect(page.locator("#chat .answer .text").first).to_have_text("It fell")


def test_a_closed_tab_ends_the_work(
    scripted: ScriptedAssistant, address: str, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nobody comes back to read the answer, the model is not kept busy with it."""
    monkeypatch.setattr(answering, "LINGER_SECONDS", 0.0)
    scripted.scripts.append(chain([TextEvent("It fell")], cycle([0.01, TextEvent(".")])))
    page = visit(address)
    ask(page)
    expect(page.locator("#chat .answer")).to_contain_text("It fell")
    page.close()
    assert scripted.closed.wait(10)


def test_an_error_is_one_sentence_under_what_came(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """An error of Aftershock's own is shown in its own words, as text, and the conversation goes on."""
    sentence = "The model server at <http://127.0.0.1:11434> went away; start it again."
    scripted.scripts += [[TextEvent("It fell"), ModelServerError(sentence)], quoted_answer()]
    page = visit(address)
    ask(page)
    expect(page.locator("#chat .failure")).to_have_text(sentence)
    expect(page.locator("#chat .answer .text")).to_have_text("It fell")
    ask_next(page, "Again?")
    expect(page.locator("#chat .badge")).to_be_visible()


def test_an_unforeseen_error_shows_nothing_of_its_inside(
    scripted: ScriptedAssistant, address: str, visit: Visit, caplog: pytest.LogCaptureFixture
) -> None:
    """The visitor gets a general sentence, the log gets the traceback."""
    scripted.scripts.append([ZeroDivisionError("secret detail")])
    page = visit(address)
    with caplog.at_level(logging.ERROR, logger="ui.places"):
        ask(page)
        expect(page.locator("#chat .failure")).to_contain_text("Something went wrong inside Aftershock")
    assert "secret" not in page.content()
    assert "ZeroDivisionError: secret detail" in caplog.text


def test_a_stream_without_an_end_does_not_lock_the_page(
    scripted: ScriptedAssistant, address: str, visit: Visit
) -> None:
    """Whatever the assistant does, the visitor can ask again."""
    scripted.scripts += [[TextEvent("It fell")], quoted_answer()]
    page = visit(address)
    ask(page)
    expect(page.locator("#chat .failure")).to_have_text("The answer ended before it was whole: ask again.")
    expect(page.locator("#ask .submit-button")).to_be_visible()
    ask_next(page)
    expect(page.locator("#chat .badge")).to_be_visible()


def test_a_refusal_leads_to_the_closest_articles(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """Without an answer there are articles to read, and notes about how the answer came about."""
    scripted.scripts.append(refusal())
    page = visit(address)
    ask(page, "Who won the World Cup?")
    expect(page.locator("#chat .badge")).to_contain_text("No answer in the articles")
    expect(page.locator("#chat .note")).to_contain_text("No model is served on this computer")
    page.locator("#chat a.source").first.click()
    expect(page.locator("#reader h2")).to_have_text(TRAINING.title)
    expect(page.locator("#reader .place")).to_have_text("Article 1 of 2")
    expect(page.locator("#reader mark")).to_have_count(0)


def test_an_article_that_is_gone_is_said_in_the_reader(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """A source that the index has lost gives a sentence, not an empty panel."""
    lost = citation(1, Article("lost", "Lost", "It was here."), "It was here.")
    scripted.scripts.append([DoneEvent(Answer("", "It was here. [1]", (lost,), (lost.passage,)))])
    page = visit(address)
    ask(page)
    page.locator("#chat a.mark").click()
    expect(page.locator("#reader .failure")).to_have_text("This article is no longer in the index.")


def test_an_example_is_asked_with_a_click(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """The empty page offers questions."""
    scripted.scripts.append(quoted_answer())
    page = visit(address)
    expect(page.locator("#chat .example")).to_have_text(list(EXAMPLES))
    page.locator("#chat .example", has_text=EXAMPLES[2]).click()
    expect(page.locator("#chat .badge")).to_contain_text("own words, no model")
    assert [question for question, _ in scripted.asked] == [EXAMPLES[2]]


def test_the_conversation_goes_along_and_ends_with_a_new_chat(
    scripted: ScriptedAssistant, address: str, visit: Visit
) -> None:
    """A follow-up sees the earlier turns, a new chat none of them, another visitor neither."""
    scripted.scripts += [quoted_answer() for _ in range(4)]
    page = visit(address)
    ask(page, "First?")
    expect(page.locator("#chat .badge")).to_have_count(1)
    ask_next(page, "Second?")
    expect(page.locator("#chat .badge")).to_have_count(2)
    other = visit(address)
    ask(other, "From elsewhere?")
    expect(other.locator("#chat .badge")).to_have_count(1)
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#chat .example")).to_have_count(len(EXAMPLES))
    ask_next(page, "Third?")
    expect(page.locator("#chat .badge")).to_have_count(1)
    answer = f"{LOSS.quote} [1]"
    assert scripted.asked == [
        ("First?", []),
        ("Second?", [("First?", answer)]),
        ("From elsewhere?", []),
        ("Third?", []),
    ]


def test_one_question_at_a_time(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """An empty question is none, and one typed during an answer stays in the box until it can be asked."""
    held = Signal()
    scripted.scripts += [[TextEvent("It fell"), held, *quoted_answer()], quoted_answer()]
    page = visit(address)
    ask(page, "   ")
    ask(page, "First?")
    expect(page.locator("#chat .answer")).to_have_text("It fell")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    ask(page, "Second?")
    held.set()
    expect(page.locator("#chat .badge")).to_have_count(1)
    expect(page.locator("#ask .submit-button")).to_be_visible()
    expect(page.locator("#ask textarea")).to_have_value("Second?")
    page.keyboard.press("Enter")
    expect(page.locator("#chat .badge")).to_have_count(2)
    assert [question for question, _ in scripted.asked] == ["First?", "Second?"]


def test_copy_gives_the_text_with_its_sources(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """What is copied can be pasted into a letter: plain text, numbers in brackets, the sources below."""
    scripted.scripts.append(quoted_answer())
    page = visit(address)
    ask(page)
    expect(page.locator("#chat .badge")).to_be_visible()
    page.get_by_role("button", name="Copy", exact=True).click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('[1] Nvidia falls')")
    copied = str(page.evaluate("navigator.clipboard.readText()"))
    assert copied.startswith(
        f"{LOSS.quote} [1]\n\n"
        "[1] Nvidia falls 17% and takes the market with it Bloomberg, Reuters and 2 others · 28 January 2025\n\n"
    )
    assert "<" not in copied


def test_hostile_text_does_not_run(scripted: ScriptedAssistant, address: str, visit: Visit) -> None:
    """Whatever articles, models and visitors write, no script runs, nothing is fetched, and the page holds its form."""
    hostile = (
        "<img src=/leak onerror=window.ran=1><script>window.ran=1</script><svg onload=window.ran=1></svg>"
        '"><iframe src=/leak></iframe><form action=/leak><button>x</button></form><b style=background:url(/leak)>'
        "![x](/leak) [y](javascript:window.ran=1) <http://127.0.0.1:9/> $$\\includegraphics{/leak}$$ "
        '```mermaid\ngraph TD; A-->B\n```\n\n<a class=do href="#do?do=ask&question=x">x</a> [x](#do?do=new) '
        + "long"
        * 200
    )
    article = Article("hostile", hostile, hostile, hostile, hostile, "", (Source(hostile, hostile, "/leak", hostile),))
    source = citation(1, article, hostile)
    scripted.add(article)
    told = Answer("", f"{hostile} [1]", (source,), (source.passage,), model=hostile, notes=(hostile,))
    scripted.scripts += [
        [StageEvent("read", hostile), ReasoningEvent(hostile), TextEvent(hostile), DoneEvent(told)],
        [StageEvent("read", hostile), TextEvent(hostile), ModelServerError(hostile)],
    ]
    page = visit(address, phone=True)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    ask(page, hostile)
    expect(page.locator("#chat .badge")).to_be_attached()
    ask_next(page, hostile)
    expect(page.locator("#chat .failure")).to_be_attached()
    page.locator("#chat .title").first.click()
    page.locator("#chat a.source").click()
    expect(page.locator("#reader mark").first).to_be_attached()
    own = re.compile(
        re.escape(address)
        + r"(gradio_api/(queue/(join|data)|run/predict|heartbeat|cancel)|article\?|visitor$|conversations\?q=$"
        r"|assets/|static/|page/)"
    )
    assert [url for url in fetched if not own.match(url)] == []
    brought = "img, script, iframe, form, b, table, pre, [style*=url], [onerror], [onload]"
    brought += ", a:not([href^='#read?'], [href^='#do?'])"
    assert page.locator(f":is(#chat .message, #reader .page) :is({brought})").count() == 0
    actions = ["Copy", "Edit", "Ask again…"]
    told_actions = [*actions, "Save…", "Helpful", "Not helpful"]
    ways_out = ["Try again", "Answer in the articles’ own words"]
    assert page.locator("a[href^='#do?']").all_inner_texts() == [*told_actions, *ways_out, *actions]  # None is brought.
    assert page.evaluate("window.ran === undefined")
    assert fits(page)
    for part in page.locator("#chat .question, #chat .answer, #chat .thinking, #reader .page").all():
        assert part.evaluate("part => part.scrollWidth <= part.clientWidth")  # Long words break, none is cut off.


def test_the_server_answers_this_machine_and_this_page_only(address: str) -> None:
    """A foreign host name, another site's page and uploads are refused; every answer carries the security headers."""
    with httpx.Client(base_url=address) as client:
        assert client.get("/healthz").json()["ready"]
        assert client.get("/", headers={"host": "rebound.example"}).status_code == 400
        join = "/gradio_api/queue/join"
        for origin in ("https://evil.example", "http://127.0.0.1:1", "null"):
            assert client.post(join, json={}, headers={"origin": origin}).status_code == 403
        assert client.post(join, json={}, headers={"origin": address.rstrip("/")}).status_code != 403
        upload = client.post("/gradio_api/upload", files={"files": ("x.html", b"<script>")})
        assert upload.status_code == 403
        for path in ("/docs", "/openapi.json", "/monitoring", "/gradio_api/file=/etc/passwd", "/page/../web.py"):
            assert client.get(path).status_code in (400, 403, 404), path
        for response in (client.get("/"), client.get("/page/page.js"), upload):
            policy = response.headers["content-security-policy"]
            assert "script-src 'self';" in policy
            assert "frame-ancestors 'none'" in policy
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["referrer-policy"] == "no-referrer"
            assert response.headers["cross-origin-resource-policy"] == "same-origin"


def test_serving_to_the_network_demands_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one, or with a short one, the page is for this machine only."""
    with pytest.raises(SettingsError, match=r"'0\.0\.0\.0'.*needs a password: set AFTERSHOCK_PASSWORD"):
        serve(ScriptedAssistant(), host="0.0.0.0")
    monkeypatch.setenv("AFTERSHOCK_PASSWORD", "short")
    with pytest.raises(SettingsError, match=r"has 5 characters.*at least 12"):
        serve(ScriptedAssistant(), host="0.0.0.0")


def test_a_port_in_use_is_said() -> None:
    """Somebody who asks for a port gets that one or a sentence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} is in use"):
            serve(ScriptedAssistant(), port=port)


def test_serve_says_where_it_is_and_ends_on_interrupt() -> None:
    """With the usual port taken another one is found and named, and Ctrl-C ends the server without a traceback, also
    where the page is open in a browser."""
    program = (
        "import socket\n"
        "from tests.fakes import ScriptedAssistant\n"
        "from ui.web import DEFAULT_PORT, serve\n"
        "try:\n"
        "    taken = socket.create_server(('127.0.0.1', DEFAULT_PORT))\n"
        "except OSError:\n"
        "    pass\n"
        "serve(ScriptedAssistant(), open_browser=False)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.fullmatch(r"The chat is at (http://127\.0\.0\.1:(\d+)/) \(Ctrl-C ends it\)\.\n", said)
        assert found is not None, said
        assert found[2] != "7860"
        assert httpx.get(f"{found[1]}healthz").json()["ready"]
        with httpx.stream("GET", f"{found[1]}gradio_api/heartbeat/tab") as tab:
            assert tab.is_success
            process.send_signal(signal.SIGINT)
            assert (process.wait(60), process.stderr.read()) == (0, "")


def test_the_shipped_articles_answer_in_the_page(assistant: RealAssistant, corpus_index: Path, visit: Visit) -> None:
    """The main job in the browser with nothing replaced: index, retrieval and quotes behind the page, and a model's
    streamed answer when one is served."""
    question = "How much market value did Nvidia lose on 27 January 2025?"
    with serving(assistant) as address:
        page = visit(address)
        ask(page, question)
        expect(page.locator("#chat .badge")).to_be_visible()
        page.locator("#chat a.mark").first.click()
        sentence = page.get_by_role("dialog", name="Source").locator("mark")
        expect(sentence).to_contain_text("Nvidia")
        expect(page.locator("#chat .answer")).to_contain_text(sentence.inner_text())
    reply: Reply = [Thinking("Passage 1 has it."), "Nvidia lost about ", "$589 billion", " of market value [1]."]
    with OllamaServer([Model("deepseek-r1:8b")], [reply]) as model_server:
        settings = Settings(corpus_index, model="auto", ollama_host=model_server.url)
        with_model = RealAssistant.from_settings(settings)
        with serving(with_model) as address:
            page = visit(address)
            ask(page, question)
            expect(page.locator("#chat .answer")).to_contain_text("Nvidia lost about $589 billion of market value")
            expect(page.locator("#chat .badge")).to_contain_text("Written by deepseek-r1:8b")
            page.locator("#chat a.mark").first.click()
            expect(page.get_by_role("dialog", name="Source").locator("mark")).to_contain_text("Nvidia")
        with_model.close()
