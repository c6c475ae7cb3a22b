"""What is said where the articles don't hold the answer: what was searched, and which articles are closest. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.quote import drafted
from rag.records import Draft, Evidence

CLOSEST = " The closest articles are: "
"""What comes before their titles."""
CLOSEST_ARTICLES = 3
LONGEST_SAID = 200
"""Characters of a question that a refusal repeats."""

_ASKS_EXACTLY = re.compile(
    r"\b(?:names?|identit(?:y|ies)|individuals?|exact(?:ly)?|precise(?:ly)?|complete|full|particular)\b", re.IGNORECASE
)
_ASKS_WHETHER = re.compile(r"\W*(?:did|does|do|has|have|had|was|were)\b", re.IGNORECASE)
_SAYS_UNKNOWN = re.compile(
    r"\b(?:is|are|was|were) (?:unknown|not known)\b|\bnamed neither\b"
    r"|\b(?:did|has|have) (?:not|never) (?:publish|disclose|reveal|name)d?\b"
)


def refused(closest: str) -> Draft:
    """The refusal, and what `closest` says."""
    return Draft(f"The articles do not answer this question.{closest}", refused=True)


def closest(evidence: Sequence[Evidence], asked: str, articles: int) -> str:
    """What was searched for in how many articles, and the titles of those that came nearest."""
    short = asked if len(asked) <= LONGEST_SAID else f"{asked[:LONGEST_SAID]}…"
    searched = f" Searched: {articles:,} article{'s' * (articles != 1)}, for “{short}”."
    titles = list(dict.fromkeys(e.passage.title for e in evidence))[:CLOSEST_ARTICLES]
    return searched + (f"{CLOSEST}{'; '.join(titles)}." if titles else "")


def unknown(question: str, quoted: Draft) -> Draft | None:
    """The refusal where a question asks for exact details and what it is answered with says that they are not known.

    "Who carried out the attack?" is answered by "Who did is unknown", "What are their full names?" is not.
    """
    first = quoted.citations[0].quote if quoted.citations else ""
    if not _ASKS_EXACTLY.search(question) or _ASKS_WHETHER.match(question) or not _SAYS_UNKNOWN.search(first):
        return None
    said = drafted(quoted.citations[:1])
    return Draft(f"The articles do not answer this question; they say: {said.text}", said.citations, refused=True)
