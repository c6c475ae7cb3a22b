"""Makes the weights of `rag/sequence.py`: `python -m evals.sequence`, which first says how well they tell others.

They are learned of `sequence_sentences.jsonl`, whose writers had seen no article and no set, of the questions of
readers who asked for timelines, and of all other questions about the event, which ask for none.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from rag import sequence
from rag.embed import MiniLM
from rag.sequence import Classifier

if TYPE_CHECKING:
    from numpy.typing import NDArray

HERE = Path(__file__).parent
SENTENCES = HERE / "sequence_sentences.jsonl"
OF_READERS = ("anew", "closing", "finish", "later", "order", "press", "radio", "sequel", "trial")
"""Sets in which whatever asks for a timeline is marked so."""
OTHERS = (
    "article",
    "asked",
    "blind",
    "contrast",
    "event",
    "exam",
    "fresh",
    "held",
    "known",
    "natural",
    "plain",
    "unseen",
    "wordings",
)
"""Sets of which only questions of other kinds count."""
MOST = 1200
"""Questions taken of each of the others, evenly."""
FEWEST = 3
"""A phrase that fewer questions have tells nothing."""
FREQUENT = 60
"""So many words, the most frequent ones, count in pairs."""
STRENGTH = 10.0
"""How far the weights follow the questions; the less, the more phrases count for nothing."""
PARTS = 5


@dataclass(frozen=True, slots=True)
class Example:
    """A question, the set it is of, and whether it asks for a sequence of events."""

    of: str
    question: str
    asks: bool


def examples() -> list[Example]:
    """All questions to learn from."""
    found = [Example("sentences", entry["question"], entry["timeline"]) for entry in _entries(SENTENCES)]
    for name in (*OF_READERS, *OTHERS):
        entries = _entries(HERE / f"{name}_questions.jsonl")
        if name in OTHERS:
            entries = [entry for entry in entries if entry["kind"] != "timeline"]
            entries = entries[:: -(-len(entries) // MOST)]
        for entry in entries:
            question = entry["question"] if "question" in entry else entry["turns"][-1]
            found.append(Example(name, question, entry["kind"] == "timeline"))
    return found


def learn(learned: Sequence[Example], vectors: NDArray[np.float32]) -> Classifier:
    """What tells these examples apart, of which most phrases count for nothing.

    Args:
        vectors: of their questions, shape (n, 384).
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    words = Counter(word for example in learned for word in set(sequence.words_of(example.question)))
    frequent = frozenset(word for word, _ in words.most_common(FREQUENT))
    held = [sequence.phrases(example.question, frequent) for example in learned]
    counts = Counter(phrase for own in held for phrase in own)
    places = {phrase: place for place, phrase in enumerate(sorted(p for p, n in counts.items() if n >= FEWEST))}
    cells = [(row, places[p], 1 / math.sqrt(len(own))) for row, own in enumerate(held) for p in own if p in places]
    rows, columns, values = zip(*cells, strict=True)
    of_phrases = csr_matrix((values, (rows, columns)), shape=(len(held), len(places)))
    # The absolute values of the weights are kept small, not their squares, so that most are none.
    fitted = LogisticRegression(C=STRENGTH, l1_ratio=1.0, solver="liblinear", random_state=0, max_iter=4000)
    fitted.fit(hstack([of_phrases, csr_matrix(vectors)]), [e.asks for e in learned])
    own = fitted.coef_[0].round(2)
    return Classifier(
        round(float(fitted.intercept_[0]), 2),
        frequent,
        {phrase: float(own[place]) for phrase, place in places.items() if own[place]},
        own[len(places) :].astype(np.float32),
    )


def _entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Print how the questions of each part are told by what is learned of the others, and write the weights of all."""
    every, embedder = examples(), MiniLM()
    vectors = np.stack([embedder.embed_question(example.question).vector for example in every])
    told: Counter[tuple[str, bool, bool]] = Counter()
    for part in range(PARTS):
        others = [place for place in range(len(every)) if place % PARTS != part]
        made = learn([every[place] for place in others], vectors[others])
        for example, vector in zip(every[part::PARTS], vectors[part::PARTS], strict=True):
            likely = made.likelihood(example.question, vector)
            told[example.of, example.asks, likely >= sequence.SURE] += 1
    typer.echo(f"{'set':12}{'sequences':>10}{'found':>8}{'others':>8}{'taken for one':>15}")
    for name in dict.fromkeys(example.of for example in every):
        asked, other = (told[name, asks, True] + told[name, asks, False] for asks in (True, False))
        typer.echo(f"{name:12}{asked:10}{told[name, True, True]:8}{other:8}{told[name, False, True]:15}")
    made = learn(every, vectors)
    shipped = {
        "start": made.start,
        "frequent": sorted(made.frequent),
        "phrases": made.phrases,
        "vector": [round(float(value), 2) for value in made.vector],
    }
    path = Path(sequence.__file__).with_suffix(".json")
    path.write_text(json.dumps(shipped, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    typer.echo(f"{len(made.phrases)} phrases count.")


if __name__ == "__main__":
    typer.run(main)
