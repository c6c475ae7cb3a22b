"""What each signal of the ranking brings: `python -m evals.ablation FOLDER`, with the sets of `evals.tasks` in it.

Prints a table in Markdown: each signal alone, the ranking without it, without what it knows of the question, and as it
is. One search serves all rows; weights are left out, not fitted anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from evals import indexing, tasks
from evals.calibrate import HALVES
from rag.cross_encoder import CHANGES, CrossEncoder
from rag.embed import MiniLM
from rag.ranking import QUALITIES, SIGNALS, WEIGHTS, scores

COLUMNS = (
    ("squad", "hit@1"),
    ("squad", "hit@4"),
    ("scifact", "nDCG@10"),
    ("clapnq last turn", "recall@5"),
    ("clapnq rewrite", "recall@5"),
    ("chunking", "recall"),
    ("chunking", "IoU"),
    *((of, "hit@1") for of in tasks.OWN),
)
SHIPPED = "all, as shipped"


def variants() -> dict[str, tuple[tuple[float, ...], ...]]:
    """Each row's name and what its signals count for."""
    nothing = (0.0,) * len(SIGNALS)
    rows: dict[str, tuple[tuple[float, ...], ...]] = {}
    for number, signal in enumerate(SIGNALS):
        alone = tuple(float(i == number) for i in range(len(SIGNALS)))
        rows[f"{signal} alone"] = (alone, *(nothing for _ in QUALITIES))
    for number, signal in enumerate(SIGNALS):
        rows[f"all without {signal}"] = tuple(tuple(w * (i != number) for i, w in enumerate(row)) for row in WEIGHTS)
    rows["all without the question's qualities"] = (WEIGHTS[0], *(nothing for _ in QUALITIES))
    return rows | {SHIPPED: WEIGHTS}


def table(outcomes: Sequence[tasks.Outcome]) -> list[str]:
    """The lines of the table."""
    lines = [
        f"| ranking by | {' | '.join(f'{of} {measure}' for of, measure in COLUMNS)} |",
        f"|---|{'---|' * len(COLUMNS)}",
    ]
    for name in outcomes[0].measures:
        values = [tasks.mean([o for o in outcomes if o.task.of == of], name, measure) for of, measure in COLUMNS]
        lines.append(f"| {name} | {' | '.join(f'{value:.4f}'.removeprefix('0') for value in values)} |")
    return lines


def main(
    folder: Annotated[Path, typer.Argument(help="The folder with all sets.")],
    keep: Annotated[Path | None, typer.Option(help="A folder for the indexes, to be used again next time.")] = None,
) -> None:
    """Search, rank in every way, and print the table."""
    rankers = {name: partial(scores, weights=weights) for name, weights in variants().items()}
    with indexing.folder(keep) as root:
        judges = [CrossEncoder(MiniLM(), changes) for changes in (*HALVES, CHANGES)]
        outcomes = tasks.compare(tasks.search(tasks.read(folder), root), rankers, judges)
    print(*table(outcomes), sep="\n")  # noqa: T201


if __name__ == "__main__":
    typer.run(main)
