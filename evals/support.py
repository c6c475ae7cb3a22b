"""How well the check of a model's sentences tells altered ones from true ones, kind by kind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.split import split
from rag import Assistant
from rag.embed import MiniLM
from rag.records import Article, Evidence, Passage, Sentence
from rag.support import THRESHOLD, Checker

THRESHOLDS = (0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7)


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence about articles. `kind` says how it was altered, or where it is true, how it was worded."""

    id: str
    articles: tuple[str, ...]
    sentence: str
    kind: str
    supported: bool

    @property
    def tuned_on(self) -> bool:
        """Whether it is of the half that thresholds and rules were chosen on; pairs stay together."""
        return int(self.id[1:4]) % 2 == 1


@dataclass(frozen=True, slots=True)
class Judgement:
    """A statement, and whether the check flags it as unsupported."""

    statement: Statement
    flagged: bool


def read(path: Path) -> list[Statement]:
    """The statements of a JSON Lines file: `id`, `articles`, `sentence`, `kind`, `supported`."""
    statements = []
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        statements.append(
            Statement(entry["id"], tuple(entry["articles"]), entry["sentence"], entry["kind"], entry["supported"])
        )
    return statements


def judge(
    assistant: Assistant, statements: Iterable[Statement], thresholds: Sequence[float] = (THRESHOLD,)
) -> dict[float, list[Judgement]]:
    """Check every statement against all passages of its articles, at each threshold."""
    embedder = MiniLM()
    made: dict[tuple[str, ...], list[Evidence]] = {}
    judged: dict[float, list[Judgement]] = {threshold: [] for threshold in thresholds}
    for statement in statements:
        if statement.articles not in made:
            articles = [assistant.article(article_id) for article_id in statement.articles]
            made[statement.articles] = [e for article in articles for e in evidence(article, embedder)]
        checker = Checker(made[statement.articles], embedder)
        for threshold in thresholds:
            checker.threshold = threshold
            judged[threshold].append(Judgement(statement, not checker.supporting(statement.sentence)))
    return judged


def evidence(article: Article, embedder: MiniLM) -> list[Evidence]:
    """An article's passages with their sentences."""
    made = []
    for chunk in split(article.text, article.title, embedder.count_tokens):
        passage = Passage(
            article.text[chunk.start : chunk.end],
            1.0,
            article.id,
            article.title,
            article.outlet,
            article.published,
            article.url,
            chunk.start,
            chunk.end,
            article.sources,
        )
        spans = tuple(Sentence(article.text[start:end], start, end) for start, end in chunk.sentences)
        made.append(Evidence(passage, spans))
    return made


def summary(judgements: Sequence[Judgement]) -> Mapping[str, float]:
    """Precision and recall of flagging what is altered, and the share of true sentences that are flagged."""
    flagged = [j for j in judgements if j.flagged]
    altered = [j for j in judgements if not j.statement.supported]
    true = [j for j in judgements if j.statement.supported]
    return {
        "sentences": len(judgements),
        "precision": _share([not j.statement.supported for j in flagged]),
        "recall": _share([j.flagged for j in altered]),
        "true flagged": _share([j.flagged for j in true]),
    }


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
