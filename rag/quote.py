"""An answer in the sources' own words, without any model. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.records import Citation, Draft, Passage, Sentence
from rag.retrieve import Retrieval
from rag.text import function_terms, terms

MOST_SENTENCES = 3
ENOUGH = 0.6
"""A further sentence is quoted when its score is at least this share of the best one's."""
ALIKE = 0.6
"""Sentences that share this much of their words (Jaccard) say the same: one of them is enough."""

# Tuned on the even questions of the SQuAD half and measured on the odd ones: see evals/LOG.md.
_COVERAGE_WEIGHT = 0.5
_PASSAGE_WEIGHT = 0.2
_KIND_WEIGHT = 0.1
_DAY_WEIGHT = 0.2

_ASKS_FIGURE = re.compile(
    r"\bhow (?:much|many|far|large|big|high|low|hard|long|old|often|deep)\b"
    r"|\b(?:what|which) (?:\w+ ){0,2}(?:share|sum|percentage|percent|price|cost|amount|number|figure|rate|level|score"
    r"|size|value|age|population)\b|\bwhat (?:did|does|do) .*\bcost\b",
    re.IGNORECASE,
)
_ASKS_DATE = re.compile(
    r"\bwhen\b|\b(?:what|which) (?:\w+ )?(?:date|day|year|month|week|time|century|decade)\b", re.IGNORECASE
)
_ASKS_PERSON = re.compile(
    r"\b(?:who|whom|whose)\b|\b(?:which|what) (?:\w+ )?(?:person|people|man|woman|executive|founder)\b", re.IGNORECASE
)
_ASKS_MEANING = re.compile(
    r"\s*what(?:'s|’s| is| are| was| were| does)\s+(?:an? |the )?(?P<subject>.{2,60}?)\??\s*$", re.I
)
_SAYS_MEANING = re.compile(r"(?P<subject>.{2,80}?),? (?:is|are|was|were|means|stands for)\b", re.IGNORECASE)
_DIGITS = re.compile(r"\d[\d.,]*")
_NUMBER_WORD = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|thousand"
    r"|million|billion|trillion|half|third|quarter|dozen|double|twice|percent|per cent)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December|Monday|Tuesday"
    r"|Wednesday|Thursday|Friday|Saturday|Sunday|century|centuries|BC|AD)\b|\b1\d{3}s?\b|\b20\d{2}s?\b"
    r"|\b\d{1,2}(?:st|nd|rd|th)\b"
)
_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAY = re.compile(rf"\b(\d{{1,2}}) ({_MONTH})\b|\b({_MONTH}) (\d{{1,2}})\b", re.IGNORECASE)
_NAME = re.compile(r"(?<=[\w,;:] )[A-Z][\w'’-]+|^[A-Z][\w'’-]+(?= [A-Z])")


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
            + _KIND_WEIGHT * holds(kind, sentence.text, asked)
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


def expected(question: str) -> str:
    """What a question asks for: "figure", "date", "person", "meaning", or "" for anything else.

    >>> expected("How much did Nvidia lose?"), expected("When was R1 released?"), expected("Who founded DeepSeek?")
    ('figure', 'date', 'person')
    >>> expected("What is the Stargate project?")
    'meaning'
    """
    if _ASKS_DATE.search(question):
        return "date"
    if _ASKS_FIGURE.search(question):
        return "figure"
    if _ASKS_PERSON.search(question):
        return "person"
    return "meaning" if _ASKS_MEANING.match(question) else ""


def days_named(text: str) -> set[tuple[int, str]]:
    """The days of the year that a text names.

    >>> days_named("on January 27, 2025") == days_named("27 January")
    True
    """
    return {
        (int(day or american_day), (month or american_month).lower())
        for day, month, american_month, american_day in _DAY.findall(text)
    }


def holds(kind: str, sentence: str, asked: frozenset[str]) -> bool:
    """Whether a sentence has something of the kind asked for that the question (its terms) does not itself name."""
    if kind == "figure":
        return _has_new(_DIGITS, sentence, asked) or bool(_NUMBER_WORD.search(sentence))
    if kind == "date":
        return _has_new(_DATE, sentence, asked)
    if kind == "person":
        return _has_new(_NAME, sentence, asked)
    if kind == "meaning":
        said = _SAYS_MEANING.match(sentence)
        # "Stargate is a project of ..." says what Stargate is; "Oracle's part in Stargate is ..." does not.
        return said is not None and asked - function_terms() == set(terms(said["subject"])) - function_terms()
    return False


def _has_new(pattern: re.Pattern[str], sentence: str, asked: frozenset[str]) -> bool:
    return any(not asked.issuperset(terms(match.group())) for match in pattern.finditer(sentence))
