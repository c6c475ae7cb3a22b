"""How text becomes search terms: the same way for articles and for questions. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

from rag.remembered import Remembered

# Numbers keep their decimals ("79.8") and lose thousands separators ("2,048"); "U.S." and "US" are one word; so is the
# name of a version: "V3.1" is not "V3".
_WORD = re.compile(r"\d+(?:[.,]\d+)*|(?:[^\W\d_]\.){2,}|[^\W\d_]+\d+(?:\.\d+)+|[^\W_]+(?:['’][^\W\d_]+)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_MOST_WORDS = 2_500
_MOST_PIECES = 5_000
"""What stands between spaces, marks included."""
_POSSESSIVE = re.compile(r"['’]s$")

FUNCTION_WORDS = frozenset(
    """
    a about after all also although am an and any are as at be because been before being between both but by can
    could d did do does doing done during each either even every few for from further get gets got had has have
    having he her here hers herself him himself his how however i if in into is it its itself just ll m may me might
    more most much must my myself no nor not of off on once only onto or other our ours out over own please re s
    same shall she should so some such t than that the their theirs them themselves then there these they this those
    through thus to too under until up upon us ve very was we were what whatever when where whether which while who
    whom whose why will with within without would yes you your yours yourself tell say says said according many long
    far come comes came coming go goes going went gone make makes made making take takes took taken taking give gives
    gave given put happen happens happened become became call called calls use used let keep kept think thinks thought
    want wants know known look mean means kind sort thing things way ways list describe explain mention mentioned
    exactly away
    """.split()  # noqa: SIM905
)
"""Words that say nothing about the subject of a question."""

_IRREGULAR = {
    form: base
    for base, forms in {
        "begin": "began begun",
        "break": "broke broken",
        "bring": "brought",
        "build": "built",
        "buy": "bought",
        "catch": "caught",
        "choose": "chose chosen",
        "draw": "drew drawn",
        "drive": "drove driven",
        "fall": "fell fallen",
        "fight": "fought",
        "founded": "founder founders cofounder cofounded",
        "grow": "grew grown growth",
        "headquarters": "headquartered hq based",
        "hold": "held",
        "lend": "lent",
        "lose": "lost loss losses",
        "meet": "met",
        "overtake": "overtook overtaken",
        "pay": "paid",
        "rise": "rose risen",
        "sell": "sold",
        "send": "sent",
        "shrink": "shrank shrunk",
        "sink": "sank sunk",
        "spend": "spent",
        "strike": "struck",
        "teach": "taught",
        "win": "won",
        "withdraw": "withdrew withdrawn withdrawal",
        "write": "wrote written",
    }.items()
    for form in forms.split()
}
"""Forms that a stemmer leaves apart: reports say "fell" and "lost" where questions say "fall" and "lose"."""
_SPELT_OUT = {
    "ceo": ("chief", "executive"),
    "ceos": ("chief", "executive"),
    "cfo": ("chief", "financial"),
    "coo": ("chief", "operating"),
    "cto": ("chief", "technology"),
    "ipo": ("initial", "public", "offering"),
}
"""Abbreviations that some reports write and others write out; questions are answered by both."""


_COMES_OUT = re.compile(r"\b(?:come|comes|came|coming) out\b", re.IGNORECASE)
"""Of these words none counts alone."""
_OWNS = re.compile(r"\b(?:owns|owned|owning)\b|\b(?:do|does|did)\b.* own\b", re.IGNORECASE)
_US = re.compile(r"\bUS\b|\bU\.S\.")


def terms(text: str) -> list[str]:
    """The stemmed words of `text` in order, numbers without thousands separators, accents removed.

    >>> terms("Nvidia's losses: $2,048.50 in the U.S.")
    ['nvidia', 'lose', '2048.50', 'in', 'the', 'us']
    """
    return [term for piece in text.split() for term in _TERMS_OF_PIECES[piece]]


def content_terms(text: str) -> list[str]:
    """The distinct terms of a question that carry its subject, in order; all of them when none does.

    >>> content_terms("How much did Nvidia lose?")
    ['nvidia', 'lose']
    >>> content_terms("Who owns DeepSeek?"), content_terms("What are DeepSeek's own chips?")
    (['own', 'deepseek'], ['deepseek', 'chip'])
    """
    distinct = dict.fromkeys(terms(_COMES_OUT.sub("released", text)))
    functional = function_terms().difference(
        term for term, meant in (("us", _US), ("own", _OWNS)) if meant.search(text)
    )
    return [term for term in distinct if term not in functional] or list(distinct)


def _terms_of_piece(piece: str) -> tuple[str, ...]:
    """The terms of what stands between spaces, which none of them reaches across."""
    if not piece.isascii():
        piece = "".join(c for c in unicodedata.normalize("NFKD", piece) if not unicodedata.combining(c))
    return tuple(term for word in _WORD.findall(piece.lower()) for term in _TERMS_OF_WORDS[word])


def _terms_of_word(word: str) -> tuple[str, ...]:
    if word[0].isdecimal():
        return (_THOUSANDS.sub("", word),)
    word = _POSSESSIVE.sub("", word).replace("’", "'")
    word = word if word[-1].isdigit() else word.replace(".", "")
    word = _IRREGULAR.get(word, word)
    return tuple(_stemmer().stemWords(_SPELT_OUT.get(word, (word,))))


_TERMS_OF_PIECES = Remembered(_terms_of_piece, _MOST_PIECES)
_TERMS_OF_WORDS = Remembered(_terms_of_word, _MOST_WORDS)


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english", 0)  # with no memory of its own


@cache
def function_terms() -> frozenset[str]:
    """`FUNCTION_WORDS` as search terms."""
    return FUNCTION_WORDS | frozenset(_stemmer().stemWords(sorted(FUNCTION_WORDS)))
