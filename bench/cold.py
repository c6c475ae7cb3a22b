"""A question from a cold start: `python -m bench.cold` against the plain LangChain way, over the shipped articles.

The two take turns, each in a process of its own, from its start to the last character that it prints; what is printed
are medians. Files lie in the system's memory after a first run that doesn't count.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench import peers
from bench.processes import ROOT, Run, timed

QUESTION = "How much market value did Nvidia lose on 27 January 2025?"
GOALS = {"ratio": 0.25, "seconds": 2.5, "memory": 300, "import": 0.06, "help": 0.35}
"""At most so much of the plain way's time, seconds, MB, and seconds of `import rag` and of `aftershock --help`."""

_ASK = ("-m", "ui.cli", "ask", "--model", "quotes")


@dataclass(frozen=True, slots=True)
class Cold:
    """Medians in seconds and peaks in MB; `importing` is without the start of Python itself."""

    ours: float
    theirs: float
    our_work: float
    their_work: float
    our_memory: float
    their_memory: float
    importing: float
    help: float

    @property
    def ratio(self) -> float:
        """Our time as a part of theirs."""
        return self.ours / self.theirs


def main(
    rounds: Annotated[int, typer.Option(help="How often each is run.")] = 5,
    environment: Annotated[
        Path | None, typer.Option("--peers", help="The peers' environment, if made already.")
    ] = None,
) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="aftershock-bench-") as place:
        typer.echo(report(measure(Path(place), rounds, environment)))


def report(cold: Cold) -> str:
    """The figures in lines."""
    return "\n".join(
        [
            f"{'':24}{'seconds':>9}{'CPU':>7}{'MB':>6}",
            f"{'aftershock ask':24}{cold.ours:9.2f}{cold.our_work:7.2f}{cold.our_memory:6.0f}",
            f"{'plain LangChain way':24}{cold.theirs:9.2f}{cold.their_work:7.2f}{cold.their_memory:6.0f}",
            f"of the plain way's time: {cold.ratio:.2f} (at most {GOALS['ratio']})",
            f"import rag: {cold.importing * 1000:.0f} ms (at most {GOALS['import'] * 1000:.0f})",
            f"aftershock --help: {cold.help * 1000:.0f} ms (at most {GOALS['help'] * 1000:.0f})",
        ]
    )


def measure(place: Path, rounds: int, environment: Path | None = None) -> Cold:
    """Index the shipped articles both ways under `place`, and ask.

    Raises:
        subprocess.CalledProcessError: one of the processes failed.
    """
    import corpus

    folder = str(corpus.FOLDER)
    python = str(peers.python(environment))
    subprocess.run(
        [sys.executable, "-m", "ui.cli", "ingest", folder, "--index", str(place / "ours"), "--json"],
        check=True,
        cwd=ROOT,
        capture_output=True,
    )
    indexing = [python, str(ROOT / "bench" / "langchain_way.py"), folder, str(place / "theirs"), "**/*.md"]
    subprocess.run(indexing, check=True, capture_output=True)
    commands = {
        "ours": [sys.executable, *_ASK, QUESTION, "--index", str(place / "ours")],
        "theirs": [python, str(ROOT / "bench" / "langchain_ask.py"), str(place / "theirs"), QUESTION],
        "import": [sys.executable, "-c", "import rag; print()"],
        "nothing": [sys.executable, "-c", "print()"],
        "help": [sys.executable, "-m", "ui.cli", "--help"],
    }
    runs = _taking_turns(commands, rounds)
    for name in ("ours", "theirs"):
        assert all(run.output.strip() for run in runs[name]), f"{name} printed no answer"
    seconds = {name: statistics.median(run.seconds for run in some) for name, some in runs.items()}
    work = {name: statistics.median(run.work for run in some) for name, some in runs.items()}
    memory = {name: max(run.memory for run in some) for name, some in runs.items()}
    return Cold(
        seconds["ours"],
        seconds["theirs"],
        work["ours"],
        work["theirs"],
        memory["ours"],
        memory["theirs"],
        max(0.0, seconds["import"] - seconds["nothing"]),
        seconds["help"],
    )


def _taking_turns(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[Run]]:
    for command in commands.values():
        timed(command)
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(timed(command))
    return runs


if __name__ == "__main__":
    typer.run(main)
