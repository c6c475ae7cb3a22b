"""Reading Chroma's collections."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag import chroma


@pytest.fixture
def vectors(tmp_path: Path) -> NDArray[np.float32]:
    """40 vectors, in a collection under the numbers of their rows."""
    made = np.random.default_rng(1).standard_normal((40, 8)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    with closing(chroma.client(tmp_path)) as client:
        collection = client.create_collection("some", embedding_function=None, configuration={"hnsw": {"space": "l2"}})
        collection.add(ids=[str(row) for row in range(40)], embeddings=made)
    return made


def _missing(*_: object) -> None:
    raise ImportError


def _changed(*_: object) -> None:
    raise TypeError


@pytest.mark.parametrize(("name", "substitute"), [("close", None), ("__init__", _missing), ("nearest", _changed)])
def test_the_package_stands_in_for_its_library(
    vectors: NDArray[np.float32],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    substitute: Callable[..., None] | None,
) -> None:
    """A search finds the same with Chroma's library alone and, where a later version changes it, with its package."""
    if substitute:
        monkeypatch.setattr(chroma._Library, name, substitute)
    with closing(chroma.Reader(tmp_path, ["some"])) as reader:
        found = reader.nearest("some", vectors[7], 5)
        assert reader.count("some") == 40
        assert isinstance(reader._source, chroma._Package if substitute else chroma._Library)
    distances = ((vectors - vectors[7]) ** 2).sum(axis=1)
    assert [int(number) for number, _ in found] == np.argsort(distances)[:5].tolist()
    assert [distance for _, distance in found] == pytest.approx(np.sort(distances)[:5], abs=1e-5)


def test_a_collection_that_is_missing_is_chromas_error(tmp_path: Path, vectors: NDArray[np.float32]) -> None:
    """What is wrong with the files is said by an error of Chroma's own, which the index knows."""
    from chromadb.errors import NotFoundError

    assert len(vectors)
    with pytest.raises(NotFoundError):
        chroma.Reader(tmp_path, ["other"])
