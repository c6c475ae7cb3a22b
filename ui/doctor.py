"""What is there and what isn't, in plain words, with what to do about it. Needs neither a network nor much time."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from rag.errors import EmbedderError, IndexMissingError, IndexStateError, ModelError, SettingsError
from rag.inference import inference_folder
from rag.models import SUGGESTED, is_here
from rag.recommend import Recommendation, gibibytes
from rag.settings import Settings, default_index
from ui import preferences
from ui.model_choice import Choice, survey

State: TypeAlias = Literal["ok", "attention", "problem"]

OLDEST_PYTHON = (3, 11)
NEEDED_MEMORY = 2**30
"""What a question takes without a language model, with some room, in bytes."""
NEEDED_DISK = 2**30
"""Room for an index of some ten thousand articles, twice, because a new one is built beside the old one, in bytes."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `state` "problem" means that no question can be answered; `advice` is empty when all is well."""

    name: str
    state: State
    finding: str
    advice: str = ""


def can_answer(checks: Sequence[Check]) -> bool:
    """Whether questions can be answered at all."""
    return all(check.state != "problem" for check in checks)


def examine(settings: Settings) -> list[Check]:
    """Look at everything that answering depends on."""
    return [
        _python(),
        _corpus(),
        _embedder(),
        _index(settings),
        _preferences(),
        *_models(settings),
        _memory(),
        _disk(settings.index),
        network(settings),
    ]


def _python() -> Check:
    found = sys.version.split()[0]
    if sys.version_info < OLDEST_PYTHON:
        return Check("Python", "problem", f"{found} is too old", "Install Python 3.11 or newer.")
    return Check("Python", "ok", found)


def _corpus() -> Check:
    import corpus
    from ingest.load import files

    count = len(files(corpus.FOLDER)[0])
    if not count:
        advice = "Install Aftershock again, or ingest articles of your own with 'aftershock ingest PATH'."
        return Check("Corpus", "attention", f"no article at {corpus.FOLDER}", advice)
    return Check("Corpus", "ok", f"{count:,} articles come with Aftershock, at {corpus.FOLDER}")


def _embedder() -> Check:
    from rag.cross_encoder import CrossEncoder
    from rag.embed import MiniLM, check_weights

    embedder = MiniLM()
    try:
        check_weights(embedder.folder / "model.safetensors")
    except EmbedderError as error:
        return Check("Embedder", "problem", str(error))
    finding = "all-MiniLM-L6-v2, its weights are the official ones"
    if embedder.model.is_derived and CrossEncoder(embedder).model.is_derived:
        return Check("Embedder", "ok", finding)
    slow = "but the files that load quickly can't be made from them, so that a first question takes ten seconds longer"
    advice = f"Make sure that {inference_folder()} can be written to, with 100 MB to spare."
    return Check("Embedder", "attention", f"{finding}, {slow}", advice)


def _index(settings: Settings) -> Check:
    from ingest.split import VERSION
    from rag.embed import MiniLM
    from rag.index import Index

    try:
        index = Index.open(settings.index, MiniLM.identity)
        articles, passages = index.counts()
        chunker = index.stamp.chunker
        index.close()
    except IndexMissingError as error:
        if settings.index != default_index():
            return Check("Index", "problem", str(error))
        advice = "The first question makes it; 'aftershock ingest' does so now."
        return Check("Index", "attention", f"none yet at {settings.index}", advice)
    except IndexStateError as error:
        return Check("Index", "problem", str(error))
    held = f"{articles:,} articles in {passages:,} passages at {settings.index}"
    if not passages:
        return Check("Index", "problem", held, f"Add articles with 'aftershock ingest PATH --index {settings.index}'.")
    if chunker != VERSION:
        advice = f"Bring it up to date with 'aftershock ingest PATH --index {settings.index}'."
        return Check("Index", "attention", f"{held}, cut by an older version of Aftershock", advice)
    return Check("Index", "ok", held)


def _preferences() -> Check:
    try:
        remembered = preferences.read()
    except SettingsError as error:
        return Check("Preferences", "attention", str(error))
    if not remembered:
        return Check("Preferences", "ok", "none, everything is as it comes")
    chosen = ", ".join(f"{name} {value}" for name, value in remembered.items())
    return Check("Preferences", "ok", f"{chosen}, kept at {preferences.location()}")


def _models(settings: Settings) -> list[Check]:
    if settings.model.startswith("openai:"):
        return [_other_server(settings)]
    try:
        found = survey(settings)
    except ModelError as error:
        return [Check("Model server", "attention", str(error), _NO_MODEL_NEEDED)]
    checks = [Check("Model server", "ok", f"Ollama {found.version} at {found.url}")]
    if not found.installed:
        best = found.recommended or Recommendation(SUGGESTED, "it suits most machines")
        advice = (
            f"Get one with 'aftershock model pull {best.name}' ({best.reason}); without one, answers are in the "
            "articles' own words."
            if best.name
            else f"No model suits this machine: {best.reason}."
        )
        return [*checks, Check("Models", "attention", "the model server has none", advice)]
    checks += [_model(choice) for choice in found.installed]
    if found.chosen == "quotes":
        checks.append(Check("Answers", "ok", "in the articles' own words, as chosen"))
    elif found.answers:
        checks.append(Check("Answers", "ok", f"written by {found.answers} (chosen: {found.chosen})"))
    else:
        wanted = found.chosen.removeprefix("ollama:")
        advice = (
            f"Get it with 'aftershock model pull {wanted}', or choose another one with 'aftershock model use NAME'."
        )
        checks.append(Check("Answers", "attention", f"{found.chosen} is chosen, but cannot answer", advice))
    return checks


_NO_MODEL_NEEDED = "Not needed: without a model, answers are in the articles' own words."


def _model(choice: Choice) -> Check:
    size = f"{choice.name}, {gibibytes(choice.size)}"
    if choice.on_card is not None:
        size += f", loaded, {choice.on_card:.0%} of it on the graphics card"
    if choice.fits is None:
        return Check("Model", "ok", size)
    if choice.fits:
        return Check("Model", "ok", f"{size}, fits into this machine's memory")
    advice = "It would be very slow, or fail: a smaller one is better, see 'aftershock model list'."
    return Check("Model", "attention", f"{size}, too large for this machine's memory", advice)


def _other_server(settings: Settings) -> Check:
    from rag.models import find_model

    try:
        model = find_model(settings)
    except ModelError as error:
        return Check("Model server", "attention", str(error), _NO_MODEL_NEEDED)
    return Check("Model server", "ok", f"{model.name} at {settings.openai_base_url}")


def _memory() -> Check:
    import psutil

    memory = psutil.virtual_memory()
    finding = f"{gibibytes(memory.available)} of {gibibytes(memory.total)} free"
    if memory.available < NEEDED_MEMORY:
        return Check("Memory", "attention", finding, f"Close other programs until {gibibytes(NEEDED_MEMORY)} are free.")
    return Check("Memory", "ok", finding)


def _disk(index: Path) -> Check:
    place = next(folder for folder in (index.absolute(), *index.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    finding = f"{gibibytes(free)} free at {place}"
    if free < NEEDED_DISK:
        advice = "Make room, or put the index elsewhere with '--index DIR' or AFTERSHOCK_INDEX."
        return Check("Disk", "attention", finding, advice)
    return Check("Disk", "ok", finding)


def network(settings: Settings) -> Check:
    """Whether anything leaves this machine."""
    other = settings.model.startswith("openai:")
    url, variable = (settings.openai_base_url, "OPENAI_BASE_URL") if other else (settings.ollama_host, "OLLAMA_HOST")
    if not is_here(url):
        advice = f"Unset {variable} and AFTERSHOCK_{variable} to keep everything on this machine."
        return Check("Network", "attention", f"questions to a model go to {url}", advice)
    return Check("Network", "ok", "none is needed, everything happens on this machine")
