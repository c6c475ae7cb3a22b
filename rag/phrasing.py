"""How a sentence is put: its words and their places, what it leans on, and what it only tells beside. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from rag.text import terms

_TOKEN = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_]+(?:[.,'’][^\W_]+)*|[,;:()—–]")
_PAUSE = {",": 1, ";": 4, ":": 3, "(": 2, ")": 2, "—": 3, "–": 2}
"""By so many words more what stands on both sides of a sign is apart."""
_VERSION = re.compile(r"[^\W\d_]+\d[\w.]*")
_GOES_ON = re.compile(r"(?:-| (?=\d{3}))(\w+)")
_WHOLE_VERSION = re.compile(
    r"(?<![^\W_])(?:(?!DeepSeek)[A-Z][a-z]+-)?[A-Za-z]{1,5}\d+(?:\.\d+)*(?:-[A-Z0-9]\w*| \d{4}\b)*", re.ASCII
)
_PRONOUN = re.compile(
    r"(?:(?:But|And|Yet|So|Then|Still|However,|Instead,|Later,?|Also,|Moreover,|Meanwhile,) )?"
    r"(?:(?:he|she|it|they|his|her|its|their)\b"
    r"|(?:this|that|these|those)(?= (?:is|was|were|are|means?|meant|had|has)\b))",
    re.IGNORECASE,
)
_LEANS = re.compile(
    r"(?:Every|Each|Both|All|Some|Most|Many|Others?|Another|Neither|None|Such|This|That|These|Those|The (?:same|other"
    r"|former|latter|second|third|next|last|two|three|first|record|figures?|sums?|company|firm|group|man|model|paper"
    r"|report|deal|plan|move|result|reason|idea|number|total|claim|remark|list|rest))\b(?! (?:\w+ )?of\b)"
    r"|(?:But|And|Yet|So|Then|Still|However|Instead|Later|Also|Moreover|Meanwhile|Besides|Nevertheless|Afterwards|Here"
    r"|There|Conversely|Similarly|Likewise|In addition|For example|For instance|In other words|As a result)\b",
)
_BESIDE = re.compile(
    r"\b(?:after|before|since|than|unlike|besides|while|whereas|although|though|until|till|once|following|like|as|when"
    r"|based on|compared (?:with|to)|(?:successor|rival|answer|reaction|response)s? (?:of|to))\b[^,;:()—–]*",
    re.IGNORECASE,
)
_IS = re.compile(
    r"\b(?:is|are|was|were|remains|remained|(?:is|are|was|were)n['’]t)"
    r"(?: (?:not|now|still|also|fully|truly|really|an?|the))*((?: [^\s,;:()—–]+){1,3})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence word by word.

    Args:
        places: where each of its terms stands, counted in words, pauses added.
        goes_on: for places of a version's name that is only the beginning of another one, what comes next there: "zero"
            in "R1-Zero", "1776" in "R1 1776".
        starts: where each token begins in the text.
        counted: the place of each token.
    """

    places: Mapping[str, tuple[int, ...]]
    goes_on: Mapping[int, str]
    starts: tuple[int, ...]
    counted: tuple[int, ...]

    def place(self, character: int) -> int:
        """The place of the token that a character belongs to."""
        for start, place in zip(reversed(self.starts), reversed(self.counted), strict=True):
            if start <= character:
                return place
        return 0


@lru_cache(maxsize=4096)
def words(text: str) -> Words:
    """The words of a sentence."""
    places: dict[str, list[int]] = {}
    goes_on: dict[int, str] = {}
    starts, counted = [], []
    place = 0
    for token in _TOKEN.finditer(text):
        if pause := _PAUSE.get(token[0]):
            place += pause
            continue
        starts.append(token.start())
        counted.append(place)
        for term in terms(token[0]):
            places.setdefault(term, []).append(place)
        if _VERSION.fullmatch(token[0]) and (longer := _GOES_ON.match(text, token.end())):
            goes_on[place] = " ".join(terms(longer[1]))
        place += 1
    where = {term: tuple(found) for term, found in places.items()}
    return Words(where, goes_on, tuple(starts), tuple(counted))


def versions(text: str) -> tuple[str, ...]:
    """The versions that a text names, in order, in small letters; a preview is none of its own.

    >>> versions("DeepSeek-R1-Zero, V3.1, Open-R1, R1-Lite-Preview and an R1-like model")
    ('r1-zero', 'v3.1', 'open-r1', 'r1-lite', 'r1')
    """
    return tuple(found[0].lower().removesuffix("-preview") for found in _WHOLE_VERSION.finditer(text))


def is_of_other_version(text: str, asked: Collection[str]) -> bool:
    """Whether a sentence is about R1-Zero or V3.1, and not about R1 or V3, which is asked about.

    >>> is_of_other_version("V3.1 took the place of V3.", {"v3"}), is_of_other_version("After V3 came V3.1.", {"v3"})
    (True, False)
    """
    for name in versions(text):
        if name in asked:
            return False
        if any(name.startswith((f"{one}.", f"{one}-", f"{one} ")) or name.endswith(f"-{one}") for one in asked):
            return True
    return False


def begins_with_pronoun(text: str) -> bool:
    """Whether a sentence begins with a word for what the one before it has named."""
    return bool(_PRONOUN.match(text))


def needs_more(text: str) -> bool:
    """Whether a sentence can only be understood with the one before it."""
    return begins_with_pronoun(text) or leans(text)


def leans(text: str) -> bool:
    """Whether a sentence begins as one does that goes on from another: "Every sum ...", "The company ..."."""
    return bool(_LEANS.match(text))


@lru_cache(maxsize=4096)
def told_beside(text: str) -> tuple[range, ...]:
    """The places of the words that stand behind "while", "after", "than" and such, where a sentence tells of others.

    >>> text = "Meta rose while Nvidia fell, Reuters said."
    >>> told_beside(text), words(text).places["nvidia"]
    ((range(3, 5),), (3,))
    """
    own = words(text)
    return tuple(range(own.place(m.start()) + 1, own.place(m.end() - 1) + 1) for m in _BESIDE.finditer(text))


def says_it_is(text: str, wanted: Collection[str]) -> bool:
    """Whether one of these terms stands right behind a form of "to be".

    >>> says_it_is("R1 is an open-source model.", terms("source")), says_it_is("Open source is new.", terms("source"))
    (True, False)
    """
    return any(not set(wanted).isdisjoint(terms(found[1])) for found in _IS.finditer(text))
