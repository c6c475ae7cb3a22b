"""Ingests that are killed, run out of disk, or meet readers: nothing is lost, doubled, orphaned or done twice."""

from __future__ import annotations

import json
import multiprocessing
import random
import resource
import shutil
import sqlite3
import sys
import threading
import time
from contextlib import closing, suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from ingest import Progress, isolated, readers, sync
from ingest.build import BLOCK
from ingest.verify import verify
from rag import generations
from rag.embed import MiniLM
from rag.errors import IndexStateError
from rag.index import Index
from rag.live import LiveIndex
from rag.settings import Settings
from tests.quick_embedder import QuickEmbedder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are killed with SIGKILL")

IN_FLIGHT = 4 * BLOCK
"""Passages that may have been embedded and not yet written: a block prepared, one embedded, two waiting or written."""


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Starts processes that have imported everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["chromadb", "ingest.update", "onnxruntime", "tests.quick_embedder"])
    return context


def write_articles(folder: Path, version: int, articles: int) -> None:
    """Files of ten articles each; of each article one of four paragraphs changes with the version."""
    folder.mkdir(exist_ok=True)
    chance = random.Random(7)
    # Every other word one that makes plain that this is English, which otherwise takes a second to find out.
    words = [f"the word{number}" for number in range(2000)]
    lines = []
    for number in range(articles):
        paragraphs = [" ".join(chance.choices(words, k=40)) + "." for _ in range(4)]
        paragraphs[number % 4] += f" This is version {version}."
        lines.append(json.dumps({"id": f"a{number}", "title": f"Article {number}", "text": "\n\n".join(paragraphs)}))
    for start in range(0, articles, 10):
        (folder / f"{start:04}.jsonl").write_text("\n".join(lines[start : start + 10]), encoding="utf-8")


def ingest(folder: Path, index: Path, log: Path, identity: str, seconds: float, limit: int) -> None:
    """What the processes do: an ingest with a quick embedder, perhaps with a limit to the size of files."""
    # To start a process to read in for each of a hundred runs would take minutes, and is tested elsewhere.
    isolated.read = lambda name, data: list(readers.read(name, data))
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        sync([folder], Settings(index), embedder=QuickEmbedder(log, identity, seconds))
    except IndexStateError as error:
        log.with_suffix(".error").write_text(str(error), encoding="utf-8")
        sys.exit(1)


def run(
    processes: ForkServerContext, kill_after: float | None, folder: Path, index: Path, log: Path,
    identity: str = "quick", seconds: float = 0.0, limit: int = 0,
) -> int:  # fmt: skip
    """Ingest in a process of its own, killed after some seconds if it still runs; its exit status."""
    process = processes.Process(target=ingest, args=(folder, index, log, identity, seconds, limit))
    process.start()
    process.join(kill_after)
    process.kill()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def logged(log: Path) -> list[str]:
    """The keys of what was embedded so far, also in vain."""
    return log.read_text().split() if log.exists() else []


def durable(index: Path, copies: Path) -> set[str]:
    """The keys of all embeddings that are on the disk, read from a copy, so that reading mends nothing."""
    shutil.rmtree(copies, ignore_errors=True)
    found: set[str] = set()
    if index.exists():
        shutil.copytree(index, copies)
        for path in [*copies.glob("*/articles.sqlite"), *copies.glob("embeddings.sqlite")]:
            table = "embedding" if path.name == "embeddings.sqlite" else "passage"
            # Killed while it copied the old generation, or made the tables, the run left nothing that can be read.
            with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as database:
                found.update(key.hex() for (key,) in database.execute(f"SELECT key FROM {table}").fetchall())
    return found


def version_of(index: Path) -> set[str]:
    """Which versions of its articles an index holds; fails where it can't be searched."""
    with closing(Index.open(index, "quick")) as opened:
        assert opened.counts()[1] > 0
        assert opened.candidates(list(opened.nearest(QuickEmbedder().embed(["any"])[0], 3)))
        texts = [article.text for article in opened.articles()]
    return {text.partition("This is version ")[2].partition(".")[0] for text in texts}


def test_an_ingest_killed_at_fifty_moments_loses_doubles_and_repeats_nothing(
    processes: ForkServerContext, tmp_path: Path
) -> None:
    """Whenever it is killed, the old index answers, and what was embedded and written is never embedded again."""
    folder, index, log = tmp_path / "news", tmp_path / "index", tmp_path / "log"
    articles, version, kills = 60, 0, 0
    chance = random.Random(20250127)
    write_articles(folder, version, articles)
    assert run(processes, None, folder, index, log) == 0
    passages = verify(index).passages
    assert len(logged(log)) == len(set(logged(log))) == passages
    # How long an ingest takes that only changes some of it: most of those to come are to be killed before their end.
    version = 1
    write_articles(folder, version, articles)
    started = time.monotonic()
    assert run(processes, None, folder, index, log) == 0
    duration = time.monotonic() - started
    held: set[str] = {str(version)}
    lost = 0
    while kills < 50:
        if version_of(index) == {str(version)}:
            version += 1
            write_articles(folder, version, articles)
        before, safe = logged(log), durable(index, tmp_path / "copies")
        status = run(processes, chance.uniform(0, duration), folder, index, log)
        made = logged(log)[len(before) :]
        assert not safe.intersection(made)
        kills += status != 0
        unwritten = set(made) - durable(index, tmp_path / "copies")
        assert len(unwritten) <= IN_FLIGHT
        lost += len(unwritten)
        now = version_of(index)
        # Killed between the swap and its own end, a run has done its work all the same.
        assert now == {str(version)} or (status != 0 and now == held)
        held = now
    assert run(processes, None, folder, index, log) == 0
    findings = verify(index)
    assert (findings.articles, findings.passages, findings.faults) == (articles, passages, ())
    assert sum(1 for _ in index.glob("unfinished-*")) == 0
    # One paragraph of each article is new in each version: everything else comes from what was there.
    assert len(logged(log)) == passages + version * articles + lost


def test_a_rebuild_killed_once_a_second_gets_on_each_time(processes: ForkServerContext, tmp_path: Path) -> None:
    """Another embedder makes all of it new: the old index stays until the end, and each run goes on where one ended."""
    folder, index, log = tmp_path / "news", tmp_path / "index", tmp_path / "log"
    write_articles(folder, 0, 60)
    assert run(processes, None, folder, index, log) == 0
    passages = verify(index).passages
    log.unlink()
    lost, status = 0, -9
    for _ in range(12):
        before, safe = logged(log), durable(index, tmp_path / "copies")
        assert version_of(index) == {"0"}
        # Seconds for all of it, so that a run that started anew each time would never get to its end.
        status = run(processes, 1.0, folder, index, log, "slower", seconds=3 / passages)
        made = logged(log)[len(before) :]
        assert not safe.intersection(made)
        if status == 0:
            break
        lost += len(set(made) - durable(index, tmp_path / "copies"))
    if status != 0:
        assert run(processes, None, folder, index, log, "slower") == 0
    assert (verify(index).passages, verify(index).faults) == (passages, ())
    assert len(logged(log)) == passages + lost


def test_an_interrupted_ingest_keeps_what_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C leaves the old index and loses no embedding, also where vectors are written in a process of their own."""
    folder, index, log = tmp_path / "news", tmp_path / "index", tmp_path / "log"
    write_articles(folder, 0, 60)
    monkeypatch.setattr("rag.writable.ALONE", 0)
    sync([folder], Settings(index), embedder=QuickEmbedder(log))
    write_articles(folder, 1, 60)

    def interrupt(now: Progress) -> None:
        if now.done == now.total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync([folder], Settings(index), embedder=QuickEmbedder(log), progress=interrupt)
    assert version_of(index) == {"0"}
    sync([folder], Settings(index), embedder=QuickEmbedder(log))
    assert version_of(index) == {"1"}
    assert verify(index).faults == ()
    assert len(logged(log)) == len(set(logged(log)))


@pytest.mark.parametrize("moment", [0.3, 0.9])
def test_a_killed_ingest_with_the_real_embedder_is_completed(
    processes: ForkServerContext, tmp_path: Path, embedder: MiniLM, moment: float
) -> None:
    """Nothing about a crash depends on the embedder being a quick one."""
    folder, index = tmp_path / "news", tmp_path / "index"
    embedder.embed(["Loaded once before, it is ready in time to be killed."])
    write_articles(folder, 0, 20)
    process = processes.Process(target=sync, args=([folder], Settings(index)))
    process.start()
    process.join(moment * 2)
    process.kill()
    process.join()
    safe = durable(index, tmp_path / "copies")
    report = sync([folder], Settings(index), embedder=embedder)
    assert report.added + report.unchanged == 20
    assert verify(index).faults == ()
    assert safe <= durable(index, tmp_path / "copies")


@pytest.mark.parametrize("limit", [20_000, 150_000, 400_000, 1_000_000])
def test_a_full_disk_is_one_sentence_and_harms_nothing(
    processes: ForkServerContext, tmp_path: Path, limit: int
) -> None:
    """When a file can't grow the old index stays, the reason is said, and with room the next run completes the work."""
    folder, index, log = tmp_path / "news", tmp_path / "index", tmp_path / "log"
    write_articles(folder, 0, 10)
    assert run(processes, None, folder, index, log) == 0
    write_articles(folder, 1, 60)
    before = generations.current(index)
    assert run(processes, None, folder, index, log, limit=limit) == 1
    sentence = log.with_suffix(".error").read_text(encoding="utf-8")
    assert sentence.startswith(f"The index at {index} could not be written (")
    assert sentence.endswith("; the old one is unchanged.")
    assert generations.current(index) == before
    assert version_of(index) == {"0"}
    assert run(processes, None, folder, index, log) == 0
    assert version_of(index) == {"1"}
    assert verify(index).faults == ()


def test_a_chat_goes_on_while_ingests_replace_the_index_again_and_again(tmp_path: Path) -> None:
    """Readers see one version or the next, whole, however often writers replace it."""
    folder, index = tmp_path / "news", tmp_path / "index"
    embedder = QuickEmbedder()
    write_articles(folder, 0, 20)
    sync([folder], Settings(index), embedder=embedder)
    question = embedder.embed(["any question"])[0]
    seen: list[set[str]] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def chat() -> None:
        live = LiveIndex(index, "quick")
        try:
            while not done.is_set():
                now = live.now()
                assert len(now.candidates(list(now.nearest(question, 5)))) == 5
                seen.append({a.text.partition("This is version ")[2].partition(".")[0] for a in now.articles()})
        except BaseException as error:
            failures.append(error)
        finally:
            live.close()

    reader = threading.Thread(target=chat)
    reader.start()
    for version in range(1, 9):
        write_articles(folder, version, 20)
        sync([folder], Settings(index), embedder=embedder)
    done.set()
    reader.join()
    assert failures == []
    assert all(len(versions) == 1 for versions in seen)
