"""Numbers with their units, and dates, as texts write them, and whether two of them can be the same one. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a text: `text` is `source[start:end]`, with its currency and unit.

    `value` has the scale in it: 588.8e9 for "$588.8 billion". `unit` is "percent", "percentage points", "basis
    points", "points", "times", an ISO 4217 code ("USD", or "USD a share"), a plural noun like "days", "tokens" or
    "parameters", or empty for other counts. `step` is what one more in the last written digit would add. `rough` says
    how the text takes the number: "about", "nearly" (from below), "over", "under", or empty for a plain one.
    """

    value: float
    unit: str
    start: int
    end: int
    text: str
    step: float
    rough: str = ""


@dataclass(frozen=True, slots=True)
class Date:
    """A day, month or year in a text; what it leaves open is None. `text` is `source[start:end]`."""

    year: int | None
    month: int | None
    day: int | None
    start: int
    end: int
    text: str


MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)
_MONTH = (
    r"(?:jan(?:uary|\b\.?)|feb(?:ruary|\b\.?)|mar(?:ch|\b\.?)|apr(?:il|\b\.?)|may|june?|july?|aug(?:ust|\b\.?)"
    r"|sept?(?:ember|\b\.?)|oct(?:ober|\b\.?)|nov(?:ember|\b\.?)|dec(?:ember|\b\.?))"
)
_NTH = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:19\d\d|20[0-3]\d)"
_TO = r"(?: ?[-–] ?| (?:and|to|or|until|through) |, )"
# What the alternatives begin with is looked at first in this and other patterns: most places of a text are none.
_DATE = re.compile(
    rf"(?<![\w.,/-])(?=[\djfmasondel])(?:(?P<iso>{_YEAR}-\d\d-\d\d)"
    rf"|(?P<days>{_NTH}(?:{_TO}{_NTH})*)(?: of)? (?P<month>{_MONTH})(?:,? (?P<year>{_YEAR}))?"
    rf"|(?P<us_month>{_MONTH}) (?P<us_days>{_NTH}(?:{_TO}{_NTH}(?!\d| {_MONTH}))*)(?:,? (?P<us_year>{_YEAR}))?"
    rf"|(?P<whole_month>{_MONTH}) (?:of )?(?P<month_year>{_YEAR})"
    rf"|(?P<name>January|February|April|June|July|August|September|October|November|December)"
    rf"|(?:early|mid|late)[- ](?P<part>{_MONTH})"
    rf"|(?:(?<=\bin )|(?<=\bby )|(?<=\bsince )|(?<=\bof )|(?<=\buntil ))(?P<verb>March|May)"
    rf"|(?P<alone>(?!\d{{3}}0['’]s\b){_YEAR})(?!\s*(?:%|per ?cent|(?:m|b|tr)illion|GPU|chip|token|dollar|[bmt]n\b)))"
    r"(?![\w/])(?!-\d)(?!\.\d)",
    re.IGNORECASE,
)
_CASED = re.compile(r"\b(?:may|march)\b")
"""In small letters these are verbs."""

_SCALES = {
    "hundred": 1e2,
    "thousand": 1e3,
    "k": 1e3,
    "million": 1e6,
    "mln": 1e6,
    "mn": 1e6,
    "m": 1e6,
    "billion": 1e9,
    "bln": 1e9,
    "bn": 1e9,
    "b": 1e9,
    "trillion": 1e12,
    "trn": 1e12,
    "tn": 1e12,
    "t": 1e12,
}
_UNITS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "  # noqa: SIM905
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(),  # noqa: SIM905
        start=2,
    )
}
_SMALL = rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(list(_UNITS)[1:10])}))?|{'|'.join(reversed(_UNITS))})"
_WORDS = (
    r"half a(?= (?:[mb]|tr)illion)"
    rf"|(?:(?:{_SMALL}|a) hundred(?:(?: and)? {_SMALL})?|{_SMALL}"
    r"|(?<!\d )an?(?= (?:thousand|[mb]illion|trillion)\b))\b"
)
_SIGNS = {
    "US$": "USD",
    "A$": "AUD",
    "C$": "CAD",
    "HK$": "HKD",
    "S$": "SGD",
    "NT$": "TWD",
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "CNY",
    "₩": "KRW",
    "₹": "INR",
    "USD": "USD",
    "EUR": "EUR",
    "GBP": "GBP",
    "RMB": "CNY",
    "CNY": "CNY",
    "JPY": "JPY",
}
_CURRENCIES = {
    r"(?:US )?dollars?|USD": "USD",
    r"euros?|EUR": "EUR",
    r"pounds?(?: sterling)?|GBP": "GBP",
    r"yuan|renminbi|RMB|CNY": "CNY",
    r"yen|JPY": "JPY",
    r"(?:South )?Korean won|KRW": "KRW",
    r"Swiss francs?": "CHF",
    r"rupees?": "INR",
}
_COUNTED = (
    *("second", "minute", "hour", "day", "week", "month", "year", "decade", "token", "parameter"),
    *("mile", "kilometre", "kilometer", "gigawatt", "megawatt", "watt", "degree"),
)
_NOUNS = {
    r"per ?cent(?! points?)|pct|pc|%(?!-points?)": "percent",
    r"(?:percentage|per ?cent|%)[- ]points?|pps?": "percentage points",
    r"basis points?|bps?": "basis points",
    r"points?": "points",
    r"times|-?fold|x|×": "times",
    r"(?:GPU|H800|chip)[- ]hours?": "GPU hours",
    **{rf"{noun}s?": f"{noun}s" for noun in _COUNTED},
}
_UNIT = re.compile(
    rf"(?P<currency>[ -]?(?:{'|'.join(_CURRENCIES)})\b)|(?P<cents>[ -]cents?\b)"
    rf"|(?P<noun>(?:[ -]|(?=[%x×p-]))(?:{'|'.join(_NOUNS)})(?!\w))",
    re.IGNORECASE,
)
_PER = re.compile(r" (?:a|per|each) share\b|/share\b", re.IGNORECASE)
_DIGITS = r"\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,9})?|\d{1,15}(?:\.\d{1,9})?|(?<!\w)\.\d{1,9}"
_ROUGH = {
    "nearly": r"nearly|almost|just (?:under|below|short of)|close to|approaching|not quite",
    "over": r"(?:just |slightly |well |a little )?(?:more than|over|above|at least|upwards? of|north of|in excess of"
    r"|exceeding|exceeded|topped|topping)|no (?:fewer|less) than",
    "under": r"less than|fewer than|under|below|at most|no more than|not more than|up to|as (?:much|many|high) as"
    r"|a maximum of",
    "about": r"about|around|some|roughly|approximately|approx\.?|circa|ca\.|an estimated|estimated|in the region of"
    r"|on the order of|~|≈",
}
_AFTER_ROUGH = re.compile(r" or (?:so|thereabouts)\b", re.IGNORECASE)
_OVER = re.compile(r"\+| or more\b", re.IGNORECASE)
_NUMBER = re.compile(
    rf"(?:(?=[\d.])(?<![\w.,/:#@])(?<![^\W\d_]-)(?P<digits>{_DIGITS})|(?=[aefhnostz])\b(?P<words>{_WORDS}))"
    r"(?P<scale>[ -]?(?:hundred|thousand|million|billion|trillion|mln|bln|bn|mn|trn|tn)\b|[kmbt]\b)?",
    re.IGNORECASE,
)
# What stands before a number is looked for from there, which is much faster than at every place of a text.
_SIGN_BEFORE = re.compile(rf"(?<![A-Za-z])({'|'.join(map(re.escape, _SIGNS))}) ?\Z", re.IGNORECASE)
_LONGEST_SIGN = 5
_ROUGH_BEFORE = re.compile(
    rf"(?:(?<=\W)|^)(?:{'|'.join(f'(?P<{way}>{words})' for way, words in _ROUGH.items())}) ?(?:a |an )?\Z",
    re.IGNORECASE,
)
_LONGEST_ROUGH = 32
_MAY_COUNT = re.compile(
    rf"\d|(?=[aefhnostz])\b(?=a|eigh|elev|fi|fo|hal|nin|one|se|si|t[wehr]|zer)(?:{_WORDS})", re.IGNORECASE
)
_NO_FIGURE = re.compile(
    r"(?=[\[\d\sqho])(?:"
    r"\[\d+(?:\s*[,;–-]\s*\d+)*\]"  # marks
    r"|(?m:^\s*\d{1,2}[.)]\s)"  # numbers of lists
    r"|\b\d{1,2}[:.]\d\d(?: ?[ap]\.?m\b| (?:GMT|UTC|ET|EST|CET)\b)|\b\d{1,2}:\d\d(?::\d\d)?\b|\b\d{1,2} ?[ap]\.?m\b"
    r"|\b\d+/\d+(?:/\d+)?\b|\b\d+-\d+-\d+\b|\b(?:19|20)?\d0s\b|\b[QH][1-4]\b(?: (?:19|20)\d\d)?"
    r"|\bhttps?://\S+|\bone (?:of|another|day|thing|by)\b)",
    re.IGNORECASE,
)
_NAMED_BEFORE = re.compile(r"(?:(?<=\W)|^)(?P<word>[A-Z][\w&.+’'-]*|&) $")
_ENTITY = re.compile(
    r"(?:version|section|article|chapter|page|phase|part|stage|level|number|no\.|table|figure|step|top) $", re.I
)
_NO_NAME = re.compile(
    r"(?:a|about|after|all|almost|among|an|and|are|around|as|at|before|between|but|by|during|each|even|for|from|had|has"
    r"|have|her|his|in|into|is|its|just|like|nearly|no|of|on|only|or|our|over|roughly|since|so|some|than|that|the|their"
    r"|then|there|these|they|this|those|through|to|under|until|up|was|we|were|when|where|which|while|who|with|within"
    r"|another|more|most|other|both|over|every|only|another|approximately)",
    re.IGNORECASE,
)
_SPAN = re.compile(r" ?[-–—] ?| to | or | and ")
_CURRENCY_CODES = frozenset(_SIGNS.values()) | frozenset(_CURRENCIES.values())

_SHARE_OF_ROUGH = 0.1
"""What "about" allows for at most."""
_FAR = 1.5
"""Beyond this many times, "more than" says so little that nobody means it."""
_TRAILING = 3
"""Significant digits from which on closing groups of zeros are taken as rounding: 589,000, but not 2,000."""


def figures(text: str) -> list[Figure]:
    """The numbers of a text that say how much or how many, in order.

    Years, dates, times, names of models and indices, ordinals, numbers of lists and marks are none. The ends of a
    range are two figures.

    >>> [(f.value, f.unit) for f in figures("On 27 January 2025 the S&P 500 fell 1.5% and Nvidia lost $589bn.")]
    [(1.5, 'percent'), (589000000000.0, 'USD')]
    >>> figures("DeepSeek-V3, R1, GPT-4 and Llama 3.1 ran on H800s in 2024.")
    []
    """
    if not _MAY_COUNT.search(text):
        return []
    taken = [found.span() for found in _NO_FIGURE.finditer(text)] + [(d.start, d.end) for d in dates(text)]
    blanked = list(text)
    for start, end in taken:
        blanked[start:end] = "\N{NULL}" * (end - start)
    masked = "".join(blanked)
    found, after = [], 0
    for number in _NUMBER.finditer(masked):
        if figure := _figure(number, masked, text, after):
            found.append(figure)
        after = number.end()
    return _ranges(found, masked)


def dates(text: str) -> list[Date]:
    """The days, months and years that a text names, in order; "27 and 28 January" are two.

    >>> [(d.year, d.month, d.day) for d in dates("From January 27-28, 2025 on, but not in 2023, nor in May.")]
    [(2025, 1, 27), (2025, 1, 28), (2023, None, None), (None, 5, None)]
    """
    return [date for found in _DATE.finditer(text) if not _CASED.search(found[0]) for date in _dates(found)]


def in_words(day: datetime.date) -> str:
    """A day as the articles write it: "27 January 2025"."""
    return f"{day.day} {MONTHS[day.month - 1].capitalize()} {day.year}"


def agree(one: Figure, other: Figure) -> bool:
    """Whether both can be the same amount: equal, one the other rounded, or a rough one that the other fits.

    >>> def figure(text): return figures(text)[0]
    >>> agree(figure("$588.8 billion"), figure("US$589,000 million")), agree(figure("589"), figure("593"))
    (True, False)
    >>> agree(figure("nearly $600bn"), figure("589 billion dollars")), agree(figure("17%"), figure("17 points"))
    (True, False)
    """
    if not same_unit(one, other):
        return False
    if _rounded(one, other):
        return True
    return (
        bool(one.rough or other.rough)
        and (not one.rough or _admits(one, other.value))
        and (not other.rough or _admits(other, one.value))
    )


def bears_out(source: Figure, claim: Figure) -> bool:
    """Whether a source's figure lets one say `claim`: rounding and vagueness may be added, but precision may not.

    >>> def figure(text): return figures(text)[0]
    >>> bears_out(figure("$589 billion"), figure("nearly $600 billion"))
    True
    >>> bears_out(figure("nearly $600 billion"), figure("$589 billion"))
    False
    """
    if not same_unit(source, claim):
        return False
    as_precise = claim.step >= source.step or abs(source.value - claim.value) <= 1e-9 * claim.value
    return (as_precise and _rounded(source, claim)) or (bool(claim.rough) and _admits(claim, source.value))


def same_unit(one: Figure, other: Figure) -> bool:
    """Whether the units can be the same: one may be left out where a reader would fill it in."""
    a, b = (unit.removesuffix(" a share") for unit in (one.unit, other.unit))
    if a == b or {a, b} == {"points", "percentage points"}:
        return True
    if a and b:
        return False
    named = a or b
    if named in _CURRENCY_CODES:
        return max(one.value, other.value) >= 1e6
    return named not in ("percent", "percentage points", "basis points")


def _rounded(one: Figure, other: Figure) -> bool:
    apart = abs(one.value - other.value)
    if apart <= 1e-9 * one.value:  # an error of floating point
        return True
    coarse = max(one.step, other.step) / 2 if one.step != other.step else 0.0
    # "$1 trillion" is no rounding of 589 billion, though its last digit stands for a trillion.
    return apart <= min(coarse, _SHARE_OF_ROUGH * max(one.value, other.value)) + 1e-9 * one.value


def _admits(rough: Figure, value: float) -> bool:
    own = rough.value
    if rough.rough == "over":
        return own <= value <= own * _FAR
    if rough.rough == "under":
        return own / _FAR <= value <= own
    tolerance = max(min(_significant_step(own) / 2, own * _SHARE_OF_ROUGH), rough.step / 2)
    return -tolerance <= value - own <= (0 if rough.rough == "nearly" else tolerance)


def _significant_step(value: float) -> float:
    """The place of the last digit that is not zero: 100 for 600, 1 for 589."""
    digits = f"{value:.12e}"
    mantissa, exponent = digits.split("e")
    return float(10 ** (int(exponent) - len(mantissa.rstrip("0").partition(".")[2])))


def _figure(found: re.Match[str], masked: str, text: str, after: int) -> Figure | None:
    """What a number that was found says; `after` is where the one before it ends."""
    scale = _SCALES[found["scale"].strip(" -").lower()] if found["scale"] else 1.0
    written = found["digits"]
    value = float(written.replace(",", "")) if written else _in_words(found["words"].lower())
    step = _step(written) if written else (0.1 if value == 0.5 else 1.0)
    start, end = found.span()
    sign = _SIGN_BEFORE.search(masked, max(after, start - _LONGEST_SIGN), start)
    start = sign.start() if sign else start
    unit = next((code for mark, code in _SIGNS.items() if sign and mark.lower() == sign[1].lower()), "")
    before = _ROUGH_BEFORE.search(masked, max(after, start - _LONGEST_ROUGH), start)
    rough = (before and before.lastgroup) or ""
    if named := _UNIT.match(masked, end):
        if named["noun"] and (not unit or named["noun"].strip(" -") == "x"):
            unit, end = _matching(_NOUNS, named["noun"]), named.end()
        elif named["currency"] and not unit:
            unit, end = _matching(_CURRENCIES, named["currency"]), named.end()
        elif named["cents"] and not unit:
            unit, end, scale = "USD", named.end(), scale / 100
    elif not unit and found["scale"] and (won := re.compile(r" won\b").match(masked, end)):
        unit, end = "KRW", won.end()
    if unit in _CURRENCY_CODES and (share := _PER.match(masked, end)):
        unit, end = f"{unit} a share", share.end()
    bare = not (unit or found["scale"])
    if bare and not rough and _is_name(found, masked):
        return None
    if bare and (found["words"] or "").lower() in ("one", "zero", "a", "an"):
        return None
    if end < len(masked) and (masked[end].isalnum() or re.match(r"-[A-Z\d]*[A-Z]|\.\d|,\d", masked[end : end + 3])):
        return None
    if not rough and (_OVER.match(masked, end) or _AFTER_ROUGH.match(masked, end)):
        rough = "over" if _OVER.match(masked, end) else "about"
    return Figure(value * scale, unit, start, end, text[start:end], step * scale, rough)


def _matching(patterns: dict[str, str], word: str) -> str:
    return next(unit for pattern, unit in patterns.items() if re.fullmatch(f"[ -]?(?:{pattern})", word, re.IGNORECASE))


def _is_name(found: re.Match[str], masked: str) -> bool:
    """Whether a number without a unit is part of a name: "Llama 3.1", "S&P 500", "Section 232"."""
    if found["words"] or "," in found["digits"]:
        return False
    before = masked[max(0, found.start() - 40) : found.start()]
    named = _NAMED_BEFORE.search(before)
    return bool(_ENTITY.search(before)) or (named is not None and not _NO_NAME.fullmatch(named["word"]))


def _step(written: str) -> float:
    whole, _, decimals = written.partition(".")
    if decimals:
        return float(10 ** -len(decimals))
    significant, groups = whole, 0
    while significant.endswith(",000"):
        significant, groups = significant[:-4], groups + 1
    return float(1000**groups) if len(significant.replace(",", "")) >= _TRAILING else 1.0


def _in_words(words: str) -> float:
    if words.startswith("half"):
        return 0.5
    total = 0
    for word in re.split(r"[- ]", words):
        if word == "hundred":
            total *= 100
        else:
            total += _TENS.get(word) or _UNITS.get(word, 1 if word in ("a", "an") else 0)
    return float(total)


def _ranges(found: list[Figure], masked: str) -> list[Figure]:
    """Fills in what the ends of a range leave to each other: "$60 to 65 billion"."""
    whole = list(found)
    for place, (low, high) in enumerate(pairwise(whole)):
        joint = _SPAN.fullmatch(masked[low.end : high.start])
        if not joint or (joint[0] == " and " and not re.search(r"\bbetween \W?$", masked[: low.start], re.I)):
            continue
        scale = _scale_of(high) if _scale_of(low) == 1 else 1.0
        if low.unit in ("", high.unit) or not high.unit:
            # "Fell 3% to 19,342": what follows is no percentage.
            unit = low.unit if low.unit in _CURRENCY_CODES else high.unit
            if low.value * scale < high.value:
                found[place] = low = replace(low, value=low.value * scale, step=low.step * scale)
            found[place] = replace(low, unit=low.unit or unit)
            found[place + 1] = replace(high, unit=high.unit or unit)
    return found


def _scale_of(figure: Figure) -> float:
    written = re.search(r"(?<=[\d\s-])[a-z]+", figure.text, re.IGNORECASE)
    return _SCALES.get(written[0].lower(), 1.0) if written else 1.0


def _dates(found: re.Match[str]) -> Iterator[Date]:
    def at(year: str | None, month: int | None, day: int | None) -> Date:
        return Date(int(year) if year else None, month, day, found.start(), found.end(), found[0])

    if found["iso"]:
        year, month, day = found["iso"].split("-")
        yield at(year, int(month), int(day))
    elif found["alone"]:
        yield at(found["alone"], None, None)
    else:
        name = next(n for n in ("month", "us_month", "whole_month", "name", "part", "verb") if found[n])
        number = next(i for i, month in enumerate(MONTHS, 1) if month.startswith(found[name][:3].lower()))
        year = found["year"] or found["us_year"] or found["month_year"]
        days = re.findall(r"\d+", found["days"] or found["us_days"] or "")
        for day in days or [""]:
            yield at(year, number, int(day) if day else None)
