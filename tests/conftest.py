from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

import corpus
from ingest import sync
from rag import Assistant, Settings
from rag.embed import MiniLM
from tests.browser import browser, profiles, visit  # noqa: F401


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting of whoever runs the tests counts, their data stays untouched, and no model server is found."""
    home = str(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        foreign = ("OLLAMA_HOST", "OPENAI_BASE_URL", "OPENAI_API_KEY")
        for name in [name for name in os.environ if name.startswith("AFTERSHOCK_") or name in foreign]:
            patch.delenv(name)
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
            patch.delenv(name, raising=False)
        # Where platforms keep a user's files: the first three on Linux and macOS, the fourth on Windows.
        patch.setenv("XDG_DATA_HOME", home)
        patch.setenv("XDG_CONFIG_HOME", home)
        patch.setenv("XDG_CACHE_HOME", home)
        patch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", home)
        # Nothing listens on port 9, where a server of the user's may well listen on Ollama's own.
        patch.setenv("AFTERSHOCK_OLLAMA_HOST", "http://127.0.0.1:9")
        yield


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> None:
    """Processes that tests start can be interrupted, also where the tests run in the background, which ignores it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def embedder() -> MiniLM:
    """The real embedding model, loaded once."""
    return MiniLM()


@pytest.fixture(scope="session")
def corpus_index(tmp_path_factory: pytest.TempPathFactory, embedder: MiniLM) -> Path:
    """An index over the shipped articles, made once for all processes that run tests. Not to be written to."""
    own = tmp_path_factory.getbasetemp()
    place = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "corpus" / "index"
    place.parent.mkdir(exist_ok=True)
    with FileLock(place.with_suffix(".lock")):
        if not (made := place.with_suffix(".made")).exists():
            sync([corpus.FOLDER], Settings(place), embedder=embedder)
            made.touch()
    return place


@pytest.fixture(scope="session")
def assistant(corpus_index: Path) -> Iterator[Assistant]:
    """An assistant over the shipped articles that quotes them."""
    made = Assistant.from_settings(Settings(corpus_index, model="quotes"))
    yield made
    made.close()
