"""The measures themselves: a wrong ruler measures nothing."""

import json
from pathlib import Path

from evals import event, squad
from evals.remembering import RememberingEmbedder
from rag import Answer, Assistant
from rag.embed import MiniLM


def paragraph(text: str, *questions: tuple[str, str]) -> dict[str, object]:
    """A paragraph with its questions and their answers, "" for none."""
    return {
        "context": text,
        "qas": [{"question": q, "answers": [{"text": a}] if a else []} for q, a in questions],
    }


def test_squad_counts_hits_by_paragraph_and_answers_by_quote(tmp_path: Path, embedder: MiniLM) -> None:
    """A passage counts when it overlaps the question's own paragraph, and an answer when it stands in a quote."""
    filler = " ".join(["The tide tables of the estuary fill several dull volumes in the archive."] * 9)
    file = tmp_path / "squad.json"
    bridge = [
        paragraph(filler, ("Where do the tide tables fill volumes?", "archive")),
        paragraph(
            f"The harbour bridge was closed on 3 March 2026. {filler}",
            ("When was the harbour bridge closed?", "3 March 2026"),
            ("Who designed the harbour bridge?", ""),
        ),
    ]
    # Its own paragraph does not hold what is asked, so that neither the hit nor the answer may count.
    bread = [paragraph("Bread is baked from flour.", ("When was the bridge in the harbour closed?", "no such words"))]
    data = [{"title": "Bridge", "paragraphs": bridge}, {"title": "Bread", "paragraphs": bread}]
    file.write_text(json.dumps({"data": data}))
    articles, questions = squad.read(file)
    assert [articles[0].text[q.start : q.start + 11] for q in questions[:2]] == ["The tide ta", "The harbour"]
    index = squad.index(articles, tmp_path / "index", embedder)
    scores = squad.score(questions, index, RememberingEmbedder(embedder, [q.text for q in questions]))
    index.close()
    assert scores == {
        "questions": 4,
        "hit@1": 0.75,
        "hit@4": 1.0,
        "answer in first quote": 2 / 3,
        "answer in quotes": 2 / 3,
    }


def test_an_event_answer_must_match_every_group_and_quote_exactly(assistant: Assistant) -> None:
    """A refusal, a missing fact or a quote that doesn't stand in its article makes an answer wrong."""
    answer = assistant.ask("Who founded DeepSeek?")

    def judged(given: Answer, *expect: tuple[str, ...], refuse: bool = False) -> bool:
        question = event.Question("x", "person", ("Who?",), expect, refuse)
        return event.is_right(question, given, assistant)

    assert judged(answer, ("nobody", "Liang Wenfeng"))
    assert not judged(answer, ("Liang Wenfeng",), ("nobody",))
    assert not judged(answer, refuse=True)
    refusal = assistant.ask("How do I bake bread?")
    assert judged(refusal, refuse=True)
    assert not judged(refusal, ("articles",))
    first = answer.citations[0]
    moved = type(first)(first.number, first.quote, first.passage, first.start + 1, first.end + 1)
    assert not judged(Answer("", answer.text, (moved,)), ("Liang Wenfeng",))


def test_remembered_vectors_are_the_embedders_own(embedder: MiniLM) -> None:
    """Embedding an evaluation's questions beforehand must not change what is measured."""
    texts = ["Who founded DeepSeek?", "Why?"]
    remembering = RememberingEmbedder(embedder, texts)
    assert abs(remembering.embed(texts) - embedder.embed(texts)).max() < 1e-5
    assert abs(remembering.embed(["Another question?"]) - embedder.embed(["Another question?"])).max() < 1e-5


def test_the_projects_own_questions_can_be_read() -> None:
    """The shipped set keeps its form, and has what it is there for: refusals, disagreements and follow-ups."""
    questions = event.read(Path(event.__file__).parent / "event_questions.jsonl")
    assert len({q.id for q in questions}) == len(questions) >= 150
    assert sum(q.refuse for q in questions) >= 25
    assert sum(q.kind == "conflict" for q in questions) >= 15
    assert sum(len(q.turns) > 1 for q in questions) >= 20
    assert all(bool(q.expect) != q.refuse for q in questions)
