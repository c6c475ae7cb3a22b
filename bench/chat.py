"""Memory of the running chat page, before and after a conversation: `python -m bench.chat`.

The page runs in quotes mode over the shipped articles, in a process of its own; questions are asked as the page's own
script asks them, all in one conversation.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import httpx
import typer

from bench.processes import ROOT, usage

QUESTIONS = (
    "How much market value did Nvidia lose on 27 January 2025?",
    "Who is Liang Wenfeng?",
    "And when did he found DeepSeek?",
    "Which country's regulator blocked DeepSeek first?",
    "What did Satya Nadella say about the Jevons paradox?",
    "What did training DeepSeek-V3 cost?",
    "Which chips was it trained on?",
    "How did Washington react?",
)
STARTING_SECONDS = 120


def main(
    turns: Annotated[int, typer.Option(help="How many questions the conversation has.")] = 100,
) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="aftershock-bench-") as place:
        for asked, memory in memories(Path(place), turns):
            typer.echo(f"after {asked:3} questions: {memory:4.0f} MB")


def memories(place: Path, turns: int) -> Iterator[tuple[int, float]]:
    """The chat's resident memory in MB after no question, one, and all of them.

    Args:
        place: an empty directory for the index and what the chat keeps.

    Raises:
        RuntimeError: the chat doesn't start.
    """
    import corpus

    index = str(place / "index")
    command = [sys.executable, "-m", "ui.cli"]
    subprocess.run(
        [*command, "ingest", str(corpus.FOLDER), "--index", index, "--json"], check=True, cwd=ROOT, capture_output=True
    )
    with _chatting(place, [*command, "chat", "--no-browser", "--model", "quotes", "--index", index]) as (pid, address):
        yield 0, usage(pid)[0] / 2**20
        with httpx.Client(base_url=address, timeout=120, trust_env=False) as client:
            client.get("/")
            dependencies = client.get("/config").json()["dependencies"]
            # What programs ask for has no targets on the page.
            submits = (each for each in dependencies if any(event == "submit" for _, event in each["targets"]))
            order = next(each["id"] for each in submits if each["queue"])
            for number in range(turns):
                _ask(client, order, QUESTIONS[number % len(QUESTIONS)])
                if number in (0, turns - 1):
                    yield number + 1, usage(pid)[0] / 2**20


@contextmanager
def _chatting(place: Path, command: list[str]) -> Iterator[tuple[int, str]]:
    """The chat's process and address; its preferences and conversations are kept under `place`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    homes = {name: str(place / "home") for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    process = subprocess.Popen(
        [*command, "--port", str(port)], cwd=ROOT, env=os.environ | homes, stdout=subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}"
        ends = time.monotonic() + STARTING_SECONDS
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"{address}/config", trust_env=False).is_success:
                    break
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError("the chat doesn't start")
            time.sleep(0.2)
        yield process.pid, address
    finally:
        process.terminate()
        process.wait()


def _ask(client: httpx.Client, order: int, question: str) -> None:
    """Ask as one visitor, and wait for the whole answer."""
    wanted = json.dumps({"do": "ask", "question": question})
    joined = {"data": [wanted, None], "fn_index": order, "session_hash": "visitor"}
    client.post("/gradio_api/queue/join", json=joined).raise_for_status()
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "visitor"}) as lines:
        for line in lines.iter_lines():
            if line.startswith("data:") and json.loads(line[5:])["msg"] == "process_completed":
                return


if __name__ == "__main__":
    typer.run(main)
