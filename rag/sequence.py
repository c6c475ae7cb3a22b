"""Whether a question asks for several dated events in their order, by its words and its meaning. Pure.

Who asks so need not say "timeline": "Who in Europe threw it off their machines, and when?" A linear classifier
(question classification: Li and Roth 2002) tells, of words, pairs and triples of words, of frequent words that follow
each other with others between, and of the question's vector; `python -m evals.sequence` makes its weights.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SURE = 0.8
"""How likely a question has to ask for a sequence of events to be answered with one."""
LONGEST = 3
"""So many words that follow each other count together."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[?:;,.]")
_MONTH = re.compile(
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?"
)
_WEEKDAY = re.compile(r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?")
_ENDS = frozenset(".?!:")


@dataclass(frozen=True, slots=True)
class Classifier:
    """What tells questions for a sequence from others.

    Args:
        start: the log-odds where nothing speaks for it or against it.
        frequent: the words that count in pairs with others between them.
        phrases: what each phrase counts for.
        vector: what each value of the question's unit vector counts for, shape (384,).
    """

    start: float
    frequent: frozenset[str]
    phrases: dict[str, float]
    vector: NDArray[np.float32]

    def likelihood(self, question: str, vector: NDArray[np.float32]) -> float:
        """How likely a question asks for several dated events in their order, 0 to 1."""
        found = phrases(question, self.frequent)
        of_words = sum(self.phrases.get(phrase, 0.0) for phrase in found) / math.sqrt(len(found))
        return 1 / (1 + math.exp(-self.start - of_words - float(self.vector @ vector)))


def phrases(question: str, frequent: Collection[str]) -> frozenset[str]:
    """The words of a question, what follows each other of them, and pairs of the frequent ones, "..." between them.

    Any name, number, month or weekday is one word.

    >>> sorted(phrases("When did Elon Musk speak?", {"when", "?"}))[:4]
    ['<end>', '<name>', '<name> speak', '<name> speak ?']
    """
    words = words_of(question)
    beside = (words[first : first + n] for n in range(1, LONGEST + 1) for first in range(len(words) - n + 1))
    apart = combinations([word for word in words if word in frequent], 2)
    return frozenset([*map(" ".join, beside), *map(" ... ".join, apart)])


def words_of(question: str) -> list[str]:
    """The words of a question in small letters, with a mark for any name, number, month or weekday.

    >>> words_of("When did Elon Musk speak?")
    ['<start>', 'when', 'did', '<name>', 'speak', '?', '<end>']
    """
    words = ["<start>"]
    for found in _WORD.findall(question):
        lower = found.lower().replace("’", "'")
        if _MONTH.fullmatch(lower):
            word = "<month>"
        elif _WEEKDAY.fullmatch(lower):
            word = "<weekday>"
        elif any(character.isdigit() for character in lower):
            word = "<number>"
        elif found[0].isupper() and found != "I" and words[-1] not in _ENDS and len(words) > 1:
            word = "<name>"
        else:
            word = lower
        if not word == words[-1] == "<name>":
            words.append(word)
    return [*words, "<end>"]


@cache
def shipped() -> Classifier:
    """The one that was fitted."""
    made = json.loads(Path(__file__).with_name("sequence.json").read_text(encoding="utf-8"))
    vector = np.array(made["vector"], np.float32)
    return Classifier(made["start"], frozenset(made["frequent"]), made["phrases"], vector)
