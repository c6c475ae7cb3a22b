"""Documents that crash, hang or swell the process that reads them."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ingest.article import Loaded
from ingest.isolated import MOST_TEXT, Worker
from tests.misbehaving import ARTICLE


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """A process whose documents do what they are called."""
    made = Worker("tests.misbehaving:read", seconds=2)
    yield made
    made.close()


def pid(worker: Worker) -> int:
    (loaded,) = worker.read("pid", b"")
    return int(loaded.place)


def reason(worker: Worker, name: str) -> str:
    *_, last = worker.read(name, b"")
    assert last.article is None
    return last.reason


def test_many_documents_are_read_by_one_process(worker: Worker) -> None:
    """Starting a process costs as much as embedding dozens of articles."""
    assert worker.read("a.md", b"12345") == [Loaded("a.md", 5, ARTICLE)]
    assert pid(worker) == pid(worker) != os.getpid()


def test_who_reads_loads_nothing_of_the_index() -> None:
    """The process that reads starts anew after each document that ended it, and its memory comes on top."""
    code = "import sys, ingest.isolated, ingest.readers; print(sorted({'numpy', 'rag.index'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_crash_costs_one_document_and_not_what_was_found_in_it_before(worker: Worker) -> None:
    """A damaged file must not end the run, and the articles in front of the damage are good."""
    first, second = worker.read("crash", b"")
    assert first.article == ARTICLE
    assert second.reason.startswith("nothing after its first 1 articles was read: the program that reads it crashes")
    assert worker.read("next", b"") == [Loaded("next", 0, ARTICLE)]


@pytest.mark.skipif(
    sys.platform == "win32", reason="nothing ends a library there that keeps the interpreter, but the clock"
)
def test_a_document_that_computes_without_end_is_given_up(worker: Worker) -> None:
    """Work ends after the time limit, even inside a library that never lets go of the interpreter."""
    assert reason(worker, "burn") == "reading it takes longer than 2 seconds"
    assert worker.read("next", b"") == [Loaded("next", 0, ARTICLE)]


@pytest.mark.skipif(sys.platform == "win32", reason="the C library's sleep has another name there")
def test_a_document_that_waits_without_end_is_given_up() -> None:
    """A hang ends after the limit by the clock, even inside a library that never lets go of the interpreter."""
    worker = Worker("tests.misbehaving:read", waiting_seconds=1)
    assert reason(worker, "hang") == "reading it takes longer than 1 seconds"
    worker.close()


def test_only_time_spent_on_the_document_counts() -> None:
    """A busy machine, on which everything waits, must not cost a document, nor must the start of the process."""
    worker = Worker("tests.misbehaving:read", seconds=0.2)
    assert worker.read("wait", b"") == [Loaded("wait", 0, ARTICLE)]
    worker.close()


def test_a_document_that_takes_all_memory_is_given_up() -> None:
    """Reading stays within its memory whatever a document asks for."""
    worker = Worker("tests.misbehaving:read", seconds=20, memory=2**28)
    assert reason(worker, "swell") == "reading it takes more than 0.25 GB of memory"
    assert worker.read("next", b"") == [Loaded("next", 0, ARTICLE)]
    worker.close()


def test_a_document_without_end_is_cut_off(worker: Worker) -> None:
    """What comes of a document is bounded, not only what goes in."""
    *found, last = worker.read("talk", b"")
    assert sum(len(loaded.article.text) for loaded in found if loaded.article) <= MOST_TEXT
    assert last.reason == "it holds more than 64 MB of text"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nest", "it is nested too deeply"),
        ("surrogate", "it holds characters that are no text"),
        ("raise", "it is damaged, or not of the kind that its name says"),
    ],
)
def test_whatever_a_library_raises_is_one_sentence(worker: Worker, name: str, expected: str) -> None:
    """No traceback reaches the user, and the process goes on."""
    before = pid(worker)
    assert reason(worker, name) == expected
    assert pid(worker) == before


def test_a_library_that_prints_does_no_harm(worker: Worker) -> None:
    """Results travel over what was the standard output."""
    assert worker.read("print", b"") == [Loaded("print", 0, ARTICLE)]


def test_a_name_that_is_no_text_travels(worker: Worker) -> None:
    """Names on disk need not be UTF-8."""
    assert worker.read("\udcff.md", b"") == [Loaded("\\udcff.md", 0, ARTICLE)]


def test_a_process_that_ended_between_documents_is_started_again(worker: Worker) -> None:
    """It ends by itself when nobody asks for a while, and somebody may have killed it."""
    psutil.Process(before := pid(worker)).kill()
    assert pid(worker) != before


def test_interrupting_leaves_no_process_behind(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a document ends the run and the process that reads."""
    script = tmp_path / "script.py"
    # A user's script without a guard, too: nothing in it may be run a second time.
    script.write_text(
        "from ingest.isolated import Worker\n"
        "print('started', flush=True)\n"
        "worker = Worker('tests.misbehaving:read', seconds=600)\n"
        "print(worker.read('pid', b'')[0].place, flush=True)\n"
        "worker.read('hang', b'')\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        reader = psutil.Process(int(process.stdout.readline()))
        psutil.Process(process.pid).send_signal(2)
        assert process.stdout.read() == ""
        assert process.wait(30) != 0
    reader.wait(30)


def test_killing_leaves_no_process_behind() -> None:
    """One that reads ends when the one that it reads for is gone, however that went."""
    script = (
        "from ingest.isolated import Worker; import os, signal\n"
        "print(Worker('tests.misbehaving:read').read('pid', b'')[0].place, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    try:
        psutil.Process(int(done.stdout)).wait(30)
    except psutil.NoSuchProcess:
        return


def test_threads_take_turns(worker: Worker) -> None:
    """A chat and an ingest may read in the same program."""
    found: list[Loaded] = []
    threads = [
        threading.Thread(target=lambda n=number: found.extend(worker.read(f"{n}", b"x" * n))) for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((loaded.place, loaded.size) for loaded in found) == sorted((f"{n}", n) for n in range(20))
