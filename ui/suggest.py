"""What to ask next: by rule, from what was found for an answer and is not told in it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import chain, islice, zip_longest

from rag.figures import MONTHS, dates
from rag.records import Answer, Passage
from rag.text import terms

MOST = 3
MOST_DAYS = 2

_NAME = re.compile(r"(?<![.!?:“\"] )(?<!^)\b[A-Z][a-z]+(?:[ -][A-Z][a-z]+){1,2}\b")
_SPEAKS = r"(?:said|says|told|wrote|called|argued|warned|added|answered|replied|estimated|predicted|posted)\b"
_NO_PERSON = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December|Monday|Tuesday"
    r"|Wednesday|Thursday|Friday|Saturday|Sunday|Street|Journal|Times|Post|News|University|House|Index|Composite|Jones"
    r"|Department|States|Kingdom|Bank|Group|Securities|Valley|Commission|Committee|Council|Authority|Agency|Ministry"
    r"|Institute|Observer|Sachs|Stanley|Capital|Research|Daily|Weekly|Press|Europe|America|China)\b"
)


def suggestions(answer: Answer, asked: Collection[str] = ()) -> tuple[str, ...]:
    """At most `MOST` questions that the passages of an answer promise an answer to and its text leaves open.

    None after a refusal: what was found then has little to do with what the visitor wants to know.

    Args:
        asked: what the conversation has asked already.
    """
    if answer.interrupted or answer.refused:
        return ()
    told = " ".join([answer.question, answer.standalone_question, *asked, answer.text])
    kinds = [_titles(answer, told), _speakers(answer.passages, told), islice(_days(answer.passages, told), MOST_DAYS)]
    known = {question.casefold() for question in asked}
    mixed = (question for question in chain.from_iterable(zip_longest(*kinds)) if question)
    return tuple(islice((q for q in dict.fromkeys(mixed) if q.casefold() not in known), MOST))


def _titles(answer: Answer, told: str) -> Iterator[str]:
    """Articles that were found and not cited, the best first, of which half the words are new."""
    cited = {citation.passage.article_id for citation in answer.citations}
    known = set(terms(told))
    for passage in answer.passages:
        words = set(terms(passage.title))
        if passage.article_id not in cited and words and len(words & known) <= len(words) / 2:
            yield _about(passage.title.rstrip(" .?!"))


def _about(title: str) -> str:
    """A question that the article of this title answers.

    >>> _about("What Wall Street analysts said"), _about("The missing R2: reports of a delayed successor to R1")
    ('Tell me what Wall Street analysts said.', 'What does “The missing R2” report?')
    """
    head = title.partition(": ")[0]
    short = head if len(head.split()) > 2 else title
    if re.match(r"(?:Who|What|Why|How|When|Where)\b", short):
        return f"Tell me {short[0].lower()}{short[1:]}."
    return f"What does “{short}” report?"


def _speakers(passages: Collection[Passage], told: str) -> Iterator[str]:
    """People whom the passages let speak and the answer doesn't name, the one named most often first."""
    text = "\n".join(dict.fromkeys(passage.text for passage in passages))
    counts = Counter(_NAME.findall(text))
    for name, _ in counts.most_common():
        speaks = re.search(rf"\b{re.escape(name)}(?:, [^.,\n]{{3,60}},)? {_SPEAKS}|{_SPEAKS} {re.escape(name)}\b", text)
        if speaks and name.split()[-1] not in told and not _NO_PERSON.search(name):
            yield f"What did {name} say?"


def _days(passages: Collection[Passage], told: str) -> Iterator[str]:
    """Days that the passages tell of and the answer doesn't."""
    known = {(date.year, date.month, date.day) for date in dates(told)}
    days = Counter(
        (date.year, date.month, date.day)
        for passage in passages
        for date in dates(passage.text)
        if date.year and date.month and date.day
    )
    for (year, month, day), _ in days.most_common():
        name = f"{day} {MONTHS[month - 1].capitalize()}"
        if (year, month, day) not in known and name not in told:
            yield f"What happened on {name} {year}?"
