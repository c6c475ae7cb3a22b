"""Which days a question is about, and whether it asks for what happened on them; without a model. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from rag.text import function_terms, terms

# What questions name instead of a date; this is the one place that says when it was.
CRASH = date(2025, 1, 27)
_MODEL = r"\b(?:DeepSeek[- ]?)?{}"
_CALLED = (
    (
        CRASH,
        r"\b(?:(?:DeepSeek(?:[’']s)?|(?:stock[- ])?markets?|share[- ]price|Monday(?:[’']s)?|big) )*"
        r"(?:crash|sell-?off|rout|slump|plunge|meltdown|shock|panic|collapse)\b"
        r"|\b(?:markets?|shares|stocks|Nvidia) (?:crashed|fell|plunged|tumbled|collapsed)\b",
    ),
    *(
        (
            day,
            rf"\b(?:release|launch|debut|publication|arrival) of {_MODEL.format(name)}\b"
            rf"|{_MODEL.format(name)}(?:[’']s)? (?:(?:model|was) )?(?:release|launch|debut|publi|came out|appeared)\w*"
            rf"|(?:(?<=\bbefore )|(?<=\bafter )|(?<=\bsince )){_MODEL.format(name)}\b",
        )
        for day, name in ((date(2025, 1, 20), "R1"), (date(2024, 12, 26), "V3"))
    ),
)
STORY = (CRASH - timedelta(days=7), CRASH + timedelta(days=8))
"""The days told where none are named: from the release of R1 to the first bans."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_NTH = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (\d{4})\b)?"
_AND = r"(?: ?[-–] ?| (?:and|to|until|till|through) )"
_DAYS_AND_DAY = re.compile(rf"\b{_NTH}({_AND}){_NTH}(?: of)? {_MONTH}{_YEAR}", re.IGNORECASE)
_AMERICAN_DAY_AND_DAY = re.compile(rf"\b{_MONTH} {_NTH}({_AND}){_NTH}\b{_YEAR}", re.IGNORECASE)
_DAY = re.compile(
    rf"(?<![@/])\b(?:(\d{{4}}-\d\d-\d\d)|{_NTH}(?: of)? {_MONTH}{_YEAR}|{_MONTH} {_NTH}\b{_YEAR})", re.IGNORECASE
)
_WHOLE_MONTH = re.compile(rf"(?<!\d )\b(?:(early|mid|late)[- ])?{_MONTH}{_YEAR}", re.IGNORECASE)
_WHOLE_YEAR = re.compile(r"\b(?:in|during|throughout) (?:the year )?((?:19|20)\d\d)\b", re.IGNORECASE)

# Whatever names days stands in the question as "@first/last" when the words around it are read.
_ISO = r"\d{4}-\d\d-\d\d"
_MARK = re.compile(rf"@({_ISO})/({_ISO})")
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10, "few": 5, "couple of": 2}
_COUNT = rf"(?:(?:next|first|last|following|immediate|(?P<count>\d+|{'|'.join(_NUMBERS)})) )*"
_UNIT = r"(?P<unit>days?|morning|weeks?|fortnight|months?|weekend)"
_AFTER = r"(?P<after>(?:that |which )?(?:immediately )?(?:after|following|followed|since))"
_BEFORE = r"(?:immediately )?(?:before|preceding|prior to|(?:leading|running|led) up to)"
_RANGE = re.compile(
    rf"(?:\b(?:between|from) )?(?:the )?{_MARK.pattern}[^@]{{0,25}}?{_AND}(?:the )?{_MARK.pattern}", re.I
)
_BESIDE = re.compile(rf"\b(?:the )?{_COUNT}{_UNIT} (?:{_AFTER}|{_BEFORE})\b(?: (?:the )?{_MARK.pattern})?", re.I)
_NEXT = re.compile(rf"\b(?:the )?(?P<after>next|following) {_COUNT}{_UNIT}\b", re.IGNORECASE)
_SIDE = re.compile(
    rf"\b(?:(?P<after>after|since|following)|before|until|up to|leading to) (?:the )?{_MARK.pattern}", re.I
)
_WHOLE_WEEK = re.compile(r"\b(?:that|the same|(?:the )?(?:rest|end) of (?:that|the)|the) week\b", re.IGNORECASE)

# Asks for events in order, whatever the period.
_IN_ORDER = re.compile(
    r"\btime ?lines?\b|\bchronolog\w*|\b(?:sequence|course|order) of (?:the )?events\b|\bday[- ]by[- ]day\b"
    r"|\bhow did .*\b(?:unfold|play out)\b"
    r"|\b(?:list|name|give|show|tell|which|what)\b.*\bin (?:(?:the|their|right|date|chronological) )*order\b(?! to\b)",
    re.IGNORECASE,
)
# Asks for what happened in a period.
_HAPPENED = re.compile(
    r"\bwhat (?:(?:else|all|exactly|important|major) )*(?:happened|took place|occurred|went on|came next|followed"
    r"|was (?:going on|happening))\b"
    r"|\b(?:which|what)(?: (?:were|are))?(?: the)?(?: (?:main|key|most important|important|major|other))?"
    r" (?:events?|developments)\b",
    re.IGNORECASE,
)
# Asks how something went on over several days.
_EACH_DAY = re.compile(r"\b(?:each|every) day\b", re.IGNORECASE)
_WENT_ON = re.compile(
    rf"{_EACH_DAY.pattern}"
    r"|\bhow did\b.*?\b(?:move|react|respond|fare|perform|develop|evolve|change|trade|do|go on|continue)\b"
    r"(?=\W*(?:$|(?:each|every|in|over|during|after|before|from|between|since|on|through)\b))",
    re.IGNORECASE,
)
_NO_SUBJECT = (
    "event development unfold play timeline line chronology chronological order sequence course day week month weekend"
    " date later next each every main key important major other led lead back forth story whole full complete show name"
    " short brief place occur follow up move react respond fare perform develop evolve change trade continue"
)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` to `end` (ISO 8601; empty where there is no limit), and what to tell of them: `subject`."""

    start: str = ""
    end: str = ""
    subject: str = ""


def asked_timeline(question: str, earlier: str = "") -> Period | None:
    """The period of a question that asks for its events in order; None for any other question.

    >>> asked_timeline("What happened on 27 January 2025?")
    Period(start='2025-01-27', end='2025-01-27', subject='')
    >>> asked_timeline("What happened to Nvidia in the week after the crash?")
    Period(start='2025-01-28', end='2025-02-03', subject='Nvidia')
    >>> asked_timeline("How much did Nvidia lose on 27 January 2025?") is None
    True

    Args:
        earlier: the question before, for "And what happened in the week after?".
    """
    period = period_named(question, earlier)
    limited = bool(period.start or period.end)
    several_days = bool(period.start and period.end) and period.start < period.end
    if _IN_ORDER.search(question):
        # "How did the crash unfold?" asks for more than that day.
        of_all = period.start == period.end == CRASH.isoformat() and not re.search(r"\d", question)
        if not period.subject and (of_all or not limited):
            return Period(STORY[0].isoformat(), STORY[1].isoformat())
        return period
    # "What happened to Nvidia on Monday?" has an answer of its own.
    if _HAPPENED.search(question) and (several_days or (limited and not period.subject)):
        return period
    return period if _WENT_ON.search(question) and several_days else None


def period_named(question: str, earlier: str = "") -> Period:
    """The days that a question names, in whatever way, and the words that say what it is about besides."""
    text = _marked(question)
    found = _MARK.search(text) or _MARK.search(_marked(earlier))
    (start, end), rest = _days(_EACH_DAY.sub(" ", text), date.fromisoformat(found[1]) if found else CRASH)
    words = re.findall(r"\w[\w’'.&-]*", _MARK.sub(" ", rest))
    beside = function_terms().union(terms(_NO_SUBJECT))
    subject = [word for word in words if not beside.issuperset(terms(word))]
    return Period(start.isoformat() if start else "", end.isoformat() if end else "", " ".join(subject))


def is_iso_date(day: str) -> bool:
    """Whether it is a day that there is, written as 2025-01-27."""
    try:
        return date.fromisoformat(day).isoformat() == day
    except ValueError:
        return False


def _marked(question: str) -> str:
    text = question
    for day, pattern in _CALLED:
        text = re.sub(pattern, _mark(day, day), text, flags=re.IGNORECASE)
    text = _DAYS_AND_DAY.sub(r"\1 \4 \5\2\3 \4 \5", text)
    text = _AMERICAN_DAY_AND_DAY.sub(r"\1 \2 \5\3\1 \4 \5", text)
    text = _DAY.sub(_day, " ".join(text.split()))
    text = _WHOLE_MONTH.sub(_whole_month, text)
    return _WHOLE_YEAR.sub(lambda found: f"in {_mark(date(int(found[1]), 1, 1), date(int(found[1]), 12, 31))}", text)


def _mark(first: date, last: date) -> str:
    return f"@{first}/{last}"


def _day(found: re.Match[str]) -> str:
    iso, *british, american_month, american_day, american_year = found.groups()
    number, month, year = british if british[0] else (american_day, american_month, american_year)
    try:
        day = (
            date.fromisoformat(iso)
            if iso
            else date(int(year or CRASH.year), _MONTHS.index(month[:3].lower()) + 1, int(number))
        )
    except ValueError:  # there is no 30 February
        return found[0]
    return _mark(day, day)


def _whole_month(found: re.Match[str]) -> str:
    part, name, year = found.groups()
    if name.lower() in ("mar", "march", "may") and not year:
        return found[0]  # may be a verb
    month, of_year = _MONTHS.index(name[:3].lower()) + 1, int(year or CRASH.year)
    length = monthrange(of_year, month)[1]
    first, last = {"early": (1, 10), "mid": (11, 20), "late": (21, length)}.get((part or "").lower(), (1, length))
    return _mark(date(of_year, month, first), date(of_year, month, last))


def _days(text: str, anchor: date) -> tuple[tuple[date | None, date | None], str]:
    """First and last day (None where there is no limit), and what is left of the text without the words for them.

    Args:
        anchor: the day that "the week after" follows where the words themselves name none.
    """
    first: date | None
    last: date | None
    if found := _RANGE.search(text):
        first, last = date.fromisoformat(found[1]), date.fromisoformat(found[4])
    elif found := _BESIDE.search(text) or _NEXT.search(text):
        first, last = _beside(found, anchor)
    elif found := _SIDE.search(text):
        on = date.fromisoformat(found[2]), date.fromisoformat(found[3])
        first, last = (on[1] + timedelta(days=1), None) if found["after"] else (None, on[0] - timedelta(days=1))
        if first and (week := _WHOLE_WEEK.search(text)):
            last = _sunday(anchor)
            text = text.replace(week[0], " ")
    elif found := _WHOLE_WEEK.search(text):
        first, last = _sunday(anchor) - timedelta(days=6), _sunday(anchor)
    elif found := _MARK.search(text):
        first, last = date.fromisoformat(found[1]), date.fromisoformat(found[2])
    else:
        return (None, None), text
    return (first, last), text.replace(found[0], " ")


def _beside(found: re.Match[str], anchor: date) -> tuple[date, date]:
    """The days that stand before or after another one: "the three days after ...", "the weekend before"."""
    named = _MARK.search(found[0])
    after = bool(found["after"])
    near = date.fromisoformat(named[2 if after else 1]) if named else anchor
    unit, count = found["unit"].lower(), (found["count"] or "").lower()
    one = timedelta(days=1)
    if unit == "weekend":
        saturday = _sunday(near) - one if after else _sunday(near) - 8 * one
        return saturday, saturday + one
    number = _NUMBERS.get(count) or int(count or 1)
    # "The days after" are about a week, "the weeks after" a month, "the months after" a quarter.
    several = unit.endswith("s") and not count
    length = {"d": 7 if several else number, "m": 92 if several else 31 * number, "w": 28 if several else 7 * number}
    length |= {"f": 14}
    days = 1 if unit == "morning" else length[unit[0]]
    return (near + one, near + days * one) if after else (near - days * one, near - one)


def _sunday(day: date) -> date:
    return day + timedelta(days=6 - day.weekday())
