"""What is said where the articles don't hold the answer: what was searched, and which articles are closest. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rag.records import Draft, Evidence

CLOSEST = " The closest articles are: "
"""What comes before their titles."""
CLOSEST_ARTICLES = 3
LONGEST_SAID = 200
"""Characters of a question that a refusal repeats."""


def refused(closest: str) -> Draft:
    """The refusal, and what `closest` says."""
    return Draft(f"The articles do not answer this question.{closest}", refused=True)


def closest(evidence: Sequence[Evidence], asked: str, articles: int) -> str:
    """What was searched for in how many articles, and the titles of those that came nearest."""
    short = asked if len(asked) <= LONGEST_SAID else f"{asked[:LONGEST_SAID]}…"
    searched = f" Searched: {articles:,} article{'s' * (articles != 1)}, for “{short}”."
    titles = list(dict.fromkeys(e.passage.title for e in evidence))[:CLOSEST_ARTICLES]
    return searched + (f"{CLOSEST}{'; '.join(titles)}." if titles else "")
