from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ingest import polite, sync
from rag import Assistant, Settings
from rag.embed import MiniLM
from rag.errors import LoadError
from tests.apart import apart
from tests.web_server import WebServer, html
from ui import library as module
from ui.answering import Desk
from ui.conversations import Conversations
from ui.library import Addition, Library, safe_name
from ui.models import Models
from ui.panels import additions
from ui.places import Places
from ui.routes import page_routes

STORY = "# The harbour bridge\n\nThe harbour bridge at Exampleton reopened on 3 March 2025 after a long repair.\n"


async def chunks(text: str) -> AsyncIterator[bytes]:
    """An upload."""
    yield text.encode()


@pytest.fixture
def assistant(tmp_path: Path, embedder: MiniLM) -> Assistant:
    """Over an index with one article."""
    first = tmp_path / "first.md"
    first.write_text("# The ferry\n\nThe ferry of Exampleton ran every twelve minutes in 2024.\n", encoding="utf-8")
    sync([first], Settings(tmp_path / "index"), embedder=embedder)
    return Assistant.from_settings(Settings(tmp_path / "index", model="quotes"))


def add(library: Library, name: str, text: str) -> None:
    """Add a file and wait until it is read."""
    apart(library.add_file(name, chunks(text)))
    library.wait()


def titles(library: Library) -> list[str]:
    """What is on the shelf."""
    return [article.title for article in library.shelf().articles]


def test_a_file_is_added_and_removed_and_the_rest_stays(assistant: Assistant) -> None:
    """What is added can be asked about at once; taken out it is gone, and the articles from elsewhere remain."""
    library = Library(assistant)
    add(library, "bridge.md", STORY)
    assert [(each.state, each.message) for each in library.additions] == [("done", "1 added")]
    assert titles(library) == ["The ferry", "The harbour bridge"]
    assert "3 March 2025" in assistant.ask("When did the harbour bridge at Exampleton reopen?").text
    library.remove("bridge.md")
    library.wait()
    assert library.additions[-1].message == "1 taken out"
    assert (titles(library), library.files()) == (["The ferry"], [])
    assistant.close()


def test_what_ends_while_the_page_is_told_of_it_is_asked_for_again(assistant: Assistant, tmp_path: Path) -> None:
    """Or the page would show for ever that it is being read, and not the article."""

    class Ending(Library):
        def files(self) -> list[str]:
            self.additions[0].state = "done"
            return []

    library = Ending(assistant)
    library.additions = [Addition("bridge.md", "bridge.md", "reading")]
    store = Conversations.open(tmp_path / "conversations.sqlite")
    app = FastAPI()
    app.include_router(page_routes(Models(assistant), store, Desk(Places()), library))
    assert [TestClient(app).get("/library/additions").headers["X-Busy"] for _ in range(2)] == ["1", "0"]
    assistant.close()


def test_a_link_is_added_and_removed(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page from the web is listed by its address and title, and taken out it is gone, and nothing else is."""
    monkeypatch.setattr(polite, "PAUSE", 0.0)
    with WebServer({"/story": html()}) as server:
        library = Library(assistant, ("127.0.0.0/8",))
        address = f"{server.url}/story"
        library.add_link(address)
        library.wait()
        assert library.additions[-1].message.startswith("1 added")
        [title] = library.links().values()
        assert f'class="remove-link" value="{address}"' in additions([], [], library.links())
        library.forget(address)
        library.wait()
    assert library.additions[-1].message == "1 taken out"
    assert (title in titles(library), titles(library), library.links()) == (False, ["The ferry"], {})
    with pytest.raises(LoadError, match="no such page"):
        library.forget(address)
    assistant.close()


def test_what_cannot_be_read_is_named_with_its_reason(assistant: Assistant) -> None:
    """A broken file fails alone, and the list says why."""
    library = Library(assistant)
    add(library, "broken.pdf", "no PDF")
    add(library, "bridge.md", STORY)
    assert [each.state for each in library.additions] == ["failed", "done"]
    assert library.additions[0].message
    assert "not added: " in additions(library.additions, library.files(), {})
    assistant.close()


def test_the_shelf_is_searched_by_words(assistant: Assistant) -> None:
    """All words must be there, in title, outlet or text."""
    library = Library(assistant)
    assert [article.title for article in library.shelf("twelve FERRY").articles] == ["The ferry"]
    assert library.shelf("twelve bridge").found == 0
    assistant.close()


@pytest.mark.parametrize("name", ["page.exe", "noending", "x.svg", ".md", "a.html.php"])
def test_files_of_other_kinds_are_refused(name: str) -> None:
    """Before a byte of them is kept."""
    with pytest.raises(LoadError, match="can't be read; the kinds are"):
        safe_name(name)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../up.md", "up.md"),
        ("C:\\windows\\a.txt", "a.txt"),
        ("nul.txt", "nul_.txt"),
        ("a\x00b\u202egpj.md", "a_b_gpj.md"),
        ("x" * 300 + ".md", "x" * 100 + ".md"),
        ("Über uns.PDF", "Über uns.pdf"),
    ],
)
def test_a_file_name_leads_nowhere_else(given: str, kept: str) -> None:
    """It stays in its folder, on every system."""
    assert safe_name(given) == kept


def test_a_file_that_is_too_large_leaves_nothing(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upload ends where the limit is."""
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    library = Library(assistant)
    with pytest.raises(LoadError, match=r"bridge\.md is larger than"):
        add(library, "bridge.md", STORY)
    assert list(library.folder.iterdir()) == []
    assistant.close()


@pytest.mark.parametrize("address", ["", "file:///etc/passwd", "javascript:alert(1)", "https://", "example.org"])
def test_only_addresses_of_the_web_are_taken(assistant: Assistant, address: str) -> None:
    """Anything else is refused at once."""
    with pytest.raises(LoadError, match="no address on the web"):
        Library(assistant).add_link(address)
    assistant.close()


def test_a_link_that_leads_into_this_machine_is_not_fetched(assistant: Assistant) -> None:
    """A visitor cannot have the server look around behind the network's door."""
    library = Library(assistant)
    library.add_link("http://127.0.0.1:9/private")
    library.wait()
    assert library.additions[-1].state == "failed"
    assistant.close()
