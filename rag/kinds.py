"""What a question asks for, and whether a sentence has it: a figure, a date, a person, a reason and so on. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from rag.figures import figures
from rag.text import function_terms, terms

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"

_ASKS_REASON = re.compile(r"\bwhy\b|\bwhat (?:\w+ )?(?:reason|cause|explain|made|led)", re.IGNORECASE)
_ASKS_DATE = re.compile(
    r"\bwhen\b|\b(?:what|which) (?:\w+ )?(?:date|day|year|month|week|time|century|decade)\b", re.IGNORECASE
)
_ASKS_FIGURE = re.compile(
    r"\bhow (?:much|many|far|large|big|high|low|hard|long|old|often|deep)\b"
    r"|\b(?:what|which) (?:\w+ ){0,2}(?:share|sum|percentage|percent|price|cost|amount|number|figure|rate|level|score"
    r"|size|value|age|population)\b|\bwhat (?:did|does|do) .*\bcost\b",
    re.IGNORECASE,
)
_ASKS_PERSON = re.compile(
    r"\b(?:who|whom|whose)\b|\b(?:which|what) (?:\w+ )?(?:person|people|man|woman|executive|founder)\b", re.IGNORECASE
)
_ASKS_STATEMENT = re.compile(
    r"\b(?:what|how) (?:exactly )?(?:did|does|do|has|have|was|were) .*\b(?:say|said|tell|told|call|called|describe"
    r"|react|respond|reply|comment|claim|argue|think|write|answer)",
    re.IGNORECASE,
)
_ASKS_MEANING = re.compile(r"\s*what(?:'s|’s| is| are| was| were| does)\s+.{2,60}\s*$", re.IGNORECASE)

_REASON = re.compile(
    r"\b(?:because|since|due to|owing to|thanks to|as a result|so that|therefore|reasons?|in order to|led to|caused?"
    r"|fear(?:s|ed)?|worr(?:y|ies|ied)|blamed|after)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    rf"\b(?:{_MONTH}|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|century|centuries|BC|AD)\b"
    r"|\b1\d{3}s?\b|\b20\d{2}s?\b|\b\d{1,2}(?:st|nd|rd|th)\b"
)
_DAY = re.compile(rf"\b(\d{{1,2}}) ({_MONTH})\b|\b({_MONTH}) (\d{{1,2}})\b", re.IGNORECASE)
_NAME = re.compile(r"(?<=[\w,;:] )[A-Z][\w'’-]+|^[A-Z][\w'’-]+(?= [A-Z])")
_STATEMENT = re.compile(r"[\"“„«]")
_MEANING = re.compile(
    r"(?:an? |the )?(?P<subject>[^,(]{1,60}?)(?:[,(].{0,80}?)?"
    r" (?:(?:is|are|was|were) (?:an?|the|one)|means|stands for)\b",
    re.IGNORECASE,
)


def expected(question: str) -> str:
    """What a question asks for: "reason", "date", "figure", "person", "statement", "meaning", or "" for anything else.

    >>> expected("How much did Nvidia lose?"), expected("When was R1 released?"), expected("Who founded DeepSeek?")
    ('figure', 'date', 'person')
    >>> expected("Why did it fall?"), expected("What did Trump say?"), expected("What is the Stargate project?")
    ('reason', 'statement', 'meaning')
    """
    asks = {
        "reason": _ASKS_REASON,
        "date": _ASKS_DATE,
        "figure": _ASKS_FIGURE,
        "person": _ASKS_PERSON,
        "statement": _ASKS_STATEMENT,
        "meaning": _ASKS_MEANING,
    }
    return next((kind for kind, pattern in asks.items() if pattern.search(question)), "")


def holds(kind: str, sentence: str, asked: frozenset[str]) -> bool:
    """Whether a sentence has something of the kind asked for that the question (its terms) does not itself name."""
    match kind:
        case "reason":
            return bool(_REASON.search(sentence))
        case "date":
            return _has_new(_DATE, sentence, asked)
        case "figure":
            return any(not asked.issuperset(figure) for figure in _figures(sentence))
        case "person":
            return _has_new(_NAME, sentence, asked)
        case "statement":
            return bool(_STATEMENT.search(sentence))
        case "meaning":
            return _says_meaning(sentence, asked)
    return False


def days_named(text: str) -> set[tuple[int, str]]:
    """The days of the year that a text names.

    >>> days_named("on January 27, 2025") == days_named("27 January")
    True
    """
    return {
        (int(day or american_day), (month or american_month).lower())
        for day, month, american_month, american_day in _DAY.findall(text)
    }


@lru_cache(maxsize=8192)  # the same sentences are looked at for one question after another
def _figures(sentence: str) -> tuple[frozenset[str], ...]:
    """The terms of each figure."""
    return tuple(frozenset(terms(figure.text)) for figure in figures(sentence))


def _has_new(pattern: re.Pattern[str], sentence: str, asked: frozenset[str]) -> bool:
    return any(not asked.issuperset(terms(match.group())) for match in pattern.finditer(sentence))


def _says_meaning(sentence: str, asked: frozenset[str]) -> bool:
    """Whether the sentence says what the question's subject is.

    "DeepSeek-R1 is a model that ..." says what R1 is; "The advantage of R1 is the ..." and "R1-Zero is a ..." do not.
    """
    said = _MEANING.match(sentence)
    if said is None:
        return False
    subject = terms(said["subject"])
    wanted = asked - function_terms()
    return wanted <= set(subject) and subject[-1] in wanted and len(subject) <= len(wanted) + 1
