"""What tells questions for events in their order, and how it is learned."""

from __future__ import annotations

import numpy as np
import pytest

from evals.sequence import SENTENCES, examples, learn
from rag.embed import MiniLM
from rag.sequence import phrases, shipped, words_of


def test_what_is_learned_tells_other_sentences() -> None:
    """Weights made of some sentences tell most others, so that they are no list of the ones learned."""
    own = [example for example in examples() if example.of == "sentences"]
    learned, others = own[::4], own[1::4]
    embedder = MiniLM()
    vectors = {e.question: embedder.embed_question(e.question).vector for e in [*learned, *others]}
    made = learn(learned, np.stack([vectors[example.question] for example in learned]))
    told = [(made.likelihood(e.question, vectors[e.question]) >= 0.5) is e.asks for e in others]
    assert sum(told) >= 0.75 * len(told)


def test_most_phrases_count_for_nothing() -> None:
    """The file stays small enough to read: a few hundred phrases of the many thousand that questions have."""
    made = shipped()
    assert made.vector.shape == (384,)
    assert 100 < len(made.phrases) < 1000
    assert all(made.phrases.values())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What did Nvidia do on 27 January?", "What did Oracle do on 3 February?"),
        ("What did Sam Altman say on Monday?", "What did Bill Gates say on Friday?"),
    ],
)
def test_names_and_days_are_interchangeable(one: str, other: str) -> None:
    """Whom or which day a question is about says nothing of whether it asks for a sequence."""
    assert words_of(one) == words_of(other)
    assert phrases(one, {"what", "<name>"}) == phrases(other, {"what", "<name>"})


def test_each_example_counts_once() -> None:
    """A sentence that stood in the file twice would count for two."""
    sentences = [example.question for example in examples() if example.of == "sentences"]
    assert len(set(sentences)) == len(sentences) == len(SENTENCES.read_text(encoding="utf-8").splitlines())
