"""Vectors that are computed once, and are then the same for all systems that are compared.

Those of some real passages stand for all others: which one stands for a text, and by how much it is moved, hangs on the
text's checksum alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.embed import DIMENSIONS, Embedded, MiniLM

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOVED = 0.5
"""How far a vector is moved, of its own length: as far as passages about the same are from each other."""


class SharedVectors(MiniLM):
    """The built-in embedder for questions, with vectors made up from real ones for passages.

    Args:
        base: a file of unit vectors of real passages, shape (some, 384).
    """

    identity = "shared vectors"

    def __init__(self, base: Path) -> None:
        super().__init__()
        self._base = np.load(base)

    def embed_with_spans(self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]) -> list[Embedded]:
        """Vectors near a real one, and as many tokens as texts of the length have."""
        return [self._embedded(text, len(own)) for text, own in zip(texts, spans, strict=True)]

    def vector(self, text: str) -> NDArray[np.float32]:
        """The unit vector of a text, shape (384,)."""
        vector: NDArray[np.float32] = self._near(text, 1)[0]
        return vector

    def _near(self, text: str, count: int) -> NDArray[np.float32]:
        checksum = zlib.crc32(text.encode())
        moves = np.random.default_rng(checksum).standard_normal((count, DIMENSIONS), np.float32)
        vectors = self._base[checksum % len(self._base)] + moves * np.float32(MOVED / DIMENSIONS**0.5)
        near: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return near

    def _embedded(self, text: str, spans: int) -> Embedded:
        vectors = self._near(text, 1 + spans)
        tokens = np.random.default_rng(len(text)).integers(0, 256, (len(text) // 10, 1 + DIMENSIONS // 8), np.uint8)
        tokens[:, 0] = np.minimum(np.linspace(1, spans + 0.9, len(tokens)), 255).astype(np.uint8)
        return Embedded(vectors[0], vectors[1:], tokens)
