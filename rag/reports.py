"""The values that a sentence gives, each with what it is said of, when, on which basis and by whom. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, zip_longest

from rag.attribution import BRIEFLY, REPORTING, attribution
from rag.days import weekdays_told
from rag.figures import Date, Figure, dates, figures
from rag.measures import SAME, common_words, weak_terms
from rag.text import FUNCTION_WORDS, function_terms, terms

_NAME = re.compile(
    r"\b(?:[A-Z][\w&.’'-]*\w|[A-Z]{2,}|[A-Za-z]{1,2}\d[\w.-]*)(?: (?:[A-Z][\w&.’'-]*\w|\d{2,4}\b(?!\s?(?:%|per)))){0,4}"
)
_QUOTATION = re.compile(r"[\"“]([^\"”]{12,})[\"”]")
_NO_NAME = re.compile(
    r"(?:US|U\.S|America|American|Americans|Chinese|European|Wall|Street|Monday|Tuesday|Wednesday|Thursday|Friday"
    r"|Saturday|Sunday|[\d.]+|I|A|The|In|On|At|By|For|Of)"
)
_SPEAKER = re.compile(
    r"(?P<before>(?:[A-Z][\w’'-]+ ?){1,4}?)\s?(?:[^.…A-Z]{0,30})?(?:said|says|wrote|told|added|called"
    r"|argued)\b[^…]{0,40}…"
    r"|…[\s,\"”]*(?:said|says|wrote|told|added|argued) (?P<after>(?:[A-Z][\w’'-]+ ?){1,4})"
    r"|…[\s,\"”]*(?P<then>(?:[A-Z][\w’'-]+ ?){1,4}) (?:said|says|wrote|told|added|argued)\b"
)
_TERM = re.compile(r"\b(?!one-|single-)\w+-(?:year|month|week|hour|bit)\b", re.IGNORECASE)
_ORDINARY = re.compile(r"(?:s|ing|ment|tion|ity|age)\Z")
"""How words end that are seldom names."""
_REPORT_DAY = re.compile(
    rf"\b(?:{REPORTING}|appear(?:s|ed)|report|story|article|headline|follow-up|statement|interview|account)"
    r"(?: (?:by|in|from|of|to) (?:the )?[A-Z][\w’' ]*)?,? (?:on|of|in)? ?"
    r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,? ?)?\Z"
)
_CLAUSE = re.compile(
    r"[;:] |,? (?:while|whereas|but|although|though|because|since|so that|which|who|whose|after|before|when"
    r"|where|making"
    r"|(?<!more )(?<!less )(?<!fewer )than)\b|, (?=and [A-Z]?\w+ (?:\w+ed|\w+s)\b)| and (?=\w+ed\b)"
)
_PIECE = re.compile(r", (?:and )?|,? and | or ")
_ANOTHER = re.compile(r",? (?:and|while|whereas|but|or) ")
_COMPARED = re.compile(
    r"\b(?:against|versus|compared (?:with|to)|(?<!more )(?<!less )(?<!fewer )than) (?:only |about |some )?\Z"
)
_ASIDE = re.compile(
    r", (?:an?|the|described as|known as|co-founder|chief|founder|chairman|head|president|also called|then)\b"
    r"[^,;]{2,80},"
)
_LEVEL = re.compile(r"\b(?:to|at)(?: (?:about|around|some|nearly|almost|only|just|roughly|more than|over))? ?\Z")
_FROM = re.compile(r"\bfrom(?: (?:about|around|some|nearly|almost|its|a|close|of|the)){0,4} ?\Z")
_BASIS = (
    r"\b(?:at \d\d:\d\d|in trading|before the (?:market|opening|bell|open)|intra-?day|pre-?market|after-hours"
    r"|in (?:early|late|extended|morning|afternoon) trading|at (?:one point|first"
    r"|midday|noon|its (?:low|high|worst|peak))|as (?:much|low|high|many) as|low(?:est)?|high(?:est)?|peak|during the"
    r" (?:day|session)|session|opening|futures|overnight|morning|afternoon|by (?:noon|midday))\b",
    r"\b(?:expect\w*|forecast\w*|plan(?:s|ned)?|target\w*|would|could|might|may|possible|project(?:s|ed)"
    r"|hope[sd]?|aim(?:s|ed)?"
    r"|predict\w*|intend\w*|will|up to|budget\w*|proposed?|asked|sought|demand\w*)\b",
    r"\b(?:week(?:s|ly)?|fortnight)\b",
    r"\b(?:month(?:s|ly)?)\b",
    r"\b(?:quarter(?:s|ly)?)\b",
    r"\b(?:year(?:s|ly)?|annual(?:ly)?|a year)\b",
    r"\b(?:daily|a day|per day|each day)\b",
    r"\b(?:since|so far|by then|cumulative\w*|overall|altogether|to date)\b",
    r"\b(?:average|median|mean|typical)\b",
    r"\b(?:per|each|apiece|a piece)\b",
    r"\b(?:net|gross|operating|adjusted|pre-?tax|after tax)\b",
    r"\b(?:previous|earlier|prior|former|old|last|record of|before)\b",
    r"\b(?:combined|together|total|in all|joint(?:ly)?|collective(?:ly)?)\b",
    r"\b(?:excluding|without|apart from|not counting|except|only part|alone)\b",
    r"\b(?:including|counting)\b",
    r"\b(?:second|third|fourth|another|further|additional|extra|more)\b(?! than)",
    r"\b(?:women|men|children|minors|civilians|soldiers|foreign\w*|domestic|abroad)\b",
    r"\b(?:half|part|most|majority|quarter) of\b",
    r"\b(?:injured|wounded|hurt|missing|arrested)\b",
    r"\b(?:input|cached|output|inference|training|pre-training)\b",
    r"\b(?:not|no longer|never|denied|instead of|rather than)\b",
    r"\b(?:revenue|sales|profit|income|earnings)\b",
    r"\b(?:open|opened|opening)\b",
)
_WITHIN_THE_DAY = frozenset({0})
_BASES = tuple(re.compile(pattern, re.IGNORECASE) for pattern in _BASIS)


@dataclass(frozen=True, slots=True)
class Claim:
    """A value that a sentence gives for something.

    Args:
        value: a figure, a date, or the words of a quotation.
        subject: the names that it is said of, in lower case.
        quantity: the terms that say what is measured or what happened.
        basis: which of the distinctions apply that make a value another one: intraday, expected, of a week.
        days: those it is said of, as ISO dates, months or years; of the report when the sentence names no other.
        reported: whether `days` are those of the report.
        sources: who says so.
        said: its words, with a blank for the value.
        counted: the term for what a plain number counts.
    """

    value: Figure | Date | str
    subject: frozenset[str]
    quantity: frozenset[str]
    basis: frozenset[int]
    days: tuple[str, ...]
    reported: bool
    sources: tuple[str, ...]
    said: str = ""
    counted: str = ""

    @property
    def unit(self) -> str:
        """The figure's unit; empty for a plain number and for what is no figure."""
        return self.value.unit if isinstance(self.value, Figure) else ""


@lru_cache(maxsize=4096)
def claims(sentence: str, published: str = "") -> tuple[Claim, ...]:
    """The values that a sentence gives, with what they are said of."""
    found = [*_figure_claims(sentence, published), *_quotation_claims(sentence)]
    if not any(isinstance(claim.value, Figure) for claim in found):
        found += _date_claims(sentence)
    return tuple(found)


def _figure_claims(sentence: str, published: str) -> list[Claim]:
    text = _without_asides(sentence)
    values = [
        f
        for f in figures(text)
        if not (
            re.search(r"[a-z]-[a-z]", f.text) or re.match(r"-\w", text[f.end :]) or _COMPARED.search(text[: f.start])
        )
    ]
    if not values:
        return []
    named = dates(text)
    undated = without_dates(text, named)
    told = without_dates(text, [day for day in named if _REPORT_DAY.search(text[: day.start])])
    events, reports = _days_of(text, named, published)
    found: list[Claim] = []
    pieces = _pieces(text, [(f.start, f.end) for f in values])
    for (start, end), following in zip_longest(pieces, [begin for begin, _ in pieces[1:]]):
        inside = [f for f in values if start <= f.start < end]
        sources, own = attribution(undated[start:end])
        if not sources and found and found[-1].sources and (brief := BRIEFLY.match(own)):
            sources, own = (brief["who"],), own[brief.end("who") :]
        quantity = _quantity(own, inside[0])
        names = _names(own, first=not start)
        basis = _basis(own) | (_basis(undated[end:following]) & _WITHIN_THE_DAY)
        days = tuple(day for day, at in events if start <= at < end)
        # What a later piece leaves unsaid stands in an earlier one, rather of the same unit.
        head = next((c for c in reversed(found) if c.unit == inside[0].unit), found[-1] if found else None)
        elliptic = head is not None and not quantity
        if head is not None:
            names = names or head.subject
            basis |= head.basis if elliptic else head.basis & _WITHIN_THE_DAY
            quantity = quantity or head.quantity - {"from", "level"}
            days = days or (() if head.reported else head.days)
        days = days or (tuple(day for day, _ in events) if len(events) == 1 else ())
        for figure in inside:
            role = _role(text[start : figure.start])
            counted = _counted(text[figure.end :]) if not figure.unit else ""
            counted = head.counted if head is not None and elliptic and not counted else counted
            said = head.said if head is not None and elliptic else _blanked(told[start:end], figure.text)
            found.append(
                Claim(figure, names, quantity | role, basis, days or reports, not days, sources, said, counted)
            )
    return found


def _date_claims(sentence: str) -> list[Claim]:
    text = _without_asides(sentence)
    named = dates(text)
    undated = without_dates(text, named)
    told = [d for d in named if not _REPORT_DAY.search(text[: d.start])]
    found: list[Claim] = []
    for start, end in _pieces(text, [(d.start, d.end) for d in told]):
        inside = [d for d in told if start <= d.start < end]
        sources, own = attribution(undated[start:end])
        names, quantity = _names(own, first=not start), _quantity(own)
        if found:
            names, quantity = names or found[-1].subject, quantity or found[-1].quantity
        if len(inside) == 1:
            said = _blanked(text[start:end], inside[0].text)
            found.append(Claim(inside[0], names, quantity, _basis(own), (), False, sources, said))
    return found


def _quotation_claims(sentence: str) -> list[Claim]:
    found = []
    for match in _QUOTATION.finditer(sentence):
        rest = f"{sentence[: match.start()]}…{sentence[match.end() :]}"
        speaker = _SPEAKER.search(rest)
        if speaker:
            who = (speaker["before"] or speaker["after"] or speaker["then"]).strip()
            nothing: frozenset[str] = frozenset()
            found.append(Claim(match[1], nothing, nothing, frozenset(), (), False, (who,), match[1]))
    return found


def _without_asides(sentence: str) -> str:
    return _ASIDE.sub(" ", sentence)


def _pieces(text: str, values: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches of a sentence that have a value, each with the words that belong to it."""
    cuts = [0]
    for pattern in (_CLAUSE, _PIECE):
        cuts += [m.start() for m in pattern.finditer(text) if not any(a <= m.start() < b for a, b in values)]
    stretches = sorted({*cuts, len(text)})
    pieces: list[tuple[int, int]] = []
    start: int | None = 0
    for begin, end in pairwise(stretches):
        # Words in front of the first value belong to it, and so do those behind an "and"; words behind a comma do not.
        if start is None and _ANOTHER.match(text, begin):
            start = begin
        if any(begin <= a < end for a, _ in values):
            pieces.append((begin if start is None else start, end))
            start = None
    return pieces


def _names(own: str, first: bool) -> frozenset[str]:
    """The names of a piece in lower case, without days and numbers; "?" stands before a sentence's first word.

    Any word can begin a sentence, so that the first one may be no name.
    """
    found = set()
    for match in _NAME.finditer(own):
        words = [re.sub(r"[’']s?\Z", "", word) for word in match[0].split()]
        initial = first and not re.search(r"\w", own[: match.start()])
        if initial and len(words) > 1 and words[0].lower() in common_words():
            words, initial = words[1:], False
        words = [word for word in words if not _NO_NAME.fullmatch(word)]
        if words and not (initial and words[0].lower() in common_words()):
            doubtful = initial and len(words) == 1 and match[0] == words[0] and _ORDINARY.search(words[0])
            found.add(("?" if doubtful else "") + " ".join(words).lower())
    # "The ten-year note" and "the two-year note" are two things.
    return frozenset(found | {term.lower() for term in _TERM.findall(own)})


def _quantity(own: str, figure: Figure | None = None) -> frozenset[str]:
    names = {term for match in _NAME.finditer(own) for term in terms(match[0])}
    first = re.match(r"\W*(\w+)", own)
    passed_over = weak_terms() | function_terms()
    said = {
        SAME.get(term, term)
        for term in terms(own)
        if not term[0].isdigit()
        and term not in passed_over
        and (term not in names or (first and terms(first[1]) == [term]))
    }
    if figure is not None and figure.unit == "USD" and figure.value >= 1e9 and "fall" in said:
        said.add("valu")
    return frozenset(said)


def _basis(own: str) -> frozenset[int]:
    plain = _NAME.sub(lambda name: " " if re.search(r"[\s\d-]", name[0]) else name[0], own)
    return frozenset(number for number, pattern in enumerate(_BASES) if pattern.search(plain))


def _counted(after: str) -> str:
    noun = re.match(r"(?: [A-Z]\w*)* ([a-z]\w+)", after)
    term = terms(noun[1])[0] if noun and noun[1] not in FUNCTION_WORDS else ""
    return SAME.get(term, term)


def _role(before: str) -> frozenset[str]:
    """Where a value is a level that something fell from or to, this is what it is."""
    if _FROM.search(before):
        return frozenset({"from"})
    return frozenset({"level"}) if _LEVEL.search(before) else frozenset()


def _days_of(text: str, named: Sequence[Date], published: str) -> tuple[list[tuple[str, int]], tuple[str, ...]]:
    """The days that a sentence tells of, with their places, and those of reports."""
    events: list[tuple[str, int]] = []
    reports: list[tuple[str, int]] = []
    for day in named:
        written = "-".join(f"{part:02}" for part in (day.year, day.month, day.day) if part is not None)
        if day.year is None and published:
            written = f"{published[:4]}-{written}"
        (reports if _REPORT_DAY.search(text[: day.start]) else events).append((written, day.start))
    if not events and not reports:
        events = [(named_day, 0) for named_day in weekdays_told(text, published)]
    days = tuple(day for day, _ in reports) or ((published,) if published else ())
    return events, days


def without_dates(text: str, named: Sequence[Date]) -> str:
    """The text, as long as it was, without its dates."""
    kept = list(text)
    for day in named:
        kept[day.start : day.end] = " " * (day.end - day.start)
    return "".join(kept)


def _blanked(piece: str, value: str) -> str:
    """What is said without who says it, with a blank for the value: "Nvidia lost … on 27 January 2025"."""
    _, own = attribution(piece.replace(value, "…", 1))
    own = re.sub(r"\b(?:about|around|some|nearly|almost|roughly|more than|over|at least|less than) …", "…", own)
    return " ".join(own.split()).strip(" ,;:.")
