"""Aftershock's ingest of a folder in a process of its own: `python -m bench.our_way FOLDER INDEX [constant]`."""

from __future__ import annotations

import json
import sys
import time
import zlib
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from ingest import sync
from rag.embed import DIMENSIONS, Embedded, MiniLM
from rag.settings import Settings

_SHARES = np.sqrt(np.array((0.33, 0.4, 0.27), np.float32))
"""The square roots: of what all passages have in common, those of an article, and each for itself."""
_SPREAD = np.exp(-np.arange(DIMENSIONS, dtype=np.float32) / 63)
_COMMON = np.eye(1, DIMENSIONS, DIMENSIONS - 1, np.float32)[0]
_MOST_TOKENS = 512
_DRAWN = 1 << 10
"""Vectors drawn by chance, two of which make one: nearly as many different ones as there are pairs."""


class ConstantTime(MiniLM):
    """Counts tokens as the real embedder does, and makes vectors up, so that all but the embedding is measured.

    Two passages' vectors are about as alike as the real embedder's, on which hangs how long Chroma's graph takes: of
    1,000 generated articles, .33 between articles and .73 within one, in 63 dimensions by their participation ratio.
    """

    identity = "constant time"

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        """Of the processor's, for making vectors up."""
        chance = np.random.default_rng(1)
        self._sentences = _units(chance.standard_normal((_MOST_TOKENS, DIMENSIONS), np.float32))
        self._drawn = _units(chance.standard_normal((_DRAWN, DIMENSIONS), np.float32) * _SPREAD) * np.float32(0.5**0.5)
        self._signs = chance.integers(0, 256, (_MOST_TOKENS, 1 + DIMENSIONS // 8), np.uint8)

    def embed_with_spans(self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]) -> list[Embedded]:
        """Vectors that hang on nothing but the texts' checksums, and as many tokens as texts of the length have."""
        started = time.thread_time()
        of_articles = self._by_chance([text.partition("\n")[0] for text in texts])
        of_passages = self._by_chance(texts)
        vectors = _units(_SHARES[0] * _COMMON + _SHARES[1] * of_articles + _SHARES[2] * of_passages)
        found = [
            Embedded(vector, self._sentences[: len(own)], self._tokens(text, len(own)))
            for text, own, vector in zip(texts, spans, vectors, strict=True)
        ]
        self.seconds += time.thread_time() - started
        return found

    def _tokens(self, text: str, spans: int) -> NDArray[np.uint8]:
        tokens = self._signs[: len(text) // 10].copy()
        tokens[:, 0] = np.minimum(1 + np.arange(len(tokens)) * spans // max(1, len(tokens)), 255)
        return tokens

    def _by_chance(self, texts: Sequence[str]) -> NDArray[np.float32]:
        chosen = np.array([zlib.crc32(text.encode()) for text in texts], np.uint32) % _DRAWN**2
        made: NDArray[np.float32] = self._drawn[chosen // _DRAWN] + self._drawn[chosen % _DRAWN]
        return made


def _units(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found


def main(folder: str, index: str, kind: str = "") -> None:
    """Ingest, and print what came of it as JSON."""
    constant = ConstantTime() if kind else None
    report = sync([folder], Settings.from_env(index=index), embedder=constant or MiniLM())
    articles = report.added + report.updated + report.unchanged
    assert not report.failed, report.failed[:3]
    names = ("aftershock", "chromadb", "onnxruntime")
    versions = " ".join(f"{name} {version(name)}" for name in names)
    made_up = constant.seconds if constant else 0.0
    found = {"articles": articles, "passages": report.passages, "made_up": made_up, "versions": versions}
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
