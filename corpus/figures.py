"""Figures of the same thing on the same day that two articles give differently. Pure.

Only what a rule can read with certainty is compared: how far a share, an index or a fortune moved on a day, and where
it closed. Figures within a session, over longer times, and sentences that name several days are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import zip_longest

from ingest.split import paragraphs, sentences

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_WEEKDAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_DAY = re.compile(rf"\b(?:(?:on|of|for) )?(?:{_WEEKDAY},? )?(?P<day>\d{{1,2}} (?:{_MONTH}) \d{{4}})\b", re.IGNORECASE)
_QUOTATION = re.compile(r'"[^"]*"|“[^”]*”')
_NOT_OF_THE_DAY = re.compile(
    r"\b(?:as (?:much|low|high) as|up to|at one point|midday|morning|afternoon|overnight|pre-?market|futures|trading"
    r"|opening|early|late|before|session|during|at (?:its|the) (?:low|high|worst)|low of|high of|touched|traded"
    r"|at \d\d:\d\d|days|week|months?|years?|hours|earlier|since|further|previous|leveraged|between)\b",
    re.IGNORECASE,
)

_NAME = r"(?P<name>[A-Z][\w&.-]*(?: (?:[A-Z][\w&.-]*|\d{2,4}\b))*)"
_DOWN = r"fell|dropped|lost|slid|slumped|sank|tumbled|plunged|declined|shed|plummeted|crashed|slipped"
_UP = r"rose|gained|climbed|jumped|recovered|rebounded|regained|added|surged|edged up"
_CLOSED = r"closed|ended|finished|settled"
_VERB = rf"(?P<verb>{_DOWN}|{_UP}|{_CLOSED}|down|up)"
_UNIT = r"%| points\b| (?:million|billion|trillion)\b"
_ROUGH = r"about|around|some|roughly|approximately|nearly|almost|close to|more than|over|at least|less than|under"
_AMOUNT = rf"(?P<rough>{_ROUGH})? ?(?P<value>\$?\d(?:[\d,]*\d)?(?:\.\d+)?)(?P<unit>{_UNIT})?"
_THING = r"(?:[’']s?)?(?: (?:shares|stock|index))?"
_SAID = re.compile(rf"{_NAME}{_THING}(?:, [^,;:]+,)?(?: (?:also|likewise|then))? {_VERB}\b")
_BETWEEN = rf"(?:by|at|to|only|again|sharply|slightly|a combined|{_DAY.pattern.replace('?P<day>', '?:')}) "
_MOVED = re.compile(rf"\b{_VERB} (?:{_BETWEEN})*{_AMOUNT}")
_OR = re.compile(rf", or {_AMOUNT}")
_ALSO = re.compile(rf"(?:,| and|, and) {_NAME}{_THING} {_AMOUNT}")
_PART = re.compile(r"\b(?:of|in|at|for|by|and|than|with)(?: the)? $")
"""What stands before a name that is not the subject by itself: "the technology sector of the S&P 500 fell"."""
_CLAUSE_END = re.compile(r"[;:]| (?:while|whereas|but|after|because|although|when|which|whose)\b")
_SCALE = {" million": 6, " billion": 9, " trillion": 12}
_NO_NAME = {
    "the",
    "a",
    "an",
    "and",
    "shares",
    "index",
    "composite",
    "group",
    "inc",
    "corporation",
    "platforms",
    "holdings",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """What a sentence says of a subject on a day: of the kind `measure` the `value`, in percent, points or dollars."""

    subject: frozenset[str]
    day: str
    measure: str
    value: Decimal
    rough: str
    sentence: str

    def agrees(self, other: Figure) -> bool:
        """Whether both can be true: one may be the other rounded, or a rough figure or a bound that it fits.

        >>> def figure(text): return next(figures(f"Nvidia fell {text} on 27 January 2025."))
        >>> figure("16.97%").agrees(figure("17%")), figure("16%").agrees(figure("17%"))
        (True, False)
        >>> figure("28.3%").agrees(figure("nearly 30%")), figure("28.3%").agrees(figure("more than 30%"))
        (True, False)
        """
        if self.rough or other.rough:
            return all(a._admits(b.value) for a, b in ((self, other), (other, self)) if a.rough)
        return self._admits(other.value)

    def _admits(self, value: Decimal) -> bool:
        own, other = abs(self.value), abs(value)
        if (self.value < 0) != (value < 0):
            return False
        if self.rough in ("more than", "over", "at least"):
            return other >= own
        if self.rough in ("less than", "under"):
            return other <= own
        if self.rough:
            return abs(own - other) <= own / 10
        coarser = max(self.value.as_tuple().exponent, value.as_tuple().exponent, key=int)
        step = Decimal(1).scaleb(int(coarser))
        return own.quantize(step, ROUND_HALF_UP) == other.quantize(step, ROUND_HALF_UP)


def conflicts(texts: Mapping[str, str], disagreements: Iterable[str]) -> Iterator[str]:
    """One line for each two sentences of different articles whose figures can't both be true.

    Args:
        texts: the articles by file name.
        disagreements: rows of a table of known ones; a row that disputes the subject, in its
            first cell, and has both values excuses them.
    """
    known = [(set(_words(row.split("|")[1])), row) for row in disagreements]
    seen: dict[tuple[frozenset[str], str, str], list[tuple[str, Figure]]] = {}
    for name, text in texts.items():
        for figure in figures(text):
            others = seen.setdefault((figure.subject, figure.day, figure.measure), [])
            for other_name, other in others:
                if other_name != name and not figure.agrees(other) and not _known(figure, other, known):
                    yield f"{name}: {figure.sentence} But {other_name}: {other.sentence}"
            others.append((name, figure))


def _known(one: Figure, other: Figure, known: Iterable[tuple[set[str], str]]) -> bool:
    return any(
        one.subject <= words
        and all(any(_stands(f, found) for found in re.finditer(_AMOUNT, row)) for f in (one, other))
        for words, row in known
    )


def _stands(figure: Figure, found: re.Match[str]) -> bool:
    return abs(figure.value) == _value(found["value"], found["unit"])


def figures(text: str) -> Iterator[Figure]:
    """The figures of a text that stand for a subject and a whole day."""
    for paragraph in paragraphs(text):
        for start, end in sentences(text, paragraph):
            yield from _of_sentence(text[start:end])


def _of_sentence(sentence: str) -> Iterator[Figure]:
    own_words = _QUOTATION.sub("", sentence)
    days = list(_DAY.finditer(own_words))
    # A day at the beginning holds for the whole sentence, as does the only one.
    of_all = days[0] if days and (len(days) == 1 or not days[0].start()) else None
    told: set[tuple[str, str]] = set()
    said = list(_SAID.finditer(own_words))
    for this, following in zip_longest(said, said[1:]):
        clause = own_words[this.start("verb") : following.start() if following else None]
        clause = _CLAUSE_END.split(clause, maxsplit=1)[0]
        for moved in _MOVED.finditer(clause):
            day = _DAY.search(clause) or of_all
            until = max(moved.end(), day.end() if day and day is not of_all else 0)
            before = own_words[: this.start("verb")] if this is said[0] else ""
            if not day or _NOT_OF_THE_DAY.search(_DAY.sub("", before + clause[:until])):
                continue
            if _PART.search(own_words[: this.start()]):
                continue
            for name, amount in _amounts(this["name"], moved, clause):
                measure, sign = _measure(moved["verb"], amount)
                subject = frozenset(_words(_DAY.sub("", name))) - _NO_NAME
                # Of two figures of a kind, the second is a comparison or somebody else's.
                if subject and measure and (name, measure) not in told:
                    told.add((name, measure))
                    value = sign * _value(amount["value"], amount["unit"])
                    yield Figure(subject, day["day"], measure, value, amount["rough"] or "", sentence)


def _amounts(name: str, moved: re.Match[str], clause: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Whom a verb is said of, with the amount: "fell 88 points, or 1.5%", "dropped 11%, Tokyo Electron 5.7%"."""
    yield name, moved
    end = moved.end()
    if alternative := _OR.match(clause, end):
        yield name, alternative
        end = alternative.end()
    while also := _ALSO.match(clause, end):
        yield also["name"], also
        end = also.end()


def _measure(verb: str, amount: re.Match[str]) -> tuple[str, int]:
    """What kind of figure it is, and its sign; empty for one that can't be told."""
    sign = -1 if re.fullmatch(_DOWN, verb) or verb == "down" else 1
    closed = bool(re.fullmatch(_CLOSED, verb))
    unit = (amount["unit"] or "").strip()
    if closed and unit == "%" and (way := re.match(r" (lower|higher)\b", amount.string[amount.end() :])):
        return unit, -1 if way[1] == "lower" else 1
    if unit in ("%", "points"):
        return ("" if closed else unit), sign
    if unit:
        return ("dollars" if amount["value"].startswith("$") and not closed else ""), sign
    return ("close" if closed else ""), 1


def _value(written: str, unit: str | None) -> Decimal:
    return Decimal(written.strip("$").replace(",", "")).scaleb(_SCALE.get(unit or "", 0))


def _words(text: str) -> list[str]:
    return re.findall(r"[\w&]+", text.lower())
