"""A follow-up question to the question it stands for, from the history alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text import FUNCTION_WORDS, function_terms, terms

_NAME = re.compile(r"\b[A-Z][\w&.-]*\w(?:\s+(?:[A-Z][\w&.-]*\w|\d+(?!\d*%)))*")
_PERSON = re.compile(r"\b[A-Z][a-z]+(?:-[A-Z]?[a-z]+)?(?: [A-Z]\.)? [A-Z][a-z]+(?:-[A-Z]?[a-z]+)?\b")
_ELLIPSIS = re.compile(r"^(?:and|but|or|also|so|then|what about|how about|what of)\b[\s,]*", re.IGNORECASE)
_ASKS = re.compile(r"(?:who|what|when|where|which|why|how|did|do|does|is|are|was|were|has|have|can)\b", re.IGNORECASE)
_ASKS_MEANING = re.compile(r"(?:what|who) (?:is|are|was|were)\b", re.IGNORECASE)
_PERSONAL = re.compile(r"\b(?:he|she|him|his|her|hers)\b", re.IGNORECASE)
_NEUTRAL = re.compile(
    r"\b(?:it|its|they|them|their|theirs|(?:this|that|these|those)(?: ones?\b)?)\b(?!\s+(?:is|was)\s+(?:true|why))",
    re.I,
)
_GOES_ON = re.compile(
    r"(?:[,;]|\s)\s*(?:and|but|or)\s+(?:who|what|when|where|which|why|how|did|do|does|is|are|was|were|has|have|can)\b",
    re.IGNORECASE,
)
"""Where a question goes on with another one: "What did V3 cost, and what does that figure leave out?"."""
_POSSESSIVE = frozenset({"his", "her", "hers", "its", "their", "theirs"})
_FRAGMENT_WORDS = 4
"""A question of no more words than this, with at most one of content, can't stand alone after another one."""


def standalone(question: str, history: Sequence[tuple[str, str]]) -> str:
    """The question with what it leaves unsaid filled in from the last turn; unchanged when it stands alone.

    >>> standalone("And Broadcom?", [("What happened to Nvidia on Monday?", "Nvidia fell. [1]")])
    'What happened to Broadcom on Monday?'
    >>> standalone("What is distillation?", [("Who founded DeepSeek?", "Liang Wenfeng founded DeepSeek. [1]")])
    'What is distillation?'
    >>> standalone("Where did he study?", [("Who founded DeepSeek?", "Liang Wenfeng founded DeepSeek. [1]")])
    'Where did Liang Wenfeng study?'
    """
    if not history:
        return question
    last_question, last_answer = history[-1]
    # The last question may itself have been a follow-up.
    last_question = standalone(last_question, history[max(0, len(history) - 3) : -1])

    bare = _ELLIPSIS.sub("", question)
    if bare != question and not _ASKS.match(bare):
        return _substituted(bare, last_question)
    if _refers(_PERSONAL, question):
        person = _person(last_question, last_answer)
        if person:
            return _replace_first(_PERSONAL, question, person)
    subject = _names(last_question)
    if _refers(_NEUTRAL, question):
        if subject:
            return _replace_first(_NEUTRAL, question, subject[0])
        return f"{question} ({last_question})"
    content = [term for term in terms(question) if term not in function_terms()]
    if (
        len(question.split()) <= _FRAGMENT_WORDS
        and len(content) <= 1
        and not (content and _ASKS_MEANING.match(question))
    ):
        return f"{question} ({last_question})"
    return question


def _refers(pronouns: re.Pattern[str], question: str) -> bool:
    """Whether a question has one of the pronouns for what was said before, and not for what it names itself."""
    found = pronouns.search(question)
    if not found:
        return False
    first = _GOES_ON.search(question, 0, found.start())
    return first is None or not _names(question[: first.start()])


def _substituted(fragment: str, last_question: str) -> str:
    """ "Broadcom?" after "What happened to Nvidia?" asks what happened to Broadcom."""
    fragment = fragment.strip(" ?.!")
    names = _names(last_question)
    if names and _names(fragment):
        # The article belongs to the name: "the Nasdaq" gives way to "the Dow", and to "Broadcom".
        return re.sub(rf"(?:\bthe )?{re.escape(names[0])}", lambda _: fragment, last_question, count=1)
    return f"{fragment}? ({last_question})"


def _names(text: str) -> list[str]:
    """Capitalised names in order, without the function word that a sentence begins with, and without dates."""
    found = []
    for match in _NAME.finditer(text):
        words = match.group().split()
        while words and words[0].lower() in FUNCTION_WORDS:
            words.pop(0)
        if words and not _is_date_word(words[0]):
            found.append(" ".join(words))
    return found


def _is_date_word(word: str) -> bool:
    return bool(
        re.fullmatch(
            r"January|February|March|April|May|June|July|August|September|October|November|December"
            r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day",
            word,
        )
    )


def _person(last_question: str, last_answer: str) -> str:
    for text in (last_question, last_answer):
        for match in _PERSON.finditer(text):
            words = match.group().split()
            if not any(word.lower() in FUNCTION_WORDS or _is_date_word(word) for word in words):
                return match.group()
    return ""


def _replace_first(pattern: re.Pattern[str], question: str, name: str) -> str:
    def replacement(match: re.Match[str]) -> str:
        return f"{name}'s" if match.group().lower() in _POSSESSIVE else name

    return pattern.sub(replacement, question, count=1)
