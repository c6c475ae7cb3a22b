"""Dated events from the articles, in order, each told by several of them once. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from itertools import count, groupby

from rag.dated import dated
from rag.figures import in_words
from rag.records import Article, Citation, Draft, Evidence, TimelineEntry
from rag.telling import OF_SHARES, Told, tellings

MOST_A_DAY = 6
"""Events listed for one day of a longer period: those that most articles tell of."""
MOST_CITATIONS = 3
"""Sentences cited for one event: the one that is quoted, and those of other articles that tell of the same."""

ALIKE = 0.38
"""Sentences of one day whose words are so alike (cosine) tell of the same event."""
SAME_DEED = 0.25
"""So much more alike are sentences in which the same one does the same kind of thing."""
LEAST = 0.75
"""A sentence that scores less than this tells of no event of its day."""
MOST_COMPARED = 400
"""Sentences of one day that are compared with each other: the best."""
ABOUT, PERHAPS_ABOUT, ENOUGH = 0.9, 0.6, 5
"""A sentence is about what is asked when it is this share as near to it as the fifth nearest; where only the best are
listed, it may be."""
SURELY_ABOUT = 0.85
"""Where no sentence is so near to what is asked, none that is listed among the best would be about it."""
TELLING, DEED = 0.5, 0.5
"""What it counts for beside the nearness to what is asked how well a sentence tells of its day, and that it tells of a
deed of the kind that is asked about."""
WHOLE, ARTICLE = 0.3, 0.3
"""What it counts for beside the nearness to the subject how near a sentence is to the whole question, and how well the
best passage of its article answers that."""
FEWEST_DAYS = 3
_NOT_DONE = re.compile(r"\b(?:did|does|has|have|would) not (?:ban|block|release|publish)|\bruled out\b")
MOST_OF_SUBJECT = 3
"""Events listed for one day where the best about a subject are, if more would leave no room for other days."""
LESSER = 0.05
"""So much nearer to what is named an event must be than one that more is told of."""


def timeline(
    articles: Iterable[tuple[Article, Sequence[Evidence]]],
    start: str = "",
    end: str = "",
    about: Mapping[tuple[str, int], float] | None = None,
    most: int | None = None,
    named: Sequence[Mapping[tuple[str, int], float]] = (),
    deeds: Set[str] = frozenset(),
    doers: Set[str] = frozenset(),
) -> list[TimelineEntry]:
    """The events that articles tell of, in order, their citations numbered throughout.

    Of each article and each day that it tells of one sentence is taken; those that tell of the same become one entry.

    Args:
        articles: each with its passages.
        start: the first day, as ISO 8601 date; empty for no limit, as is `end`, the last day.
        about: how near to what is asked each sentence is, by its article's id and its start; None for all events.
        most: how many entries there may be; without it there may be `MOST_A_DAY` on each day.
        named: as `about`, for each of the events that must not be left out.
        deeds: of which kinds what is asked about is, as `deeds_named` tells them.
        doers: whose deeds these may be, as `doers_named` tells them.
    """
    candidates = [told for article, evidence in articles for told in tellings(article, tuple(evidence))]
    weights = _weights(candidates)
    candidates = [t for t in candidates if (not start or t.day >= start) and (not end or t.day <= end)]
    if about is not None:
        candidates = _about(candidates, about, *((PERHAPS_ABOUT, SURELY_ABOUT) if most else (ABOUT, 0.0)), deeds, doers)
    by_day = groupby(sorted(candidates, key=lambda told: told.day), key=lambda told: told.day)
    days = [_events(list(of_day), weights) for _, of_day in by_day]
    listed = [place for near in named if (place := _nearest_event(days, near))]
    return _numbered(_selected(days, most, listed) if about is None or most is None else _best(days, most, listed))


@dataclass(frozen=True, slots=True)
class _Weights:
    """The squares of how rare each word is among the sentences, and the lengths of the sentences' vectors of them."""

    squares: Mapping[str, float]
    lengths: Mapping[frozenset[str], float]


def _weights(told: Sequence[Told]) -> _Weights:
    frequency = Counter(word for t in told for word in t.words)
    squares = {word: math.log(1 + len(told) / n) ** 2 for word, n in frequency.items()}
    return _Weights(squares, {t.words: math.sqrt(sum(squares[word] for word in t.words)) for t in told})


def _about(
    told: Sequence[Told],
    about: Mapping[tuple[str, int], float],
    share: float,
    surely: float,
    deeds: Set[str],
    doers: Set[str],
) -> list[Told]:
    """The sentences that are near enough to what is asked, with scores for that as well; none if none is surely so."""
    near = [about.get((t.article.id, t.sentence.start), 0.0) for t in told]
    best = sorted(filter(None, near), reverse=True)[:ENOUGH]
    if not best or best[0] < surely:
        return []
    least = share * (best[-1] if len(best) == ENOUGH else best[0])
    found = [
        replace(t, score=LEAST + own + TELLING * t.score + DEED * (t.deed[1] in deeds) if t.score >= LEAST else 0.0)
        for t, own in zip(told, near, strict=True)
        if own and own >= least
    ]
    # Where enough tells of such deeds, nothing else is asked for, and nobody else's shares.
    done = [
        t
        for t in found
        if t.deed[1] in deeds or (not t.words.isdisjoint(deeds - OF_SHARES) and not _NOT_DONE.search(t.sentence.text))
    ]
    own = [t for t in done if t.deed[0] in doers] if deeds & OF_SHARES else []
    for fewer in (own, done):
        if len({t.day for t in fewer if t.score}) >= FEWEST_DAYS:
            return fewer
    return found


def nearer(
    subject: Mapping[tuple[str, int], float], whole: Mapping[tuple[str, int], float], best: Mapping[str, float]
) -> dict[tuple[str, int], float]:
    """How near each sentence is to what is asked, by its article's id and its start.

    Args:
        subject: how near it is to the subject.
        whole: how near it is to the whole question.
        best: the score of each article's best passage for the whole question.
    """
    return {
        place: subject.get(place, 0.0) + WHOLE * whole.get(place, 0.0) + ARTICLE * best.get(place[0], 0.0)
        for place in {**subject, **whole}
    }


def _events(of_day: Sequence[Told], weights: _Weights) -> list[list[Told]]:
    """What the articles tell of a day: per event the best sentence, then one of each other article that tells the same.

    The event that most articles tell of comes first.
    """
    if len(of_day) > MOST_COMPARED:
        of_day = sorted(of_day, key=lambda told: -told.score)[:MOST_COMPARED]
    best: dict[str, Told] = {}
    for told in sorted(of_day, key=lambda told: -told.score):
        if told.score >= LEAST:
            best.setdefault(told.article.id, told)
    events: list[list[Told]] = []
    for told in best.values():
        same = [told, *(other for likeness, other in _nearest(told, of_day, weights) if likeness >= ALIKE)]
        told_already = [event for event in events if any(_holds(event, member) for member in same)]
        # A sentence may tell of two events, and then is like what tells of the other one without being the same.
        if not any(_likeness(told, event[0], weights) >= ALIKE / 2 for event in told_already):
            free = [member for member in same if not any(_holds(event, member) for event in told_already)]
            if free:
                events.append(_heart_first(free, weights))
    return sorted(events, key=lambda event: -_importance(event, of_day, weights))


def _holds(event: Sequence[Told], told: Told) -> bool:
    return any(member is told for member in event)  # comparing whole records would take most of the time


def _heart_first(event: Sequence[Told], weights: _Weights) -> list[Told]:
    """The sentence first that tells the event best and has most of what the others say."""
    return sorted(event, key=lambda told: -told.score - sum(_likeness(told, other, weights) for other in event))


def _importance(event: Sequence[Told], of_day: Sequence[Told], weights: _Weights) -> float:
    """How much of what is told of the day is about the event; a chronicle of many days tells only of what mattered."""
    chronicle = max(len(told.article.event_dates) or 1 for told in event)
    around = sum(likeness for likeness, _ in _nearest(event[0], of_day, weights))
    return event[0].score + around + 0.5 * math.log2(chronicle) + 0.5 * any(told.opening for told in event)


def _nearest(told: Told, of_day: Sequence[Told], weights: _Weights) -> list[tuple[float, Told]]:
    """Of each other article the sentence that is most like this one, with its likeness, the most alike first."""
    nearest: dict[str, tuple[float, Told]] = {}
    for other in of_day:
        likeness = _likeness(told, other, weights)
        if other.article.id != told.article.id and likeness > nearest.get(other.article.id, (-1.0, other))[0]:
            nearest[other.article.id] = likeness, other
    return sorted(nearest.values(), key=lambda pair: -pair[0])


def _likeness(a: Told, b: Told, weights: _Weights) -> float:
    same_deed = a.deed == b.deed and all(a.deed)
    shared = sum(weights.squares[word] for word in a.words & b.words)
    return shared / (weights.lengths[a.words] * weights.lengths[b.words] or 1) + SAME_DEED * same_deed


def _nearest_event(days: Sequence[list[list[Told]]], near: Mapping[tuple[str, int], float]) -> tuple[int, int] | None:
    """The day and the rank in it of the event that a sentence near to what is named tells of; None where none does."""
    best: tuple[int, int] | None = None
    nearest = 0.0
    for day, events in enumerate(days):
        for rank, event in enumerate(events):
            how_near = max(near.get((told.article.id, told.sentence.start), 0.0) for told in event) - rank * LESSER
            if how_near > nearest:
                nearest, best = how_near, (day, rank)
    return best


def _selected(
    days: Sequence[list[list[Told]]], most: int | None, first: Sequence[tuple[int, int]] = ()
) -> list[list[Told]]:
    """The events to list, in order: where there may only be so many, one of each day before a second of any.

    Args:
        first: day and rank of those that come before all others.
    """
    if most is None:
        return [event for events in days for event in events[:MOST_A_DAY]]
    ranked = sorted((rank, -len(events), day) for day, events in enumerate(days) for rank in range(len(events)))
    chosen = list(dict.fromkeys([*first, *((day, rank) for rank, _, day in ranked)]))[:most]
    return [days[day][rank] for day, rank in sorted(chosen)]


def _best(days: Sequence[list[list[Told]]], most: int, first: Sequence[tuple[int, int]]) -> list[list[Told]]:
    """As `_selected`, but those that are best about a subject."""
    most_of_day = max(MOST_OF_SUBJECT, most // max(1, len(days)))
    places = [(day, rank) for day, events in enumerate(days) for rank in range(min(len(events), most_of_day))]
    ranked = sorted(places, key=lambda place: -max(told.score for told in days[place[0]][place[1]]))
    chosen = list(dict.fromkeys([*first, *ranked]))[:most]
    return [days[day][rank] for day, rank in sorted(chosen)]


def _numbered(events: Sequence[Sequence[Told]]) -> list[TimelineEntry]:
    numbers = count(1)
    return [
        TimelineEntry(
            event[0].day,
            " ".join(event[0].sentence.text.split()),
            tuple(
                Citation(next(numbers), t.sentence.text, t.passage, t.sentence.start, t.sentence.end)
                for t in event[:MOST_CITATIONS]
            ),
        )
        for event in events
    ]


def in_lines(entries: Sequence[TimelineEntry]) -> Draft:
    """An answer that tells each event on a line of its own, with its day in front where the sentence leaves it open."""
    lines = [
        f"{_in_front(entry)}{entry.text} {' '.join(f'[{citation.number}]' for citation in entry.citations)}"
        for entry in entries
    ]
    return Draft("\n".join(lines), tuple(citation for entry in entries for citation in entry.citations))


def _in_front(entry: TimelineEntry) -> str:
    if any(day.iso == entry.date for day in dated(entry.text).days):
        return ""
    when = date.fromisoformat(entry.date)
    return f"{in_words(when)}: "
