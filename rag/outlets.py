"""The outlets that a question or another text names, also where their name is an ordinary word. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

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
OFTEN_WORDS = (
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
"""Outlets whose names are also words: they are meant where something is credited to them."""
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


def outlets_named(question: str, outlets: Collection[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The label and all names of each outlet that a question names, in its order.

    Args:
        outlets: those of the articles, found besides the well-known ones.
    """
    known, pattern = _finder(frozenset(outlets))
    small = question == question.lower()
    sure: list[re.Match[str]] = []
    unsure: list[re.Match[str]] = []
    for match in pattern.finditer(question):
        label, names, certain = known[outlet_key(match[0])]
        if _written_right(match[0], names, small or certain):
            (sure if certain or _is_credited(match, label) else unsure).append(match)
    # "Fortune vs CNBC": a word beside an outlet is one too.
    sure += [match for match in unsure if any(_beside(question, match, other) for other in sure)]
    found = [known[outlet_key(match[0])] for match in sorted(sure, key=lambda match: match.start())]
    return tuple(dict.fromkeys((label, names) for label, names, _ in found))


def outlets_in(text: str) -> tuple[str, ...]:
    """The names of well-known outlets that stand in a text, as they are written there."""
    known, pattern = _finder(frozenset())
    found = (match[0] for match in pattern.finditer(text) if known[outlet_key(match[0])][2])
    return tuple(name for name in dict.fromkeys(found) if _written_right(name, known[outlet_key(name)][1], False))


def is_known(name: str) -> bool:
    """Whether a name is a well-known outlet's, or may be one's."""
    known, _ = _finder(frozenset())
    return outlet_key(name) in known


@lru_cache(maxsize=4096)
def is_outlet(outlet: str, keys: frozenset[str]) -> bool:
    """Whether an outlet is one of these: "Bloomberg Opinion" is Bloomberg's, "Mint (after Reuters)" also Reuters'."""
    return any(own == key or own.startswith(f"{key} ") for own in map(outlet_key, _names(outlet)) for key in keys)


def credits_outlet(name: str, text: str) -> bool:
    """Whether a text tells of something as reported by whom it calls so."""
    return any(
        _REPORTS_AFTER.match(text, m.end())
        or _OWN_REPORT_AFTER.match(text, m.end())
        or _SAYS_AFTER.match(text, m.end())
        or _CREDITED_BEFORE.search(text[: m.start()])
        for m in re.finditer(rf"\b{re.escape(name)}\b", text)
    )


def _beside(question: str, one: re.Match[str], other: re.Match[str]) -> bool:
    (_, end), (start, _) = sorted((one.span(), other.span()))
    return bool(_BESIDE_ANOTHER.fullmatch(question, end, start)) and not one[0].islower()


@lru_cache(maxsize=8)
def _finder(outlets: frozenset[str]) -> tuple[dict[str, tuple[str, tuple[str, ...], bool]], re.Pattern[str]]:
    """By every name of an outlet: its label, all of its names, and whether it is unmistakable; and what finds them."""
    known: dict[str, tuple[str, tuple[str, ...], bool]] = {}
    for label, aliases in _KNOWN.items():
        names = (label, *(alias for alias in aliases.split("|") if alias))
        known |= {outlet_key(name): (label, names, True) for name in names}
    for label in (*OFTEN_WORDS, *(name for outlet in sorted(outlets) for name in _names(outlet))):
        known.setdefault(outlet_key(label), (label, (label,), bool(_MEDIUM.search(label))))
    alternatives = sorted((key for key in known if len(key) > 1), key=len, reverse=True)
    written = "|".join(re.escape(key).replace("'", "[’']") for key in alternatives)
    return known, re.compile(rf"(?<![\w@/.])(?:the )?(?:{written})(?![\w/]|\.\w)", re.IGNORECASE)


def _names(outlet: str) -> list[str]:
    """Whom an outlet's name names: "Reuters (via TRT World)" is Reuters and TRT World."""
    named = re.sub(r"\b(?:via|after|retold by|summary by|carried by)\b", "", outlet)
    return [" ".join(name.split()) for name in re.split(r"[()/]", named) if name.strip()]


def outlet_key(name: str) -> str:
    """An outlet's name as it is compared: without capitals and article."""
    return name.lower().replace("’", "'").removeprefix("the ")


def _written_right(found: str, names: Sequence[str], small: bool) -> bool:
    """Capitals count: "AP" is no "ap", and "the Journal" no "the journal"; but people do write "reuters".

    Args:
        small: whether a name may be written without capitals.
    """
    bare = re.sub(r"\A[Tt]he ", "", found)
    if small and bare == bare.lower():
        return len(bare) > 2 and bare not in _SMALL_WORDS
    if any(name.isupper() and outlet_key(name) == outlet_key(found) for name in names):
        return bare.isupper()
    if any(outlet_key(name) == outlet_key(found) and name.startswith("the ") for name in names) and bare != "Economist":
        return bare[0].isupper() and found != bare  # "Journal" alone is none
    return bare[0].isupper() or " " in bare or bare[0].isdigit()


def _is_credited(match: re.Match[str], label: str) -> bool:
    before, after = match.string[: match.start()], match.string[match.end() :]
    if label.startswith("The ") and not match[0].lower().startswith("the "):
        return False
    asked = _ASKED_BEFORE.search(before) and (
        _REPORTS_AFTER.match(after) or (label in OFTEN_WORDS and _SAYS_AFTER.match(after))
    )
    reports = _OWN_REPORT_AFTER.match(after) or (not before and _REPORTS_AFTER.match(after))
    return bool(asked or reports or _CREDITED_BEFORE.search(before))
