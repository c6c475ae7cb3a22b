"""Reads documents in a process of its own, so that one that crashes, hangs or swells costs nothing but itself."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import math
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO, cast

from ingest.article import Loaded
from rag.errors import LoadError

if TYPE_CHECKING:
    import psutil

SECONDS = 30
"""Time of the processor's for one article, or to find that there is none: a busy machine takes none of it away."""
WAITING_SECONDS = 300
"""Time on the clock for the same, for what waits and does nothing."""
MEMORY = 3 * 2**29
"""Bytes that reading may take."""
MOST_TEXT = 64 * 2**20
"""Bytes that may come of one document."""

_IDLE_SECONDS = 60
_EXIT_FOR_MEMORY = 77
_EXIT_FOR_TIME = 78
_LENGTH = struct.Struct(">Q")

if sys.platform == "win32":
    _ENDED_BY_TIMER = _EXIT_FOR_TIME
    _ENDED_BY_CLOCK = 1  # by faulthandler
else:
    _ENDED_BY_TIMER = -signal.SIGPROF
    _ENDED_BY_CLOCK = -signal.SIGALRM

_TOO_SLOW = "reading it takes longer than"
DAMAGED = "it is damaged, or not of the kind that its name says"
CRASHED = (
    "the program that reads it crashes over it, so it is probably damaged; "
    "open it in the program that it was made with and save it anew"
)


class Worker:
    """A process that reads documents. It starts when first needed, and again after each document that ended it.

    Args:
        reader: the function that reads, as "module:name", called with a document's name and bytes.
        seconds: time of the processor's for one article.
        waiting_seconds: time on the clock for one article.
        memory: bytes that reading may take.
    """

    def __init__(
        self,
        reader: str = "ingest.readers:read",
        seconds: float = SECONDS,
        waiting_seconds: float = WAITING_SECONDS,
        memory: int = MEMORY,
    ) -> None:
        self._command = [reader, str(seconds), str(waiting_seconds), str(memory)]
        self._seconds = seconds
        self._waiting_seconds = waiting_seconds
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def read(self, name: str, data: bytes) -> list[Loaded]:
        """The articles of a document. Whatever it does to the process, what can't be read comes with its reason."""
        with self._lock:
            try:
                is_fresh = self._start()
                found, reason = self._ask(name, data)
                # What documents read earlier left behind may be to blame: a fresh process has the last word.
                if reason and not reason.startswith(_TOO_SLOW) and not is_fresh:
                    self._start()
                    found, reason = self._ask(name, data)
            except OSError as error:
                self._stop()
                return [Loaded(name, 0, reason=f"no process to read it in can be started ({error.strerror or error})")]
            except BaseException:
                self._stop()
                raise
        if reason and found:
            reason = f"nothing after its first {len(found)} articles was read: {reason}"
        return [*found, Loaded(name, 0, reason=reason)] if reason else found

    def close(self) -> None:
        """End the process; it starts again when it is needed again."""
        with self._lock:
            self._stop()

    def _start(self) -> bool:
        """Whether the process had to be started."""
        if self._process is not None and self._process.poll() is None:
            return False
        self._stop()
        # Not this process's own standard input and output, which belong to the user, and in a group of its own, so
        # that Ctrl-C ends it through us alone. `-P`: nothing is imported from the folder where the user stands.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ingest.isolated", *self._command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(_import_path()), "OPENBLAS_NUM_THREADS": "1"},
            process_group=None if sys.platform == "win32" else 0,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        return True

    def _ask(self, name: str, data: bytes) -> tuple[list[Loaded], str]:
        """What the process found, and why it ended before it was through; empty when it didn't."""
        from msgspec.json import decode

        process = cast("subprocess.Popen[bytes]", self._process)
        requests, replies = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
        found: list[Loaded] = []
        asked = time.monotonic()
        try:
            _send(requests, name.encode("utf-8", "backslashreplace"))
            _send(requests, data)
            while reply := _receive(replies):
                found.append(decode(reply, type=Loaded))
                asked = time.monotonic()
        # A process that was taken over by a hostile document may write anything: ValueError.
        except (OSError, EOFError, ValueError):
            waited = time.monotonic() - asked
            code = self._stop()
            if code == _EXIT_FOR_MEMORY:
                return found, _too_much(self._memory)
            if code in (_EXIT_FOR_TIME, _ENDED_BY_TIMER):
                return found, f"{_TOO_SLOW} {self._seconds:g} seconds"
            if code == _ENDED_BY_CLOCK and waited >= self._waiting_seconds:
                return found, f"{_TOO_SLOW} {self._waiting_seconds:g} seconds"
            return found, CRASHED
        return found, ""

    def _stop(self) -> int | None:
        """The code that the process ended with, if there was one."""
        process, self._process = self._process, None
        if process is None:
            return None
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                cast(BinaryIO, stream).close()
        # One that is ending already is let end: its code is the reason.
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(0.5)
        process.kill()
        return process.wait()


_shared = Worker()
atexit.register(_shared.close)


def read(name: str, data: bytes) -> list[Loaded]:
    """The articles of a document, read by the process that all share; never raises for what is in it."""
    return _shared.read(name, data)


def _import_path() -> list[str]:
    """Where the process finds what this one has imported: the same places, whatever folder it stands in."""
    return list(dict.fromkeys(os.path.abspath(entry) for entry in sys.path))  # noqa: PTH100 - '' is no path but means one


def _too_much(memory: float) -> str:
    return f"reading it takes more than {memory / 2**30:.2g} GB of memory"


def _send(stream: BinaryIO, message: bytes) -> None:
    stream.write(_LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def _receive(stream: BinaryIO) -> bytes:
    """One message.

    Raises:
        EOFError: the other side is gone, or sends more than it may.
    """
    length = stream.read(_LENGTH.size)
    if len(length) < _LENGTH.size or (size := _LENGTH.unpack(length)[0]) > 2 * MOST_TEXT:
        raise EOFError
    message = stream.read(size)
    if len(message) < size:
        raise EOFError
    return message


def _serve(reader: str, seconds: float, waiting_seconds: float, memory: int) -> None:
    """Read what is asked for until nobody asks any more."""
    import psutil

    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    # A library that prints must not speak in between.
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    module, _, name = reader.partition(":")
    read = getattr(import_module(module), name)
    this = psutil.Process()
    timer = _Timer(seconds)
    used = _limit(this, timer, memory)
    while used() < memory / 2:
        _end_after(_IDLE_SECONDS)
        timer.restart()
        try:
            name, data = _receive(requests).decode(), _receive(requests)
        except EOFError:
            return
        articles = _guarded(read, name, data, memory)
        del data
        size = 0
        while True:
            _end_after(waiting_seconds)
            timer.restart()
            loaded = next(articles, None)
            if loaded is None:
                break
            reply = _packed(loaded)
            size += len(reply)
            if size > MOST_TEXT:
                _send(replies, _packed(Loaded(name, 0, reason=f"it holds more than {MOST_TEXT >> 20} MB of text")))
                break
            _send(replies, reply)
        del articles
        _send(replies, b"")


def _guarded(read: Callable[[str, bytes], Iterator[Loaded]], name: str, data: bytes, memory: int) -> Iterator[Loaded]:
    """What a reader yields, and a reason for whatever it raises."""
    try:
        yield from read(name, data)
    except LoadError as error:
        yield Loaded(name, 0, reason=str(error))
    except MemoryError:
        yield Loaded(name, 0, reason=_too_much(memory))
    except RecursionError:
        yield Loaded(name, 0, reason="it is nested too deeply")
    except Exception:  # whatever a library may raise over a damaged file; its words are not the user's
        yield Loaded(name, 0, reason=DAMAGED)


def _packed(loaded: Loaded) -> bytes:
    from msgspec.json import encode

    try:
        return encode(loaded)
    except ValueError:
        return encode(Loaded(loaded.place, 0, reason="it holds characters that are no text"))


def _end_after(seconds: float) -> None:
    """Have this process ended when the clock has gone on so far, unless this is called again before.

    By the system, or by faulthandler's thread, outside the interpreter: even if a library never comes back and nobody
    is left to kill it.
    """
    if sys.platform == "win32":
        faulthandler.dump_traceback_later(seconds, exit=True)
    else:
        signal.setitimer(signal.ITIMER_REAL, seconds)


class _Timer:
    """Counts the time that the processor gives to this process; the system ends it when `seconds` are over."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = math.inf

    def restart(self) -> None:
        """Count anew."""
        self._end = time.process_time() + self._seconds
        if sys.platform != "win32":
            # The system's, because a library that never lets go of the interpreter stops the thread that asks.
            signal.setitimer(signal.ITIMER_PROF, self._seconds)

    @property
    def is_over(self) -> bool:
        """Whether the time is over, for where the system has no such timer."""
        return time.process_time() > self._end


def _limit(process: psutil.Process, timer: _Timer, memory: int) -> Callable[[], int]:
    """End this process when it takes more memory or time of the processor's than it may.

    Returns:
        How much memory it takes, as it was lately.
    """
    with contextlib.suppress(ImportError):  # there is none on Windows
        import resource

        # Over what is mapped already, which depends on the platform; macOS takes the limit and doesn't keep to it.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (process.memory_info().vms + memory,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    used = process.memory_info().rss

    def watch() -> None:
        nonlocal used
        while used < memory:
            if timer.is_over:
                os._exit(_EXIT_FOR_TIME)
            time.sleep(0.1)
            used = process.memory_info().rss
        os._exit(_EXIT_FOR_MEMORY)

    threading.Thread(target=watch, daemon=True).start()
    return lambda: used


if __name__ == "__main__":
    _serve(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
