"""Links, images and HTML in a model's text made plain text while it streams. Pure."""

from __future__ import annotations

import re

_LONGEST = 500
_TAG = re.compile(r"<[A-Za-z/!?][^<>\n]{0,500}>")
_TARGET = re.compile(r"(?<=\])\((?=\S)[^\s()]*(?:\s+(?:\"[^\"\n]*\"|'[^'\n]*'))?\)")
_IMAGE = re.compile(r"!(?=\[)")
_DEFINITION = re.compile(r"(?<=\]):(?=\s)")
_ADDRESS = re.compile(r"\b(?:(?:https?|ftps?|file|wss?)://|(?:javascript|vbscript|mailto):)", re.IGNORECASE)
_LETTER = re.compile(r"\w")
_HOST = re.compile(r"\bwww\.", re.IGNORECASE)
_STARTS = (
    *("https://", "http://", "ftps://", "ftp://", "file://", "wss://", "ws://", "www."),
    *("javascript:", "vbscript:", "mailto:"),
)
_BEGINNINGS = "|".join(
    sorted({re.escape(start[:n]) for start in _STARTS for n in range(1, len(start) + 1)}, reverse=True)
)
_UNFINISHED = re.compile(
    rf"(?:(?:(?<=\]):)?<(?:[A-Za-z/!?][^<>\n]{{0,{_LONGEST}}})?"
    rf"|(?<=\])\((?:\S[^\s()]{{0,{_LONGEST}}}(?:\s+(?:[\"'][^\n]{{0,{_LONGEST}}})?)?)?"
    rf"|!|:/?|\b(?:{_BEGINNINGS})/?)\Z",
    re.IGNORECASE,
)


class Defuser:
    """Takes a text in pieces and gives it back without anything that a renderer would make live.

    Tags and the targets of links and images go; of bare addresses what makes them one ("https://") goes.
    """

    def __init__(self) -> None:
        self._last = ""  # the character before, which may give the next one its meaning
        self._given = ""  # the character given before: others, left out, may have stood behind it
        self._held = ""  # what may turn out as something live

    def feed(self, text: str) -> str:
        """What of the text so far is harmless for certain."""
        known = self._last + self._held + text
        cut = _unfinished(known, max(len(self._last), len(known) - 2 * _LONGEST))
        return self._give(known[:cut], known[cut:])

    def finish(self) -> str:
        """What was held back."""
        return self._give(self._last + self._held, "")

    def _give(self, known: str, held: str) -> str:
        given = defused(known)[len(self._last) :]
        if self._given == "]" and given.startswith("("):
            given = f" {given}"
        # A letter that was given begins no address, or it would have been held: its word goes on.
        self._last, self._held = _LETTER.sub("_", known[-1:]) or self._last, held
        self._given = given[-1:] or self._given
        return given


def _unfinished(text: str, start: int) -> int:
    """Where what may turn out as something live begins, but for what stands inside a tag, which goes as a whole."""
    found = _UNFINISHED.search(text, start)
    while found:
        place = found.start()
        tag = next((t for t in _TAG.finditer(text) if t.start() < place < t.end()), None)
        if tag is None:
            # A tag that is not closed yet may still take the end of a link's target with it.
            return next((t.start() for t in _TARGET.finditer(text) if t.start() < place < t.end()), place)
        found = _UNFINISHED.search(text, tag.end())
    return len(text)


def defused(text: str) -> str:
    """A whole text made harmless.

    >>> defused('See ![x](https://a.example/b.png?c=1) and <b>this</b>: https://a.example/d')
    'See [x] and  this : a.example/d'
    """
    # A space where something is taken out of the middle of words keeps what is left from becoming live in its turn.
    text = _IMAGE.sub("", _DEFINITION.sub(" :", _TARGET.sub("", _TAG.sub(" ", text))))
    text = _ADDRESS.sub(lambda found: " " if found.string[: found.start()].endswith((":", "/")) else "", text)
    text = _HOST.sub("www. ", text).replace("://", ": //").replace("](", "] (")
    return re.sub(r"<(?=[A-Za-z/!?])", "‹", text)
