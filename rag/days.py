"""The days that a text tells of, as its words and the day of its publication show them; without a model. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

from rag.period import is_iso_date
from rag.records import Passage

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH})\b\.?,?(?: (\d{{4}})\b)?"
    rf"|\b({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (\d{{4}})\b)?"
    rf"|\b(\d{{4}}-\d\d-\d\d)\b|\b({'|'.join(_WEEKDAYS)})\b"
)


def days_told(passage: Passage) -> tuple[str, ...]:
    """The days that a passage names, as ISO dates; a weekday is the last one up to its publication."""
    return _days_told(passage.text, passage.published)


def weekdays_told(text: str, published: str) -> tuple[str, ...]:
    """The days that a text calls by their weekday, as ISO dates where it is known when it was published."""
    if is_iso_date(published):
        return tuple(_days_told(text, published))
    return tuple(dict.fromkeys(re.findall("|".join(_WEEKDAYS), text)))


@lru_cache(maxsize=4096)
def _days_told(text: str, published: str) -> tuple[str, ...]:
    issued = date.fromisoformat(published) if is_iso_date(published) else None
    found: dict[str, None] = {}
    year = str(issued.year) if issued else ""
    for day, month, named_year, american_month, american_day, american_year, iso, weekday in _DAY.findall(text):
        if weekday:
            # Where the date stands beside it, the weekday says nothing more.
            if issued and not re.search(rf"{weekday},? (?:\d|{_MONTH}\.? \d)|\d{{4}}", text):
                back = (issued.weekday() - _WEEKDAYS.index(weekday)) % 7
                found[(issued - timedelta(days=back)).isoformat()] = None
            continue
        number = _MONTHS.index((month or american_month)[:3].lower()) + 1 if not iso else 0
        year = named_year or american_year or year
        written = iso or f"{year}-{number:02}-{int(day or american_day):02}"
        if is_iso_date(written):
            found[written] = None
    return tuple(found)
