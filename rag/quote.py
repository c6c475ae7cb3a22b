"""An answer in the sources' own words, without any model. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.kinds import days_named, expected, holds
from rag.records import Citation, Draft, Passage, Sentence
from rag.retrieve import Retrieval
from rag.text import terms

MOST_SENTENCES = 3
ENOUGH = 0.6
"""A further sentence is quoted when its score is at least this share of the best one's."""
ALIKE = 0.6
"""Sentences that share this much of their words (Jaccard) say the same: one of them is enough."""

# Tuned on the even questions of the SQuAD half and measured on the odd ones: see evals/LOG.md.
_COVERAGE_WEIGHT = 0.5
_PASSAGE_WEIGHT = 0.2
_KIND_WEIGHT = 0.1
_MEANING_WEIGHT = 0.3
_DAY_WEIGHT = 0.2


@dataclass(frozen=True, slots=True)
class Scored:
    """A sentence that may answer the question, its passage, and how well it answers."""

    score: float
    passage: Passage
    sentence: Sentence


def quote(question: str, retrieval: Retrieval) -> Draft:
    """The best sentences word for word, at most three, each with its mark; the one that answers comes first."""
    chosen = choose(rank_sentences(question, retrieval))
    # Behind the sentence that answers, the others follow in the order of their articles' dates and of the text.
    chosen[1:] = sorted(chosen[1:], key=lambda s: (s.passage.published, s.passage.article_id, s.sentence.start))
    citations = tuple(
        Citation(number, s.sentence.text, s.passage, s.sentence.start, s.sentence.end)
        for number, s in enumerate(chosen, 1)
    )
    return Draft(" ".join(f"{' '.join(c.quote.split())} [{c.number}]" for c in citations), citations)


def rank_sentences(question: str, retrieval: Retrieval) -> list[Scored]:
    """All sentences of the evidence, best first."""
    kind = expected(question)
    asked = frozenset(terms(question))
    days = days_named(question)
    scored = [
        Scored(
            sentence.dense
            + _COVERAGE_WEIGHT * sentence.lexical
            + _PASSAGE_WEIGHT * evidence.passage.score
            + (_MEANING_WEIGHT if kind == "meaning" else _KIND_WEIGHT) * holds(kind, sentence.text, asked)
            + _DAY_WEIGHT * bool(days & days_named(sentence.text)),
            evidence.passage,
            sentence,
        )
        for evidence in retrieval.evidence
        for sentence in evidence.sentences
    ]
    return sorted(scored, key=lambda s: -s.score)


def choose(ranked: Sequence[Scored]) -> list[Scored]:
    """The best sentence and those close to it in score that add something."""
    chosen: list[Scored] = []
    words: list[set[str]] = []
    for scored in ranked:
        if len(chosen) == MOST_SENTENCES or scored.score < ENOUGH * ranked[0].score:
            break
        own = set(terms(scored.sentence.text))
        if all(len(own & other) < ALIKE * len(own | other) for other in words):
            chosen.append(scored)
            words.append(own)
    return chosen
