"""Where an answer's text holds the words that answer by themselves: the highlights of its citations. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rag.records import Citation

OPEN, CLOSE = "\ue000", "\ue001"
"""Private characters that stand around a highlight until it is shown; no text has them for anything else."""


def mark_highlights(text: str, citations: Iterable[Citation]) -> str:
    """The text with `OPEN` and `CLOSE` around each citation's highlight, where it holds the quote word for word.

    >>> from rag.records import Passage
    >>> quote = "It lost $589 billion."
    >>> passage = Passage(quote, 1.0, "a", "", "", "", "", 0, 21)
    >>> mark_highlights("It lost $589 billion. [1]", [Citation(1, quote, passage, 0, 21, highlight=(8, 20))])
    'It lost \\ue000$589 billion\\ue001. [1]'
    """
    text = text.replace(OPEN, "").replace(CLOSE, "")
    for citation in citations:
        if citation.highlight is not None:
            start, end = (place - citation.start for place in citation.highlight)
            quote = citation.quote
            marked = f"{quote[:start]}{OPEN}{quote[start:end]}{CLOSE}{quote[end:]}"
            text = text.replace(" ".join(quote.split()), " ".join(marked.split()), 1)
    return text
