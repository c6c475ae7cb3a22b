"""An answer in the sources' own words, without any model. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.kinds import days_named, expected, holds
from rag.records import Citation, Draft, Evidence, Passage, Sentence
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
_KIND_WEIGHT = 0.15
_MEANING_WEIGHT = 0.3
_DAY_WEIGHT = 0.2
_TOKENS_WEIGHT = 0.8


_NEEDS_MORE = re.compile(
    r"(?:(?:But|And|Yet|So|Then|Still|However,|Instead,|Later,?|Also,|Moreover,|Meanwhile,) )?"
    r"(?:(?:he|she|it|they|his|her|its|their)\b"
    r"|(?:this|that|these|those)(?= (?:is|was|were|are|means?|meant|had|has)\b))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Scored:
    """A sentence that may answer the question, its passage, and how well it answers."""

    score: float
    passage: Passage
    sentence: Sentence


def quote(question: str, retrieval: Retrieval) -> Draft:
    """The best sentences word for word, at most three, each with its mark; the one that answers comes first.

    A sentence that begins with a pronoun brings the one before it along, which says whom it is about.
    """
    chosen = choose(rank_sentences(question, retrieval))
    spans = _understandable(chosen, retrieval.evidence)
    # Behind the sentence that answers, the others follow in the order of their articles' dates and of the text.
    spans[1:] = sorted(spans[1:], key=lambda s: (s.passage.published, s.passage.article_id, s.start))
    citations = tuple(
        Citation(number, s.passage.text[s.start - s.passage.start : s.end - s.passage.start], s.passage, s.start, s.end)
        for number, s in enumerate(spans, 1)
    )
    return Draft(" ".join(f"{' '.join(c.quote.split())} [{c.number}]" for c in citations), citations)


@dataclass(slots=True)
class _Span:
    """Consecutive sentences of a passage that are quoted together."""

    passage: Passage
    start: int
    end: int
    sentences: int


def _understandable(chosen: Sequence[Scored], evidence: Sequence[Evidence]) -> list[_Span]:
    """The sentences with what they need to be understood, overlapping ones joined, at most three sentences in all."""
    spans: list[_Span] = []
    for scored in chosen:
        own = next(e.sentences for e in evidence if e.passage == scored.passage)
        place = own.index(scored.sentence)
        first = place - 1 if place and _NEEDS_MORE.match(scored.sentence.text) else place
        new = _Span(scored.passage, own[first].start, own[place].end, place - first + 1)
        twin = next((s for s in spans if s.passage == new.passage and s.start < new.end and new.start < s.end), None)
        taken = sum(s.sentences for s in spans)
        if twin is not None:
            twin.start, twin.end = min(twin.start, new.start), max(twin.end, new.end)
            twin.sentences = sum(twin.start <= s.start < twin.end for s in own)
        elif taken + new.sentences <= MOST_SENTENCES:
            spans.append(new)
        elif taken < MOST_SENTENCES:
            spans.append(_Span(scored.passage, scored.sentence.start, scored.sentence.end, 1))
    return spans


def rank_sentences(question: str, retrieval: Retrieval) -> list[Scored]:
    """All sentences of the evidence, best first."""
    kind = expected(question)
    asked = frozenset(terms(question))
    days = days_named(question)
    scored = [
        Scored(
            sentence.dense
            + _COVERAGE_WEIGHT * sentence.lexical
            + _TOKENS_WEIGHT * sentence.tokens
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
