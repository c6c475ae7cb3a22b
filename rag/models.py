"""Settings to a model: which one there is that fits them."""

from __future__ import annotations

from collections.abc import Sequence

from rag.errors import ModelNotFoundError
from rag.ollama import (
    SUGGESTED,
    InstalledModel,
    OllamaModel,
    ServerStatus,
    describe,
    installed,
    listing_client,
    not_found,
)
from rag.served import ServedModel, client_options, is_here, is_r1, listing_timeout
from rag.settings import Settings

__all__ = [
    "SUGGESTED",
    "InstalledModel",
    "ServerStatus",
    "find_model",
    "fits",
    "is_here",
    "machine_memory",
    "memory_needed",
    "rank",
    "server_status",
]


def find_model(settings: Settings) -> ServedModel:
    """The model that the settings ask for, or for "auto" the best one that is installed.

    Raises:
        ModelServerError: the server cannot be reached, or failed.
        ModelNotFoundError: the server doesn't have the model, or has none that can answer.
        ModelAccessError: the server refuses the key.
    """
    if settings.model.startswith("openai:"):
        from rag.openai import find_openai_model

        return find_openai_model(settings)
    return _find_ollama_model(settings)


def _find_ollama_model(settings: Settings) -> OllamaModel:
    wanted = settings.model.removeprefix("ollama:")
    with listing_client(settings.ollama_host) as client:
        there = installed(client)
        if wanted == "auto":
            # Other people's memory is not ours to judge.
            memory = machine_memory() if is_here(settings.ollama_host) else None
            for model in rank(there, memory):
                if found := describe(client, model.name, settings):
                    return found
            raise ModelNotFoundError(
                f"The model server at {settings.ollama_host} has no model that can answer; "
                f"get one with `ollama pull {SUGGESTED}`."
            )
        names = {model.name.lower(): model.name for model in there}
        tag = names.get(wanted.lower()) or names.get(f"{wanted.lower()}:latest")
        if tag is None:
            raise ModelNotFoundError(not_found(settings.ollama_host, wanted))
        if found := describe(client, tag, settings):
            return found
        raise ModelNotFoundError(
            f"The model {tag} only makes embeddings and cannot answer; get another with `ollama pull {SUGGESTED}`."
        )


def server_status(settings: Settings) -> ServerStatus:
    """The version of the model server and the models it has.

    Raises:
        ModelServerError: the server cannot be reached, or failed.
    """
    import httpx

    url = settings.ollama_host
    with listing_client(url) as client:
        # The ollama package has no call for the version.
        response = httpx.get(f"{url}/api/version", **client_options(listing_timeout()))
        response.raise_for_status()
        return ServerStatus(url, str(response.json()["version"]), tuple(installed(client)))


def rank(models: Sequence[InstalledModel], memory: int | None) -> list[InstalledModel]:
    """The models that may answer unasked, best first, for a machine with `memory` bytes (None: any amount).

    Those that fit come before those that don't, the DeepSeek-R1 family before others, larger before smaller; of those
    that don't fit, the smallest first. Models that Ollama only passes on to a service elsewhere are left out.
    """

    def quality(model: InstalledModel) -> tuple[bool, bool, int]:
        fitting = memory is None or fits(model, memory)
        return fitting, is_r1(model.name), model.size if fitting else -model.size

    local = [model for model in models if not model.name.endswith(("-cloud", ":cloud"))]
    return sorted(local, key=quality, reverse=True)


def fits(model: InstalledModel, memory: int) -> bool:
    """Whether a machine with `memory` bytes can run the model."""
    return memory_needed(model.size) <= memory


def memory_needed(size: int) -> int:
    """Bytes of memory that a machine needs for a model of `size` bytes."""
    # Weights, their copies in working memory, and room for the context and for the rest of the machine.
    return int(size * 1.25 + 1.5 * 2**30)


def machine_memory() -> int:
    """This machine's memory in bytes."""
    import psutil

    return int(psutil.virtual_memory().total)
