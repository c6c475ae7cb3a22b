"""The same question as it is asked more usually: what it asks for first, and nothing around it. Pure."""

from __future__ import annotations

import re

_PREPOSITION = r"(?:to|into|in|on|at|by|for|from|of|with)"
_WORD = r"(?:who|whom|whose|what|when|where|why|how|which)"
_REQUEST = re.compile(
    r"\A(?:(?:please|hi|hello|ok|so|and)[\s,]+)*(?:(?:as|since|being) [^?.!;:]{0,100}?, )?"
    r"(?:(?:can|could|would|will|help|i|i['’]d|we|let)\b[^?.!;:]{0,60}?\b)?"
    r"(?:explain|tell|told|understand|know|describe|say|show|learn|hear)\b(?: to (?:\w+ )?\w+| \w+)?"
    rf" (?=(?:{_PREPOSITION} )?{_WORD}\b)",
    re.IGNORECASE,
)
"""Asks to be told something, and to or for whom."""
_CLAUSE = re.compile(
    r"\A(?P<word>why|when|where) (?!(?:did|does|do|is|are|was|were|has|have|had|can|could|will|would)\b)"
    r"(?P<rest>.+?)\W*\Z",
    re.IGNORECASE,
)
"""What is left of a request is no question yet: "why Vistra fell"."""
_CHOICE = re.compile(
    rf"(\A(?!why\b){_WORD}\b.*), (?!and\b)(?:(?:was|is|were|are|did) )?(?:it )?[^,?]{{2,50}} or [^,?]{{2,50}}\?\Z",
    re.IGNORECASE,
)
"""Offers answers behind the question: "..., late January or early February?"."""
_BETWEEN_COMMAS = re.compile(r"(?<=[\w.]), (?:the|an?) [^,?]{3,60}, (?!and\b|or\b)")
"""Says what somebody is."""
_LAST = re.compile(
    rf"\A(?!(?:\w+ )?(?:{_WORD}|did|does|do|is|are|was|were|has|have|had|can|could)\b)"
    rf"(?P<told>[^?.!:;–—]{{10,}}?)"
    rf" (?P<asked>(?:{_PREPOSITION} )?(?:which|what|whose|how many|how much)(?: [\w-]+){{0,4}})\?\Z",
    re.IGNORECASE,
)
"""Asks at its end: "It found code of which company?"."""
_APART = re.compile(rf"(?:,| -| and)(?: {_PREPOSITION})?\Z")
"""What is asked behind that goes with nothing before it."""


def plainer(question: str) -> str:
    """The question with what it asks for in front; itself where nothing stands in the way.

    >>> plainer("Help me explain to readers why Vistra got caught up in this.")
    'why did Vistra got caught up in this?'
    >>> plainer("Feroot, the Canadian firm, found code pointing to which telecom?")
    'which telecom Feroot found code pointing to?'
    >>> plainer("When did Taiwan ban it, late January or early February?")
    'When did Taiwan ban it?'
    >>> plainer("Who founded DeepSeek?")
    'Who founded DeepSeek?'
    """
    question = question.strip()
    plain = _REQUEST.sub("", question)
    if plain != question and (clause := _CLAUSE.match(plain)):
        # As bad English as it is, it is judged as a question is, and the clause isn't.
        plain = f"{clause['word']} did {clause['rest']}?"
    if choice := _CHOICE.match(plain):
        plain = f"{choice[1]}?"
    asks = _LAST.match(_BETWEEN_COMMAS.sub(" ", plain))
    if asks and not _APART.search(asks["told"]):
        preposition = re.match(rf"{_PREPOSITION} ", asks["asked"], re.IGNORECASE)
        behind = f" {preposition[0].strip()}" if preposition else ""
        plain = f"{asks['asked'].removeprefix(preposition[0] if preposition else '')} {asks['told']}{behind}?"
    return plain
