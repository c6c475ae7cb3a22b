"""Aftershock's ingest of a folder in a process of its own: `python -m bench.our_way FOLDER INDEX [constant]`."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np

from ingest import sync
from rag.embed import DIMENSIONS, Embedded, MiniLM
from rag.settings import Settings


class ConstantTime(MiniLM):
    """Counts tokens as the real embedder does, and makes vectors up, so that all but the embedding is measured."""

    identity = "constant time"

    def embed_with_spans(self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]) -> list[Embedded]:
        """Vectors that hang on nothing but the texts' checksums, and as many tokens as texts of the length have."""
        return [self._embedded(text, len(own)) for text, own in zip(texts, spans, strict=True)]

    def _embedded(self, text: str, spans: int) -> Embedded:
        chance = np.random.default_rng(zlib.crc32(text.encode()))
        vectors = chance.standard_normal((1 + spans, DIMENSIONS), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        tokens = chance.integers(0, 256, (len(text) // 10, 1 + DIMENSIONS // 8), np.uint8)
        tokens[:, 0] = np.minimum(np.linspace(1, spans + 0.9, len(tokens)), 255).astype(np.uint8)
        return Embedded(vectors[0], vectors[1:], tokens)


def main(folder: str, index: str, kind: str = "") -> None:
    """Ingest, and print what came of it as JSON."""
    report = sync([folder], Settings.from_env(index=index), embedder=ConstantTime() if kind else MiniLM())
    articles = report.added + report.updated + report.unchanged
    assert not report.failed, report.failed[:3]
    names = ("aftershock", "chromadb", "onnxruntime")
    versions = " ".join(f"{name} {version(name)}" for name in names)
    print(json.dumps({"articles": articles, "passages": report.passages, "versions": versions}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
