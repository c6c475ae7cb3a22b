"""All that is compared with the plain LangChain way, in one run: `python -m bench`, in short form `--short`.

Times differ from machine to machine; the ratio to the same work done the plain way in the same run much less. So it is
the ratios that are compared with the last recorded ones, in `bench/recorded.json`. README's table is printed by this.
"""

from __future__ import annotations

import datetime
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench import cold, growth, ingest, material, peak, peers

RECORDED = Path(__file__).with_name("recorded.json")
NOISE = 1.3
"""A ratio that is worse by this factor than the recorded one is worth a look; less is chance."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure, ours and the plain way's. A lower value is better, or a higher one where `more_is_better`."""

    name: str
    unit: str
    ours: float
    plain: float
    more_is_better: bool = False

    @property
    def ratio(self) -> float:
        """Ours to the plain way's."""
        return self.ours / self.plain


@dataclass(frozen=True, slots=True)
class Record:
    """What one run came to."""

    day: str
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> Record:
        """The one that was written."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(found["day"], tuple(Comparison(**one) for one in found["comparisons"]), tuple(found["notes"]))

    def write(self, path: Path) -> None:
        """Keep it."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def main(
    short: Annotated[
        bool, typer.Option("--short", help="Less of everything: three minutes on a free machine.")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Let this run's figures be compared with from now on.")
    ] = False,
    environment: Annotated[
        Path | None, typer.Option("--peers", help="The peers' environment, if made already.")
    ] = None,
) -> None:
    """Measure, print the table, and compare it with the recorded one."""
    peers.python(environment)
    with tempfile.TemporaryDirectory(prefix="aftershock-bench-") as place:
        found = measure(Path(place), environment, rounds=3 if short else 9, articles=60 if short else 1000)
    typer.echo("\n".join(table(found)))
    for note in found.notes:
        typer.echo(note)
    if RECORDED.exists():
        for line in compared(found, Record.read(RECORDED)):
            typer.echo(line)
    if record:
        found.write(RECORDED)


def measure(place: Path, environment: Path | None, rounds: int, articles: int) -> Record:
    """Both ways, one after the other.

    Args:
        rounds: of cold questions.
        articles: that are ingested with the real embedder.
    """
    asked = cold.measure(place, rounds, environment)
    ours, plain = ingest.side_by_side(place, articles, environment)
    made = material.news(place / "news", [1_000])
    rows = growth.Results([], {}, {})
    for system in (growth.OURS, "langchain"):
        growth.measure(rows, system, 1_000, made, place, peers.python(environment))
    if rows.failures:
        raise RuntimeError("; ".join(rows.failures.values()))
    warm, their_warm = rows.rows
    comparisons = (
        Comparison("a question from a cold start", "s", asked.ours, asked.theirs),
        Comparison("memory of that, at its peak", "MB", asked.our_memory, asked.their_memory),
        Comparison("finding passages at first look, warm, of 1,000", "ms", warm.median, their_warm.median),
        Comparison(f"ingest of {articles:,} articles", "articles/s", ours.rate, plain.rate, more_is_better=True),
        Comparison("memory of that, at its peak", "MB", ours.memory, plain.memory),
    )
    notes = (
        f"import rag {asked.importing * 1000:.0f} ms, aftershock --help {asked.help * 1000:.0f} ms",
        peak.report(peak.measure()),
        *dict.fromkeys((ours.versions, plain.versions)),
    )
    return Record(datetime.date.today().isoformat(), comparisons, notes)


def table(found: Record) -> Iterator[str]:
    """The comparisons in Markdown."""
    yield "| | Aftershock | plain LangChain | ratio |"
    yield "|---|--:|--:|--:|"
    for one in found.comparisons:
        yield f"| {one.name} | {_shown(one.ours)} {one.unit} | {_shown(one.plain)} {one.unit} | {one.ratio:.2f} |"


def compared(found: Record, recorded: Record) -> Iterator[str]:
    """What has become of the recorded ratios, and which of them are worth a look."""
    yield f"against the record of {recorded.day}:"
    before = {(number, one.unit): one.ratio for number, one in enumerate(recorded.comparisons)}
    for number, one in enumerate(found.comparisons):
        ratio = before.get((number, one.unit))
        if ratio is None:
            continue
        worse = ratio / one.ratio if one.more_is_better else one.ratio / ratio
        yield f"  {one.name}: ratio {one.ratio:.2f}, was {ratio:.2f}" + (" - WORSE" if worse > NOISE else "")


def _shown(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}"


if __name__ == "__main__":
    typer.run(main)
