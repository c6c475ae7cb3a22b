"""`aftershock model`: what there is, getting, choosing and removing a model, and what goes wrong with that."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.ollama_server import Cut, Failure, Hang, Model, OllamaServer
from tests.test_cli import Run, assert_one_sentence, run
from ui import preferences

__all__ = ["run"]

R1 = Model("deepseek-r1:8b")
SMALL = Model("llama3.2:1b", size=2**30, family="llama")
GIB = 2**30

Serve = Callable[..., OllamaServer]


@pytest.fixture(autouse=True)
def _own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has preferences of its own, on a machine with 16 GiB of memory and no graphics."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(tmp_path))
    memory = psutil.virtual_memory()._replace(total=16 * GIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts a model server that the commands find."""
    started: list[OllamaServer] = []

    def start(*models: Model, at: float | None = None, breaks: Cut | Hang | Failure | None = None) -> OllamaServer:
        server = OllamaServer(models, pull_breaks_at=at, pull_break=breaks or Cut())
        server.__enter__()
        started.append(server)
        monkeypatch.setenv("AFTERSHOCK_OLLAMA_HOST", server.url)
        return server

    yield start
    for server in started:
        server.__exit__()


def test_list_shows_what_is_there_and_what_suits(run: Run, serve: Serve) -> None:
    """Each model has a line with its size and need, the one that answers a star, and the recommendation its reason."""
    server = serve(R1, SMALL, Model("huge:700b", size=400 * GIB))
    ran = run("model", "list")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f"On Ollama 0.12.6 at {server.url}:",
        "  * deepseek-r1:8b      4.9 GiB  needs 7.6 GiB of memory",
        "    llama3.2:1b         1.0 GiB  needs 2.8 GiB of memory",
        "    huge:700b         400.0 GiB  needs 501.5 GiB of memory: too much for this machine",
        "To be had with 'aftershock model pull NAME':",
        "    deepseek-r1:1.5b    1.0 GiB  needs 2.8 GiB of memory",
        "    deepseek-r1:7b      4.4 GiB  needs 7.0 GiB of memory",
        "    deepseek-r1:14b     8.4 GiB  needs 12.0 GiB of memory",
        "    deepseek-r1:32b    18.6 GiB  needs 24.8 GiB of memory: too much for this machine",
        "    deepseek-r1:70b    40.0 GiB  needs 51.6 GiB of memory: too much for this machine",
        "Recommended:",
        "    deepseek-r1:8b: it needs 7.6 GiB of this machine's 16.0 GiB of memory; a larger one would fit, but be "
        "slow without a graphics card that holds it",
        "Answers come from:",
        "    ollama/deepseek-r1:8b (chosen: auto)",
    ]


def test_list_as_json_is_the_record(run: Run, serve: Serve) -> None:
    """A script gets the machine, the models with size, need and fit, the choice and the recommendation."""
    serve(R1)
    record = run("model", "list", "--json").json
    assert record["installed"] == [
        {
            "name": "deepseek-r1:8b",
            "size": R1.size,
            "memory": 8142332794,
            "fits": True,
            "installed": True,
            "on_card": None,
        }
    ]
    assert (record["chosen"], record["answers"]) == ("auto", "ollama/deepseek-r1:8b")
    assert record["recommended"]["name"] == "deepseek-r1:8b"
    assert record["machine"]["memory"] == 16 * GIB
    assert [choice["name"] for choice in record["offered"] if choice["fits"]] == [
        "deepseek-r1:1.5b",
        "deepseek-r1:7b",
        "deepseek-r1:14b",
    ]


@pytest.mark.parametrize(
    "arguments", [["list"], ["pull", "deepseek-r1:8b"], ["remove", "--yes", "deepseek-r1:8b"]], ids=lambda a: a[0]
)
@pytest.mark.parametrize(
    ("platform", "there", "advice"),
    [
        ("linux", False, "install Ollama with `curl -fsSL https://ollama.com/install.sh | sh`"),
        ("darwin", False, "install Ollama with `brew install ollama`"),
        ("win32", False, "install Ollama with `winget install Ollama.Ollama`"),
        ("linux", True, "start it with `ollama serve`"),
    ],
)
def test_without_a_server_one_sentence_says_what_to_do(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], platform: str, there: bool, advice: str
) -> None:
    """Where Ollama isn't installed the platform's command is named, and where it doesn't run how to start it."""
    monkeypatch.setattr("shutil.which", lambda _: "ollama" if there else None)
    monkeypatch.setattr("sys.platform", platform)
    assert_one_sentence(run("model", *arguments), 1, "No model server answers", advice)


@pytest.mark.parametrize("group", ["model", "conversations"])
def test_a_group_alone_shows_its_commands(run: Run, group: str) -> None:
    """Without a command the group's help is shown, and that is no failure."""
    ran = run(group)
    assert (ran.status, ran.err) == (0, "")
    assert "list" in ran.out


def test_pull_gets_a_model(run: Run, serve: Serve) -> None:
    """A pulled model is on the server, and the sentence says how to choose it."""
    server = serve()
    ran = run("model", "pull", "deepseek-r1:8b")
    assert (ran.status, ran.err) == (0, "")
    assert "aftershock model use deepseek-r1:8b" in ran.out
    assert "deepseek-r1:8b" in server.models


def test_pull_shows_a_bar_on_a_terminal(run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the download's progress is shown, in bytes."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    serve()
    ran = run("model", "pull", "deepseek-r1:8b")
    assert ran.status == 0
    assert "1.0/1.0 MB" in ran.err


def test_a_broken_pull_is_one_sentence_and_goes_on(run: Run, serve: Serve) -> None:
    """A pull that breaks says where and that it can go on, and the same command then does."""
    server = serve(at=0.6)
    assert_one_sentence(run("model", "pull", "deepseek-r1:8b"), 1, "broke off at 50%", "goes on from there")
    assert run("model", "pull", "deepseek-r1:8b").status == 0
    assert "deepseek-r1:8b" in server.models


def test_no_room_is_refused_unless_forced(run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that the disk has no room for is refused, unless the user knows better."""
    server = serve(at=0.2, breaks=Hang())
    monkeypatch.setattr("rag.machine.free_room", lambda _: GIB)
    assert_one_sentence(run("model", "pull", "deepseek-r1:8b"), 1, "only 1.0 GiB are free")
    assert server.models == {}
    server.pull_breaks_at = None  # the first one may have gone before its hang was reached
    assert run("model", "pull", "deepseek-r1:8b", "--force").status == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_cancels_a_pull(serve: Serve) -> None:
    """Ctrl-C closes the connection, so that the server stops, and says how far it came and how to go on."""
    server = serve(at=0.6, breaks=Hang())
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "model", "pull", "deepseek-r1:8b"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert server.hanging.wait(60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    go_on = "'aftershock model pull deepseek-r1:8b' goes on from there, unless Ollama is restarted."
    assert re.fullmatch(rf"Cancelled at \d+%: {go_on}\n", err)
    assert server.requests[-1].gone.wait(30)


def test_use_remembers_the_choice(run: Run, serve: Serve) -> None:
    """A chosen model is used from then on, until another is chosen."""
    serve(R1, SMALL)
    assert run("model", "use", "llama3.2:1b").out == "From now on: ollama:llama3.2:1b.\n"
    assert run("model", "list", "--json").json["answers"] == "ollama/llama3.2:1b"
    assert run("model", "use", "quotes").status == 0
    assert "the articles' own words" in run("model", "list").out
    assert run("model", "use", "auto").status == 0
    assert preferences.read() == {"model": "auto"}


def test_a_model_that_is_not_there_cannot_be_chosen(run: Run, serve: Serve) -> None:
    """A mistyped name is told now, and not with the next question."""
    serve(R1)
    assert_one_sentence(run("model", "use", "deepseek-r1:9b"), 1, "has no model deepseek-r1:9b")
    assert preferences.read() == {}


def test_a_choice_that_cannot_be_checked_is_kept_with_a_word(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a server the choice counts all the same, and both that and a stronger environment variable are said."""
    assert "It is chosen all the same." in run("model", "use", "deepseek-r1:8b").err
    assert preferences.read() == {"model": "ollama:deepseek-r1:8b"}
    monkeypatch.setenv("AFTERSHOCK_MODEL", "quotes")
    ran = run("model", "use", "auto")
    assert ran.status == 0
    assert "AFTERSHOCK_MODEL is set, and wins" in ran.err


def test_damaged_preferences_are_told_once(run: Run, serve: Serve) -> None:
    """A damaged file doesn't keep a command from working."""
    serve(R1)
    preferences.location().parent.mkdir(parents=True, exist_ok=True)
    preferences.location().write_text("{")
    ran = run("model", "list")
    assert ran.status == 0
    assert ran.err.count("\n") == 1
    assert "are damaged" in ran.err


def test_remove_asks_first(run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model is deleted when the user says yes, kept when not, and one that isn't there is named."""
    server = serve(R1)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run("model", "remove", "deepseek-r1:8b").status == 130
    assert list(server.models) == ["deepseek-r1:8b"]
    assert run("model", "remove", "--yes", "deepseek-r1:8b").out == "deepseek-r1:8b is gone.\n"
    assert server.models == {}
    assert_one_sentence(run("model", "remove", "--yes", "deepseek-r1:8b"), 1, "has no model deepseek-r1:8b")
