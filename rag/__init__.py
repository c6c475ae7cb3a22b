"""Aftershock answers questions about the DeepSeek shock from articles, with every sentence cited.

Ask:        `ask`, `aask`, `Assistant`
Configure:  `Settings`
Results:    `Answer`, `Citation`, `Passage`, `Article`, `Source`, `TimelineEntry`
Errors:     `AftershockError`, and the tree in `rag.errors`
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from rag.errors import AftershockError
from rag.records import Answer, Article, Citation, Passage, Source, TimelineEntry
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.assistant import Assistant

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


def ask(question: str, history: Sequence[tuple[str, str]] = (), settings: Settings | None = None) -> Answer:
    """Answer a question from the articles, with citations.

    The first call opens the index, or builds it from the shipped articles when there is none yet; further calls with
    the same settings use it again.

    Args:
        question: at most 4,000 characters.
        history: earlier turns, oldest first, as (question, answer text).
        settings: from the environment when not given.

    Raises:
        AftershockError: the question, the index or the model can't be used; the message says what to do.
    """
    return _assistant(settings or Settings.from_env()).ask(question, history)


async def aask(question: str, history: Sequence[tuple[str, str]] = (), settings: Settings | None = None) -> Answer:
    """`ask` for asynchronous callers, run in a thread of its own."""
    import asyncio

    return await asyncio.to_thread(ask, question, history, settings)


@cache
def _assistant(settings: Settings) -> Assistant:
    from rag.assistant import Assistant

    return Assistant.from_settings(settings)


def __getattr__(name: str) -> Any:
    # Loaded on demand: it imports numpy, and `import rag` is to be instant.
    if name == "Assistant":
        from rag.assistant import Assistant

        return Assistant
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
