"""Dated events from the articles: of each article and each of its event dates the sentence that tells of it. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import count, groupby

from rag.records import Article, Citation, Draft, Evidence, Passage, Sentence, TimelineEntry
from rag.text import content_terms, function_terms, terms

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
ABOUT, ENOUGH = 0.65, 5
"""A sentence is about the subject when it has this share of what the fifth best one has of the subject's words."""

_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
_MONTH = "|".join(_MONTHS)
_WEEKDAY = "(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,? )?"
_DATE = re.compile(rf"\b(?:(?:\d{{1,2}}) (?:{_MONTH})|(?:{_MONTH}) (?:\d{{1,2}}),?) \d{{4}}\b")
_QUOTATION = re.compile(r'"[^"]*"|“[^”]*”')

# An event is told in the past tense. Of the regular verbs the ending is enough.
_PAST = re.compile(
    r"\b(?:(?!need|speed|indeed|exceed|embed|based|named)[a-z]{2,}ed|became|began|beat|bore|bought|broke"
    r"|brought|built|came|cut|drew|drove|fell|found|gave|grew|held|hit|kept|lay|left|lost|made|met|overtook|paid|put"
    r"|ran|rose|said|sank|saw|sent|set|shed|shrank|slid|sold|spent|spoke|stood|struck|thought|threw|told|took|was|went"
    r"|were|won|wrote)\b"
)
# Who only retells, counts or measures does so on a day, but that is no event of the day.
_RETELLS = re.compile(
    r"\b(?:reported|noted|calculated|counted|recorded|pointed out|dated|described|estimated|explained|concluded|put"
    r"|gave)\b"
)
_CREDIT = re.compile(rf", [^,]*\b(?:said|wrote|added|{_RETELLS.pattern})(?: \w+)? on {_WEEKDAY}$")
_SAYS = re.compile(r"\b(?:said|told|wrote|argued|stated|asked|answered|saw|judged|thought)\b")
_LEADING = re.compile(rf"(?:On|In|At) (?:the )?(?:\w+ (?:of|on) )?{_WEEKDAY}")
_ON = re.compile(rf"\bon {_WEEKDAY}$")
_ANOTHER_TIME = re.compile(
    rf"\b(?:(?:since|until|till|before|after|between|to|by|than) (?:early |late )?{_WEEKDAY}|before [^,]{{1,40}} on )$",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(rf"\b(?:of|from|for|in|and) (?:early |late )?{_WEEKDAY}$")
_COMPARES = re.compile(rf"\baccording to an? [^,]* (?:of|from|by) (?:early |late )?{_WEEKDAY}$")
_ASIDE = re.compile(r"^[^,]*, [a-z]+ed\b[^,]*$|, (?:which|who|where)\b[^,]*$|\b(?:that|which) [A-Z]\w+ \w+ on $")
_PRESENT = re.compile(r"\b(?:is|are|has|(?<!to )have)\b")
_BEFOREHAND = re.compile(r"\bhad\b")
_LEANING = re.compile(
    r"(?:also|already|another|other|both|it|its|he|she|his|her|they|their|this|that|these|those|such|more|most|some|two"
    r"|the (?:same|second|third|fourth|fifth|sixth|other|first|next|largest|record|cause|claim|figure|sum)"
    r"|not|anyone|reports|sources|how|when"
    r"|in percentage|together|besides|asked|published (?:sums|figures|closing))\b",
    re.IGNORECASE,
)
_ON_THE_SIDE = re.compile(
    r"\b(?:also|already|another|added|further|likewise|still|later|repeated|too|third|followed|again|then|at first)\b"
)

_LEADING_DATE = re.compile(rf"(?:On|In|At) (?:the )?(?:\w+ (?:of|on) )?{_WEEKDAY}{_DATE.pattern},? ?")
_LEADING_ASIDE = re.compile(r"^(?:the (?:very |same )?day|when|where|one|two|a) [^,]*, ")
_NAME = re.compile(r"\b(?!(?:The|A|An|In|On|At)\b)[A-Z]\w*")

_SAME = {
    form: first
    for first, *others in (
        ["releas", "publish", "launch", "unveil", "present", "introduc", "avail", "updat", "debut"],
        ["ban", "prohibit", "bar", "block", "forbid", "order", "remov"],
        ["fall", "drop", "lose", "slump", "slide", "sink", "tumbl", "plung", "crash", "plummet", "lower", "declin"],
        ["rise", "gain", "climb", "jump", "recov", "rebound", "regain"],
    )
    for form in others
}
"""Words that tell of the same kind of event, as terms."""


@dataclass(frozen=True, slots=True)
class _Told:
    """A sentence that tells of a day, and how well it does."""

    day: str
    article: Article
    passage: Passage
    sentence: Sentence
    opening: bool
    """Whether the article begins with it."""
    score: float
    deed: tuple[str, str]
    """Who did what kind of thing, as terms; the kind is empty when it is none of the usual ones."""
    words: frozenset[str]


def timeline(
    articles: Iterable[tuple[Article, Sequence[Evidence]]],
    start: str = "",
    end: str = "",
    subject: str = "",
    most: int | None = None,
) -> list[TimelineEntry]:
    """The events that articles tell of, in order, their citations numbered throughout.

    Of each article and each of its event dates one sentence is taken; those that tell of the same become one entry.

    Args:
        articles: each with its passages.
        start: the first day, as ISO 8601 date; empty for no limit, as is `end`, the last day.
        subject: words that the events have to be about; empty for all events.
        most: how many entries there may be; without it there may be `MOST_A_DAY` on each day.
    """
    candidates = [
        told
        for article, evidence in articles
        for day in article.event_dates
        for told in _candidates(article, day, tuple(evidence))
    ]
    weights = _weights(candidates)
    candidates = [t for t in candidates if (not start or t.day >= start) and (not end or t.day <= end)]
    if subject:
        candidates = _about(candidates, subject)
    by_day = groupby(sorted(candidates, key=lambda told: told.day), key=lambda told: told.day)
    days = [_events(list(of_day), weights) for _, of_day in by_day]
    return _numbered(_selected(days, most))


@lru_cache(maxsize=1024)  # nothing of the question is in it, and one question's days are another's
def _candidates(article: Article, day: str, evidence: tuple[Evidence, ...]) -> tuple[_Told, ...]:
    when = date.fromisoformat(day)
    month = _MONTHS[when.month - 1]
    named = re.compile(rf"\b(?:{when.day} {month}|{month} {when.day},?) {when.year}\b")
    about = set(content_terms(article.title.partition(":")[0])) - set(terms(f"{when.day} {month} {when.year}"))
    first = evidence[0].sentences[0].start if evidence else 0
    found: list[_Told] = []
    for e in evidence:
        for sentence in e.sentences:
            if match := named.search(sentence.text):
                opening = sentence.start == first
                # An article tells first what matters most, and so it does of a day.
                score = _score(sentence.text, match, article, about) + 0.5 * opening + 0.2 * (not found)
                words = frozenset(_words(sentence.text))
                found.append(_Told(day, article, e.passage, sentence, opening, score, _deed(sentence.text), words))
    return tuple(found)


def _score(text: str, named: re.Match[str], article: Article, about: set[str]) -> float:
    """How well a sentence tells of the day that it names there: in the past tense, built around the day, to the point.

    Args:
        about: the terms that say what the article is about.
    """
    own_words = _QUOTATION.sub(lambda quoted: " " * len(quoted[0]), text)
    before, after = own_words[: named.start()], own_words[named.end() :]
    score = 0.8 * len(about & set(terms(text))) / (len(about) or 1) - 0.01 * max(0, len(text.split()) - 40)
    if past := _PAST.search(own_words):
        score += 1.0
    if _LEADING.fullmatch(before):
        score += 0.4
    elif _ON.search(before) and _PAST.search(before) and not _DATE.search(before):
        score += 0.3
    if _COMPARES.search(before):
        score -= 2.0
    elif _ANOTHER_TIME.search(before):
        score -= 1.0
    elif _ATTRIBUTE.search(before):
        score -= 0.4
    elif _ASIDE.search(before):
        score -= 0.6
    if _DATE.search(before):
        score -= 2.0
    elif _DATE.search(after):
        score -= 0.3
    if _CREDIT.search(before):
        score -= 0.6
    elif (told := _RETELLS.search(before)) and (not past or past.start() >= told.start()):
        score -= 1.0
    outlets = {s.outlet.removeprefix("The ") for s in article.sources if s.outlet and s.outlet not in article.title}
    if text.removeprefix("The ").startswith(tuple(outlets)):
        score -= 0.6
    figures = _DATE.sub("", own_words)
    score += 0.2 * bool(re.search(r"\d", figures)) + 0.15 * bool(re.search(r"\d\.\d", figures))
    if _LEANING.match(text):
        score -= 1.8
    elif _surname_alone(text, article.text) or not own_words[0].strip():
        score -= 0.4
    for pattern, cost in ((_SAYS, 0.1), (_ON_THE_SIDE, 0.2), (_PRESENT, 0.7), (_BEFOREHAND, 0.2)):
        score -= cost * bool(pattern.search(before))
    return score - 0.1 * bool(_PRESENT.search(after))


def _deed(text: str) -> tuple[str, str]:
    told = _LEADING_ASIDE.sub("", _LEADING_DATE.sub("", text))
    name, verb = _NAME.search(told), _PAST.search(told)
    kind = terms(verb.group())[0] if verb else ""
    return terms(name.group())[0] if name else "", _SAME.get(kind, kind if kind in _SAME.values() else "")


def _surname_alone(text: str, whole: str) -> bool:
    """Whether the sentence begins with the last word of a name that the article gives in full elsewhere."""
    first, _, rest = text.partition(" ")
    first = first.removesuffix("'s")
    return not rest[:1].isupper() and bool(re.search(rf"\b[A-Z][\w-]+ {re.escape(first)}\b", whole))


def _words(text: str) -> list[str]:
    """The terms of a text that say which event it tells of, without dates."""
    return [_SAME.get(term, term) for term in terms(_DATE.sub(" ", text)) if term not in function_terms()]


@dataclass(frozen=True, slots=True)
class _Weights:
    """The squares of how rare each word is among the sentences, and the lengths of the sentences' vectors of them."""

    squares: Mapping[str, float]
    lengths: Mapping[frozenset[str], float]


def _weights(told: Sequence[_Told]) -> _Weights:
    frequency = Counter(word for t in told for word in t.words)
    squares = {word: math.log(1 + len(told) / n) ** 2 for word, n in frequency.items()}
    return _Weights(squares, {t.words: math.sqrt(sum(squares[word] for word in t.words)) for t in told})


def _about(told: Sequence[_Told], subject: str) -> list[_Told]:
    """The sentences about a subject: those whose words, with their article's title, hold most of the subject's."""
    weights: dict[str, int] = {}
    for name in subject.split():
        for word in _words(name):
            frequency = sum(word in t.words for t in told)
            # A name says more than other words, unless everything is about it.
            weights[word] = 2 if name != name.lower() and frequency < len(told) / 3 else 1
    shares = [sum(weights[word] for word in weights if word in t.words | set(_words(t.article.title))) for t in told]
    best = sorted(shares, reverse=True)[:ENOUGH]
    return [
        replace(t, score=t.score + share / sum(weights.values()))
        for t, share in zip(told, shares, strict=True)
        if share and share >= ABOUT * best[-1]
    ]


def _events(of_day: Sequence[_Told], weights: _Weights) -> list[list[_Told]]:
    """What the articles tell of a day: per event the best sentence, then one of each other article that tells the same.

    The event that most articles tell of comes first.
    """
    best: dict[str, _Told] = {}
    for told in sorted(of_day, key=lambda told: -told.score):
        if told.score >= LEAST:
            best.setdefault(told.article.id, told)
    events: list[list[_Told]] = []
    for told in best.values():
        same = [told, *(other for likeness, other in _nearest(told, of_day, weights) if likeness >= ALIKE)]
        told_already = [event for event in events if any(member in event for member in same)]
        # A sentence may tell of two events, and then is like what tells of the other one without being the same.
        if not any(_likeness(told, event[0], weights) >= ALIKE / 2 for event in told_already):
            free = [member for member in same if not any(member in event for event in told_already)]
            events.append(_heart_first(free, weights))
    return sorted(events, key=lambda event: -_importance(event, of_day, weights))


def _heart_first(event: Sequence[_Told], weights: _Weights) -> list[_Told]:
    """The sentence first that tells the event best and has most of what the others say."""
    return sorted(event, key=lambda told: -told.score - sum(_likeness(told, other, weights) for other in event))


def _importance(event: Sequence[_Told], of_day: Sequence[_Told], weights: _Weights) -> float:
    """How much of what is told of the day is about the event; a chronicle of many days tells only of what mattered."""
    chronicle = max(len(told.article.event_dates) for told in event)
    around = sum(likeness for likeness, _ in _nearest(event[0], of_day, weights))
    return event[0].score + around + 0.5 * math.log2(chronicle) + 0.5 * any(told.opening for told in event)


def _nearest(told: _Told, of_day: Sequence[_Told], weights: _Weights) -> list[tuple[float, _Told]]:
    """Of each other article the sentence that is most like this one, with its likeness, the most alike first."""
    nearest: dict[str, tuple[float, _Told]] = {}
    for other in of_day:
        likeness = _likeness(told, other, weights)
        if other.article.id != told.article.id and likeness > nearest.get(other.article.id, (-1.0, other))[0]:
            nearest[other.article.id] = likeness, other
    return sorted(nearest.values(), key=lambda pair: -pair[0])


def _likeness(a: _Told, b: _Told, weights: _Weights) -> float:
    same_deed = a.deed == b.deed and all(a.deed)
    shared = sum(weights.squares[word] for word in a.words & b.words)
    return shared / (weights.lengths[a.words] * weights.lengths[b.words] or 1) + SAME_DEED * same_deed


def _selected(days: Sequence[list[list[_Told]]], most: int | None) -> list[list[_Told]]:
    """The events to list, in order: where there may only be so many, one of each day before a second of any."""
    if most is None:
        return [event for events in days for event in events[:MOST_A_DAY]]
    ranked = sorted((rank, -len(events), day) for day, events in enumerate(days) for rank in range(len(events)))
    chosen = sorted((day, rank) for rank, _, day in ranked[:most])
    return [days[day][rank] for day, rank in chosen]


def _numbered(events: Sequence[Sequence[_Told]]) -> list[TimelineEntry]:
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
    """An answer that tells each event on a line of its own."""
    lines = [f"{entry.text} {' '.join(f'[{citation.number}]' for citation in entry.citations)}" for entry in entries]
    return Draft("\n".join(lines), tuple(citation for entry in entries for citation in entry.citations))
