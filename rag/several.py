"""Questions that ask several things at once: which these are, and one answer out of the answers to each. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import zip_longest

from rag.conversation import standalone, with_day
from rag.figures import in_words
from rag.kinds import expected
from rag.period import periods_named
from rag.private import private_matters
from rag.quote import drafted
from rag.records import Citation, Draft, Evidence
from rag.rewording import plainer
from rag.text import FUNCTION_WORDS

OF_NO_DAY = ("person", "meaning", "place", "date")
"""Kinds of answers that are the same on all days, or a day."""
AS_SURE = 0.9
"""An answer that is this share as sure as another is as sure."""
CERTAIN = 0.7
"""An answer less likely than this is asked for again, without a request around it."""
MOST = 3
"""So many questions in one are answered apart; more are a text and no question."""
_WORD = r"(?:who|whom|whose|what|when|where|why|how|which)(?:['’](?:s|d|re|ll))?"
_AUXILIARY = r"(?:did|does|do|is|are|was|were|has|have|had|can|could|will|would)(?:n['’]t)?"
_BEFORE = r"(?:(?:in|on|at|to|for|by|from|of|with|under|over|about|against|after|since|until) )?"
_ASKS = re.compile(rf"\s*(?:(?:and|so|but|ok|well|i mean),? )?{_BEFORE}(?:{_WORD}|{_AUXILIARY})\b", re.IGNORECASE)
_BARE = re.compile(rf"{_BEFORE}(?:when|where|why|how|whom|what)(?: exactly)?", re.IGNORECASE)
"""Asks the same as the question before, but for what it asks for."""
_SAYS = re.compile(rf"\b{_AUXILIARY}\b(?= \S+ \S)", re.IGNORECASE)
_ENDS = re.compile(r"(?<=\?)\s+")
_PIECES = re.compile(
    r"(?<=[.!?])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bvs\.)(?<!\b[A-Z]\.)\s+(?=[^a-z])"
    rf"|(?<=[.!])\s+(?=(?:{_WORD}|{_AUXILIARY})\b)|\s+[-–—]+\s+"
)
_ORDERS = re.compile(
    r"(?:(?:please|and) )?(?:explain|tell|name|give|list|describe|say|show) (?!briefly\b)", re.IGNORECASE
)
_TAG = re.compile(r", (?:[a-z]+(?:n['’]t)? (?:it|they|he|she|that|there|we)|right|no|huh|eh) ?\?\Z")
"""Asks whether what is told is so: "it wasn't a chip maker, was it?"."""
_POINTS = re.compile(
    r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )\b(?:there|then|here|such|so)\b"
    r"(?! (?:is|are|was|were|far|much|many|been)\b)",
    re.IGNORECASE,
)
"""Points at what is told before, and no name can take its place."""
_FEWEST_TOLD = 3
"""Words of what is told before a question: less is an address or an exclamation."""
_JOINED = re.compile(rf",? (?:and|but)(?: also)? (?={_BEFORE}(?:{_WORD}|{_AUXILIARY})\b)", re.IGNORECASE)
_FEWEST_WORDS = 3
"""Of what stands before "and": "how and why did it fall?" is one question."""
_TOGETHER = re.compile(
    r"\b(?:between|compare[ds]?|comparison|difference|differ|than|vs|versus|together|each other|combined?"
    r"|agree[ds]?|merge[ds]?|joint(?:ly)?|or)\b",
    re.IGNORECASE,
)
"""Who asks so asks about two as one."""
_EACH = re.compile(r"\b(?:both|each) | (?:both|each|respectively)\b", re.IGNORECASE)
_CAPITAL = re.compile(r"\b[A-Z][\w&-]*\w")
_NAMED = re.compile(r"[A-Z][\w.-]*\w|[^\W_]*\d[\w.-]*")


@dataclass(frozen=True, slots=True)
class Found:
    """What a question has found: the answer in the sources' words, None where they hold none, the passages, and how
    likely they hold one."""

    question: str
    draft: Draft | None
    evidence: tuple[Evidence, ...]
    confidence: float


def questions_in(question: str) -> list[str]:
    """The questions that one consists of, in order; itself alone where it is one.

    >>> questions_in("Who founded DeepSeek and in which city is it based?")
    ['Who founded DeepSeek?', 'in which city is it based?']
    >>> questions_in("Did Tencent use R1? Where?")
    ['Did Tencent use R1?', 'Where?']
    >>> questions_in("How and why did Nvidia fall?"), questions_in("What did Altman and Nadella say?")
    (['How and why did Nvidia fall?'], ['What did Altman and Nadella say?'])
    """
    found: list[str] = []
    for sentence in _ENDS.split(question.strip()):
        place = 0
        for joined in _JOINED.finditer(sentence):
            before = sentence[place : joined.start()]
            if _ASKS.match(before) and len(before.split()) >= _FEWEST_WORDS:
                found.append(before)
                place = joined.end()
        found.append(sentence[place:])
    if not 1 < len(found) <= MOST or not all(map(_ASKS.match, found)):
        return [question]
    return [f"{one.strip(' ?.!,')}?" for one in found]


def side_by_side(question: str, names: Sequence[str]) -> list[str]:
    """The question about each of the names that it asks about in one breath; none where it asks about them together.

    >>> side_by_side("How did Oracle and Dell do?", ["Oracle", "Dell"])
    ['How did Oracle do?', 'How did Dell do?']
    >>> side_by_side("What did Altman and Nadella each say?", ["Altman", "Nadella"])
    ['What did Altman say?', 'What did Nadella say?']
    >>> side_by_side("What did the deal between Oracle and Dell cost?", ["Oracle", "Dell"])
    []
    """
    if not 1 < len(names) <= MOST or _TOGETHER.search(question):
        return []
    listed = re.search(r"(?:,? and |, )(?:the )?".join(map(re.escape, names)), question)
    if not listed:
        return []
    before, behind = (_EACH.sub("", part) for part in (question[: listed.start()], question[listed.end() :]))
    return [before + name + behind for name in names]


def without_statements(question: str) -> str:
    """The question without what is told beside it, but with what it leaves to that; itself where nothing is told.

    >>> without_statements("Oracle isn't even a chip maker - how far did its stock fall?")
    "how far did Oracle's stock fall?"
    >>> without_statements("How many chips are there? I read different numbers.")
    'How many chips are there?'
    >>> without_statements("How far did it fall?")
    'How far did it fall?'
    """
    pieces = _PIECES.split(question.strip())
    asked = [place for place, piece in enumerate(pieces) if _asks(piece)]
    if len(asked) != 1 or len(pieces) == 1 or _POINTS.search(pieces[asked[0]]):
        return question
    told = " ".join(pieces[: asked[0]])
    return alone(pieces[asked[0]], [(told, "")] if len(told.split()) >= _FEWEST_TOLD else [])


def with_told_day(question: str, bare: str) -> str:
    """The question without what is told beside it, on the one day that this tells of; itself where it tells of none.

    >>> with_told_day("Nvidia rose on the Tuesday - by how much?", "by how much?")
    'by how much on 28 January 2025?'
    """
    days = periods_named(with_day(question, ()))
    if len(days) != 1 or days[0].start != days[0].end or periods_named(bare) or expected(bare) in OF_NO_DAY:
        return bare
    return f"{bare.strip(' ?.')} on {in_words(date.fromisoformat(days[0].start))}?"


def _asks(piece: str) -> bool:
    return bool((piece.endswith("?") and not _TAG.search(piece)) or _ASKS.match(piece) or _ORDERS.match(piece))


def alone(question: str, earlier: Sequence[tuple[str, str]]) -> str:
    """A question with what it leaves to those before it, which were asked and answered so.

    >>> alone("in which city is it based?", [("Who founded DeepSeek?", "Liang Wenfeng did. [1]")])
    'in which city is DeepSeek based?'
    >>> alone("why?", [("By how much did Broadcom drop?", "Broadcom fell 17.4%. [1]")])
    'Why did Broadcom drop?'
    >>> alone("how many are active per token?", [("How many parameters does V3 have?", "V3 has 671 billion. [1]")])
    'how many are active per token? (How many parameters does V3 have?)'
    """
    bare = question.strip(" ?")
    if earlier and _BARE.fullmatch(bare) and (says := _SAYS.search(earlier[-1][0])):
        return f"{bare[0].upper()}{bare[1:]} {earlier[-1][0][says.start() :]}"
    asked = standalone(question, earlier)
    # What names nothing goes on from the one before.
    if earlier and asked == question and not _NAMED.search(question):
        return f"{question} ({earlier[-1][0]})"
    return asked


def answered(whole: Found, names: Sequence[str], ask: Callable[[str], Found], most: int, before: str = "") -> Found:
    """What is found for a question or, where it asks several things, for each of them, put together.

    Args:
        whole: what was found for it as it stands.
        names: what it asks about side by side.
        ask: finds the same for another question.
        most: so many passages at most.
        before: the question that it may go on from.
    """
    asked = whole.question
    if (bare := without_statements(asked)) != asked:
        other = ask(bare)
        # What was told of one day is mostly asked about that day.
        if (dated := with_told_day(asked, bare)) != bare and (
            of_day := ask(dated)
        ).confidence >= AS_SURE * other.confidence:
            other = of_day
        if other.confidence > whole.confidence and _is_about(other, bare, asked):
            return other
    if whole.confidence < CERTAIN and (plain := plainer(asked)) != asked:
        other = ask(plain)
        # Much around what is asked for hides both that it is told and that it isn't.
        if (other.draft is None) != (whole.draft is None):
            return other
    # Nothing shows that "What was the regulator's objection?" goes on from what was asked before, but its answer may.
    # What is refused as it stands stays so: with more words, more is like an answer.
    if before and whole.draft and (other := ask(f"{asked} ({before})")).confidence > whole.confidence:
        return other
    questions = questions_in(asked)
    if len(questions) == 1:
        questions = side_by_side(asked, names)
    found: list[Found] = []
    unanswered: list[str] = []
    earlier: list[tuple[str, str]] = []
    for question in questions:
        own = alone(question, earlier)
        one = ask(own)
        # Of what is private only what is told may be asked further.
        of_private = own != question and earlier and not earlier[-1][1] and private_matters(earlier[-1][0])
        if one.draft and not of_private:
            found.append(one)
        else:
            unanswered.append(question)
        earlier.append((own, one.draft.text if one.draft else ""))
    if not found:
        return whole
    if whole.draft and unanswered:
        # One sentence may tell all of it in words that are found for no part.
        found.insert(0, whole)
    drafts = [one.draft for one in found if one.draft]
    notes = () if whole.draft else tuple(f"The articles do not answer “{question}”" for question in unanswered)
    return Found(
        asked,
        replace(joined(drafts), notes=notes),
        merged([one.evidence for one in found], most),
        min(one.confidence for one in found),
    )


def _is_about(found: Found, bare: str, asked: str) -> bool:
    """Whether an answer has to do with a name that is only told beside a question that names nothing itself.

    "Oracle charges for Java. What's the list price?" is no question about anybody's prices.
    """
    if found.draft is None or _names(bare):
        return True
    told = _names(asked)
    quoted = " ".join(f"{c.passage.title} {c.quote}" for c in found.draft.citations[:1])
    return not told or any(name in quoted for name in told)


def _names(text: str) -> list[str]:
    """Its words with capitals, without those that any sentence may begin with."""
    return [word for word in _CAPITAL.findall(text) if word.lower() not in FUNCTION_WORDS]


def joined(drafts: Sequence[Draft]) -> Draft:
    """One answer out of several, no longer than the longest: citations numbered anew, and no quotation twice."""
    each = max(1, max(len(draft.citations) for draft in drafts) // len(drafts))
    citations: dict[tuple[str, int, int], Citation] = {}
    for citation in (citation for draft in drafts for citation in draft.citations[:each]):
        place = (citation.passage.article_id, citation.start, citation.end)
        citations.setdefault(place, replace(citation, number=len(citations) + 1))
    return drafted(tuple(citations.values()))


def merged(found: Sequence[Sequence[Evidence]], most: int) -> tuple[Evidence, ...]:
    """The passages found for several questions, the first of each before the second ones, at most so many."""
    evidence: dict[tuple[str, int], Evidence] = {}
    for row in zip_longest(*found):
        for one in row:
            if one is not None:
                evidence.setdefault((one.passage.article_id, one.passage.start), one)
    return tuple(evidence.values())[:most]
