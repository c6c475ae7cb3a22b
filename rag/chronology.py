"""Whether a question asks for what happened in a period, in order; without a model. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from rag.period import CRASH, EACH_DAY, Period, period_named
from rag.telling import deeds_named
from rag.text import terms

STORY = Period((CRASH - timedelta(days=7)).isoformat(), (CRASH + timedelta(days=8)).isoformat())
"""The days told where none are named: from the release of R1 to the first bans."""

_ORDERS = (
    r"\b(?:list|name|give|show|tell|put|arrange|sort|bring|place|set|order|outline|recap|describe|recount|trace|retrace|reconstruct"
    r"|summari[sz]e|sum up|sketch|chart)\b"
)
_SEVERAL = (
    r"\b(?:steps|moves|measures|bans|blocks|releases|launches|models|reactions|statements|events|hearings|letters|bills"
    r"|findings|rules|stages)\b"
)
_HAPPENINGS = r"(?:events|developments|days?|weeks?|weekends?|months?|story)"
# Asks for events in order, whatever the period.
_IN_ORDER = re.compile(
    r"\btime ?lines?\b|\bchronolog\w*|\b(day|session|week|month|year)[- ]by[- ]\1\b"
    r"|\b(?:sequence|course|order|run|chain|series|succession) of (?:the )?events\b"
    r"|\b(?:key|main|(?:most )?important|major) (?:dates|moments|milestones)\b"
    r"|\bhow did .*\b(?:unfold|play out)\b|\bhow did (?:the )?(?:events|story|things) (?:develop|go on|evolve)\b"
    r"|\bin (?:what|which) order\b|\bin sequence\b|\b(?:oldest|earliest) (?:ones? )?first\b"
    r"|\bwhat (?:happened|came|was) when\b(?= *(?:$|[,;:.?!]|in\b|and\b|between\b|during\b))"
    r"|\bwhen did what happen\b"
    r"|\b(?:give|list|name|tell)(?: me| us)?(?: all)?(?: the)? dates\b"
    rf"|(?:{_ORDERS}|\b(?:which|what|walk|take|run|guide|lead)\b).*"
    r"\bin (?:(?:the|their|right|date|chronological) )*order\b(?! to\b)"
    rf"|{_ORDERS}.*\b(?:by|with) dates?\b(?! or\b)"
    r"|\b(?:sequence|order|steps|stages) (?:with|by|and) (?:the |their )?dates?\b"
    r"|\b(?:with|and) (?:the |their )?(?:dates|years)\b(?:,? (?:please|pls))?\W*$|\bdates,? (?:please|pls)\b"
    r"|\bwhat\b.*\bhappened\b.*\bon (?:which|what) (?:day|date)s?\W*$|\bwhen did (?:each|every)\b"
    r"|\b(?:which|what)(?: \w+){0,4}? (?!(?:does|was|has|its|this)\b)\w{2,}[^\Ws]s\b.*\band when\W*$"
    rf"|(?:{_ORDERS}.*|\b(?:short|brief|quick|potted) )\bhistory of\b"
    rf"|{_ORDERS}.*{_SEVERAL}.*\bfrom\b.*\b(?:to|into|until|till)\b"
    r"|\b(?:trace|retrace|reconstruct)\b.*\bfrom\b.*\b(?:to|into|until|till)\b"
    rf"|{_SEVERAL}.*\bone (?:after (?:the other|another)|by one)\b|\bhow did\b.*\bstep by step\b"
    rf"|{_ORDERS} (?:(?:me|us|up|the|main|key) )*(?:events|developments|happenings)\b"
    rf"|\b(?:walk|take|run|guide|lead|talk|go) (?:(?:me|us) )?(?:back )?through .*\b{_HAPPENINGS}\b",
    re.IGNORECASE,
)
# So does this where it names days.
_ONE_BY_ONE = re.compile(
    r"\b(?:one (?:after|by) (?:the other|another|one)|step by step|hour by hour)\b"
    r"|\b(?:walk|take|run|guide|lead|talk) (?:me|us) through\b",
    re.IGNORECASE,
)
_BESIDES = re.compile(
    r"\A\W*(?:[Aa]fter|[Bb]esides|[Aa]part from|[Oo]ther than|[Ee]xcept(?: for)?) (?!The\b)[A-Z][\w.-]*"
    r"(?: [A-Z][\w.-]*)*, (?=who|which|what)"
)
_WENT_DOWN = re.compile(r"\bwhat went down (?=on|in|over|during|between|that)", re.IGNORECASE)
_WHICH_DAY = re.compile(
    r"(?<=\d), (?:the|a|one) (?:day|session|Monday|Tuesday) (?:after|before|of|on which|when|that)\b[^,;?]*",
    re.IGNORECASE,
)
"""Says of a date what day it was."""
_NAMED = re.compile(r"(?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b[A-Z]")
_REQUEST = re.compile(
    r"\A[^?]{15,}?\b(?:can|could|would|will) (?:you|u|someone|anyone|somebody|anybody)\b"
    r"(?: (?:please|perhaps|maybe|just|kindly|also))*",
    re.IGNORECASE,
)
_EVENT = re.compile(
    r"\b(?:releases?|launch|debut|publication|announcement|unveiling|crash|sell-?off|rout|slump|plunge|shock|rebound|recovery"
    r"|bounce|bans?|block|blocking|rise|(?:cyber[- ]?)?attack|inauguration|summit|hearing|testimony|coming out"
    r"|(?:bad|black|crash) Monday|the (?:day|moment) the markets? \w+)\b",
    re.IGNORECASE,
)
"""What happened on a day."""
_MODEL = re.compile(
    r"(?:(?:its|the|DeepSeek(?:['’]s)?|model) )*"
    r"((?:DeepSeek[- ]?)?(?:[RV]\d[\w.-]*|Janus[\w-]*)|o\d[\w-]*"
    r"|(?:GPT|Qwen|Kimi|Grok|Gemini|Claude|Llama)[\w .-]*|Deep Research)"
    r"(?: models?)?",
    re.IGNORECASE,
)
"""Among events, the release of the model."""
_BESIDE = re.compile(
    r"(?:[,;]|[,;]? (?:and|over|to|until|up to|through|via|by way of|between|from)(?= )|(?= then ))(?: then(?= ))?",
    re.IGNORECASE,
)
_ANY = frozenset(terms("DeepSeek AI artificial intelligence stuff things around first five all news"))
"""What is only of these is what all articles are about."""
_SPAN = re.compile(r"\b(?:from|between|since) .+ (?:to|until|till|through|and) [^,.:;?]+", re.IGNORECASE)
# Asks for what happened in a period.
_HAPPENED = re.compile(
    r"\bwhat (?:(?:else|all|exactly|important|major) )*(?:happened|took place|occurred|went on|came next|followed"
    r"|was (?:going on|happening))\b"
    r"|\b(?:which|what)(?: (?:were|are))?(?: the)?(?: (?:main|key|most important|important|major|other))?"
    r" (?:events?|developments)\b",
    re.IGNORECASE,
)
_AMONG = re.compile(r"\b(?:among|around) (?:the )?\w", re.IGNORECASE)
"""Asks for what several did."""
_DID = re.compile(
    r"\bwhat (?:did|had) (?:[\w’'.&-]+,? ){1,6}?(?:bring out|release|announce|launch|ship|unveil|publish|do about \w+)"
    r"(?= (?:in|on|over|during|after|before|between|within|from)\b)|\bwhat went wrong\b",
    re.IGNORECASE,
)
"""Asks for several things where it names several days."""
_WHICH_DEEDS = re.compile(rf"\b(?:which|what) (?:\w+ )??{_SEVERAL}", re.IGNORECASE)
"""Asks for several things where it names a few days."""
_WHICH_DOERS = re.compile(
    r"\bwhich (?:\w+ )??(?:governments|countries|states|authorities|agencies|ministries|regulators|companies|firms)\b",
    re.IGNORECASE,
)
"""So does this where it says what these did."""
MOST_DAYS = 15
"""Of a period that is a few days: longer ones have been summed up."""
# Asks how something went on over several days.
_WENT_ON = re.compile(
    rf"{EACH_DAY.pattern}"
    r"|\bhow did\b.*?\b(?:move|react|respond|fare|perform|develop|evolve|change|trade|do|go on|continue)\b"
    r"(?=\W*(?:$|(?:each|every|in|over|during|after|before|from|between|since|on|through)\b))",
    re.IGNORECASE,
)


def asked_timeline(question: str, earlier: str = "", likely: bool = False) -> Period | None:
    """The period of a question that asks for its events in order; None for any other question.

    >>> asked_timeline("What happened on 27 January 2025?")
    Period(start='2025-01-27', end='2025-01-27', subject='')
    >>> asked_timeline("What happened to Nvidia in the week after the crash?")
    Period(start='2025-01-28', end='2025-02-03', subject='Nvidia')
    >>> asked_timeline("Put in order: the Stargate announcement, the crash, the rebound.")
    Period(start='2025-01-20', end='2025-02-04', subject='')
    >>> asked_timeline("How much did Nvidia lose on 27 January 2025?") is None
    True

    Args:
        earlier: the question before, for "And what happened in the week after?".
        likely: whether `rag.sequence` takes it for one that asks so.
    """
    question = _WENT_DOWN.sub("what happened ", question)
    asks_so = (_IN_ORDER, _ONE_BY_ONE, _HAPPENED, _WENT_ON, _DID, _WHICH_DEEDS, _WHICH_DOERS)
    if not likely and not any(pattern.search(question) for pattern in asks_so):
        return None
    # "After Italy, who ..." is about others.
    question = _WHICH_DAY.sub("", _BESIDES.sub("", question))
    period = period_named(question, earlier)
    # What is told before a request is seldom what is to be listed, but may say of which days.
    request = _REQUEST.sub("", question, count=1)
    if request != question and _NAMED.search((of_request := period_named(request, earlier)).subject):
        question = request
        period = of_request if of_request.start or of_request.end else replace(period, subject=of_request.subject)
    if _ANY.issuperset(terms(period.subject)):
        period = Period(period.start, period.end)
    limited = bool(period.start or period.end)
    several_days = bool(period.start and period.end) and period.start < period.end
    one_by_one = several_days and _ONE_BY_ONE.search(question)
    if _IN_ORDER.search(question) or one_by_one or likely:
        span = _SPAN.search(question)
        spans_event = span is not None and (limited or _EVENT.search(span[0]))
        listed = events_listed(question)
        if listed or (spans_event and not period_named(_SPAN.sub("", question)).subject):
            periods = [period, *map(period_named, listed)]
            return _spanned(periods) if several_days else _of_all(*periods)
        # "How did the crash unfold?" asks for more than that day.
        of_all = period.start == period.end == CRASH.isoformat() and not re.search(r"\d", question)
        return _of_all(period) if not period.subject and (of_all or not limited) else period
    # "What happened to Nvidia on Monday?" has an answer of its own.
    happened = _HAPPENED.search(question)
    of_several = happened and (" all " in happened[0] or _AMONG.search(question))
    if happened and (several_days or (limited and (not period.subject or of_several))):
        return period
    few_days = several_days and date.fromisoformat(period.end) - date.fromisoformat(period.start) < timedelta(MOST_DAYS)
    went_on = several_days and (_WENT_ON.search(question) or _DID.search(question))
    by_several = _WHICH_DEEDS.search(question) or (_WHICH_DOERS.search(question) and deeds_named(period.subject))
    return period if went_on or (few_days and by_several) else None


def events_listed(question: str) -> list[str]:
    """The events that a question puts side by side; none where it names fewer than two.

    >>> events_listed("Put in order: the Stargate announcement, the crash, and the rebound.")
    ['the Stargate announcement', 'the crash', 'the rebound']
    >>> events_listed("The sequence with dates: V3, then R1, then the crash")
    ['the release of V3', 'the release of R1', 'the crash']
    """
    for text in (question.rpartition(":")[2], question):
        parts = [part.strip(" .?!") for part in _BESIDE.split(text)]
        parts = [f"the release of {model[1]}" if (model := _MODEL.fullmatch(part)) else part for part in parts]
        listed = [part for part in parts if part and _EVENT.search(part)]
        if len(listed) > 1:
            return listed
    return []


def _of_all(*periods: Period) -> Period:
    """The whole story, and what the periods have beyond it."""
    return _spanned([*periods, STORY])


def _spanned(periods: Sequence[Period]) -> Period:
    """From the first day of any to the last of any."""
    starts, ends = [p.start for p in periods if p.start], [p.end for p in periods if p.end]
    return Period(min(starts), max(ends))
