"""Ranking passages."""

from collections.abc import Sequence

import numpy as np
import pytest

from rag.assistant import Assistant
from rag.index import Candidate
from rag.records import Evidence, Passage, Source
from rag.retrieve import SIGNALS, WEIGHTS, Pool, coverage, merge_copies, rank
from rag.text import terms


def passage(text: str, article_id: str = "a", outlet: str = "Reuters", score: float = 0.0) -> Passage:
    return Passage(text, score, article_id, "Title", outlet, "2025-01-27", "", 0, len(text), (Source(outlet),))


def candidate(number: int, text: str, sentence_vectors: Sequence[tuple[float, float]]) -> Candidate:
    """A passage with one sentence per vector, all with the same words."""
    return Candidate(
        number,
        passage(text, str(number)),
        tuple((0, len(text)) for _ in sentence_vectors),
        np.array(sentence_vectors, np.float32),
        b"",
        (),
        tuple(tuple(terms(text)) for _ in sentence_vectors),
    )


def order(candidates: list[Candidate], dense: dict[int, float], lexical: dict[int, float]) -> list[str]:
    question = np.array([1.0, 0.0], np.float32)
    pool = Pool(tuple(candidates), question, {"nvidia": 2.0, "fall": 1.0}, dense, lexical)
    return [evidence.passage.article_id for evidence in rank(pool)]


def test_words_decide_between_passages_that_mean_the_same() -> None:
    """Vectors see the subject but not the name: the passage that has the question's rare word comes first."""
    same = [(0.5, 0.5)]
    candidates = [candidate(1, "Broadcom fell", same), candidate(2, "Nvidia fell", same)]
    assert order(candidates, {1: 0.5, 2: 0.5}, {1: 1.0, 2: 3.0}) == ["2", "1"]


def test_one_close_sentence_lifts_its_passage() -> None:
    """A long passage whose vector is a blur still holds the one sentence that answers."""
    candidates = [candidate(1, "x", [(0.5, 0.5), (0.5, 0.5)]), candidate(2, "x", [(0.1, 0.9), (0.95, 0.1)])]
    assert order(candidates, {1: 0.5, 2: 0.5}, {}) == ["2", "1"]


def test_scores_are_shares_of_the_best_there_is() -> None:
    """A score of 1 means best in every respect, whatever the signals count for."""
    assert len(SIGNALS) == len(WEIGHTS)
    assert sum(WEIGHTS) == pytest.approx(1)
    assert rank(Pool((), np.zeros(2, np.float32), {}, {}, {})) == []


def test_coverage_weighs_rare_words_more() -> None:
    """Having the rare word of a question is worth more than having the common one."""
    weights = {"nvidia": 3.0, "share": 1.0}
    assert coverage(["nvidia"], weights) == 0.75
    assert coverage(["share", "share"], weights) == 0.25
    assert coverage([], weights) == 0.0


def test_near_identical_passages_of_two_outlets_become_one_with_both_as_sources() -> None:
    """A syndicated story is one piece of evidence, and both outlets are credited."""
    text = "Nvidia shares fell seventeen percent on Monday in the largest loss of value on record for any company"
    ranked = [
        Evidence(passage(text, "a", "Reuters"), ()),
        Evidence(passage("Something else altogether", "b", "AP"), ()),
        Evidence(passage(text + " .", "c", "Guardian"), ()),
    ]
    merged = merge_copies(ranked, 2)
    assert [(e.passage.article_id, [s.outlet for s in e.passage.sources]) for e in merged] == [
        ("a", ["Reuters", "Guardian"]),
        ("b", ["AP"]),
    ]


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("How much market value did Nvidia lose?", "nvidia"),
        ("What did the security firm Wiz find?", "wiz"),
        ("What is multi-head latent attention?", "multi-head-latent-attention"),
        ("Who owns High-Flyer?", "high-flyer"),
    ],
)
def test_the_shipped_corpus_is_found(assistant: Assistant, question: str, article: str) -> None:
    """The whole path, from the shipped files to ranked passages, finds the article that a reader would open."""
    found = assistant.retrieve(question, k=5)
    assert len(found) == 5
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    assert article in found[0].article_id
