"""Figures, dates and quotations that sources give differently for what a question asks. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import count

from rag.contradiction import comparable, same_subject, same_value
from rag.figures import Date, Figure, agree, dates
from rag.headings import heading
from rag.kinds import asks_whether, expected
from rag.measures import MEASURES, SAME, same_terms
from rag.outlets import outlets_in
from rag.period import Period, periods_named
from rag.records import Citation, Disagreement, Evidence, Passage, ReportedValue, Sentence
from rag.reports import Claim, claims, without_dates
from rag.text import terms

MOST_SENTENCES = 18
"""Sentences nearest to the question that are compared."""
MOST_DISPUTES = 3

_ASKING = frozenset(
    terms("agree differ reports sources vary accounts compare vs versus both seen different counts outlets disagree")
)
_HOLDS = re.compile(r"\d|[\"“]")
_EXPLAINS = re.compile(
    r"\b(?:differ(?:s|ed|ent|ently|ence)?|depend(?:s|ed|ing) on|which is why|misread\w*|rounded|time zones?"
    r"|own estimates"
    r"|each count\w*|because (?:outlets|sources|reports|some|they|both|each|it counts?|the (?:first|second"
    r"|former|latter))"
    r"|may include|counts? only|leaves? out|excludes?|does not include|intraday|at the close)\b",
    re.IGNORECASE,
)
_NOT_EXPLAINED = re.compile(r"\b(?:no explanation|unexplained|not explain|unclear|nobody knows)\b", re.IGNORECASE)
_REPORTS_AGAIN = re.compile(
    r"\b(?:figures?|sums?|counts?|estimates?|reports?|accounts?|outlets?|totals?|dates?|each|both|numbers?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Stated:
    """A claim in its sentence."""

    claim: Claim
    passage: Passage
    sentence: Sentence

    @property
    def sources(self) -> tuple[str, ...]:
        """Who says so: named in the sentence, or else whose article it is."""
        alone = len({source.outlet for source in self.passage.sources}) <= 1
        return self.claim.sources or ((self.passage.outlet,) if self.passage.outlet and alone else ())


def disagreements(
    question: str, evidence: Sequence[Evidence], citations: Sequence[Citation] = ()
) -> tuple[tuple[Disagreement, ...], tuple[Citation, ...]]:
    """What the passages report differently of what the question asks for, and the citations for it.

    Args:
        evidence: the passages that the answer was made from.
        citations: those of the answer. Values whose sentence is not among them get further ones, numbered on.

    Returns:
        The disagreements, and the further citations.
    """
    asked = _Asked.of(question)
    nearest = sorted(
        (
            (s.dense, e.passage, s)
            for e in evidence
            for s in e.sentences
            if _HOLDS.search(s.text) and asked.may_fit(s.text)
        ),
        key=lambda scored: -scored[0],
    )[:MOST_SENTENCES]
    stated = [
        Stated(claim, passage, sentence)
        for _, passage, sentence in nearest
        for claim in claims(sentence.text, passage.published)
        if asked.fits(claim)
    ]
    further: list[Citation] = []
    numbers = {(c.passage.article_id, c.start, c.end): c.number for c in citations}
    free = count(max(numbers.values(), default=0) + 1)

    def place_of(of: Stated) -> tuple[str, int, int]:
        return of.passage.article_id, of.sentence.start, of.sentence.end

    def number(of: Stated) -> int:
        place = place_of(of)
        if place not in numbers:
            numbers[place] = next(free)
            further.append(Citation(numbers[place], of.sentence.text, of.passage, of.sentence.start, of.sentence.end))
        return numbers[place]

    found = []
    for disputed in _disputes(stated)[:MOST_DISPUTES]:
        alike = sorted((same for group in disputed for same in _alike(group)), key=_size)
        values = tuple(_reported_value(same, number, lambda s: place_of(s) in numbers) for same in alike)
        everything = [s for group in disputed for s in group]
        subject = heading(s.claim.said for s in everything)
        found.append(Disagreement(subject, values, _explanation(everything, evidence)))
    return tuple(found), tuple(further)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a question asks for, to tell the claims that answer it."""

    kind: type[Figure] | type[Date] | type[str] | None
    about: frozenset[str]
    """Terms for the subject, all of which a claim must have."""
    measure: frozenset[str]
    """Terms for what is measured or happens, of which it must have one."""
    periods: tuple[Period, ...]
    in_percent: bool
    """Whether only shares of something answer it."""

    @classmethod
    def of(cls, question: str) -> _Asked:
        bare = without_dates(question, dates(question))
        for name in outlets_in(bare):
            bare = bare.replace(name, " ")
        words = same_terms(bare) - _ASKING
        measure = frozenset(words & MEASURES)
        kinds: dict[str, type[Figure] | type[Date] | type[str]] = {"date": Date, "figure": Figure, "": Figure}
        kinds |= {"statement": str, "person": str} | ({"meaning": Figure} if measure else {})
        in_percent = bool(re.search(r"\bhow far\b|\bper ?cent", question, re.IGNORECASE))
        kind = kinds.get(expected(question))
        if asks_whether(question) and not re.search(r"\d", question) and _ASKING.isdisjoint(terms(question)):
            kind = None
        return cls(kind, frozenset(words - measure), measure, periods_named(question), in_percent)

    def may_fit(self, text: str) -> bool:
        """Whether a sentence has the words that a claim must have."""
        return self.kind is not None and self._has_words(same_terms(text))

    def fits(self, claim: Claim) -> bool:
        """Whether a claim is about what is asked."""
        if self.kind is None or not isinstance(claim.value, self.kind):
            return False
        if isinstance(claim.value, str):
            return self._has_words(same_terms(f"{claim.value} {claim.sources[0]}"))
        if self.in_percent and claim.unit not in ("percent", "points", "percentage points"):
            return False
        subject = {SAME.get(term, term) for name in claim.subject for term in terms(name)}
        if not self._has_words(claim.quantity | subject | {claim.counted}):
            return False
        if claim.reported or not claim.days or not self.periods:
            return True
        return any((p.start or day)[: len(day)] <= day <= (p.end or day) for p in self.periods for day in claim.days)

    def _has_words(self, said: Collection[str]) -> bool:
        missing = len(self.about.difference(said))
        return missing <= len(self.about) // 4 and (not self.measure or not self.measure.isdisjoint(said))


# From claims to disagreements


def _disputes(stated: Sequence[Stated]) -> list[list[list[Stated]]]:
    """The claims that are about the same, grouped by value, where there are several values; the nearest first."""
    left = list(stated)
    found: list[list[list[Stated]]] = []
    while left:
        first, *rest = left
        same = [first, *(s for s in rest if comparable(first.claim, s.claim))]
        left = [s for s in rest if s not in same]
        groups = _by_value(same)
        twin = next((other for other in found if _share_values(groups, other)), None)
        if twin is not None:
            _join(twin, groups)
        elif len(groups) > 1:
            found.append(groups)
    return found


def _share_values(ones: Sequence[Sequence[Stated]], others: Sequence[Sequence[Stated]]) -> bool:
    """Whether two disputes about the same subject have two values in common: one names a day that the other omits."""
    if not ones or not same_subject(ones[0][0].claim.subject, others[0][0].claim.subject):
        return False
    return sum(any(_match(one, other) for other in others) for one in ones) > 1


def _join(groups: list[list[Stated]], further: Sequence[Sequence[Stated]]) -> None:
    for group in further:
        own = next((own for own in groups if _match(own, group)), None)
        if own is not None:
            own.extend(group)
        else:
            groups.append(list(group))


def _match(one: Sequence[Stated], other: Sequence[Stated]) -> bool:
    a, b = one[0].claim, other[0].claim
    return type(a.value) is type(b.value) and a.unit == b.unit and same_value(a, b)


def _by_value(same: Sequence[Stated]) -> list[list[Stated]]:
    """Groups of claims that agree. A vague value joins the only group that it fits; where it fits several, none."""
    groups: list[list[Stated]] = []
    for s in sorted(same, key=_is_vague):
        fitting = [
            g for g in groups if all(same_value(s.claim, o.claim) for o in [o for o in g if not _is_vague(o)] or g)
        ]
        if len(fitting) == 1 or (fitting and not _is_vague(s)):
            fitting[0].append(s)
        elif not fitting:
            groups.append([s])
    groups = [g for g in groups if any(s.sources for s in g)]
    return [g for g in groups if all(_independent(g, other) for other in groups if other is not g)]


def _is_vague(stated: Stated) -> bool:
    return isinstance(stated.claim.value, Figure) and bool(stated.claim.value.rough)


def _independent(one: Sequence[Stated], other: Sequence[Stated]) -> bool:
    """Whether two values can be two reports': not from one sentence that gives both without saying who says which."""
    return any(
        (a.sources != b.sources and (a.sentence != b.sentence or bool(a.claim.sources and b.claim.sources)))
        or (a.passage.article_id != b.passage.article_id)
        for a in one
        for b in other
    )


def _alike(group: Sequence[Stated]) -> list[list[Stated]]:
    """What is one value in a group that agrees: roundings are; "almost $1 trillion" is another than $969 billion."""
    alike: list[list[Stated]] = []
    for s in sorted(group, key=_is_vague):
        fitting = next((g for g in alike if _is_rounding(s, g[0])), None)
        if fitting is not None:
            fitting.append(s)
        elif not alike or not _is_vague(s) or s.claim.sources:
            alike.append([s])
    return alike


def _size(same: Sequence[Stated]) -> tuple[float, ...]:
    """By which values are in order: figures from small to large, dates from early to late, others as they come."""
    value = same[0].claim.value
    if isinstance(value, Figure):
        return (value.value,)
    return (value.year or 0, value.month or 0, value.day or 0) if isinstance(value, Date) else ()


def _is_rounding(one: Stated, other: Stated) -> bool:
    a, b = one.claim.value, other.claim.value
    if isinstance(a, Figure) and isinstance(b, Figure):
        return agree(replace(a, rough=""), replace(b, rough=""))
    return True


def _reported_value(
    same: Sequence[Stated], number: Callable[[Stated], int], is_cited: Callable[[Stated], bool]
) -> ReportedValue:
    best = same[0]
    value = best.claim.value
    if isinstance(value, Figure):
        words = {"over": "more than", "under": "less than"}.get(value.rough, value.rough)
        shown = f"{words} {value.text}".strip()
    else:
        shown = value.text if isinstance(value, Date) else best.sources[0]
    days = dict.fromkeys(day for s in same for day in (s.claim.days if s.claim.reported else (s.passage.published,)))
    return ReportedValue(
        shown,
        tuple(dict.fromkeys(source for s in same for source in s.sources)),
        tuple(filter(None, days)),
        tuple(sorted({number(s) for s in [s for s in same if is_cited(s)] or [best]})),
    )


def _explanation(everything: Sequence[Stated], evidence: Sequence[Evidence]) -> str:
    """A sentence of the same articles that says why the reports differ; empty where none does."""
    articles = {s.passage.article_id for s in everything}
    texts = [s.sentence.text for s in everything]
    texts += [s.text for e in evidence if e.passage.article_id in articles for s in e.sentences]
    about = {source for s in everything for source in s.sources}
    for text in texts:
        if _EXPLAINS.search(text) and _REPORTS_AGAIN.search(text) and not _NOT_EXPLAINED.search(text):
            values = [s.claim.value for s in everything if isinstance(s.claim.value, (Figure, Date))]
            if sum(value.text in text for value in values) > 1 or sum(source in text for source in about) > 1:
                return " ".join(text.split())
    return ""
