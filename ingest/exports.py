"""JSON Lines to articles."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ingest.article import Loaded, loaded
from ingest.texts import decode
from rag.errors import LoadError

_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


def read_json_lines(name: str, data: bytes) -> Iterator[Loaded]:
    """The articles of an export, one a line; a bad line doesn't cost the others."""
    if data.startswith(_WIDE_MARKS):
        data = decode(data).encode()
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        size = len(line) + 1
        try:
            fields = json.loads(decode(line))
            if not isinstance(fields, dict):
                raise LoadError("the line is not a JSON object")
            yield loaded(fields, name, size, place)
        except json.JSONDecodeError as error:
            yield Loaded(place, size, reason=f"the line is not valid JSON ({error.msg} at {error.colno})")
        except RecursionError:
            yield Loaded(place, size, reason="the line is nested too deeply")
        except LoadError as error:
            yield Loaded(place, size, reason=str(error))
