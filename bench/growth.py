"""Growth, beside other systems: `python -m bench.growth --squad FILE --results FILE` prints a table in Markdown.

Each system indexes the same passages with the same vectors, which are given to it, and then answers the same questions,
which it embeds itself; each with what its documentation gives as defaults, in processes of its own. How often the first
passage is the right one is measured apart, on SQuAD's paragraphs, which each system cuts and embeds by itself.

What was measured is kept in the results file, so that a run which was stopped goes on where it was.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench import material, peers
from bench.processes import ROOT, timed

OURS = "aftershock"
SYSTEMS = {
    OURS: "Aftershock",
    "langchain": "LangChain, Chroma",
    "ensemble": "LangChain, with BM25",
    "llamaindex": "LlamaIndex",
    "haystack": "Haystack",
    "txtai": "txtai",
}
MOST_SECONDS = 1500
"""A system that takes longer to index, or to open that and answer, is left out from there on; the table says so."""


@dataclass(frozen=True, slots=True)
class Row:
    """One system over so many passages. Milliseconds are of a question, from its words to its passages."""

    system: str
    passages: int
    rate: float
    """Passages a second into the index, their vectors given."""
    build_memory: float
    memory: float
    """Peaks in MB, of indexing and of answering."""
    size: float
    """MB on disk."""
    median: float
    p95: float
    work: float
    """Milliseconds of the processors' time, the median."""
    versions: str
    opening: float | None = None
    """Seconds from nothing until a first question is answered; older results have none."""


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured so far; `hits` has each system's share of first passages that are right."""

    rows: list[Row]
    hits: dict[str, float]
    failures: dict[str, str]

    @classmethod
    def read(cls, path: Path | None) -> Results:
        """Those of a file, none where it isn't there yet."""
        if path is None or not path.exists():
            return cls([], {}, {})
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls([Row(**row) for row in found["rows"]], found["hits"], found["failures"])

    def write(self, path: Path | None) -> None:
        """Keep them."""
        if path is not None:
            path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def main(
    passages: Annotated[list[int], typer.Option(help="How many passages.")] = [1_000, 10_000, 100_000],  # noqa: B006
    chosen: Annotated[list[str] | None, typer.Option("--system", help="Which systems; all by default.")] = None,
    squad: Annotated[
        Path | None, typer.Option(help="A SQuAD 2.0 file, for how often the first passage is right.")
    ] = None,
    results: Annotated[Path | None, typer.Option(help="Where to keep what was measured.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Where to draw the latencies, as SVG.")] = None,
    environment: Annotated[
        Path | None, typer.Option("--peers", help="The peers' environment, if made already.")
    ] = None,
) -> None:
    """Measure what is not in the results yet, and print the table."""
    found = Results.read(results)
    systems = chosen or list(SYSTEMS)
    python = peers.python(environment)
    with tempfile.TemporaryDirectory(prefix="aftershock-bench-") as name:
        place = Path(name)
        wanted = [
            (count, system)
            for count in sorted(passages)
            for system in systems
            if not any((row.system, row.passages) == (system, count) for row in found.rows)
            and system not in found.failures
        ]
        if wanted:
            made = material.news(place / "news", passages)
            for count, system in wanted:
                if system not in found.failures:
                    measure(found, system, count, made, place, python)
                    found.write(results)
        if squad and (missing := [system for system in systems if system not in found.hits]):
            made = material.squad(place / "squad", squad)
            for system in missing:
                _hit(found, system, made, place, python)
                found.write(results)
    typer.echo("\n".join(table(found)))
    if plot:
        drawing = json.dumps({SYSTEMS[name]: points(found, name) for name in SYSTEMS})
        subprocess.run([str(python), str(ROOT / "bench" / "plot.py"), str(plot)], input=drawing, text=True, check=True)


def measure(found: Results, system: str, count: int, made: material.Material, place: Path, python: Path) -> None:
    """Add a row, or the reason why there is none."""
    typer.echo(f"{SYSTEMS[system]}, {count} passages", err=True)
    index = place / f"{system}-{count}"
    doing = "index"
    try:
        built = timed(_command("build", system, made, count, index, python), MOST_SECONDS)
        size = sum(path.stat().st_size for path in index.rglob("*") if path.is_file())
        doing = "open and search"
        asked = timed(_command("search", system, made, count, index, python), MOST_SECONDS)
    except subprocess.TimeoutExpired:
        found.failures[system] = f"{count:,} passages took more than {MOST_SECONDS // 60} minutes to {doing}"
        return
    except subprocess.CalledProcessError as error:
        found.failures[system] = f"{count:,} passages: its process ended with status {error.returncode}"
        return
    finally:
        shutil.rmtree(index, ignore_errors=True)
    building, answering = (json.loads(run.output.splitlines()[-1]) for run in (built, asked))
    took = sorted(answering["took"])
    found.rows.append(
        Row(
            system,
            count,
            count / building["seconds"],
            built.memory,
            asked.memory,
            size / 1e6,
            statistics.median(took),
            took[min(len(took) - 1, int(0.95 * len(took)))],
            statistics.median(answering["work"]),
            answering["versions"],
            answering["opening"],
        )
    )


def _hit(found: Results, system: str, made: material.Material, place: Path, python: Path) -> None:
    typer.echo(f"{SYSTEMS[system]}, SQuAD", err=True)
    count = len(json.loads((made.folder / "texts.json").read_text(encoding="utf-8")))
    index = place / f"{system}-squad"
    try:
        timed(_command("build", system, made, count, index, python), MOST_SECONDS)
        run = timed([*_command("search", system, made, count, index, python), str(MOST_SECONDS)], MOST_SECONDS)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        found.failures[system] = f"SQuAD: {type(error).__name__}"
        return
    numbers = json.loads(run.output.splitlines()[-1])["found"]
    hits = [own[:1] == [gold] for own, gold in zip(numbers, made.gold, strict=False)]
    found.hits[system] = statistics.mean(hits)


def _command(action: str, system: str, made: material.Material, count: int, index: Path, python: Path) -> Sequence[str]:
    rest = (str(made.folder), str(count), str(index))
    if system == OURS:
        return (sys.executable, "-m", "bench.our_system", action, *rest)
    return (str(python), str(ROOT / "bench" / "peer_systems.py"), action, system, *rest)


def table(found: Results) -> Iterator[str]:
    """The rows as a table in Markdown, what is missing and why, and the versions."""
    yield (
        "| System | Passages | Median ms | p95 ms | CPU ms | Seconds to the first | Passages/s in | MB indexing "
        "| answering | on disk |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for row in sorted(found.rows, key=lambda row: (row.passages, list(SYSTEMS).index(row.system))):
        opening = "–" if row.opening is None else f"{row.opening:.1f}"
        yield (
            f"| {SYSTEMS[row.system]} | {row.passages:,} | {row.median:.0f} | {row.p95:.0f} | {row.work:.0f} "
            f"| {opening} | {row.rate:.0f} | {row.build_memory:.0f} | {row.memory:.0f} | {row.size:.0f} |"
        )
    if found.hits:
        yield ""
        yield "| System | First passage is right (SQuAD) |"
        yield "|---|--:|"
        yield from (f"| {SYSTEMS[name]} | {found.hits[name]:.3f} |" for name in SYSTEMS if name in found.hits)
    yield ""
    yield from (f"{SYSTEMS[name]}: {reason}." for name, reason in found.failures.items())
    yield from dict.fromkeys(f"{SYSTEMS[row.system]}: {row.versions}" for row in found.rows)


def points(found: Results, system: str) -> list[tuple[int, float]]:
    """A system's median latencies by passages."""
    return sorted((row.passages, row.median) for row in found.rows if row.system == system)


if __name__ == "__main__":
    typer.run(main)
