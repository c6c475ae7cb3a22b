"""The embedding model as a file for ONNX Runtime, derived once from the very weights that sentence-transformers loads.

Importing the training framework takes ten seconds; ONNX Runtime loads this file in a tenth of one. The file lies in
the platform's cache directory under a name that holds the weights' hash, and is made again when it is missing or
can't be loaded.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from platformdirs import user_cache_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

Hidden: TypeAlias = "Callable[[Sequence[int]], NDArray[np.float32]]"
"""The token ids of one text to the last layer's states, shape (tokens, 384). Safe to call from several threads.

One text at a time: the scale of the rounded inputs then depends on no other text, nothing is padded, and two texts on
two cores are faster than both cores on one.
"""

FORM = "int8-1"
"""Stands in the file's name and the embedder's identity: a change in how it is derived must change it."""
LEAST_COSINE = 0.99
"""The mean cosine that the file's vectors of the sample must have to the reference's."""
KEPT_EXACT = ("/transformer/encoder/layer.0/output/dense/MatMul",)
"""The product whose rounding costs most: exact, it halves no speed and brings the mean cosine from .993 to .994."""

_SAMPLE = (
    "Nvidia lost about $589 billion of market value on 27 January 2025.",
    "Who founded DeepSeek?",
    "A mixture of experts sends each token to a few of many small networks, so that most weights rest.",
    "The index of chip makers fell by more than nine percent, its worst day since March 2020.",
    "Why did shares of power companies fall as well?",
    "The licence lets anybody use, change and sell the weights.",
    "Analysts warned that the reported cost covers only the final training run, not the research before it.",
    "Export rules",
)


def inference_path(weights_hash: str) -> Path:
    """Where the derived file of these weights belongs."""
    return user_cache_path("aftershock", appauthor=False) / f"embedder-{weights_hash[:16]}-{FORM}.onnx"


def fast(path: Path, load_reference: Callable[[], Any], encode: Callable[[str], list[int]]) -> Hidden | None:
    """The model in ONNX Runtime, its file derived first if need be; None where that can't be done here.

    Args:
        path: the derived file.
        load_reference: loads the sentence-transformers model.
        encode: text to token ids.
    """
    with suppress(Exception):
        return _session(path)
    model = load_reference()
    try:
        _derive(path, model, encode)
        return _session(path)
    except Exception as error:  # whatever an exporter or a platform may come up with: the reference serves
        log.info("no inference file for the embedder, so sentence-transformers is used", exc_info=error)
        return None


def reference(model: Any) -> Hidden:
    """The same function by the sentence-transformers model itself."""
    import torch

    transformer = model[0].auto_model

    def hidden(ids: Sequence[int]) -> NDArray[np.float32]:
        with torch.inference_mode():
            output = transformer(input_ids=torch.tensor([ids], device=transformer.device))
        states: NDArray[np.float32] = output.last_hidden_state[0].float().cpu().numpy()
        return states

    return hidden


def _session(path: Path) -> Hidden:
    # Its builds by default report usage to their maker; the variable counts only before the import.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.log_severity_level = 4  # a file that can't be loaded is made again, which is nothing to tell the user
    options.intra_op_num_threads = 1  # the cores work on different texts
    session = InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def hidden(ids: Sequence[int]) -> NDArray[np.float32]:
        states: NDArray[np.float32] = session.run(["states"], {"ids": np.array([ids], np.int64)})[0][0]
        return states

    return hidden


def _derive(path: Path, model: Any, encode: Callable[[str], list[int]]) -> None:
    """Write the file, complete and checked against the reference or not at all."""
    import torch

    class States(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = model[0].auto_model

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = self.transformer(
                input_ids=ids, attention_mask=torch.ones_like(ids), token_type_ids=torch.zeros_like(ids)
            ).last_hidden_state
            return output

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".onnx")
    os.close(handle)
    draft = Path(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                # The exporter puts everything back into the outermost module's mode, which is training by default.
                States().eval(),
                (torch.ones(1, 16, dtype=torch.long),),
                str(draft),
                input_names=["ids"],
                output_names=["states"],
                dynamic_axes={"ids": {1: "tokens"}, "states": {1: "tokens"}},
                opset_version=17,
                dynamo=False,
            )
        _round(draft)
        cosine = agreement(_session(draft), reference(model), encode)
        if cosine < LEAST_COSINE:
            raise ValueError(f"its vectors have a cosine of only {cosine:.4f} to the reference's")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _round(path: Path) -> None:
    """Replace the file's matrix products by products of 8-bit integers, scaled for each channel and each input."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().addFilter(_is_no_advice)
    try:
        quantize_dynamic(
            path,
            path,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=list(KEPT_EXACT),
            per_channel=True,
            # Seven bits for weights: processors without the newer instructions add products in 16 bits and saturate.
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )
    finally:
        logging.getLogger().removeFilter(_is_no_advice)


def _is_no_advice(record: logging.LogRecord) -> bool:
    """Keeps the library's advice about preparing a model out of the user's messages."""
    return "Please consider" not in record.getMessage()


def agreement(one: Hidden, other: Hidden, encode: Callable[[str], list[int]]) -> float:
    """The mean cosine between the two functions' vectors of the sample's texts."""
    cosines = []
    for text in _SAMPLE:
        a, b = (hidden(encode(text)).mean(axis=0) for hidden in (one, other))
        cosines.append(float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))))
    return float(np.mean(cosines))
