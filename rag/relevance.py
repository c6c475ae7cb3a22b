"""How well a sentence answers a question: what speaks for it, and the weights. Pure.

The weights are those of a logistic choice among the sentences of the passages found, made and measured by
`python -m evals.calibrate`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.kinds import (
    KINDS,
    asks_holder,
    asks_seat,
    days_named,
    expected,
    holds,
    names_holder,
    names_seat,
    spans,
    years_named,
)
from rag.phrasing import (
    Words,
    begins_with_pronoun,
    is_of_other_version,
    says_it_is,
    told_beside,
    versions,
    words,
)
from rag.records import Evidence
from rag.text import terms

LOCATED = ("figure", "date", "person", "place", "name")
"""Kinds of answers that are a stretch of a sentence: it stands near what it is said of."""
_FIRST_WORDS = 7
"""Where a sentence says what it is about."""
_FEW_TERMS = 4
"""A question of fewer terms of content is short: it says little of what it is about, and asks for what matters most."""

_OF_ANOTHER = re.compile(
    r"\bpreviews?\b|\b(?:before|after|follow\w*|(?:forerunner|predecessor|successor)s? (?:of|to)) (?:the )?"
    r"(?:DeepSeek[- ])?[A-Z]\d",
    re.IGNORECASE,
)
"""Asks of what came before or after a version, which may be one of its own."""
_ASKS_WHETHER = re.compile(r"(?:is|are|was|were) ", re.IGNORECASE)
_STARTED_FROM = re.compile(r"\b(?:from|than|against)(?: (?:about|some|around|only))? $")
_TELLS = re.compile(r" (?:also |later )?(?:said|says|reported|wrote|calculated|counted|noted|told|estimated|put)\b")
_DIFFER = re.compile(r"\b(?:differ|differs|differed|disagree[ds]?|var(?:y|ies|ied)|conflicting)\b", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:not|never|no|none|nobody|nothing|neither|nor|without)\b|n['’]t\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks.

    Args:
        kind: of the answer, one of `rag.kinds.KINDS`, or empty.
        weights: its content terms, in order, and how much each counts; they sum to 1.
        terms: all of its terms.
        days: those it names.
        years: those it names.
        denies: whether it has a negation.
        role: where it asks who holds a post or is something to somebody, the terms for that; otherwise empty.
        seat: whether it asks where something has its seat.
        when: whether it asks when something was; a year alone answers it less well than a day.
        said: where it asks whether something is so, the last of its terms: "Is DeepSeek open source?"
        usual: where it names no day or year, each day that the passages found name, and how many of their days it is.
        versions: where it asks for a figure, a date or a meaning, those that it names; else another may be the answer.
    """

    kind: str
    weights: Mapping[str, float]
    terms: frozenset[str]
    days: frozenset[tuple[int, str]]
    years: frozenset[str]
    denies: bool
    role: frozenset[str]
    seat: bool
    when: bool
    said: frozenset[str]
    usual: Mapping[tuple[int, str], float]
    versions: frozenset[str]

    @classmethod
    def of(cls, question: str, weights: Mapping[str, float], evidence: Iterable[Evidence] = ()) -> Asked:
        """What the question asks, its content terms being as rare as `weights` say; `evidence` was found for it."""
        total = sum(weights.values()) or 1.0
        shares = {term: weight / total for term, weight in weights.items()}
        days, years = days_named(question), years_named(question)
        named = Counter(day for e in evidence for s in e.sentences for day in days_named(s.text))
        usual = {} if days or years else {day: count / named.total() for day, count in named.items()}
        kind = expected(question)
        return cls(
            kind=kind,
            weights=shares,
            terms=frozenset(terms(question)),
            days=days,
            years=years,
            denies=bool(_DENIES.search(question)),
            role=frozenset(shares if asks_holder(question) else ()),
            seat=asks_seat(question),
            when=kind == "date" and "when" in question.lower(),
            said=frozenset(list(shares)[-1:] if _ASKS_WHETHER.match(question) else ()),
            usual=usual,
            versions=frozenset(
                versions(question) if kind in ("date", "figure", "meaning") and not _OF_ANOTHER.search(question) else ()
            ),
        )

    @property
    def shortness(self) -> float:
        """1 for a question of one term of content, 0 for one of several."""
        return max(0, _FEW_TERMS - len(self.weights)) / (_FEW_TERMS - 1)

    def places(self, term: str, own: Words) -> list[int]:
        """Where a sentence has one of the terms, but not as the beginning of another name than is asked about."""
        return [p for p in own.places.get(term, ()) if own.goes_on.get(p, "") in {"", *self.terms}]

    def placed(self, own: Words) -> dict[str, list[int]]:
        """The places of each of its content terms that a sentence has."""
        found = ((term, self.places(term, own)) for term in self.weights if term in own.places)
        return {term: places for term, places in found if places}

    def share(self, held: Collection[str]) -> float:
        """The share of the question's words, weighted by rarity, that stand among the terms `held`: 0 to 1."""
        return sum(weight for term, weight in self.weights.items() if term in held)


@dataclass(frozen=True, slots=True)
class Located:
    """A stretch of a sentence that may be the answer, and how near it stands to the question's words, 0 to 1."""

    start: int
    end: int
    near: float


def located(asked: Asked, text: str) -> list[Located]:
    """The stretches of a sentence that are of the kind asked for and not in the question, the nearest first."""
    if asked.kind not in LOCATED:
        return []
    own = words(text)
    placed = asked.placed(own)
    found = []
    for start, end in spans(asked.kind, text):
        if asked.terms.issuperset(terms(text[start:end])):
            continue
        first, final = own.place(start), own.place(max(start, end - 1))
        near = 0.0
        for term, weight in asked.weights.items():
            if places := placed.get(term):
                near += weight / (1 + min(max(first - p, p - final, 0) for p in places) / 4)
        found.append(Located(start, end, near))
    return sorted(found, key=lambda one: -one.near)


def pairs_in(asked: Asked, own: Words, placed: Mapping[str, Sequence[int]]) -> float:
    """How near each other a sentence has the question's neighbouring words, which are `placed` in it, 0 to 1."""
    pairs = total = 0.0
    for one, other in pairwise(asked.weights):
        weight = min(asked.weights[one], asked.weights[other])
        total += weight
        if (a := placed.get(one)) and (b := placed.get(other)):
            pairs += weight / (1 + max(0, min(abs(x - y) for x in a for y in b) - 1) / 3)
    if not total:
        pairs, total = sum(w for t, w in asked.weights.items() if t in own.places), 1.0
    return pairs / total


SURE = {"figure": (0.2, 0.05), "date": (0.2, 0.05), "person": (0.3, 0.15)}
"""How near to the question's words an answer of a kind stands, and how much nearer than anything else that may be it.

Of places and other names so few are right that none is taken.
"""
WHOLE = ("meaning", "reason", "statement")
"""Kinds of answer that take a sentence, where what is asked for is no figure or date after all."""

FREE = ("denies", "needs more")
AGAINST = ("aside", "other version")
"""Features that may count for or against a sentence, and those that count against it; the others count for it."""

FEATURES = (
    "cosine",
    "tokens",
    "passage",
    *(f"has {kind}" for kind in KINDS),
    "near",
    "pairs",
    "topic",
    "subject first",
    "needs more",
    "day",
    "year",
    "usual day",
    "title or sentence",
    "denies",
    "before",
    "names holder or seat",
    "short: opening",
    "short: usual day",
    "short: exact day",
    "aside",
    "says it is",
    "other version",
)

WEIGHTS = (
    5.92,
    13.85,
    4.24,
    3.21,
    2.72,
    2.00,
    1.62,
    1.30,
    0.81,
    0.25,
    6.89,
    1.42,
    0.40,
    0.65,
    0.47,
    0.91,
    2.00,
    3.75,
    0.75,
    1.23,
    0.25,
    0.46,
    4.76,
    3.32,
    1.46,
    1.82,
    -1.41,
    3.38,
    -9.00,
)


def features(asked: Asked, evidence: Evidence, place: int) -> tuple[float, ...]:
    """What speaks for a sentence, in the order of `FEATURES`."""
    sentence = evidence.sentences[place]
    text = sentence.text
    own = words(text)
    has = holds(asked.kind, text, asked.terms) if asked.kind else False
    nearest = located(asked, text)[:1] if has else []
    placed = asked.placed(own)
    topic = sum(w for t, w in asked.weights.items() if t in placed and min(placed[t]) < _FIRST_WORDS)
    subject = next(iter(asked.weights), "")
    title = set(_title_terms(evidence.passage.title))
    in_title = sum(w for t, w in asked.weights.items() if t in title)
    in_either = sum(w for t, w in asked.weights.items() if t in title or t in placed)
    before = evidence.sentences[place - 1].lexical if place else 0.0
    opens = float(sentence.start == 0)
    usual_day = max((asked.usual.get(day, 0.0) for day in days_named(text)), default=0.0) if asked.usual else 0.0
    return (
        sentence.dense,
        sentence.tokens,
        evidence.passage.score,
        *(float(has and kind == asked.kind) for kind in KINDS),
        nearest[0].near if nearest else 0.0,
        pairs_in(asked, own, placed),
        topic,
        float(subject in placed and min(placed[subject]) < _FIRST_WORDS - 2),
        float(begins_with_pronoun(text)),
        _same_days(asked, text),
        float(bool(asked.years) and not asked.years.isdisjoint(years_named(text))),
        usual_day,
        in_either,
        float(not asked.denies and _denies(text)),
        before,
        float(bool(asked.role and names_holder(text, asked.role)) or (asked.seat and names_seat(text, asked.terms))),
        asked.shortness * opens * in_title,
        asked.shortness * usual_day,
        asked.shortness * (asked.when and not days_named(text) <= asked.days),
        _aside(asked, own, told_beside(text)),
        float(bool(asked.said) and says_it_is(text, asked.said)),
        float(bool(asked.versions) and is_of_other_version(text, asked.versions)),
    )


def _aside(asked: Asked, own: Words, beside: Sequence[range]) -> float:
    """The share of the question's words that the sentence has nowhere but where it tells of something else.

    "Meta's shares rose while Nvidia's fell" is about Meta's, "The first model after R1 was V3-0324" about V3-0324.
    """
    if not beside:
        return 0.0
    return sum(
        asked.weights[term]
        for term, places in asked.placed(own).items()
        if all(any(p in part for part in beside) for p in places)
    )


def _same_days(asked: Asked, text: str) -> float:
    """1 where a sentence names a day that the question names, -1 where it names only others, else 0."""
    days = days_named(text) if asked.days else None
    return 0.0 if not days else 1.0 if asked.days & days else -1.0


def relevance(asked: Asked, evidence: Evidence, place: int, weights: Sequence[float] = WEIGHTS) -> float:
    """How well a sentence of the passage answers, in log-odds against the others: only differences mean something."""
    return sum(weight * value for weight, value in zip(weights, features(asked, evidence, place), strict=True))


def answer_span(asked: Asked, text: str, found: tuple[int, int] | None = None) -> tuple[int, int] | None:
    """The stretch of a sentence, as offsets into it, that is the answer by itself; None where it isn't sure.

    Args:
        found: what a cross-encoder takes for it, where that is sure.
    """
    if _DIFFER.search(text):
        return None  # one of several values, of which none is the answer by itself
    return _nearest_span(asked, text) or (_whole_span(asked, text, found) if found else None)


def _whole_span(asked: Asked, text: str, found: tuple[int, int]) -> tuple[int, int] | None:
    """All of the figure, date or name that something found is part of; None where that is not what is asked for.

    What the question says itself is not what it asks for.
    """
    kinds = (asked.kind,) if asked.kind in SURE else ("figure", "date")
    held = [span for kind in kinds for span in spans(kind, text) if span[0] < found[1] and found[0] < span[1]]
    if not held and asked.kind in (*SURE, *WHOLE):
        return None
    start, end = min(start for start, _ in [*held, found]), max(end for _, end in [*held, found])
    return (start, end) if asked.terms.isdisjoint(terms(text[start:end])) else None


def _nearest_span(asked: Asked, text: str) -> tuple[int, int] | None:
    """What of the kind asked for stands nearest to the question's words, if it is well ahead of anything else."""
    if asked.kind not in SURE:
        return None
    found = located(asked, text)
    near, ahead = SURE[asked.kind]
    if (
        not found
        or _is_no_answer(asked.kind, text, found[0])
        or found[0].near < near
        or (len(found) > 1 and found[0].near - found[1].near < ahead)
    ):
        return None
    return found[0].start, found[0].end


def _is_no_answer(kind: str, text: str, found: Located) -> bool:
    """Whether a figure is only where something fell from, or a name no whole one or only that of who tells it."""
    if kind == "figure":
        return bool(_STARTED_FROM.search(text, 0, found.start))
    name = text[found.start : found.end]
    # "On 17 February 2025 Liang Wenfeng": where a date runs into a name, that is not all that stands there.
    return kind == "person" and (" " not in name or bool(re.search(r"\d", name) or _TELLS.match(text, found.end)))


@lru_cache(maxsize=4096)
def _denies(text: str) -> bool:
    return bool(_DENIES.search(text))


@lru_cache(maxsize=512)
def _title_terms(title: str) -> tuple[str, ...]:
    return tuple(terms(title))
