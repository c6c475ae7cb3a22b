"""Room in a model's context: shares, the learned size of tokens, and prompts that were not read to the end."""

from __future__ import annotations

import pytest
from langchain_core.messages import HumanMessage

from rag.prompts import Prompt
from rag.window import Learned, Memory, share_out, unread

WORDS = 1000
PROMPT = Prompt((HumanMessage("word " * WORDS),), (), tokens=2000, least_tokens=WORDS)


def test_the_window_is_shared_out() -> None:
    """Prompt, thinking and answer fill the window, at least half of it is the prompt's, and none is left unused."""
    for window in (2048, 4096, 8192, 131_072):
        for thinking in (0, 2048):
            room = share_out(window, thinking)
            assert room.prompt + room.reply == window
            assert room.prompt >= window / 2
    assert share_out(8192, 0).reply == 1024
    assert share_out(8192, 100_000).reply == 1024 + 3072
    assert share_out(100, 0).prompt == 0


def test_the_size_of_tokens_is_learned_with_a_margin() -> None:
    """The largest share seen counts, so that one prompt of easy words doesn't make the next one overflow."""
    learned = Learned()
    for evaluated, factor in ((1200, 0.66), (1600, 0.88), (1400, 0.88), (2600, 1.43), (9000, 2.0)):
        learned = learned.after(PROMPT, evaluated)
        assert learned.factor == pytest.approx(factor)
    assert learned.last == PROMPT.text


def test_models_are_remembered_apart() -> None:
    """What one model's server says changes nothing for another model."""
    memory = Memory()
    memory["a"] = Learned(share=0.8)
    assert (memory["a"].share, memory["b"].share) == (0.8, None)


@pytest.mark.parametrize(
    ("evaluated", "window", "last", "lost"),
    [
        (None, None, "", False),
        (1000, None, "", False),
        (999, None, "", True),
        (999, 1900, "", True),
        (999, 8192, "", False),
        (3, None, PROMPT.text, False),
        (499, None, "word " * 501, False),
        (498, None, "word " * 501, True),
    ],
)
def test_fewer_tokens_than_words_are_lost_or_cached(
    evaluated: int | None, window: int | None, last: str, lost: bool
) -> None:
    """What a server left out is lost, unless its window holds the prompt or its cache may have held the beginning."""
    assert unread(PROMPT, Learned(last=last), evaluated, window) is lost
