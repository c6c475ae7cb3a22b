"""Whether the retrieved passages hold an answer at all. Pure.

Raw cosine alone is a poor judge; together with what of the question is found again around the best sentence, what is
missing there, and how far that sentence stands out, it is a good one. The weights are made and measured by
`python -m evals.calibrate`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from rag.kinds import days_named, holds, years_named
from rag.quote import Reading, Scored
from rag.records import Evidence, Sentence
from rag.relevance import matches_in, words
from rag.text import function_terms, terms

CLOSEST = 4
"""Passages in which the question's words and names are looked for."""
SPELT_ALIKE = 0.8
"""Names that share so much of their letters are one name, spelt in two ways."""
THRESHOLD = 0.32

FEATURES = (
    "cosine",
    "words",
    "lead",
    "tokens",
    "mean token",
    "weighted tokens",
    "worst token",
    "words around",
    "worst missing",
    "name missing",
    "pairs",
    "words with the kind",
    "question denies",
    "sentence denies",
    "length",
)
INTERCEPT = -2.86
WEIGHTS = (3.26, -0.08, -0.75, 1.20, 0.83, 0.59, 0.46, 1.05, 0.31, -1.26, 0.03, 0.09, -1.36, -0.09, -0.16)

_NAME = re.compile(
    r"(?<!^)\b(?!(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July|August"
    r"|September|October|November|December)\b)(?:[A-Z][a-z][\w-]*\w|[A-Z]{3,})\b"
)
_DENIES = re.compile(r"\b(?:not|never|no|without|except|unlike|un\w+|non\w+)\b|n['’]t\b", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:not|never|no|none|neither|nor|without|nobody)\b|n['’]t\b", re.IGNORECASE)
_NAME_OR_NUMBER = re.compile(r"(?<!^)\b[A-Z][\w-]*\w\b|\b\w*\d\w*\b")


def confidence(reading: Reading) -> float:
    """How likely the passages answer the question: 0 to 1; 0 when it has a day, year or name that none of them has."""
    if not reading.ranked or is_about_another(reading):
        return 0.0
    score = INTERCEPT + sum(w * f for w, f in zip(WEIGHTS, features(reading), strict=True))
    return 1 / (1 + math.exp(-score))


def is_about_another(reading: Reading) -> bool:
    """Whether the question has a day, a year or a name that none of the passages has."""
    another_time = any(_names_another(reading, named) for named in (days_named, years_named))
    return another_time or _names_somebody_else(reading)


def _names_another(reading: Reading, named: Callable[[str], frozenset[Any]]) -> bool:
    """Whether the question names a time, and no passage names the same."""
    asked = named(reading.question)
    return bool(asked) and not any(asked & named(e.passage.text) for e in reading.retrieval.evidence)


def features(reading: Reading) -> tuple[float, ...]:
    """What the judgement rests on, in the order of `FEATURES`, each about 0 to 1.

    The best sentence is looked at with its neighbours and its passage: which of the question's words and names stand
    there, how near each other, and whether some sentence with most of them has something of the kind asked for.
    """
    question, retrieval, asked, ranked = reading.question, reading.retrieval, reading.asked, reading.ranked
    best = ranked[0]
    evidence = next(e for e in retrieval.evidence if e.passage == best.passage)
    place = evidence.sentences.index(best.sentence)
    around = _held(evidence, evidence.sentences[max(0, place - 1) : place + 2])
    whole = _held(evidence, evidence.sentences)
    closest = [_held(e, e.sentences) for e in retrieval.evidence[:CLOSEST]]
    rarity = retrieval.weights
    most = max(rarity.values(), default=1.0) or 1.0
    names = {t for match in _NAME_OR_NUMBER.findall(question) for t in terms(match) if t in rarity} - function_terms()
    matches = evidence.matches or (0.0,)
    return (
        max(s.sentence.dense for s in ranked),
        max(asked.share(own) for own in closest),
        _lead(ranked),
        best.sentence.tokens,
        sum(matches) / len(matches),
        sum(match * weight for match, weight in zip(matches, retrieval.token_weights, strict=False)),
        min(matches),
        asked.share(around),
        max((rarity[t] for t in rarity if t not in whole), default=0.0) / most,
        max((rarity[name] for name in names if name not in whole), default=0.0) / most,
        matches_in(asked, best.sentence.text).pairs,
        _share_with_kind(reading),
        float(_DENIES.search(question) is not None),
        float(not asked.denies and _DENIED.search(best.sentence.text) is not None),
        math.log(1 + len(rarity)) / 3,
    )


def _share_with_kind(reading: Reading) -> float:
    """The largest share of the question's words in a sentence, or its header, that has what the question asks for."""
    asked = reading.asked
    best = 0.0
    for evidence in reading.retrieval.evidence:
        header = _held(evidence, ())
        for sentence in evidence.sentences:
            share = asked.share(header | words(sentence.text).places.keys())
            if share > best and (not asked.kind or holds(asked.kind, sentence.text, asked.terms)):
                best = share
    return best


def _names_somebody_else(reading: Reading) -> bool:
    """Whether the question has a name that stands in none of the passages, not even spelt a little differently."""
    named = {t for name in _NAME.findall(reading.question) for t in terms(name) if t in reading.retrieval.weights}
    held = frozenset().union(*(_held(e, e.sentences) for e in reading.retrieval.evidence))
    return any(not get_close_matches(name, held, 1, SPELT_ALIKE) for name in named - held)


def _held(evidence: Evidence, sentences: Iterable[Sentence]) -> set[str]:
    """The terms of sentences and of their article's header."""
    passage = evidence.passage
    outlets = " ".join(source.outlet for source in passage.sources)
    held = set(terms(f"{passage.title} {passage.outlet} {outlets}"))
    for sentence in sentences:
        held |= words(sentence.text).places.keys()
    return held


def _lead(ranked: Sequence[Scored]) -> float:
    """How far the best sentence is ahead of the fourth best, 0 to 1."""
    return 1 - math.exp((ranked[3].score - ranked[0].score) / 2) if len(ranked) > 3 else 1.0
