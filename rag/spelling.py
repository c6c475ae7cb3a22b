"""A question's words spelt as the articles spell them: chat abbreviations, names without capitals, slips. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from difflib import get_close_matches
from string import ascii_lowercase
from typing import TypeAlias

from rag.text import FUNCTION_WORDS, terms

Count: TypeAlias = Callable[[Sequence[str]], Sequence[int]]
SLIP = 0.83
"""A word that shares so much of its letters with one of the articles' words is that word with a slip in it."""
MOST_SLIPS = 8
"""A question with more unknown words is none with slips in it."""
_SHORTEST, _LONGEST = 5, 25
"""Letters of a word that a slip is looked for in: shorter ones are like too many others, and longer ones no words."""
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_LETTERS = re.compile(r"[^\W\d_]+")
_ENDINGS = ("s", "es", "ed", "d", "ing", "er", "ers", "ly")
"""A word that is unknown with one of them and known without is no slip."""
_BEGINS = re.compile(r"(?:\A|[.!?:|\n][\"”’)]?)\s*[\"“(]?\Z")
"""Before a word that has a capital wherever it stands."""
_ABBREVIATED = {
    "bc": "because",
    "cuz": "because",
    "didnt": "didn't",
    "doesnt": "doesn't",
    "dont": "don't",
    "hows": "how is",
    "isnt": "isn't",
    "tho": "though",
    "u": "you",
    "uni": "university",
    "ur": "your",
    "wasnt": "wasn't",
    "werent": "weren't",
    "whats": "what is",
    "whens": "when is",
    "wheres": "where is",
    "whos": "who is",
    "whys": "why is",
}
_TICKERS = {
    "aapl": "Apple",
    "amzn": "Amazon",
    "asml": "ASML",
    "avgo": "Broadcom",
    "baba": "Alibaba",
    "bidu": "Baidu",
    "ceg": "Constellation Energy",
    "goog": "Alphabet",
    "googl": "Alphabet",
    "moe": "mixture of experts",
    "msft": "Microsoft",
    "nvda": "Nvidia",
    "orcl": "Oracle",
    "phlx": "Philadelphia",
    "pltr": "Palantir",
    "qcom": "Qualcomm",
    "smci": "Super Micro Computer",
    "sox": "Philadelphia Semiconductor",
    "tsla": "Tesla",
    "tsm": "TSMC",
    "vst": "Vistra",
}
"""Of shares by their signs at the exchange, which readers of prices type and reports hardly ever write."""
_TICKER = re.compile(rf"(?<![\w’'.&$-])\$?(?:{'|'.join(_TICKERS)})(?![\w&-]|\.\w)", re.IGNORECASE)
_FILLER = re.compile(
    r"(?<=\bwhat) (?:even|exactly|actually|really|basically)(?= (?:is|are|was|were|does|did|do)\b)", re.IGNORECASE
)
_HEADED = re.compile(
    r"(?<=\bwho)(?: leads?| heads?| runs?|(?: is|['’]s) (?:the (?:man|woman|person) )?"
    r"(?:in charge|at the (?:helm|head|top)|the (?:head|boss|leader)) of)"
    r"(?= (?!(?:the|an?|in|on|at|by|for|to|this|that|it|them)\b)[^\W\d]+(?:[ -][^\W\d]+)?\s*\??\Z)",
    re.IGNORECASE,
)
"""What somebody does who heads a firm, of which a name alone is left: articles tell of posts."""
_BEHIND = re.compile(
    r"(?<=\bwho)(?: is|['’]s| was) (?:the )?(?:man|woman|person|guy|brains?|mind) behind (?=(?:the )?[A-Z])",
    re.IGNORECASE,
)
_ABBREVIATION = re.compile(
    rf"(?<![\w’'.&-])(?:{'|'.join([*_ABBREVIATED, *(word.capitalize() for word in _ABBREVIATED if len(word) > 2)])})"
    r"(?![\w’'.&-])"
)
"""Without "U" and "BC", which are names."""


def written_out(question: str) -> str:
    """What is abbreviated in chats and at exchanges, in full; no word that only fills; who heads a firm, by the post.

    >>> written_out("whats r1 and why did nvidia fall bc of it")
    'what is r1 and why did nvidia fall because of it'
    >>> written_out("msft drop 27 jan"), written_out("Why did $NVDA fall?")
    ('Microsoft drop 27 jan', 'Why did Nvidia fall?')
    >>> written_out("Who leads Nvidia?"), written_out("Who leads the market?")
    ('Who is the chief executive of Nvidia?', 'Who leads the market?')
    >>> written_out("Who is the man behind High-Flyer?")
    'Who founded High-Flyer?'
    """
    in_full = _FILLER.sub("", _ABBREVIATION.sub(_in_full, question))
    in_full = _TICKER.sub(lambda found: _TICKERS[found[0].strip("$").lower()], in_full)
    return _BEHIND.sub(" founded ", _HEADED.sub(" is the chief executive of", in_full))


def _in_full(found: re.Match[str]) -> str:
    full = _ABBREVIATED[found[0].lower()]
    return full.capitalize() if found[0][0].isupper() else full


def unusual(question: str, unknown: Collection[str]) -> list[str]:
    """The words of a question that may be slips: long enough, and all their terms unknown.

    >>> unusual("Did COVID hit Nvidai?", {"covid", "nvidai"}), unusual("DID NVIDAI FALL?", {"nvidai"})
    (['Nvidai'], ['NVIDAI'])

    Args:
        unknown: terms of the question that stand in no article.
    """
    words = (word for word in _LETTERS.findall(question) if _SHORTEST <= len(word) <= _LONGEST)
    # What stands in capitals among other words is an abbreviation.
    words = (word for word in words if not word.isupper() or question.isupper())
    return [word for word in words if (own := terms(word)) and set(own) <= set(unknown)]


def likeliest(slip: str, frequency: Count, parts: Count, is_name: bool = False) -> str:
    """The word that a slip is most likely meant for; "" where there is none, or where the slip is a word after all.

    One letter is out of place, left out, too many or another one (as in Norvig, "How to Write a Spelling Corrector",
    2007), and the first of these ways that makes a known word of it is taken.

    Args:
        frequency: in how many passages words stand.
        parts: of how many parts words are to the model; one that is known whole is a word.
        is_name: whether it stands where only a name has a capital, and has one: then it is meant for another name.
    """
    slip = slip.lower()
    bases = [slip.removesuffix(ending) + silent for ending in _ENDINGS if slip.endswith(ending) for silent in ("", "e")]
    if 1 in parts(bases):
        return ""
    ends = [(slip[:place], slip[place:]) for place in range(len(slip) + 1)]
    exchanged = [a + b[1] + b[0] + b[2:] for a, b in ends if len(b) > 1]
    left_out = [a + letter + b for a, b in ends for letter in ascii_lowercase]
    # The last letter is an ending rather than a slip.
    too_many = [a + b[1:] for a, b in ends if len(b) > 1]
    another = [a + letter + b[1:] for a, b in ends if len(b) > 1 for letter in ascii_lowercase]
    for words in (exchanged, left_out, too_many, another):
        known = []
        for word, passages, size in zip(words, frequency(words), parts(words), strict=True):
            # Only a word that is its own stem surely stands in an article itself; most names are.
            is_held = passages > 0 and terms(word) == [word]
            # Another letter makes a word of too many: it has to be one of the articles.
            is_word = size == 1 and not is_name and (passages > 0 or words is not another)
            if word != slip and (is_held or is_word):
                known.append((passages > 0, size == 1, passages, word))
        if known:
            return max(known)[-1]
    return ""


def respelt(question: str, slips: Collection[str], texts: Iterable[str]) -> str:
    """The question with its names' capitals and without slips, as far as texts that were found for it show them.

    >>> respelt("where are its headquaters, in hangzhou", ["headquaters"], ["Its headquarters are in Hangzhou."])
    'where are its headquarters, in Hangzhou'

    Args:
        slips: words of the question that are no words as they stand.
    """
    asked = {word for word in _WORD.findall(question) if word == word.lower() and word not in FUNCTION_WORDS}
    # A slip may be any word of the texts; else only those of the question matter.
    forms = _forms(texts, _WORD if slips else _one_of(asked))

    def spelt(found: re.Match[str]) -> str:
        word = found[0]
        if word in slips:
            lower = word.lower()
            # What only goes on otherwise is another word: "charger", "charge".
            alike = [f for f in forms if f[0] == lower[0] and not f.startswith(lower) and not lower.startswith(f)]
            if word != lower and found.start():  # A name is meant for another one.
                alike = [f for f in alike if forms[f] != f]
            word = next(iter(get_close_matches(lower, alike, 1, SLIP)), word)
        if word != word.lower() or word in FUNCTION_WORDS:
            return word
        return forms.get(word) or word

    return _WORD.sub(spelt, question)


def _one_of(words: Collection[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, words)) or '(?!)'})(?![\w-])", re.IGNORECASE)


def _forms(texts: Iterable[str], words: re.Pattern[str]) -> dict[str, str]:
    """Each of these words of the texts in small letters, and as it is written within sentences."""
    written: dict[str, Counter[str]] = {}
    for text in texts:
        for found in words.finditer(text):
            word, start = found[0], found.start()
            lower = word.lower()
            own = written.setdefault(lower, Counter())
            inside = word == lower or not word[1:].islower() or not _BEGINS.search(text[max(0, start - 4) : start])
            own[word] += 1 if inside else 0
    return {lower: _usual(lower, own) for lower, own in written.items()}


def _usual(lower: str, own: Counter[str]) -> str:
    """The form that a word has within sentences: small letters where it ever has them there."""
    form, count = own.most_common(1)[0]
    return form if count and not own[lower] else lower
