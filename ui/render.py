"""A conversation as chat messages, an article as the reader's page: pure, from records to HTML.

Everything from articles, models and visitors is untrusted. It becomes HTML here and nowhere else: escaped, or
through a Markdown parser that knows emphasis, headings, lists and tables and has no links, images, code or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from html import escape
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit

from markdown_it import MarkdownIt

from rag.assistant import CLOSEST
from rag.records import (
    UNSUPPORTED,
    Answer,
    Article,
    Citation,
    CitationEvent,
    Disagreement,
    DoneEvent,
    Event,
    Facet,
    FacetsEvent,
    Passage,
    ReasoningEvent,
    Source,
    StageEvent,
    TextEvent,
    WithdrawnEvent,
)
from ui.conversations import SavedTurn, Thumb
from ui.highlight import CLOSE, OPEN, mark_highlights

Message: TypeAlias = "dict[str, Any]"
"""One message as Gradio's Chatbot takes it: role, content, and for the folded thinking its metadata."""

CLOSEST_SHOWN = 3
STOPPED = "You stopped this answer."
WHOLE = "page: whole answer"
TO_TEXT = "page: to the first word"
"""Timings that the page adds to an answer when it is saved."""

_MARKDOWN = MarkdownIt("zero", {"breaks": True}).enable(
    ["heading", "list", "table", "newline", "emphasis", "balance_pairs"]
)
_MARK = re.compile(r"\s*\[(\d+)\]")
_UNSUPPORTED = (
    f'<span class="unsupported" title="No passage that was read bears this sentence out">{UNSUPPORTED[1:-1]}</span>'
)
_UNFINISHED = re.compile(r"\s*(?:\[\d*|\n *(?:[-+*]|\d+\.|#+) *)$")
"""A mark, or the beginning of a line with nothing in it, at the end of what has arrived."""
_PARAGRAPH = re.compile(r"\S(?:.*\S)?(?:\n[^\S\n]*\S.*)*")


@dataclass(slots=True)
class Turn:
    """A question and what has arrived in answer to it so far; `seconds` count from the question."""

    question: str
    number: int = 1
    ignore: tuple[str, ...] = ()
    """Keys of the facets that the visitor took off."""
    stages: list[str] = field(default_factory=list)
    facets: tuple[Facet, ...] = ()
    reasoning: str = ""
    text: str = ""
    citations: list[Citation] = field(default_factory=list)
    answer: Answer | None = None
    failure: str = ""
    stopped: bool = False
    seconds_to_text: float | None = None
    seconds: float = 0.0
    seconds_of_thinking: float = 0.0
    thumb: Thumb | None = None
    unsaved: str = ""
    """Why it could not be saved."""

    @classmethod
    def saved(cls, saved: SavedTurn) -> Turn:
        """A turn as it was when its answer was saved."""
        answer = saved.answer
        read = len({passage.article_id for passage in answer.passages})
        stages = [f"Read {read} article{'s' * (read != 1)}"] if read else []
        turn = cls(answer.question, saved.number, stages=stages, thumb=saved.thumb, reasoning=answer.reasoning)
        turn.take(DoneEvent(answer), answer.timings.get(WHOLE, sum(answer.timings.values())))
        turn.seconds_to_text = answer.timings.get(TO_TEXT, turn.seconds)
        if answer.interrupted and not answer.text and answer.notes:
            turn.answer, turn.failure = None, answer.notes[-1]
        return turn

    def record(self) -> Answer:
        """What is to be saved of it: the answer, or what there is of one that failed or was stopped."""
        answer = self.answer or Answer(
            self.question,
            self.text,
            tuple(self.citations),
            tuple(dict.fromkeys(citation.passage for citation in self.citations)),
            model="",
            reasoning=self.reasoning,
            facets=self.facets,
            notes=(self.failure or STOPPED,),
            interrupted=True,
        )
        timings = {**answer.timings, WHOLE: self.seconds, TO_TEXT: self.seconds_to_text or self.seconds}
        reasoning = answer.reasoning or self.reasoning
        return replace(answer, question=answer.question or self.question, reasoning=reasoning, timings=timings)

    @property
    def running(self) -> bool:
        """Whether more can still arrive."""
        return not (self.answer or self.failure or self.stopped)

    def take(self, event: Event, seconds: float) -> None:
        """Add an event that arrived `seconds` after the question."""
        self.seconds = seconds
        match event:
            case StageEvent():
                # A silent server is a stage that is repeated.
                if event.message not in self.stages[-1:]:
                    self.stages.append(event.message)
            case ReasoningEvent():
                self.reasoning += event.text
                self.seconds_of_thinking = event.seconds
            case FacetsEvent():
                self.facets = event.facets
            case CitationEvent():
                self.citations.append(event.citation)
            case TextEvent():
                self.text += event.text
            case WithdrawnEvent():
                self.text, self.citations = "", []
            case DoneEvent():
                self.answer, self.text, self.citations = event.answer, event.answer.text, list(event.answer.citations)
                self.facets = event.answer.facets
        if self.seconds_to_text is None and isinstance(event, TextEvent | DoneEvent):
            self.seconds_to_text = seconds


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
    return f'<a class="{kind}" href="#do?{address}"{title}>{_lines(label)}{more}</a>'


def _turn_messages(turn: Turn, said: set[str]) -> list[Message]:
    found = [_message("user", f'<p class="question" dir="auto">{_lines(turn.question)}</p>')]
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
    stages = "".join(f"<li>{_lines(stage)}</li>" for stage in turn.stages)
    paragraphs = "".join(f"<p>{_lines(part[0])}</p>" for part in _PARAGRAPH.finditer(turn.reasoning))
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
    why = f'<p class="why">{_lines(disagreement.explanation)}</p>' if disagreement.explanation else ""
    heading = f'<p class="heading">Reports differ: {_lines(disagreement.subject)}</p>'
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


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> duration(0.04), duration(9.96), duration(61)
    ('0.1 s', '10 s', '1 min 1 s')
    """
    if seconds < 9.95:
        return f"{max(seconds, 0.1):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def day(iso: str) -> str:
    """An ISO 8601 date for people; anything else stays as it is.

    >>> day("2025-01-27T09:30:00Z"), day("last week")
    ('27 January 2025', 'last week')
    """
    try:
        found = date.fromisoformat(iso[:10])
    except ValueError:
        return iso
    return f"{found.day} {found:%B %Y}"


def days(isos: Iterable[str]) -> str:
    """Dates for people, in order; a year is said once.

    >>> days(["2025-02-03", "2025-01-27T09:30:00Z"]), days(["2024-12-31", "2025-01-01"])
    ('27 January, 3 February 2025', '31 December 2024, 1 January 2025')
    """
    named = list(dict.fromkeys(day(iso) for iso in sorted(isos)))
    years = [name.rpartition(" ")[2] for name in named]
    last = len(named) - 1
    return ", ".join(
        name.rpartition(" ")[0] if i < last and years[i] == years[i + 1] and years[i].isdigit() else name
        for i, name in enumerate(named)
    )


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
                card += f'<a class="quote" href="{address}" dir="auto">{number}“{_lines(citation.quote)}”</a>'
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
        f'<a class="source" href="{address}">{chips}<span class="title" dir="auto">{_lines(passage.title)}</span> '
        f'<span class="about">{_lines(about)}</span></a>'
    )


def _card_list(heading: str, cards: Iterable[str]) -> str:
    return f'<p class="heading">{heading}</p><ul class="sources">{"".join(f"<li>{card}</li>" for card in cards)}</ul>'


def reader_address(passage: Passage, citation: Citation | None) -> str:
    """The link, escaped, that opens the reader at a citation, or at the head of a passage's article."""
    place = {"start": citation.start, "end": citation.end, "number": citation.number} if citation else {}
    return "#read?" + escape(urlencode({"id": passage.article_id, **place}))


def outlets_of(reported: Passage | Article) -> str:
    """Everybody who reported it, the first two by name."""
    names = list(dict.fromkeys(name for name in (reported.outlet, *(s.outlet for s in reported.sources)) if name))
    if len(names) > 3:
        return f"{names[0]}, {names[1]} and {len(names) - 2} others"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


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


def article_page(article: Article, start: int = 0, end: int = 0) -> str:
    """The whole article for the reader's panel, `article.text[start:end]` highlighted, with links to the originals."""
    outlets = outlets_of(article)
    about = [f"<span>{escape(outlets)}</span>"] if outlets else []
    if article.published:
        about.append(f'<time datetime="{escape(article.published)}">{escape(day(article.published))}</time>')
    if article.author:
        about.append(f"<span>{escape(article.author)}</span>")
    paragraphs = "".join(
        f"<p>{_highlighted(article.text, p.start(), p.end(), start, end)}</p>"
        for p in _PARAGRAPH.finditer(article.text)
    )
    own = [Source(article.outlet, article.title, article.url, article.published)] if article.url else []
    originals = "".join(f"<li>{_original(source)}</li>" for source in own or article.sources)
    return (
        f'<article dir="auto"><p class="about">{" · ".join(about)}</p><h2 tabindex="-1">{escape(article.title)}</h2>'
        f'<div class="text">{paragraphs}</div>'
        + (f'<h3>The originals, on the web</h3><ul class="originals">{originals}</ul>' if originals else "")
        + "</article>"
    )


def _highlighted(text: str, begin: int, stop: int, start: int, end: int) -> str:
    """`text[begin:stop]` with what `text[start:end]` has of it in a mark."""
    start, end = max(begin, start), min(stop, end)
    if start >= end:
        return escape(text[begin:stop])
    return f"{escape(text[begin:start])}<mark>{escape(text[start:end])}</mark>{escape(text[end:stop])}"


def _original(source: Source) -> str:
    """A publication by name; a link only where its address is one of the web."""
    name = f"<cite>{escape(source.title)}</cite>" if source.title else escape(source.outlet)
    about = [source.outlet] if source.title and source.outlet else []
    about += [day(source.date)] if source.date else []
    if _on_the_web(source.url):
        name = (
            f'<a href="{escape(source.url)}" target="_blank" rel="noopener noreferrer">{name}'
            '<span class="leaves"> (opens outside this computer)</span></a>'
        )
    return f'{name} <span class="about">{escape(" · ".join(about))}</span>'


def _on_the_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def own_sentence(text: str) -> str:
    """One of Aftershock's own sentences, with what stands in backticks as code to type."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _lines(text))


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")
