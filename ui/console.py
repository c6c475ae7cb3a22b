"""Records and messages for a terminal: coloured and wrapped there, plain lines in a pipe."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.status import Status
from rich.text import Text

from rag.records import (
    Passage,
    TimelineEntry,
)

if TYPE_CHECKING:
    from ingest import Progress as IngestProgress
    from ingest import Report
    from ingest.reading_list import Fetched
    from rag.pull import PullProgress
    from ui.doctor import Check

T = TypeVar("T")

# What articles and models say is printed on a terminal, which obeys control characters.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
MARK = r"\[\d+\]"
"""An answer's marks, as a pattern."""


class Cancelled(Exception):
    """The user interrupted something that can go on later; the text is one sentence that says how."""


def harmless(text: str) -> str:
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
    print(harmless(text) if output().is_terminal else text, end="")  # noqa: T201


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
    text = Text(harmless(text.plain), style=text.style, spans=text.spans)
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
        line.highlight_regex(MARK, "bold cyan")
        write(console, line, margin, first=of_day)
        for citation in entry.citations:
            articles.setdefault(citation.passage.article_id, citation.passage)
            numbers.setdefault(citation.passage.article_id, []).append(citation.number)
    for article_id, passage in articles.items():
        console.print()
        write(console, Text(" ".join(f"[{number}]" for number in numbers[article_id]), style="bold cyan"))
        write(console, source_line(passage), 4)
        write_address(console, passage.url)


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
            description = harmless(now.status or "asking")
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


def write_address(console: Console, url: str) -> None:
    """Print an address on a line of its own; nothing where there is none."""
    if url:
        # Never wrapped: terminals make a whole address something to click on.
        console.print(f"    {harmless(url)}", style="dim", soft_wrap=True)
