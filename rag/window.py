"""How much of a model's context window a prompt may fill, and whether the server read all of it. Pure.

No tokenizer is at hand, so sizes are estimated on the high side and corrected by what the server reports. That report
can't be taken at its word: a prompt that is too long is cut by Ollama, which counts what is left (as much as the window
holds, or half of it); and some of its versions don't count what they had in their cache (its issues 3427 and 16414).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from rag.prompts import Prompt

_ANSWER_SHARE = 8
_LEAST_ANSWER = 256
_THINKING_SHARE = 3 / 8
_MARGIN = 1.1
_LEAST_FACTOR, _MOST_FACTOR = 0.6, 2.0


@dataclass(frozen=True, slots=True)
class Room:
    """A context window in tokens: what a prompt may fill, and what is kept for thinking and answer together."""

    window: int
    prompt: int
    reply: int


@dataclass(frozen=True, slots=True)
class Learned:
    """What a server's reports said about a model.

    `share` is the largest number of tokens seen for each estimated one; `window` is what the server really gives,
    where that is less than what was asked of it; `last` is the text of the last prompt.
    """

    share: float | None = None
    window: int | None = None
    last: str = ""

    @property
    def factor(self) -> float:
        """Tokens to expect for each estimated one, with a margin; 1 as long as nothing is known.

        >>> Learned().factor, Learned(share=1.0).factor, Learned(share=0.1).factor
        (1.0, 1.1, 0.6)
        """
        return 1.0 if self.share is None else min(max(_MARGIN * self.share, _LEAST_FACTOR), _MOST_FACTOR)

    def after(self, prompt: Prompt, evaluated: int) -> Learned:
        """The same after the server has read a whole prompt of `evaluated` tokens."""
        return replace(self, share=max(self.share or 0.0, evaluated / prompt.tokens), last=prompt.text)


class Memory:
    """What was learned about each model since the process began; any thread may ask and tell."""

    def __init__(self) -> None:
        self._learned: dict[str, Learned] = {}

    def __getitem__(self, model: str) -> Learned:
        return self._learned.get(model, Learned())

    def __setitem__(self, model: str, learned: Learned) -> None:
        self._learned[model] = learned


@cache
def memory() -> Memory:
    """The process's one memory."""
    return Memory()


def share_out(window: int, thinking: int) -> Room:
    """A window shared out between prompt, answer, and at most `thinking` tokens of thinking.

    >>> share_out(8192, 2048)
    Room(window=8192, prompt=5120, reply=3072)
    """
    reply = max(window // _ANSWER_SHARE, _LEAST_ANSWER) + min(thinking, int(window * _THINKING_SHARE))
    return Room(window, max(window - reply, 0), reply)


def unread(prompt: Prompt, learned: Learned, evaluated: int | None, window: int | None) -> bool:
    """Whether the server left out some of a prompt, of which it says that it evaluated so many tokens.

    No tokenizer makes fewer tokens than there are words. A server whose `window` is known to hold the whole prompt had
    the rest in its cache; where it isn't known, the cache may have held what the last prompt began with, too.
    """
    if evaluated is None or evaluated >= prompt.least_tokens:
        return False
    if window is not None:
        return window < prompt.tokens * learned.factor
    known = 0
    for ours, theirs in zip(prompt.text, learned.last, strict=False):
        if ours != theirs:
            break
        known += 1
    return evaluated < len(prompt.text[known:].split())
