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
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from platformdirs import user_cache_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

Hidden: TypeAlias = "Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]"
"""Token ids and mask, both of shape (texts, tokens), to the last layer's states, shape (texts, tokens, 384)."""

FORM = "fp32-1"
"""Stands in the file's name: a change in how it is derived must change it."""
LEAST_COSINE = 0.9999
"""The file's vectors must be this close to the reference's on the sample."""

_SAMPLE = (
    "Nvidia lost about $589 billion of market value on 27 January 2025.",
    "Who founded DeepSeek?",
    "A mixture of experts sends each token to a few of many small networks, so that most weights rest.",
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

    def hidden(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        with torch.inference_mode():
            device = transformer.device
            output = transformer(
                input_ids=torch.from_numpy(ids).to(device), attention_mask=torch.from_numpy(mask).to(device)
            )
        states: NDArray[np.float32] = output.last_hidden_state.float().cpu().numpy()
        return states

    return hidden


def _session(path: Path) -> Hidden:
    # Its builds by default report usage to their maker; the variable counts only before the import.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.log_severity_level = 4  # a file that can't be loaded is made again, which is nothing to tell the user
    session = InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def hidden(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        states: NDArray[np.float32] = session.run(["states"], {"ids": ids, "mask": mask})[0]
        return states

    return hidden


def _derive(path: Path, model: Any, encode: Callable[[str], list[int]]) -> None:
    """Write the file, complete and checked against the reference or not at all."""
    import torch

    class States(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = model[0].auto_model

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = self.transformer(
                input_ids=ids, attention_mask=mask, token_type_ids=torch.zeros_like(ids)
            ).last_hidden_state
            return output

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".onnx")
    os.close(handle)
    draft = Path(name)
    try:
        ids = torch.ones(2, 16, dtype=torch.long)
        mask = torch.ones_like(ids)
        # Without padding in the example, the tracer would take the mask for something that is never needed.
        mask[1, 8:] = 0
        axes = {0: "texts", 1: "tokens"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                # The exporter puts everything back into the outermost module's mode, which is training by default.
                States().eval(),
                (ids, mask),
                str(draft),
                input_names=["ids", "mask"],
                output_names=["states"],
                dynamic_axes={"ids": axes, "mask": axes, "states": axes},
                opset_version=17,
                dynamo=False,
            )
        cosine = _agreement(_session(draft), reference(model), encode)
        if cosine < LEAST_COSINE:
            raise ValueError(f"its vectors have a cosine of only {cosine:.4f} to the reference's")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _agreement(one: Hidden, other: Hidden, encode: Callable[[str], list[int]]) -> float:
    """The least cosine between the two functions' vectors of the sample's tokens, each text padded."""
    cosines = []
    for text in _SAMPLE:
        encoded = encode(text)
        ids = np.array([encoded + [0] * 5], np.int64)
        mask = np.array([[1] * len(encoded) + [0] * 5], np.int64)
        a, b = (hidden(ids, mask)[0, : len(encoded)] for hidden in (one, other))
        norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        cosines.append(float(((a * b).sum(axis=1) / norms).min()))
    return min(cosines)
