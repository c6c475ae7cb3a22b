"""Makes the weights of reading and of refusing: `python -m evals.calibrate SQUAD_FILE`.

From SQuAD: questions asked of an index of everything, where those without an answer are the hard ones (their words are
there), and answerable ones asked of indexes of one half of the articles each, so that the answer is there or missing.
From the own questions, asked of the shipped articles: `event_questions.jsonl`, `short_questions.jsonl`,
`general_questions.jsonl`, and of `nearby_questions.jsonl`, `article_questions.jsonl` and `plain_questions.jsonl`, which
have many without an answer.

What is shipped is fitted to all of them. What is measured is not: each half of SQuAD's articles and of the own
questions is read with weights that are fitted to the other half, and by a cross-encoder that has learned from the other
half. The gate is fitted to what these say of SQuAD's, and to what the shipped cross-encoder says of those about the
event that it has not learned from, `held_questions.jsonl` and `blind_questions.jsonl`. Each of twelve parts is judged
by what is fitted to the other eleven.

Prints the weights for `rag/relevance.py`, how often the first sentence is right, the area under the curve, and the
share of questions refused at several thresholds, draws these as a picture, and writes the trees for `rag/gate.json`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from evals import event, indexing, squad
from evals.boosting import boosted
from evals.parts import Choice, reading_table, refusing_table, share
from evals.refusing import Judged, draw
from evals.remembering import RememberingEmbedder
from ingest import sync_corpus
from rag import gate, relevance
from rag.assistant import PASSAGES
from rag.conversation import standalone
from rag.cross_encoder import CHANGES, CrossEncoder
from rag.embed import Embedder, MiniLM
from rag.gate import Forest
from rag.index import Index
from rag.length import LENGTHS
from rag.quote import Reading, choose, judged, read
from rag.records import Passage, Sentence
from rag.relevance import Asked
from rag.retrieve import Retrieval, search
from rag.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

OWN = ("event", "short", "general", "nearby", "article", "plain")
HELD = ("held", "blind")
"""The sets that the shipped cross-encoder judges, which has not learned from them: by people without the articles."""
READING_WEIGHTS = {"hard": 1.0, "event": 0.4, "short": 0.2, "general": 0.2, "nearby": 0.4, "article": 0.1, "plain": 0.3}
"""What a set counts for in reading, however many questions it has."""
REFUSING_WEIGHTS = {"held": (12.0, 9.0), "blind": (12.0, 9.0), "missing": (4 / 3, 20 / 3), "hard": (1.0, 1.0)}
"""What one question of a set counts for in refusing, without an answer and with one.

The hard ones are mostly luck. Of what is about the event, more has to be refused for as many wrongly: much is near to
any question.
"""
PARTS = 12
"""Of each set."""
HARD_STEP, MISSING_STEP = 2, 4
"""Every so many-th question of SQuAD is asked."""
LEAST = 2.0
"""What another day than the one asked for counts against a sentence at least."""
LEAST_OF_VERSION = 9.0
"""And what another version does: hardly a question of these sets shows it, but R1-Zero's day is never R1's."""
PENALTY = 0.001
"""On the squares of the weights of reading, of features in standard deviations."""
HALVES = tuple(Path(__file__).with_name(f"cross_encoder_{half}.npz") for half in ("even", "odd"))
"""What cross-encoders have learned from each half alone; made by `python -m evals.cross_encoder`."""
JUDGEMENT_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
"""What the cross-encoder may count for in reading; the one chosen is in `rag.quote`."""
THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45)


@dataclass(frozen=True, slots=True)
class Example:
    """A question with what was found for it.

    Args:
        of: the name of its set: "hard", "missing" or that of an own one.
        text: what was searched for, spelt as the articles spell it.
        found: the passages.
        has_answer: whether the answer is there.
        part: of its set, from 0 to 11; the even ones are one half, the odd ones the other.
        answers: whether a sentence of a passage has the answer.
        span: where in a text that has it the answer stands; None where that isn't known.
    """

    of: str
    text: str
    found: Retrieval
    has_answer: bool
    part: int
    answers: Callable[[Passage, Sentence], bool]
    span: Callable[[str], tuple[int, int] | None]

    @property
    def half(self) -> int:
        """0 or 1."""
        return self.part % 2


def examples(
    squad_file: Path, root: Path, hard_step: int = HARD_STEP, missing_step: int = MISSING_STEP
) -> Iterator[Example]:
    """All questions; the indexes are made in `root`."""
    articles, questions = squad.read(squad_file)
    titles = sorted({a.id for a in articles})
    asked = {
        0: questions[1::hard_step],
        1: [q for q in questions[::missing_step] if q.answers],
        2: [q for q in questions[2::missing_step] if q.answers],
    }
    embedder = RememberingEmbedder(MiniLM(), [q.text for some in asked.values() for q in some])
    for number, present in enumerate((titles, titles[::2], titles[1::2])):
        held = [a for a in articles if a.id in present]
        with closing(indexing.index(held, root / f"squad-{number}", embedder)) as index:
            for question in asked[number]:
                spelt, found = search(question.text, index, embedder, PASSAGES)
                has_answer = bool(question.answers) and question.article_id in present
                part = titles.index(question.article_id) % PARTS
                of = "missing" if number else "hard"
                patterns = list(map(re.escape, question.answers))
                yield Example(
                    of, spelt, found, has_answer, part, question.is_answered_by, partial(shortest_match, patterns)
                )
    yield from own_examples(OWN, root, embedder)


def own_examples(sets: Iterable[str], root: Path, embedder: Embedder) -> Iterator[Example]:
    """The questions of own sets, asked of the shipped articles; their index is made in `root`."""
    sync_corpus(Settings.from_env(index=root / "own", model="quotes"))
    with closing(Index.open(root / "own", embedder.identity)) as index:
        for name in sets:
            for number, own in enumerate(event.read(Path(event.__file__).parent / f"{name}_questions.jsonl")):
                # Earlier answers matter little to the rewriting of these; the questions are enough.
                text = standalone(own.turns[-1], [(turn, "") for turn in own.turns[:-1]])
                spelt, found = search(text, index, embedder, PASSAGES)
                part = number % 2 + 2 * (number // 4) % PARTS
                span = partial(shortest_match, own.expect[0] if own.expect else ())
                yield Example(name, spelt, found, not own.refuse, part, _matches(own), span)


def _matches(question: event.Question) -> Callable[[Passage, Sentence], bool]:
    def answers(_: Passage, sentence: Sentence) -> bool:
        return all(any(re.search(pattern, sentence.text) for pattern in group) for group in question.expect)

    return answers


def shortest_match(patterns: Iterable[str], text: str) -> tuple[int, int] | None:
    """The shortest stretch of whole words that one of the patterns is found in."""
    found = [m.span() for pattern in patterns if (m := re.search(pattern, text)) and m[0]]
    if not found:
        return None
    start, end = min(found, key=lambda span: span[1] - span[0])
    words = [m.span() for m in re.finditer(r"\w+", text) if m.start() < end and m.end() > start]
    return min([start, *(word[0] for word in words)]), max([end, *(word[1] for word in words)])


def choices(some: Iterable[Example]) -> list[Choice]:
    """Among which sentences reading chooses for those that have an answer."""
    made = []
    for example in some:
        if not (example.has_answer and example.of in READING_WEIGHTS):
            continue
        evidence = example.found.evidence
        asked = Asked.of(example.text, example.found.weights, evidence)
        features = [relevance.features(asked, e, place) for e in evidence for place in range(len(e.sentences))]
        answers = [example.answers(e.passage, s) for e in evidence for s in e.sentences]
        made.append(Choice(example.of, np.array(features), np.array(answers)))
    return made


def fit_reading(fitted: Sequence[Choice]) -> NDArray[np.float64]:
    """The weights that make sentences with the answer likely: the softmax of the scores, as in ListNet (Cao 2007)."""
    from scipy.optimize import minimize

    made = [c for c in fitted if c.right.any() and not c.right.all()]
    sizes = Counter(c.of for c in fitted)
    rows, right = [c.features for c in made], [c.right for c in made]
    counts = [READING_WEIGHTS[c.of] / sizes[c.of] for c in made]
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
    if feature == "other version":
        return None, -LEAST_OF_VERSION
    if feature in relevance.AGAINST:
        return None, 0.0
    return LEAST if feature == "day" else 0.0, None


def main(
    squad_file: Annotated[Path, typer.Argument(help="SQuAD 2.0, or part of it.")],
    keep: Annotated[Path | None, typer.Option(help="A folder for the indexes, to be used again next time.")] = None,
    picture: Annotated[Path | None, typer.Option(help="The file for the curves, an SVG.")] = None,
    trees: Annotated[Path | None, typer.Option(help="The file for the trees, a JSON.")] = None,
    tables: Annotated[Path | None, typer.Option(help="The file for what each part brings, Markdown.")] = None,
) -> None:
    """Fit, measure, print and draw."""
    with indexing.folder(keep) as root:
        learned = [e for e in examples(squad_file, root) if e.found.evidence]
        held = [e for e in own_examples(HELD, root, MiniLM()) if e.found.evidence]
    halves = [choices(e for e in learned if e.half == half) for half in (0, 1)]
    weights = tuple(float(w) for w in np.round(fit_reading([*halves[0], *halves[1]]), 2))
    print("rag/relevance.py:", *(f"{w:.2f}," for w in weights), f"# {', '.join(relevance.FEATURES)}")  # noqa: T201
    of_other = [fit_reading(other) for other in reversed(halves)]
    for half in (0, 1):
        shares = ", ".join(f"{name} {share([(halves[half], of_other[half])], name):.3f}" for name in READING_WEIGHTS)
        print(f"first sentence right, half {half} by weights of the other: {shares}")  # noqa: T201
    asked = [*learned, *held]
    readings = [read(e.text, e.found, of_other[e.half].tolist()) for e in learned]
    readings += [read(e.text, e.found, weights) for e in held]
    judges = [CrossEncoder(MiniLM(), changes) for changes in (*reversed(HALVES), CHANGES)]
    said = [
        judges[2 if e.of in HELD else e.half].judgements(reading) for e, reading in zip(asked, readings, strict=True)
    ]
    for weight in JUDGEMENT_WEIGHTS:
        again = [judged(r, own, weight=weight) for r, own in zip(readings, said, strict=True)]
        shares = ", ".join(f"{of} {right:.3f}" for of, right in _right_by_set(asked, again).items())
        print(f"first sentence right, the cross-encoder x {weight}: {shares}")  # noqa: T201

    again = [judged(r, own) for r, own in zip(readings, said, strict=True)]
    quoted = _right_by_set(asked, again, LENGTHS["medium"].quoted)
    print("some sentence quoted right:", ", ".join(f"{of} {right:.3f}" for of, right in quoted.items()))  # noqa: T201
    counted = [(e, reading) for e, reading in zip(asked, again, strict=True) if e.of in REFUSING_WEIGHTS]
    refusing = Refusing.of([e for e, _ in counted], [reading for _, reading in counted])
    forest, judgements = refusing.fitted(), refusing.judged(range(len(gate.FEATURES)))
    for judgement in judgements:
        print(f"{judgement.of}: area under the curve {judgement.area:.3f}")  # noqa: T201
        for threshold in THRESHOLDS:
            rightly, wrongly = judgement.refused(threshold)
            print(  # noqa: T201
                f"    at {threshold}: {rightly:.3f} of the unanswerable refused, {wrongly:.3f} of the answerable"
            )
    if trees is not None:
        trees.write_text(json.dumps(asdict(forest)).replace("[[", "[\n[", 1).replace("], [", "],\n[") + "\n")
    if tables is not None:
        right = _right_by_set(asked, again)
        lines = [
            *reading_table(
                list(zip(halves, of_other, strict=True)), list(READING_WEIGHTS), [right[of] for of in READING_WEIGHTS]
            ),
            "",
            *refusing_table(refusing.judged, tuple(REFUSING_WEIGHTS)),
        ]
        tables.write_text("\n".join([*lines, ""]), encoding="utf-8")
    if picture is not None:
        picture.write_text(draw(judgements, gate.THRESHOLD), encoding="utf-8")


def _right_by_set(asked: Sequence[Example], readings: Sequence[Reading], most: int = 1) -> dict[str, float]:
    """The share of each set's answerable questions of whose `most` sentences to be quoted one has the answer."""
    right: dict[str, list[bool]] = {name: [] for name in (*READING_WEIGHTS, *HELD)}
    for example, reading in zip(asked, readings, strict=True):
        if example.has_answer and example.of in right:
            right[example.of].append(any(example.answers(s.passage, s.sentence) for s in choose(reading.ranked, most)))
    return {name: float(np.mean(all_of)) for name, all_of in right.items()}


@dataclass(frozen=True, slots=True)
class Refusing:
    """What the gate knows of n questions.

    What cross-encoders have said of them must not come of one that has learned from them: that would be too good.

    Args:
        features: shape (n, features).
        beside: what is refused whatever the features are.
        has_answer: which have an answer.
        parts: of their sets, as examples have them.
        sets: their names.
    """

    features: NDArray[np.float64]
    beside: NDArray[np.bool_]
    has_answer: NDArray[np.bool_]
    parts: NDArray[np.int64]
    sets: NDArray[np.str_]

    @classmethod
    def of(cls, asked: Sequence[Example], readings: Sequence[Reading]) -> Refusing:
        """Of questions and how they were read."""
        return cls(
            np.array([gate.features(reading) for reading in readings]),
            np.array([gate.is_beside(reading) for reading in readings]),
            np.array([e.has_answer for e in asked]),
            np.array([e.part for e in asked]),
            np.array([e.of for e in asked]),
        )

    def fitted(self, kept: Sequence[int] = range(len(gate.FEATURES)), but_part: int = -1) -> Forest:
        """What judges whether an answer is there, by the features at these places, fitted to all parts but one."""
        chosen = ~self.beside & (self.parts != but_part)
        counts = np.array(
            [
                REFUSING_WEIGHTS[of][has]
                for of, has in zip(self.sets[chosen], self.has_answer[chosen].astype(int), strict=True)
            ]
        )
        signs = [gate.SIGNS[place] for place in kept]
        return boosted(self.features[chosen][:, list(kept)], self.has_answer[chosen], counts, signs)

    def judged(self, kept: Sequence[int]) -> list[Judged]:
        """How well each set's questions are judged, each part of them by what was fitted to the others."""
        log_odds = np.full(len(self.parts), -np.inf)
        for part in set(self.parts.tolist()):
            forest = self.fitted(kept, but_part=part)
            for row in np.flatnonzero((self.parts == part) & ~self.beside):
                log_odds[row] = forest.log_odds(self.features[row, list(kept)].tolist())
        chances = 1 / (1 + np.exp(-log_odds))
        those = {name: self.sets == name for name in REFUSING_WEIGHTS}
        return [Judged(name, self.has_answer[rows], chances[rows]) for name, rows in those.items()]


if __name__ == "__main__":
    typer.run(main)
