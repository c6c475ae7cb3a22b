"""A reader that does what its documents are called, in place of the libraries that now and then do."""

import ctypes
import os
import re
import time
from collections.abc import Iterator

from ingest.article import Loaded
from rag.records import Article

ARTICLE = Article("a", "Title", "Text.")


def read(name: str, data: bytes) -> Iterator[Loaded]:
    """Crash, hang, swell, or whatever else the name says; any other document is an article."""
    match name:
        case "pid":
            yield Loaded(str(os.getpid()), 0, ARTICLE)
        case "crash":
            yield Loaded(name, 1, ARTICLE)
            ctypes.string_at(0)
        case "hang":
            # Holds the interpreter's lock, as a library that is stuck may do.
            ctypes.PyDLL(None).sleep(600)
        case "burn":
            # Holds it as well, and never comes to an end.
            re.fullmatch("(a|a)*b", "a" * 64)
        case "wait":
            time.sleep(1)
            yield Loaded(name, 0, ARTICLE)
        case "swell":
            blocks = [bytearray(2**22) for _ in range(2**20)]
            yield Loaded(str(len(blocks)), 0, ARTICLE)
        case "talk":
            while True:
                yield Loaded(name, 0, Article("a", "Title", "x" * 2**22))
        case "print":
            print("something" * 1000, flush=True)  # noqa: T201
            yield Loaded(name, 0, ARTICLE)
        case "nest":
            yield from read(name, data)
        case "surrogate":
            yield Loaded(name, 0, Article("a", "Title", "\ud800"))
        case "raise":
            raise ValueError("what\na library\nsays")
        case _:
            yield Loaded(name, len(data), ARTICLE)
