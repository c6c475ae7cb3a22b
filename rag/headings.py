"""Names what reports differ in: "Nvidia's loss on 27 January 2025" for "Reuters put Nvidia's loss ... at …". Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 90
"""Characters of a heading that is no sentence any more."""

_NOUNS = {
    "loss": "lost shed",
    "fall": "fell dropped slumped slid sank tumbled plunged crashed plummeted declined dived slipped",
    "gain": "gained added",
    "rise": "rose climbed jumped surged soared advanced grew rebounded recovered",
    "cost": "cost costs",
    "spending": "spent spends",
    "founding": "founded",
    "release": "released launched published unveiled",
    "opening": "opened",
    "start": "began started",
    "end": "ended",
    "ban": "banned blocked",
    "close": "closed finished settled",
    "death": "died",
    "birth": "born",
    "purchase": "bought acquired",
}
_NOUN_OF = {verb: noun for noun, verbs in _NOUNS.items() for verb in verbs.split()}
_TOLD = re.compile(
    rf"(?P<who>(?:[^,;:…]|, (?=Inc))+?) (?:was |were |had |has |have )?(?P<verb>{'|'.join(_NOUN_OF)})\b"
    r"(?P<rest>[^;:]*)"
)
_BEFORE = re.compile(
    r"\A.*\b(?:reports?|accounts?|outlets|sources|papers|media|profiles)\b[^,…]{0,40}? (?:gave|give|put|name|named|date"
    r"|dated|place|placed|counted|count|say|said) (?=\S)",
)
_DIFFER = re.compile(
    r"\A(?:Reports|Sources|Accounts|Outlets|Estimates) (?:\w+ )?(?:disagree|differ|vary|varies|agree)\w* "
    r"(?:on|over|about|as to) "
)
_A_FIGURE = re.compile(r"\A(?:an?|the) (?:figure|sum|number|count|estimate|total)s? of … (?:for|of|in) ", re.IGNORECASE)
_AFTER = re.compile(
    r"(?:(?: differs?(?: too)?| differently| vary| varies)?(?::[^:…]{0,60})?| as either| as)? ?…"
    r"(?: ?\([^)]*\))?(?: (?:at|in|by|from) [A-Z][^,]*)?\Z"
)
_GIVEN = re.compile(
    r",? (?:put |given |reported |estimated |counted |set |dated )?(?:at|as|of|to|is|was|were|are|came to|stood at"
    r"|amounted to|reached|totalled|totaled)(?: (?:either|both|about|some|up))? …"
)
_LEADING_TIME = re.compile(r"\A(?P<time>(?:On|In|For|At|By) [^,]*?\d{4}),? (?P<rest>.+)\Z")
_ARTICLE = re.compile(r"\A(?:an?|the) ", re.IGNORECASE)
_DANGLING = re.compile(
    r"[\s,;:]+(?:in|by|from|at|as|of|to|on|and|while|whereas|but|that|which|according to)?[\s,;:.]*\Z"
)


def heading(told: Iterable[str]) -> str:
    """The shortest name for what several statements give values of.

    Args:
        told: the statements without who makes them, "…" standing for the value.

    >>> heading(["Nvidia lost … of market value on 27 January 2025"])
    "Nvidia's loss of market value on 27 January 2025"
    >>> heading(["For 2024 the spending of Microsoft and Meta at …", "how much Microsoft and Meta spent in 2024 …"])
    'Spending of Microsoft and Meta for 2024'
    """
    names = [_name(statement) for statement in told]
    best = min(names, key=_poverty)
    return best[:1].upper() + best[1:]


def _poverty(name: str) -> tuple[bool, bool, bool, bool, int]:
    """How little a heading says: the least has no blank, is not too long, and has a name and a day."""
    has_name, has_day = bool(re.search(r"[A-Z]", name)), bool(re.search(r"\d", name))
    return "…" in name, len(name) > _LONGEST, not has_name, not has_day, len(name)


def _name(statement: str) -> str:
    text = " ".join(statement.split()).strip(" ,;:.")
    text = _A_FIGURE.sub("", _BEFORE.sub("", _DIFFER.sub("", text)))
    if leading := _LEADING_TIME.match(text):
        time = leading["time"]
        text = f"{leading['rest']} {time[0].lower()}{time[1:]}"
    text = _GIVEN.sub(" …", text, count=1)
    told = _TOLD.fullmatch(text)
    if told and "…" in told["rest"] and not told["who"].lower().startswith(("how ", "what ")):
        rest = _AFTER.sub("", told["rest"].replace(" …", " ", 1) if not told["rest"].endswith("…") else told["rest"])
        possessive = "’" if "’" in text else "'"
        who = told["who"] + (possessive if told["who"].endswith("s") else f"{possessive}s")
        text = f"{who} {_NOUN_OF[told['verb']]} {rest}"
    elif text.endswith("…") or _AFTER.search(text):
        text = _AFTER.sub("", text)
    elif _ARTICLE.match(text) or re.match(r"[A-Z][\w’' -]*['’]s? [a-z]", text):
        text = text.replace(" …", " ", 1)
    text = _DANGLING.sub("", " ".join(text.split()))
    return _ARTICLE.sub("", " ".join(text.split())) or statement
