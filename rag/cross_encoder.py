"""Reads a question and a sentence together, and says how likely the one answers the other.

An embedder sees question and sentence apart; a cross-encoder (Nogueira and Cho 2019, arXiv:1901.04085) takes both as
one text. This one is the embedding model itself with small changes to its weights, each the product of two narrow
matrices (LoRA, Hu et al. 2021, arXiv:2106.09685). They lie beside this module, made by `python -m evals.cross_encoder`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.embed import WEIGHTS_SHA256, MiniLM, cores
from rag.inference import Model, inference_path
from rag.kinds import asks_differing
from rag.quote import AT_ONCE, CONVINCING, Pair, Reading, judged, read, tells_of_another_day, to_judge
from rag.retrieve import Retrieval

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANGES = Path(__file__).with_name("cross_encoder.npz")
"""For each changed matrix NAME of the model `NAME.left` and `NAME.right`; `head`, `bias` of the last step; and `spans`,
`spans' bias` of the one that finds the answer's first and last token."""
MOST_OF_QUESTION, MOST_OF_SENTENCE, MOST_OF_CONTEXT, MOST = 40, 70, 50, 128
"""Tokens that are read of each part, and of all with the model's marks."""
LONGEST, SURE = 12, 0.4
"""Tokens that an answer has at most, and how likely its two ends are where it is sure."""
_BEGIN, _BREAK = 101, 102
"""The model's marks [CLS] and [SEP]."""
_SAMPLE_QUESTION = "What did the company say about it?"


class CrossEncoder:
    """Loaded at the first pair. Safe to share between threads.

    Args:
        base: the embedding model whose weights are changed.
        changes: the file of the changes.
    """

    def __init__(self, base: MiniLM, changes: Path = CHANGES) -> None:
        self._base = base
        self._file = changes
        made_of = hashlib.sha256(changes.read_bytes() + WEIGHTS_SHA256.encode()).hexdigest()
        self.model = Model(inference_path("cross-encoder", made_of), self.changed_model, self._sample_ids)
        self._pool = ThreadPoolExecutor(cores(), "cross-encoder")

    def prepare(self) -> None:
        """Derive the file that it loads, where it isn't there yet; else the first question waits for that.

        Raises:
            EmbedderError: the model's weights are missing or are not the official ones.
        """
        if not self.model.path.exists():
            self.model.load()

    def warm_up(self) -> None:
        """Load it in the background."""
        self._pool.submit(self.model.load)

    def read(self, question: str, retrieval: Retrieval) -> Reading:
        """All sentences that were found, ranked; the first of them after a second look.

        Raises:
            EmbedderError: at the first use, when the model's weights are missing or are not the official ones.
        """
        reading = read(question, retrieval)
        looked_at = list(self._looked_at(reading))
        again = judged(reading, [self.judgement(states) for _, states in looked_at])
        if not looked_at:
            return again
        # In no other sentence than the first the answer is marked.
        places = [(scored.passage, scored.sentence) for scored in reading.ranked[: len(looked_at)]]
        first = looked_at[places.index((again.ranked[0].passage, again.ranked[0].sentence))]
        return replace(again, span=self.span(*first))

    def judgements(self, reading: Reading) -> list[float]:
        """The log-odds of the first sentences to answer the question, of as many as are read together with it.

        Raises:
            EmbedderError: at the first use, when the model's weights are missing or are not the official ones.
        """
        return [self.judgement(states) for _, states in self._looked_at(reading)]

    def of_first(self, reading: Reading, most: int) -> list[float]:
        """The log-odds of so many first sentences to answer the question, whatever is said of the first of them.

        Raises:
            EmbedderError: at the first use, when the model's weights are missing or are not the official ones.
        """
        return [self.judgement(states) for states in self._states(to_judge(reading, range(most)))]

    def _states(self, pairs: Sequence[Pair]) -> list[NDArray[np.float32]]:
        return list(self._pool.map(self.model.run, [pair_ids(self._base, pair) for pair in pairs]))

    def _looked_at(self, reading: Reading) -> Iterator[tuple[Pair, NDArray[np.float32]]]:
        """The first sentences and the model's last states for them, some at once, until one is convincing.

        Where reports differ, it isn't one that is asked for; and what tells of another day than the one asked about
        convinces nobody.
        """
        pairs = to_judge(reading)
        for first in range(0, len(pairs), AT_ONCE):
            some = pairs[first : first + AT_ONCE]
            states = self._states(some)
            yield from zip(some, states, strict=True)
            convincing = (
                self.judgement(own) >= CONVINCING and not tells_of_another_day(reading, pair.sentence)
                for pair, own in zip(some, states, strict=True)
            )
            if any(convincing) and not asks_differing(reading.question):
                return

    def judgement(self, states: NDArray[np.float32]) -> float:
        """The log-odds, of the model's last states for a pair, shape (tokens, 384)."""
        pooled = np.concatenate([states[0], states.mean(axis=0)])
        return float(pooled @ self._last["head"] + self._last["bias"][0])

    def span(self, pair: Pair, states: NDArray[np.float32]) -> tuple[int, int] | None:
        """Where in the sentence its answer stands, as offsets into it; None where that isn't sure.

        As in Devlin et al. 2019 (arXiv:1810.04805), section 4.2: each token is likely to be the first and the last one.
        """
        log_odds = states @ self._last["spans"].T + self._last["spans' bias"]
        likely = np.exp(log_odds - log_odds.max(axis=0))
        likely /= likely.sum(axis=0)
        begin = len(self._base.token_ids(pair.question)[:MOST_OF_QUESTION]) + 2
        places = self._base.token_places(pair.sentence)[:MOST_OF_SENTENCE]
        if not places:
            return None
        first, last = likely[begin : begin + len(places)].T
        both = np.tril(np.triu(np.outer(first, last)), LONGEST - 1)
        start, end = np.unravel_index(both.argmax(), both.shape)
        return (places[start][0], places[end][1]) if both[start, end] >= SURE else None

    @cached_property
    def _last(self) -> dict[str, NDArray[np.float32]]:
        """The last steps, which every question needs; the matrices only matter when the model is derived."""
        return load_changes(self._file, lambda name: "." not in name)

    def _sample_ids(self, text: str) -> list[int]:
        return pair_ids(self._base, Pair(_SAMPLE_QUESTION, text, "", ""))

    def changed_model(self) -> Any:
        """The sentence-transformers model with the changes in its weights."""
        import torch

        model, changes = self._base.load_reference(), load_changes(self._file)
        weights = model[0].auto_model.state_dict()
        for name in {name.rpartition(".")[0] for name in changes if "." in name}:
            change = changes[f"{name}.left"] @ changes[f"{name}.right"]
            weights[f"{name}.weight"] += torch.from_numpy(change)
        return model


def load_changes(path: Path, wanted: Callable[[str], bool] = lambda _: True) -> dict[str, NDArray[np.float32]]:
    """What the file holds of what is wanted; matrices lie in it as 8-bit integers and a scale for each row."""
    with np.load(path) as file:
        names = [name for name in file.files if not name.endswith(".scale") and wanted(name)]
        return {name: file[name].astype(np.float32) * file.get(f"{name}.scale", np.float32(1)) for name in names}


def pair_ids(base: MiniLM, pair: Pair) -> list[int]:
    """The tokens of a pair as the model reads them, at most `MOST`."""
    question = base.token_ids(pair.question)[:MOST_OF_QUESTION]
    sentence = base.token_ids(pair.sentence)[:MOST_OF_SENTENCE]
    context = base.token_ids(f"{pair.title}. {pair.before}")[:MOST_OF_CONTEXT]
    left = MOST - 4 - len(question) - len(sentence)
    return [_BEGIN, *question, _BREAK, *sentence, _BREAK, *context[:left], _BREAK]
