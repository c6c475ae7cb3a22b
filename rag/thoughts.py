"""A model's thinking told apart from its answer, where the server leaves it in the text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delta:
    """What a model added to its answer or to its thinking; both empty is a sign of life while the server is silent."""

    text: str = ""
    reasoning: str = ""


class ThoughtSplitter:
    """Moves what raw `<think>` tags enclose from a stream's text to its reasoning.

    Tags may be split across pieces, nested, or stray. Where thoughts are expected, the opening tag may be missing too:
    a beginning that a closing tag ends is thinking, and so is one that sounds like it. If no tag ever comes, the
    latter was the answer after all, and `finish` gives it as such.
    """

    def __init__(self, *, expects_thoughts: bool) -> None:
        self._depth = 0
        self._held = ""  # may be part of a tag
        self._beginning: str | None = "" if expects_thoughts else None  # not yet told apart
        self._unsettled = ""  # sounds like thinking, but no tag has said so

    def feed(self, text: str) -> Iterator[Delta]:
        """What can be told apart after another piece of the stream."""
        self._held += text
        while tag := _THINK_TAG.search(self._held):
            before, self._held = self._held[: tag.start()], self._held[tag.end() :]
            yield from self._give(before)
            if not tag[1]:
                yield from self._decide()
                self._depth += 1
            elif self._beginning is not None:
                thought, self._beginning = self._beginning, None
                yield Delta(reasoning=thought)
            else:
                self._depth = max(self._depth - 1, 0)
                if not self._depth:
                    self._unsettled = ""
        start = self._held.rfind("<")
        if start < 0 or not any(tag_text.startswith(self._held[start:].lower()) for tag_text in _THINK_TAGS):
            start = len(self._held)
        ready, self._held = self._held[:start], self._held[start:]
        yield from self._give(ready)

    def thoughts_come_apart(self) -> None:
        """The server sends thinking in its own field, so text without tags is the answer."""
        self._beginning = None

    def finish(self, *, complete: bool) -> Iterator[Delta]:
        """What is left at the stream's end; `complete` says that it wasn't cut off."""
        yield from self._give(self._held)
        yield from self._decide()
        if complete and self._unsettled:
            yield Delta(text=self._unsettled)

    def _decide(self) -> Iterator[Delta]:
        if self._beginning is not None:
            beginning, self._beginning = self._beginning, None
            self._depth = int(_THINKING_ALOUD.match(beginning) is not None)
            if self._depth:
                self._unsettled = beginning
                yield Delta(reasoning=beginning)
            elif beginning.strip():
                yield Delta(text=beginning)

    def _give(self, text: str) -> Iterator[Delta]:
        if self._beginning is not None:
            self._beginning += text
            if len(self._beginning.lstrip()) >= _BEGINNING:
                yield from self._decide()
        elif self._depth:
            if self._unsettled and self._depth == 1:
                self._unsettled += text
            if text:
                yield Delta(reasoning=text)
        elif text:
            yield Delta(text=text)


_THINK_TAGS = ("<think>", "</think>", "<thinking>", "</thinking>")
_THINK_TAG = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_BEGINNING = 80
"""Characters that are held back where thoughts are expected: enough to tell how they sound, soon enough to show."""
_THINKING_ALOUD = re.compile(
    r"\s*(?:okay|ok|alright|all right|hmm+|wait|let me|let['’]s|the user|the question|(?:so|first),? i|we need|"
    r"i (?:need|have|should|must|think|will|am)|i['’](?:m|ll|ve))\b",
    re.IGNORECASE,
)
