"""What searches come to, with and without a second look by the cross-encoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rag.cross_encoder import CrossEncoder
from rag.embed import Embedder
from rag.index import Index
from rag.records import Passage
from rag.rerank import find


def searched(
    text: str,
    index: Index,
    embedder: Embedder,
    k: int,
    cross_encoder: CrossEncoder,
    measures: Callable[[Sequence[Passage]], Mapping[str, float]],
) -> dict[str, float]:
    """The measures of the `k` passages found, and with "first look" before their names those without a second one."""
    first = measures(find(text, index, embedder, k))
    again = measures(find(text, index, embedder, k, cross_encoder=cross_encoder))
    return {**again, **{f"first look {name}": value for name, value in first.items()}}
