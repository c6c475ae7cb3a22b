"""Whatever a model writes, no link, image or tag of it stays live."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.defuse import Defuser, defused

CASES = {
    "a link": ("See [the report](https://a.example/r?q=1) now", "See [the report] now"),
    "a link with a title": ('See [it](https://a.example "now") here', "See [it] here"),
    "an image beacon": ("![x](https://a.example/b.png?c=secret) So", "[x] So"),
    "a bare address": ("Go to https://a.example/x and www.b.example.", "Go to a.example/x and www. b.example."),
    "an address in angle brackets": ("Go to <https://a.example/x>!", "Go to  !"),
    "a tag": ('So <img src="https://a.example/b.png"> it <b>fell</b>.', "So   it  fell ."),
    "half a tag": ("So <img src='https://a.example/b.png'", "So ‹img src='a.example/b.png'"),
    "a script's address": ("[x](javascript:alert(1)) y", "[x] (alert(1)) y"),
    "a definition": ("[a]: https://a.example/x", "[a] : a.example/x"),
    "another protocol": ("gopher://a.example", "gopher: //a.example"),
    "harmless signs": ("It fell! Was 3 < 5? Yes: (a) and [sic] (so).", "It fell! Was 3 < 5? Yes: (a) and [sic] (so)."),
    "words like protocols": ("The data: http is a protocol; w, h and f.", "The data: http is a protocol; w, h and f."),
}


def stream(text: str, size: int) -> str:
    """What is shown of a text that streams in pieces of a size."""
    defuser = Defuser()
    return "".join(defuser.feed(text[i : i + size]) for i in range(0, len(text), size)) + defuser.finish()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(("text", "shown"), CASES.values(), ids=CASES.keys())
def test_cases(text: str, shown: str, size: int) -> None:
    """Live things are made plain and the rest is left alone, however the stream is cut into pieces."""
    assert stream(text, size) == shown


PIECES = [
    "[",
    "]",
    "(",
    ")",
    "!",
    "<",
    ">",
    "a",
    " ",
    "\n",
    "http",
    "s",
    ":",
    "/",
    "//",
    "www.",
    "a.example",
    '"',
    "img",
]
PIECES += ["src=", "javascript:", "data:image/png", "1", "[1]", "](", "://"]


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30), size=st.integers(1, 6))
def test_any_stream(pieces: list[str], size: int) -> None:
    """For any stream a full Markdown renderer finds no link, no image and no tag in what is shown."""
    for shown in (stream("".join(pieces), size), defused("".join(pieces))):
        html = MarkdownIt("commonmark", {"html": True}).render(shown)
        assert not re.search(r"<(?!/?(?:p|h\d|ul|ol|li|em|strong|pre|code|blockquote|hr|br)\b)", html), html
        assert not re.search(r"https?://|\bwww\.\w", shown, re.IGNORECASE)


def test_a_stream_is_passed_on_without_delay() -> None:
    """Words are shown as they come: only what may begin an address, a tag or a target is held back."""
    defuser = Defuser()
    assert defuser.feed("Nvidia lost $589 billion") == "Nvidia lost $589 billion"
    assert defuser.feed(" on [1]") == " on [1]"
    assert defuser.feed("(") == ""
    assert defuser.feed("about half)") == " (about half)"
    assert Defuser().feed("<" * 50_000).count("<") + 1 == 50_000


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize(
    "text", ["[x](1)(javascript:go())", "[x]https://(https://a.example)", "Mail mailto:a@b.example/"]
)
def test_what_goes_leaves_nothing_live_behind(text: str, size: int) -> None:
    """Where something was left out between two pieces, the rest makes no link, and no scheme slips through in bits."""
    defuser = Defuser()
    shown = "".join(defuser.feed(text[i : i + size]) for i in range(0, len(text), size)) + defuser.finish()
    assert shown == defused(text)
    assert "](" not in shown
    assert "mailto:" not in shown
