"""SQuAD 2.0: retrieval of the gold paragraph, and reading of the answer without a model.

One article per title, whose text is its paragraphs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.remembering import RememberingEmbedder
from evals.searching import searched
from ingest.article import clean
from rag.cross_encoder import CrossEncoder
from rag.embed import Embedder, MiniLM
from rag.index import Index
from rag.quote import quote
from rag.records import Article, Citation, Passage, Sentence
from rag.retrieve import search


@dataclass(frozen=True, slots=True)
class Question:
    """A question, where its paragraph stands in its article, and the answers that are right: none when it has none."""

    text: str
    article_id: str
    start: int
    end: int
    answers: tuple[str, ...]

    def worth(self, passage: Passage) -> float:
        """1 where the passage shares text with the question's paragraph, else 0."""
        return float(passage.article_id == self.article_id and passage.start < self.end and passage.end > self.start)

    def measures(self, passages: Sequence[Passage]) -> dict[str, float]:
        """Whether the first passage, and any of the first four, is one of worth."""
        worths = [self.worth(passage) for passage in passages[:4]]
        return {"hit@1": max(worths[:1], default=0.0), "hit@4": max(worths, default=0.0)}

    def is_answered_by(self, passage: Passage, sentence: Sentence) -> bool:
        """Whether a sentence of the question's paragraph has an answer that is right."""
        in_paragraph = sentence.start < self.end and sentence.end > self.start
        right = any(answer in sentence.text for answer in self.answers)
        return passage.article_id == self.article_id and in_paragraph and right

    def is_marked(self, citation: Citation) -> bool:
        """Whether what stands out in a quote overlaps an answer that is right."""
        if citation.highlight is None:
            return False
        start, end = (place - citation.start for place in citation.highlight)
        found = (m for answer in self.answers for m in re.finditer(re.escape(answer), citation.quote))
        return any(m.start() < end and start < m.end() for m in found)


def read(path: Path) -> tuple[list[Article], list[Question]]:
    """Articles and questions of a SQuAD 2.0 file."""
    articles, questions = [], []
    for entry in json.loads(path.read_text(encoding="utf-8"))["data"]:
        text = ""
        for paragraph in entry["paragraphs"]:
            text += "\n\n" if text else ""
            start = len(text)
            text += clean(paragraph["context"])
            questions += [
                Question(q["question"], entry["title"], start, len(text), tuple(a["text"] for a in q["answers"]))
                for q in paragraph["qas"]
            ]
        articles.append(Article(entry["title"], entry["title"].replace("_", " "), text))
    return articles, questions


def score(questions: Sequence[Question], index: Index, embedder: Embedder) -> dict[str, float]:
    """hit@1 and hit@4 over all questions; over the answerable ones, the answer in the first quote and in any.

    "answer marked" is the share of quoted answers in which the answer itself stands out, "marked rightly" the share of
    these in which what stands out overlaps the gold answer.
    """
    embedder = RememberingEmbedder(embedder, [question.text for question in questions])
    hits: dict[str, float] = {}
    first = anywhere = answerable = marked = marked_right = 0
    reader = CrossEncoder(MiniLM())
    for question in questions:
        for measure, value in searched(question.text, index, embedder, 4, reader, question.measures).items():
            hits[measure] = hits.get(measure, 0.0) + value
        if question.answers:
            spelt, found = search(question.text, index, embedder, 8)
            citations = quote(reader.read(spelt, found)).citations
            answerable += 1
            first += any(answer in citation.quote for citation in citations[:1] for answer in question.answers)
            anywhere += any(answer in citation.quote for citation in citations for answer in question.answers)
            marked += any(citation.highlight is not None for citation in citations)
            marked_right += any(map(question.is_marked, citations))
    return {
        "questions": len(questions),
        **{measure: total / len(questions) for measure, total in hits.items()},
        "answer in first quote": first / answerable,
        "answer in quotes": anywhere / answerable,
        "answer marked": marked / answerable,
        "marked rightly": marked_right / max(marked, 1),
    }
