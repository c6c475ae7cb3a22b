"""Private matters: homes, families and talks without witnesses, of which reports seldom tell. Pure.

Much is told of people and firms that such a question names, so that everything about it seems near.
"""

from __future__ import annotations

import re

_MATTERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:wi(?:fe|ves)|husbands?|spouses?|married|marr(?:y|ies)|marriage|wedding|(?:girl|boy)friends?|divorced?)\b",
        r"(?<!\bmy )(?<!\bour )\b(?:child(?:ren)?|kids?|daughters?)\b",
        r"\b(?:mother|father|mum|dad)s?\b",
        r"\b(?:rents?|rental|landlords?|mortgages?)\b",
        r"\blaw firms?\b",
        r"\bbehind closed doors\b|\bin private\b(?= (?:about|on|to|with|after|before)\b|\W*\Z)|\bwhisper\w*"
        r"|\btext(?:ed)? (?:to )?(?:his|her|their)\b|\b(?:on|over|by) the (?:tele)?phone\b",
        r"\bhobb(?:y|ies)\b|\bfavou?rite\b|\b(?:his|her) (?:holidays?|vacations?|birthday)\b"
        r"|\bfor (?:breakfast|lunch|dinner|supper)\b",
    )
)


def private_matters(text: str) -> frozenset[int]:
    """The private matters that a question asks about, or a sentence tells of, by their numbers.

    >>> private_matters("What is his wife called?") == private_matters("He married in 2010.") != frozenset()
    True
    >>> private_matters("What rent does DeepSeek pay?") <= private_matters("DeepSeek pays its staff well.")
    False
    """
    return frozenset(number for number, matter in enumerate(_MATTERS) if matter.search(text))
