"""SQuAD 2.0: retrieval of the gold paragraph, and reading of the answer without a model.

One article per title, whose text is its paragraphs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest import sync
from rag.embed import Embedder
from rag.index import Index
from rag.quote import quote
from rag.records import Article, Passage
from rag.retrieve import retrieve
from rag.settings import Settings


@dataclass(frozen=True, slots=True)
class Question:
    """A question, where its paragraph stands in its article, and the answers that are right: none when it has none."""

    text: str
    article_id: str
    start: int
    end: int
    answers: tuple[str, ...]


def read(path: Path) -> tuple[list[Article], list[Question]]:
    """Articles and questions of a SQuAD 2.0 file."""
    articles, questions = [], []
    for entry in json.loads(path.read_text(encoding="utf-8"))["data"]:
        text = ""
        for paragraph in entry["paragraphs"]:
            text += "\n\n" if text else ""
            start = len(text)
            text += paragraph["context"].strip()
            questions += [
                Question(q["question"], entry["title"], start, len(text), tuple(a["text"] for a in q["answers"]))
                for q in paragraph["qas"]
            ]
        articles.append(Article(entry["title"], entry["title"].replace("_", " "), text))
    return articles, questions


def index(articles: Sequence[Article], root: Path, embedder: Embedder) -> Index:
    """An index of the articles in the empty directory `root`, made the way a user would make it."""
    root.mkdir(parents=True)
    export = root / "articles.jsonl"
    lines = (json.dumps({"id": a.id, "title": a.title, "text": a.text}) for a in articles)
    export.write_text("\n".join(lines), encoding="utf-8")
    sync([export], Settings.from_env(index=root / "index", model="quotes"), embedder=embedder)
    return Index.open(root / "index", embedder.identity)


def overlaps(question: Question, passages: Sequence[Passage]) -> list[bool]:
    """Which of the passages share text with the question's paragraph."""
    return [p.article_id == question.article_id and p.start < question.end and p.end > question.start for p in passages]


def score(questions: Sequence[Question], searched: Index, embedder: Embedder) -> dict[str, float]:
    """hit@1 and hit@4 over all questions; over the answerable ones, the answer in the first quote and in any."""
    hits = {1: 0, 4: 0}
    first = anywhere = answerable = 0
    for question in questions:
        found = retrieve(question.text, searched, embedder, 8)
        gold = overlaps(question, [e.passage for e in found.evidence])
        for k in hits:
            hits[k] += any(gold[:k])
        if question.answers:
            quotes = [citation.quote for citation in quote(question.text, found).citations]
            answerable += 1
            first += any(answer in quotes[0] for answer in question.answers)
            anywhere += any(answer in text for answer in question.answers for text in quotes)
    return {
        "questions": len(questions),
        "hit@1": hits[1] / len(questions),
        "hit@4": hits[4] / len(questions),
        "answer in first quote": first / answerable,
        "answer in quotes": anywhere / answerable,
    }
