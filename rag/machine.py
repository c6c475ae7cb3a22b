"""What the machine of the Ollama server has for a model: memory, disk, graphics card."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rag.models import is_here, machine_memory
from rag.ollama import listing_client


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine has, in bytes: memory, free disk, and memory in which models are known to run fast.

    The last is the memory of a Mac with Apple's own chip, which its graphics share; elsewhere what Ollama says that it
    put into a graphics card's, so 0 until a model was loaded. `on_card` is the share that loaded models have there.
    """

    memory: int
    room: int
    fast_memory: int
    on_card: Mapping[str, float]


def server_machine(url: str) -> Machine | None:
    """The machine that the server at `url` runs on; None where that is another one than this.

    Raises:
        ModelServerError: the server cannot be reached, or failed.
    """
    room = free_room(url)
    if room is None:
        return None
    with listing_client(url) as client:
        loaded = [model for model in client.ps().models if model.model and model.size]
    memory = machine_memory()
    return Machine(
        memory=memory,
        room=room,
        fast_memory=memory if _shares_memory() else max((model.size_vram or 0 for model in loaded), default=0),
        on_card={model.model: (model.size_vram or 0) / model.size for model in loaded},
    )


def _shares_memory() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"


def free_room(url: str) -> int | None:
    """Bytes free where the server at `url` keeps its models; None where that is another machine's disk."""
    if not is_here(url):
        return None
    # The second is where the service that Ollama's installer for Linux sets up keeps them.
    places = (os.environ.get("OLLAMA_MODELS"), "/usr/share/ollama/.ollama", Path.home() / ".ollama")
    for place in (Path(place) for place in places if place):
        with suppress(OSError):
            return shutil.disk_usage(place).free
    return shutil.disk_usage(Path.home()).free
