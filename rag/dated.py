"""The days that a sentence of an article names, in full or as a weekday, and the same sentence with them in full. Pure.

What is meant by "Monday" depends on when the article was published, and so does the year that a date leaves out. Where
that isn't known, or where the words may mean another day, no day is named: none misleads less than a wrong one.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from rag.figures import dates, in_words

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKDAY = re.compile(rf"\b(?:{'|'.join(_WEEKDAYS)})\b(?!['’]|-)")
_WITH_DATE = re.compile(r",? (?:the )?(?:\(|\d|[A-Z][a-z]{2,8}\.? \d)")
"""What follows a weekday that stands beside its date, and says nothing more."""
_ANOTHER_WEEK = re.compile(
    r"\b(?:next|last|every|each|coming|following|previous|past|a|one|the|that|until|till|by|through|between|and|or|to"
    r"|Black|Super|Cyber|Good|Easter|Holy) $",
    re.IGNORECASE,
)
"""What stands before a weekday that isn't the latest one, or no day at all."""
_LISTED = re.compile(rf"{_WEEKDAY.pattern}(?:(?:,? (?:and|or|to|through)|,) (?:on )?{_WEEKDAY.pattern})+")
_BARE = re.compile(r"(?:^|[\w,%’'\")] )$")
_PREPOSITION = re.compile(
    r"\b(?:on|since|before|after|of|from|for|in|early|late|than|over|during|around|about|at|near)(?: early| late)? $",
    re.IGNORECASE,
)
_DATELINE = re.compile(
    r"^[A-Z][A-Za-z. ]+(?:, [A-Z][A-Za-z. ]+)?,? "
    r"(?:(?:[A-Z][a-z]{2,8}\.? \d{1,2}|\d{1,2} [A-Z][a-z]{2,8})(?:,? \d{4})? ?(?:\([^()]*\))?|\([A-Z][^()]*\)) ?[-–—]+ "
)
"""Where and when a report was written, before its first sentence."""
_MOST_AHEAD = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Day:
    """A day that a sentence names: its ISO 8601 date, and where the full date stands in the sentence's text."""

    iso: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DatedSentence:
    """A sentence with each day that it names written in full ("27 January 2025"), and these days."""

    text: str
    days: tuple[Day, ...]


def dated(sentence: str, published: str = "") -> DatedSentence:
    """The sentence with its days written in full; a dateline is left out.

    >>> dated("Nvidia shares fell 17% Monday.", "2025-01-28").text
    'Nvidia shares fell 17% on 27 January 2025.'
    >>> [day.iso for day in dated("Italy blocked the app on Jan. 30.", "2025-02-01").days]
    ['2025-01-30']
    >>> dated("The bank meets next Monday.", "2025-01-28").days
    ()

    Args:
        sentence: of an article.
        published: when, as ISO 8601 date, or empty.
    """
    sentence = _DATELINE.sub("", sentence)
    issued = _date(published)
    named = dates(sentence)
    # Several days in one stretch are a period, or a list of which none is told of alone.
    alone = Counter((d.start, d.end) for d in named)
    found = [
        (day, d.start, d.end)
        for d in named
        if d.day and d.month and alone[d.start, d.end] == 1 and (day := _in_year(d.year, d.month, d.day, issued))
    ]
    listed = [found.span() for found in _LISTED.finditer(sentence)]
    for weekday in _WEEKDAY.finditer(sentence) if issued else ():
        before = sentence[: weekday.start()]
        if any(start <= weekday.start() < end for start, end in listed):
            continue
        if issued and not _WITH_DATE.match(sentence, weekday.end()) and not _ANOTHER_WEEK.search(before):
            back = (issued.weekday() - _WEEKDAYS.index(weekday[0])) % 7
            found.append((issued - timedelta(days=back), weekday.start(), weekday.end()))
    text, days, copied = "", [], 0
    for day, start, end in sorted(found, key=lambda each: each[1]):
        text += sentence[copied:start]
        written = in_words(day)
        if _WEEKDAY.fullmatch(sentence[start:end]) and _BARE.search(text) and not _PREPOSITION.search(text):
            text += "on "
        days.append(Day(day.isoformat(), len(text), len(text) + len(written)))
        text, copied = text + written, end
    return DatedSentence(text + sentence[copied:], tuple(days))


def _date(iso: str) -> date | None:
    try:
        return date.fromisoformat(iso[:10])
    except ValueError:
        return None


def _in_year(year: int | None, month: int, day: int, issued: date | None) -> date | None:
    """The day, where no year is named the last one before the article or soon after it."""
    try:
        if year:
            return date(year, month, day)
        if issued is None:
            return None
        this = date(issued.year, month, day)
        return this if this <= issued + _MOST_AHEAD else date(issued.year - 1, month, day)
    except ValueError:  # there is no 30 February
        return None
