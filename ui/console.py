"""Answers and messages for a terminal: coloured and wrapped there, plain lines in a pipe."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, is_dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType
from rich.status import Status
from rich.text import Text

from rag.records import (
    UNSUPPORTED,
    Answer,
    Citation,
    CitationEvent,
    DoneEvent,
    Event,
    Passage,
    ReasoningEvent,
    StageEvent,
    TextEvent,
    TimelineEntry,
    WithdrawnEvent,
)
from ui.highlight import CLOSE, OPEN, mark_highlights

if TYPE_CHECKING:
    from ingest import Progress as IngestProgress
    from ingest import Report
    from ingest.reading_list import Fetched
    from rag.pull import PullProgress
    from ui.doctor import Check

T = TypeVar("T")

# What articles and models say is printed on a terminal, which obeys control characters.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MARK = r"\[\d+\]"
_WORD = re.compile(r"\s+|\S+")
_HIGHLIGHT = re.compile(f"([{OPEN}{CLOSE}])")


class Cancelled(Exception):
    """The user interrupted something that can go on later; the text is one sentence that says how."""


def _harmless(text: str) -> str:
    """The text, as long as it was, without control characters."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def output() -> Console:
    """Standard output: what was asked for."""
    return Console(markup=False, emoji=False, highlight=False)


def messages() -> Console:
    """Standard error: progress, notes and failures."""
    return Console(markup=False, emoji=False, highlight=False, stderr=True)


def warn(sentence: str) -> None:
    """Print a sentence on standard error."""
    write(messages(), sentence)


def write_json(record: Any) -> None:
    """Print a record, or a list of records, as one JSON document on standard output."""
    document = [asdict(r) for r in record] if isinstance(record, list) else record
    document = asdict(document) if is_dataclass(document) and not isinstance(document, type) else document
    print(json.dumps(document, ensure_ascii=False, indent=2))  # noqa: T201


def write_document(text: str) -> None:
    """Print a whole text on standard output as it is, and without control characters where that is a terminal."""
    print(_harmless(text) if output().is_terminal else text, end="")  # noqa: T201


def write(
    console: Console,
    text: Text | str,
    indent: int = 0,
    style: str = "",
    first: str = "",
    first_style: str = "bold cyan",
) -> None:
    """Print lines, wrapped between words on a terminal only, all behind `indent` spaces, the first behind `first`."""
    text = Text(text, style=style) if isinstance(text, str) else text
    text = Text(_harmless(text.plain), style=text.style, spans=text.spans)
    lines = text.wrap(console, console.width - indent) if console.is_terminal else text.split()
    for number, line in enumerate(lines):
        line.rstrip()
        margin = Text((first if number == 0 else "").ljust(indent), style=first_style)
        console.print(Text.assemble(margin, line), soft_wrap=True)


def write_passages(passages: Sequence[Passage]) -> None:
    """Print search results, best first."""
    console = output()
    for number, passage in enumerate(passages, 1):
        if number > 1:
            console.print()
        heading = source_line(passage).append(f"  {passage.score:.2f}", style="dim")
        write(console, heading, 4, first=f"{number}.")
        write(console, " ".join(passage.text.split()), 4)


def write_timeline(entries: Sequence[TimelineEntry]) -> None:
    """Print events, one a line, each behind its day, and under them the articles that tell of them."""
    from ui.wording import day

    console = output()
    days = [day(entry.date) for entry in entries]
    margin = max(map(len, days), default=0) + 2
    numbers: dict[str, list[int]] = {}
    articles: dict[str, Passage] = {}
    for entry, of_day in zip(entries, days, strict=True):
        marks = " ".join(f"[{citation.number}]" for citation in entry.citations)
        line = Text(f"{entry.text} {marks}")
        line.highlight_regex(_MARK, "bold cyan")
        write(console, line, margin, first=of_day)
        for citation in entry.citations:
            articles.setdefault(citation.passage.article_id, citation.passage)
            numbers.setdefault(citation.passage.article_id, []).append(citation.number)
    for article_id, passage in articles.items():
        console.print()
        write(console, Text(" ".join(f"[{number}]" for number in numbers[article_id]), style="bold cyan"))
        write(console, source_line(passage), 4)
        _write_address(console, passage.url)


def source_line(passage: Passage) -> Text:
    """Title, everybody who reported it, and the date."""
    from ui.wording import day

    names = [passage.outlet, *(source.outlet for source in passage.sources)]
    outlets = list(dict.fromkeys(name for name in names if name))
    others = f" and {len(outlets) - 2} others" if len(outlets) > 3 else ""
    about = [", ".join(outlets[:2] if others else outlets) + others, day(passage.published)]
    line = Text().append(passage.title, style="bold")
    return line.append("".join(f" · {part}" for part in about if part))


def write_report(report: Report, index: Path, *, dry_run: bool = False) -> None:
    """Print what an ingest did, or would do, each failed file with its reason."""
    console = output()
    counts = [
        f"{count} {what}"
        for count, what in (
            (report.added, "added"),
            (report.updated, "updated"),
            (report.unchanged, "unchanged"),
            (report.removed, "removed"),
            (report.repeated, "repeated"),
            (len(report.failed), "failed"),
            (len(report.ignored), "of other formats left aside"),
        )
        if count
    ]
    would = ", if this were no trial" if dry_run else ""
    write(console, f"Articles: {', '.join(counts) or 'none'}{would} ({report.seconds:.1f} s).")
    for place, reason in report.failed + report.warnings:
        write(console, f"{place}: {reason}.", 2)
    copies = f"; {report.copies:,} articles are copies, kept as further sources" if report.copies else ""
    write(console, f"The index at {index} holds {report.passages:,} passages{copies}.")


def write_fetched(fetched: Fetched) -> None:
    """Print what became of the originals, each one that could not be had with its reason."""
    console = output()
    counts = f"{fetched.new} fetched, {fetched.kept} already there, {len(fetched.missed)} could not be had"
    write(console, f"Originals: {counts}.")
    for url, reason in fetched.missed:
        write(console, f"{url}: {reason}.", 2)
    write(console, f"They are kept in {fetched.folder}.")


def write_checks(checks: Sequence[Check]) -> None:
    """Print the doctor's findings, one each line, with what to do about those that are not in order."""
    console = output()
    styles = {"ok": "green", "attention": "yellow", "problem": "bold red"}
    margin = max(map(len, styles)) + 2
    for check in checks:
        line = Text().append(f"{check.name}: ", style="bold").append(check.finding)
        write(console, line, margin, first=check.state, first_style=styles[check.state])
        if check.advice:
            write(console, check.advice, margin)


@contextmanager
def working(message: str) -> Iterator[None]:
    """Show on a terminal that something is going on."""
    console = messages()
    with Status(message, console=console) if console.is_terminal else nullcontext():
        yield


def track(items: Sequence[T], description: str) -> Iterator[T]:
    """The items, with a progress bar on a terminal."""
    from rich.progress import track

    console = messages()
    yield from track(items, description, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def fetch_progress() -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, and nothing elsewhere; yields what is to be called with done and total."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = messages()
    columns = (TextColumn("Fetching the originals"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def pull_progress() -> Iterator[Callable[[PullProgress], None]]:
    """A progress bar on a terminal, and nothing elsewhere; yields what is to be called with each report."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.table import Column

    console = messages()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        DownloadColumn(table_column=Column(no_wrap=True)),
        TransferSpeedColumn(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("asking", total=None)

        def report(now: PullProgress) -> None:
            description = _harmless(now.status or "asking")
            bar.update(task, description=description, completed=now.completed, total=now.total or None)

        yield report


@contextmanager
def ingest_progress() -> Iterator[Callable[[IngestProgress], None]]:
    """A progress bar on a terminal, and nothing elsewhere; yields what `ingest.update` is to call."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = messages()
    columns = (
        TextColumn("Reading"),
        BarColumn(),
        TextColumn("{task.fields[articles]:,} articles, {task.fields[rate]:,.0f} passages/s,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    started = 0.0

    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None, articles=0, rate=0.0)

        def show(now: IngestProgress) -> None:
            nonlocal started
            # What comes before the first passages is loading the embedder.
            started = started or (time.monotonic() if now.passages else 0.0)
            seconds = time.monotonic() - started if started else 0.0
            rate = now.passages / seconds if seconds > 1 else 0.0
            bar.update(task, completed=now.done, total=now.total, articles=now.articles, rate=rate)

        yield show


def show_answer(events: Iterable[Event], *, text: bool = True) -> Answer:
    """Print an answer as its events arrive: what is going on as a line that vanishes, then text, then sources.

    Args:
        events: a stream of `rag.Assistant`.
        text: print the answer itself, and not only what is going on.
    """
    with _AnswerView(text) as view:
        for event in events:
            view.take(event)
            if isinstance(event, DoneEvent):
                return event.answer
    raise AssertionError("a stream ends with a DoneEvent")


class _AnswerView:
    """Use as a context manager, so that the terminal is left in order when the answer breaks off."""

    def __init__(self, text: bool) -> None:
        self._text = text
        self._output = output()
        self._messages = messages()
        self._status = Status("", console=self._messages)
        self._pending = ""
        self._column = 0
        self._reasoning = ""
        self._seconds = 0.0
        self._lines = 0
        self._cited: list[Citation] = []
        self._bold = False

    def __enter__(self) -> Self:
        self.say("Loading the embedding model")
        if self._messages.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()
        if self._pending or self._column:
            self._flow("\n")

    def say(self, message: str) -> None:
        """Show what is going on, on one line."""
        line = Text(_harmless(" ".join(message.split())), style="dim")
        line.truncate(self._messages.width - 4, overflow="ellipsis")
        self._status.update(line)

    def take(self, event: Event) -> None:
        """Print what the event brings."""
        match event:
            case StageEvent():
                self.say(event.message)
            case ReasoningEvent():
                self._reasoning += event.text
                self._seconds = event.seconds
                self.say(f"Thinking for {event.seconds:.0f} s: …{self._reasoning[-(self._messages.width - 32) :]}")
            case TextEvent() if self._text and self._output.is_terminal:
                self._fold()
                self._flow(mark_highlights(event.text, self._cited))
            case CitationEvent():
                self._cited.append(event.citation)
            case WithdrawnEvent():
                self._withdraw()
            case DoneEvent():
                self._fold()
                if self._text and not self._output.is_terminal:
                    # Nobody reads along, and what is in a pipe can't be taken back.
                    self._flow(event.answer.text)
                self._flow("\n")
                if self._text:
                    self._write_disagreements(event.answer)
                    self._write_sources(event.answer)
                for note in event.answer.notes:
                    write(self._messages, note, style="dim")

    def _fold(self) -> None:
        """The thinking gives way to one line that says how long it took."""
        self._status.stop()
        if self._reasoning and self._messages.is_terminal:
            self._messages.print(f"Thought for {self._seconds:.0f} s", style="dim")
        self._reasoning = ""

    def _flow(self, text: str) -> None:
        """Print more of the text; on a terminal a word is held back until it is whole, and begins a line if need be."""
        if not self._output.is_terminal:
            self._output.print(_harmless(text), end="", soft_wrap=True)
            self._output.file.flush()
            return
        *whole, self._pending = _WORD.findall(self._pending + _harmless(text)) or [""]
        if self._pending.isspace():
            whole, self._pending = [*whole, self._pending], ""
        for word in whole:
            piece = Text()
            for part in _HIGHLIGHT.split(word):
                if part in (OPEN, CLOSE):
                    self._bold = part == OPEN
                else:
                    piece.append(part, "bold" if self._bold else None)
            piece.highlight_regex(_MARK, "bold cyan")
            piece.highlight_regex(re.escape(UNSUPPORTED), "bold yellow")
            if self._column + piece.cell_len >= self._output.width and not word.isspace():
                self._output.print()
                self._column = 0
                self._lines += 1
            self._output.print(piece, end="", soft_wrap=True)
            self._column = 0 if word.endswith("\n") else self._column + piece.cell_len
            self._lines += word.count("\n")

    def _withdraw(self) -> None:
        """Take the text back; where it has scrolled away, say that what follows replaces it."""
        if not (self._lines or self._column):
            self._pending = ""
            return
        if self._lines < self._output.height:
            up = [(ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2)] * self._lines
            self._output.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2), *up))
        else:
            self._flow("\n")
            self._output.print("After a check, in place of the above:", style="dim")
        self._pending, self._column, self._lines = "", 0, 0

    def _write_disagreements(self, answer: Answer) -> None:
        for disagreement in answer.disagreements:
            self._output.print()
            write(self._output, Text.assemble(("Reports differ: ", "bold"), disagreement.subject))
            for value in disagreement.values:
                who = f" ({', '.join(value.outlets)})" if value.outlets else ""
                line = Text(f"{value.value}{who} {' '.join(f'[{number}]' for number in value.citations)}")
                line.highlight_regex(_MARK, "bold cyan")
                write(self._output, line, 4)
            if disagreement.explanation:
                write(self._output, disagreement.explanation, 4)

    def _write_sources(self, answer: Answer) -> None:
        for citation in answer.citations:
            self._output.print()
            write(self._output, source_line(citation.passage), 4, first=f"[{citation.number}]")
            write(self._output, f"“{' '.join(citation.quote.split())}”", 4)
            _write_address(self._output, citation.passage.url)


def _write_address(console: Console, url: str) -> None:
    if url:
        # Never wrapped: terminals make a whole address something to click on.
        console.print(f"    {_harmless(url)}", style="dim", soft_wrap=True)
