"""Products of matrices on one core."""

from __future__ import annotations

import numpy as np
import pytest

from rag.products import ALONE, product


@pytest.mark.parametrize("shape", [(384,), (384, 64)])
@pytest.mark.parametrize("rows", [0, 1, 3_000])
def test_a_product_in_pieces_is_the_product(monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], rows: int) -> None:
    """Nothing is lost between the pieces, none of which is large enough for the library to wake other threads."""
    draw = np.random.default_rng(3)
    left, right = draw.random((rows, 384), np.float32), draw.random(shape, np.float32)
    whole, matmul, sizes = left @ right, np.matmul, []

    def counted(some: np.ndarray, others: np.ndarray, out: np.ndarray) -> np.ndarray:
        sizes.append(len(some) * others.size)
        return matmul(some, others, out=out)

    monkeypatch.setattr("rag.products.np.matmul", counted)
    assert np.allclose(product(left, right), whole, rtol=1e-4)
    assert max(sizes, default=0) <= ALONE
