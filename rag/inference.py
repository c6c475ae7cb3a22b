"""The embedding model as a file for ONNX Runtime, derived once from the very weights that sentence-transformers loads.

Importing the training framework takes ten seconds; ONNX Runtime loads this file in a tenth of one. The file lies in
the platform's cache directory under a name that holds the weights' hash, and is made again when it is missing or
can't be loaded.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from platformdirs import user_cache_path

from rag import graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

Hidden: TypeAlias = "Callable[[Sequence[int]], NDArray[np.float32]]"
"""The token ids of one text to the last layer's states, shape (tokens, 384). Safe to call from several threads.

One text at a time: the scale of the rounded inputs then depends on no other text, nothing is padded, and two texts on
two cores are faster than both cores on one.
"""

FORM = "int8-2"
"""Stands in the file's name and the embedder's identity: a change in how it is derived must change it."""
LEAST_COSINE = 0.99
"""The mean cosine that the file's vectors of the sample must have to the reference's."""
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


def inference_path(name: str, weights_hash: str) -> Path:
    """Where the derived file of these weights belongs; `name` says what they are."""
    return inference_folder() / f"{name}-{weights_hash[:16]}-{FORM}.onnx"


def inference_folder() -> Path:
    """Where derived files lie."""
    return user_cache_path("aftershock", appauthor=False)


class Model:
    """A model in ONNX Runtime, or where that can't be had here, in sentence-transformers. Loaded at its first use.

    Args:
        path: the derived file.
        load_reference: loads the sentence-transformers model.
        encode: text to token ids.
    """

    def __init__(self, path: Path, load_reference: Callable[[], Any], encode: Callable[[str], list[int]]) -> None:
        self.path = path
        self._load_reference = load_reference
        self._encode = encode
        self._lock = threading.Lock()

    @property
    def run(self) -> Hidden:
        """What it does."""
        return self._loaded()[0]

    @property
    def is_derived(self) -> bool:
        """Whether it runs by the derived file, which loads quickly."""
        return self._loaded()[1]

    def load(self) -> None:
        """Load it now, its file derived where it isn't there."""
        self._loaded()

    def _loaded(self) -> tuple[Hidden, bool]:
        with self._lock:
            return self._found

    @cached_property
    def _found(self) -> tuple[Hidden, bool]:
        run = fast(self.path, self._load_reference, self._encode)
        return run or reference(self._load_reference()), run is not None


def fast(path: Path, load_reference: Callable[[], Any], encode: Callable[[str], list[int]]) -> Hidden | None:
    """The model in ONNX Runtime, its file derived first if need be; None where that can't be done here.

    Args:
        path: the derived file.
        load_reference: loads the sentence-transformers model.
        encode: text to token ids.
    """
    with suppress(Exception):
        return _hidden(path)
    model = load_reference()
    try:
        _derive(path, model, encode)
        return _hidden(path)
    except Exception as error:  # whatever an exporter or a platform may come up with: the reference serves
        log.info("no inference file at %s, so sentence-transformers is used", path, exc_info=error)
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


def _hidden(path: Path) -> Hidden:
    session = _session(str(path))

    def hidden(ids: Sequence[int]) -> NDArray[np.float32]:
        states: NDArray[np.float32] = session.run(["states"], {"ids": np.array([ids], np.int64)})[0][0]
        return states

    return hidden


def _session(model: str | bytes) -> Any:
    # Its builds by default report usage to their maker; the variable counts only before the import.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions

    options = SessionOptions()
    options.log_severity_level = 4  # a file that can't be loaded is made again, which is nothing to tell the user
    options.intra_op_num_threads = 1  # the cores work on different texts
    # More than that joins sums and normalisations, which makes both of them slower.
    options.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_BASIC
    return InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _derive(path: Path, model: Any, encode: Callable[[str], list[int]]) -> None:
    """Write the file, complete and checked against the reference or not at all."""
    transformer = model[0].auto_model
    weights = {name: value.detach().float().cpu().numpy() for name, value in transformer.state_dict().items()}
    heads, window = transformer.config.num_attention_heads, transformer.config.max_position_embeddings
    sample = [encode(text) for text in _SAMPLE]
    largest = _largest(graph.build(weights, heads, window), graph.inputs(weights), sample)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".onnx")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(graph.build(weights, heads, window, largest).SerializeToString())
        cosine = agreement(_hidden(draft), reference(model), sample)
        if cosine < LEAST_COSINE:
            raise ValueError(f"its vectors have a cosine of only {cosine:.4f} to the reference's")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _largest(exact: Any, names: Sequence[str], sample: Sequence[list[int]]) -> dict[str, NDArray[np.float32]]:
    """The largest absolute value of each channel of the exact graph's outputs of these names."""
    session = _session(exact.SerializeToString())
    runs = [session.run(names, {"ids": np.array([ids], np.int64)}) for ids in sample]
    return {name: np.vstack([abs(run[0]) for run in of_one]).max(0) for name, *of_one in zip(names, *runs, strict=True)}


def agreement(one: Hidden, other: Hidden, sample: Iterable[Sequence[int]]) -> float:
    """The mean cosine between the two functions' vectors of texts, given as token ids."""
    cosines = []
    for ids in sample:
        a, b = (hidden(ids).mean(axis=0) for hidden in (one, other))
        cosines.append(float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))))
    return float(np.mean(cosines))
