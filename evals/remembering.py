"""An embedder that has embedded the questions of an evaluation beforehand, on all cores."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import TYPE_CHECKING

from rag.embed import EmbeddedQuestion, Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RememberingEmbedder:
    """`embedder`, with what it makes of `questions` at hand: one by one, thousands of questions take minutes longer."""

    def __init__(self, embedder: Embedder, questions: Sequence[str]) -> None:
        self.identity = embedder.identity
        self.count_tokens = embedder.count_tokens
        self.embed_with_spans = embedder.embed_with_spans
        self._embedder = embedder
        with ThreadPoolExecutor(cpu_count()) as pool:
            self._embedded = dict(zip(questions, pool.map(embedder.embed_question, questions), strict=True))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of the texts, shape (len(texts), 384)."""
        return self._embedder.embed(texts)

    def embed_question(self, text: str) -> EmbeddedQuestion:
        """What the embedder makes of a question."""
        return self._embedded.get(text) or self._embedder.embed_question(text)
