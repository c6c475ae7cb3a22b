"""Small decision trees that add up to the log-odds of a yes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.gate import Forest, Tree

if TYPE_CHECKING:
    from numpy.typing import NDArray

TREES, RATE, DEPTH, LEAST = 100, 0.08, 3, 120
"""How many trees, how much of each counts, how deep they are, and how many examples end in each of their leaves."""
_FLAT = 1e-3


def boosted(
    x: NDArray[np.float64], yes: NDArray[np.bool_], weights: NDArray[np.float64], signs: Sequence[int]
) -> Forest:
    """Trees fitted one after another to what those before leave open (LogitBoost: Friedman, Hastie, Tibshirani 2000).

    Args:
        x: the features, shape (examples, features).
        yes: which examples are a yes.
        weights: what each example counts for.
        signs: 1 where more of a feature can only speak for a yes, -1 where it can only speak against one, else 0.
    """
    from sklearn.tree import DecisionTreeRegressor

    share = np.average(yes, weights=weights)
    start = float(np.log(share / (1 - share)))
    log_odds = np.full(len(yes), start)
    trees: list[Tree] = []
    for number in range(TREES):
        chance = 1 / (1 + np.exp(-log_odds))
        slope = np.maximum(chance * (1 - chance), _FLAT)
        fitted = DecisionTreeRegressor(
            max_depth=DEPTH, min_samples_leaf=LEAST, monotonic_cst=list(signs), random_state=number
        )
        fitted.fit(x, (yes - chance) / slope, sample_weight=weights * slope)
        log_odds += RATE * fitted.predict(x)
        trees.append(_tree(fitted.tree_, 0))
    return Forest(round(start, 4), tuple(trees))


def _tree(fitted: Any, node: int) -> Tree:
    below, above = int(fitted.children_left[node]), int(fitted.children_right[node])
    if below == above:
        return round(RATE * float(fitted.value[node][0][0]), 4)
    return (
        int(fitted.feature[node]),
        round(float(fitted.threshold[node]), 4),
        _tree(fitted, below),
        _tree(fitted, above),
    )
