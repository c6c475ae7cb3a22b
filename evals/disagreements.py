"""Pairs of sentences: whether a contradiction is found where there is one, and only there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.contradiction import contradict
from rag.reports import claims

KINDS = ("disagree", "agree", "alike")
"""Pairs that contradict each other, that say the same, and that only look alike."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentences, and which of `KINDS` they are."""

    id: str
    kind: str
    one: str
    other: str

    @property
    def found(self) -> bool:
        """Whether a contradiction is found."""
        return any(contradict(a, b) for a in claims(self.one) for b in claims(self.other))


def read(path: Path) -> list[Pair]:
    """The pairs of a JSON Lines file: `id, kind, one, other`."""
    return [Pair(**entry) for entry in map(json.loads, path.read_text(encoding="utf-8").splitlines())]


def summary(pairs: Sequence[Pair]) -> dict[str, float]:
    """Which share of the contradictions found is right, and which share of all is found."""
    found = [pair.kind == "disagree" for pair in pairs if pair.found]
    there = sum(pair.kind == "disagree" for pair in pairs)
    return {
        "pairs": len(pairs),
        "precision": round(sum(found) / len(found), 4) if found else 0.0,
        "recall": round(sum(found) / there, 4) if there else 0.0,
    }
