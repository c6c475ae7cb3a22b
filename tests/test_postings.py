"""Words as numbers, and BM25 over their postings."""

import numpy as np
import pytest

from rag.postings import BREAK, Lengths, Occurrences, bm25, count, highest, number, numbered


def test_postings_say_where_each_word_stands_and_how_often() -> None:
    """What passages hold is found again by word, with its place and its count; of nothing there is nothing."""
    passages = {2: numbered(["Chips", "Nvidia's chips fell.", "A chip!"]), 5: numbered(["", "Oil fell."])}
    lengths, postings = count(passages.items(), 8)
    assert np.frombuffer(lengths, np.uint16).tolist() == [0, 0, 6, 0, 0, 2, 0, 0]
    found = {
        word: dict(zip(np.frombuffer(places, np.uint16).tolist(), counts, strict=True))
        for word, places, counts in postings
    }
    assert found[number("chip")] == {2: 3}
    assert found[number("fall")] == {2: 1, 5: 1}
    assert BREAK not in found
    assert list(count([], 8)[1]) == []


def test_rare_words_and_short_passages_count_more() -> None:
    """BM25's two corrections: a word that all have says little, and a long passage has many words by chance."""
    lengths = Lengths.of(np.array([10, 10, 40, 0], np.float32))
    common = Occurrences(np.array([0, 1, 2]), np.ones(3, np.float32))
    rare = Occurrences(np.array([1]), np.ones(1, np.float32))
    scores = bm25([common, rare], lengths)
    assert scores[1] > 3 * scores[0] > 3 * scores[2] > scores[3] == 0
    # By hand: ln(1 + 2.5 / 1.5), and the slowing of a passage of half the usual length.
    assert scores[1] - scores[0] == pytest.approx(0.98083 * 2.2 / (1 + 1.2 * (0.25 + 0.75 / 2)), rel=1e-4)
    assert highest(scores, 2) == [1, 0]
    assert highest(scores, 9) == [1, 0, 2]
    assert bm25([], Lengths.of(np.zeros(0, np.float32))).shape == (0,)


def test_the_highest_scores_are_found_among_many() -> None:
    """Looking at groups first gives what sorting all scores would, the first of equals first."""
    chance = np.random.default_rng(3)
    for digits in (1, 6):
        scores = (chance.random(5000) * (chance.random(5000) > 0.5)).round(digits).astype(np.float32)
        for limit in (1, 60):
            assert highest(scores, limit) == np.argsort(-scores, kind="stable")[:limit].tolist()
    assert highest(np.zeros(5000, np.float32), 3) == []
