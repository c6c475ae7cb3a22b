"""Whether two claims are about the same, and give different values of it. Pure.

Two values are held against each other only when their sentences name the same subject, the same quantity, the same
day and the same basis, as far as words show it: a wrong dispute misleads more than a missed one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

from rag.figures import Date, Figure, agree, same_unit
from rag.measures import HAPPENS
from rag.period import is_iso_date
from rag.reports import Claim
from rag.text import terms

ALIKE = 0.5
"""Quantities are the same when their words are so alike (Jaccard)."""
LARGE = 1e6
"""From here on a number whose unit is left out can be one of dollars."""
FAR_APART = 1.6
"""Values that are so many times apart are only held against each other when all words agree."""
ROUND = 0.01
"""A round figure may be so far from the exact one, as a share, without being rounded on purpose or "about"."""
REPORTS_APART = 45
"""Reports that name no day at all tell of the same when they are at most so many days apart."""
REPORT_DELAY = 3
"""A report that names no other day tells of the same event as one that happened at most so many days before."""

_PEOPLE = frozenset({"", "peopl", "dead"})


def contradict(one: Claim, other: Claim) -> bool:
    """Whether two claims give different values of the same thing."""
    return comparable(one, other) and not same_value(one, other)


def comparable(one: Claim, other: Claim) -> bool:
    """Whether two claims are about the same quantity of the same subject, on the same day and basis."""
    if isinstance(one.value, str) and isinstance(other.value, str):
        return _alike(frozenset(terms(one.value)), frozenset(terms(other.value)))
    if isinstance(one.value, Figure) and isinstance(other.value, Figure):
        a, b = one.value, other.value
        if not same_unit(a, b) or (a.unit != b.unit and min(a.value, b.value) < LARGE) or not _same_time(one, other):
            return False
        if one.counted != other.counted and not {one.counted, other.counted} <= _PEOPLE:
            return False
        if max(a.value, b.value) > FAR_APART * min(a.value, b.value) and one.quantity != other.quantity:
            return False
    elif not (isinstance(one.value, Date) and isinstance(other.value, Date)):
        return False
    elif not (one.subject or (one.quantity == other.quantity and len(one.quantity) > 2)):
        return False  # without a name, every word has to be the same
    elif not one.quantity & other.quantity & HAPPENS:
        return False
    if one.basis != other.basis or not one.quantity or not other.quantity:
        return False
    # A sentence's first word may be its subject or say what is measured; a subject is compared as such.
    subjects = {term for names in (one.subject, other.subject) for name in names for term in terms(name)}
    shared = subjects if one.quantity - subjects and other.quantity - subjects else set[str]()
    return same_subject(one.subject, other.subject) and _alike(one.quantity - shared, other.quantity - shared)


def _same_time(one: Claim, other: Claim) -> bool:
    if not one.days or not other.days:
        return (one.reported or not one.days) and (other.reported or not other.days)
    if len(one.days) != len(other.days) and not (one.reported or other.reported):
        return False  # "between 27 January and 6 March" is no day
    pairs = zip(one.days, other.days, strict=False)
    return all(_same_day(a, b, one.reported, other.reported) for a, b in pairs)


def _same_day(a: str, b: str, a_reported: bool, b_reported: bool) -> bool:
    if not a_reported and not b_reported:
        return a.startswith(b) or b.startswith(a)
    if not (is_iso_date(a) and is_iso_date(b)):
        return a.startswith(b) or b.startswith(a)
    late = (date.fromisoformat(b) - date.fromisoformat(a)).days
    if a_reported and b_reported:
        return abs(late) <= REPORTS_APART
    return 0 <= (late if b_reported else -late) <= REPORT_DELAY


def same_subject(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two claims' names are of one subject: each is among the other's, "Huang" as "Jensen Huang"."""
    a, b = ({name.removeprefix("?") for name in names} for names in (one, other))
    if not a or not b:
        return not a and not b

    def known(name: str, names: Collection[str]) -> bool:
        return any(name == n or n.endswith(f" {name}") or name.endswith(f" {n}") for n in names)

    sure = [known(n, b) for n in one if n[0] != "?"] + [known(n, a) for n in other if n[0] != "?"]
    doubtful = [all(known(n[1:], names) for n in side if n[0] == "?") for side, names in ((one, b), (other, a))]
    return all(sure) and any(known(n, b) for n in a) and any(doubtful)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= ALIKE * len(one | other)


def same_value(one: Claim, other: Claim) -> bool:
    """Whether two claims' values agree: roundings, bounds and dates without a day or year agree with what they fit."""
    if isinstance(one.value, Figure) and isinstance(other.value, Figure):
        if _out_of_bounds(one.value, other.value) or _out_of_bounds(other.value, one.value):
            return False
        return agree(one.value, other.value) or _round_figure(one.value, other.value)
    if isinstance(one.value, Date) and isinstance(other.value, Date):
        pairs = zip(_parts(one.value), _parts(other.value), strict=True)
        return all(a is None or b is None or a == b for a, b in pairs)
    speakers = [set(re.findall(r"\w{2,}", claim.sources[0])) for claim in (one, other)]
    return bool(speakers[0] & speakers[1])


def _out_of_bounds(bound: Figure, other: Figure) -> bool:
    """Whether one is "more than" or "less than" something that a plain value, however rounded, is not."""
    if other.rough:
        return False
    below, above = other.value < bound.value * (1 - ROUND), other.value > bound.value * (1 + ROUND)
    return (bound.rough == "over" and below) or (bound.rough == "under" and above)


def _round_figure(one: Figure, other: Figure) -> bool:
    """Whether one is the other in round figures, 5,400 for 5,430, or cut off: 593 for 593.7."""
    if one.step != other.step and abs(one.value - other.value) < min(max(one.step, other.step), ROUND * one.value):
        return True
    exact, coarse = sorted((one.value, other.value), key=lambda value: len(f"{value:.12g}".rstrip("0")), reverse=True)
    step = 10.0 ** (len(f"{coarse:.0f}") - len(f"{coarse:.0f}".rstrip("0")))
    return step > 1 and abs(exact - coarse) <= min(step / 2, ROUND * coarse)


def _parts(day: Date) -> tuple[int | None, int | None, int | None]:
    return day.year, day.month, day.day
