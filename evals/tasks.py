"""All sets in which something is searched for, in one form: to fit the ranking, or to rank in many ways.

They are laid out in one folder: `squad/*.json`, and the folders `scifact`, `clapnq_multiturn` and `chunking`; the own
questions about the event and the articles that come along join them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

import corpus
from evals import chunking, clapnq, event, indexing, scifact, squad
from evals.remembering import RememberingEmbedder
from ingest.load import files, load
from rag import quote
from rag.conversation import standalone
from rag.cross_encoder import CrossEncoder
from rag.embed import MiniLM
from rag.ranking import Measured, Pool, measure
from rag.records import Article, Evidence, Passage
from rag.rerank import CLOSER, FEWEST, JUDGED, is_unsure, reranked
from rag.retrieve import gather, merge_copies, rank, retrieved, trim

if TYPE_CHECKING:
    from numpy.typing import NDArray

SQUAD_STEP = 6
"""Every sixth of SQuAD's questions is taken: there are many."""

OWN = {
    "own": "event_questions.jsonl",
    "general": "general_questions.jsonl",
    "short": "short_questions.jsonl",
    "nearby": "nearby_questions.jsonl",
}
"""The sets of questions about the event, and their files."""

SECOND_LOOK = "and a second look"
"""The ranking as it is shipped, and again where it isn't clear which passage comes first."""
FEW_COPIES = 3
"""Among so many times the passages that are asked for there are as many that are no copies of each other."""

Ranker = Callable[[Measured], "NDArray[np.float32]"]
"""From what speaks for the candidates to their scores."""


class Question(Protocol):
    """What knows how good passages are for it."""

    def worth(self, passage: Passage) -> float:
        """How much of what answers the question a passage has, 0 to 1."""

    def measures(self, passages: Sequence[Passage]) -> Mapping[str, float]:
        """How good the passages found are, best first."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to search for.

    Args:
        of: the name of its set.
        text: what is searched for.
        question: judges what is found.
        searched: how many passages are asked for.
        is_fitted: whether weights may be fitted to it; the others are for reporting.
    """

    of: str
    text: str
    question: Question
    searched: int
    is_fitted: bool


@dataclass(frozen=True, slots=True)
class Collection:
    """Articles, and what is searched for in them."""

    name: str
    articles: list[Article]
    tasks: list[Task]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A task, and its measures by the name of each ranker."""

    task: Task
    measures: dict[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """A question about the event, and the regular expressions that a passage has to match, one of each group."""

    expect: tuple[tuple[str, ...], ...]

    def worth(self, passage: Passage) -> float:
        """1 where every group is matched, else 0."""
        return float(all(any(re.search(pattern, passage.text) for pattern in group) for group in self.expect))

    def measures(self, passages: Sequence[Passage]) -> dict[str, float]:
        """Whether the first passage is one of worth."""
        return {"hit@1": max(map(self.worth, passages[:1]), default=0.0)}


def read(folder: Path) -> list[Collection]:
    """All collections. Weights may be fitted to half of each: of its articles or conversations where it has many."""
    return [
        _squad(next(folder.glob("squad/*.json"))),
        _scifact(folder / "scifact"),
        _clapnq(folder / "clapnq_multiturn"),
        _chunking(folder / "chunking"),
        _own(),
    ]


def _squad(path: Path) -> Collection:
    articles, questions = squad.read(path)
    fitted = sorted(article.id for article in articles)[1::2]
    tasks = [Task("squad", q.text, q, 4, q.article_id in fitted) for q in questions[::SQUAD_STEP]]
    return Collection("squad", articles, tasks)


def _scifact(folder: Path) -> Collection:
    articles, claims = scifact.read(folder)
    tasks = [Task("scifact", c.text, c, scifact.SEARCHED, number % 2 == 1) for number, c in enumerate(claims)]
    return Collection("scifact", articles, tasks)


def _clapnq(folder: Path) -> Collection:
    articles, turns = clapnq.read(folder)
    fitted = sorted({turn.conversation for turn in turns})[1::2]
    tasks = [
        Task(f"clapnq {way}", turn.ways[way], turn, clapnq.SEARCHED, turn.conversation in fitted)
        for way in ("last turn", "rewrite")
        for turn in turns
    ]
    return Collection("clapnq", articles, tasks)


def _chunking(folder: Path) -> Collection:
    articles, questions = chunking.read(folder)
    tasks = [Task("chunking", q.text, q, chunking.SEARCHED, number % 2 == 1) for number, q in enumerate(questions)]
    return Collection("chunking", articles, tasks)


def _own() -> Collection:
    articles = [item.article for path in files(corpus.FOLDER)[0] for item in load(Path(path)) if item.article]
    tasks = []
    for of, name in OWN.items():
        for number, question in enumerate(event.read(Path(event.__file__).with_name(name))):
            if not question.refuse:
                text = standalone(question.turns[-1], [(turn, "") for turn in question.turns[:-1]])
                tasks.append(Task(of, text, OwnQuestion(question.expect), 1, number % 2 == 1))
    return Collection("corpus", articles, tasks)


def search(collections: Sequence[Collection], root: Path, *, fitted_only: bool = False) -> Iterator[tuple[Task, Pool]]:
    """Every task with its candidates; the indexes are made in `root`."""
    embedder = MiniLM()
    for collection in collections:
        tasks = [task for task in collection.tasks if task.is_fitted or not fitted_only]
        remembering = RememberingEmbedder(embedder, [task.text for task in tasks])
        with closing(indexing.index(collection.articles, root / collection.name, embedder)) as index:
            for task in tasks:
                pool = gather(task.text, index, remembering)
                if pool.candidates:
                    yield task, pool


def compare(
    searched: Iterator[tuple[Task, Pool]], rankers: Mapping[str, Ranker], judges: Sequence[CrossEncoder] = ()
) -> list[Outcome]:
    """What each task comes to with each ranker: copies merged and passages trimmed, but nothing preferred.

    Candidates come in an order that other signals know; so what a ranker takes for equal stands as in the articles.

    Args:
        judges: for `SECOND_LOOK` cross-encoders that haven't learned from what is fitted to of the sets that some learn
            from, and from the other half of these, and the one for other sets.
    """
    outcomes = []
    for task, pool in searched:
        measured = measure(pool)
        evidence = {_start(e.passage): e for e in rank(pool)}
        candidates = [evidence[_start(c.passage)] for c in pool.candidates]
        measures = {}
        places = np.array(sorted(range(len(candidates)), key=lambda i: _start(candidates[i].passage)))
        for name, ranker in rankers.items():
            order = places[np.argsort(-ranker(measured)[places], kind="stable")]
            ranked = [candidates[i] for i in order]
            found = trim(merge_copies(ranked[: FEW_COPIES * task.searched], task.searched))
            measures[name] = task.question.measures([e.passage for e in found])
        if judges:
            learned = task.of == "squad" or task.of in OWN
            found = _with_second_look(task, pool, judges[not task.is_fitted if learned else -1])
            measures[SECOND_LOOK] = task.question.measures([e.passage for e in found])
        outcomes.append(Outcome(task, measures))
    return outcomes


def _with_second_look(task: Task, pool: Pool, judge: CrossEncoder) -> list[Evidence]:
    found = trim(merge_copies(rank(pool), max(task.searched, FEWEST)))
    if is_unsure(task.text, found):
        reading = quote.read(task.text, retrieved(found, pool.asked))
        found = reranked(reading, judge.of_first(reading, JUDGED))
    return trim(found[: task.searched], CLOSER)


def _start(passage: Passage) -> tuple[str, int]:
    return passage.article_id, passage.start


def mean(outcomes: Sequence[Outcome], ranker: str, measure: str) -> float:
    """A measure's mean over the outcomes that have it."""
    return float(np.mean([outcome.measures[ranker][measure] for outcome in outcomes]))
