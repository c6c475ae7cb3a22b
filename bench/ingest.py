"""Speed and memory of ingest: `python -m bench.ingest` prints one table; `--help` lists its parts.

Each row is a process of its own, timed from its start to its end. Memory is the largest sum of the resident memory of
the process and those that it started, looked at twenty times a second. Processors' time is without that in which
vectors are made up where embedding takes no time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench import peers
from bench.news import generate
from bench.processes import OFFLINE, ROOT, usage

LOOK_SECONDS = 0.05
OURS = (sys.executable, "-m", "bench.our_way")

REAL = "Aftershock"
LANGCHAIN = "loader, splitter, embeddings, Chroma"
CONSTANT = "Aftershock, embedding takes no time"
AGAIN = "the same folder again"

_WARM = (
    "from rag.embed import MiniLM; from rag.cross_encoder import CrossEncoder;"
    "base = MiniLM(); base.embed(['a']); CrossEncoder(base).prepare()"
)


@dataclass(frozen=True, slots=True)
class Row:
    """What one process came to; memory in megabytes, and the seconds that all processors worked for it together.

    The latter are without those that only the benchmark's made-up vectors took.
    """

    name: str
    articles: int
    passages: int
    seconds: float
    work: float
    memory: float
    versions: str

    @property
    def rate(self) -> float:
        """Articles a second."""
        return self.articles / self.seconds


def main(
    articles: Annotated[list[int], typer.Option(help="How many articles for the real embedder.")] = [1000, 5000],  # noqa: B006
    constant: Annotated[list[int], typer.Option(help="How many for one that takes no time.")] = [1000, 50_000],  # noqa: B006
    again: Annotated[int, typer.Option(help="How many for an unchanged folder.")] = 10_000,
    langchain: Annotated[int, typer.Option(help="How many for the plain LangChain way; 0 for none.")] = 1000,
    environment: Annotated[
        Path | None, typer.Option("--peers", help="The peers' environment, if made already.")
    ] = None,
) -> None:
    """Measure and print the table; a count of 0 leaves a part out."""
    with tempfile.TemporaryDirectory(prefix="aftershock-bench-") as place:
        rows = list(_rows(Path(place), articles, constant, again, langchain, environment))
    typer.echo(f"\n{'':44}{'articles':>9}{'passages':>10}{'seconds':>9}{'CPU':>8}{'articles/s':>12}{'MB':>7}")
    for row in rows:
        typer.echo(
            f"{row.name:44}{row.articles:9}{row.passages:10}{row.seconds:9.1f}{row.work:8.1f}{row.rate:12.1f}"
            f"{row.memory:7.0f}"
        )
    for line in conclusions(rows):
        typer.echo(line)
    for versions in dict.fromkeys(row.versions for row in rows):
        typer.echo(versions)


def _rows(
    place: Path,
    articles: Sequence[int],
    constant: Sequence[int],
    again: int,
    langchain: int,
    environment: Path | None,
) -> list[Row]:
    rows: list[Row] = []

    def run(name: str, count: int, index: str, command: Sequence[str] = OURS, *more: str) -> None:
        typer.echo(f"{name}, {count} articles", err=True)
        rows.append(measured(name, [*command, str(folder(place, count)), str(place / index), *more]))

    if any(articles):
        _warm()
    for count in filter(None, articles):
        run(REAL, count, f"real-{count}")
    if langchain:
        run(LANGCHAIN, langchain, "langchain", _theirs(environment))
    for count in filter(None, constant):
        run(CONSTANT, count, f"constant-{count}", OURS, "constant")
    if again:
        run(CONSTANT, again, "again", OURS, "constant")
        run(AGAIN, again, "again", OURS, "constant")
    return rows


def side_by_side(place: Path, count: int, environment: Path | None = None) -> tuple[Row, Row]:
    """Our row for so many articles with the real embedder, and the plain LangChain way's."""
    _warm()
    articles = str(folder(place, count))
    ours = measured(REAL, [*OURS, articles, str(place / "ours-beside")])
    return ours, measured(LANGCHAIN, [*_theirs(environment), articles, str(place / "theirs-beside")])


def _warm() -> None:
    """The model is put into its fast form once on a machine, which is no part of an ingest."""
    subprocess.run([sys.executable, "-c", _WARM], cwd=ROOT, check=True)


def _theirs(environment: Path | None) -> list[str]:
    return [str(peers.python(environment)), str(ROOT / "bench" / "langchain_way.py")]


def folder(place: Path, count: int) -> Path:
    """A folder with so many articles, each a text file: the day, the headline, the text."""
    made = place / f"articles-{count}"
    if not made.exists():
        made.mkdir()
        for number, article in enumerate(generate(count, seed=5)):
            text = f"{article['published']}\n{article['title']}\n\n{article['text']}\n"
            (made / f"{number:06}.txt").write_text(text, encoding="utf-8")
    return made


def measured(name: str, command: Sequence[str]) -> Row:
    """Run a command that prints JSON, and look at its time and memory.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    started = time.perf_counter()
    most, work = 0, 0.0
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(command, stdout=output, cwd=ROOT, env=os.environ | OFFLINE) as process,
    ):
        while process.poll() is None:
            used, worked = usage(process.pid)
            most, work = max(most, used), max(work, worked)
            time.sleep(LOOK_SECONDS)
        seconds = time.perf_counter() - started
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, list(command))
        output.seek(0)
        found = json.loads(output.read().splitlines()[-1])
    work -= found.get("made_up", 0.0)
    return Row(name, found["articles"], found["passages"], seconds, work, most / 2**20, found["versions"])


def conclusions(rows: Sequence[Row]) -> list[str]:
    """What the rows say about each other, a line each."""
    lines: list[str] = []
    by_name = {(row.name, row.articles): row for row in rows}
    for row in rows:
        ours = by_name.get((REAL, row.articles))
        if row.name == LANGCHAIN and ours:
            faster, memory = ours.rate / row.rate, ours.memory / row.memory
            lines.append(f"against the plain LangChain way: {faster:.2f} times as fast, {memory:.2f} of the memory")
    constant = sorted((row for row in rows if row.name == CONSTANT), key=lambda row: row.articles)
    if len(constant) > 1:
        least, last = constant[0], constant[-1]
        growth = last.memory / least.memory - 1
        lines.append(f"memory from {least.articles} to {last.articles} articles: {growth:+.0%}")
    real = [row for row in rows if row.name == REAL]
    if real and constant:
        most = max(real, key=lambda row: row.articles)
        same = by_name.get((CONSTANT, most.articles), constant[0])
        around, whole = same.work / same.articles, most.work / most.articles
        lines.append(f"around embedding: {around / (whole - around):.1%} of the processors' time that embedding takes")
    for row in rows:
        if row.name == AGAIN and real:
            first = row.articles / max(real, key=lambda other: other.articles).rate
            times = f"{first / row.seconds:.0f} times faster"
            lines.append(f"an unchanged folder: {times} than at first, which takes {first:.0f} s at that rate")
    return lines


if __name__ == "__main__":
    typer.run(main)
