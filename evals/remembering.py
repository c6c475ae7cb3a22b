"""An embedder that has embedded the questions of an evaluation beforehand, in large batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag.embed import Embedder

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RememberingEmbedder:
    """`embedder`, with the vectors of `texts` at hand: one by one, thousands of questions take minutes longer."""

    def __init__(self, embedder: Embedder, texts: Sequence[str]) -> None:
        self.identity = embedder.identity
        self.count_tokens = embedder.count_tokens
        self.embed_with_spans = embedder.embed_with_spans
        self._embedder = embedder
        self._vectors = dict(zip(texts, embedder.embed(texts), strict=True))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of the texts, shape (len(texts), 384)."""
        if all(text in self._vectors for text in texts):
            return np.stack([self._vectors[text] for text in texts])
        return self._embedder.embed(texts)
