"""A conversation as chat programs exchange it, in text alone: their messages to history, answers to Markdown. Pure.

What has been sent can't be taken back. So text is sent a word at a time, and what a check changes afterwards is told
below it, unless the change only adds marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.records import (
    UNSUPPORTED,
    Answer,
    CitationEvent,
    DoneEvent,
    Event,
    History,
    TextEvent,
    WithdrawnEvent,
)
from ui.export import answer_text, below_answer

BELOW = "\n\n---\n\n"
"""Between an answer's text and its sources."""
REPLACED = "**A check of the text above changed it. It should read:**\n\n"

_MARK = re.compile(rf"\s*(?:\[\d+\]|{re.escape(UNSUPPORTED)})")
_ESCAPE = re.compile(r"\\(?=[\\`*_\[\]#|~&!$:.@])")
_LAST_WORD = re.compile(r"\s*\S*\Z")


def conversation(messages: Iterable[tuple[str, str]]) -> tuple[str, History]:
    """The question and the turns before it, from (role, text) pairs; others than user and assistant don't count.

    >>> conversation([("user", "Who?"), ("assistant", "He [1]." + BELOW + "…"), ("system", "Hm."), ("user", "Why?")])
    ('Why?', (('Who?', 'He [1].'),))

    Raises:
        ValueError: the last of them isn't the user's.
    """
    turns: list[tuple[str, str]] = []
    for role, text in messages:
        if role == "user":
            turns.append((text, ""))
        elif role == "assistant" and turns:
            turns[-1] = (turns[-1][0], _as_answered(text))
    if not turns or turns[-1][1]:
        raise ValueError("The last message must be the user's question.")
    *history, (question, _) = turns
    return question, tuple(history)


def whole(answer: Answer) -> str:
    """An answer and what belongs to it, as one text."""
    text = answer_text(answer.text, _numbers(answer))
    return BELOW.join([text, "\n\n".join(below_answer(answer))])


class Writing:
    """An answer as Markdown while it comes about: what `take` returns, joined, is the text that was sent."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()
        self._sent = ""  # of the answer's own text
        self._held = ""  # the last word, which may go on, and the space before it
        self._withdrawn = False

    def take(self, event: Event) -> str:
        """What is to be sent after an event."""
        match event:
            case CitationEvent() if not self._withdrawn:
                self._numbers.add(event.citation.number)
            case TextEvent() if not self._withdrawn:
                text = self._held + event.text
                self._held = _last_word(text)
                return self._send(text.removesuffix(self._held))
            case WithdrawnEvent():
                self._withdrawn = True
            case DoneEvent():
                return self._finish(event.answer)
        return ""

    def _send(self, text: str) -> str:
        self._sent += text
        return answer_text(text, self._numbers)

    def _finish(self, answer: Answer) -> str:
        rest = _rest(self._sent, answer.text)
        self._numbers |= _numbers(answer)
        below = "\n\n".join(below_answer(answer))
        if rest is None:
            return BELOW.join(["", REPLACED + answer_text(answer.text, _numbers(answer)), below])
        return BELOW.join([self._send(rest), below])


def _numbers(answer: Answer) -> set[int]:
    return {citation.number for citation in answer.citations}


def _last_word(text: str) -> str:
    found = _LAST_WORD.search(text)
    return found[0] if found else ""


def _rest(sent: str, text: str) -> str | None:
    """What of the text follows on what was sent of it, some marks aside; None where that differs in more.

    >>> _rest("It fell. Much", "It fell [1]. Much more [2]."), _rest("It fell [1].", "It fell [2].")
    (' more [2].', None)
    """
    here = there = 0
    while here < len(sent):
        known, mark = _MARK.match(sent, here), _MARK.match(text, there)
        if mark and (known is None or known[0] != mark[0]):
            there = mark.end()
        elif there < len(text) and sent[here] == text[there]:
            here, there = here + 1, there + 1
        else:
            return None
    return text[there:]


def _as_answered(text: str) -> str:
    """An earlier answer's own text out of what was sent."""
    parts = text.split(BELOW)
    own = next((part.removeprefix(REPLACED) for part in parts if part.startswith(REPLACED)), parts[0])
    return _ESCAPE.sub("", own).replace("&lt;", "<")
