"""Ask a question in one call, with no assistant to open and keep."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache

from rag.assistant import Assistant
from rag.records import Answer
from rag.settings import Settings


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
    return await asyncio.to_thread(ask, question, history, settings)


@cache
def _assistant(settings: Settings) -> Assistant:
    return Assistant.from_settings(settings)
