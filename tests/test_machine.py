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


def test_a_graphics_card_is_known_from_what_runs_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ollama says how much of a loaded model is in a graphics card's memory; before one is loaded, nothing is known."""
    monkeypatch.setattr("sys.platform", "linux")
    half = Model("half:8b", size=1000, size_vram=500)
    with OllamaServer([half], [["Yes."]]) as server, ollama.Client(server.url) as client:
        before = server_machine(server.url)
        list(client.chat("half:8b", [{"role": "user", "content": "Is it?"}], stream=True))
        after = server_machine(server.url)
    assert before is not None
    assert (before.memory, before.fast_memory, before.on_card) == (machine_memory(), 0, {})
    assert after is not None
    assert (after.fast_memory, after.on_card) == (500, {"half:8b": 0.5})


def test_a_mac_with_apples_chip_runs_models_in_all_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where graphics share the machine's memory, nothing has to be loaded first to know that models run fast."""
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    with OllamaServer() as server:
        machine = server_machine(server.url)
    assert machine is not None
    assert machine.fast_memory == machine.memory
