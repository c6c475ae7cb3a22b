"""A conversation as chat messages: pure, from turns to HTML.

Everything from articles, models and visitors is untrusted. It becomes HTML here and nowhere else: escaped, or
through a Markdown parser that knows emphasis, headings, lists and tables and has no links, images, code or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, TypeAlias
from urllib.parse import urlencode

from markdown_it import MarkdownIt

from rag.records import (
    UNSUPPORTED,
    Answer,
    Citation,
    Disagreement,
    Passage,
)
from rag.refusal import CLOSEST
from ui.article_page import PARAGRAPH, reader_address
from ui.highlight import CLOSE, OPEN, mark_highlights
from ui.turn import STOPPED, Turn
from ui.wording import day, days, duration, lines, outlets_of, own_sentence

Message: TypeAlias = "dict[str, Any]"
"""One message as Gradio's Chatbot takes it: role, content, and for the folded thinking its metadata."""

CLOSEST_SHOWN = 3


_MARKDOWN = MarkdownIt("zero", {"breaks": True}).enable(
    ["heading", "list", "table", "newline", "emphasis", "balance_pairs"]
)
_MARK = re.compile(r"\s*\[(\d+)\]")
_UNSUPPORTED = (
    f'<span class="unsupported" title="No passage that was read bears this sentence out">{UNSUPPORTED[1:-1]}</span>'
)
_UNFINISHED = re.compile(r"\s*(?:\[\d*|\n *(?:[-+*]|\d+\.|#+) *)$")
"""A mark, or the beginning of a line with nothing in it, at the end of what has arrived."""


def messages(turns: Sequence[Turn], suggested: Iterable[str] = ()) -> list[Message]:
    """The conversation for the Chatbot: per turn the question, how the answer came about (folded), the answer.

    Args:
        turns: the conversation, oldest first.
        suggested: what to ask next; shown once the last answer is there.
    """
    said: set[str] = set()
    shown = [message for turn in turns for message in _turn_messages(turn, said)]
    questions = "".join(f"<li>{_do(question, 'ask', question=question)}</li>" for question in suggested)
    if questions and not turns[-1].running:
        heading = '<p class="heading">Ask next</p>'
        shown.append(_message("assistant", f'<div class="next" dir="auto">{heading}<ul>{questions}</ul></div>'))
    return shown


def notice(sentence: str) -> list[Message]:
    """A conversation that cannot be shown."""
    return [_message("assistant", failure(sentence))]


def _do(label: str, action: str, hint: str = "", kind: str = "do", unseen: str = "", **values: object) -> str:
    """A link that the page's script takes as an order."""
    title = f' title="{escape(hint)}"' if hint else ""
    address = escape(urlencode({"do": action, **values}, doseq=True))
    more = f'<span class="unseen">{" " * bool(label)}{escape(unseen)}</span>' if unseen else ""
    return f'<a class="{kind}" href="#do?{address}"{title}>{lines(label)}{more}</a>'


def _turn_messages(turn: Turn, said: set[str]) -> list[Message]:
    found = [_message("user", f'<p class="question" dir="auto">{lines(turn.question)}</p>')]
    if turn.stages or turn.reasoning or turn.running:
        found.append({**_message("assistant", _thinking(turn)), "metadata": _thinking_head(turn)})
    if turn.text or turn.facets or not turn.running:
        found.append(_message("assistant", _answer(turn, said)))
    return found


def _message(role: str, html: str) -> Message:
    """A message on one line: Gradio reads messages as Markdown, where an empty line would end the HTML."""
    return {"role": role, "content": re.sub(r"\s*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]\s*", " ", html)}


def _thinking_head(turn: Turn) -> dict[str, str]:
    if turn.running and turn.seconds_to_text is None:
        waiting = turn.stages[-1] if turn.stages else "Waiting"
        title = f"Thinking for {duration(turn.seconds_of_thinking)}" if turn.reasoning else waiting
        return {"title": _no_markdown(title), "status": "pending"}
    seconds = turn.seconds if turn.seconds_to_text is None else turn.seconds_to_text
    title = "Thought for" if turn.reasoning else "Searched the articles for"
    return {"title": f"{title} {duration(seconds)}", "status": "done"}


def _no_markdown(text: str) -> str:
    """Text for a place that Gradio reads as Markdown: every sign that could mean something as a character reference."""
    return re.sub(r"[^\w\s]", lambda sign: f"&#{ord(sign[0])};", " ".join(text.split()))


def _thinking(turn: Turn) -> str:
    stages = "".join(f"<li>{lines(stage)}</li>" for stage in turn.stages)
    paragraphs = "".join(f"<p>{lines(part[0])}</p>" for part in PARAGRAPH.finditer(turn.reasoning))
    return f'<div class="thinking"><ul class="stages">{stages}</ul>{paragraphs}</div>'


def _answer(turn: Turn, said: set[str]) -> str:
    """What was searched for, the text with its marks; once nothing more arrives also all that goes with it."""
    text = _UNFINISHED.sub("", turn.text) if turn.running else turn.text
    if turn.answer and turn.answer.refused and turn.answer.passages:
        text = text.partition(CLOSEST)[0]  # They follow as cards.
    parts = [chips] if (chips := _chips(turn)) else []
    if text:
        parts.append(f'<div class="text" dir="auto">{marked_text(text, turn.citations)}</div>')
    if not turn.running:
        if turn.answer:
            parts += [_disputed(each, turn.citations) for each in turn.answer.disagreements]
        if turn.citations:
            parts.append(_sources(turn.citations, turn.text))
        elif turn.answer and turn.answer.refused and turn.answer.passages:
            parts.append(_closest(turn.answer.passages))
        parts += [f'<p class="note" dir="auto">{own_sentence(note)}</p>' for note in _notes(turn, said)]
        if turn.failure:
            parts.append(failure(turn.failure))
        if turn.failure or _broke_off(turn):
            parts.append(_ways_out(turn))
        if turn.answer and turn.answer.model:
            parts.append(f'<p class="badge">{escape(badge(turn.answer, turn.seconds))}</p>')
        parts.append(_actions(turn))
    return f'<div class="answer">{"".join(parts)}</div>'


def _chips(turn: Turn) -> str:
    """What the search made of the question, each with a way to search without it."""
    n = turn.number
    chips = [
        f"<li>{escape(facet.label)} "
        + _do(
            "×",
            "again",
            f"Search without “{facet.label}”",
            "remove",
            f"Search without {facet.label}",
            turn=n,
            ignore=[*turn.ignore, facet.key],
        )
        + "</li>"
        for facet in turn.facets
    ]
    asked = turn.answer.standalone_question if turn.answer else ""
    if asked and asked.casefold() != " ".join(turn.question.split()).casefold():
        remove = _do("×", "again", "Search for it as it was asked", "remove", "Search as asked", turn=n, alone=1)
        chips.insert(0, f'<li class="searched" dir="auto">Searched for “{escape(asked)}” {remove}</li>')
    return f'<ul class="chips">{"".join(chips)}</ul>' if chips else ""


def _disputed(disagreement: Disagreement, citations: Iterable[Citation]) -> str:
    """A card with what is reported differently, value by value."""
    by_number = {citation.number: citation for citation in citations}
    rows = []
    for value in disagreement.values:
        about = " · ".join(filter(None, [", ".join(value.outlets), days(value.dates)]))
        marks = "".join(_mark_link(by_number[n]) for n in value.citations if n in by_number)
        head = f'<span class="value">{escape(value.value)}</span>'
        rows.append(f'<li>{head} <span class="about">{escape(about)}{marks}</span></li>')
    why = f'<p class="why">{lines(disagreement.explanation)}</p>' if disagreement.explanation else ""
    heading = f'<p class="heading">Reports differ: {lines(disagreement.subject)}</p>'
    return f'<div class="disputed" dir="auto">{heading}<ul>{"".join(rows)}</ul>{why}</div>'


def _broke_off(turn: Turn) -> bool:
    """Whether the answer ended before its end and nobody wanted that."""
    return bool(turn.answer and turn.answer.interrupted and STOPPED not in turn.answer.notes)


def _ways_out(turn: Turn) -> str:
    again = _do("Try again", "again", kind="do button", turn=turn.number)
    quotes = _do("Answer in the articles’ own words", "again", kind="do button", turn=turn.number, model="quotes")
    return f'<p class="ways">{again} {quotes}</p>'


def _actions(turn: Turn) -> str:
    n = turn.number
    edit = _do("Edit", "edit", "Edit the question", turn=n)
    actions = [_do("Copy", "copy"), edit, _do("Ask again…", "models", turn=n)]
    if turn.answer:
        actions.append(_do("Save…", "save", turn=n))
        for label, thumb in (("Helpful", "up"), ("Not helpful", "down")):
            kind = f"do thumb {thumb}{' chosen' * (turn.thumb == thumb)}"
            actions.append(_do("", "rate", label, kind, label, turn=n, thumb=thumb))
    return f'<ul class="actions">{"".join(f"<li>{action}</li>" for action in actions)}</ul>'


def _notes(turn: Turn, said: set[str]) -> Iterable[str]:
    if turn.stopped:
        yield f"{STOPPED[:-1]}: what stands here is cut short." if turn.text else STOPPED
    elif turn.answer and turn.answer.interrupted and not any("cut short" in note for note in turn.answer.notes):
        yield "This answer is cut short."
    if turn.unsaved:
        yield turn.unsaved
    if turn.answer:
        yield from (note for note in turn.answer.notes if note not in said)
        said.update(turn.answer.notes)


def badge(answer: Answer, seconds: float) -> str:
    """Who answered, from how many articles, in what time, on one line.

    >>> badge(Answer("Why?", "So.", model="ollama/deepseek-r1:8b"), 75)
    'Written by deepseek-r1:8b · 1 min 15 s'
    """
    if answer.refused:
        who = "No answer in the articles"
    elif answer.model == "quotes":
        who = "In the articles’ own words, no model"
    else:
        who = f"Written by {answer.model.partition('/')[2] or answer.model}"
    count = len({passage.article_id for passage in answer.passages})
    read = [f"{count} article{'s' if count > 1 else ''} read"] if count else []
    checked = answer.support
    if checked and checked.sentences:
        read.append(f"{checked.sentences - len(checked.unsupported)} of {checked.sentences} sentences borne out")
    if answer.context:
        read.append(f"{answer.context.used:,} of {answer.context.window:,} tokens of context")
    return " · ".join([who, *read, duration(seconds)])


def marked_text(text: str, citations: Sequence[Citation]) -> str:
    """The answer's Markdown as HTML: each `[n]` of a citation links to its sentence, what is unsupported stands out.

    So does what answers the question by itself.
    """
    links = {str(c.number): _mark_link(c) for c in citations}
    rendered = _MARKDOWN.render(mark_highlights(text, citations)).strip()
    html = _MARK.sub(lambda mark: links.get(mark[1], mark[0]), rendered)
    return html.replace(UNSUPPORTED, _UNSUPPORTED).replace(OPEN, "<strong>").replace(CLOSE, "</strong>")


def _mark_link(citation: Citation) -> str:
    address = reader_address(citation.passage, citation)
    hint = escape(f"{outlets_of(citation.passage)}: “{citation.quote}”")
    return f'<a class="mark" href="{address}" title="{hint}">{citation.number}</a>'


def _sources(citations: Iterable[Citation], text: str) -> str:
    """A card for each cited article, with those of its quotes that the answer's text does not hold word for word."""
    by_article: dict[str, list[Citation]] = {}
    for citation in citations:
        by_article.setdefault(citation.passage.article_id, []).append(citation)
    cards = []
    for cited in by_article.values():
        card = _card(cited[0].passage, reader_address(cited[0].passage, cited[0]), [c.number for c in cited])
        for citation in cited:
            if citation.quote not in text:
                address = reader_address(citation.passage, citation)
                number = f'<span class="number">{citation.number}</span> ' if len(cited) > 1 else ""
                card += f'<a class="quote" href="{address}" dir="auto">{number}“{lines(citation.quote)}”</a>'
        cards.append(card)
    return _card_list("Sources", cards)


def _closest(passages: Iterable[Passage]) -> str:
    """Cards of the articles that came nearest."""
    first: dict[str, Passage] = {}
    for passage in passages:
        first.setdefault(passage.article_id, passage)
    nearest = list(first.values())[:CLOSEST_SHOWN]
    return _card_list("The closest articles", [_card(p, reader_address(p, None), []) for p in nearest])


def _card(passage: Passage, address: str, numbers: Iterable[int]) -> str:
    chips = "".join(f'<span class="number">{number}</span> ' for number in numbers)
    about = " · ".join(part for part in (outlets_of(passage), day(passage.published)) if part)
    return (
        f'<a class="source" href="{address}">{chips}<span class="title" dir="auto">{lines(passage.title)}</span> '
        f'<span class="about">{lines(about)}</span></a>'
    )


def _card_list(heading: str, cards: Iterable[str]) -> str:
    return f'<p class="heading">{heading}</p><ul class="sources">{"".join(f"<li>{card}</li>" for card in cards)}</ul>'


def welcome() -> str:
    """What the empty page says above the example questions."""
    return (
        '<div class="welcome"><p class="lead">On 27 January 2025 a Chinese language model took hundreds of billions '
        "of dollars off the stock market in one day.</p>"
        "<p>Ask what happened and why. Every answer cites the sentences it stands on.</p></div>"
    )


def status(articles: int) -> str:
    """The line under the question box."""
    return f"Answers come only from the {articles:,} article{'s' * (articles != 1)} on this computer."


def failure(sentence: str) -> str:
    """What went wrong, as one sentence."""
    return f'<p class="failure" dir="auto">{own_sentence(sentence)}</p>'
