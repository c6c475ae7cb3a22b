"""Chroma's collections, read and written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag import chroma

VECTORS = np.random.default_rng(1).standard_normal((40, 8)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


def _missing(*_: object) -> None:
    raise ImportError


def _changed(*_: object) -> None:
    raise TypeError


@pytest.mark.parametrize(
    ("name", "substitute"), [("close", None), ("__init__", _missing), ("add", _changed), ("nearest", _changed)]
)
def test_the_package_stands_in_for_its_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, substitute: Callable[..., None] | None
) -> None:
    """Chroma's library alone and, where a later version changes it, its package write and find the same vectors."""
    if substitute:
        monkeypatch.setattr(chroma._Library, name, substitute)
    with closing(chroma.Collections(tmp_path / "some")) as written:
        written.ensure("passages")
        written.add("passages", [str(row) for row in range(40)], _bytes(VECTORS))
        written.ensure("passages")
        written.delete("passages", ["3", "12"])
        written.ensure("others")
        written.drop("others")
    with closing(chroma.Collections(tmp_path / "some", ["passages"])) as reader:
        found = reader.nearest("passages", VECTORS[7].tobytes(), 5)
        assert reader.count("passages") == 38
        assert {int(i) for i in reader.ids("passages")} == set(range(40)) - {3, 12}
        held = reader.vectors("passages", ["3", "5"])
        assert isinstance(reader._source, chroma._Package if substitute and name != "add" else chroma._Library)
    assert list(held) == ["5"]
    assert np.asarray(held["5"]) == pytest.approx(VECTORS[5])
    distances = 1 - VECTORS @ VECTORS[7]
    distances[[3, 12]] = 2
    assert [int(number) for number, _ in found] == np.argsort(distances)[:5].tolist()
    assert [distance for _, distance in found] == pytest.approx(np.sort(distances)[:5], abs=1e-5)


def test_chromas_own_client_finds_what_its_library_has_written(tmp_path: Path) -> None:
    """The collections are Chroma's usual ones, which a program that knows nothing of Aftershock can search."""
    with closing(chroma.Collections(tmp_path)) as written:
        written.ensure("passages")
        written.add("passages", [str(row) for row in range(40)], _bytes(VECTORS))
    with closing(chroma.client(tmp_path)) as client:
        collection = client.get_collection("passages", embedding_function=None)
        assert collection.query(query_embeddings=VECTORS[7].reshape(1, -1), n_results=1)["ids"] == [["7"]]


def test_a_collection_that_is_missing_is_chromas_error(tmp_path: Path) -> None:
    """What is wrong with the files is said by an error of Chroma's own, which the index knows."""
    from chromadb.errors import NotFoundError

    with pytest.raises(NotFoundError):
        chroma.Collections(tmp_path, ["other"])


def _bytes(vectors: NDArray[np.float32]) -> list[bytes]:
    return [vector.tobytes() for vector in vectors]
