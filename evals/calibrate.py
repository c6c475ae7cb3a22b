"""Makes the weights of the refusal gate: `python -m evals.calibrate SQUAD_FILE EVENT_FILE`.

From SQuAD: every answerable question is asked of an index with its article, and of one without it. From the event
questions (over the shipped corpus), those with odd line numbers. The other half of each is for measuring. Prints the
weights for `rag/gate.py` and the share of questions refused at several thresholds.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from evals import event, squad
from evals.remembering import RememberingEmbedder
from ingest import sync_corpus
from rag import gate
from rag.conversation import standalone
from rag.embed import MiniLM
from rag.index import Index
from rag.retrieve import retrieve
from rag.settings import Settings

EVENT_WEIGHT = 20.0
"""How much one event question counts, there being so many more of the others."""
SEARCHED = 8


def main(squad_file: Path, event_file: Path) -> None:
    """Fit, measure and print."""
    from sklearn.linear_model import LogisticRegression

    articles, questions = squad.read(squad_file)
    questions = [q for q in questions if q.answers]
    embedder = RememberingEmbedder(MiniLM(), [q.text for q in questions])
    rows: list[tuple[float, ...]] = []
    answerable: list[bool] = []
    groups: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        titles = sorted({a.id for a in articles})
        for half in (titles[::2], titles[1::2]):
            root = Path(folder) / half[0]
            index = squad.index([a for a in articles if a.id in half], root, embedder)
            for number, question in enumerate(questions):
                found = retrieve(question.text, index, embedder, SEARCHED)
                rows.append(gate.features(question.text, found))
                answerable.append(question.article_id in half)
                groups.append("squad fit" if number // 40 % 2 == 0 else "squad test")
        root = Path(folder) / "event"
        sync_corpus(Settings.from_env(index=root, model="quotes"))
        index = Index.open(root, embedder.identity)
        for number, asked in enumerate(event.read(event_file)):
            # Earlier answers matter little to the rewriting of these; the questions are enough.
            text = standalone(asked.turns[-1], [(turn, "") for turn in asked.turns[:-1]])
            found = retrieve(text, index, embedder, SEARCHED)
            rows.append(gate.features(text, found))
            answerable.append(not asked.refuse)
            groups.append("event fit" if number % 2 == 0 else "event test")

    x, y, group = np.array(rows), np.array(answerable), np.array(groups)
    fit = np.char.endswith(group, "fit")
    model = LogisticRegression(C=100.0, max_iter=1000)
    model.fit(x[fit], y[fit], sample_weight=np.where(np.char.startswith(group[fit], "event"), EVENT_WEIGHT, 1.0))
    print(f"INTERCEPT = {model.intercept_[0]:.2f}")  # noqa: T201
    print(f"WEIGHTS = ({', '.join(f'{w:.2f}' for w in model.coef_[0])})  # {', '.join(gate.FEATURES)}")  # noqa: T201
    chances = model.predict_proba(x)[:, 1]
    for threshold in (0.3, 0.4, 0.5, 0.6, 0.7):
        shares = [
            f"{name}: {np.mean(chances[(group == name) & ~y] < threshold):.3f} of unanswerable, "
            f"{np.mean(chances[(group == name) & y] < threshold):.3f} of answerable"
            for name in ("squad test", "event test")
        ]
        print(f"refused at {threshold}: {'; '.join(shares)}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
