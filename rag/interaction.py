"""How well each token of a question is matched by those of passages: late interaction. Pure.

After Khattab and Zaharia 2020 (arXiv:2004.12832), on the signs of the passages' values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag.products import ALONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 256
"""About so many rows of floats fit into a core's own memory."""


def token_matches(
    stored: Sequence[bytes], sentences: NDArray[np.int64], most: int, tokens: NDArray[np.float32]
) -> NDArray[np.float32]:
    """How well each token of the question is matched by the best token of each stretch.

    Shape (n, 1 + `most`, tokens); the first stretch is the header.

    Args:
        stored: of n passages the tokens' stretches and signs, as the index has them.
        sentences: how many each has, shape (n,).
        most: so many sentences a passage has at most.
        tokens: the unit vectors of the question's tokens, shape (tokens, 384).
    """
    width = 1 + math.ceil(tokens.shape[1] / 8)
    rows = np.frombuffer(b"".join(stored), np.uint8).reshape(-1, width)
    owners = np.repeat(np.arange(len(stored)), [len(own) // width for own in stored])
    matches = np.zeros((len(stored), 1 + most, len(tokens)), np.float32)
    if not len(rows):
        return matches
    signs = np.unpackbits(rows[:, 1:], axis=1, count=tokens.shape[1])
    # A value of 0 or 1 in place of -1 or 1: twice the product, less the sum of the token's values.
    similar = (2 * _product(signs, tokens) - tokens.sum(axis=1)) / math.sqrt(tokens.shape[1])
    # What lies beyond the number that fits into a byte counts with the last.
    stretch = np.minimum(rows[:, 0], sentences[owners])
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(owners) != 0) | (np.diff(stretch) != 0)]))
    np.maximum.at(matches, (owners[starts], stretch[starts]), np.maximum.reduceat(similar, starts, axis=0))
    return matches


def _product(signs: NDArray[np.uint8], tokens: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every token's product with every row of signs, shape (rows, tokens), as `rag.products` has it."""
    rows = max(1, ALONE // tokens.size)
    block = rows * -(-BLOCK // rows)
    product = np.empty((len(signs), len(tokens)), np.float32)
    room = np.zeros((block // rows, rows, tokens.shape[1]), np.float32)
    for start in range(0, len(signs), block):
        own = signs[start : start + block]
        room.reshape(-1, tokens.shape[1])[: len(own)] = own
        product[start : start + block] = (room @ tokens.T).reshape(-1, len(tokens))[: len(own)]
    return product
