"""What the model server's machine has for a model."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import ollama
import pytest

from rag.machine import free_room, server_machine
from rag.models import machine_memory
from tests.ollama_server import Model, OllamaServer


def test_free_room_looks_where_ollama_keeps_its_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The disk that OLLAMA_MODELS names is looked at, and another machine's disk isn't guessed at."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(9, 2, 7 if place == tmp_path else 1))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    assert free_room("http://127.0.0.1:11434") == 7
    assert free_room("http://models.example.org:11434") is None


def test_a_graphics_card_is_known_from_what_runs_on_it() -> None:
    """Ollama says how much of a loaded model is in a graphics card's memory; before one is loaded, nothing is known."""
    half = Model("half:8b", size=1000, size_vram=500)
    with OllamaServer([half], [["Yes."]]) as server, ollama.Client(server.url) as client:
        before = server_machine(server.url)
        list(client.chat("half:8b", [{"role": "user", "content": "Is it?"}], stream=True))
        after = server_machine(server.url)
    assert before is not None
    assert (before.memory, before.on_card, before.graphics_card) == (machine_memory(), {}, False)
    assert after is not None
    assert (after.on_card, after.graphics_card) == ({"half:8b": 0.5}, True)
