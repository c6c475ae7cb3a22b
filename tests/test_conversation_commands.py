"""`aftershock conversations`: what the page saved, on the command line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from evals import event
from rag.records import Answer
from tests.test_cli import Run, assert_one_sentence, run
from ui.conversation_file import location
from ui.conversations import Conversations, Visitor

__all__ = ["run"]


@pytest.fixture(autouse=True)
def anna(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """A visitor of the page, in a directory of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(tmp_path))
    return Conversations.open().of("anna")


def ask(visitor: Visitor, question: str) -> str:
    """The id of a new conversation."""
    made = visitor.create()
    visitor.append(made, Answer(question, "Liang \x1b[31m founded DeepSeek.", reasoning="Secret."))
    return made


def test_conversations_are_listed_and_found(run: Run, anna: Visitor) -> None:
    """Each conversation is a line with the beginning of its id, its day and its title, and words find it."""
    made = ask(anna, "Who is Liang?")
    line = f"{made[:8]}  {anna.get(made).about.changed[:10]}  Who is Liang?\n"
    assert run("conversations", "list").out == line
    assert [entry["id"] for entry in run("conversations", "list", "--json").json] == [made]
    ran = run("conversations", "search", "founded")
    assert ran.out.startswith(f"{made[:8]}  Who is Liang?\n")
    assert run("conversations", "search", "founded", "--json").json[0]["conversation"]["id"] == made
    assert "No conversation has these words." in run("conversations", "search", "Broadcom").err


def test_nothing_saved_yet_is_said(run: Run) -> None:
    """Empty lists come with a word on standard error, and no failure."""
    for command, word in (("list", "aftershock chat"), ("feedback", "thumb")):
        ran = run("conversations", command)
        assert (ran.status, ran.out) == (0, "")
        assert word in ran.err


def test_export_prints_markdown_or_json(run: Run, anna: Visitor) -> None:
    """A conversation is exported whole, by the beginning of its id, without the thinking."""
    made = ask(anna, "Who is Liang?")
    markdown = run("conversations", "export", made[:6]).out
    assert markdown.startswith("# Who is Liang?\n")
    record = run("conversations", "export", made, "--format", "json").json
    assert record["turns"][0]["answer"]["question"] == "Who is Liang?"
    assert "Secret" not in markdown + json.dumps(record)


def test_a_terminal_is_not_commanded(run: Run, anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model said doesn't reach a terminal as its control characters."""
    made = ask(anna, "Who is Liang?")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m" not in run("conversations", "export", made).out


def test_an_id_must_tell_one_conversation(run: Run, anna: Visitor) -> None:
    """An id that fits none or several is one sentence."""
    ask(anna, "One?")
    ask(anna, "Two?")
    assert_one_sentence(run("conversations", "export", "x"), 1, "No conversation has an id that begins with 'x'")
    assert_one_sentence(run("conversations", "export", ""), 1, "Several conversations")


def test_delete_asks_first(run: Run, anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversation goes for good when the user says yes, and stays when not."""
    made = ask(anna, "Who is Liang?")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run("conversations", "delete", made).status == 130
    assert len(anna.listed()) == 1
    assert run("conversations", "delete", made[:8], "--yes").out == "“Who is Liang?” is gone.\n"
    assert anna.listed() == []
    assert b"Liang" not in location().read_bytes()


def test_feedback_becomes_a_question_file(run: Run, anna: Visitor, tmp_path: Path) -> None:
    """Rated answers are printed as the evaluation reads them."""
    made = ask(anna, "Who is Liang?")
    anna.rate(made, 1, "down", "Say more.")
    place = tmp_path / "feedback.jsonl"
    place.write_text(run("conversations", "feedback").out, encoding="utf-8")
    [question] = event.read(place)
    assert (question.kind, question.turns) == ("disliked", ("Who is Liang?",))


def test_a_damaged_file_is_told(run: Run, anna: Visitor) -> None:
    """The sentence about a file that was moved aside reaches the user."""
    ask(anna, "Who is Liang?")
    location().write_bytes(b"no database" * 100)
    ran = run("conversations", "list", "--json")
    assert ran.json == []
    assert "is kept at" in ran.err
