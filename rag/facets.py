"""The outlets, days and speakers that a question names, and what it asks about side by side; without a model. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rag.outlets import is_known, outlet_key, outlets_named
from rag.period import Period, periods_named
from rag.records import Facet
from rag.text import FUNCTION_WORDS

_CAPITAL = r"(?:[A-Z][\w&.’'-]*\w|[A-Z]|[a-z]?\w*\d[\w.-]*)"
_NAME = rf"{_CAPITAL}(?: (?:{_CAPITAL}|(?:de|von|van|der|of) [A-Z]\w+))*"
_SPEECH = (
    r"(?:say|said|think|thought|argue|claim|write|wrote|post|posted|tweet|tell|told|call|called|warn|predict|announce|confirm"
    r"|answer|reply|respond|react|comment|remark|admit|promise|suggest|explain|believe|describe|deny|conclude|declare"
    r"|praise|criticis\w+|criticiz\w+|make of)"
)
_SPOKE = re.compile(
    rf"\b(?:[Ww]hat|[Hh]ow)(?: exactly| else)? (?:did|does|do|has|have|was|is) (?P<name>{_NAME})(?:[’']s? \w+)?"
    rf"(?: (?:then|later|publicly|also|really|actually))? {_SPEECH}\b"
)
_SPOKE_SMALL = re.compile(rf"\b(?:what|how) (?:did|does|do|has) (?P<name>[a-z]+(?: [a-z]+)?) {_SPEECH}\b")
_ACCORDING = re.compile(
    rf"\b(?:according to|in the (?:words|view|opinion|eyes) of|(?:words|views?|opinions?|reactions?|comments?"
    rf"|statements?|remarks?|response) (?:of|by|from)) (?P<name>{_NAME})"
)
_SPEAKERS_WORDS = re.compile(
    rf"(?P<name>{_NAME})[’']s? (?:\w+ )?(?:words|views?|opinions?|reactions?|comments?|statements?|remarks?|response)\b"
)
_NO_SPEAKER = frozenset(
    """analysts investors experts regulators officials people users critics economists politicians researchers traders
    scientists lawmakers senators reports articles papers newspapers outlets markets shares stocks everyone anyone
    president bank company firm""".split()  # noqa: SIM905
)
_BETWEEN = r"(?:,? (?:and|or|vs\.?|versus|than|as well as|compared (?:to|with)|as against) |,? and (?:of|by|for|at) )"
_SEVERAL = re.compile(rf"{_NAME}(?:, {_NAME})*{_BETWEEN}(?:the |that of |those of )?{_NAME}")
_COMPARED = re.compile(
    rf"\b(?:[Cc]ompare|[Dd]ifference between) (?:the )?({_NAME})\b.*? (?:with|to|and) (?:the )?({_NAME})"
)
_DATE_WORD = re.compile(
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|\d+(?:st|nd"
    r"|rd|th)?"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A facet of a question, with what tells whether a passage has it.

    Args:
        facet: for the user; its kind is "outlet", "date", "speaker", or, never shown, "subject".
        names: what the outlet, speaker or subject is called, the full name first.
        period: the days of a date.
        reported: whether the days are those of a report rather than of what it tells.
    """

    facet: Facet
    names: tuple[str, ...] = ()
    period: Period | None = None
    reported: bool = False


def facets(question: str, outlets: Collection[str] = (), ignore: Collection[str] = ()) -> tuple[Facet, ...]:
    """The outlets, days and periods, and speakers that a question names, in this order.

    >>> [facet.key for facet in facets("What did the WSJ report on 28 January?")]
    ['outlet:Wall Street Journal', 'date:28 January 2025']

    Args:
        outlets: those of the articles.
        ignore: keys of facets that are not wanted.
    """
    return tuple(wanted.facet for wanted in named(question, outlets, ignore))


def named(question: str, outlets: Collection[str] = (), ignore: Collection[str] = ()) -> tuple[Wanted, ...]:
    """`facets`, with what tells whether a passage has them."""
    reporters = [Wanted(Facet("outlet", label), names) for label, names in outlets_named(question, outlets)]
    reported = bool(reporters) or bool(re.search(r"\breports?\b|\breported\b|\bpublished\b", question))
    days = [
        Wanted(Facet("date", period_label(period)), period=period, reported=reported)
        for period in periods_named(question)
        # A year is a word to search for like any other, unless reports of that year are asked for.
        if reported or not period_label(period).isdecimal()
    ]
    found = dict.fromkeys([*reporters, *days, *_speakers(question, reporters)])
    return tuple(wanted for wanted in found if wanted.facet.key not in ignore)


def parts(question: str, wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
    """What an answer needs evidence for each of: several outlets, several days, several companies or people.

    >>> [part.facet.label for part in parts("What did Nvidia and Oracle lose?", ())]
    ['Nvidia', 'Oracle']
    """
    several: list[Wanted] = []
    for kind in ("outlet", "date"):
        of_kind = [w for w in wanted if w.facet.kind == kind]
        several += of_kind if len(of_kind) > 1 else ()
    return (*several, *_subjects(question, wanted))


def _speakers(question: str, outlets: Sequence[Wanted]) -> list[Wanted]:
    found: dict[str, Wanted] = {}
    taken = {outlet_key(name) for outlet in outlets for name in outlet.names}
    for pattern in (_SPOKE, _ACCORDING, _SPEAKERS_WORDS) if question != question.lower() else (_SPOKE_SMALL,):
        for match in pattern.finditer(question):
            name = re.sub(r"[’']s?\Z", "", _without_function_words(match["name"]))
            words = name.lower().split()
            if (
                name
                and outlet_key(name) not in taken
                and not _DATE_WORD.fullmatch(name)
                and not _NO_SPEAKER & set(words)
            ):
                label = name if question != question.lower() else name.title()
                found[label] = Wanted(Facet("speaker", label), (label, label.split()[-1]))
    return list(found.values())


def _without_function_words(name: str) -> str:
    words = name.split()
    while words and words[0].lower() in FUNCTION_WORDS:
        words.pop(0)
    return "" if any(word in FUNCTION_WORDS for word in words) else " ".join(words)


def _subjects(question: str, wanted: Sequence[Wanted]) -> list[Wanted]:
    """Companies, people or models that are asked about side by side."""
    outlets = {outlet_key(name) for w in wanted if w.facet.kind == "outlet" for name in w.names}
    names: dict[str, None] = {}
    lists = [re.split(rf", |{_BETWEEN}(?:the |that of |those of )?", m[0]) for m in _SEVERAL.finditer(question)]
    lists += [list(m.groups()) for m in _COMPARED.finditer(question)]
    for several in lists:
        bare = [re.sub(r"[’']s?\Z", "", _without_function_words(name)) for name in several if name]
        if len(bare) > 1 and all(
            name and not _DATE_WORD.match(name) and outlet_key(name) not in outlets and not is_known(name)
            for name in bare
        ):
            names |= dict.fromkeys(bare)
    return [Wanted(Facet("subject", name), (name,)) for name in names] if len(names) > 1 else []


def period_label(period: Period) -> str:
    """How a period is called.

    >>> period_label(Period("2025-01-27", "2025-01-31")), period_label(Period("", "2025-01-19"))
    ('27–31 January 2025', 'until 19 January 2025')
    """

    def day(iso: str, form: str = "%B %Y") -> str:
        on = date.fromisoformat(iso)
        return f"{on.day} {on.strftime(form)}".strip()

    if not (period.start and period.end):
        return f"from {day(period.start)}" if period.start else f"until {day(period.end)}"
    first, last = date.fromisoformat(period.start), date.fromisoformat(period.end)
    if first == last:
        return day(period.start)
    if (first.day, (last + timedelta(days=1)).day) == (1, 1) and first.year == last.year:
        if first.month == last.month:
            return f"{first:%B %Y}"
        if (first.month, last.month) == (1, 12):
            return str(first.year)
    if first.year != last.year:
        return f"{day(period.start)} – {day(period.end)}"
    if first.month != last.month:
        return f"{day(period.start, '%B')} – {day(period.end)}"
    return f"{first.day}–{day(period.end)}"
