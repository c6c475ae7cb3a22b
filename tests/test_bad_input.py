"""Files and folders that no newsroom means to have, and each has."""

import json
import os
import socket
import sys
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pytest

from ingest import sync
from ingest.load import MOST_BYTES, files, load, shown
from rag import Settings
from rag.embed import MiniLM
from tests.test_archives import packed

PARAGRAPH = "The chip maker's shares fell on Monday after a laboratory in Hangzhou had shown its model. " * 6

posix = pytest.mark.skipif(sys.platform == "win32", reason="there are none on Windows")


def reason(path: Path) -> str:
    (loaded,) = load(path)
    assert loaded.article is None
    return loaded.reason


def listed(folder: Path) -> list[str]:
    return [Path(path).relative_to(folder).as_posix() for path in files(folder)[0]]


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Text.")


def test_patterns_leave_out_what_they_name(tmp_path: Path) -> None:
    """Drafts and templates that lie beside the articles need not be moved away."""
    write(tmp_path, "a.md", "draft-b.md", "drafts/c.md", "sub/d.md", "sub/keep/draft-e.md", "sub/keep/f.md", "g.tmp")
    (tmp_path / ".aftershockignore").write_text("# not ready\ndraft-*\ndrafts/\n*.tmp\n")
    (tmp_path / "sub" / "keep" / ".aftershockignore").write_text("!draft-e.md\n/f.md\n")
    assert listed(tmp_path) == ["a.md", "sub/d.md", "sub/keep/draft-e.md"]
    assert files(tmp_path)[1] == []


def test_each_file_behind_links_is_read_once_and_loops_end(tmp_path: Path) -> None:
    """Links that lead out of the folder were put there to be followed; those that lead upwards would never end."""
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    write(folder, "a.md", "sub/b.md")
    write(outside, "c.md", "deep/d.md")
    try:
        (folder / "sub" / "up").symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("this system lets no links be made")
    (folder / "0.md").symlink_to(folder / "a.md")
    (folder / "out").symlink_to(outside, target_is_directory=True)
    (folder / "sub" / "out-again").symlink_to(outside, target_is_directory=True)
    (outside / "back").symlink_to(folder, target_is_directory=True)
    (folder / "top").symlink_to(tmp_path, target_is_directory=True)
    assert listed(folder) == ["a.md", "out/c.md", "out/deep/d.md", "sub/b.md"]


@posix
def test_links_to_nothing_are_named(tmp_path: Path) -> None:
    """A link whose file is gone, or that leads to itself, is an article that is missing."""
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere.md")
    (tmp_path / "loop.md").symlink_to(tmp_path / "loop.md")
    assert listed(tmp_path) == ["gone.md", "loop.md"]
    assert reason(tmp_path / "gone.md") == "it can't be read (No such file or directory)"
    assert reason(tmp_path / "loop.md") == "it can't be read (Too many levels of symbolic links)"


@posix
@pytest.mark.parametrize("name", ["fifo.md", "fifo.jsonl", "fifo.zip"])
def test_a_pipe_is_never_opened(tmp_path: Path, name: str) -> None:
    """Opening one waits for a writer that may never come."""
    os.mkfifo(tmp_path / name)
    assert listed(tmp_path) == [name]
    assert reason(tmp_path / name) == "it is a pipe and not a file"


@posix
def test_sockets_and_devices_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a device may do anything, and need not end."""
    monkeypatch.chdir(tmp_path)  # a socket's path has to be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.md")
        assert reason(tmp_path / "socket.md") == "it is a socket and not a file"
    (tmp_path / "zero.md").symlink_to("/dev/zero")
    assert listed(tmp_path) == ["socket.md", "zero.md"]
    assert reason(tmp_path / "zero.md") == "it is a device and not a file"


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="nothing is forbidden to root")
def test_what_is_forbidden_is_named(tmp_path: Path) -> None:
    """A folder that can't be listed may hold articles."""
    write(tmp_path, "a.md", "closed/b.md")
    (tmp_path / "a.md").chmod(0)
    (tmp_path / "closed").chmod(0)
    assert listed(tmp_path) == ["a.md", "closed"]
    assert reason(tmp_path / "a.md") == "it can't be read (Permission denied)"
    assert reason(tmp_path / "closed") == "it is a folder that can't be listed"
    (tmp_path / "closed").chmod(0o700)


def test_a_file_of_two_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    """Memory stays bounded whatever is in a folder."""
    path = tmp_path / "large.md"
    with path.open("wb") as file:
        file.truncate(2**31)
    assert reason(path) == "it is larger than 64 MB; split it up, or make an export of it"


def test_an_export_larger_than_any_document_is_read(tmp_path: Path) -> None:
    """Exports grow without end, and are read a block at a time; line numbers go on counting."""
    path = tmp_path / "export.jsonl"
    line = json.dumps({"title": "A", "text": PARAGRAPH, "photo": "x" * 2**20}).encode() + b"\n"
    with path.open("wb") as file:
        for _ in range(70):
            file.write(line)
        file.write(b"{}\n")
    *found, last = load(path)
    assert path.stat().st_size > MOST_BYTES
    assert [loaded.place for loaded in found if loaded.article] == [f"{path}:{number}" for number in range(1, 71)]
    assert (last.place, last.reason) == (f"{path}:71", "it holds no text")


def test_a_line_that_is_too_long_costs_only_itself(tmp_path: Path) -> None:
    """A sparse hole in an export, or one that was never broken into lines, takes no memory."""
    path = tmp_path / "export.jsonl"
    good = json.dumps({"title": "A", "text": PARAGRAPH}).encode()
    with path.open("wb") as file:
        file.write(good + b"\n")
        file.seek(MOST_BYTES * 2, os.SEEK_CUR)
        file.write(b"\n" + good)
    first, long, last = load(path)
    assert first.article
    assert (long.place, long.reason) == (f"{path}:2", "the line is longer than 64 MB")
    assert last.article
    assert last.place == f"{path}:3"


def test_an_export_that_grows_while_it_is_read_says_so(tmp_path: Path) -> None:
    """What stood in it at first is read, and the user learns that there is more."""
    path = tmp_path / "export.jsonl"
    line = json.dumps({"title": "A", "text": PARAGRAPH}).encode() + b"\n"
    path.write_bytes(line)
    found = load(path)
    assert next(found).article
    with path.open("ab") as file:
        file.write(line)
    assert [loaded.reason for loaded in found] == [
        "it changed while it was read; ingest it again when nothing writes to it any more"
    ]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs a file that is never as large as it says")
def test_a_document_that_changes_while_it_is_read_says_so() -> None:
    """Half of the old and half of the new version is an article that nobody wrote."""
    assert reason(Path("/proc/self/status")).startswith("it changed while it was read")


@posix
def test_a_name_that_is_no_text_is_shown_and_read(tmp_path: Path) -> None:
    """Names from old systems are bytes in an encoding that nobody wrote down."""
    path = tmp_path / os.fsdecode(b"caf\xe9\n.md")
    try:
        path.write_text("Text.")
    except OSError:
        pytest.skip("this file system takes only names that are text")
    (found,) = files(tmp_path)[0]
    (loaded,) = load(Path(found))
    assert loaded.article
    assert loaded.place == f"{tmp_path}/caf\\udce9\\n.md"
    assert json.dumps([loaded.place, loaded.article.id, loaded.article.title], ensure_ascii=False).encode("utf-8")


def test_names_in_all_the_worlds_scripts_are_shown_as_they_are() -> None:
    """Only what can't be printed is written out."""
    assert shown(Path("Çé 深度求索 \u00a0x.md")) == "Çé 深度求索 \u00a0x.md"


def test_a_path_that_is_too_long_is_one_sentence(tmp_path: Path) -> None:
    """Deep archives reach the limits of the file system."""
    path = tmp_path.joinpath(*["x" * 200] * 30, "a.md")
    assert "can't be read" in reason(path) or sys.platform == "win32"


@pytest.mark.parametrize("suffix", ["md", "txt", "html", "jsonl", "zip"])
def test_empty_files_say_that_they_are_empty(tmp_path: Path, suffix: str) -> None:
    """An empty file is a save that went wrong."""
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"")
    assert reason(path) in ("the file is empty", "it is not a zip archive, or a damaged one (File is not a zip file)")


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "laugh">'
    + "".join(f'<!ENTITY {x} "{f"&{y};" * 10}">' for y, x in zip("abcdefghi", "bcdefghij", strict=True))
    + "]><rss version='2.0'><channel><title>&j;</title><item><title>&j;</title>"
    "<description>&j;</description></item></channel></rss>"
)
BAD = {
    "nul.md": b"Te\0xt.",
    "nul.html": b"<html><body><article><p>\0\0</p></article></body></html>" + b"\0" * 1000,
    "nul.jsonl": b'{"title": "A", "text": "\0"}',
    "line.md": b"some words " * 2**20,
    "line.txt": b"x" * 10 * 2**20,
    "line.html": b"<p>" + b"x" * 10 * 2**20,
    "line.jsonl": b'{"title": "A", "text": "' + b"x" * 10 * 2**20,
    "nested.html": b"<html><body>" + b"<div>" * 10_000 + PARAGRAPH.encode() + b"</div>" * 10_000 + b"</body></html>",
    "nested.jsonl": b'{"title": "A", "text": ' + b"[" * 10**6,
    "nested.md": b"---\na: " + b"[" * 5_000 + b"\n---\nText.",
    "laughs.md": b"---\na: &a [x, x, x, x, x, x, x, x, x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (y, y, b", ".join([b"*%c" % x] * 9)) for x, y in pairwise(b"abcdefghi"))
    + b"title: *i\npublished: *i\n---\nText.",
    "laughs.html": LAUGHS.encode(),
    "laughs.xml": LAUGHS.encode(),
    "numbers.jsonl": b'{"title": "A", "text": "Text.", "id": ' + b"9" * 100_000 + b"}",
    "surrogate.jsonl": b'{"title": "A\\udcff", "text": "\\ud800 Text.", "outlet": "\\udfff"}',
    "date.jsonl": b'{"title": "A", "text": "Text.", "published": "' + b"1 " * 10**5 + b'"}',
    "noise.md": bytes(range(256)) * 100,
    "noise.zip": bytes(range(256)) * 100,
}


@pytest.mark.parametrize("name", BAD)
def test_hostile_content_is_an_article_or_a_sentence(tmp_path: Path, name: str) -> None:
    """Whatever is in a file, the run goes on, and what comes of it can be stored and shown."""
    path = tmp_path / name
    path.write_bytes(BAD[name])
    found = list(load(path))
    assert found
    for loaded in found:
        assert bool(loaded.article) != bool(loaded.reason)
        assert len(loaded.reason) < 400
        assert loaded.reason.isprintable()
        assert "\0" not in repr(loaded)
        assert json.dumps(asdict(loaded), ensure_ascii=False).encode()


def test_one_bad_file_in_an_archive_costs_only_itself(tmp_path: Path) -> None:
    """Archives are read by the same limits, file by file."""
    path = tmp_path / "a.zip"
    path.write_bytes(packed({"a.md": b"Text.", "b.md": b"\0", "c.txt": b"Text."}))
    assert [bool(loaded.article) for loaded in load(path)] == [True, False, True]


@posix
def test_a_sync_survives_names_and_kinds_that_no_one_would_give(tmp_path: Path, embedder: MiniLM) -> None:
    """What can be read goes in under a name that can be stored, is known again, and goes when its file is gone."""
    folder = tmp_path / "folder"
    write(folder, "a.md")
    odd = folder / os.fsdecode(b"caf\xe9")
    try:
        odd.mkdir()
    except OSError:
        pytest.skip("this file system takes only names that are text")
    (odd / "b\n.md").write_text("Other text.")
    (folder / "c.zip").write_bytes(packed({"d.md": b"More text.", "photo.jpg": b"x"}))
    os.mkfifo(folder / "pipe.md")
    (folder / "loop").symlink_to(folder / "loop")
    settings = Settings(tmp_path / "index")
    first = sync([folder, folder / "loop", folder / "x\0"], settings, embedder=embedder)
    assert first.added == 3
    assert [place.removeprefix(str(tmp_path)) for place, _ in first.failed] == [
        "/folder/loop",
        "/folder/x\\x00",
        "/folder/pipe.md",
    ]
    assert [place.removeprefix(str(folder)) for place in first.ignored] == ["/loop", "/c.zip/photo.jpg"]
    assert sync([odd], settings, embedder=embedder).unchanged == 1
    (odd / "b\n.md").unlink()
    again = sync([folder], settings, embedder=embedder)
    assert (again.added, again.unchanged, again.removed) == (0, 2, 1)
