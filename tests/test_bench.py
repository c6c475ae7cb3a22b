from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from bench import growth, material
from bench.__main__ import RECORDED, Comparison, Record, compared, table
from bench.ingest import AGAIN, CONSTANT, LANGCHAIN, OURS, REAL, Row, conclusions, folder, measured
from bench.news import generate
from bench.processes import ROOT, timed, usage
from bench.shared import SharedVectors


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
    alone = usage(os.getpid())[0]
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline().strip() == b"there"
        assert usage(os.getpid())[0] > alone + 2**26
        process.communicate()
    assert usage(process.pid) == (0, 0.0)


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
        "around embedding: 5.3% of the processors' time that embedding takes",
        "an unchanged folder: 100 times faster than at first, which takes 400 s at that rate",
    ]
    assert conclusions([]) == []


def test_a_process_is_timed_to_its_last_character() -> None:
    """What a process does after its last word doesn't count, its own memory does, and a failure is one here, too."""
    code = "import time; held = b'x' * 2**27; print('said', flush=True); time.sleep(1)"
    run = timed([sys.executable, "-c", code])
    assert run.output == "said\n"
    assert run.memory > 128
    held = b"x" * 2**28
    assert timed([sys.executable, "-c", "print()"]).memory < 2**6 < len(held) / 2**20
    with pytest.raises(subprocess.CalledProcessError):
        timed([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(subprocess.TimeoutExpired):
        timed([sys.executable, "-c", "import time; time.sleep(60)"], 0.5)


def test_systems_share_their_vectors(tmp_path: Path) -> None:
    """What the peers are given and what Aftershock makes of the same passages is the same, and it finds them again."""
    made = material.news(tmp_path / "news", [12])
    texts = json.loads((made.folder / "texts.json").read_text(encoding="utf-8"))
    given = np.load(made.folder / "vectors.npy")
    assert len(texts) == len(given) >= 12
    np.testing.assert_allclose(np.linalg.norm(given, axis=1), 1, atol=1e-5)
    rows = growth.Results([], {}, {})
    growth.measure(rows, growth.OURS, 12, made, tmp_path, Path(sys.executable))
    assert rows.failures == {}
    [row] = rows.rows
    assert row.median > 0
    assert row.p95 >= row.median
    assert row.size > 0.01
    assert row.opening is not None
    assert row.opening * 1000 > row.median
    first, *_ = SharedVectors(made.folder / "base.npy").embed_with_spans(texts[:1], [[(0, 5)]])
    np.testing.assert_array_equal(first.vector, given[0])


def test_rows_of_growth_become_a_table() -> None:
    """Each system has its row, and one that could not be measured its reason."""
    row = growth.Row("txtai", 1000, 500.0, 700.0, 650.0, 3.0, 12.4, 19.6, 11.0, "txtai 9", 2.5)
    lines = list(growth.table(growth.Results([row], {"txtai": 0.5}, {"haystack": "10 passages: its process ended"})))
    assert "| txtai | 1,000 | 12 | 20 | 11 | 2.5 | 500 | 700 | 650 | 3 |" in lines
    assert "| txtai | 0.500 |" in lines
    assert lines[-2:] == ["Haystack: 10 passages: its process ended.", "txtai: txtai 9"]


def test_ratios_are_compared_with_the_recorded_ones() -> None:
    """Only what got worse by more than chance is marked, whichever way is better."""
    recorded = Record("2026-01-01", (Comparison("cold", "s", 1.0, 10.0), Comparison("in", "a/s", 9.0, 3.0, True)), ())
    found = Record("2026-02-01", (Comparison("cold", "s", 2.0, 19.0), Comparison("in", "a/s", 6.0, 3.0, True)), ())
    assert list(compared(found, recorded)) == [
        "against the record of 2026-01-01:",
        "  cold: ratio 0.11, was 0.10",
        "  in: ratio 2.00, was 3.00 - WORSE",
    ]


def test_readme_shows_the_recorded_table() -> None:
    """README's figures are those of the command that it names."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\n".join(table(Record.read(RECORDED))) in readme
