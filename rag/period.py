"""Which days a question is about, without a model. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from rag.text import function_terms, terms

# What questions name instead of a date; this is the one place that says when it was.
CRASH = date(2025, 1, 27)
_MODEL = r"\b(?:DeepSeek[- ]?)?{}"
_CALLED = (
    (
        CRASH,
        r"\b(?:(?:DeepSeek(?:[’']s)?|(?:stock[- ])?markets?|share(?:[- ]price)?|stock|Monday(?:[’']s)?|big) )*"
        r"(?:crash|sell-?off|rout|slump|plunge|meltdown|shock|panic|collapse)\b"
        r"|\b(?:markets?|shares|stocks|Nvidia) (?:crashed|fell|plunged|tumbled|collapsed|broke)\b",
    ),
    *(
        (
            day,
            rf"\b(?:release|launch|debut|publication|arrival|appearance|emergence|unveiling) of {_MODEL.format(name)}\b"
            rf"|{_MODEL.format(name)}(?:[’']s)? (?:model |was )?"
            r"(?:release|launch|debut|publi|came out|coming|appeared)\w*"
            r"|(?:(?<=\bbefore )|(?<=\bafter )|(?<=\bsince )|(?<=\bthrough )|(?<=\buntil )|(?<=\btill )|(?<=\bup to ))"
            rf"{_MODEL.format(name)}\b"
            rf"|(?:(?<=\bfrom )|(?<=\bfrom the )){_MODEL.format(name)}\b"
            r"(?= (?:model )?(?:up )?(?:to|through|until|till)\b)",
        )
        for day, name in ((date(2025, 1, 20), "R1"), (date(2024, 12, 26), "V3"))
    ),
    (date(2024, 12, 25), r"\bChristmas(?: Day)?(?:,? 2024)?\b"),
    (date(2025, 1, 29), r"\b(?:Lunar|Chinese) New Year(?:['’]s Day)?\b"),
    (date(2025, 1, 20), r"\b(?:inauguration day|Trump['’]?s inauguration)\b"),
)
_LAST_MONTH = 10
"""Months behind this one are of the year before, where none is named."""
_SHORTEST_MONTH = 28
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_WEEKDAYS = ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")
_NTH = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,? (\d{4})\b)?"
_AND = r"(?: ?[-–] ?| (?:and|(?:up )?to|into|until|till|through) )"
_ABOUT = r"(?:(?:the|about|around|roughly) )*"
_DAYS_AND_DAY = re.compile(rf"\b{_NTH}({_AND}){_NTH}(?: of)? {_MONTH}{_YEAR}", re.IGNORECASE)
_AMERICAN_DAY_AND_DAY = re.compile(rf"\b{_MONTH} {_NTH}({_AND}){_NTH}\b{_YEAR}", re.IGNORECASE)
_DAY = re.compile(
    rf"(?<![@/])\b(?:(\d{{4}}-\d\d-\d\d)|{_NTH}(?: of)? {_MONTH}{_YEAR}|{_MONTH} {_NTH}\b{_YEAR})", re.IGNORECASE
)
_WHOLE_MONTH = re.compile(rf"(?<!\d )\b(?:(early|mid|late)[- ])?{_MONTH}{_YEAR}", re.IGNORECASE)
_WHOLE_YEAR = re.compile(
    r"\b(?:in|during|throughout|(?:in |over )?the course of) (?:the year )?(?:(early|mid|late)[- ])?((?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_THIRDS = {"": (1, 12), "early": (1, 4), "mid": (5, 8), "late": (9, 12)}
"""The first and last month of a year and of its parts."""
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9}
"""The first month of each."""
_SEASON = re.compile(
    r"\b(?P<before>into|until|till|to|through|since|by|and) (?:the )?(?P<season>spring|summer|autumn)\b"
    r"(?! festival)(?:,?(?: of)? (?P<year>20\d\d)\b)?",
    re.IGNORECASE,
)
_OF_A_MONTH = re.compile(
    r"\b(?:in|of|by|from|between|since|until|till|during|before|after|throughout) (?:the )?\Z", re.IGNORECASE
)
_WEEKDAY_OF = re.compile(
    rf"\b(?:{'|'.join(_WEEKDAYS)})day,? (?:the )?"
    rf"(?={_NTH}{_AND}(?:[a-z]+day )?\d|{_NTH}(?: of)? {_MONTH}|{_MONTH} {_NTH}\b)",
    re.IGNORECASE,
)
"""Says of a day what its date says already."""
_ONLY_NTH = re.compile(
    r"\b(?P<before>on|by|from|between|since|until|till|through|to|after|before|and)"
    rf"(?: (?:{'|'.join(_WEEKDAYS)})day,?)? the (?P<nth>\d{{1,2}})(?:st|nd|rd|th)\b"
    r"(?! (?:of )?[^\W\d_]+\b(?<!\band)(?<!\bto)(?<!\buntil)(?<!\bin)(?<!\bat)(?<!\bthen))",
    re.IGNORECASE,
)
"""A day of the month of the crash."""
_NUMERIC_DAY = re.compile(r"(?<![\d./-])(\d{1,4})([./])(\d{1,2})\2(\d{1,4})(?![\d/-])")
_PART_OF_MONTH = re.compile(
    r"\b(?:the )?(?P<part>first half|beginning|start|middle|second half|end|first days|last days) of (?:the month of )?"
    rf"{_MONTH}{_YEAR}",
    re.IGNORECASE,
)
_NTH_OF_MONTH = re.compile(
    r"\b(?:the )?(?P<nth>first|second|third|fourth|last|final) "
    rf"(?P<unit>mon|tues|wednes|thurs|fri|satur|sun|week)(?:day|end)? (?:of|in) {_MONTH}{_YEAR}",
    re.IGNORECASE,
)

# Whatever names days stands in the question as "@first/last" when the words around it are read.
_ISO = r"\d{4}-\d\d-\d\d"
_MARK = re.compile(rf"@({_ISO})/({_ISO})")
# A day that is not written as a date, but called by what happened on it, has this behind its mark.
_CALLED_SIGN = "!"
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10, "few": 5, "couple of": 2}
_COUNT = rf"(?:(?:next|first|last|following|immediate|(?P<count>\d+|{'|'.join(_NUMBERS)})) )*"
_UNIT = r"(?P<unit>days?|morning|weeks?|fortnight|months?|weekend)"
_AFTER = (
    r"(?P<after>(?:that |which )?(?:(?:immediately|right|just|directly) )?"
    r"(?:after|following|followed|since|(?:starting |beginning )?from|starting|beginning))"
)
_BEFORE = r"(?:immediately )?(?:before|preceding|prior to|(?:leading|running|led) up to)"
_RANGE = re.compile(
    rf"(?:\b(?:between|from) )?(?:the )?{_MARK.pattern}[^@]{{0,25}}?{_AND}{_ABOUT}{_MARK.pattern}", re.I
)
_TWO_DAYS = re.compile(r"\A(?!between\b).*\band\b", re.IGNORECASE)
_BESIDE = re.compile(
    rf"\b(?:the )?{_COUNT}{_UNIT}(?: or (?:so|two))? (?:{_AFTER}|{_BEFORE})\b(?: (?:the )?{_MARK.pattern})?", re.I
)
_NEXT = re.compile(rf"\b(?:the )?(?P<after>next|following) {_COUNT}{_UNIT}\b", re.IGNORECASE)
_SIDE = re.compile(
    rf"\b(?:(?P<after>after|since|following)|before|leading to"
    r"|(?P<with>until|till|(?P<whole>up to|through|(?:well )?into)))"
    rf" {_ABOUT}{_MARK.pattern}(?P<called>{_CALLED_SIGN})?",
    re.I,
)
_WEEK_OF = re.compile(rf"\b(?:in |for |during )?(?:the )?(?:week|weekend) of (?:the )?{_MARK.pattern}", re.IGNORECASE)
_WEEKDAY_BESIDE = re.compile(
    rf"\b(?:the )?(?:next |previous )?(?P<weekday>mon|tues|wednes|thurs|fri|satur|sun)day "
    rf"(?:(?P<after>after|following|since)|before|preceding) (?:the )?{_MARK.pattern}",
    re.IGNORECASE,
)
_DAY_OF = re.compile(rf"\b(?:day of|during|in|on|amid) (?:the )?{_MARK.pattern}{_CALLED_SIGN}", re.IGNORECASE)
_NEXT_DAY = re.compile(r"\b(?:the )?(?P<after>next|following) (?P<count>)(?P<unit>day|morning)\b", re.IGNORECASE)
_WHOLE_WEEK = re.compile(
    r"\b(?:that|the same|(?:the )?(?:rest|end) of (?:that|the)|the) week\b"
    r"(?! (?:(?-i:[A-Z])|that\b|when\b|in which\b))",
    re.IGNORECASE,
)
_TO_WEEKDAY = re.compile(
    rf"(?P<from>{_MARK.pattern}[^@]{{0,25}}?\b(?:to|until|till|through) )(?:that |the )?(?:following |next )?"
    r"(?P<weekday>mon|tues|wednes|thurs|fri|satur|sun)day\b(?! (?:the )?\d)",
    re.IGNORECASE,
)
"""Up to the next such day: "from 27 January to that Friday"."""

_UP_TO = re.compile(
    r"(?:\bfrom [^@,;:?]{3,60}? (?:up )?to (?:the )?"
    rf"|(?<=\w) (?:up )?to (?:the )?(?=\S+{_CALLED_SIGN})){_MARK.pattern}",
    re.IGNORECASE,
)
"""From what no day is known of: "from its founding to the release of R1"."""

EACH_DAY = re.compile(r"\b(?:each|every) day\b|\bday (?:after|by) day\b", re.IGNORECASE)
"""Asks how something went on over several days."""
_NO_SUBJECT = (
    "event development unfold play timeline line chronology chronological order sequence course day week month weekend"
    " date later next each every main key important major other led lead back forth story whole full complete show name"
    " short brief place occur follow up move react respond fare perform develop evolve change trade continue"
    " put arrange sort bring line walk take run guide go step hour recap outline summarise summarize describe trace"
    " retrace reconstruct recount sum chain series succession finish happen right account overview dated one"
    " please pls need session start year turn draw set together station milestone presentation slide sequence appear"
    " oldest earliest concerning regarding"
)


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` to `end` (ISO 8601; empty where there is no limit), and what to tell of them: `subject`."""

    start: str = ""
    end: str = ""
    subject: str = ""


def period_named(question: str, earlier: str = "") -> Period:
    """The days that a question names, in whatever way, and the words that say what it is about besides."""
    text = _marked(question)
    found = _MARK.search(text) or _MARK.search(_marked(earlier))
    (start, end), rest = _days(EACH_DAY.sub(" ", text), date.fromisoformat(found[1]) if found else CRASH)
    words = re.findall(r"\w[\w’'.&-]*", _MARK.sub(" ", rest))
    beside = function_terms().union(terms(_NO_SUBJECT))
    # As a word "us" says nothing, and neither does the country to those who take the one for the other.
    words = ["American" if word in ("US", "U.S") else word for word in words]
    subject = [word for word in words if not beside.issuperset(terms(word))]
    return Period(start.isoformat() if start else "", end.isoformat() if end else "", " ".join(subject))


def periods_named(question: str) -> tuple[Period, ...]:
    """All days and periods that a question names, in order, without subjects.

    A day that is only called by its event counts where the question says that it means the day.

    >>> periods_named("Compare 27 January 2025 with the week after V3 came out.")
    (Period(start='2025-01-27', end='2025-01-27', subject=''), Period(start='2024-12-27', end='2025-01-02', subject=''))
    >>> periods_named("Who gained from the crash?")
    ()
    """
    text = _marked(question)
    near = _MARK.search(text)
    anchor = date.fromisoformat(near[1]) if near else CRASH
    found: list[tuple[int, date | None, date | None]] = []

    def take(pattern: re.Pattern[str], days: Callable[[re.Match[str]], tuple[date | None, date | None]]) -> None:
        nonlocal text
        for match in pattern.finditer(text):
            if pattern is _RANGE and _TWO_DAYS.search(match[0]):
                continue
            found.append((match.start(), *days(match)))
            text = text[: match.start()] + " " * len(match[0]) + text[match.end() :]

    take(_RANGE, lambda match: (date.fromisoformat(match[1]), date.fromisoformat(match[4])))
    take(_WEEKDAY_BESIDE, _weekday_beside)
    take(_BESIDE, lambda match: _beside(match, anchor))
    take(_NEXT_DAY, lambda match: _beside(match, anchor))
    take(_WEEK_OF, _week_of)
    take(_SIDE, _side)
    take(_DAY_OF, _on)
    take(re.compile(rf"{_MARK.pattern}(?!{_CALLED_SIGN})"), _on)
    periods = (
        Period(first.isoformat() if first else "", last.isoformat() if last else "")
        for _, first, last in sorted(found, key=lambda named: named[0])
    )
    return tuple(dict.fromkeys(periods))


def is_iso_date(day: str) -> bool:
    """Whether it is a day that there is, written as 2025-01-27."""
    try:
        return date.fromisoformat(day).isoformat() == day
    except ValueError:
        return False


def _marked(question: str) -> str:
    text = re.sub(r"\bthru\b", "through", question, flags=re.IGNORECASE)
    for day, pattern in _CALLED:
        text = re.sub(pattern, _mark(day, day) + _CALLED_SIGN, text, flags=re.IGNORECASE)
    text = _WEEKDAY_OF.sub("", text)
    text = _NUMERIC_DAY.sub(_numeric_day, text)
    text = _NTH_OF_MONTH.sub(_nth_of_month, text)
    text = _PART_OF_MONTH.sub(lambda found: _days_of_month(_PARTS[found["part"].lower()], *found.groups()[1:]), text)
    text = _DAYS_AND_DAY.sub(r"\1 \4 \5\2\3 \4 \5", text)
    text = _AMERICAN_DAY_AND_DAY.sub(r"\1 \2 \5\3\1 \4 \5", text)
    text = _DAY.sub(_day, " ".join(text.split()))
    text = _WHOLE_MONTH.sub(_whole_month, text)
    text = _ONLY_NTH.sub(_only_nth, text)
    text = _TO_WEEKDAY.sub(_to_weekday, text)
    text = _SEASON.sub(_season, text)
    return _WHOLE_YEAR.sub(_whole_year, text)


def _season(found: re.Match[str]) -> str:
    year, first = int(found["year"] or CRASH.year), _SEASONS[found["season"].lower()]
    return f"{found['before']} {_mark(date(year, first, 1), date(year, first + 2, monthrange(year, first + 2)[1]))}"


def _whole_year(found: re.Match[str]) -> str:
    year = int(found[2])
    first, last = _THIRDS[(found[1] or "").lower()]
    return f"in {_mark(date(year, first, 1), date(year, last, monthrange(year, last)[1]))}"


def _year_of(month: int) -> int:
    """The year of a month that is named without one: who speaks of December means the one before the crash."""
    return CRASH.year - (month > _LAST_MONTH)


def _mark(first: date, last: date) -> str:
    return f"@{first}/{last}"


def _day(found: re.Match[str]) -> str:
    iso, *british, american_month, american_day, american_year = found.groups()
    number, month, year = british if british[0] else (american_day, american_month, american_year)
    try:
        if iso:
            day = date.fromisoformat(iso)
        else:
            of_year = _MONTHS.index(month[:3].lower()) + 1
            day = date(int(year or _year_of(of_year)), of_year, int(number))
    except ValueError:  # there is no 30 February
        return found[0]
    return _mark(day, day)


def _only_nth(found: re.Match[str]) -> str:
    try:
        day = CRASH.replace(day=int(found["nth"]))
    except ValueError:
        return found[0]
    return f"{found['before']} {_mark(day, day)}"


def _to_weekday(found: re.Match[str]) -> str:
    weekday = _WEEKDAYS.index(found["weekday"].lower())
    last = date.fromisoformat(found[3])
    day = last + timedelta(days=(weekday - last.weekday()) % 7)
    return f"{found['from']}{_mark(day, day)}"


def _whole_month(found: re.Match[str]) -> str:
    part, name, year = found.groups()
    of_a_month = name[0].isupper() and (part or _OF_A_MONTH.search(found.string[: found.start()]))
    if name.lower() in ("mar", "march", "may") and not year and not of_a_month:
        return found[0]  # may be a verb
    return _days_of_month((part or "").lower(), name, year)


_PARTS = {"first half": "first half", "second half": "second half", "middle": "mid"}
_PARTS |= dict.fromkeys(("beginning", "start", "first days"), "early") | dict.fromkeys(("end", "last days"), "late")


def _days_of_month(part: str, name: str, year: str | None) -> str:
    month = _MONTHS.index(name[:3].lower()) + 1
    of_year = int(year or _year_of(month))
    length = monthrange(of_year, month)[1]
    parts = {"early": (1, 10), "mid": (11, 20), "late": (21, length), "first half": (1, 15)}
    first, last = (parts | {"second half": (16, length)}).get(part, (1, length))
    return _mark(date(of_year, month, first), date(of_year, month, last))


def _numeric_day(found: re.Match[str]) -> str:
    """ "27/01/2025" and "1/27/2025" alike; where both readings are days, the first number is the day."""
    a, b, c = int(found[1]), int(found[3]), int(found[4])
    year, month, day = (a, b, c) if len(found[1]) == 4 else (c, a, b) if b > 12 else (c, b, a)
    try:
        named = date(year, month, day)
    except ValueError:
        return found[0]
    return _mark(named, named) if year > 1000 else found[0]


def _nth_of_month(found: re.Match[str]) -> str:
    """ "The last Monday of January", "the first week of February"."""
    month, year = _MONTHS.index(found[3][:3].lower()) + 1, int(found[4] or CRASH.year)
    length = monthrange(year, month)[1]
    number = ("first", "second", "third", "fourth", "last", "final").index(found["nth"].lower())
    unit, last = found["unit"].lower(), number > 3
    if unit == "week":
        first = length - 6 if last else 7 * number + 1
        return _mark(date(year, month, first), date(year, month, first + 6))
    weekday = _WEEKDAYS.index(unit)
    days = [d for n in range(1, length + 1) if (d := date(year, month, n)).weekday() == weekday]
    day = days[-1 if last else number]
    return _mark(day, day)


def _days(text: str, anchor: date) -> tuple[tuple[date | None, date | None], str]:
    """First and last day (None where there is no limit), and what is left of the text without the words for them.

    Args:
        anchor: the day that "the week after" follows where the words themselves name none.
    """
    first: date | None
    last: date | None
    # "From the release to the weekend before the crash" is between days that are found in two steps.
    beside = _BESIDE.sub(lambda found: _mark(*_beside(found, anchor)) if _MARK.search(found[0]) else found[0], text)
    text = beside if _RANGE.search(beside) else text
    if found := _RANGE.search(text):
        first, last = date.fromisoformat(found[1]), date.fromisoformat(found[4])
    elif found := _BESIDE.search(text) or _NEXT.search(text):
        first, last = _beside(found, anchor)
    elif found := _SIDE.search(text):
        first, last = _side(found)
        if first and (week := _WHOLE_WEEK.search(text)):
            last = _sunday(anchor)
            text = text.replace(week[0], " ")
    elif found := _WEEK_OF.search(text):
        first, last = _week_of(found)
    elif found := _WHOLE_WEEK.search(text):
        first, last = _sunday(anchor) - timedelta(days=6), _sunday(anchor)
    elif found := _UP_TO.search(text):
        first, last = None, date.fromisoformat(found[2])
        text = text.replace(found[0], f"{found[0].partition('@')[0].removeprefix('from ')} @", 1).replace(" to @", " ")
        return (first, last), text
    elif found := _MARK.search(text):
        first, last = _on(found)
    else:
        return (None, None), text
    return (first, last), text.replace(found[0], " ")


def _on(found: re.Match[str]) -> tuple[date, date]:
    return date.fromisoformat(found[1]), date.fromisoformat(found[2])


def _week_of(found: re.Match[str]) -> tuple[date, date]:
    sunday = _sunday(date.fromisoformat(found[1]))
    return sunday - timedelta(days=6), sunday


def _side(found: re.Match[str]) -> tuple[date | None, date | None]:
    """The days before or after another one, without limit."""
    first, last = (date.fromisoformat(day) for day in found.groups()[-3:-1])
    if found["after"]:
        return last + timedelta(days=1), None
    # "Until mid-February", "into February" and "until R1's release" are up to its end, "until February" up to where it
    # begins.
    is_part = (
        found["whole"]
        or (found["with"] and found["called"])
        or (found["with"] and 1 < (last - first).days < _SHORTEST_MONTH - 1)
    )
    return None, last if is_part else first - timedelta(days=1)


def _weekday_beside(found: re.Match[str]) -> tuple[date, date]:
    """ "The Tuesday after ...", "the Friday before ..."."""
    weekday = _WEEKDAYS.index(found["weekday"].lower())
    first, last = (date.fromisoformat(day) for day in found.groups()[-2:])
    if found["after"]:
        day = last + timedelta(days=(weekday - last.weekday() - 1) % 7 + 1)
    else:
        day = first - timedelta(days=(first.weekday() - weekday - 1) % 7 + 1)
    return day, day


def _beside(found: re.Match[str], anchor: date) -> tuple[date, date]:
    """The days that stand before or after another one: "the three days after ...", "the weekend before"."""
    named = _MARK.search(found[0])
    after = bool(found["after"])
    from_it = after and found["after"].lower().endswith(("from", "starting", "beginning"))
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
    if from_it:
        return near, near + (days - 1) * one
    return (near + one, near + days * one) if after else (near - days * one, near - one)


def _sunday(day: date) -> date:
    return day + timedelta(days=6 - day.weekday())
