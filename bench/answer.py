"""How long a quoted answer takes, stage by stage: `python -m bench.answer` prints one table; `--help` lists its parts.

Two indexes: of the shipped articles, and of these among generated ones, as many as make 10,000 passages. Each is
searched by a process of its own, which is asked the own questions about the event one after another. Stages are parts
of `Assistant.retrieve`; what they leave of it is reading the question and its facets.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any
from unittest.mock import patch

import numpy as np
import psutil
import typer

import corpus
from bench.news import generate
from ingest import sync
from rag import Assistant, Settings, retrieve
from rag.embed import MiniLM
from rag.index import Index

ROOT = Path(__file__).parents[1]
QUESTIONS = ROOT / "evals" / "event_questions.jsonl"
WARM_UPS = 20
WHOLE, RERANKED, ANSWER, WORK = "retrieve, first look", "retrieve", "ask", "ask, processor time"
STAGES: dict[str, tuple[tuple[Any, str], ...]] = {
    "embed the question": ((MiniLM, "embed_question"),),
    "find by words": ((Index, "occurrences"), (retrieve, "bm25"), (retrieve, "highest")),
    "find by vectors": ((Index, "nearest"),),
    "look at all": ((Index, "prospects"), (retrieve, "look"), (retrieve, "promising")),
    "load the promising": ((Index, "candidates"),),
    "measure these": ((retrieve, "measure"), (retrieve, "scores")),
    "prefer, merge, trim": (
        (retrieve, "prefer"),
        (retrieve, "cover_parts"),
        (retrieve, "merge_copies"),
        (retrieve, "trim"),
    ),
}
"""Each stage and the functions that it consists of."""


def main(
    passages: Annotated[int, typer.Option(help="About how many the larger index has.")] = 10_000,
    keep: Annotated[Path | None, typer.Option(help="A folder for the indexes, to be used again next time.")] = None,
) -> None:
    """Make the indexes, measure and print the table."""
    with nullcontext(str(keep)) if keep else tempfile.TemporaryDirectory(prefix="aftershock-bench-") as place:
        Path(place).mkdir(parents=True, exist_ok=True)
        for count in dict.fromkeys((0, passages)):
            index = Path(place) / f"passages-{count}"
            export = Path(place) / "news.jsonl"
            made = _made(index, export, count)
            command = [sys.executable, "-m", "bench.answer", "--measure", str(index)]
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
            for line in table(made, json.loads(done.stdout)):
                typer.echo(line)


def _made(index: Path, export: Path, passages: int) -> int:
    """Make an index of the shipped articles and of generated ones, and say how many passages it has."""
    settings = Settings(index, model="quotes")
    # An article has six or seven passages.
    with export.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(article) + "\n" for article in generate(passages // 6, seed=5))
    return sync([corpus.FOLDER, *([export] if passages else [])], settings).passages


def table(passages: int, measured: dict[str, Any]) -> Iterator[str]:
    """The lines of the table for one index."""
    yield f"\n{passages:,} passages, {measured['megabytes']:.0f} MB{'median':>14}{'p95':>8}  ms"
    for stage, seconds in measured["seconds"].items():
        yield f"{stage:28}{np.median(seconds) * 1e3:12.1f}{np.percentile(seconds, 95) * 1e3:8.1f}"


def measure(index: Path, questions: Sequence[str]) -> dict[str, Any]:
    """The seconds of each stage for each question, and the resident memory in the end, in megabytes."""
    seconds: dict[str, list[float]] = defaultdict(list)
    with closing(Assistant.from_settings(Settings(index, model="quotes"))) as assistant:
        search = functools.partial(assistant.retrieve, rerank=False)
        for question in questions[:WARM_UPS]:
            assistant.ask(question)
        # Apart from each other: what an answer needs beside the search leaves little of the search's own in the caches.
        for question in questions:
            _timed(seconds[WHOLE], search, question)
        for question in questions:
            _timed(seconds[RERANKED], assistant.retrieve, question)
        for question in questions:
            worked = time.process_time()
            _timed(seconds[ANSWER], assistant.ask, question)
            seconds[WORK].append(time.process_time() - worked)
        with _stages() as spent:
            for question in questions:
                search(question)
                for stage in STAGES:
                    seconds[stage].append(spent.pop(stage, 0.0))
        used = psutil.Process().memory_info().rss
    return {
        "seconds": {stage: seconds[stage] for stage in (*STAGES, WHOLE, RERANKED, ANSWER, WORK)},
        "megabytes": used / 2**20,
    }


def _timed(seconds: list[float], call: Callable[[str], object], question: str) -> None:
    started = time.perf_counter()
    call(question)
    seconds.append(time.perf_counter() - started)


@contextmanager
def _stages() -> Iterator[dict[str, float]]:
    """Adds up the seconds that the functions of each stage take, while the block lasts."""
    spent: dict[str, float] = defaultdict(float)

    def watched(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*given, **named)
            finally:
                spent[stage] += time.perf_counter() - started

        return call

    patches = [
        patch.object(owner, name, watched(stage, getattr(owner, name)))
        for stage, functions in STAGES.items()
        for owner, name in functions
    ]
    for one in patches:
        one.start()
    try:
        yield spent
    finally:
        for one in patches:
            one.stop()


def own_questions() -> list[str]:
    """The last turns of the own questions about the event."""
    entries = map(json.loads, QUESTIONS.read_text(encoding="utf-8").splitlines())
    return [entry["question"] if "question" in entry else entry["turns"][-1] for entry in entries]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(Path(sys.argv[2]), own_questions())))  # noqa: T201
    else:
        typer.run(main)
