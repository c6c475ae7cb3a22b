from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pytest

from ingest import watch as module
from ingest.watch import watch
from ui.cli import main

LONGEST = 30
"""Seconds; a wait that long means that it will never come."""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET", 0.05)
    monkeypatch.setattr(module, "RETRY", 0.05)


@contextmanager
def watching(*paths: Path, works: Callable[[], bool] = lambda: True) -> Iterator[Callable[..., None]]:
    """A watch in a thread; yields a function that waits until the action finds just the files named."""
    seen: queue.Queue[set[str]] = queue.Queue()
    stop = threading.Event()

    def action() -> bool:
        if not works():
            return False
        found = [p for path in paths for p in (path.rglob("*") if path.is_dir() else [path]) if p.is_file()]
        seen.put({path.name for path in found} | {path.read_text() for path in found})
        return True

    def until(*expected: str) -> None:
        while seen.get(timeout=LONGEST) != set(expected):
            pass

    thread = threading.Thread(target=watch, args=(paths, action), kwargs={"leave": Path("index"), "stop": stop})
    thread.start()
    try:
        yield until
    finally:
        stop.set()
        thread.join(LONGEST)
    assert not thread.is_alive()


def test_each_change_is_followed(tmp_path: Path) -> None:
    """The action runs at once, after a new file, also in a new folder, and after one has gone."""
    with watching(tmp_path) as until:
        until()
        (tmp_path / "a.md").write_text("one")
        until("a.md", "one")
        (tmp_path / "deep" / "er").mkdir(parents=True)
        (tmp_path / "deep" / "er" / "b.md").write_text("two")
        until("a.md", "one", "b.md", "two")
        (tmp_path / "a.md").unlink()
        until("b.md", "two")


def test_what_changes_during_the_action_is_not_missed(tmp_path: Path) -> None:
    """A file that comes at the end of the action, even of the first, has it run again."""
    files = iter(["a.md", "b.md"])

    def found_before_writing() -> bool:
        found = {path.name for path in tmp_path.iterdir()}
        if name := next(files, ""):
            (tmp_path / name).write_text("x")
        seen.append(found)
        return True

    seen: list[set[str]] = []
    with watching(tmp_path, works=found_before_writing) as until:
        until("a.md", "b.md", "x")
        while {"a.md", "b.md"} not in seen:
            until("a.md", "b.md", "x")


def test_what_could_not_be_done_is_tried_again(tmp_path: Path) -> None:
    """While another process writes the index, say, the action is called until it could do its work."""
    answers = iter([False, False, True])
    with watching(tmp_path, works=lambda: next(answers)) as until:
        until()
    assert next(answers, None) is None


def test_a_folder_that_vanishes_is_waited_for(tmp_path: Path) -> None:
    """A folder that goes and comes back, or was not there at first, is noticed each time."""
    folder = tmp_path / "disk"
    with watching(folder) as until:
        until()
        folder.mkdir()
        (folder / "a.md").write_text("one")
        until("a.md", "one")
        folder.rename(tmp_path / "gone")
        until()
        (tmp_path / "gone").rename(folder)
        until("a.md", "one")


def test_a_file_that_an_editor_replaces_is_followed(tmp_path: Path) -> None:
    """A file named by itself is followed also when another is put in its place, as editors do."""
    file = tmp_path / "a.md"
    file.write_text("one")
    with watching(file) as until:
        until("a.md", "one")
        (tmp_path / "new").write_text("two")
        (tmp_path / "new").replace(file)
        until("a.md", "two")


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("/a/news.md", True),
        ("/a/deep/news.docx", True),
        ("/a", True),
        ("/a/.git/index", False),
        ("/a/.news.md.swp", False),
        ("/a/news.md~", False),
        ("/a/~$news.docx", False),
        ("/a/news.pdf.part", False),
        ("/a/index/current", False),
        ("/a/index", False),
        ("/a/.hidden/b/news.md", True),
        ("/b/news.md", False),
    ],
)
def test_which_files_count(path: str, counts: bool) -> None:
    """Hidden and unfinished files and the index itself cause no work; a hidden folder that was named does."""
    folders = [PurePosixPath("/a"), PurePosixPath("/a/.hidden/b")]
    assert module._counts(PurePosixPath(path), folders, PurePosixPath("/a/index")) is counts


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_the_command_follows_changes_until_it_is_interrupted(tmp_path: Path, corpus_index: Path) -> None:
    """`ingest --watch` reports at once and after each change, and Ctrl-C ends it with status 130 and a sentence."""
    index, folder = tmp_path / "index", tmp_path / "news"
    shutil.copytree(corpus_index, index)
    folder.mkdir()
    (folder / "a.md").write_text("# One\n\nSome words of the first article.")
    command = [sys.executable, "-m", "ui.cli", "ingest", str(folder), "--watch", "--json", "--index", str(index)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert next_record(process.stdout)["added"] == 1
        (folder / "b.txt").write_text("Two\n\nSome words of the second article.")
        assert next_record(process.stdout)["added"] == 1
        (folder / "a.md").unlink()
        assert next_record(process.stdout)["removed"] == 1
        process.send_signal(signal.SIGINT)
        said = process.stderr.read().splitlines()
        assert process.wait(LONGEST) == 130
    assert said[-1] == "Interrupted."
    assert said[0] == "Watching for changes; Ctrl-C ends it."


def next_record(output: IO[str]) -> Any:
    """The next JSON record that a command prints, which may have several lines."""
    text = ""
    while True:
        line = output.readline()
        assert line, "it has ended"
        text += line
        with suppress(json.JSONDecodeError):
            return json.loads(text)


def test_only_files_are_watched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Addresses, nothing at all, and options that ask for one run don't go with it."""
    for arguments in ([], ["https://news.example/"], [str(tmp_path), "--dry-run"], [str(tmp_path), "--rebuild"]):
        assert main(["ingest", "--watch", *arguments, "--index", str(tmp_path / "index")]) == 2
        assert "--watch" in capsys.readouterr().err
