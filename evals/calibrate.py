"""Makes the weights of the refusal gate: `python -m evals.calibrate SQUAD_FILE EVENT_FILE`.

From SQuAD: every fourth answerable question is asked of an index with its article, and of one without it; every third
of all questions of an index of everything, where those without an answer are the hard ones: their words are there. From
the event questions (over the shipped corpus), those with odd line numbers. Of SQuAD's articles one half is for fitting;
the other half, and the even event questions, are for measuring. Prints the weights for `rag/gate.py`, the area under
the curve, and the share of questions refused at several thresholds.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np

from evals import event, indexing, squad
from evals.remembering import RememberingEmbedder
from ingest import sync_corpus
from rag import gate
from rag.conversation import standalone
from rag.embed import MiniLM
from rag.index import Index
from rag.retrieve import retrieve
from rag.settings import Settings

QUESTION_WEIGHTS = {"event": 8.0, "missing": 1.0, "adversarial": 0.3}
"""How much one question of each kind counts: there are few event questions, and the hard ones are mostly luck."""
SEARCHED = 8


def main(squad_file: Path, event_file: Path) -> None:
    """Fit, measure and print."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    articles, questions = squad.read(squad_file)
    embedder = RememberingEmbedder(MiniLM(), [q.text for q in questions])
    titles = sorted({a.id for a in articles})
    rows: list[tuple[float, ...]] = []
    answerable: list[bool] = []
    groups: list[str] = []

    def add(text: str, searched: Index, *, has_answer: bool, group: str) -> None:
        rows.append(gate.features(text, retrieve(text, searched, embedder, SEARCHED)))
        answerable.append(has_answer)
        groups.append(group)

    with tempfile.TemporaryDirectory() as folder:
        for number, present in enumerate((titles, titles[::2], titles[1::2])):
            held = [a for a in articles if a.id in present]
            with closing(indexing.index(held, Path(folder) / f"squad-{number}", embedder)) as searched:
                for question in questions[1::3] if present is titles else questions[number::4]:
                    half = "fit" if question.article_id in titles[::2] else "test"
                    if present is titles:
                        answers = bool(question.answers)
                        add(question.text, searched, has_answer=answers, group=f"adversarial {half}")
                    elif question.answers:
                        is_there = question.article_id in present
                        add(question.text, searched, has_answer=is_there, group=f"missing {half}")
        root = Path(folder) / "event"
        sync_corpus(Settings.from_env(index=root, model="quotes"))
        with closing(Index.open(root, embedder.identity)) as searched:
            for number, asked in enumerate(event.read(event_file)):
                # Earlier answers matter little to the rewriting of these; the questions are enough.
                text = standalone(asked.turns[-1], [(turn, "") for turn in asked.turns[:-1]])
                half = "fit" if number % 2 == 0 else "test"
                add(text, searched, has_answer=not asked.refuse, group=f"event {half}")

    x, y, group = np.array(rows), np.array(answerable), np.array(groups)
    fit = np.char.endswith(group, "fit")
    counts = np.array([QUESTION_WEIGHTS[name.split()[0]] for name in groups])
    model = LogisticRegression(C=1.0, max_iter=5000)
    model.fit(x[fit], y[fit], sample_weight=counts[fit])
    print(f"INTERCEPT = {model.intercept_[0]:.2f}")  # noqa: T201
    print(f"WEIGHTS = ({', '.join(f'{w:.2f}' for w in model.coef_[0])})  # {', '.join(gate.FEATURES)}")  # noqa: T201
    chances = model.predict_proba(x)[:, 1]
    for name in QUESTION_WEIGHTS:
        of = group == f"{name} test"
        print(f"{name}: area under the curve {roc_auc_score(y[of], chances[of]):.3f}")  # noqa: T201
        for threshold in (0.3, 0.35, 0.4, 0.45, 0.5):
            refused = chances < threshold
            print(  # noqa: T201
                f"    at {threshold}: {np.mean(refused[of & ~y]):.3f} of the unanswerable refused, "
                f"{np.mean(refused[of & y]):.3f} of the answerable"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
