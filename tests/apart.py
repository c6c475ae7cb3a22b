"""Coroutines run where no event loop is running: as long as a browser is open, one runs in the tests' own thread."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def apart(work: Coroutine[Any, Any, _Result]) -> _Result:
    """What a coroutine comes to, in a thread of its own."""
    with ThreadPoolExecutor(1) as elsewhere:
        return elsewhere.submit(asyncio.run, work).result()
