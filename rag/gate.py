"""Whether the retrieved passages hold an answer at all. Pure.

Raw cosine alone is a poor judge; together with how much of the question's rare words and names the passages hold, it
is a good one. The weights are a logistic regression's, made and measured by `python -m evals.calibrate`.
"""

from __future__ import annotations

import math
import re

from rag.retrieve import Retrieval, coverage
from rag.text import FUNCTION_WORDS, terms

CLOSEST = 4
"""Passages that are looked at."""
THRESHOLD = 0.5

_INTERCEPT = -12.3
_WEIGHTS = (18.8, 5.9, 2.9, -1.5)
_NAME = re.compile(r"(?<!^)\b[A-Z][\w-]*\w\b|\b\w*\d\w*\b")


def confidence(question: str, retrieval: Retrieval) -> float:
    """How likely the passages answer the question: 0 to 1."""
    if not retrieval.evidence:
        return 0.0
    score = _INTERCEPT + sum(w * f for w, f in zip(_WEIGHTS, features(question, retrieval), strict=True))
    return 1 / (1 + math.exp(-score))


def features(question: str, retrieval: Retrieval) -> tuple[float, ...]:
    """What the judgement rests on, over the closest passages.

    The best sentence's cosine; the largest share of the question's words in one sentence, and in one passage with its
    title; the share of the question's names and numbers that none of the passages has.
    """
    evidence = retrieval.evidence[:CLOSEST]
    sentences = [sentence for e in evidence for sentence in e.sentences]
    words = [frozenset(terms(f"{e.passage.title} {e.passage.outlet} {e.passage.text}")) for e in evidence]
    names = {t for match in _NAME.findall(question) for t in terms(match)} - FUNCTION_WORDS
    absent = names.difference(*words)
    return (
        max(sentence.dense for sentence in sentences),
        max(sentence.lexical for sentence in sentences),
        max(coverage(list(own), retrieval.weights) for own in words),
        len(absent) / len(names) if names else 0.0,
    )
