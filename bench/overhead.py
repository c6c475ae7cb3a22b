"""What Aftershock adds to a model server's own time: before the first token, for each token, and when stopping.

    python -m bench.overhead

A scripted server in a process of its own answers at once. Its own time is taken by sending it the same request
directly; the two take turns, and medians of the differences are printed. Runs in a checkout only.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rag import Assistant, Settings
from rag.records import ReasoningEvent, TextEvent
from rag.settings import default_index
from tests.ollama_server import Hang, Model, OllamaServer, Reply

QUESTIONS = (
    "How much market value did Nvidia lose on 27 January 2025?",
    "What did training DeepSeek-V3 cost?",
    "Who founded DeepSeek?",
    "When was DeepSeek-R1 released?",
    "Why did the shares of American technology companies fall?",
    "How did Washington react to DeepSeek?",
    "Which chips did DeepSeek train its models on?",
    "What is High-Flyer?",
)
TOKENS = 2000
WARM_UPS = 3
MODEL = "llama3.2:3b"
"""A model that doesn't think, so that the first token is of the answer."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from the request to the first token, and from there to the last."""

    first: float
    rest: float


def main(arguments: list[str] | None = None) -> int:
    """Print the three figures; 1 where one is past what is allowed."""
    parser = argparse.ArgumentParser(description="Measures what Aftershock adds to a model server's own time.")
    parser.add_argument("--index", type=Path, default=default_index(), help="the default index when not given")
    parser.add_argument("--rounds", type=int, default=5, help="how often all questions are asked")
    chosen = parser.parse_args(arguments)
    with _server_process() as url:
        settings = Settings(chosen.index, model=f"ollama:{MODEL}", ollama_host=url)
        with closing(Assistant.from_settings(settings)) as assistant:
            questions = list(itertools.chain(QUESTIONS[:WARM_UPS], QUESTIONS * chosen.rounds))
            pairs = [(_ours(assistant, question), _servers(url)) for question in questions][WARM_UPS:]
    first = statistics.median(ours.first - theirs.first for ours, theirs in pairs)
    token = statistics.median((ours.rest - theirs.rest) / (TOKENS - 1) for ours, theirs in pairs)
    stop = _stopping(chosen.index)
    print(f"first token: {first * 1000:.0f} ms over the server's own (at most 120)")  # noqa: T201
    print(f"each token: {token * 1000:.3f} ms over the server's own (below 0.2)")  # noqa: T201
    print(f"stopping: {stop * 1000:.0f} ms until the server knows (at most 200)")  # noqa: T201
    return int(first > 0.12 or token >= 0.0002 or stop > 0.2)


def _reply(_: dict[str, Any]) -> Reply:
    return [f"word{number} " for number in range(TOKENS)]


def _serve(pipe: Connection) -> None:
    with OllamaServer([Model(MODEL, capabilities=("completion",))], answer=_reply) as server:
        pipe.send(server.url)
        pipe.recv()


@contextmanager
def _server_process() -> Iterator[str]:
    """A scripted server that shares no interpreter with what is measured; yields its address."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,))
    process.start()
    try:
        yield here.recv()
    finally:
        here.send(None)
        process.join()


def _ours(assistant: Assistant, question: str) -> Timing:
    """From the question to the tokens as they come out of Aftershock, search and all."""
    arrived: list[float] = []
    began = time.perf_counter()
    with closing(assistant.stream(question)) as events:
        for event in events:
            if isinstance(event, TextEvent | ReasoningEvent):
                arrived.append(time.perf_counter())
                if event.text.rstrip().endswith(f"word{TOKENS - 1}"):
                    break
    return Timing(arrived[0] - began, arrived[-1] - arrived[0])


def _servers(url: str) -> Timing:
    """From a request to the lines as they come from the server."""
    import httpx

    body = {"model": MODEL, "messages": [{"role": "user", "content": "word " * 3000}], "stream": True}
    with httpx.Client(trust_env=False, verify=False) as client:
        began = time.perf_counter()
        with client.stream("POST", f"{url}/api/chat", json=body) as response:
            arrived = [time.perf_counter() for line in response.iter_lines() if json.loads(line)["message"]["content"]]
    return Timing(arrived[0] - began, arrived[-1] - arrived[0])


def _stopping(index: Path, times: int = 10) -> float:
    """Seconds from closing an answer in the middle until the server's connection is closed, the median."""
    taken = []
    replies: list[Reply] = [["Some words. ", Hang()]] * times
    with OllamaServer([Model(MODEL, capabilities=("completion",))], replies) as server:
        settings = Settings(index, model=f"ollama:{MODEL}", ollama_host=server.url)
        with closing(Assistant.from_settings(settings)) as assistant:
            for _ in range(times):
                events = assistant.stream(QUESTIONS[0])
                next(event for event in events if isinstance(event, TextEvent))
                began = time.perf_counter()
                events.close()
                server.chats[-1].gone.wait()
                taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
