from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Signal
from typing import Any, TypeAlias

import httpx
import pytest

import corpus
from ingest import sync
from rag import Settings
from rag.embed import MiniLM
from tests.ollama_server import Cut, Hang, Model, OllamaServer, Reply, Thinking
from ui.cli import main

ARTICLES = {
    "nvidia.md": """---
id: nvidia-loss
title: Nvidia falls
published: 2025-01-28
event_dates: [2025-01-27]
sources:
  - {outlet: CNBC, title: Nvidia sheds value, url: "https://example.org/nvidia", date: 2025-01-27}
  - {outlet: Reuters, title: Chips fall, url: "https://example.org/chips", date: 2025-01-27}
---
Nvidia lost $589 billion of market value on 27 January 2025. Its shares fell 17% to $118.42.

The Nasdaq Composite fell 3.1% on the same day. Broadcom and Oracle fell with it.
""",
    "liang.txt": "Liang Wenfeng\n\nLiang Wenfeng founded DeepSeek in 2023. He had got rich with High-Flyer, a fund.",
    "cost.txt": "What training cost\n\nDeepSeek put the cost of training V3 at $5.576 million, without wages.",
}
QUESTION = "How much market value did Nvidia lose on 27 January 2025?"
LOSS = "Nvidia lost $589 billion of market value on 27 January 2025."


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run: TypeAlias = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line, in this process."""

    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Ran(status, *capsys.readouterr())

    return call


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three articles."""
    folder = tmp_path_factory.mktemp("articles")
    for name, text in ARTICLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def ready(articles: Path, embedder: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index over the three articles. Not to be written to."""
    index = tmp_path_factory.mktemp("ready") / "index"
    sync([articles], Settings(index), embedder=embedder)
    return index


@pytest.fixture
def index(ready: Path, tmp_path: Path) -> Path:
    """An index over the three articles, to be broken."""
    return Path(shutil.copytree(ready, tmp_path / "index"))


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., OllamaServer]]:
    """Starts a model server that the commands find."""
    started: list[OllamaServer] = []

    def start(*replies: Reply, models: tuple[Model, ...] = (Model(),)) -> OllamaServer:
        server = OllamaServer(models, replies)
        server.__enter__()
        started.append(server)
        monkeypatch.setenv("AFTERSHOCK_OLLAMA_HOST", server.url)
        return server

    yield start
    for server in started:
        server.__exit__()


def test_timeline_prints_one_event_a_line_and_the_articles_under_them(run: Run, ready: Path) -> None:
    """In a pipe each event is a line behind its day, with the marks of the articles that are listed below."""
    ran = run("timeline", "--index", ready)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f"27 January 2025  {LOSS} [1]",
        "",
        "[1]",
        "    Nvidia falls · CNBC, Reuters · 28 January 2025",
        "    https://example.org/nvidia",
    ]


@pytest.mark.parametrize(
    ("arguments", "events"),
    [
        (["--from", "2025-01-27", "--to", "2025-01-27"], 1),
        (["--from", "2025-01-28"], 0),
        (["--to", "2025-01-26"], 0),
        (["Nvidia on the day of the crash"], 1),
        (["Nvidia in the week after the crash"], 0),
        (["Qualcomm"], 0),
    ],
)
def test_timeline_is_limited_by_days_and_words(run: Run, ready: Path, arguments: list[str], events: int) -> None:
    """A script gets the records of the period and the subject that it asked for, and a sentence when there are none."""
    ran = run("timeline", *arguments, "--json", "--index", ready)
    assert ran.status == 0
    assert [event["text"] for event in ran.json] == [LOSS] * events
    assert ran.err == ("" if events else "The articles tell of no such event.\n")


def test_a_timeline_from_no_day_is_bad_usage(run: Run, ready: Path) -> None:
    """A mistyped date is named, and not taken for an empty timeline."""
    assert_one_sentence(run("timeline", "--from", "2025-02-30", "--index", ready), 2, "'2025-02-30' is no day")


def assert_one_sentence(ran: Ran, status: int, *parts: str) -> None:
    """The command ended with this status and one sentence on standard error that has these parts."""
    assert ran.status == status, ran
    assert ran.out == ""
    assert ran.err.endswith(".\n")
    assert ran.err.count("\n") == 1
    for part in parts:
        assert part in ran.err


# Answers


def test_ask_prints_the_answer_and_its_sources(run: Run, ready: Path) -> None:
    """In a pipe an answer is plain text: the marked sentences, then each source with outlets, date and quotation."""
    ran = run("ask", QUESTION, "--model", "quotes", "--index", ready)
    assert ran.status == 0
    assert ran.err == ""
    text, *sources = ran.out.rstrip().split("\n\n")
    assert f"{LOSS} [1]" in text
    assert sources[0] == (
        f"[1] Nvidia falls · CNBC, Reuters · 28 January 2025\n    “{LOSS}”\n    https://example.org/nvidia"
    )
    assert "\x1b" not in ran.out


def test_ask_json_is_the_record(run: Run, ready: Path) -> None:
    """`ask --json` prints one JSON document with the fields of an Answer, its citations' offsets included."""
    ran = run("ask", QUESTION, "--model", "quotes", "--index", ready, "--json")
    assert ran.status == 0
    answer = ran.json
    assert {"question", "text", "citations", "passages", "refused", "model", "timings", "notes"} <= answer.keys()
    citation = answer["citations"][0]
    assert citation["quote"] == LOSS
    assert citation["passage"]["article_id"] == "nvidia-loss"
    start = citation["start"] - citation["passage"]["start"]
    assert citation["passage"]["text"][start:].startswith(LOSS)


def test_ask_reads_the_question_from_standard_input(run: Run, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ask -` takes the question from standard input, as UTF-8 whatever the platform's encoding."""
    monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO("Whô founded\nDeepSeek?\n".encode()), encoding="ascii")
    )
    ran = run("ask", "-", "--model", "quotes", "--index", ready, "--json")
    assert ran.status == 0
    assert ran.json["question"] == "Whô founded DeepSeek?"


def test_a_refusal_is_an_answer(run: Run, ready: Path, serve: Callable[..., OllamaServer]) -> None:
    """A question that the articles don't answer is refused, and that is no failure of the command."""
    serve(["The articles do not answer this question."])
    ran = run("ask", QUESTION, "--model", "ollama:deepseek-r1:8b", "--index", ready, "--json")
    assert ran.status == 0
    assert ran.json["refused"]


def test_auto_without_a_server_says_so_and_quotes(run: Run, ready: Path) -> None:
    """Without a model server the answer still comes, and a note on standard error says why it is quotations."""
    ran = run("ask", QUESTION, "--index", ready)
    assert ran.status == 0
    assert LOSS in ran.out
    assert "No model server answers at http://127.0.0.1:9" in ran.err
    assert "No model server" not in ran.out


def test_a_models_answer_keeps_its_thinking_apart(run: Run, ready: Path, serve: Callable[..., OllamaServer]) -> None:
    """In a pipe a model's thinking is left out, and its marks lead to the sentences that support it."""
    serve([Thinking("Hm, a sum is asked for."), "Nvidia lost ", "$589 billion [1]."])
    ran = run("ask", QUESTION, "--model", "ollama:deepseek-r1:8b", "--index", ready)
    assert ran.status == 0
    assert ran.out.startswith("Nvidia lost $589 billion [1].\n\n[1] Nvidia falls")
    assert "Hm" not in ran.out + ran.err


def test_a_terminal_gets_colours_and_whole_words(
    run: Run, ready: Path, serve: Callable[..., OllamaServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal text is wrapped between words, marks are coloured, and thinking folds into one line."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "30")
    serve([Thinking("Hm."), "Nvidia lost $589 bil", "lion of market ", "value on that Mon", "day [1]."])
    ran = run("ask", QUESTION, "--model", "ollama:deepseek-r1:8b", "--index", ready)
    assert ran.status == 0
    assert ran.out.startswith("Nvidia lost $589 billion of \nmarket value on that Monday \n\x1b[1;36m[1]\x1b[0m.\n")
    assert "Thought for" in ran.err


def test_what_the_check_changes_is_written_anew(
    run: Run, ready: Path, serve: Callable[..., OllamaServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal shows the checked text in place of the streamed one; a pipe gets the checked text alone."""
    checked = "Nvidia lost $589 billion [1]. A bakery opened in Lisbon [1] [unsupported]."
    reply: Reply = ["Nvidia lost $589 billion [1]. ", "A bakery opened in Lisbon [1]."]
    serve(reply)
    ran = run("ask", QUESTION, "--model", "ollama:deepseek-r1:8b", "--index", ready)
    assert ran.out.startswith(f"{checked}\n")
    assert ran.out.count("bakery") == 1

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    serve(reply)
    ran = run("ask", QUESTION, "--model", "ollama:deepseek-r1:8b", "--index", ready)
    streamed, _, shown = ran.out.rpartition("\x1b[2K")
    assert "A bakery opened in Lisbon" in streamed
    for code in ("\x1b[1m", "\x1b[0m"):
        shown = shown.replace(code, "")
    assert " ".join(shown.split()).startswith(checked)


def test_thinking_is_switched_by_an_option(run: Run, ready: Path, serve: Callable[..., OllamaServer]) -> None:
    """`--no-think` and `--think` reach the model."""
    for option, sent in (("--no-think", False), ("--think", True)):
        server = serve(["Nvidia lost $589 billion [1]."])
        assert run("ask", QUESTION, option, "--model", "ollama:deepseek-r1:8b", "--index", ready).status == 0
        assert [chat.body["think"] for chat in server.chats] == [sent]


def test_the_length_of_an_answer_is_an_option(
    run: Run, ready: Path, serve: Callable[..., OllamaServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--length` and the environment reach the model's rules, and what is no length is refused."""
    server = serve(["Nvidia lost $589 billion [1]."], ["Nvidia lost $589 billion [1]."])
    monkeypatch.setenv("AFTERSHOCK_LENGTH", "long")
    for options in ((), ("--length", "short")):
        asked = run("ask", QUESTION, *options, "--model", "ollama:deepseek-r1:8b", "--index", ready)
        assert asked.status == 0
    long, short = ("".join(message["content"] for message in chat.body["messages"]) for chat in server.chats)
    assert "Answer in five to ten sentences" in long
    assert "Answer in one or two short sentences" in short
    refused = run("ask", QUESTION, "--length", "endless", "--index", ready)
    assert (refused.status, "short, medium, long" in refused.err) == (2, True)


def test_no_color_is_honoured(run: Run, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR a terminal gets no colour codes."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    ran = run("ask", QUESTION, "--model", "quotes", "--index", ready)
    assert "[1]" in ran.out
    assert "36m" not in ran.out


def test_an_answer_cannot_command_the_terminal(run: Run, ready: Path, serve: Callable[..., OllamaServer]) -> None:
    """Control characters that a model or an article utters don't reach the terminal."""
    serve(["\x1b]0;owned\x07Nvidia lost \x9b31m$589 billion [1]."])
    ran = run("ask", QUESTION, "--model", "ollama:deepseek-r1:8b", "--index", ready)
    assert ran.status == 0
    assert not set("\x1b\x07\x9b") & set(ran.out)


def test_search_prints_passages_best_first(run: Run, ready: Path) -> None:
    """`search` prints at most k passages, the best one first, for people and as JSON."""
    ran = run("search", "Who founded DeepSeek?", "-k", 2, "--index", ready)
    assert ran.status == 0
    assert ran.out.startswith("1.  Liang Wenfeng")
    assert "\n2.  " in ran.out
    assert "\n3.  " not in ran.out
    found = run("search", "Who founded DeepSeek?", "-k", 2, "--index", ready, "--json").json
    assert [passage["title"] for passage in found][:1] == ["Liang Wenfeng"]
    assert len(found) == 2


# The default index


def test_a_missing_default_index_is_made(
    run: Run, articles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first question makes the default index from the articles that come along, says so, and then answers."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(tmp_path))
    monkeypatch.setattr(corpus, "FOLDER", articles)
    first = run("search", QUESTION, "--json")
    assert first.status == 0
    assert first.json[0]["article_id"] == "nvidia-loss"
    assert "making it" in first.err
    assert run("search", QUESTION, "--json").err == ""


# Ingest


def test_ingest_reports_what_it_did(run: Run, articles: Path, tmp_path: Path) -> None:
    """`ingest --json` prints the report; articles that are in already are unchanged the second time."""
    index = tmp_path / "index"
    first = run("ingest", articles, "--index", index, "--json")
    assert first.status == 0
    assert (first.json["added"], first.json["unchanged"], first.json["failed"]) == (3, 0, [])
    second = run("ingest", articles, "--index", index)
    assert second.status == 0
    assert "3 unchanged" in second.out
    assert second.err == ""


def test_ingest_lists_what_could_not_be_read(run: Run, articles: Path, tmp_path: Path) -> None:
    """One bad file is named with its reason, doesn't stop the others, and doesn't make the command fail."""
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"\x00\x01\x02")
    ran = run("ingest", articles, bad, "--index", tmp_path / "index")
    assert ran.status == 0
    assert f"{bad}: it is a binary file, not text." in ran.out
    assert ran.err == "1 of 4 could not be read; the others are in.\n"


def test_ingest_of_nothing_readable_fails(run: Run, tmp_path: Path) -> None:
    """When not a single article could be read, the command fails and says so, and the reasons are listed."""
    ran = run("ingest", tmp_path / "nowhere", "--index", tmp_path / "index")
    assert ran.status == 1
    assert "nowhere: there is no such file or folder." in ran.out
    assert ran.err == "Nothing could be read, so nothing was added to the index.\n"


def test_an_index_that_cannot_be_written_is_said(run: Run, articles: Path, tmp_path: Path) -> None:
    """An index directory that can't be made is one sentence and status 1."""
    (tmp_path / "file").touch()
    ran = run("ingest", articles, "--index", tmp_path / "file" / "index")
    assert_one_sentence(ran, 1, "cannot be written")


def test_rebuild_mends_a_damaged_index(run: Run, articles: Path, index: Path) -> None:
    """What the message about a damaged index advises works."""
    next(index.glob("generation-*/articles.sqlite")).write_bytes(b"broken")
    assert_one_sentence(run("ingest", articles, "--index", index), 1, "is damaged", "--rebuild")
    assert run("ingest", articles, "--rebuild", "--index", index).status == 0
    assert run("search", QUESTION, "--index", index).status == 0


# Failures


@pytest.mark.parametrize("command", ["ask", "search"])
def test_no_index(run: Run, tmp_path: Path, command: str) -> None:
    """A named index that isn't there is one sentence that says how to make it, and status 1."""
    ran = run(command, QUESTION, "--index", tmp_path / "none")
    assert_one_sentence(ran, 1, f"There is no index at {tmp_path / 'none'}", "aftershock ingest")


def test_damaged_index(run: Run, index: Path) -> None:
    """An index whose files can't be read is one sentence and status 1."""
    next(index.glob("generation-*/articles.sqlite")).write_bytes(b"broken")
    assert_one_sentence(run("ask", QUESTION, "--model", "quotes", "--index", index), 1, "is damaged", "--rebuild")


def test_index_of_another_embedder(run: Run, index: Path) -> None:
    """An index with vectors of another embedding model is one sentence and status 1."""
    stamp = next(index.glob("generation-*/stamp.json"))
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"embedder": "another"}))
    assert_one_sentence(
        run("ask", QUESTION, "--index", index), 1, "another embedding model", "aftershock index rebuild"
    )


def test_empty_corpus(run: Run, tmp_path: Path) -> None:
    """A folder without articles can't be ingested, and asking the empty index is one sentence and status 1."""
    (tmp_path / "empty").mkdir()
    assert run("ingest", tmp_path / "empty", "--index", tmp_path / "index").status == 1
    assert_one_sentence(run("ask", QUESTION, "--index", tmp_path / "index"), 1, "holds no article", "aftershock ingest")


@pytest.mark.parametrize("command", ["ask", "search"])
@pytest.mark.parametrize(("question", "part"), [(" \n ", "is empty"), ("why? " * 20_000, "99,999 characters")])
def test_unusable_questions(run: Run, tmp_path: Path, command: str, question: str, part: str) -> None:
    """An empty question and one of 100,000 characters are bad usage, said before any index is looked at."""
    assert_one_sentence(run(command, question, "--index", tmp_path / "none"), 2, part)


def test_no_server(run: Run, ready: Path) -> None:
    """A model asked for by name whose server is gone: the sources' own words, and a note on standard error."""
    ran = run("ask", QUESTION, "--model", "ollama:x", "--index", ready)
    assert ran.status == 0
    assert LOSS in ran.out
    assert ran.err.startswith("No model server answers at http://127.0.0.1:9")
    assert ran.err.count("\n") == 1


def test_server_without_models(run: Run, ready: Path, serve: Callable[..., OllamaServer]) -> None:
    """A server that has no model: by name it is a failure, and "auto" quotes the sources and says so."""
    serve(models=())
    assert_one_sentence(run("ask", QUESTION, "--model", "ollama:x", "--index", ready), 1, "ollama pull x")
    ran = run("ask", QUESTION, "--index", ready)
    assert ran.status == 0
    assert LOSS in ran.out
    assert "has no model that can answer" in ran.err


def test_model_not_found(run: Run, ready: Path, serve: Callable[..., OllamaServer]) -> None:
    """A model that the server lacks is one sentence that says how to get it, and status 1."""
    serve()
    assert_one_sentence(run("ask", QUESTION, "--model", "ollama:qwen9", "--index", ready), 1, "ollama pull qwen9")


def test_server_dies_in_mid_answer(run: Run, ready: Path, serve: Callable[..., OllamaServer]) -> None:
    """What was streamed stays, one sentence says that it is cut short, and the status is 1."""
    serve(["Nvidia lost $589 billion ", "[1]. It ", Cut()])
    ran = run("ask", QUESTION, "--model", "ollama:deepseek-r1:8b", "--index", ready)
    assert ran.status == 1
    assert ran.out.startswith("Nvidia lost $589 billion [1]. It")
    assert ran.err.startswith("The answer is cut short.")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["ask"], "QUESTION"),
        (["ask", "Why?", "--model", "gpt"], "it must be auto, quotes"),
        (["search", "Why?", "-k", "0"], "-k"),
        (["search", "Why?", "--what"], "--what"),
        (["asc", "Why?"], "asc"),
        (["chat", "--host", "0.0.0.0"], "needs a password"),
        (["eval", "nothing", "file"], "the sets are event"),
    ],
)
def test_bad_usage(run: Run, ready: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], part: str) -> None:
    """What can't be meant is one sentence and status 2."""
    monkeypatch.setenv("AFTERSHOCK_INDEX", str(ready))
    assert_one_sentence(run(*arguments), 2, part)


def test_a_taken_port(run: Run, ready: Path) -> None:
    """A port that is in use is one sentence and status 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_one_sentence(run("chat", "--no-browser", "--port", port, "--index", ready), 2, f"Port {port} is in use")


# Evaluation


def test_eval_scores_a_set(run: Run, ready: Path, tmp_path: Path) -> None:
    """`eval event` prints the share of right answers over all and by kind, and with --verbose the wrong answers."""
    questions = tmp_path / "questions.jsonl"
    entries = [
        {"id": "1", "kind": "figure", "question": QUESTION, "expect": [["589"]]},
        {"id": "2", "kind": "figure", "question": QUESTION, "expect": [["no such figure"]]},
    ]
    questions.write_text("\n".join(map(json.dumps, entries)), encoding="utf-8")
    scores = run("eval", "event", questions, "--index", ready, "--json").json
    assert (scores["summary"]["questions"], scores["summary"]["right"]) == (2, 0.5)
    assert scores["kinds"]["figure"] == {"questions": 2, "right": 0.5}
    ran = run("eval", "event", questions, "--index", ready, "--verbose")
    assert ran.status == 0
    assert f"2 {QUESTION}" in ran.out
    assert f"1 {QUESTION}" not in ran.out


def test_eval_of_a_file_that_cannot_be_read(run: Run, ready: Path, tmp_path: Path) -> None:
    """A missing file and one of another form are one sentence and status 1."""
    assert_one_sentence(run("eval", "event", tmp_path / "none", "--index", ready), 1, "can't be read")
    (tmp_path / "other").write_text("{}", encoding="utf-8")
    assert_one_sentence(run("eval", "event", tmp_path / "other", "--index", ready), 1, "form of the event set")


# Whole processes


def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    """A process of the command line; options are added to its environment."""
    return subprocess.Popen(
        [sys.executable, "-m", "ui.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, **options},
    )


def test_help_imports_nothing_heavy() -> None:
    """`aftershock --help` lists the commands, those that evals adds too, without loading what makes a start slow."""
    code = (
        "import sys; from ui.cli import main; status = main(['--help']); "
        "heavy = {'torch', 'numpy', 'chromadb', 'gradio', 'langchain_core', 'sentence_transformers', 'httpx', 'mcp', "
        "'openai', 'fastapi'}; "
        "sys.exit(status or ', '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("ask", "search", "ingest", "chat", "doctor", "eval", "--install-completion", "--version"):
        assert command in done.stdout


def test_the_process_ends_with_the_status() -> None:
    """The status of a whole process is the one that the command line returns."""
    process = start("ask", "")
    out, err = process.communicate()
    assert process.returncode == 2
    assert out == ""
    assert err.startswith("The question is empty")
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [["--help"], ["doctor"], ["doctor", "--json"]])
def test_a_closed_pipe_is_silent(arguments: list[str]) -> None:
    """A reader that has had enough, such as `head -1`, causes no complaint."""
    process = start(*arguments, PYTHONUNBUFFERED="")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.wait()
    process.stderr.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_the_answer(ready: Path) -> None:
    """Ctrl-C in the middle of an answer stops the model and ends with one line and status 130."""
    asked = Signal()

    def answer(_: dict[str, Any]) -> Reply:
        asked.set()
        return [Hang()]

    with OllamaServer(answer=answer) as server:
        process = start("ask", QUESTION, "--index", ready, AFTERSHOCK_OLLAMA_HOST=server.url)
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (130, "", "Interrupted.\n")
        assert server.chats[0].gone.wait(30)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_chat_serves_the_page(ready: Path) -> None:
    """`chat` says where the page is, serves it, and ends with Ctrl-C."""
    process = start("chat", "--no-browser", "--index", ready)
    assert process.stderr is not None
    line = process.stderr.readline()
    address = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
    assert httpx.get(f"{address}healthz", trust_env=False).json()["ready"]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0
