"""How near the embedder comes to what the processor can do: `python -m bench.peak`.

The peak is the fastest that ONNX Runtime multiplies two matrices of the embedder's own sizes on one core, in 8-bit
integers and in 32-bit floats. Each figure is the best of many short runs, which other work on the machine harms least.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rag.embed import DIMENSIONS, MiniLM

TOKENS = 128
"""Of the text that is embedded, about as long as a passage."""
SHAPES = ((TOKENS, 384, 1536), (TOKENS, 1536, 384), (TOKENS, 384, 1152), (512, 512, 512))
_LAYERS, _WIDE = 6, 1536
_RUNS = 60


@dataclass(frozen=True, slots=True)
class Peak:
    """Billions of multiplications and additions a second on one core, and the milliseconds of one text."""

    integers: float
    floats: float
    embedder: float
    milliseconds: float


def main() -> None:
    """Measure and print."""
    print(report(measure()))  # noqa: T201


def report(peak: Peak) -> str:
    """The figures in a line."""
    return (
        f"embedder: {peak.milliseconds:.1f} ms for {TOKENS} tokens on one core, {peak.embedder:.0f} billion products a "
        f"second, {peak.embedder / peak.integers:.0%} of the measured peak in 8-bit integers ({peak.integers:.0f}) and "
        f"{peak.embedder / peak.floats:.0%} of that in 32-bit floats ({peak.floats:.0f})"
    )


def measure() -> Peak:
    """The peaks, and the embedder's own rate."""
    integers = max(
        rows * inner * columns / _best(_product(rows, inner, columns, True)) for rows, inner, columns in SHAPES
    )
    floats = max(
        rows * inner * columns / _best(_product(rows, inner, columns, False)) for rows, inner, columns in SHAPES
    )
    text = " ".join(["market"] * (TOKENS - 2))
    embedder = MiniLM()
    seconds = _best(lambda: embedder.embed([text]))
    return Peak(integers / 1e9, floats / 1e9, products(TOKENS) / seconds / 1e9, seconds * 1000)


def products(tokens: int) -> int:
    """How many multiplications the model makes for a text: those with weights, and those of attention."""
    with_weights = tokens * (4 * DIMENSIONS * DIMENSIONS + 2 * DIMENSIONS * _WIDE)
    return _LAYERS * (with_weights + 2 * tokens * tokens * DIMENSIONS)


def _best(run: Callable[[], object]) -> float:
    run()
    found = float("inf")
    for _ in range(_RUNS):
        started = time.perf_counter()
        run()
        found = min(found, time.perf_counter() - started)
    return found


def _product(rows: int, inner: int, columns: int, integers: bool) -> Callable[[], object]:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime import InferenceSession, SessionOptions

    chance = np.random.default_rng(1)
    kinds: tuple[Any, Any, Any]
    if integers:
        kinds = TensorProto.UINT8, TensorProto.INT32, np.uint8
        weights = chance.integers(-63, 64, (inner, columns)).astype(np.int8)
    else:
        kinds = TensorProto.FLOAT, TensorProto.FLOAT, np.float32
        weights = chance.standard_normal((inner, columns)).astype(np.float32)
    given, made, dtype = kinds
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger" if integers else "MatMul", ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", given, [rows, inner])],
        [helper.make_tensor_value_info("c", made, [rows, columns])],
        [numpy_helper.from_array(weights, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    options = SessionOptions()
    options.intra_op_num_threads = 1
    session = InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {"a": chance.integers(0, 100, (rows, inner)).astype(dtype)}
    return lambda: session.run(None, feed)


if __name__ == "__main__":
    main()
