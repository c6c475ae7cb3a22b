"""Answers and conversations for use elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from evals import event
from rag.records import Answer, Citation, Disagreement, Passage, ReportedValue, Source, Support
from ui.conversations import Conversation, SavedConversation, SavedTurn
from ui.export import (
    answer_json,
    answer_markdown,
    conversation_json,
    conversation_markdown,
    evaluation_questions,
)

QUOTE = "Nvidia lost $589 billion of market value on 27 January 2025."
PASSAGE = Passage(
    QUOTE,
    0.9,
    "nvidia",
    "Nvidia falls",
    "CNBC",
    "2025-01-27",
    "https://example.org/nvidia?a=1(2)",
    0,
    len(QUOTE),
    (
        Source("Reuters", "Chips fall", "https://example.org/chips"),
        Source("CNBC", "", "https://example.org/nvidia?a=1(2)"),
    ),
)
ANSWER = Answer(
    "How much did Nvidia lose?",
    "It lost **$589 billion** [1].",
    (Citation(1, QUOTE, PASSAGE, 0, len(QUOTE)),),
    (PASSAGE,),
    reasoning="Secret thoughts.",
    model="ollama/deepseek-r1:8b",
    notes=("One article was left out.",),
)
REFUSAL = Answer("Who won the chess match?", "The articles do not say.", refused=True)


def conversation(*turns: SavedTurn) -> SavedConversation:
    """A conversation of these turns."""
    return SavedConversation(
        Conversation("0" * 32, "Nvidia's loss", "2025-02-01T10:00:00+00:00", "2025-02-01T11:00:00+00:00", len(turns)),
        turns,
    )


def test_an_answer_as_markdown() -> None:
    """The answer keeps its emphasis and marks, and each number below leads to article, outlets, date and sentence."""
    assert answer_markdown(ANSWER) == (
        "# How much did Nvidia lose?\n"
        "\n"
        "It lost **$589 billion** [1].\n"
        "\n"
        "**Sources**\n"
        "\n"
        "\\[1\\] **Nvidia falls** · [CNBC](https://example.org/nvidia?a=1%282%29) · "
        "[Reuters](https://example.org/chips) · 27 January 2025\n"
        "> Nvidia lost \\$589 billion of market value on 27 January 2025.\n"
        "\n"
        "*One article was left out.*\n"
        "\n"
        "*Answered by ollama/deepseek-r1:8b*\n"
    )


def test_what_is_doubtful_is_exported_too() -> None:
    """Values that differ and sentences that nothing bears out don't get lost on the way."""
    values = (
        ReportedValue("$589 billion", ("CNBC",), ("2025-01-27",), (1,)),
        ReportedValue("$593 billion", ("Reuters",), (), ()),
    )
    answer = replace(
        ANSWER, disagreements=(Disagreement("Nvidia's loss", values),), support=Support(2, ("It fell by 90%.",))
    )
    text = answer_markdown(answer)
    assert "**Reports differ: Nvidia's loss**\n\n- \\$589 billion (CNBC)\n- \\$593 billion (Reuters)" in text
    assert "**Not borne out by the sources:**\n\n- It fell by 90%." in text


def test_a_conversation_as_markdown() -> None:
    """Each question is a heading, each answer has its own sources."""
    text = conversation_markdown(conversation(SavedTurn(1, "", ANSWER), SavedTurn(2, "", REFUSAL)))
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# Nvidia's loss",
        "## How much did Nvidia lose?",
        "## Who won the chess match?",
    ]
    assert text.count("**Sources**") == 1
    assert "1 February 2025" in text


def test_json_is_the_record_without_thinking() -> None:
    """A program gets all of an answer but the thinking, and of a conversation all but the id that opens it."""
    record = json.loads(answer_json(ANSWER))
    assert record["citations"][0]["quote"] == QUOTE
    assert "reasoning" not in record
    whole = json.loads(conversation_json(conversation(SavedTurn(1, "2025-02-01", ANSWER, "up", "Good"))))
    assert whole["turns"] == [{"asked": "2025-02-01", "answer": record, "thumb": "up", "note": "Good"}]
    assert "0" * 32 not in json.dumps(whole)


@pytest.mark.parametrize("make", [answer_markdown, answer_json])
def test_thinking_is_never_exported(make: object) -> None:
    """What a model thought stays out of whatever leaves Aftershock."""
    assert callable(make)
    assert "Secret" not in make(ANSWER)


HOSTILE = (
    "[click](https://evil.example/a)",
    "![x](https://evil.example/a)",
    "![x][r]\n\n[r]: https://evil.example/a",
    "It fell [1].\n\n[1]: https://evil.example/a",
    "[1](https://evil.example/a)",
    "[[1]](https://evil.example/a)",
    "<https://evil.example/a>",
    "see https://evil.example/a and www.evil.example and mailto:a@evil.example or a@evil.example",
    "<script>evil()</script>",
    "<img src=x onerror=evil()>",
    "&lt;b&gt; &#60;script&#62;",
    "```\ncode without an end",
    "~~~\ncode without an end",
    "a `<b>` c",
    "\\[a\\](https://evil.example)",
    "\\<script>",
    "$$\\href{javascript:evil()}{x}$$",
    "[a\n](https://evil.example)",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_untrusted_text_brings_no_link_and_no_html(text: str) -> None:
    """Whatever a model or an article says becomes text: no link, image, code or HTML of its own, in any place."""
    passage = replace(PASSAGE, title=text, outlet=text, url=text, published=text, sources=(Source(text, text, text),))
    answer = Answer(text, text, (Citation(1, text, passage, 0, 1),), model=text, notes=(text,))
    markdown = answer_markdown(answer)
    kinds = set()
    for block in MarkdownIt("commonmark").enable("table").parse(markdown):
        kinds |= {token.type for token in [block, *(block.children or ())]}
    assert not kinds & {"link_open", "image", "html_inline", "html_block", "code_inline", "fence", "code_block"}
    # What readers make links of by themselves doesn't stand there as it is.
    assert "https://" not in markdown
    assert "www.e" not in markdown
    assert "a@e" not in markdown
    assert "$$" not in markdown


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*"[]()!<>`*_~#:/\\ \n1a&$-=|@", "https://e.example", "[1]", "www.", "\n[1]:"])).map(
        "".join
    )
)
def test_no_text_whatever_brings_a_link(text: str) -> None:
    """However signs are put together, they make no link, image, HTML or fence."""
    answer = Answer("Why?", text, (Citation(1, text, replace(PASSAGE, url="", sources=()), 0, 1),), notes=(text,))
    kinds = set()
    for block in MarkdownIt("commonmark").enable("table").parse(answer_markdown(answer)):
        kinds |= {token.type for token in [block, *(block.children or ())]}
    assert not kinds & {"link_open", "image", "html_inline", "html_block", "code_inline", "fence"}


def test_plain_text_reads_as_it_is() -> None:
    """What is escaped in the export is shown as it was."""
    title = "R&D [1] *stars* <b> `x` $5_000 a|b #1 ~x~ \\ !"
    answer = Answer(title, title, (Citation(1, "Q", replace(PASSAGE, title=title), 0, 1),))
    blocks = MarkdownIt("commonmark").parse(answer_markdown(answer))
    [heading, text] = ["".join(t.content for t in b.children or ()) for b in blocks if b.type == "inline"][:2]
    assert heading == title
    assert text == title.replace("*", "")


def test_an_address_cannot_leave_its_link() -> None:
    """Only addresses of the web become links, and nothing in them ends the link early."""
    evil = 'https://example.org/a) [x](https://evil.example "t'
    text = answer_markdown(replace(ANSWER, citations=(Citation(1, "Q", replace(PASSAGE, url=evil, sources=()), 0, 1),)))
    [link] = [
        token.attrs["href"]
        for block in MarkdownIt("commonmark").parse(text)
        for token in block.children or ()
        if token.type == "link_open"
    ]
    assert str(link).startswith("https://example.org/a%29%20")
    for url in ("javascript:alert(1)", "file:///etc/passwd", "https://", "http://[", "data:text/html,x"):
        assert "](" not in answer_markdown(
            replace(ANSWER, citations=(Citation(1, "Q", replace(PASSAGE, url=url, sources=()), 0, 1),))
        )


def test_rated_answers_become_evaluation_questions(tmp_path: Path) -> None:
    """The evaluation reads the file: figures of liked answers, liked refusals, and what nothing fulfils otherwise."""
    liked, wrong = SavedTurn(1, "", ANSWER, "up"), SavedTurn(2, "", ANSWER, "down", "It was $593 billion.")
    rated = [
        (["How much did Nvidia lose?"], liked),
        (["How much did Nvidia lose?", "And Broadcom?"], wrong),
        (["Who won the chess match?"], SavedTurn(1, "", REFUSAL, "up")),
    ]
    place = tmp_path / "feedback.jsonl"
    place.write_text("\n".join(evaluation_questions(rated)), encoding="utf-8")
    first, second, third = event.read(place)
    assert first == event.Question("f001", "liked", ("How much did Nvidia lose?",), (("\\$589\\ billion",),), False)
    assert second.turns == ("How much did Nvidia lose?", "And Broadcom?")
    assert third.refuse
    assert event.is_right(third, REFUSAL, None)  # type: ignore[arg-type]
    assert not event.is_right(second, ANSWER, None)  # type: ignore[arg-type]
    assert "It was $593 billion." in place.read_text(encoding="utf-8")
