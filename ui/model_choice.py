"""Which models there are, which suit the machine, and which one answers: for the command line, the page, the doctor."""

from __future__ import annotations

from dataclasses import dataclass

from rag.errors import ModelError
from rag.machine import Machine, server_machine
from rag.models import find_model, fits, memory_needed, rank, server_status
from rag.recommend import OFFERS, Recommendation, recommend
from rag.settings import Settings


@dataclass(frozen=True, slots=True)
class Choice:
    """A model on the server, or one to be had.

    `size` and `memory`, what a machine needs for it, are in bytes. `fits` is None where the server runs on another
    machine. `on_card` is the share of a loaded model that is in a graphics card's memory; None while it isn't loaded.
    """

    name: str
    size: int
    memory: int
    fits: bool | None
    installed: bool
    on_card: float | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """All that a choice depends on.

    `chosen` is the model setting, and `answers` the name of the model that answers under it: empty where none does.
    `recommended` is None where the server runs on another machine.
    """

    url: str
    version: str
    machine: Machine | None
    installed: tuple[Choice, ...]
    offered: tuple[Choice, ...]
    chosen: str
    answers: str
    recommended: Recommendation | None


def survey(settings: Settings) -> Survey:
    """Look at the Ollama server, its models, best first, and its machine.

    Raises:
        ModelServerError: the server cannot be reached, or failed.
    """
    server = server_status(settings)
    machine = server_machine(server.url)
    memory = machine.memory if machine else None
    ranked = rank(server.models, memory)
    names = [model.name for model in ranked]
    loaded = machine.on_card if machine else {}
    return Survey(
        url=server.url,
        version=server.version,
        machine=machine,
        installed=tuple(
            Choice(
                model.name,
                model.size,
                memory_needed(model.size),
                fits(model, memory) if memory is not None else None,
                True,
                loaded.get(model.name),
            )
            for model in ranked
        ),
        offered=tuple(
            Choice(offer.name, offer.size, offer.memory, offer.memory <= memory if memory is not None else None, False)
            for offer in OFFERS
            if offer.name not in names
        ),
        chosen=settings.model,
        answers=_answers(settings),
        recommended=recommend(machine.memory, machine.room, fast_memory=machine.fast_memory, installed=names)
        if machine
        else None,
    )


def _answers(settings: Settings) -> str:
    if settings.model == "quotes":
        return ""
    try:
        return find_model(settings).name
    except ModelError:
        return ""
