"""Makes the weights of reading and of refusing: `python -m evals.calibrate SQUAD_FILE`.

From SQuAD: questions asked of an index of everything, where those without an answer are the hard ones (their words are
there), and answerable ones asked of indexes of one half of the articles each, so that the answer is there or missing.
From the own questions, asked of the shipped articles: `event_questions.jsonl`, `short_questions.jsonl`, and
`nearby_questions.jsonl`, of which half have no answer. Of SQuAD's articles one half is for fitting, the other for
measuring; of the own questions those with odd line numbers.

Prints the weights for `rag/relevance.py`, the area under the curve, and the share of questions refused at several
thresholds, draws these as a picture, and writes the trees for `rag/gate.json`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from evals import event, indexing, squad
from evals.boosting import boosted
from evals.refusing import Judged, draw
from evals.remembering import RememberingEmbedder
from ingest import sync_corpus
from rag import gate, relevance
from rag.assistant import PASSAGES
from rag.conversation import standalone
from rag.embed import MiniLM
from rag.gate import Forest
from rag.index import Index
from rag.quote import read
from rag.records import Passage, Sentence
from rag.relevance import Asked
from rag.retrieve import Retrieval, retrieve
from rag.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

OWN = ("event", "short", "general", "nearby")
READING_WEIGHTS = {"hard": 1.0, "event": 0.4, "short": 0.2, "general": 0.2, "nearby": 0.4}
"""What a set counts for in reading, however many questions it has."""
REFUSING_WEIGHTS = {"event": 3.0, "short": 2.0, "general": 1.0, "nearby": 3.0, "missing": 3.0, "hard": 0.5}
"""What one question of a set counts for in refusing: there are few own ones, and the hard ones are mostly luck."""
HARD_STEP, MISSING_STEP = 2, 12
"""Every so many-th question of SQuAD is asked."""
LEAST = 2.0
"""What another day than the one asked for counts against a sentence at least."""
PENALTY = 0.001
"""On the squares of the weights of reading, of features in standard deviations."""
THRESHOLDS = (0.3, 0.34, 0.36, 0.38, 0.4, 0.45)


@dataclass(frozen=True, slots=True)
class Example:
    """A question with what was found for it.

    Args:
        of: the name of its set: "hard", "missing" or one of `OWN`.
        text: what was searched for.
        found: the passages.
        has_answer: whether the answer is there.
        is_fitted: whether weights may be fitted to it.
        answers: whether a sentence of a passage has the answer.
    """

    of: str
    text: str
    found: Retrieval
    has_answer: bool
    is_fitted: bool
    answers: Callable[[Passage, Sentence], bool]


def examples(squad_file: Path, root: Path) -> Iterator[Example]:
    """All questions; the indexes are made in `root`."""
    articles, questions = squad.read(squad_file)
    titles = sorted({a.id for a in articles})
    asked = {
        0: questions[1::HARD_STEP],
        1: [q for q in questions[::MISSING_STEP] if q.answers],
        2: [q for q in questions[2::MISSING_STEP] if q.answers],
    }
    embedder = RememberingEmbedder(MiniLM(), [q.text for some in asked.values() for q in some])
    for number, present in enumerate((titles, titles[::2], titles[1::2])):
        held = [a for a in articles if a.id in present]
        with closing(indexing.index(held, root / f"squad-{number}", embedder)) as index:
            for question in asked[number]:
                found = retrieve(question.text, index, embedder, PASSAGES)
                has_answer = bool(question.answers) and question.article_id in present
                is_fitted = question.article_id in titles[::2]
                of = "missing" if number else "hard"
                yield Example(of, question.text, found, has_answer, is_fitted, question.is_answered_by)
    sync_corpus(Settings.from_env(index=root / "own", model="quotes"))
    with closing(Index.open(root / "own", embedder.identity)) as index:
        for name in OWN:
            for number, own in enumerate(event.read(Path(event.__file__).parent / f"{name}_questions.jsonl")):
                # Earlier answers matter little to the rewriting of these; the questions are enough.
                text = standalone(own.turns[-1], [(turn, "") for turn in own.turns[:-1]])
                found = retrieve(text, index, embedder, PASSAGES)
                yield Example(name, text, found, not own.refuse, number % 2 == 0, _matches(own))


def _matches(question: event.Question) -> Callable[[Passage, Sentence], bool]:
    def answers(_: Passage, sentence: Sentence) -> bool:
        return all(any(re.search(pattern, sentence.text) for pattern in group) for group in question.expect)

    return answers


def fit_reading(fitted: Sequence[Example]) -> NDArray[np.float64]:
    """The weights that make sentences with the answer likely: the softmax of the scores, as in ListNet (Cao 2007)."""
    from scipy.optimize import minimize

    sets = [e for e in fitted if e.has_answer and e.of in READING_WEIGHTS]
    rows, right, counts = [], [], []
    sizes = Counter(e.of for e in sets)
    for example in sets:
        asked = Asked.of(example.text, example.found.weights, example.found.evidence)
        evidence = example.found.evidence
        features = [relevance.features(asked, e, place) for e in evidence for place in range(len(e.sentences))]
        answers = [example.answers(e.passage, s) for e in evidence for s in e.sentences]
        if any(answers) and not all(answers):
            rows.append(np.array(features))
            right.append(np.array(answers))
            counts.append(READING_WEIGHTS[example.of] / sizes[example.of])
    spreads = np.concatenate(rows).std(axis=0) + 1e-6
    x, y, share = np.concatenate(rows) / spreads, np.concatenate(right), np.array(counts) / sum(counts)
    starts = np.cumsum([0, *map(len, rows)])[:-1]
    owner = np.repeat(np.arange(len(rows)), [len(row) for row in rows])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = x @ weights
        likely = np.exp(scores - np.maximum.reduceat(scores, starts)[owner])
        whole, of_right = np.add.reduceat(likely, starts), np.add.reduceat(likely * y, starts)
        value = -(share * np.log(of_right / whole + 1e-12)).sum() + PENALTY * (weights**2).sum()
        slope = share[owner] * (likely / whole[owner] - likely * y / (of_right[owner] + 1e-12))
        return value, slope @ x + 2 * PENALTY * weights

    bounds = [_bounds(name) for name in relevance.FEATURES]
    scaled = [tuple(b if b is None else b * s for b in ends) for ends, s in zip(bounds, spreads, strict=True)]
    start = np.zeros(x.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=scaled, options={"maxiter": 500})
    weights: NDArray[np.float64] = found.x / spreads
    return weights


def _bounds(feature: str) -> tuple[float | None, float | None]:
    """Between which values a weight of reading may lie.

    Few questions of these sets name a day, but a reader who does minds a sentence about another one.
    """
    if feature in relevance.FREE:
        return None, None
    if feature in relevance.AGAINST:
        return None, 0.0
    return LEAST if feature == "day" else 0.0, None


def read_rightly(some: Sequence[Example], weights: Sequence[float]) -> float:
    """The share of the questions whose best sentence has the answer."""
    firsts = [read(e.text, e.found, weights).ranked[:1] for e in some]
    return float(np.mean([any(e.answers(s.passage, s.sentence) for s in f) for e, f in zip(some, firsts, strict=True)]))


def main(
    squad_file: Annotated[Path, typer.Argument(help="SQuAD 2.0, or part of it.")],
    keep: Annotated[Path | None, typer.Option(help="A folder for the indexes, to be used again next time.")] = None,
    picture: Annotated[Path | None, typer.Option(help="The file for the curves, an SVG.")] = None,
    trees: Annotated[Path | None, typer.Option(help="The file for the trees, a JSON.")] = None,
) -> None:
    """Fit, measure, print and draw."""
    with indexing.folder(keep) as root:
        asked = [e for e in examples(squad_file, root) if e.found.evidence]
    fitted, others = [e for e in asked if e.is_fitted], [e for e in asked if not e.is_fitted]
    weights = tuple(float(w) for w in np.round(fit_reading(fitted), 2))
    print("rag/relevance.py:", *(f"{w:.2f}," for w in weights), f"# {', '.join(relevance.FEATURES)}")  # noqa: T201
    for name in READING_WEIGHTS:
        for half, some in (("fitted to", fitted), ("the other", others)):
            these = [e for e in some if e.of == name and e.has_answer]
            now, before = read_rightly(these, weights), read_rightly(these, relevance.WEIGHTS)
            print(f"{name}, {half}: first sentence right {now:.3f}, with the weights that are there {before:.3f}")  # noqa: T201

    forest, judged = refuse(asked, weights)
    for judgement in judged:
        print(judgement.name, f"area under the curve {judgement.area:.3f}", sep=": ")  # noqa: T201
        for threshold in THRESHOLDS:
            rightly, wrongly = judgement.refused(threshold)
            print(  # noqa: T201
                f"    at {threshold}: {rightly:.3f} of the unanswerable refused, {wrongly:.3f} of the answerable"
            )
    if trees is not None:
        trees.write_text(json.dumps(asdict(forest)).replace("[[", "[\n[", 1).replace("], [", "],\n[") + "\n")
    if picture is not None:
        shown = [j for j in judged if not j.is_fitted and j.of not in ("short", "general")]
        picture.write_text(draw(shown, gate.THRESHOLD), encoding="utf-8")


def refuse(asked: Sequence[Example], weights: Sequence[float]) -> tuple[Forest, list[Judged]]:
    """What judges whether an answer is there, and how well it does on each half of each set.

    Args:
        weights: of reading.
    """
    readings = [read(e.text, e.found, weights) for e in asked]
    x = np.array([gate.features(reading) for reading in readings])
    beside = np.array([gate.is_beside(reading) for reading in readings])
    y, is_fitted = np.array([e.has_answer for e in asked]), np.array([e.is_fitted for e in asked])
    sets = np.array([e.of for e in asked])
    counts = np.array([REFUSING_WEIGHTS[e.of] for e in asked])
    chosen = is_fitted & ~beside
    forest = boosted(x[chosen], y[chosen], counts[chosen], gate.SIGNS)
    log_odds = np.array([forest.log_odds(row) for row in x])
    chances = np.where(beside, 0.0, 1 / (1 + np.exp(-log_odds)))
    halves = [(name, half) for name in REFUSING_WEIGHTS for half in (True, False)]
    places = {(name, half): (sets == name) & (is_fitted == half) for name, half in halves}
    return forest, [Judged(*own, y[here], chances[here]) for own, here in places.items()]


if __name__ == "__main__":
    typer.run(main)
