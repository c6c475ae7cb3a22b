"""Dates, durations, outlets and sentences as the page and the terminal word them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from html import escape

from rag.records import Article, Passage


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> duration(0.04), duration(9.96), duration(61)
    ('0.1 s', '10 s', '1 min 1 s')
    """
    if seconds < 9.95:
        return f"{max(seconds, 0.1):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def day(iso: str) -> str:
    """An ISO 8601 date for people; anything else stays as it is.

    >>> day("2025-01-27T09:30:00Z"), day("last week")
    ('27 January 2025', 'last week')
    """
    try:
        found = date.fromisoformat(iso[:10])
    except ValueError:
        return iso
    return f"{found.day} {found:%B %Y}"


def days(isos: Iterable[str]) -> str:
    """Dates for people, in order; a year is said once.

    >>> days(["2025-02-03", "2025-01-27T09:30:00Z"]), days(["2024-12-31", "2025-01-01"])
    ('27 January, 3 February 2025', '31 December 2024, 1 January 2025')
    """
    named = list(dict.fromkeys(day(iso) for iso in sorted(isos)))
    years = [name.rpartition(" ")[2] for name in named]
    last = len(named) - 1
    return ", ".join(
        name.rpartition(" ")[0] if i < last and years[i] == years[i + 1] and years[i].isdigit() else name
        for i, name in enumerate(named)
    )


def outlets_of(reported: Passage | Article) -> str:
    """Everybody who reported it, the first two by name."""
    names = list(dict.fromkeys(name for name in (reported.outlet, *(s.outlet for s in reported.sources)) if name))
    if len(names) > 3:
        return f"{names[0]}, {names[1]} and {len(names) - 2} others"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def own_sentence(text: str) -> str:
    """One of Aftershock's own sentences, with what stands in backticks as code to type."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", lines(text))


def lines(text: str) -> str:
    """Untrusted text as HTML that keeps its line ends."""
    return escape(text).replace("\n", "<br>")
