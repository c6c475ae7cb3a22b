"""Aftershock answers questions about the DeepSeek shock from articles, with every sentence cited.

Ask:        `ask`, `aask`, `Assistant`
Configure:  `Settings`
Results:    `Answer`, `Citation`, `Passage`, `Article`, `Source`, `TimelineEntry`
Errors:     `AftershockError`, and the tree in `rag.errors`
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.asking import aask, ask
    from rag.assistant import Assistant
    from rag.errors import AftershockError
    from rag.records import Answer, Article, Citation, Passage, Source, TimelineEntry
    from rag.settings import Settings

__all__ = [
    "AftershockError",
    "Answer",
    "Article",
    "Assistant",
    "Citation",
    "Passage",
    "Settings",
    "Source",
    "TimelineEntry",
    "aask",
    "ask",
]

_HOMES = {
    "aask": "rag.asking",
    "ask": "rag.asking",
    "Assistant": "rag.assistant",
    "AftershockError": "rag.errors",
    "Settings": "rag.settings",
}
"""The modules of the public names; those that are not listed are in `rag.records`."""


def __getattr__(name: str) -> Any:
    # Loaded on demand (PEP 562), so that `import rag` is instant.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "rag.records")), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
