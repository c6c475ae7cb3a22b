"""The ranking's weights: how they are made, and how what they bring is measured."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evals import ablation, indexing, learn, sentences, tasks
from rag.embed import MiniLM
from rag.ranking import QUALITIES, SIGNALS, WEIGHTS, scores
from rag.records import Article, Passage
from rag.retrieve import retrieve

TEXTS = {
    "Bridge": "The harbour bridge was closed in March. Rust had eaten into its bolts. Ferries carried the commuters.",
    "Bread": "Rye bread keeps for a week in linen. Wheat bread is stale by the second morning.",
    "Bees": "Bees in the orchard sleep until the first warm day. The keeper feeds them sugar in March.",
}


def example(chance: np.random.Generator, telling: int) -> learn.Example:
    """A question of ten candidates, the right one of which only the signal `telling` knows."""
    signals = chance.normal(size=(10, len(SIGNALS))).astype(np.float32)
    right = (np.arange(10) == 4).astype(np.float32)
    signals[:, telling] = right * 2.0
    qualities = tuple(chance.normal(size=len(QUALITIES)) + 3)
    return learn.Example(signals, qualities, right, all_wanted=False, weight=1.0)


def test_weights_go_to_the_signal_that_knows() -> None:
    """Of many signals of noise the one that tells right candidates gets the most weight by far."""
    chance = np.random.default_rng(1)
    made = learn.fit([example(chance, telling=6) for _ in range(60)])
    assert made.weights.shape == np.shape(WEIGHTS)
    assert made.means == pytest.approx([3] * len(QUALITIES), abs=0.5)
    others = np.delete(np.abs(made.weights[0]), 6)
    assert made.weights[0, 6] > 5 * others.max()


def test_weights_follow_a_quality_of_the_question() -> None:
    """Where one signal is right for questions of much of a quality and another for those of little, both are heeded."""
    chance = np.random.default_rng(2)
    examples = []
    for number in range(120):
        is_high = number % 2 == 0
        one = example(chance, telling=0 if is_high else 1)
        examples.append(replace(one, qualities=(1.0 if is_high else 0.0, 0.5, 0.5)))
    made = learn.fit(examples)
    assert made.weights[1, 0] > 0.1
    assert made.weights[1, 1] < -0.1


def test_all_that_is_right_is_wanted_where_one_passage_is_not_enough() -> None:
    """Where all is wanted, the signals of two right candidates count alike; where one is enough, that of one may do."""
    chance = np.random.default_rng(3)
    enough, wanted = [], []
    for _ in range(60):
        one = example(chance, telling=6)
        one.signals[:, 7] = 2.0 * (np.arange(10) == 5)
        both = np.where(np.isin(np.arange(10), (4, 5)), 0.5, 0).astype(np.float32)
        enough.append(replace(one, worths=both))
        wanted.append(replace(one, worths=both, all_wanted=True))
    any_of, all_of = (np.sort(learn.fit(some).weights[0, 6:8]) for some in (enough, wanted))
    assert all_of[1] < 1.2 * all_of[0]
    assert any_of[1] > 3 * any_of[0]


class First:
    """A question that is answered by one article."""

    def __init__(self, article: str) -> None:
        self.article = article

    def worth(self, passage: Passage) -> float:
        return float(passage.article_id == self.article)

    def measures(self, passages: Sequence[Passage]) -> dict[str, float]:
        return {"hit@1": max(map(self.worth, passages[:1]), default=0.0)}


@pytest.fixture(scope="module")
def collection() -> tasks.Collection:
    """Three articles and a question about each."""
    articles = [Article(title, title, text) for title, text in TEXTS.items()]
    asked = {"Bridge": "What had eaten into the bolts?", "Bread": "How long does rye bread keep?", "Bees": "And?"}
    made = [tasks.Task("own", text, First(title), 2, title == "Bread") for title, text in asked.items()]
    return tasks.Collection("own", articles, made)


def test_the_shipped_weights_rank_as_retrieval_does(
    collection: tasks.Collection, tmp_path: Path, embedder: MiniLM
) -> None:
    """What is measured over all sets is what users get: the same passages in the same order."""

    class Remembering(First):
        def measures(self, passages: Sequence[Passage]) -> dict[str, float]:
            self.found = [(p.article_id, p.start, p.end) for p in passages]
            return super().measures(passages)

    asked = [tasks.Task("own", t.text, Remembering("Bridge"), 2, is_fitted=True) for t in collection.tasks[:2]]
    those = tasks.Collection("own", collection.articles, asked)
    outcomes = tasks.compare(tasks.search([those], tmp_path), {"as shipped": scores})
    assert [o.measures["as shipped"]["hit@1"] for o in outcomes] == [1.0, 0.0]
    with closing(indexing.index(collection.articles, tmp_path / "own", embedder)) as index:
        for task in asked:
            evidence = retrieve(task.text, index, embedder, 2).evidence
            question = task.question
            assert isinstance(question, Remembering)
            assert question.found == [(e.passage.article_id, e.passage.start, e.passage.end) for e in evidence]


def test_what_ties_stands_as_in_the_articles(collection: tasks.Collection, tmp_path: Path) -> None:
    """A ranker that knows nothing must not profit from the order in which others found the passages promising."""
    asked = [tasks.Task("own", TEXTS["Bridge"], First(title), 2, is_fitted=True) for title in sorted(TEXTS)]
    those = tasks.Collection("own", collection.articles, asked)
    outcomes = tasks.compare(tasks.search([those], tmp_path), {"none": lambda m: np.zeros(len(m.signals), np.float32)})
    assert [outcome.measures["none"]["hit@1"] for outcome in outcomes] == [1.0, 0.0, 0.0]


def test_only_the_half_that_may_be_fitted_to_is(collection: tasks.Collection, tmp_path: Path) -> None:
    """What is for reporting is not learnt from."""
    [made] = learn.examples([collection], tmp_path)
    assert made.worths.sum() == pytest.approx(1)
    assert made.signals.shape == (len(made.worths), len(SIGNALS))
    assert made.weight == learn.SET_WEIGHTS["own"]


def test_the_table_has_a_row_for_each_part(collection: tasks.Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each signal stands alone, is left out, and the last row is what is shipped; every column has its mean."""
    monkeypatch.setattr(ablation, "COLUMNS", (("own", "hit@1"),))
    rows = ablation.variants()
    assert len(rows) == 2 * len(SIGNALS) + 2
    assert rows["passage vector alone"][0] == (1.0, *[0.0] * (len(SIGNALS) - 1))
    assert [row[1] for row in rows["all without passage words"]] == [0.0] * (1 + len(QUALITIES))
    outcomes = [
        tasks.Outcome(task, {name: {"hit@1": float(name == ablation.SHIPPED or number == 0)} for name in rows})
        for number, task in enumerate(collection.tasks)
    ]
    lines = ablation.table(outcomes)
    assert lines[0] == "| ranking by | own hit@1 |"
    assert lines[2] == "| passage vector alone | .3333 |"
    assert lines[-1] == "| all, as shipped | 1.0000 |"


def test_an_example_of_sentences_counts_when_all_ends_are_found() -> None:
    """A sentence more or less is wrong; and every example has its text without the marks."""
    assert sentences.is_kept("Prices fell.| Nobody knew why.")
    assert not sentences.is_kept("Prices fell. Nobody knew why.")
    assert not sentences.is_kept("Prices| fell.")
    assert sentences.parts("One.| Two.") == ("One. Two.", ["One.", "Two."])
    assert len(sentences.RULES) == 48
