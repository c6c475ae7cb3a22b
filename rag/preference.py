"""Passages ranked by how far they have the outlets, days and speakers that a question names. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TypeVar

from rag.days import days_told
from rag.facets import Wanted, period_label
from rag.outlets import OFTEN_WORDS, credits_outlet, is_outlet, outlet_key
from rag.period import Period
from rag.records import Evidence, Passage

T = TypeVar("T")

PULL = 0.8
"""A passage that has all that the question names scores so much higher, as a share of its score."""
HEAD = 4
"""Among so many first passages each of several outlets, days or subjects that the question names has its place."""
HAS = 0.5
"""A passage that fits at least this well has what is wanted."""
NEAR = 0.5
"""A passage with this share of the best score is near enough to the question to stand for an outlet."""

_SAID = re.compile(
    r"[\"“„]|\b(?:said|says|told|wrote|writes|called|calls|argued|posted|warned|added|tweeted|claimed|answered|replied"
    r"|announced|described|praised|admitted|promised|predicted|thinks|believes|according to)\b"
)


def preference(wanted: Sequence[Wanted]) -> Callable[[Passage], float]:
    """How far a passage has what the question names: 0 to 1. Of several outlets or days one is enough."""
    outlets = [w for w in wanted if w.facet.kind == "outlet"]
    fits = [(w.facet.kind, _fit(w, outlets)) for w in wanted]

    def of(passage: Passage) -> float:
        best: dict[str, float] = {}
        for kind, fit_of in fits:
            best[kind] = max(best.get(kind, 0.0), fit_of(passage))
        return sum(best.values()) / len(best) if best else 0.0

    return of


def prefer(ranked: Sequence[Evidence], wanted: Sequence[Wanted]) -> list[Evidence]:
    """The passages ranked anew by score and `preference`; none is left out, and the highest score stays what it was.

    The preference is a factor, which leaves passages behind that have little to do with the question, whatever their
    outlet and day.
    """
    if not wanted or not ranked:
        return list(ranked)
    preferred = preference(wanted)
    scores = [e.passage.score * (1 + PULL * preferred(e.passage)) for e in ranked]
    scale = max(e.passage.score for e in ranked) / (max(scores) or 1.0)
    raised = [
        Evidence(e.passage.scored(s * scale), e.sentences, e.matches) for e, s in zip(ranked, scores, strict=True)
    ]
    return sorted(raised, key=lambda e: -e.passage.score)


def cover(ranked: Sequence[T], wanted: Sequence[Callable[[T], bool]], head: int = HEAD) -> list[T]:
    """All of `ranked`, the best that each of `wanted` is true of among the first `head`, where there is one.

    >>> cover([12, 14, 16, 18, 15], [lambda n: n % 5 == 0, lambda n: n % 2 == 0], head=3)
    [12, 14, 15, 16, 18]
    """
    order = list(range(len(ranked)))
    for is_wanted in wanted:
        first, rest = order[:head], order[head:]
        best = next((i for i in rest if is_wanted(ranked[i])), None)
        if best is None or any(is_wanted(ranked[i]) for i in first):
            continue
        # The last one gives way that nothing else wanted rests on.
        spare = next((i for i in reversed(first) if not any(_rests(w, ranked, first, i) for w in wanted)), None)
        if spare is not None:
            first.remove(spare)
            order = [*first, best, *sorted([spare, *(i for i in rest if i != best)], key=order.index)]
    return [ranked[i] for i in order]


def cover_parts(ranked: Sequence[Evidence], wanted: Sequence[Wanted]) -> list[Evidence]:
    """`cover` for passages and what `parts` names: an outlet's own article rather than one that mentions it."""

    def having(part: Wanted) -> Callable[[Evidence], bool]:
        near = (e for e in ranked if e.passage.score >= NEAR * ranked[0].passage.score)
        fit = _fit(part, ())
        need = max([HAS, *(fit(e.passage) for e in near)])
        return lambda evidence: fit(evidence.passage) >= need

    return cover(ranked, [having(part) for part in wanted])


def _rests(wanted: Callable[[T], bool], ranked: Sequence[T], first: Sequence[int], one: int) -> bool:
    return wanted(ranked[one]) and not any(wanted(ranked[i]) for i in first if i != one)


def _fit(wanted: Wanted, outlets: Sequence[Wanted]) -> Callable[[Passage], float]:
    """How far a passage has one thing that is wanted: 0 to 1."""
    match wanted.facet.kind:
        case "outlet":
            return _fit_outlet(wanted.names)
        case "date":
            return _fit_period(wanted, outlets)
        case "speaker":
            return lambda passage: _fit_speaker(passage.text, wanted.names)
    name = wanted.names[0]
    return lambda passage: float(_stands(name, passage.text) or _stands(name, passage.title))


def _fit_outlet(names: tuple[str, ...]) -> Callable[[Passage], float]:
    keys = frozenset(map(outlet_key, names))

    def of(passage: Passage) -> float:
        publishers = {source.outlet for source in passage.sources} | {passage.outlet} - {""}
        if publishers and all(is_outlet(publisher, keys) for publisher in publishers):
            return 1.0
        if any(
            _stands(name, passage.text)
            for name in names
            if name not in OFTEN_WORDS or credits_outlet(name, passage.text)
        ):
            return 0.9
        if is_outlet(passage.outlet, keys):
            return 0.6
        return 0.4 if any(is_outlet(publisher, keys) for publisher in publishers) else 0.0

    return of


def _fit_period(wanted: Wanted, outlets: Sequence[Wanted]) -> Callable[[Passage], float]:
    """Days of the articles and of what they tell: a report of the day, or one that names the day."""
    period = wanted.period or Period()
    inside, next_day, spans = _within(period), _within(_day_after(period)), _spans_named(period)
    keys = frozenset(outlet_key(name) for outlet in outlets for name in outlet.names)

    def of(passage: Passage) -> float:
        published = {passage.published}
        published |= {s.date for s in passage.sources if is_outlet(s.outlet, keys)} if keys else set()
        tells = [inside(day) for day in days_told(passage)]
        told = 0.0 if not any(tells) else 1.0 if all(tells) or period.start == period.end else 0.7
        told = max(told, float(any(_stands(name, passage.text) for name in spans)))
        on_time = 1.0 if any(map(inside, published)) else 0.5 if any(map(next_day, published)) else 0.0
        return max(on_time, 0.8 * told) if wanted.reported else max(told, 0.8 * on_time)

    return of


def _spans_named(period: Period) -> tuple[str, ...]:
    """How a text names a whole year or month: without days."""
    label = period_label(period)
    whole = re.fullmatch(r"(?:[A-Z]\w+ )?\d{4}", label)
    return (label,) if whole else ()


def _within(period: Period) -> Callable[[str], bool]:
    return lambda day: bool(day) and (period.start or day) <= day <= (period.end or day)


def _day_after(period: Period) -> Period:
    if not period.end:
        return period
    following = (date.fromisoformat(period.end) + timedelta(days=1)).isoformat()
    return Period(following, following)


def _fit_speaker(text: str, names: tuple[str, ...]) -> float:
    full, last = names[0], names[-1]
    if not _stands(last, text):
        return 0.0
    sentence = next((s for s in re.split(r"(?<=[.!?])\s", text) if _stands(last, s) and _SAID.search(s)), "")
    return 1.0 if sentence else 0.5 if _stands(full, text) else 0.4


def _stands(name: str, text: str) -> bool:
    position = text.find(name)
    while position >= 0:
        end = position + len(name)
        if not (text[position - 1 : position].isalnum() or text[end : end + 1].isalnum()):
            return True
        position = text.find(name, end)
    return False
