"""Who a sentence says gives a value: "according to Reuters", "police put it at". Pure."""

from __future__ import annotations

import re

from rag.outlets import outlets_in

REPORTING = (
    r"(?:said|says|reported|reports|wrote|writes|counted|counts|calculated|calculates|estimated|estimates|put|puts|gave"
    r"|gives|published|spoke|speaks|recorded|noted|measured|described|cited|carried|rounded|repeated|dated|dates|placed"
    r"|stated|claimed|told|reckoned|headlined|has learned|tallied|quoted|found|showed)"
)
"""Verbs of those who report a value, as a pattern."""
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
        rf"|then|first|itself|now|already|instead))? {REPORTING}\b"
    ),
    re.compile(
        rf"(?:\A|[,;:] ?|\b(?:while|whereas|but|and|as) ){_OTHERS}(?: (?:also|still))? (?:{REPORTING}|give|say"
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
    re.compile(rf", {_WHO} (?:also |later |then )?{REPORTING}\b"),
    re.compile(rf"\((?:the )?{_WHO}\)"),
)
_NO_SOURCE = re.compile(
    r"(?:It|He|She|They|This|That|These|Those|There|In|On|At|By|Shares|Reports|January|February|March|April|May"
    r"|June|July"
    r"|August|September|October|November|December|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)(?: .*)?"
)
_LISTED = re.compile(rf"(?:at|in|by|from) {_WHO}\Z")
BRIEFLY = re.compile(
    rf"\W*(?:and |while |but )?{_WHO} (?:(?:about|some|around|roughly|nearly|almost|more than|over|at least|up to) )?"
    r"[$€£]?\d[\d.,]*(?: \w+)?\W*\Z"
)
"""Who gives a figure, the verb being said before: "Reuters said $593 billion, CNBC $595 billion"."""
_IN_LIST = re.compile(r"(?:\A\W*(?:and |or )?|: )(?:[a-z]+ ){0,2}[$€£]?\d[^,;:]*\W*\Z")
"""Who gives a figure in a list of them: "$118.42 at Wallstreetcn, $118.51 in The Epoch Times"."""


def attribution(piece: str) -> tuple[tuple[str, ...], str]:
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
