from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.records import UNSUPPORTED, Answer, CitationEvent, DoneEvent, TextEvent, WithdrawnEvent
from tests.fakes import COST, LOSS, model_answer
from ui.chat_text import BELOW, REPLACED, Writing, conversation, whole

HOSTILE = (
    "![x](http://evil.example/a.png) [here](javascript:alert(1)) <img src=x onerror=alert(1)> "
    "```html\n<script>\n``` https://evil.example www.evil.example [a]: http://evil.example $$x$$ &lt;b&gt; [1]"
)
ANSWER = Answer("Why?", "It fell [1]. It rose.", (LOSS,), (LOSS.passage,), model="ollama/m:1b")


def written(*events: TextEvent | CitationEvent | WithdrawnEvent | DoneEvent) -> str:
    """All that was sent while these came."""
    writing = Writing()
    return "".join(writing.take(event) for event in events)


def test_streamed_and_whole_answers_read_the_same() -> None:
    """The text as it came, then a rule, then the numbered sources with their sentences."""
    [*_, done] = events = model_answer()
    assert isinstance(done, DoneEvent)
    writing = Writing()
    text = "".join(writing.take(event) for event in events)
    assert text == whole(done.answer)
    own, _, below = text.partition(BELOW)
    assert own == done.answer.text
    assert "\\[1\\] **Nvidia falls 17% and takes the market with it**" in below
    assert f"> {COST.quote}" in below


def test_marks_that_a_check_adds_leave_the_text_as_it_was_sent() -> None:
    """What was sent stands, and what nothing supports is told below it."""
    checked = Answer("Why?", f"It fell [1]. It rose {UNSUPPORTED}.", (LOSS,), model="ollama/m:1b")
    text = written(TextEvent("It fell. It "), TextEvent("rose. "), WithdrawnEvent(), DoneEvent(checked))
    assert text.partition(BELOW)[0] == "It fell. It rose."


def test_a_text_that_a_check_changed_is_sent_again_whole() -> None:
    """Below the old one, and in a later question's history the new one counts."""
    quoted = Answer("Why?", f"{LOSS.quote} [1]", (LOSS,))
    text = written(TextEvent("It rose a lot "), WithdrawnEvent(), TextEvent("Nvidia"), DoneEvent(quoted))
    assert text.startswith(f"It rose a lot{BELOW}{REPLACED}{LOSS.quote} [1]{BELOW}**Sources**")
    assert conversation([("user", "Why?"), ("assistant", text), ("user", "When?")]) == (
        "When?",
        (("Why?", f"{LOSS.quote} [1]"),),
    )


@given(st.lists(st.integers(0, len(HOSTILE)), max_size=30).map(sorted))
@settings(max_examples=50, deadline=None)
def test_no_answer_brings_a_link_or_an_image_of_its_own(cuts: list[int]) -> None:
    """However it is cut into pieces, what is sent becomes plain text in a program that shows Markdown."""
    answer = Answer("Why?", HOSTILE, (LOSS,))
    pieces = [HOSTILE[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(HOSTILE)], strict=True)]
    text = written(CitationEvent(LOSS), *map(TextEvent, pieces), DoneEvent(answer))
    assert text == whole(answer)
    html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text.partition(BELOW)[0])
    assert not any(tag in html for tag in ("<a ", "<img", "<script", "<code", "<pre"))
    [(_, kept)] = conversation([("user", "Why?"), ("assistant", text), ("user", "And?")])[1]
    assert kept == HOSTILE.replace("&lt;", "<")


def test_a_conversation_ends_with_a_question() -> None:
    """Instructions and tools' messages don't count; a question that got no answer has an empty one."""
    said = [
        ("developer", "Rhyme."),
        ("user", "Who?"),
        ("user", "Why?"),
        ("assistant", "So."),
        ("tool", "7"),
        ("user", "When?"),
    ]
    assert conversation(said) == ("When?", (("Who?", ""), ("Why?", "So.")))
