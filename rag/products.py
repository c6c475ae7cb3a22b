"""Products of matrices, each computed by the core that asks for it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALONE = 1 << 18
"""OpenBLAS computes so many multiplications by itself, and shares more of them among cores."""


def product(rows: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """The matrix product of rows, shape (n, k), and a vector or matrix, shape (k,) or (k, m).

    In pieces that are too small for the library to share them among cores: it would gain little by that, and keep the
    cores busy for some fifty milliseconds with waiting for more of it, to the harm of all else that runs.
    """
    together = max(1, ALONE // others.size)
    made = np.empty((len(rows), *others.shape[1:]), np.float32)
    for start in range(0, len(rows), together):
        np.matmul(rows[start : start + together], others, out=made[start : start + together])
    return made
