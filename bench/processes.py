"""Time and memory of whole processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
"""For libraries that would ask a server for newer versions before they load a model from the disk."""


_LAUNCHER = """
import json, os, sys, time
report = int(sys.argv[1])
os.set_inheritable(report, False)
started = time.monotonic()
_, status, used = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
os.write(report, json.dumps([started, status, used.ru_utime + used.ru_stime, used.ru_maxrss]).encode())
"""
"""A process begins with the peak memory of the one that starts it, so a small one has to."""
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took: seconds until its last character, seconds of processors' time, and peak memory in MB."""

    seconds: float
    work: float
    memory: float
    output: str


def timed(command: Sequence[str], most_seconds: float = 3600) -> Run:
    """Run a command to its end, its errors hidden, and look at what it took, the processes that it starts included.

    Raises:
        subprocess.CalledProcessError: it failed.
        subprocess.TimeoutExpired: it was ended because it took longer than `most_seconds`.
    """
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(writing), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=os.environ | OFFLINE,
        pass_fds=[writing],
        process_group=0,
    )
    os.close(writing)
    timer = threading.Timer(most_seconds, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    watched = _Watched(process.pid)
    assert process.stdout
    output = b""
    last = time.monotonic()
    while block := os.read(process.stdout.fileno(), 1 << 16):
        output += block
        last = time.monotonic()
    process.stdout.close()
    report = os.read(reading, 1 << 16)
    os.close(reading)
    process.wait()
    together = watched.most()
    if not report:
        raise subprocess.TimeoutExpired(list(command), most_seconds)
    timer.cancel()
    started, status, work, most = json.loads(report)
    if code := os.waitstatus_to_exitcode(status):
        raise subprocess.CalledProcessError(code, list(command))
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(last - started, work, max(most * unit, together) / 2**20, output.decode())


class _Watched:
    """Looks at the processes that a process has started, at their resident memory together."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self._most = max(self._most, usage(self._pid, itself=False)[0])

    def most(self) -> int:
        """The most bytes that were seen; nothing is looked at any more."""
        self._over.set()
        self._thread.join()
        return self._most


def usage(pid: int, *, itself: bool = True) -> tuple[int, float]:
    """Resident bytes of a process and of those that it started, and the seconds that they worked; 0 when it is gone."""
    sizes: set[tuple[int, ...]] = set()
    seconds = 0.0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (*((process,) if itself else ()), *process.children(recursive=True)):
            with suppress(psutil.Error), one.oneshot():
                # A process that is just being started is still in the memory of the one that starts it.
                sizes.add(tuple(one.memory_info()))
                # The times of children that have ended count as the parent's.
                seconds += sum(one.cpu_times()[:4])
    return sum(size[0] for size in sizes), seconds
