"""Makes the weights of the ranking: `python -m evals.learn FOLDER`, with the sets of `evals.tasks` in the folder.

Prints `MEANS`, `SPREADS` and `WEIGHTS` for `rag/ranking.py`, fitted to one half of each set, and what all sets come to
with them and with the ones that are there now, on the half fitted to and on the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from evals import indexing, tasks
from rag.looking import standardised
from rag.ranking import MOST_UNUSUAL, QUALITIES, SIGNALS, Measured, measure, scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

SET_WEIGHTS = {
    "squad": 3.2,
    "scifact": 3.6,
    "clapnq last turn": 2.9,
    "clapnq rewrite": 1.9,
    "chunking": 2.2,
    "own": 1.2,
    "general": 1.1,
    "short": 0.55,
    "nearby": 0.55,
}
"""What a set counts for, however many questions it has."""
ALL_WANTED = ("scifact", "clapnq last turn", "clapnq rewrite", "chunking")
"""Sets that ask for all that is right; of the others, one right passage answers a question."""
ENOUGH = 0.2
"""A candidate is right when it is worth more than this share of the best one."""
PENALTY, PENALTY_OF_QUALITIES = 0.06, 0.2
"""On the squares of what signals count for as such, and of what more for each deviation of a quality."""
AS_KIND = {"rare kind": 1.75, "opening about it": 2.25}
"""What counts so many times as much as "kind", whatever the question: too few ask for it to learn what it is worth."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question to be fitted to.

    Args:
        signals: of its n candidates, standardised, shape (n, signals).
        qualities: of the question.
        worths: of the candidates, 0 for those that are not right, one of them more; they sum to 1. Shape (n,).
        all_wanted: whether all that is right is to come first, or any of it.
        weight: what the question counts for.
    """

    signals: NDArray[np.float32]
    qualities: tuple[float, ...]
    worths: NDArray[np.float32]
    all_wanted: bool
    weight: float


@dataclass(frozen=True, slots=True)
class Fit:
    """What `rag.ranking` needs: `MEANS`, `SPREADS` and `WEIGHTS`."""

    means: NDArray[np.float64]
    spreads: NDArray[np.float64]
    weights: NDArray[np.float32]

    def rank(self, measured: Measured) -> NDArray[np.float32]:
        """The candidates' scores."""
        [factors] = _factors(np.array([measured.qualities]), self.means, self.spreads)
        found: NDArray[np.float32] = standardised(measured.signals) @ (factors @ self.weights)
        return found


def _factors(
    qualities: NDArray[np.float64], means: NDArray[np.float64], spreads: NDArray[np.float64]
) -> NDArray[np.float32]:
    """For each question 1, and its qualities in standard deviations from their mean."""
    standard = np.clip((qualities - means) / spreads, -MOST_UNUSUAL, MOST_UNUSUAL)
    return np.concatenate([np.ones((len(standard), 1)), standard], axis=1).astype(np.float32)


def fit(examples: Sequence[Example]) -> Fit:
    """The weights that make right candidates likely: the softmax of the scores, as in ListNet (Cao et al. 2007).

    Where all that is right is wanted, as likely as it is worth; where one is enough, together.
    """
    import torch

    qualities = np.array([example.qualities for example in examples])
    means, spreads = qualities.mean(axis=0), np.maximum(qualities.std(axis=0), 1e-9)
    most = max(len(example.worths) for example in examples)
    signals = torch.zeros(len(examples), most, len(SIGNALS))
    worths = torch.zeros(len(examples), most)
    there = torch.zeros(len(examples), most, dtype=torch.bool)
    for row, example in enumerate(examples):
        count = len(example.worths)
        signals[row, :count] = torch.from_numpy(example.signals)
        worths[row, :count] = torch.from_numpy(example.worths)
        there[row, :count] = True
    all_wanted = torch.tensor([example.all_wanted for example in examples])
    of_few = [SIGNALS.index(signal) for signal in AS_KIND]
    signals[:, :, of_few] = 0
    factors = torch.from_numpy(_factors(qualities, means, spreads))
    counts = torch.tensor([example.weight for example in examples])
    penalties = torch.tensor([[PENALTY], *([PENALTY_OF_QUALITIES] for _ in QUALITIES)])
    weights = torch.zeros(1 + len(QUALITIES), len(SIGNALS))
    weights[0] = 1 / 4
    weights.requires_grad_()
    # The steps end by themselves long before there are so many.
    optimizer = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        found = torch.einsum("qcs,qs->qc", signals, factors @ weights).masked_fill(~there, -torch.inf)
        every = (worths * found.masked_fill(~there, 0)).sum(1)
        any_of_them = torch.logsumexp(found.masked_fill(worths == 0, -torch.inf), 1)
        likely = torch.where(all_wanted, every, any_of_them) - torch.logsumexp(found, 1)
        value = -(counts * likely).sum() / counts.sum() + (penalties * weights**2).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    made = weights.detach().numpy()
    made[:, of_few] = 0
    made[0, of_few] = made[0, SIGNALS.index("kind")] * np.array(list(AS_KIND.values()))
    return Fit(means, spreads, made)


def examples(collections: Sequence[tasks.Collection], root: Path) -> list[Example]:
    """The questions that may be fitted to, those left out of which no candidate is right."""
    found = []
    for task, pool in tasks.search(collections, root, fitted_only=True):
        worths = np.array([task.question.worth(candidate.passage) for candidate in pool.candidates])
        if worths.max() > 0:
            measured = measure(pool)
            right = np.where(worths > ENOUGH * worths.max(), worths, 0).astype(np.float32)
            found.append((task.of, standardised(measured.signals), measured.qualities, right / right.sum()))
    sizes = Counter(of for of, *_ in found)
    return [
        Example(signals, qualities, worths, of in ALL_WANTED, SET_WEIGHTS[of] / sizes[of])
        for of, signals, qualities, worths in found
    ]


def main(
    folder: Annotated[Path, typer.Argument(help="The folder with all sets.")],
    keep: Annotated[Path | None, typer.Option(help="A folder for the indexes, to be used again next time.")] = None,
) -> None:
    """Fit, measure and print."""
    collections = tasks.read(folder)
    with indexing.folder(keep) as root:
        made = fit(examples(collections, root))
        print(f"MEANS, SPREADS = {_row(made.means)}, {_row(made.spreads)}")  # noqa: T201
        print("WEIGHTS = (", *(f"    {_row(row)}," for row in made.weights), ")", sep="\n")  # noqa: T201
        rankers = {"fitted": made.rank, "as shipped": scores}
        outcomes = tasks.compare(tasks.search(collections, root), rankers)
    print(f"\n{'set':20}{'half':12}{'measure':12}" + "".join(f"{ranker:>12}" for ranker in rankers))  # noqa: T201
    for of in SET_WEIGHTS:
        for half, is_fitted in (("fitted to", True), ("the other", False)):
            those = [o for o in outcomes if o.task.of == of and o.task.is_fitted is is_fitted]
            for name in those[0].measures["fitted"]:
                values = "".join(f"{tasks.mean(those, ranker, name):12.4f}" for ranker in rankers)
                print(f"{of:20}{half:12}{name:12}{values}")  # noqa: T201


def _row(values: Sequence[float] | NDArray[np.floating]) -> str:
    return f"({', '.join(f'{value:.3f}' for value in values)})"


if __name__ == "__main__":
    typer.run(main)
