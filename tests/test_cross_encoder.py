"""Reading a question and a sentence together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evals import cross_encoder as learning
from rag.cross_encoder import MOST, CrossEncoder, load_changes, pair_ids
from rag.embed import MiniLM
from rag.inference import reference
from rag.quote import Pair, judged, read, to_judge
from rag.records import Evidence, Passage, Sentence
from rag.retrieve import Retrieval

QUESTION = "Who designed the new bridge?"
SENTENCES = (
    "The new bridge was designed by the engineer Ada Holm.",
    "The new bridge was opened on 3 May 2026 in the rain.",
    "The new bridge cost 40 million euros, twice the first estimate.",
)


@pytest.fixture(scope="module")
def cross_encoder(embedder: MiniLM) -> CrossEncoder:
    return CrossEncoder(embedder)


def pairs(*sentences: str) -> list[Pair]:
    return [Pair(QUESTION, sentence, "The new bridge", "") for sentence in sentences]


def test_an_answer_is_told_from_what_only_shares_its_words(cross_encoder: CrossEncoder) -> None:
    """Of sentences with the same words of the question, the one that tells what is asked must be likelier."""
    answer, *others = cross_encoder.log_odds(pairs(*SENTENCES))
    assert answer > max(others) + 1


def test_the_derived_file_judges_as_the_changed_model_does(cross_encoder: CrossEncoder, embedder: MiniLM) -> None:
    """Rounding to 8 bits must not change what is judged, and where it can't be had the model itself serves."""
    run = reference(cross_encoder.changed_model())
    questions = (QUESTION, "When was the new bridge opened?", "What did the new bridge cost?", "Was the bridge welded?")
    asked = [replace(pair, question=question) for question in questions for pair in pairs(*SENTENCES)]
    exact = [cross_encoder.judgement(run(pair_ids(embedder, pair))) for pair in asked]
    rounded = cross_encoder.log_odds(asked)
    assert np.abs(np.subtract(rounded, exact)).mean() < np.std(exact) / 6
    assert np.corrcoef(rounded, exact)[0, 1] > 0.99


def test_a_pair_has_no_more_tokens_than_it_learned_from(embedder: MiniLM) -> None:
    """However long its parts are, question and sentence are both seen, and nothing goes beyond the window."""
    long = "word " * 500
    ids = pair_ids(embedder, Pair(long, long, long, long))
    assert len(ids) == MOST
    assert ids.count(ids[-1]) == 3


def test_only_the_first_sentences_change_places() -> None:
    """A second look at a few sentences must lose none of the others, and not put any before those looked at."""
    passage = Passage(" ".join(SENTENCES), 1.0, "a", "The new bridge", "Reuters", "2026-05-04", "", 0, 200)
    sentences = tuple(
        Sentence(text, number * 60, number * 60 + len(text), 0.9 - number / 10, 0.5, tokens=0.5)
        for number, text in enumerate(SENTENCES)
    )
    found = Retrieval((Evidence(passage, sentences, ()),), {"bridg": 1.0}, ())
    before = read(QUESTION, found)
    after = judged(before, [-4.0, 4.0])
    assert [pair.sentence for pair in to_judge(before)] == [s.sentence.text for s in before.ranked]
    assert [s.sentence for s in after.ranked] == [before.ranked[i].sentence for i in (1, 0, 2)]
    assert after.judged == (4.0, -4.0)
    assert [s.score for s in after.ranked] == sorted((s.score for s in after.ranked), reverse=True)


@pytest.mark.parametrize(
    ("one", "of"),
    list(zip([*learning.ROUNDS, learning.LAST], ["hard", "article", "plain", "asked"], strict=True)),
)
def test_what_is_learned_comes_back_from_its_file_and_fits_the_model(
    embedder: MiniLM, tmp_path: Path, one: learning.Round, of: str
) -> None:
    """A file of changes holds what each round learned, for products that the model has, and can be used at once."""
    texts = tuple(pair_ids(embedder, pair) for pair in pairs(*SENTENCES))
    lesson = learning.Lesson(of, texts, (True, False, False), has_answer=True)
    changes = learning.learn([lesson] * 4 * learning.AT_ONCE, embedder.load_reference(), [replace(one, epochs=6)])
    learning.save(changes, file := tmp_path / "changes.npz")
    kept = load_changes(file)
    assert kept.keys() == changes.keys()
    assert all(abs(kept[name] - changes[name]).max() <= abs(changes[name]).max() / 100 for name in changes)
    answer, *others = CrossEncoder(embedder, file).log_odds(pairs(*SENTENCES))
    assert answer > max(others) + 2
