"""What each part of reading and of refusing brings, as tables in Markdown; `python -m evals.calibrate` writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from evals.refusing import Judged
from rag.gate import FEATURES as SIGNS_OF_ANSWERS
from rag.relevance import FEATURES as SIGNS_OF_SENTENCES

if TYPE_CHECKING:
    from numpy.typing import NDArray

CROSS_ENCODER = ("judged best", "judged", "judged on average")
"""The gate's features that come of the cross-encoder."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Among which sentences reading chooses for a question.

    Args:
        of: the name of the question's set.
        features: of n sentences, shape (n, features).
        right: which of them have the answer, shape (n,).
    """

    of: str
    features: NDArray[np.float64]
    right: NDArray[np.bool_]


Weighed: TypeAlias = "tuple[Sequence[Choice], NDArray[np.float64]]"
"""Choices, and the weights of the features by which they are made."""


def reading_table(weighed: Sequence[Weighed], sets: Sequence[str], read_again: Sequence[float]) -> Iterator[str]:
    """How often the first sentence has the answer, with each feature left out of the sum; lines.

    Args:
        weighed: what is read.
        sets: the names of the columns.
        read_again: for each of the sets, the same after the cross-encoder's second look.
    """
    yield from _head("first sentence right", sets)
    for number, feature in enumerate(SIGNS_OF_SENTENCES):
        kept = np.arange(len(SIGNS_OF_SENTENCES)) != number
        without = [(choices, weights * kept) for choices, weights in weighed]
        yield _row(f"without {feature}", [share(without, name) for name in sets])
    yield _row("all features", [share(weighed, name) for name in sets])
    yield _row("and the cross-encoder", read_again)


def share(weighed: Sequence[Weighed], of: str) -> float:
    """How often, for the questions of a set, the sentence with the highest sum of features has the answer."""
    chosen = (c.right[(c.features @ weights).argmax()] for choices, weights in weighed for c in choices if c.of == of)
    return float(np.mean(list(chosen)))


def refusing_table(judge: Callable[[Sequence[int]], Sequence[Judged]], sets: Sequence[str]) -> Iterator[str]:
    """The area under the curve, with each feature left out and the trees fitted anew; lines.

    Args:
        judge: how each set comes out with the features at these places.
        sets: the names of the columns.
    """
    yield from _head("area under the curve", sets)
    groups = {**{name: (name,) for name in SIGNS_OF_ANSWERS}, "the cross-encoder": CROSS_ENCODER}
    rows = {f"without {name}": group for name, group in groups.items()} | {"all": ()}
    for row, left_out in rows.items():
        kept = [place for place, feature in enumerate(SIGNS_OF_ANSWERS) if feature not in left_out]
        areas = {judged.of: judged.area for judged in judge(kept)}
        yield _row(row, [areas[name] for name in sets])


def _head(what: str, sets: Sequence[str]) -> Iterator[str]:
    yield f"| {what} | {' | '.join(sets)} |"
    yield f"|---|{'---|' * len(sets)}"


def _row(name: str, values: Sequence[float]) -> str:
    return f"| {name} | {' | '.join(f'{value:.3f}'.removeprefix('0') for value in values)} |"
