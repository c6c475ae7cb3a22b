from __future__ import annotations

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

from bench import ingest
from bench.ingest import AGAIN, CONSTANT, LANGCHAIN, OURS, REAL, Row, conclusions, folder, measured
from bench.news import generate


def test_generated_articles_hang_on_the_seed_alone() -> None:
    """The same seed gives the same articles, however many are asked for, and another seed others."""
    three = list(generate(3, seed=1))
    assert three == list(islice(generate(100, seed=1), 3))
    assert three != list(generate(3, seed=2))
    assert len({article["id"] for article in three} | {article["url"] for article in three}) == 6
    for article in three:
        assert 250 <= len(article["text"].split()) < 650
        assert "{" not in article["title"] + article["text"]


def test_an_ingest_is_measured(tmp_path: Path) -> None:
    """Each measured process ingests all articles, and the second time finds them unchanged."""
    command = [*OURS, str(folder(tmp_path, 5)), str(tmp_path / "index"), "constant"]
    first = measured(CONSTANT, command)
    again = measured(AGAIN, command)
    assert first.articles == again.articles == 5
    assert first.passages == again.passages > 5
    assert first.memory > 50
    assert first.work > 0
    assert 0 < first.rate < 5 / first.seconds * 1.01


def test_memory_counts_what_a_process_starts() -> None:
    """The memory of a process that another one starts is part of the sum."""
    code = "import sys; held = b'x' * 2**27; print('there', flush=True); sys.stdin.read()"
    alone = ingest.usage(os.getpid())[0]
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline().strip() == b"there"
        assert ingest.usage(os.getpid())[0] > alone + 2**26
        process.communicate()
    assert ingest.usage(process.pid) == (0, 0.0)


def test_what_the_rows_say() -> None:
    """The comparisons are made between the rows that belong together."""
    rows = [
        Row(REAL, 1000, 4000, 50.0, 1.0, 400.0, ""),
        Row(REAL, 5000, 20000, 200.0, 400.0, 410.0, ""),
        Row(LANGCHAIN, 1000, 5000, 100.0, 1.0, 800.0, ""),
        Row(CONSTANT, 1000, 4000, 2.0, 4.0, 300.0, ""),
        Row(CONSTANT, 50000, 200000, 90.0, 1.0, 330.0, ""),
        Row(AGAIN, 10000, 40000, 4.0, 1.0, 100.0, ""),
    ]
    assert conclusions(rows) == [
        "against the plain LangChain way: 2.00 times as fast, 0.50 of the memory",
        "memory from 1000 to 50000 articles: +10%",
        "around embedding: 5% of the processors' time",
        "an unchanged folder: 100 times faster than at first, which takes 400 s at that rate",
    ]
    assert conclusions([]) == []
