"""How long answers are to be. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Length:
    """What a length comes to in each kind of answer.

    `quoted` is how many sentences an answer in the sources' own words has at most, `written` what a model is asked
    for, and `events` how many lines tell what happened in a period.
    """

    quoted: int
    written: str
    events: int


LENGTHS = {
    "short": Length(1, "one or two short sentences", 4),
    "medium": Length(3, "one to four short sentences", 10),
    "long": Length(6, "five to ten sentences, with the figures, names and reasons that the passages give", 16),
}
"""By the name that the setting has."""
