"""Time and memory of whole processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
"""For libraries that would ask a server for newer versions before they load a model from the disk."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took: seconds until its last character, seconds of processors' time, and peak memory in MB."""

    seconds: float
    work: float
    memory: float
    output: str


def timed(command: Sequence[str], most_seconds: float = 3600) -> Run:
    """Run a command to its end, its errors hidden, and look at what it took.

    Raises:
        subprocess.CalledProcessError: it failed.
        subprocess.TimeoutExpired: it was ended because it took longer than `most_seconds`.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, env=os.environ | OFFLINE
    )
    timer = threading.Timer(most_seconds, process.kill)
    timer.start()
    assert process.stdout
    output = b""
    last = started
    while block := os.read(process.stdout.fileno(), 1 << 16):
        output += block
        last = time.perf_counter()
    process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode and time.perf_counter() - started >= most_seconds:
        raise subprocess.TimeoutExpired(list(command), most_seconds)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(last - started, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 2**20, output.decode())
