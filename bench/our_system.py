"""Aftershock among the systems that are compared.

    python -m bench.our_system build|search MATERIAL COUNT PLACE [SECONDS]

What MATERIAL holds is said in `bench.peer_systems`; the articles of the texts are in its `articles.jsonl`.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.peer_systems import searched
from bench.shared import SharedVectors
from ingest import sync
from rag import Assistant, Settings
from rag.embed import MiniLM
from rag.live import LiveIndex


def main(action: str, material: str, count: str, place: str, most_seconds: str = "60") -> None:
    """Do what the command line says, and print what came of it as JSON."""
    folder = Path(material)
    base = folder / "base.npy"
    embedder = SharedVectors(base) if base.exists() else MiniLM()
    settings = Settings(Path(place), model="quotes")
    result: dict[str, object] = {"versions": f"aftershock {version('aftershock')} chromadb {version('chromadb')}"}
    if action == "build":
        started = time.perf_counter(), time.process_time()
        report = sync([folder / f"articles-{count}.jsonl"], settings, embedder=embedder)
        assert not report.failed, report.failed[:3]
        result["seconds"], result["work"] = time.perf_counter() - started[0], time.process_time() - started[1]
    else:
        questions = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
        live = LiveIndex(settings.index, embedder.identity)
        with closing(Assistant(settings, live, embedder)) as assistant:

            def search(question: str) -> list[int]:
                return [int(passage.article_id) for passage in assistant.retrieve(question, rerank=False)]

            result |= searched(search, questions, float(most_seconds), psutil.Process().create_time())
    print(json.dumps(result))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
