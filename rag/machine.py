"""What the machine of the Ollama server has for a model: memory, disk, graphics card."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rag.models import is_here, machine_memory
from rag.ollama import listing_client


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory and free disk in bytes; of each loaded model the share that is in a graphics card's memory, 0 to 1."""

    memory: int
    room: int
    on_card: Mapping[str, float]

    @property
    def graphics_card(self) -> bool:
        """Whether a model was seen to run on one, wholly or in part."""
        return any(self.on_card.values())


def server_machine(url: str) -> Machine | None:
    """The machine that the server at `url` runs on; None where that is another one than this.

    Raises:
        ModelServerError: the server cannot be reached, or failed.
    """
    room = free_room(url)
    if room is None:
        return None
    with listing_client(url) as client:
        loaded = client.ps().models
    return Machine(machine_memory(), room, {m.model: (m.size_vram or 0) / m.size for m in loaded if m.model and m.size})


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
