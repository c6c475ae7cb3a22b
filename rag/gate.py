"""Whether the retrieved passages hold an answer at all. Pure.

Raw cosine alone is a poor judge; together with how well each of the question's words and tokens is found again, and how
far the best sentence stands out, it is a good one. The weights are those of a logistic regression, made and
measured by `python -m evals.calibrate`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from rag.kinds import days_named
from rag.quote import rank_sentences
from rag.retrieve import Retrieval, coverage
from rag.text import function_terms, terms

CLOSEST = 4
"""Passages in which the question's words and names are looked for."""
THRESHOLD = 0.4

FEATURES = ("cosine", "words", "absent name", "lead", "tokens", "mean token", "weighted tokens", "negation")
INTERCEPT = -4.35
WEIGHTS = (4.74, 0.65, -1.16, 1.62, 1.56, 1.13, 1.29, -1.02)

_DENIES = re.compile(r"\b(?:not|never|no|without|except|unlike|un\w+|non\w+)\b|n['’]t\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_NAME_OR_NUMBER = re.compile(r"(?<!^)\b[A-Z][\w-]*\w\b|\b\w*\d\w*\b")


def confidence(question: str, retrieval: Retrieval) -> float:
    """How likely the passages answer the question: 0 to 1; 0 when it names a day or year that none of them names."""
    if not retrieval.evidence or any(_names_another(question, retrieval, named) for named in (days_named, years_named)):
        return 0.0
    score = INTERCEPT + sum(w * f for w, f in zip(WEIGHTS, features(question, retrieval), strict=True))
    return 1 / (1 + math.exp(-score))


def _names_another(question: str, retrieval: Retrieval, named: Callable[[str], set[Any]]) -> bool:
    """Whether the question names a time, and no passage names the same."""
    asked = named(question)
    return bool(asked) and not any(asked & named(e.passage.text) for e in retrieval.evidence)


def years_named(text: str) -> set[str]:
    """The years that a text names."""
    return set(_YEAR.findall(text))


def features(question: str, retrieval: Retrieval) -> tuple[float, ...]:
    """What the judgement rests on, in the order of `FEATURES`, each about 0 to 1.

    The best cosine of a sentence; the share of the question's words in one passage; how rare the rarest of the
    question's names and numbers is that no passage has; how far the best sentence is ahead of the fourth best. How
    well the question's tokens are matched in the best sentence, and in its passage: all of them alike, and weighted by
    rarity. Whether the question denies something.
    """
    weights = retrieval.weights
    closest = retrieval.evidence[:CLOSEST]
    words = [frozenset(terms(f"{e.passage.title} {e.passage.outlet} {e.passage.text}")) for e in closest]
    names = {t for match in _NAME_OR_NUMBER.findall(question) for t in terms(match) if t in weights} - function_terms()
    absent = [weights[name] for name in names if not any(name in own for own in words)]
    ranked = rank_sentences(question, retrieval)
    best = ranked[0]
    fourth = ranked[3].score if len(ranked) > 3 else 0.0
    matches = next(e.matches for e in retrieval.evidence if e.passage == best.passage)
    return (
        max(s.sentence.dense for s in ranked),
        max(coverage(list(own), weights) for own in words),
        max(absent, default=0.0) / max(weights.values()),
        best.score - fourth,
        best.sentence.tokens,
        sum(matches) / len(matches),
        sum(match * weight for match, weight in zip(matches, retrieval.token_weights, strict=True)),
        float(_DENIES.search(question) is not None),
    )
