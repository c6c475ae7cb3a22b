"""The timeline on the page as HTML: a table of events and one of daily changes. Pure.

The pictures hold nothing that the tables don't: the page's script reads their rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape

from rag.records import Citation, DailyChange, TimelineEntry
from rag.topics import TOPICS, topic_of
from ui.article_page import reader_address
from ui.charts import ADDRESS
from ui.wording import day, outlets_of

NO_EVENTS = "No article here says on which day something happened."
NO_CHANGES = "No article here says how far a price or an index moved on a day."


def timeline_page(events: Sequence[TimelineEntry], changes: Sequence[DailyChange]) -> str:
    """Both tables; for what there is none of, a sentence in place of the table."""
    topics = escape(",".join(TOPICS))
    return (
        f'<div class="events" data-charts="{ADDRESS}" data-topics="{topics}">{_events(events)}</div>'
        f'<div class="changes">{_changes(changes)}</div>'
    )


def reading_page(share: float) -> str:
    """What is said while the articles are read, of which this share is."""
    return f'<p class="reading">Reading the articles: <span class="share">{share:.0%}</span></p>'


def _events(events: Sequence[TimelineEntry]) -> str:
    if not events:
        return f'<p class="none">{NO_EVENTS}</p>'
    caption = "What happened, day by day, in the words of the articles"
    return _table(caption, ("Day", "Topic", "Event", "Told by"), map(_event, events))


def _event(event: TimelineEntry) -> str:
    first = event.citations[0]
    topic = topic_of(event.text, first.passage.title)
    text = escape(event.text)
    return (
        f'<tr role="row" data-date="{escape(event.date)}" data-topic="{topic}" data-told="{len(event.citations)}">'
        f'<th scope="row" role="rowheader">{_day(event.date)}</th><td role="cell">{topic}</td>'
        f'<td role="cell" dir="auto"><span class="said">{text}</span> '
        f'<button type="button" class="ask" aria-label="Ask about this: {text}">Ask about this</button></td>'
        f'<td role="cell">{_told_by(event.citations)}</td></tr>'
    )


def _changes(changes: Sequence[DailyChange]) -> str:
    if not changes:
        return f'<p class="none">{NO_CHANGES}</p>'
    values = Counter((change.subject, change.date, change.at_close) for change in changes)
    return _table(
        "How far prices and indices moved on a day, as the articles say it",
        ("What", "Day", "Change", "Reached", "Measured", "Told by"),
        (_change(change, values[change.subject, change.date, change.at_close] > 1) for change in changes),
    )


def _change(change: DailyChange, disputed: bool) -> str:
    sign = "+" if change.percent > 0 else "−" if change.percent < 0 else ""
    rough, _, figure = change.written.rpartition(" ")
    written = escape(f"{rough} {sign}{figure}".strip())
    named = ", ".join(change.outlets)
    outlets = escape(named or outlets_of(change.citations[0].passage))
    subject = escape(change.subject)
    differs = ' <span class="differs">reports differ</span>' if disputed else ""
    return (
        f'<tr role="row" data-date="{escape(change.date)}" data-subject="{subject}" data-percent="{change.percent:g}" '
        f'data-close="{int(change.at_close)}" data-written="{written}" data-outlets="{outlets}">'
        f'<th scope="row" role="rowheader" dir="auto">{subject}</th><td role="cell">{_day(change.date)}</td>'
        f'<td role="cell" class="figure">{written}{differs}</td>'
        f'<td role="cell" class="figure">{escape(change.level)}</td>'
        f'<td role="cell">{"at the close" if change.at_close else "during the day"}</td>'
        f'<td role="cell">{_told_by(change.citations, named)}</td></tr>'
    )


def _table(caption: str, columns: Iterable[str], rows: Iterable[str]) -> str:
    """With its roles said: on a phone it is laid out as no table, and browsers would then take it for none."""
    headers = "".join(f'<th scope="col" role="columnheader">{column}</th>' for column in columns)
    return (
        f'<table role="table"><caption>{caption}</caption><thead role="rowgroup"><tr role="row">{headers}</tr></thead>'
        f'<tbody role="rowgroup">{"".join(rows)}</tbody></table>'
    )


def _day(iso: str) -> str:
    return f'<time datetime="{escape(iso)}">{day(iso)}</time>'


def _told_by(citations: Iterable[Citation], named: str = "") -> str:
    """A link into each article, at the sentence that says it; `named` are the outlets that the sentences name."""
    links = "".join(
        f'<li><a class="source" href="{reader_address(each.passage, each)}" title="{_line(each.quote)}">'
        f'<span class="title" dir="auto">{escape(each.passage.title)}</span></a> '
        f'<span class="about" dir="auto">{escape(_about(each))}</span></li>'
        for each in citations
    )
    return (f'<p class="named" dir="auto">{escape(named)}</p>' if named else "") + f"<ul>{links}</ul>"


def _about(citation: Citation) -> str:
    return " · ".join(part for part in (outlets_of(citation.passage), day(citation.passage.published)) if part)


def _line(text: str) -> str:
    return escape(" ".join(text.split()))
