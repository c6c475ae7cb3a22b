"""Passages ranked anew by what a cross-encoder says of their sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rag import Assistant
from rag.quote import Reading, judged, read
from rag.records import Evidence, Passage, Sentence
from rag.rerank import AHEAD, is_unsure, ordered, reranked
from rag.retrieve import TRIM, Retrieval, trim


def evidence(article: str, *sentences: tuple[str, float]) -> Evidence:
    """A passage made of these sentences, each with its cosine to the question."""
    text = " ".join(sentence for sentence, _ in sentences)
    placed = [(text.index(sentence), sentence, cosine) for sentence, cosine in sentences]
    told = tuple(Sentence(sentence, start, start + len(sentence), cosine, 0.0) for start, sentence, cosine in placed)
    return Evidence(Passage(text, 0.5, article, "Bridges", "", "", "", 0, len(text)), told)


def passages(*scores: float) -> tuple[Evidence, ...]:
    """A passage of a sentence for each score."""
    made = [evidence(str(n), (f"The bridge number {n} is old.", 0.5)) for n in range(len(scores))]
    return tuple(replace(e, passage=e.passage.scored(score)) for e, score in zip(made, scores, strict=True))


def reading_of(given: Sequence[Evidence]) -> Reading:
    """The reading of a question about them."""
    return read("Which bridge is old?", Retrieval(tuple(given), {"bridg": 1.0}))


def test_a_second_look_is_taken_where_no_passage_is_clearly_ahead() -> None:
    """Where the first passage is sure, nobody waits for the cross-encoder, and one passage is no question at all."""
    assert is_unsure("Which is old?", passages(0.6, 0.6 - AHEAD / 2))
    assert not is_unsure("Which is old?", passages(0.6, 0.6 - AHEAD * 2))
    assert not is_unsure("Which is old?", passages(0.6))
    assert not is_unsure("Which is old?", [])
    assert not is_unsure("old bridge", passages(0.6, 0.6))


def test_the_passage_with_the_likely_sentence_comes_first() -> None:
    """What the cross-encoder takes for an answer comes before what only ranks higher, by scores between 0 and 1."""
    reading = reading_of(passages(0.6, 0.55, 0.5))
    likely = reading.ranked[2].passage.article_id
    again = reranked(reading, [-6.0, -6.0, 6.0])
    assert again[0].passage.article_id == likely
    scores = [e.passage.score for e in again]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= scores[-1] < scores[0] <= 1


def test_an_answer_s_passages_are_ordered_as_they_are() -> None:
    """Citations point at passages of the answer, so that these stay what they were."""
    reading = judged(reading_of(passages(0.6, 0.55, 0.5)), [-6.0, -6.0, 6.0])
    assert set(ordered(reading)) == set(reading.retrieval.evidence)
    assert ordered(reading)[0].passage == reading.ranked[0].passage


def test_unlikely_passages_end_sooner() -> None:
    """Of a passage that surely doesn't answer, what half matches the question is left out; of a sure one it stays."""
    sentences = [
        ("The bridge is old.", 1.0),
        ("Rust is red.", 0.1),
        ("It was built.", TRIM + 0.1),
        ("So it goes.", 0.1),
    ]
    whole = evidence("a", *sentences)
    sure, unsure = (replace(whole, passage=whole.passage.scored(score)) for score in (1.0, 0.0))
    [kept], [cut] = trim([sure], 0.3), trim([unsure], 0.3)
    assert [s.text for s in kept.sentences] == [text for text, _ in sentences]
    assert [s.text for s in cut.sentences] == ["The bridge is old.", "Rust is red."]
    assert trim([unsure])[0].sentences == kept.sentences


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Who founded DeepSeek?", "Liang Wenfeng"),
        ("How much did training DeepSeek-V3 cost?", "5.576"),
        ("Which country blocked DeepSeek first?", "Italy"),
    ],
)
def test_a_second_look_finds_the_passage_that_answers(assistant: Assistant, question: str, words: str) -> None:
    """Over the shipped articles, the first passage has the answer, and there are as many as are asked for."""
    looked_at = assistant.retrieve(question, 3)
    assert len(looked_at) == 3
    assert words in looked_at[0].text
    for passage in looked_at:
        assert assistant.article(passage.article_id).text[passage.start : passage.end] == passage.text


def test_mere_words_are_found_without_a_second_look(assistant: Assistant) -> None:
    """Who only types words wants what is about them; nothing answers them, so that nothing is to be judged."""
    words = "export rules for chips"
    assert assistant.retrieve(words, 10) == assistant.retrieve(words, 10, rerank=False)
