"""What each signal of the ranking brings: `python -m evals.ablation SQUAD_FILE`.

Prints hit@1 and hit@4 of each signal alone, of the ranking without it, and of the ranking as it is. One search serves
all rows.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from evals import squad
from evals.remembering import RememberingEmbedder
from rag.embed import MiniLM
from rag.retrieve import SIGNALS, WEIGHTS, gather, rank


def variants() -> dict[str, tuple[float, ...]]:
    """Each row's name and what its signals count for."""
    rows: dict[str, tuple[float, ...]] = {}
    for number, signal in enumerate(SIGNALS):
        rows[f"{signal} alone"] = tuple(float(i == number) for i in range(len(SIGNALS)))
    for number, signal in enumerate(SIGNALS):
        rows[f"all without {signal}"] = tuple(w * (i != number) for i, w in enumerate(WEIGHTS))
    return rows | {"all, as shipped": WEIGHTS}


def main(squad_file: Path) -> None:
    """Search, rank in every way, and print the table."""
    articles, questions = squad.read(squad_file)
    rows = variants()
    hits = {name: [0, 0] for name in rows}
    with tempfile.TemporaryDirectory() as folder:
        embedder = RememberingEmbedder(MiniLM(), [question.text for question in questions])
        index = squad.index(articles, Path(folder) / "squad", embedder)
        for question in questions:
            pool = gather(question.text, index, embedder)
            for name, weights in rows.items():
                found = squad.overlaps(question, [e.passage for e in rank(pool, weights)[:4]])
                hits[name][0] += found[0]
                hits[name][1] += any(found)
        index.close()
    print(f"{'':36}{'hit@1':>8}{'hit@4':>8}")  # noqa: T201
    for name, (first, four) in hits.items():
        print(f"{name:36}{first / len(questions):8.3f}{four / len(questions):8.3f}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
