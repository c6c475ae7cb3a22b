from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from ingest import sync
from rag import Assistant, Settings
from rag.embed import MiniLM
from tests.browser import serving

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

PASSWORD = "correct horse battery"


def test_who_watches_learns_whether_the_index_opens(tmp_path: Path, embedder: MiniLM) -> None:
    """Without the password good or bad and no more; with it what is served; no other path or method opens without."""
    (tmp_path / "fall.md").write_text("# Nvidia falls\n\nNvidia fell 17% on 27 January 2025.\n", encoding="utf-8")
    index = tmp_path / "index"
    sync([tmp_path / "fall.md"], Settings(index), embedder=embedder)
    assistant = Assistant.from_settings(Settings(index, model="quotes"))
    with serving(assistant, password=PASSWORD) as address, httpx.Client(base_url=address) as client:
        key = {"Authorization": f"Bearer {PASSWORD}"}
        good = client.get("/healthz")
        assert (good.status_code, good.json()) == (200, {"ready": True})
        assert client.get("/healthz", headers=key).json() == {
            "ready": True,
            "version": version("aftershock"),
            "model": "quotes",
            "answering": 0,
            "waiting": 0,
            "index": "open",
            "articles": 1,
            "passages": 1,
        }
        assert client.post("/healthz").status_code == 401
        assert client.get("/healthz/").status_code == 401
        assert client.get("/healthz", headers={"Host": "rebound.example"}).status_code == 400
        shutil.rmtree(index)
        bad = client.get("/healthz")
        assert (bad.status_code, bad.json()) == (503, {"ready": False})
        assert "There is no index at" in client.get("/healthz", headers=key).json()["index"]
    assistant.close()
