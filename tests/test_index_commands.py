"""`aftershock index verify` and `rebuild`: every kind of damage is found, named and mended."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest import polite, rebuild, sync
from ingest.verify import verify
from rag import generations
from rag.embed import MiniLM
from rag.errors import IndexDamagedError, IndexMismatchError
from rag.index import Index
from rag.settings import Settings
from tests.quick_embedder import QuickEmbedder
from tests.web_server import WebServer, html
from ui.cli import main

TEXTS = {
    "nvidia": "Nvidia lost $589 billion of market value. Its shares fell 17%.\n\nThe Nasdaq fell 3.1% on the same day.",
    "italy": "Italy blocked the DeepSeek app on 30 January 2025. Other regulators asked questions.",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index in order. Not to be written to."""
    folder = tmp_path_factory.mktemp("news")
    for name, text in TEXTS.items():
        (folder / f"{name}.md").write_text(f"---\nid: {name}\ntitle: {name}\n---\n{text}\n", encoding="utf-8")
    index = folder.parent / f"{folder.name}-index"
    sync([folder], Settings(index), embedder=QuickEmbedder())
    # What the index holds must do: the files are gone.
    shutil.rmtree(folder)
    return index


@pytest.fixture
def index(sound: Path, tmp_path: Path) -> Path:
    """An index in order, to be broken."""
    return Path(shutil.copytree(sound, tmp_path / "index"))


def change(index: Path, *statements: str) -> None:
    with closing(sqlite3.connect(generations.current(index) / "articles.sqlite")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def change_chroma(index: Path, action: Callable[..., None]) -> None:
    from chromadb import PersistentClient
    from chromadb.config import Settings as ChromaSettings

    settings = ChromaSettings(anonymized_telemetry=False)
    client: Any = PersistentClient(str(generations.current(index) / "chroma"), settings=settings)
    with closing(client):
        action(client.get_collection("passages-0", embedding_function=None))


def kinds(index: Path) -> set[str]:
    return {fault.kind for fault in verify(index).faults}


def test_a_sound_index_is_found_in_order(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is wrong with what an ingest has made, and the command says so with status 0."""
    assert main(["index", "verify", "--index", str(sound)]) == 0
    assert capsys.readouterr().out == f"The index at {sound} is in order: 2 articles in 2 passages.\n"
    assert main(["index", "verify", "--index", str(sound), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"articles": 2, "passages": 2, "faults": []}


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("content", "UPDATE article SET text = replace(text, '589', '598')"),
        ("content", "UPDATE article SET published = '2025-01-27'"),
        ("story", "UPDATE article SET story = 'nobody' WHERE id = 'italy'"),
        ("orphan", "DELETE FROM article WHERE id = 'italy'"),
        ("offsets", 'UPDATE passage SET "end" = "end" + 1'),
        ("offsets", "UPDATE passage SET sentences = '[[5, 3]]'"),
        ("lost", "DELETE FROM passage WHERE article_id = 'italy'"),
        ("embedding", "UPDATE passage SET vector = zeroblob(1536)"),
        ("embedding", "UPDATE passage SET vector = substr(vector, 5)"),
        ("embedding", "UPDATE passage SET vectors = zeroblob(768)"),
        ("text", "UPDATE passage SET text = 'other words' WHERE id = 1"),
        ("terms", "UPDATE passage SET words = zeroblob(12) WHERE id = 1"),
        ("terms", "UPDATE passage SET words = substr(words, 2) WHERE id = 1"),
        ("search terms", "DELETE FROM posting WHERE word = (SELECT min(word) FROM posting)"),
        ("search terms", "UPDATE posting SET counts = zeroblob(length(counts))"),
        ("search terms", "INSERT INTO posting VALUES (9, 1, zeroblob(2), zeroblob(1))"),
        ("search terms", "DELETE FROM segment"),
        ("missing vector", "UPDATE passage SET id = 77 WHERE id = 1"),
        ("orphaned vector", "UPDATE passage SET id = 77 WHERE id = 1"),
        ("other vector", "UPDATE passage SET vector = (SELECT vector FROM passage ORDER BY id LIMIT 1)"),
    ],
)
def test_each_kind_of_damage_in_sqlite_is_found_and_mended(index: Path, kind: str, statement: str) -> None:
    """What doesn't follow from the articles is named; made anew from the articles, the index is in order again."""
    change(index, statement)
    assert kind in kinds(index)
    rebuild(Settings(index), embedder=QuickEmbedder())
    left = {fault.kind for fault in verify(index).faults}
    # Nothing can say what a changed article held before; its digest tells whoever has the file.
    assert left <= ({"content"} if kind == "content" else set())


def test_vectors_lost_from_chroma_are_found_and_restored_without_embedding(index: Path) -> None:
    """Chroma follows from SQLite: nothing is embedded again when only Chroma has lost something."""
    change_chroma(index, lambda collection: collection.delete(ids=["1"]))
    assert kinds(index) == {"missing vector"}
    embedder = QuickEmbedder()
    rebuild(Settings(index), embedder=embedder)
    assert embedder.embedded == []
    assert verify(index).faults == ()


def test_vectors_that_were_changed_in_chroma_are_found(index: Path) -> None:
    """A vector in Chroma that is not its passage's makes for wrong answers that nobody notices."""
    other = [[float(x) for x in QuickEmbedder().embed(["something else"])[0]]]
    change_chroma(index, lambda collection: collection.update(ids=["1"], embeddings=other))
    assert "other vector" in kinds(index)


@pytest.mark.parametrize("action", ["delete", "overwrite", "remove graph"])
def test_damaged_files_of_chroma_are_named_with_the_command_that_mends_them(
    index: Path, action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user who follows the sentence about a damaged index has a working one, without the articles' files."""
    chroma = generations.current(index) / "chroma"
    if action == "delete":
        shutil.rmtree(chroma)
    elif action == "overwrite":
        (chroma / "chroma.sqlite3").write_bytes(b"no database" * 1000)
    else:
        for path in chroma.glob("*/data_level0.bin"):
            path.unlink()
    assert main(["index", "verify", "--index", str(index)]) == 1
    said = capsys.readouterr()
    assert said.out.count("\n") == 1
    assert said.err == f"Make the index anew with 'aftershock index rebuild --index {index}'.\n"
    embedder = QuickEmbedder()
    rebuild(Settings(index), embedder=embedder)
    assert embedder.embedded == []
    assert verify(index).faults == ()


def test_a_missing_chroma_is_said_to_readers_with_the_right_command(index: Path) -> None:
    """Whoever asks a question of a damaged index learns what to do."""
    shutil.rmtree(generations.current(index) / "chroma")
    with pytest.raises(IndexDamagedError, match=f"'aftershock index rebuild --index {index}'"):
        Index.open(index, "quick")


@pytest.mark.parametrize("damage", ["overwrite", "delete", "pointer"])
def test_where_the_articles_are_lost_another_command_is_named(
    index: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without articles only their files can help, and one sentence says so."""
    if damage == "pointer":
        (index / "current").write_text("nowhere")
    elif damage == "delete":
        (generations.current(index) / "articles.sqlite").unlink()
    else:
        (generations.current(index) / "articles.sqlite").write_bytes(b"no database" * 1000)
    for command in ("rebuild", "verify"):
        assert main(["index", command, "--index", str(index)]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1
        assert f"'aftershock ingest PATH --rebuild --index {index}'" in said.err


def test_an_index_of_an_older_version_is_brought_up_to_date_without_files(index: Path) -> None:
    """Who updates Aftershock needs one command and none of the files."""
    stamp = generations.current(index) / "stamp.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"schema": 2}))
    change(
        index,
        *(f"DROP INDEX {name}" for name in ("article_by_story", "passage_by_key")),
        *(f"ALTER TABLE article DROP COLUMN {name}" for name in ("language", "story", "signature")),
        "ALTER TABLE passage DROP COLUMN key",
        "ALTER TABLE passage DROP COLUMN vector",
    )
    with pytest.raises(IndexMismatchError, match=f"'aftershock index rebuild --index {index}'"):
        verify(index)
    rebuild(Settings(index), embedder=QuickEmbedder())
    assert verify(index).faults == ()
    with closing(Index.open(index, "quick")) as opened:
        assert {article.id: article.text for article in opened.articles()} == TEXTS


def test_no_index_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to check or to make anew where there is no index."""
    for command in ("verify", "rebuild"):
        assert main(["index", command, "--index", str(tmp_path / "none")]) == 1
        assert capsys.readouterr().err.startswith(f"There is no index at {tmp_path / 'none'}")


def test_pages_from_the_web_are_listed_and_forgotten(
    tmp_path: Path, embedder: MiniLM, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a link brought is named by its address and can be taken out by it, as on the page; nothing else goes."""
    monkeypatch.setattr(polite, "PAUSE", 0.0)
    (tmp_path / "ferry.md").write_text("# The ferry\n\nThe ferry ran every twelve minutes.\n", encoding="utf-8")
    where = ("--index", str(tmp_path / "index"))
    with WebServer({"/story": html(title="The lighthouse")}) as server:
        address = f"{server.url}/story"
        sync([tmp_path / "ferry.md", address], Settings(tmp_path / "index"), embedder=embedder, allowed=["127.0.0.0/8"])
    assert main(["index", "links", "--json", *where]) == 0
    assert json.loads(capsys.readouterr().out) == {address: "The lighthouse"}
    assert main(["index", "forget", f"{address}-of-another", *where]) == 1
    assert "'aftershock index links' lists those it has" in capsys.readouterr().err
    assert main(["index", "forget", f"{address}?utm_source=x", *where]) == 0
    assert "1 removed" in capsys.readouterr().out
    assert main(["index", "links", *where]) == 0
    shown = capsys.readouterr()
    assert (shown.out, "There are none" in shown.err) == ("", True)
    with closing(Index.open(tmp_path / "index", embedder.identity)) as left:
        assert [article.title for article in left.articles()] == ["The ferry"]
