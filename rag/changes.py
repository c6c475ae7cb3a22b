"""How far prices moved on a day, as articles tell it: "Nvidia fell 17% on 27 January 2025". Pure.

A sentence is read from one percentage to the next. What stands before a percentage says who moved and which way; what
a later one leaves unsaid ("Marvell 3.5%") stands before an earlier one. A sentence that leaves any of who, which way
and on which day open gives nothing: a missing value misleads less than a wrong one.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count

from rag.days import weekdays_told
from rag.figures import MONTHS, Date, Figure, agree, bears_out, dates, figures
from rag.records import Article, Citation, DailyChange, Evidence, Passage, Sentence
from rag.text import FUNCTION_WORDS

MOST_CITATIONS = 4
"""Sentences cited for one value."""
MOST_WORDS = 6
"""Of a name."""

_DOWN = (
    r"fell|lost|dropped|slid|slumped|sank|tumbled|plunged|declined|shed|crashed|slipped|dived|plummeted|eased|retreated"
    r"|sinking|falling|losing|dropping|sliding|tumbling|plunging|down"
)
_UP = (
    r"rose|gained|climbed|jumped|added|advanced|surged|soared|rallied|regained|recovered|rebounded"
    r"|rising|gaining|climbing|jumping|adding|up"
)
_MOVED = re.compile(rf"\b(?:(?P<down>{_DOWN})|(?P<up>{_UP}))\b")
_AFTERWARDS = re.compile(r"(?:,| \()?\s*(?:(?P<down>lower|down)|(?P<up>higher|up))\b")
_STOOD = re.compile(r"\b(?:closed|ended|finished|settled|traded|trading|was|were|been|be|stood|opened)\b")
_PARTICIPLE = re.compile(r"\w+ing|down|up")
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?)"
)
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_DAY = rf"(?:{_WEEKDAY},? )?(?:\d{{1,2}} {_MONTH}|{_MONTH} \d{{1,2}},?)(?:,? \d{{4}})?|{_WEEKDAY}"
_ROUGH = (
    r"about|around|some|nearly|almost|roughly|approximately|(?:just |slightly |well )?(?:more|less) than|over|under"
    r"|below|above|at least|up to|as much as|as low as"
)
_NOUN = re.compile(
    r"\b(?:(?:decline|fall|drop|slump|loss|plunge|slide)|(?P<up>gain|rise|rebound|jump)) (?:in|of|for)"
    r" (?P<name>[^,;%]+?)"
    rf"(?: on (?:{_DAY}))? (?:as|was|at|of|came to|amounted to)(?: (?:{_ROUGH}))? $"
)
_LINK = re.compile(
    rf"(?:[\s,]|\b(?:by|another|again|also|or|{_ROUGH}|a(?: further)?|an additional|(?:as much as|on) {_DAY}"
    rf"|on {_DAY}|\d[\d,.]*(?: points?)?)(?=[\s,]|$))*"
)
"""What may stand between the verb and the percentage."""
_ELLIPTIC = re.compile(r"(?:,? (?:and|but)|,|;)? (?P<name>.*)", re.DOTALL)
_ON = re.compile(rf"[^,;]*?\b(?:on|of|ended|at the close on) (?:{_DAY})")
_LATER = re.compile(r"\b(?:from|since|after|than|before|until|till|compared|against|versus)\b")
_DURING = re.compile(
    r"\bat one point|\bat (?:its|their|the) (?:low|high|worst|lowest|peak|open)|\bmidday|\bnoon\b|\bworst point"
    r"|\bbefore the (?:market|opening|bell|open)|\b(?<!closing )bell of|\bpre-?market|\bafter-hours"
    r"|\b(?:early|late|morning|afternoon|extended|premarket) (?:trad\w+|dealings|deals)\b"
    r"|\b(?:in|during) the (?:morning|afternoon|day|session)\b(?! before)"
    r"|\bas (?:much|low|high|many) as|\bup to\b|\bintra-?day"
    r"|\b\d{1,2}:\d\d\b|\bearlier in the (?:day|session)",
    re.IGNORECASE,
)
"""That a move was not the day's: it was measured before the close."""
_LONGER = re.compile(
    r"(?<!-)\b(?:weeks?|weekly|months?|monthly|quarter|years?|annual(?:ly)?|so far|to date|since|decade)\b"
    r"|\b(?!one-|single-)\w+-(?:day|week)\b(?! (?:low|high))"
)
_CLAUSE = re.compile(r"[;:] |, (?:so that|but|while|whereas|although|though)\b|, and (?=[A-Z]|the\b)")
_NO_PRICE = re.compile(
    r"\s+(?:between|of (?!\d)|as many|more (?!than)|fewer|less (?!than)|stake|share of|chance|growth|tariff"
    r"|a (?:day|week|month|year)\b|(?:year|month|quarter)[- ]on|points?\b)"
)
_OPENERS = (
    r"an?|the|another|also|which|who|whose|where|known|or|like|one|once|now|then|formerly|itself|owned|based"
    r"|both|including|down|up|[A-Z]\w+[’']s"
)
_ASIDE = re.compile(rf", (?:{_OPENERS}) .*,\s*$", re.DOTALL)
_BOUNDARY = re.compile(
    r"[;:] |(?:, )?\b(?:while|whereas|but|when|where|that|as|with|although|though|because|after|which|so)\b "
    r"|, (?:and )?| and "
)
_ADVERBS = re.compile(
    r"(?:\s(?:each|also|likewise|both|again|then|already|itself|later|still|only|even|was|were|had|has|have|been|traded"
    r"|(?:taken )?together|as a (?:whole|group)))+\s*$"
)
_ITS = re.compile(r"(?:the (?:index|company|shares?|stock|group|chipmaker)|its|their|it|they)\b", re.IGNORECASE)
_LEADING = re.compile(
    rf"(?:(?:On|In|By|At)(?: the)? (?:close (?:of|on) )?(?:{_DAY}),? ?|At (?:midday|noon|one point|first),? "
    r"|(?:also|both|and|the|The|shares? (?:of|in)"
    rf"|Shares? (?:of|in)|stocks? (?:of|in)|American) )+"
)
_TRAILING = re.compile(
    r"(?: (?:shares?|stock|stocks|index|futures|securities|each|also|likewise|already|itself|again|then|later|still|had"
    r"|has|have|was|were|been|only|even|as a (?:whole|group)|composite index|closed|ended|finished)"
    r"|[’']s?(?: (?:shares?|stock|share price))?|[’']s own shares)+$"
)
_OF_COUNTRY = re.compile(r"(?<!Bank)(?<!University)(?<!Republic) of (?:the )?[A-Z]\w+$")
_OWNER = re.compile(r"^[A-Z]\w+[’']s (?=[A-Z])")
_DESCRIBED = re.compile(r"(?:(?:[a-z]+-[a-z]+|[a-z]+(?<!ing)) ){1,2}(?=[A-Z])")
"""What stands before a name without changing whose it is: "tech-heavy", "coal miner"."""
_NAME = re.compile(r"(?:[A-Z][\w&.+’'-]*|\d[A-Z]\w*)(?: (?:[A-Z&][\w&.+’'-]*|of(?= [A-Z])|\d{2,4})){0,5}|[a-z][A-Z]\w+")
_ASSET = re.compile(
    r"(?:spot |american |us |brent |japanese |swiss )?(?:gold|silver|copper|platinum|crude(?: oil)?|oil|natural gas|yen"
    r"|franc|euro|sterling|dollar(?: index)?|bitcoin|ether)",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    rf"(?:{_WEEKDAY}|{_MONTH}|Shares?|Stocks?|Prices?|Revenues?|Sales|Profits?|Earnings|Losses|Investors|Analysts"
    r"|Futures|Indexes|Indices|Markets?|Companies|Chipmakers?|One|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten|Most"
    r"|Europe|Asia|Wall Street|Tech|Technology|Users?|Downloads?|US|U\.S\.|Demand|Yields?|Bonds?|Power|Others)"
)
_ALSO_CALLED = re.compile(
    r"\b(?P<long>[A-Z][\w&.-]+(?: [A-Z&][\w&.-]*){1,5}),? (?:\((?:the )?(?P<bracket>[A-Z]{2,6})\)"
    r"|(?:or|known as|called)(?: the)? (?P<short>[A-Z]{2,6}),)"
)
_LEGAL = {"inc", "corp", "corporation", "group", "holdings", "technologies", "company", "co", "ltd", "plc", "index"}
_LEVEL = re.compile(
    r"^,? (?:lower |higher |down |up )?(?:to|at)(?: (?:close|end|finish|stand) at)?"
    r" (?P<level>[$€£¥]?\d[\d,]*(?:\.\d+)?)(?![\d%])(?! (?:p\.?m|a\.?m|%))"
    r"|^[^%]{0,45}? and (?:closed|ended|finished|settled) (?:at|near) (?P<then>[$€£¥]?\d[\d,]*(?:\.\d+)?)"
)
_MAY_TELL = re.compile(r"%|\bper ?cent|\bpct\b|\bpc\b|\d(?:pct|pc)\b", re.IGNORECASE)
_MAY_DATE = re.compile(rf"day\b|\d-\d\d-\d|{'|'.join(month[:3] for month in MONTHS)}", re.IGNORECASE)
"""Without these two a sentence tells of no change on a day; most have neither, and looking closely takes long."""
_WHO = r"(?:[Tt]he )?(?P<{}>[A-Z][\w&.’'-]*(?: (?:of |and )?[A-Z][\w&.’'-]*){{0,3}})"
_SAYS = r"(?:reported|said|says|wrote|counted|noted|found|calculated)"
_ACCORDING = re.compile(
    rf"\b[Aa]ccording to {_WHO.format('one')}|, {_WHO.format('two')} {_SAYS}\b(?! that)"
    rf"|^{_WHO.format('three')} {_SAYS} that\b|^(?:\w+ ){{0,3}}{_WHO.format('four')} gave\b"
)


@dataclass(frozen=True, slots=True)
class Move:
    """What a sentence says of one subject: `percent` is signed, `figure` as it is written.

    `level` is where the price got to, as written, or empty; `at_close` tells the day's change from one during the day.
    """

    subject: str
    day: str
    percent: float
    figure: Figure
    at_close: bool
    level: str
    outlets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    move: Move
    passage: Passage
    sentence: Sentence


def daily_changes(
    articles: Iterable[tuple[Article, Sequence[Evidence]]], start: str = "", end: str = ""
) -> list[DailyChange]:
    """The daily changes that articles tell of, by subject and day, the citations numbered throughout.

    Values of one subject and day that agree, one perhaps rounded, are one record; values that differ are several.

    Args:
        articles: each with its passages.
        start: the first day, as ISO 8601 date; empty for no limit, as is `end`, the last day.
    """
    told: list[_Told] = []
    names: dict[str, str] = {}
    for article, evidence in articles:
        for e in evidence:
            for sentence in e.sentences:
                names |= _called(sentence.text)
                told += [
                    _Told(move, e.passage, sentence)
                    for move in moves(sentence.text, article.published)
                    if (not start or move.day >= start) and (not end or move.day <= end)
                ]
    label = _labels([t.move.subject for t in told], names)
    groups: defaultdict[tuple[str, str, bool], list[_Told]] = defaultdict(list)
    for t in told:
        groups[label[t.move.subject], t.move.day, t.move.at_close].append(t)
    numbers = count(1)
    return [
        _change(subject, day, at_close, same, numbers)
        for (subject, day, at_close), of_day in sorted(groups.items(), key=lambda item: (item[0][0].lower(), *item[0]))
        for same in _agreeing(of_day)
    ]


def moves(sentence: str, published: str = "") -> list[Move]:
    """The daily changes that a sentence gives in full.

    >>> [(m.subject, m.day, m.percent) for m in moves("Broadcom regained 2.6% and Marvell 3.5% on 28 January 2025.")]
    [('Broadcom', '2025-01-28', 2.6), ('Marvell', '2025-01-28', 3.5)]

    Args:
        sentence: of an article.
        published: when, as ISO 8601 date; it says which day a weekday is.
    """
    if not (_MAY_TELL.search(sentence) and _MAY_DATE.search(sentence)):
        return []
    # Neither what somebody said nor what stands in brackets tells how a price moved.
    text = re.sub(r"\"[^\"]*\"|“[^”]*”", lambda quoted: "“" + "x" * (len(quoted[0]) - 2) + "”", sentence)
    text = re.sub(r" \([^()]*\)", lambda aside: " " * len(aside[0]), text)
    values = [f for f in figures(text) if f.unit == "percent"]
    if not values:
        return []
    days = _days(text, published)
    if not days:
        return []
    found: list[tuple[list[str], str, float, Figure, bool, str]] = []
    subjects: list[str] = []
    sign, before = 0, 0
    for figure, following in zip(values, [f.start for f in values[1:]] + [len(text)], strict=True):
        piece, after = text[before : figure.start], text[figure.end : following]
        head = text[: figure.start]
        before = figure.end
        if _respective(piece, found, subjects):
            subjects = subjects[1:]
        else:
            read = _read(piece, after, head, subjects, sign)
            if read is None:
                continue
            subjects, sign = read
        day = _day_of(figure, after, days)
        clause = _clause_around(text, figure)
        if not subjects or not day or _NO_PRICE.match(after) or re.search(r"\bbetween $", piece):
            continue
        if _LONGER.search(re.split(r",", after)[0]) or re.search(r"\bthe week\b", head):
            continue
        level = _LEVEL.match(after)
        at_close = not _DURING.search(clause)
        reached = (level["level"] or level["then"]) if level and at_close else ""
        found.append((subjects[:], day, sign * figure.value, figure, at_close, reached))
    outlets = _outlets(sentence)
    return [
        Move(subject, day, percent, figure, at_close, level if len(named) == 1 else "", outlets)
        for named, day, percent, figure, at_close, level in found
        for subject in named
    ]


def _respective(piece: str, found: list[tuple[list[str], str, float, Figure, bool, str]], subjects: list[str]) -> bool:
    """Whether this is the second of two values for two subjects: "Kinder Morgan and Williams slid 9.3% and 8.4%"."""
    if piece.strip() != "and" or len(subjects) != 2 or not found or found[-1][0] != subjects:
        return False
    found[-1] = (subjects[:1], *found[-1][1:])
    return True


def _read(piece: str, after: str, head: str, subjects: list[str], sign: int) -> tuple[list[str], int] | None:
    """Who moved, and which way (1 up, -1 down); None where the words don't say it."""
    moved = [found for found in _MOVED.finditer(piece) if _LINK.fullmatch(piece[found.end() :])]
    if moved:
        verb = moved[-1]
        way = -1 if verb["down"] else 1
        told = piece[: verb.start()]
        if _PARTICIPLE.fullmatch(verb[0]) and told.rstrip().endswith(","):
            return (_first_subject(head) or subjects, way)
        if re.search(r"\b(?:after|of|without|to|by) $", told):
            return None
        named = _subjects(told)
        if not named and (_anaphoric(told) or not re.search(r"\w", _LEADING.sub("", _undated(told)))):
            named = subjects or _first_subject(head)
        return (named, way) if named else ([], way)
    if (way_after := _AFTERWARDS.match(after)) and (stood := list(_STOOD.finditer(piece))):
        if not _LINK.fullmatch(re.sub(r"\bshown\b", "", piece[stood[-1].end() :])):
            return None
        named = _subjects(piece[: stood[0].start()])
        return (named, -1 if way_after["down"] else 1)
    if noun := _NOUN.search(piece):
        return (_subjects(noun["name"]), 1 if noun["up"] else -1)
    if not sign:
        return None
    rest = re.sub(rf"\b(?:{_ROUGH})\s*$", "", piece)
    if re.search(r"\ba further\s*$", piece) and not _MOVED.search(piece):
        return subjects, sign
    if elliptic := _ELLIPTIC.fullmatch(rest):
        named = _subjects(elliptic["name"])
        return (named, sign) if named else None
    return None


def _subjects(told: str) -> list[str]:
    """The names that what stands before a verb ends with: "Dell and Super Micro Computer"."""
    told = _ADVERBS.sub("", told)
    if told.rstrip().endswith(","):
        told = _ASIDE.sub("", told)
    told = _undated(told)
    parts: list[tuple[str, str]] = []
    place = 0
    for boundary in _BOUNDARY.finditer(told):
        parts.append((told[place : boundary.start()], boundary[0].strip()))
        place = boundary.end()
    last = told[place:]
    named = _name(last)
    if not named:
        return []
    found = [named]
    for part, joined in reversed(parts):
        if joined not in ("and", ",", ", and") or not (another := _name(part)):
            break
        found.insert(0, another)
    return found


def _name(part: str) -> str:
    """The name that a part of a sentence is, without words that say only that it has a price; empty if it is none."""
    name = " ".join(part.split()).strip(" ,")
    if whose := re.fullmatch(r"(.*?\w) futures(?: (?:was|were|had|have|been|traded))*", name):
        named = _name(whose[1])
        return named if _ASSET.fullmatch(named) or not named else f"{named} futures"
    previous = ""
    while name != previous:
        previous = name
        name = _TRAILING.sub("", _LEADING.sub("", name, count=1)).strip(" ,")
        name = _OWNER.sub("", name) if _NAME.fullmatch(_OWNER.sub("", name)) else name
    name = _OF_COUNTRY.sub("", re.sub(r" futures for .*| for \w+ delivery", "", name))
    described = _DESCRIBED.match(name)
    if described and not _ASSET.fullmatch(name) and not FUNCTION_WORDS & set(described[0].split()):
        name = name[described.end() :]
    if _ASSET.fullmatch(name):
        return name[0].upper() + name[1:]
    if not _NAME.fullmatch(name) or len(name.split()) > MOST_WORDS:
        return ""
    words = name.split()
    if any(_NO_NAME.fullmatch(word) for word in words[:1]) or words[0].lower() in FUNCTION_WORDS:
        return ""
    return name


def _first_subject(head: str) -> list[str]:
    """The subject of the sentence itself: the name that stands before its first verb."""
    verb = re.search(
        r"\b(?:had|has|was|were|set|hit|closed|ended|finished|called|could|said|began|gave|[a-z]{2,}ed|"
        rf"{_DOWN.partition('|sinking')[0]}|{_UP.partition('|rising')[0]})\b",
        re.sub(r", [^,]*,", lambda aside: "," + "\0" * (len(aside[0]) - 2) + ",", head),
    )
    return _subjects(head[: verb.start()].replace("\0", "x")) if verb else []


def _anaphoric(told: str) -> bool:
    return bool(_ITS.match(re.split(r"[,;:] |\b(?:where|when|while|as|day|and) ", told)[-1].strip()))


def _undated(text: str) -> str:
    return re.sub(rf"\b(?:on|On|by|at|of|the day) (?:{_DAY})", " ", text)


def _days(text: str, published: str) -> list[tuple[str, int, int]]:
    """The days that a sentence names in full, or by their weekday, as ISO dates with their places."""
    named = [d for d in dates(text) if d.day and d.month]
    years = [d.year for d in named if d.year] or ([int(published[:4])] if published[:4].isdigit() else [])
    found = [(_iso(d, years[0]), d.start, d.end) for d in named if years]
    if not named and len(told := weekdays_told(text, published)) == 1 and (at := re.search(_WEEKDAY, text)):
        found = [(told[0], at.start(), at.end())] if re.fullmatch(r"\d{4}-\d\d-\d\d", told[0]) else []
    return [day for day in found if day[0]]


def _iso(day: Date, year: int) -> str:
    try:
        return date(day.year or year, day.month or 1, day.day or 1).isoformat()
    except ValueError:
        return ""


def _day_of(figure: Figure, after: str, days: Sequence[tuple[str, int, int]]) -> str:
    """The day of a value: the one that follows it, or else the last one before it, or the only one there is."""
    following = next(((day, start) for day, start, _ in days if figure.end <= start < figure.end + len(after)), None)
    if following:
        between = after[: following[1] - figure.end]
        if not re.search(r"[,;] ", between) and not _LATER.search(between):
            return following[0]
    earlier = [day for day, start, _ in days if start < figure.start]
    if earlier:
        return earlier[-1]
    later = list(dict.fromkeys(day for day, _, _ in days))
    return later[0] if len(later) == 1 else ""


def _clause_around(text: str, figure: Figure) -> str:
    cuts = [0, *(found.start() for found in _CLAUSE.finditer(text)), len(text)]
    start = max(cut for cut in cuts if cut <= figure.start)
    return text[start : min(cut for cut in cuts if cut > figure.start)]


def _outlets(sentence: str) -> tuple[str, ...]:
    """Who says it, where the sentence names them."""
    named = (next(name for name in found.groups() if name) for found in _ACCORDING.finditer(sentence))
    return tuple(dict.fromkeys(re.sub(r"[’']s$|[.’']+$", "", name) for name in named))


# Names of the same


def _called(text: str) -> dict[str, str]:
    """Short names that a text gives together with the long ones: {"TSMC": "Taiwan Semiconductor ..."}."""
    return {(found["short"] or found["bracket"]): found["long"] for found in _ALSO_CALLED.finditer(text)}


def _labels(subjects: Sequence[str], called: dict[str, str]) -> dict[str, str]:
    """What each name is shown as: names of the same thing, one short for the other, get one."""
    counted = Counter(subjects)
    keys = {name: _key(called.get(name, name)) for name in counted}
    families: dict[str, tuple[str, ...]] = {}
    for name, key in keys.items():
        longer = {k for k in keys.values() if k[: len(key)] == key and k != key and k[-1] != "futures"}
        # "Nasdaq" may be short for the Nasdaq Composite or the Nasdaq 100.
        roots = {k for k in longer if not any(k != o and k[: len(o)] == o for o in longer)}
        families[name] = max(longer, key=len) if len(roots) == 1 else key
    short = {_key(long): name for name, long in called.items()}
    labels: dict[tuple[str, ...], str] = {}
    for family in set(families.values()):
        members = [name for name in counted if families[name] == family]
        best = min(members, key=lambda name: (-counted[name], len(name), name))
        labels[family] = short.get(family, best)
    return {name: labels[family] for name, family in families.items()}


def _key(name: str) -> tuple[str, ...]:
    words = [word.strip(".,").lower() for word in name.split()]
    while len(words) > 1 and words[-1] in _LEGAL:
        words.pop()
    return tuple(words)


# From moves to records


def _agreeing(of_day: Sequence[_Told]) -> Iterator[list[_Told]]:
    """Groups of reports that can be of the same value, the one that most tell first."""
    groups: list[list[_Told]] = []
    for t in sorted(of_day, key=lambda t: (bool(t.move.figure.rough), t.move.figure.step)):
        same = (g for g in groups if all(_same_value(t.move, o.move) for o in g))
        if group := next(same, None):
            group.append(t)
        else:
            groups.append([t])
    yield from sorted(groups, key=len, reverse=True)


def _same_value(one: Move, other: Move) -> bool:
    a, b = one.figure, other.figure
    return one.percent * other.percent >= 0 and (agree(a, b) or bears_out(a, b) or bears_out(b, a))


def _change(subject: str, day: str, at_close: bool, same: Sequence[_Told], numbers: Iterator[int]) -> DailyChange:
    # The most exact report first: it is the value.
    best = same[0].move
    bounds = {"over": "more than", "under": "less than" if at_close else "up to"}
    rough = bounds.get(best.figure.rough, best.figure.rough)
    sentences = {(t.passage.article_id, t.sentence.start): t for t in same}
    return DailyChange(
        subject,
        day,
        best.percent,
        f"{rough} {best.figure.text}".strip(),
        at_close,
        next((t.move.level for t in same if t.move.level), ""),
        tuple(dict.fromkeys(outlet for t in same for outlet in _told_by(t))),
        tuple(
            Citation(next(numbers), t.sentence.text, t.passage, t.sentence.start, t.sentence.end)
            for t in list(sentences.values())[:MOST_CITATIONS]
        ),
    )


def _told_by(told: _Told) -> tuple[str, ...]:
    """Who the sentence names, or whose article it is; nobody where an article rests on several."""
    sources = {source.outlet for source in told.passage.sources} or {told.passage.outlet}
    return told.move.outlets or (tuple(sources - {""}) if len(sources) == 1 else ())
