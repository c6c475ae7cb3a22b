"""The outlets, days and speakers that a question names, as preferences among passages; without a model. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TypeVar

from rag.period import Period, is_iso_date, periods_named
from rag.records import Evidence, Facet, Passage
from rag.text import FUNCTION_WORDS

T = TypeVar("T")

PULL = 0.8
"""A passage that has all that the question names scores so much higher, as a share of its score."""
HEAD = 4
"""Among so many first passages each of several outlets, days or subjects that the question names has its place."""
HAS = 0.5
"""A passage that fits at least this well has what is wanted."""
NEAR = 0.5
"""A passage with this share of the best score is near enough to the question to stand for an outlet."""

# Outlets that are recognised wherever they stand, and how they are called for short.
_KNOWN = {
    "ABC News": "",
    "AFP": "Agence France-Presse|Agence France Presse",
    "Al Jazeera": "",
    "Ars Technica": "",
    "Associated Press": "AP|AP News",
    "Axios": "",
    "Barron's": "Barrons",
    "BBC": "BBC News",
    "Bloomberg": "Bloomberg News",
    "Business Insider": "",
    "Caixin": "",
    "CBS News": "",
    "CNBC": "",
    "CNN": "",
    "Der Spiegel": "Spiegel",
    "Economic Times": "",
    "Economist": "the Economist",
    "El País": "El Pais",
    "Euronews": "",
    "Financial Times": "FT",
    "Forbes": "",
    "Fox News": "",
    "Guardian": "the Guardian",
    "Handelsblatt": "",
    "Investor's Business Daily": "IBD|Investors Business Daily",
    "Le Monde": "",
    "MarketWatch": "Market Watch",
    "MIT Technology Review": "Technology Review|MIT Tech Review",
    "NBC News": "NBC",
    "New York Times": "NYT|NY Times",
    "NPR": "",
    "Politico": "",
    "Reuters": "",
    "SCMP": "South China Morning Post",
    "Semafor": "",
    "Sky News": "",
    "TechCrunch": "Tech Crunch",
    "VentureBeat": "Venture Beat",
    "Wall Street Journal": "WSJ|the Journal",
    "Washington Post": "WaPo",
    "Xinhua": "",
    "Yahoo Finance": "",
}
_MEDIUM = re.compile(
    r"\w[ -](?:Post|Times|News|Journal|Herald|Tribune|Observer|Gazette|Chronicle|Daily|Weekly|Magazine|Review|Press"
    r"|Mail|Standard|Telegraph|Courier|Wire|Newswires|TV|Radio|Insider|Monitor|Examiner|Bulletin|Dispatch|Ledger|Echo)\Z"
)
"""A name of several words with such an end is an outlet's wherever it stands; other names are where one is meant."""
_OFTEN_WORDS = (
    "Fortune",
    "Time",
    "Quartz",
    "The Information",
    "Wired",
    "Mint",
    "The Register",
    "The Verge",
    "The Hill",
)
_SMALL_WORDS = ("journal", "guardian", "economist", "spiegel")
_REPORTS = (
    r"(?:report|writ|wrote|publish|print|headlin|broke|break|describ|cover|estimat|calculat|count|claim|tell|told|state"
    r"|credit|cite|quote|note|put|call)\w*"
)
_SAYS = r"(?:say|says|said|saying|give|gives|gave|have|had)"
_CREDITED_BEFORE = re.compile(
    r"(?:according to|as per|per|via|citing|cited|quoted|quoting|credited to|(?:reported|published|written|counted"
    r"|calculated|carried|given|quoted|cited|printed|read|said|estimated) (?:by|in|at|on)|(?:story|report|article|piece"
    r"|account|coverage|headline|interview)s? (?:by|from|in|with)|(?:analysis|figure|number|count|tally|estimate|sum"
    r"|version)s? (?:by|from))(?: (?:both|either|the|[A-Z][\w’' ]{1,30}(?:,| and| or)(?: to| by| in)?))* ?\Z",
    re.IGNORECASE,
)
_REPORTS_AFTER = re.compile(rf" (?:(?:first|also|then|actually|originally) )?{_REPORTS}\b")
_OWN_REPORT_AFTER = re.compile(
    r"[’']s? (?:own |first )?(?:article|report|story|piece|account|coverage|headline|figure|estimate|version|count)s?\b"
)
_SAYS_AFTER = re.compile(rf" {_SAYS}\b")
_BESIDE_ANOTHER = re.compile(r"(?:,|,? (?:and|or|vs\.?|versus|with|than))(?: in| by| to)?(?: the)? ")
_ASKED_BEFORE = re.compile(r"\b(?:did|does|do|has|have|had|what|how) (?:both )?(?:the )?\Z", re.IGNORECASE)

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
_SAID = re.compile(
    r"[\"“„]|\b(?:said|says|told|wrote|writes|called|calls|argued|posted|warned|added|tweeted|claimed|answered|replied"
    r"|announced|described|praised|admitted|promised|predicted|thinks|believes|according to)\b"
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

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH})\b\.?,?(?: (\d{{4}})\b)?"
    rf"|\b({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (\d{{4}})\b)?"
    rf"|\b(\d{{4}}-\d\d-\d\d)\b|\b({'|'.join(_WEEKDAYS)})\b"
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
    reporters = _outlets(question, outlets)
    reported = bool(reporters) or bool(re.search(r"\breports?\b|\breported\b|\bpublished\b", question))
    days = [
        Wanted(Facet("date", _label(period)), period=period, reported=reported)
        for period in periods_named(question)
        # A year is a word to search for like any other, unless reports of that year are asked for.
        if reported or not _label(period).isdecimal()
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


def preference(passage: Passage, wanted: Sequence[Wanted]) -> float:
    """How far a passage has what the question names: 0 to 1. Of several outlets or days one is enough."""
    best: dict[str, float] = {}
    outlets = [w for w in wanted if w.facet.kind == "outlet"]
    for w in wanted:
        best[w.facet.kind] = max(best.get(w.facet.kind, 0.0), _fit(passage, w, outlets))
    return sum(best.values()) / len(best) if best else 0.0


def boost(passage: Passage, wanted: Sequence[Wanted]) -> float:
    """The factor by which a passage's score grows for what the question names: 1 where it has nothing of that.

    A factor leaves passages that have little to do with the question behind, whatever their outlet and day.
    """
    return 1 + PULL * preference(passage, wanted)


def prefer(ranked: Sequence[Evidence], wanted: Sequence[Wanted]) -> list[Evidence]:
    """The passages ranked anew by score and `boost`; none is left out, and the highest score stays what it was."""
    if not wanted or not ranked:
        return list(ranked)
    scores = [e.passage.score * boost(e.passage, wanted) for e in ranked]
    scale = max(e.passage.score for e in ranked) / (max(scores) or 1.0)
    raised = [
        Evidence(e.passage.scored(s * scale), e.sentences, e.matches) for e, s in zip(ranked, scores, strict=True)
    ]
    return sorted(raised, key=lambda e: -e.passage.score)


def cover(ranked: Sequence[T], wanted: Sequence[Callable[[T], bool]], head: int = HEAD) -> list[T]:
    """All of `ranked`, the best that each of `wanted` is true of among the first `head`, where there is one.

    >>> cover([12, 14, 16, 18, 15], [lambda n: n % 5 == 0, lambda n: n % 2 == 0], head=3)
    [12, 14, 15, 16, 18]
    """
    order = list(range(len(ranked)))
    for is_wanted in wanted:
        first, rest = order[:head], order[head:]
        best = next((i for i in rest if is_wanted(ranked[i])), None)
        if best is None or any(is_wanted(ranked[i]) for i in first):
            continue
        # The last one gives way that nothing else wanted rests on.
        spare = next((i for i in reversed(first) if not any(_rests(w, ranked, first, i) for w in wanted)), None)
        if spare is not None:
            first.remove(spare)
            order = [*first, best, *sorted([spare, *(i for i in rest if i != best)], key=order.index)]
    return [ranked[i] for i in order]


def cover_parts(ranked: Sequence[Evidence], wanted: Sequence[Wanted]) -> list[Evidence]:
    """`cover` for passages and what `parts` names: an outlet's own article rather than one that mentions it."""

    def having(part: Wanted) -> Callable[[Evidence], bool]:
        near = (e for e in ranked if e.passage.score >= NEAR * ranked[0].passage.score)
        need = max([HAS, *(fit(e.passage, part) for e in near)])
        return lambda evidence: fit(evidence.passage, part) >= need

    return cover(ranked, [having(part) for part in wanted])


def fit(passage: Passage, wanted: Wanted) -> float:
    """How far a passage has one thing that is wanted: 0 to 1."""
    return _fit(passage, wanted, ())


def _rests(wanted: Callable[[T], bool], ranked: Sequence[T], first: Sequence[int], one: int) -> bool:
    return wanted(ranked[one]) and not any(wanted(ranked[i]) for i in first if i != one)


# What a question names


def _outlets(question: str, outlets: Collection[str]) -> list[Wanted]:
    known, pattern = _finder(frozenset(outlets))
    small = question == question.lower()
    sure: list[re.Match[str]] = []
    unsure: list[re.Match[str]] = []
    for match in pattern.finditer(question):
        label, names, certain = known[_key(match[0])]
        if _written_right(match[0], names, small or certain):
            (sure if certain or _is_credited(match, label) else unsure).append(match)
    # "Fortune vs CNBC": a word beside an outlet is one too.
    sure += [match for match in unsure if any(_beside(question, match, other) for other in sure)]
    found = [known[_key(match[0])] for match in sorted(sure, key=lambda match: match.start())]
    return list(dict.fromkeys(Wanted(Facet("outlet", label), names) for label, names, _ in found))


def _beside(question: str, one: re.Match[str], other: re.Match[str]) -> bool:
    (_, end), (start, _) = sorted((one.span(), other.span()))
    return bool(_BESIDE_ANOTHER.fullmatch(question, end, start)) and not one[0].islower()


@lru_cache(maxsize=8)
def _finder(outlets: frozenset[str]) -> tuple[dict[str, tuple[str, tuple[str, ...], bool]], re.Pattern[str]]:
    """By every name of an outlet: its label, all of its names, and whether it is unmistakable; and what finds them."""
    known: dict[str, tuple[str, tuple[str, ...], bool]] = {}
    for label, aliases in _KNOWN.items():
        names = (label, *(alias for alias in aliases.split("|") if alias))
        known |= {_key(name): (label, names, True) for name in names}
    for label in (*_OFTEN_WORDS, *(name for outlet in sorted(outlets) for name in _names(outlet))):
        known.setdefault(_key(label), (label, (label,), bool(_MEDIUM.search(label))))
    alternatives = sorted((key for key in known if len(key) > 1), key=len, reverse=True)
    written = "|".join(re.escape(key).replace("'", "[’']") for key in alternatives)
    return known, re.compile(rf"(?<![\w@/.])(?:the )?(?:{written})(?![\w/]|\.\w)", re.IGNORECASE)


def _names(outlet: str) -> list[str]:
    """Whom an outlet's name names: "Reuters (via TRT World)" is Reuters and TRT World."""
    named = re.sub(r"\b(?:via|after|retold by|summary by|carried by)\b", "", outlet)
    return [" ".join(name.split()) for name in re.split(r"[()/]", named) if name.strip()]


def _key(name: str) -> str:
    return name.lower().replace("’", "'").removeprefix("the ")


def _written_right(found: str, names: Sequence[str], small: bool) -> bool:
    """Capitals count: "AP" is no "ap", and "the Journal" no "the journal"; but people do write "reuters".

    Args:
        small: whether a name may be written without capitals.
    """
    bare = re.sub(r"\A[Tt]he ", "", found)
    if small and bare == bare.lower():
        return len(bare) > 2 and bare not in _SMALL_WORDS
    if any(name.isupper() and _key(name) == _key(found) for name in names):
        return bare.isupper()
    if any(_key(name) == _key(found) and name.startswith("the ") for name in names) and bare != "Economist":
        return bare[0].isupper() and found != bare  # "Journal" alone is none
    return bare[0].isupper() or " " in bare or bare[0].isdigit()


def _is_credited(match: re.Match[str], label: str) -> bool:
    before, after = match.string[: match.start()], match.string[match.end() :]
    if label.startswith("The ") and not match[0].lower().startswith("the "):
        return False
    asked = _ASKED_BEFORE.search(before) and (
        _REPORTS_AFTER.match(after) or (label in _OFTEN_WORDS and _SAYS_AFTER.match(after))
    )
    reports = _OWN_REPORT_AFTER.match(after) or (not before and _REPORTS_AFTER.match(after))
    return bool(asked or reports or _CREDITED_BEFORE.search(before))


def _speakers(question: str, outlets: Sequence[Wanted]) -> list[Wanted]:
    found: dict[str, Wanted] = {}
    taken = {_key(name) for outlet in outlets for name in outlet.names}
    for pattern in (_SPOKE, _ACCORDING, _SPEAKERS_WORDS) if question != question.lower() else (_SPOKE_SMALL,):
        for match in pattern.finditer(question):
            name = re.sub(r"[’']s?\Z", "", _without_function_words(match["name"]))
            words = name.lower().split()
            if name and _key(name) not in taken and not _DATE_WORD.fullmatch(name) and not _NO_SPEAKER & set(words):
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
    known, _ = _finder(frozenset())
    outlets = {_key(name) for w in wanted if w.facet.kind == "outlet" for name in w.names}
    names: dict[str, None] = {}
    lists = [re.split(rf", |{_BETWEEN}(?:the |that of |those of )?", m[0]) for m in _SEVERAL.finditer(question)]
    lists += [list(m.groups()) for m in _COMPARED.finditer(question)]
    for several in lists:
        bare = [re.sub(r"[’']s?\Z", "", _without_function_words(name)) for name in several if name]
        if len(bare) > 1 and all(
            name and not _DATE_WORD.match(name) and _key(name) not in outlets and _key(name) not in known
            for name in bare
        ):
            names |= dict.fromkeys(bare)
    return [Wanted(Facet("subject", name), (name,)) for name in names] if len(names) > 1 else []


def _label(period: Period) -> str:
    """
    >>> _label(Period("2025-01-27", "2025-01-31")), _label(Period("", "2025-01-19"))
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


# What a passage has


def _fit(passage: Passage, wanted: Wanted, outlets: Sequence[Wanted]) -> float:
    match wanted.facet.kind:
        case "outlet":
            return _fit_outlet(passage, wanted.names)
        case "date":
            return _fit_period(passage, wanted, outlets)
        case "speaker":
            return _fit_speaker(passage.text, wanted.names)
    return float(_stands(wanted.names[0], passage.text) or _stands(wanted.names[0], passage.title))


def _fit_outlet(passage: Passage, names: tuple[str, ...]) -> float:
    keys = frozenset(map(_key, names))
    publishers = {source.outlet for source in passage.sources} | {passage.outlet} - {""}
    if publishers and all(_is_outlet(publisher, keys) for publisher in publishers):
        return 1.0
    if any(_stands(name, passage.text) for name in names if name not in _OFTEN_WORDS or _credits(name, passage.text)):
        return 0.9
    if _is_outlet(passage.outlet, keys):
        return 0.6
    return 0.4 if any(_is_outlet(publisher, keys) for publisher in publishers) else 0.0


@lru_cache(maxsize=4096)
def _is_outlet(outlet: str, keys: frozenset[str]) -> bool:
    """Whether an outlet is one of these: "Bloomberg Opinion" is Bloomberg's, "Mint (after Reuters)" also Reuters'."""
    return any(own == key or own.startswith(f"{key} ") for own in map(_key, _names(outlet)) for key in keys)


def _credits(name: str, text: str) -> bool:
    return any(
        _REPORTS_AFTER.match(text, m.end())
        or _OWN_REPORT_AFTER.match(text, m.end())
        or _SAYS_AFTER.match(text, m.end())
        or _CREDITED_BEFORE.search(text[: m.start()])
        for m in re.finditer(rf"\b{re.escape(name)}\b", text)
    )


def _fit_period(passage: Passage, wanted: Wanted, outlets: Sequence[Wanted]) -> float:
    """Days of the articles and of what they tell: a report of the day, or one that names the day."""
    period = wanted.period or Period()
    inside = _within(period)
    keys = frozenset(_key(name) for outlet in outlets for name in outlet.names)
    published = {passage.published}
    published |= {s.date for s in passage.sources if not keys or _is_outlet(s.outlet, keys)} if keys else set()
    tells = [inside(day) for day in days_told(passage)]
    told = 0.0 if not any(tells) else 1.0 if all(tells) or period.start == period.end else 0.7
    told = max(told, float(any(_stands(name, passage.text) for name in _spans_named(period))))
    next_day = _within(_day_after(period))
    on_time = 1.0 if any(map(inside, published)) else 0.5 if any(map(next_day, published)) else 0.0
    return max(on_time, 0.8 * told) if wanted.reported else max(told, 0.8 * on_time)


def _spans_named(period: Period) -> tuple[str, ...]:
    """How a text names a whole year or month: without days."""
    label = _label(period)
    whole = re.fullmatch(r"(?:[A-Z]\w+ )?\d{4}", label)
    return (label,) if whole else ()


def _within(period: Period) -> Callable[[str], bool]:
    return lambda day: bool(day) and (period.start or day) <= day <= (period.end or day)


def _day_after(period: Period) -> Period:
    if not period.end:
        return period
    following = (date.fromisoformat(period.end) + timedelta(days=1)).isoformat()
    return Period(following, following)


def days_told(passage: Passage) -> tuple[str, ...]:
    """The days that a passage names, as ISO dates; a weekday is the last one up to its publication."""
    return _days_told(passage.text, passage.published)


def weekdays_told(text: str, published: str) -> tuple[str, ...]:
    """The days that a text calls by their weekday, as ISO dates where it is known when it was published."""
    if is_iso_date(published):
        return tuple(_days_told(text, published))
    return tuple(dict.fromkeys(re.findall("|".join(_WEEKDAYS), text)))


def outlets_in(text: str) -> tuple[str, ...]:
    """The names of well-known outlets that stand in a text, as they are written there."""
    known, pattern = _finder(frozenset())
    found = (match[0] for match in pattern.finditer(text) if known[_key(match[0])][2])
    return tuple(name for name in dict.fromkeys(found) if _written_right(name, known[_key(name)][1], False))


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


def _fit_speaker(text: str, names: tuple[str, ...]) -> float:
    full, last = names[0], names[-1]
    if not _stands(last, text):
        return 0.0
    sentence = next((s for s in re.split(r"(?<=[.!?])\s", text) if _stands(last, s) and _SAID.search(s)), "")
    return 1.0 if sentence else 0.5 if _stands(full, text) else 0.4


def _stands(name: str, text: str) -> bool:
    position = text.find(name)
    while position >= 0:
        end = position + len(name)
        if not (text[position - 1 : position].isalnum() or text[end : end + 1].isalnum()):
            return True
        position = text.find(name, end)
    return False
