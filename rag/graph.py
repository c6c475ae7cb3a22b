"""The embedding model as a graph for ONNX Runtime, put together by hand from its weights: products in 8-bit integers.

An exporter's graph spends most of its time between the products. This one has one node for each, with the 8-bit
rounding of its inputs inside, one for each attention, and nothing for masks, since one text at a time has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Weights: TypeAlias = "Mapping[str, NDArray[np.float32]]"
"""The parameters of a BERT encoder under the names that they have in its file."""

OUTLIERS = 0.99
"""Channels beyond this quantile of all channels' largest values are scaled down to it before they are rounded."""
_MOST = 63
"""Seven bits for weights: processors without the newer instructions add products in 16 bits and saturate."""
_CONTRIBUTED = "com.microsoft"


def build(weights: Weights, heads: int, window: int, largest: Weights | None = None) -> Any:
    """The graph, from token ids `ids`, shape (1, tokens), to the last layer's `states`, shape (1, tokens, width).

    Products are of 8-bit integers: weights are scaled for each column, inputs for each text. A few channels have values
    far beyond all others' and would leave the others a fraction of the 256 steps. Their size is moved from the inputs
    into the weights before both are rounded (SmoothQuant, Xiao et al. 2023, arXiv:2211.10438), though only of these
    channels: moved of all, it costs the weights more than it gives the inputs.

    Args:
        heads: of each attention.
        window: the most tokens of a text.
        largest: of each product's input, by the product's name, the channels' largest values, as `inputs` has them for
            a sample. Without it the graph is exact, and gives each product's input, under that name, as a further
            output.
    """
    return _Graph(weights, heads, largest).model(window)


def inputs(weights: Weights) -> list[str]:
    """The names of the products, each of which stands for its input in an exact graph's outputs."""
    return [name for layer in _layers(weights) for name in layer]


def _layers(weights: Weights) -> list[tuple[str, str, str, str]]:
    """Of each layer the names of its products, in their order."""
    parts = ("attention.self", "attention.output.dense", "intermediate.dense", "output.dense")
    count = sum(name.endswith("intermediate.dense.weight") for name in weights)
    named = ([f"encoder.layer.{number}.{part}" for part in parts] for number in range(count))
    return [(first, second, third, fourth) for first, second, third, fourth in named]


class _Graph:
    def __init__(self, weights: Weights, heads: int, largest: Weights | None) -> None:
        self._weights = weights
        self._heads = heads
        self._largest = largest
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def model(self, window: int) -> Any:
        from onnx import TensorProto, helper

        states = self._embeddings(window)
        for products in _layers(self._weights):
            states = self._layer(states, *products)
        self._node("Identity", [states], "states")
        exact = [] if self._largest is not None else inputs(self._weights)
        graph = helper.make_graph(
            self._nodes,
            "encoder",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "tokens"])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("states", *exact)],
            self._constants,
        )
        # Versions that the oldest ONNX Runtime knows that is allowed.
        operators = [helper.make_opsetid("", 18), helper.make_opsetid(_CONTRIBUTED, 1)]
        return helper.make_model(graph, opset_imports=operators, ir_version=8)

    def _embeddings(self, window: int) -> str:
        """The first states: of the words, and of their places."""
        table = self._weights["embeddings.word_embeddings.weight"]
        if self._largest is not None:
            # Half of the file and of its memory, at an error far below that of the 8-bit products.
            found = self._node("Gather", [self._constant("words", table.astype(np.float16)), "ids"], "found")
            words = self._node("Cast", [found], "word states", to=1)
        else:
            words = self._node("Gather", [self._constant("words", table), "ids"], "word states")
        places = self._weights["embeddings.position_embeddings.weight"][:window]
        places = places + self._weights["embeddings.token_type_embeddings.weight"][0]
        tokens = self._node("Shape", ["ids"], "tokens", start=1)
        ends = [self._constant("first", np.array([0])), tokens, self._constant("axis", np.array([1]))]
        place_states = self._node("Slice", [self._constant("places", places[None]), *ends], "place states")
        return self._normalised("embeddings", words, place_states)

    def _layer(self, states: str, attention: str, after: str, wide: str, narrow: str) -> str:
        parts = [f"{attention}.{part}" for part in ("query", "key", "value")]
        joined = {kind: np.concatenate([self._weights[f"{part}.{kind}"] for part in parts]) for kind in _KINDS}
        product = self._product(attention, states, joined["weight"], joined["bias"])
        self._node("Split", [product], parts, axis=2, num_outputs=3)
        heads = self._node("MultiHeadAttention", parts, f"{attention}.heads", _CONTRIBUTED, num_heads=self._heads)
        states = self._normalised(after.removesuffix(".dense"), self._linear(after, heads), states)
        gelu = self._node("Gelu", [self._linear(wide, states)], f"{wide}.gelu", _CONTRIBUTED)
        return self._normalised(narrow.removesuffix(".dense"), self._linear(narrow, gelu), states)

    def _normalised(self, name: str, one: str, other: str) -> str:
        # Two nodes, though there is one for both: that one takes five times as long.
        total = self._node("Add", [one, other], f"{name}.sum")
        scales = [self._constant(f"{name}.{kind}", self._weights[f"{name}.LayerNorm.{kind}"]) for kind in _KINDS]
        return self._node("LayerNormalization", [total, *scales], f"{name}.normalised", epsilon=1e-12)

    def _linear(self, name: str, states: str) -> str:
        return self._product(name, states, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _product(self, name: str, states: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        bias_name = self._constant(f"{name}.bias", bias)
        if self._largest is None:
            states = self._node("Identity", [states], name)
            product = self._node("MatMul", [states, self._constant(f"{name}.weight", weight.T)], f"{name}.product")
            return self._node("Add", [product, bias_name], f"{name}.done")
        largest = self._largest[name]
        factors = np.maximum(largest / np.quantile(largest, OUTLIERS), 1).astype(np.float32)
        states = self._node("Mul", [states, self._constant(f"{name}.factors", 1 / factors)], f"{name}.scaled")
        columns = weight.T * factors[:, None]
        steps = np.maximum(abs(columns).max(axis=0), np.finfo(np.float32).tiny) / _MOST
        rounded = np.rint(columns / steps).astype(np.int8)
        given = [states, self._constant(f"{name}.weight", rounded), self._constant(f"{name}.steps", steps)]
        return self._node("DynamicQuantizeMatMul", [*given, "", bias_name], f"{name}.done", _CONTRIBUTED)

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _node(self, kind: str, given: Sequence[str], made: str | Sequence[str], domain: str = "", **more: Any) -> str:
        from onnx import helper

        names = [made] if isinstance(made, str) else list(made)
        self._nodes.append(helper.make_node(kind, list(given), names, domain=domain, **more))
        return names[0]


_KINDS = ("weight", "bias")
