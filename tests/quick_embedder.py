"""An embedder that costs next to nothing and writes down what it embeds, for tests of what surrounds embedding."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.cache import key
from rag.embed import DIMENSIONS, Embedded, EmbeddedQuestion


class QuickEmbedder:
    """Gives each text a vector of its own, always the same; equal texts are near each other, others are not.

    Args:
        log: a file that gets the key of each text that was embedded, a line each, at once.
        identity: names the model.
        seconds: what embedding one text takes.
    """

    def __init__(self, log: Path | None = None, identity: str = "quick", seconds: float = 0.0) -> None:
        self.identity = identity
        self.embedded: list[str] = []
        self._log = log
        self._seconds = seconds

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), 384)."""
        return np.stack([_vector(text) for text in texts])

    def embed_with_spans(self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]) -> list[Embedded]:
        """Unit vectors of the texts and of the stretches; each stretch is one token."""
        time.sleep(self._seconds * len(texts))
        vectors = self.embed(texts)
        parts = [np.stack([_vector(text[s:e]) for s, e in own]) for text, own in zip(texts, spans, strict=True)]
        tokens = [
            np.hstack([np.arange(1, len(own) + 1, dtype=np.uint8)[:, None], np.packbits(own > 0, axis=1)])
            for own in parts
        ]
        self.embedded += texts
        if self._log:
            lines = [f"{key(self.identity, *pair).hex()}\n" for pair in zip(texts, spans, strict=True)]
            handle = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(handle, "".join(lines).encode())
            os.close(handle)
        return [Embedded(*made) for made in zip(vectors, parts, tokens, strict=True)]

    def embed_question(self, text: str) -> EmbeddedQuestion:
        """A question is one token."""
        return EmbeddedQuestion(_vector(text), _vector(text)[None], (text,))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As many tokens as words, and a third more."""
        return [len(text.split()) * 4 // 3 for text in texts]


def _vector(text: str) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS, dtype=np.float32)
    return vector / np.linalg.norm(vector)
