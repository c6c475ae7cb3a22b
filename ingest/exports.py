"""JSON Lines to articles."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ingest.article import Loaded, article
from ingest.texts import decode
from rag.errors import LoadError


def read_json_lines(name: str, data: bytes) -> Iterator[Loaded]:
    """The articles of an export, one a line; a bad line doesn't cost the others."""
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            fields = json.loads(decode(line))
            if not isinstance(fields, dict):
                raise LoadError("the line is not a JSON object")
            yield Loaded(place, len(line) + 1, article(fields, name))
        except json.JSONDecodeError as error:
            yield Loaded(place, len(line) + 1, reason=f"the line is not valid JSON ({error.msg} at {error.colno})")
        except RecursionError:
            yield Loaded(place, len(line) + 1, reason="the line is nested too deeply")
        except LoadError as error:
            yield Loaded(place, len(line) + 1, reason=str(error))
