"""Figures, dates and quotations that sources give differently for the same thing. Pure.

Two values are held against each other only when their sentences name the same subject, the same quantity, the same
day and the same basis, as far as words show it: a wrong dispute misleads more than a missed one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, lru_cache
from itertools import count, pairwise, zip_longest

from rag.facets import outlets_in, weekdays_told
from rag.figures import Date, Figure, agree, dates, figures, same_unit
from rag.headings import heading
from rag.kinds import expected
from rag.period import Period, is_iso_date, periods_named
from rag.records import Citation, Disagreement, Evidence, Passage, ReportedValue, Sentence
from rag.text import FUNCTION_WORDS, function_terms, terms

MOST_SENTENCES = 18
"""Sentences nearest to the question that are compared."""
MOST_DISPUTES = 3
ALIKE = 0.5
"""Quantities are the same when their words are so alike (Jaccard)."""
LARGE = 1e6
"""From here on a number whose unit is left out can be one of dollars."""
FAR_APART = 1.6
"""Values that are so many times apart are only held against each other when all words agree."""
ROUND = 0.01
"""A round figure may be so far from the exact one, as a share, without being rounded on purpose or "about"."""
ENOUGH = 0.5
"""A claim answers a question when it has this share of the question's words."""
REPORTS_APART = 45
"""Reports that name no day at all tell of the same when they are at most so many days apart."""
REPORT_DELAY = 3
"""A report that names no other day tells of the same event as one that happened at most so many days before."""

_NAME = re.compile(
    r"\b(?:[A-Z][\w&.’'-]*\w|[A-Z]{2,}|[A-Za-z]{1,2}\d[\w.-]*)(?: (?:[A-Z][\w&.’'-]*\w|\d{2,4}\b(?!\s?(?:%|per)))){0,4}"
)
_QUOTATION = re.compile(r"[\"“]([^\"”]{12,})[\"”]")
_REPORTING = (
    r"(?:said|says|reported|reports|wrote|writes|counted|counts|calculated|calculates|estimated|estimates|put|puts|gave"
    r"|gives|published|spoke|speaks|recorded|noted|measured|described|cited|carried|rounded|repeated|dated|dates|placed"
    r"|stated|claimed|told|reckoned|headlined|has learned|tallied|quoted|found|showed)"
)
_WHO = r"(?:[Tt]he |[Aa]n? )?(?P<who>(?:[A-Z]|\d+[A-Z])[\w&.’'-]*(?:[ -](?:of |the |and )?[A-Z][\w&.’'-]*){0,4})"
_OTHERS = (
    r"(?P<others>(?:some|other|several|many|later|most|earlier|rival|local|all) (?:\w+ ){0,2}?(?:accounts"
    r"|reports|outlets"
    r"|papers|newspapers|media|sources|estimates|summaries|observers|trackers|analysts|agencies|profiles|officials)"
    r"|others|another (?:\w+ )?(?:estimate|report|account|source|paper|outlet)|police|prosecutors|officials|unions?"
    r"|organisers|organizers|the (?:company|firm|ministry|government|union|operator|council|regulator|mayor|agency))"
)
_ATTRIBUTED = (
    re.compile(
        rf"\b(?:[Aa]ccording to|[Aa]s reported by|in the (?:view|words|reckoning|list|index|ranking) of|per|via"
        rf"|citing) (?:both )?{_WHO}"
    ),
    re.compile(rf"\b(?:[Aa]ccording to|in the view of) {_OTHERS}"),
    re.compile(rf"\b(?:appear(?:s|ed)|printed|carried) (?:in|by) {_WHO}"),
    re.compile(
        rf"(?:\A|[,;:] ?|\b(?:while|whereas|but|and|as|that|where) ){_WHO}(?: \([^)]*\))?(?: (?:also|only|later"
        rf"|then|first|itself|now|already|instead))? {_REPORTING}\b"
    ),
    re.compile(
        rf"(?:\A|[,;:] ?|\b(?:while|whereas|but|and|as) ){_OTHERS}(?: (?:also|still))? (?:{_REPORTING}|give|say"
        rf"|speak|put|count|place|date|report|describe|name|mention)\b",
        re.I,
    ),
    re.compile(
        rf"{_WHO}[’']s (?:own |first |last |later |latest )?(?:figure|count|estimate|reckoning|tally|sum"
        rf"|calculation|report|index|list|headline|number|account|article|story|data)s?\b"
    ),
    re.compile(
        rf"(?:figure|count|estimate|reckoning|tally|sum|calculation|report|story|account|headline"
        rf"|article)s? (?:by|from|in|of) {_WHO}"
    ),
    re.compile(rf", {_WHO} (?:also |later |then )?{_REPORTING}\b"),
    re.compile(rf"\((?:the )?{_WHO}\)"),
)
_NO_SOURCE = re.compile(
    r"(?:It|He|She|They|This|That|These|Those|There|In|On|At|By|Shares|Reports|January|February|March|April|May"
    r"|June|July"
    r"|August|September|October|November|December|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)(?: .*)?"
)
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
_PEOPLE = frozenset({"", "peopl", "dead"})
_TERM = re.compile(r"\b(?!one-|single-)\w+-(?:year|month|week|hour|bit)\b", re.IGNORECASE)
_ORDINARY = re.compile(r"(?:s|ing|ment|tion|ity|age)\Z")
"""How words end that are seldom names."""
_ASKING = frozenset(
    terms("agree differ reports sources vary accounts compare vs versus both seen different counts outlets disagree")
)
_YES_OR_NO = re.compile(
    r"\s*(?:did|do|does|is|are|was|were|has|have|had|can|could|will|would|should)\b(?!.*\b(?:how|what|when|which|who)\b)",
    re.IGNORECASE,
)
_LISTED = re.compile(rf"(?:at|in|by|from) {_WHO}\Z")
_BRIEFLY = re.compile(
    rf"\W*(?:and |while |but )?{_WHO} (?:(?:about|some|around|roughly|nearly|almost|more than|over|at least|up to) )?"
    r"[$€£]?\d[\d.,]*(?: \w+)?\W*\Z"
)
"""Who gives a figure, the verb being said before: "Reuters said $593 billion, CNBC $595 billion"."""
_IN_LIST = re.compile(r"(?:\A\W*(?:and |or )?|: )(?:[a-z]+ ){0,2}[$€£]?\d[^,;:]*\W*\Z")
"""Who gives a figure in a list of them: "$118.42 at Wallstreetcn, $118.51 in The Epoch Times"."""
_REPORT_DAY = re.compile(
    rf"\b(?:{_REPORTING}|appear(?:s|ed)|report|story|article|headline|follow-up|statement|interview|account)"
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
_WEEKDAY = r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)"
_LEVEL = re.compile(r"\b(?:to|at)(?: (?:about|around|some|nearly|almost|only|just|roughly|more than|over))? ?\Z")
_FROM = re.compile(r"\bfrom(?: (?:about|around|some|nearly|almost|its|a|close|of|the)){0,4} ?\Z")

_SAME = {
    form: first
    for first, *others in (
        [
            "fall",
            "lose",
            "drop",
            "declin",
            "slump",
            "slide",
            "sink",
            "tumbl",
            "plung",
            "crash",
            "plummet",
            "shed",
            "wipe",
            "eras",
            "cut",
            "slip",
            "down",
            "decreas",
            "retreat",
            "evapor",
            "vanish",
            "poorer",
            "dive",
            "shrink",
            "wipeout",
            "tank",
        ],
        ["technolog", "tech"],
        ["age", "old"],
        [
            "rise",
            "gain",
            "climb",
            "jump",
            "recov",
            "rebound",
            "add",
            "increas",
            "surg",
            "up",
            "soar",
            "advanc",
            "grow",
            "richer",
        ],
        ["valu", "capitalis", "capit", "cap", "worth", "valuat", "mcap"],
        ["share", "stock", "equiti"],
        ["close", "end", "finish", "settl"],
        ["staff", "employe", "worker", "headcount", "workforc", "employ", "team", "engineer"],
        ["cost", "spend", "expens", "outlay", "bill", "pay", "paid"],
        ["dead", "die", "death", "kill", "fatal", "victim", "toll", "perish", "live"],
        ["injur", "hurt", "wound"],
        ["cut", "lay", "layoff", "job", "redund"][1:],
        ["build", "built", "construct", "complet", "finish"][:3],
        ["found", "founder", "establish", "start", "set", "creat", "regist"][:3],
        ["releas", "launch", "publish", "unveil", "debut", "introduc"],
        ["ban", "block", "prohibit", "forbid", "bar"],
        ["chip", "gpu", "processor"],
        ["buy", "bought", "acquir", "purchas"],
        ["fine", "penalti"],
        ["download", "instal"],
        ["wealth", "fortun"],
    )
    for form in others
}
_HAPPENS = frozenset(
    [
        "found",
        "releas",
        "open",
        "build",
        "start",
        "begin",
        "end",
        "close",
        "ban",
        "born",
        "die",
        "buy",
        "sign",
        "join",
        "hire",
        "appoint",
        "arriv",
        "announc",
        "dissolv",
        "merg",
        "regist",
        "creat",
        "complet",
        "collaps",
        "approv",
        "resign",
        "elect",
        "date",
        "launch",
        "derail",
    ]
)
"""What happens on a day, as terms: only the days of these are held against each other."""
_MEASURES = (
    (frozenset(_SAME.values()) - {"technolog", "chip", "staff", "share"})
    | _HAPPENS
    | {"price", "dead", "old", "age", "poorer", "far", "low", "high"}
)
"""Terms for what is measured or happens, as opposed to what it is said of."""
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
_WEAK_WORDS = """
    about around some nearly almost roughly approximately more than over under least most record biggest
        largest single one day history american us u.s america wall street company companies chipmaker giant group firm
        maker market trading ever worst total sum figure figures count estimate estimated number amount report reports
        account reported said according followed big huge sharp sharply new news come came stand stood
        much many just only exactly put putting result according outlet paper newspaper agency dollars dollar
        percent billion million trillion thousand hundred yuan euros euro pounds points monday tuesday wednesday
        thursday friday saturday sunday today yesterday january february march april may june july august september
        october november december evening night own half inc corp ltd plc group shareholders investors single-day
        one-day early late mid officials later again still also then there it its they their his her he she this that
        spokesman spokeswoman statement confirmed equal amounted reached totalled totaled calculated counted estimated
        published wrote spoke found noted showed described give gave whole size scale part chief executive chairman
        president head shares share stock reach amount amounting city town local
    """
_HOLDS = re.compile(r"\d|[\"“]")
_EXPLAINS = re.compile(
    r"\b(?:differ(?:s|ed|ent|ently|ence)?|depend(?:s|ed|ing) on|which is why|misread\w*|rounded|time zones?"
    r"|own estimates"
    r"|each count\w*|because (?:outlets|sources|reports|some|they|both|each|it counts?|the (?:first|second"
    r"|former|latter))"
    r"|may include|counts? only|leaves? out|excludes?|does not include|intraday|at the close)\b",
    re.IGNORECASE,
)
_NOT_EXPLAINED = re.compile(r"\b(?:no explanation|unexplained|not explain|unclear|nobody knows)\b", re.IGNORECASE)
_REPORTS_AGAIN = re.compile(
    r"\b(?:figures?|sums?|counts?|estimates?|reports?|accounts?|outlets?|totals?|dates?|each|both|numbers?)\b",
    re.IGNORECASE,
)


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


@dataclass(frozen=True, slots=True)
class Stated:
    """A claim in its sentence."""

    claim: Claim
    passage: Passage
    sentence: Sentence

    @property
    def sources(self) -> tuple[str, ...]:
        """Who says so: named in the sentence, or else whose article it is."""
        alone = len({source.outlet for source in self.passage.sources}) <= 1
        return self.claim.sources or ((self.passage.outlet,) if self.passage.outlet and alone else ())


def disagreements(
    question: str, evidence: Sequence[Evidence], citations: Sequence[Citation] = ()
) -> tuple[tuple[Disagreement, ...], tuple[Citation, ...]]:
    """What the passages report differently of what the question asks for, and the citations for it.

    Args:
        evidence: the passages that the answer was made from.
        citations: those of the answer. Values whose sentence is not among them get further ones, numbered on.

    Returns:
        The disagreements, and the further citations.
    """
    asked = _Asked.of(question)
    nearest = sorted(
        (
            (s.dense, e.passage, s)
            for e in evidence
            for s in e.sentences
            if _HOLDS.search(s.text) and asked.may_fit(s.text)
        ),
        key=lambda scored: -scored[0],
    )[:MOST_SENTENCES]
    stated = [
        Stated(claim, passage, sentence)
        for _, passage, sentence in nearest
        for claim in claims(sentence.text, passage.published)
        if asked.fits(claim)
    ]
    further: list[Citation] = []
    numbers = {(c.passage.article_id, c.start, c.end): c.number for c in citations}
    free = count(max(numbers.values(), default=0) + 1)

    def place_of(of: Stated) -> tuple[str, int, int]:
        return of.passage.article_id, of.sentence.start, of.sentence.end

    def number(of: Stated) -> int:
        place = place_of(of)
        if place not in numbers:
            numbers[place] = next(free)
            further.append(Citation(numbers[place], of.sentence.text, of.passage, of.sentence.start, of.sentence.end))
        return numbers[place]

    found = []
    for disputed in _disputes(stated)[:MOST_DISPUTES]:
        values = tuple(
            value for group in disputed for value in _reported(group, number, lambda s: place_of(s) in numbers)
        )
        everything = [s for group in disputed for s in group]
        subject = heading(s.claim.said for s in everything)
        found.append(Disagreement(subject, values, _explanation(everything, evidence)))
    return tuple(found), tuple(further)


def contradict(one: Claim, other: Claim) -> bool:
    """Whether two claims give different values of the same thing."""
    return comparable(one, other) and not _agree(one, other)


def comparable(one: Claim, other: Claim) -> bool:
    """Whether two claims are about the same quantity of the same subject, on the same day and basis."""
    if isinstance(one.value, str) and isinstance(other.value, str):
        return _alike(frozenset(terms(one.value)), frozenset(terms(other.value)))
    if isinstance(one.value, Figure) and isinstance(other.value, Figure):
        a, b = one.value, other.value
        if not same_unit(a, b) or (a.unit != b.unit and min(a.value, b.value) < LARGE) or not _same_time(one, other):
            return False
        if one.counted != other.counted and not {one.counted, other.counted} <= _PEOPLE:
            return False
        if max(a.value, b.value) > FAR_APART * min(a.value, b.value) and one.quantity != other.quantity:
            return False
    elif not (isinstance(one.value, Date) and isinstance(other.value, Date)):
        return False
    elif not (one.subject or (one.quantity == other.quantity and len(one.quantity) > 2)):
        return False  # without a name, every word has to be the same
    elif not one.quantity & other.quantity & _HAPPENS:
        return False
    if one.basis != other.basis or not one.quantity or not other.quantity:
        return False
    # A sentence's first word may be its subject or say what is measured; a subject is compared as such.
    subjects = {term for names in (one.subject, other.subject) for name in names for term in terms(name)}
    shared = subjects if one.quantity - subjects and other.quantity - subjects else set[str]()
    return _same_subject(one.subject, other.subject) and _alike(one.quantity - shared, other.quantity - shared)


@lru_cache(maxsize=4096)
def claims(sentence: str, published: str = "") -> tuple[Claim, ...]:
    """The values that a sentence gives, with what they are said of."""
    found = [*_figure_claims(sentence, published), *_quotation_claims(sentence)]
    if not any(isinstance(claim.value, Figure) for claim in found):
        found += _date_claims(sentence)
    return tuple(found)


# What a sentence claims


@cache
def _weak() -> frozenset[str]:
    """Terms that say nothing about what a value is."""
    return frozenset(terms(_WEAK_WORDS))


@cache
def _common() -> frozenset[str]:
    """Words that begin sentences without being names."""
    return FUNCTION_WORDS | frozenset(_WEAK_WORDS.split())


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
    undated = _undated(text, named)
    told = _undated(text, [day for day in named if _REPORT_DAY.search(text[: day.start])])
    events, reports = _days_of(text, named, published)
    found: list[Claim] = []
    pieces = _pieces(text, [(f.start, f.end) for f in values])
    for (start, end), following in zip_longest(pieces, [begin for begin, _ in pieces[1:]]):
        inside = [f for f in values if start <= f.start < end]
        sources, own = _sources(undated[start:end])
        if not sources and found and found[-1].sources and (brief := _BRIEFLY.match(own)):
            sources, own = (brief["who"],), own[brief.end("who") :]
        quantity = _quantity(own, inside[0])
        names = _names(own, first=not start)
        basis = _basis(own) | (_basis(undated[end:following]) & _WITHIN_THE_DAY)
        days = tuple(day for day, at in events if start <= at < end)
        # What a later piece leaves unsaid stands in an earlier one, rather of the same unit.
        head = next((c for c in reversed(found) if _unit(c) == inside[0].unit), found[-1] if found else None)
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


def _unit(claim: Claim) -> str:
    return claim.value.unit if isinstance(claim.value, Figure) else ""


def _date_claims(sentence: str) -> list[Claim]:
    text = _without_asides(sentence)
    named = dates(text)
    undated = _undated(text, named)
    told = [d for d in named if not _REPORT_DAY.search(text[: d.start])]
    found: list[Claim] = []
    for start, end in _pieces(text, [(d.start, d.end) for d in told]):
        inside = [d for d in told if start <= d.start < end]
        sources, own = _sources(undated[start:end])
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


def _sources(piece: str) -> tuple[tuple[str, ...], str]:
    """Who a piece says gives the value, and its words without that."""
    found: dict[str, None] = {}
    own = piece
    for pattern in _ATTRIBUTED:
        for match in list(pattern.finditer(own)):
            who = match["who"] if "who" in pattern.groupindex else match["others"]
            if _NO_SOURCE.fullmatch(who):
                continue
            found |= dict.fromkeys(
                re.sub(r"\AThe |[’']s\Z|[.,]\Z", "", name) for name in re.split(r" and (?=[A-Z])", who)
            )
            own = own.replace(match[0], " ", 1)
    if not found and (listed := _LISTED.search(own.strip(" ,."))) and _IN_LIST.search(piece):
        found[listed["who"]] = None
        own = own.replace(listed[0], " ", 1)
    for name in outlets_in(own):
        found[name.removeprefix("The ").removeprefix("the ")] = None
        own = own.replace(name, " ")
    return tuple(found), own


def _names(own: str, first: bool) -> frozenset[str]:
    """The names of a piece in lower case, without days and numbers; "?" stands before a sentence's first word.

    Any word can begin a sentence, so that the first one may be no name.
    """
    found = set()
    for match in _NAME.finditer(own):
        words = [re.sub(r"[’']s?\Z", "", word) for word in match[0].split()]
        initial = first and not re.search(r"\w", own[: match.start()])
        if initial and len(words) > 1 and words[0].lower() in _common():
            words, initial = words[1:], False
        words = [word for word in words if not _NO_NAME.fullmatch(word)]
        if words and not (initial and words[0].lower() in _common()):
            doubtful = initial and len(words) == 1 and match[0] == words[0] and _ORDINARY.search(words[0])
            found.add(("?" if doubtful else "") + " ".join(words).lower())
    # "The ten-year note" and "the two-year note" are two things.
    return frozenset(found | {term.lower() for term in _TERM.findall(own)})


def _quantity(own: str, figure: Figure | None = None) -> frozenset[str]:
    names = {term for match in _NAME.finditer(own) for term in terms(match[0])}
    first = re.match(r"\W*(\w+)", own)
    passed_over = _weak() | function_terms()
    said = {
        _SAME.get(term, term)
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
    return _SAME.get(term, term)


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


def _undated(text: str, named: Sequence[Date]) -> str:
    """The text, as long as it was, without its dates."""
    kept = list(text)
    for day in named:
        kept[day.start : day.end] = " " * (day.end - day.start)
    return "".join(kept)


def _blanked(piece: str, value: str) -> str:
    """What is said without who says it, with a blank for the value: "Nvidia lost … on 27 January 2025"."""
    _, own = _sources(piece.replace(value, "…", 1))
    own = re.sub(r"\b(?:about|around|some|nearly|almost|roughly|more than|over|at least|less than) …", "…", own)
    return " ".join(own.split()).strip(" ,;:.")


# Whether two claims are about the same, and agree


def _same_time(one: Claim, other: Claim) -> bool:
    if not one.days or not other.days:
        return (one.reported or not one.days) and (other.reported or not other.days)
    if len(one.days) != len(other.days) and not (one.reported or other.reported):
        return False  # "between 27 January and 6 March" is no day
    pairs = zip(one.days, other.days, strict=False)
    return all(_same_day(a, b, one.reported, other.reported) for a, b in pairs)


def _same_day(a: str, b: str, a_reported: bool, b_reported: bool) -> bool:
    if not a_reported and not b_reported:
        return a.startswith(b) or b.startswith(a)
    if not (is_iso_date(a) and is_iso_date(b)):
        return a.startswith(b) or b.startswith(a)
    late = (date.fromisoformat(b) - date.fromisoformat(a)).days
    if a_reported and b_reported:
        return abs(late) <= REPORTS_APART
    return 0 <= (late if b_reported else -late) <= REPORT_DELAY


def _same_subject(one: frozenset[str], other: frozenset[str]) -> bool:
    a, b = ({name.removeprefix("?") for name in names} for names in (one, other))
    if not a or not b:
        return not a and not b

    def known(name: str, names: Collection[str]) -> bool:
        return any(name == n or n.endswith(f" {name}") or name.endswith(f" {n}") for n in names)

    sure = [known(n, b) for n in one if n[0] != "?"] + [known(n, a) for n in other if n[0] != "?"]
    doubtful = [all(known(n[1:], names) for n in side if n[0] == "?") for side, names in ((one, b), (other, a))]
    return all(sure) and any(known(n, b) for n in a) and any(doubtful)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= ALIKE * len(one | other)


def _agree(one: Claim, other: Claim) -> bool:
    if isinstance(one.value, Figure) and isinstance(other.value, Figure):
        if _out_of_bounds(one.value, other.value) or _out_of_bounds(other.value, one.value):
            return False
        return agree(one.value, other.value) or _round_figure(one.value, other.value)
    if isinstance(one.value, Date) and isinstance(other.value, Date):
        pairs = zip(_parts(one.value), _parts(other.value), strict=True)
        return all(a is None or b is None or a == b for a, b in pairs)
    speakers = [set(re.findall(r"\w{2,}", claim.sources[0])) for claim in (one, other)]
    return bool(speakers[0] & speakers[1])


def _out_of_bounds(bound: Figure, other: Figure) -> bool:
    """Whether one is "more than" or "less than" something that a plain value, however rounded, is not."""
    if other.rough:
        return False
    below, above = other.value < bound.value * (1 - ROUND), other.value > bound.value * (1 + ROUND)
    return (bound.rough == "over" and below) or (bound.rough == "under" and above)


def _round_figure(one: Figure, other: Figure) -> bool:
    """Whether one is the other in round figures, 5,400 for 5,430, or cut off: 593 for 593.7."""
    if one.step != other.step and abs(one.value - other.value) < min(max(one.step, other.step), ROUND * one.value):
        return True
    exact, coarse = sorted((one.value, other.value), key=lambda value: len(f"{value:.12g}".rstrip("0")), reverse=True)
    step = 10.0 ** (len(f"{coarse:.0f}") - len(f"{coarse:.0f}".rstrip("0")))
    return step > 1 and abs(exact - coarse) <= min(step / 2, ROUND * coarse)


def _parts(day: Date) -> tuple[int | None, int | None, int | None]:
    return day.year, day.month, day.day


# From claims to disagreements


def _disputes(stated: Sequence[Stated]) -> list[list[list[Stated]]]:
    """The claims that are about the same, grouped by value, where there are several values; the nearest first."""
    left = list(stated)
    found: list[list[list[Stated]]] = []
    while left:
        first, *rest = left
        same = [first, *(s for s in rest if comparable(first.claim, s.claim))]
        left = [s for s in rest if s not in same]
        groups = _by_value(same)
        twin = next((other for other in found if _share_values(groups, other)), None)
        if twin is not None:
            _join(twin, groups)
        elif len(groups) > 1:
            found.append(groups)
    return found


def _share_values(ones: Sequence[Sequence[Stated]], others: Sequence[Sequence[Stated]]) -> bool:
    """Whether two disputes about the same subject have two values in common: one names a day that the other omits."""
    if not ones or not _same_subject(ones[0][0].claim.subject, others[0][0].claim.subject):
        return False
    return sum(any(_match(one, other) for other in others) for one in ones) > 1


def _join(groups: list[list[Stated]], further: Sequence[Sequence[Stated]]) -> None:
    for group in further:
        own = next((own for own in groups if _match(own, group)), None)
        if own is not None:
            own.extend(group)
        else:
            groups.append(list(group))


def _match(one: Sequence[Stated], other: Sequence[Stated]) -> bool:
    a, b = one[0].claim, other[0].claim
    return type(a.value) is type(b.value) and _unit(a) == _unit(b) and _agree(a, b)


def _by_value(same: Sequence[Stated]) -> list[list[Stated]]:
    """Groups of claims that agree. A vague value joins the only group that it fits; where it fits several, none."""
    groups: list[list[Stated]] = []
    for s in sorted(same, key=_is_vague):
        fitting = [g for g in groups if all(_agree(s.claim, o.claim) for o in [o for o in g if not _is_vague(o)] or g)]
        if len(fitting) == 1 or (fitting and not _is_vague(s)):
            fitting[0].append(s)
        elif not fitting:
            groups.append([s])
    groups = [g for g in groups if any(s.sources for s in g)]
    return [g for g in groups if all(_independent(g, other) for other in groups if other is not g)]


def _is_vague(stated: Stated) -> bool:
    return isinstance(stated.claim.value, Figure) and bool(stated.claim.value.rough)


def _independent(one: Sequence[Stated], other: Sequence[Stated]) -> bool:
    """Whether two values can be two reports': not from one sentence that gives both without saying who says which."""
    return any(
        (a.sources != b.sources and (a.sentence != b.sentence or bool(a.claim.sources and b.claim.sources)))
        or (a.passage.article_id != b.passage.article_id)
        for a in one
        for b in other
    )


def _reported(
    group: Sequence[Stated], number: Callable[[Stated], int], is_cited: Callable[[Stated], bool]
) -> list[ReportedValue]:
    """The values of a group that agrees: roundings are one; "almost $1 trillion" is another than $969 billion."""
    alike: list[list[Stated]] = []
    for s in sorted(group, key=_is_vague):
        fitting = next((g for g in alike if _is_rounding(s, g[0])), None)
        if fitting is not None:
            fitting.append(s)
        elif not alike or not _is_vague(s) or s.claim.sources:
            alike.append([s])
    return [_reported_value(same, number, is_cited) for same in alike]


def _is_rounding(one: Stated, other: Stated) -> bool:
    a, b = one.claim.value, other.claim.value
    if isinstance(a, Figure) and isinstance(b, Figure):
        return agree(replace(a, rough=""), replace(b, rough=""))
    return True


def _reported_value(
    same: Sequence[Stated], number: Callable[[Stated], int], is_cited: Callable[[Stated], bool]
) -> ReportedValue:
    best = same[0]
    value = best.claim.value
    if isinstance(value, Figure):
        words = {"over": "more than", "under": "less than"}.get(value.rough, value.rough)
        shown = f"{words} {value.text}".strip()
    else:
        shown = value.text if isinstance(value, Date) else best.sources[0]
    days = dict.fromkeys(day for s in same for day in (s.claim.days if s.claim.reported else (s.passage.published,)))
    return ReportedValue(
        shown,
        tuple(dict.fromkeys(source for s in same for source in s.sources)),
        tuple(filter(None, days)),
        tuple(sorted({number(s) for s in [s for s in same if is_cited(s)] or [best]})),
    )


def _explanation(everything: Sequence[Stated], evidence: Sequence[Evidence]) -> str:
    """A sentence of the same articles that says why the reports differ; empty where none does."""
    articles = {s.passage.article_id for s in everything}
    texts = [s.sentence.text for s in everything]
    texts += [s.text for e in evidence if e.passage.article_id in articles for s in e.sentences]
    about = {source for s in everything for source in s.sources}
    for text in texts:
        if _EXPLAINS.search(text) and _REPORTS_AGAIN.search(text) and not _NOT_EXPLAINED.search(text):
            values = [s.claim.value for s in everything if isinstance(s.claim.value, (Figure, Date))]
            if sum(value.text in text for value in values) > 1 or sum(source in text for source in about) > 1:
                return " ".join(text.split())
    return ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a question asks for, to tell the claims that answer it."""

    kind: type[Figure] | type[Date] | type[str] | None
    about: frozenset[str]
    """Terms for the subject, all of which a claim must have."""
    measure: frozenset[str]
    """Terms for what is measured or happens, of which it must have one."""
    periods: tuple[Period, ...]
    in_percent: bool
    """Whether only shares of something answer it."""

    @classmethod
    def of(cls, question: str) -> _Asked:
        bare = _undated(question, dates(question))
        for name in outlets_in(bare):
            bare = bare.replace(name, " ")
        words = _same(bare) - _ASKING
        measure = frozenset(words & _MEASURES)
        kinds: dict[str, type[Figure] | type[Date] | type[str]] = {"date": Date, "figure": Figure, "": Figure}
        kinds |= {"statement": str, "person": str} | ({"meaning": Figure} if measure else {})
        in_percent = bool(re.search(r"\bhow far\b|\bper ?cent", question, re.IGNORECASE))
        kind = kinds.get(expected(question))
        if _YES_OR_NO.match(question) and not re.search(r"\d", question) and _ASKING.isdisjoint(terms(question)):
            kind = None
        return cls(kind, frozenset(words - measure), measure, periods_named(question), in_percent)

    def may_fit(self, text: str) -> bool:
        """Whether a sentence has the words that a claim must have."""
        return self.kind is not None and self._has_words(_same(text))

    def fits(self, claim: Claim) -> bool:
        """Whether a claim is about what is asked."""
        if self.kind is None or not isinstance(claim.value, self.kind):
            return False
        if isinstance(claim.value, str):
            return self._has_words(_same(f"{claim.value} {claim.sources[0]}"))
        if self.in_percent and _unit(claim) not in ("percent", "points", "percentage points"):
            return False
        subject = {_SAME.get(term, term) for name in claim.subject for term in terms(name)}
        if not self._has_words(claim.quantity | subject | {claim.counted}):
            return False
        if claim.reported or not claim.days or not self.periods:
            return True
        return any((p.start or day)[: len(day)] <= day <= (p.end or day) for p in self.periods for day in claim.days)

    def _has_words(self, said: Collection[str]) -> bool:
        missing = len(self.about.difference(said))
        return missing <= len(self.about) // 4 and (not self.measure or not self.measure.isdisjoint(said))


@lru_cache(maxsize=4096)  # the same sentences are looked at for one question after another
def _same(text: str) -> frozenset[str]:
    """The terms of a text that say something, words for the same as one."""
    passed_over = function_terms() | _weak()
    return frozenset(_SAME.get(t, t) for t in terms(text) if not t[0].isdigit() and t not in passed_over)
