"""Chroma's chunking set: how much of the exact excerpts that answer a question is found, and how much else with it.

The measures are those of its report (Smith and Troynikov 2024, "Evaluating Chunking Strategies for Retrieval"), which
counts characters where it says tokens.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.remembering import RememberingEmbedder
from evals.searching import searched
from ingest.article import clean
from rag.cross_encoder import CrossEncoder
from rag.embed import Embedder, MiniLM
from rag.index import Index
from rag.records import Article, Passage

SEARCHED = 5


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its article, and the places of the excerpts in it."""

    text: str
    article_id: str
    excerpts: tuple[tuple[int, int], ...]

    def worth(self, passage: Passage) -> float:
        """The share of the excerpts that a passage has."""
        return self.measures([passage])["recall"]

    def measures(self, passages: Sequence[Passage]) -> dict[str, float]:
        """Recall, precision and intersection over union of passages and excerpts; what is found twice costs twice."""
        excerpts = {place for start, end in self.excerpts for place in range(start, end)}
        found = {
            place
            for passage in passages
            if passage.article_id == self.article_id
            for start, end in self.excerpts
            for place in range(max(start, passage.start), min(end, passage.end))
        }
        retrieved = sum(passage.end - passage.start for passage in passages)
        return {
            "recall": len(found) / len(excerpts),
            "precision": len(found) / retrieved if retrieved else 0.0,
            "IoU": len(found) / (retrieved + len(excerpts - found)),
        }


def read(folder: Path) -> tuple[list[Article], list[Question]]:
    """The articles and questions of a folder with questions_df.csv and a Markdown file for each corpus."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
    articles = {name: Article(name, name, clean(text)) for name, text in texts.items()}
    csv.field_size_limit(sys.maxsize)
    with (folder / "questions_df.csv").open(encoding="utf-8", newline="") as rows:
        questions = [
            Question(
                row["question"],
                row["corpus_id"],
                tuple(
                    _place(excerpt, texts[row["corpus_id"]], articles[row["corpus_id"]].text)
                    for excerpt in json.loads(row["references"])
                ),
            )
            for row in csv.DictReader(rows)
        ]
    return list(articles.values()), questions


def _place(excerpt: dict[str, Any], text: str, cleaned: str) -> tuple[int, int]:
    """Where an excerpt of `text` stands when the text is cleaned, as ingest does it."""
    start, end = excerpt["start_index"], excerpt["end_index"]
    wanted = clean(text[start:end])
    # What stands before it can have lost the white space that it ends with, too.
    place = cleaned.index(wanted, len(clean(text[:start])))
    return place, place + len(wanted)


def score(questions: Sequence[Question], index: Index, embedder: Embedder) -> dict[str, float]:
    """The means of `measures` over all questions."""
    cross_encoder = CrossEncoder(MiniLM())
    embedder = RememberingEmbedder(embedder, [question.text for question in questions])
    rows = [
        searched(question.text, index, embedder, SEARCHED, cross_encoder, question.measures) for question in questions
    ]
    return {"questions": len(rows)} | {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
