"""Makes the cross-encoder's changes to the embedding model: `python -m evals.cross_encoder SQUAD_FILE all`.

From the questions of `evals.calibrate`: from all of them what is shipped, and from each half alone (`even`, `odd`) what
judges the other half there. Each is shown with a sentence that has its
answer and with the sentences that reading takes for the best and that have none; a question without an answer with the
latter alone. So it learns what sets an answer apart from what looks like one, and beside that where in the sentence
the answer stands. In a first round it learns from SQuAD's and the older own questions, in later ones from all own ones
and some of SQuAD's, so that it doesn't forget. What is shipped learns in the end, with room for more, from all of them,
from the questions of people who had not seen the articles, and from pairs of questions as alike as can be of which the
articles answer one; the halves do without that. Two cores take hours for all of it; then `python -m evals.calibrate`
fits the gate to the judgements.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from evals import indexing, narrow
from evals.calibrate import HALVES, OWN, Example, examples, own_examples
from rag.cross_encoder import CHANGES, MOST_OF_QUESTION, MOST_OF_SENTENCE, pair_ids
from rag.embed import MiniLM
from rag.quote import Pair, read, to_judge

if TYPE_CHECKING:
    from numpy.typing import NDArray

HARD_STEP, MISSING_STEP = 1, 5
"""Every so many-th question of SQuAD is learned from."""
CANDIDATES = 6
"""Sentences of a question that it is shown with, at most four of them at a time."""
WRONG = 3
COUNTS = {
    "event": 3.0,
    "short": 2.0,
    "general": 2.0,
    "nearby": 3.0,
    "article": 2.0,
    "plain": 2.0,
    "asked": 2.0,
    "contrast": 2.0,
    "missing": 1.0,
    "hard": 1.0,
}
"""What a question of a set counts for: there are few own ones."""
BESIDE = ("asked", "contrast")
"""The sets beside those of `evals.calibrate`: what people asked who had not seen the articles, and the pairs."""
LEFT = 2.0
"""So much faster a left matrix learns than the right one, as in Hayou et al. 2024 (arXiv:2402.12354)."""
AT_ONCE, WARM = 8, 0.06
LISTWISE = 0.5
"""What telling the answer from the other sentences of its question counts for beside judging each by itself."""
SPANS, NOWHERE, SPAN_RATE = 0.5, 0.25, 1e-3
"""What finding the answer's first and last token counts for, and finding none in a sentence that has no answer, and the
rate at which that step is learned."""
OTHERS = 0.3
"""The share of questions that are shown with other wrong sentences than the best ones, where a round says so."""
STEP = 16
"""What the length of a batch's texts is rounded up to: few shapes are learned faster."""
_NOWHERE = (0, 0)
"""Where the answer stands in a sentence that has none: at the model's first mark."""


class Of(StrEnum):
    """The questions that are learned from."""

    EVEN = "even"
    ODD = "odd"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Round:
    """A pass over lessons, some of them again and again.

    Args:
        own: the sets whose lessons are all taken.
        share: how many of SQuAD's are taken: others each time.
        epochs: how many times.
        rate: of learning at its highest, `head_rate` that of the last step.
        columns: of new narrow matrices, which alone learn from here on; 0 where those of the round before go on.
        varied: whether other wrong sentences than the best ones are shown as well, and a little is left out at random,
            so that many questions aren't learned by heart.
    """

    own: frozenset[str]
    share: float
    epochs: float
    rate: float
    head_rate: float
    columns: int = 0
    varied: bool = False


ROUNDS = (
    Round(frozenset(OWN) - {"article", "plain"}, 1.0, 3, 3e-4, 1e-3, columns=8),
    Round(frozenset(OWN) - {"plain"}, 0.35, 3, 2e-4, 6e-4),
    Round(frozenset(OWN), 0.25, 2, 2e-4, 6e-4),
)
LAST = (
    Round(frozenset({*OWN, "asked"}), 0.2, 2.7, 2e-4, 6e-4, columns=32, varied=True),
    Round(frozenset({*OWN, *BESIDE}), 0.2, 5, 2e-4, 6e-4, varied=True),
)
"""Of what is shipped."""
SORTED = 512
"""So many questions are put in the order of their length, so that those of a batch are about as long."""
WRITTEN = {Of.EVEN: ((0,), HALVES[0]), Of.ODD: ((1,), HALVES[1]), Of.ALL: ((0, 1), CHANGES)}
"""The halves, and the file for what is learned from them."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question's candidates as tokens, the best first, and which of them have its answer: none where it has none.

    Args:
        of: the name of its set.
        spans: of each candidate that has it, the answer's first and last token, where it is known.
    """

    of: str
    candidates: tuple[list[int], ...]
    right: tuple[bool, ...]
    spans: tuple[tuple[int, int] | None, ...]
    has_answer: bool


def lesson(example: Example, base: MiniLM) -> Lesson | None:
    """What is to be learned from a question; None where its answer was not found, or nothing was."""
    if not example.found.evidence:
        return None
    reading = read(example.text, example.found)
    places = list(range(len(reading.ranked)))[:CANDIDATES]
    answered = [i for i, s in enumerate(reading.ranked) if example.answers(s.passage, s.sentence)]
    if example.has_answer and not answered:
        return None
    if example.has_answer and answered[0] >= CANDIDATES:
        places.append(answered[0])
    pairs = to_judge(reading, places)
    right = tuple(example.has_answer and place in answered for place in places)
    spans = tuple(
        span_tokens(base, pair, example.span(pair.sentence)) if is_right else None
        for pair, is_right in zip(pairs, right, strict=True)
    )
    return Lesson(example.of, tuple(pair_ids(base, pair) for pair in pairs), right, spans, example.has_answer)


def span_tokens(base: MiniLM, pair: Pair, span: tuple[int, int] | None) -> tuple[int, int] | None:
    """The first and last token of a stretch of a pair's sentence; None where it lies beyond what is read of that."""
    if span is None:
        return None
    start, end = (len(base.token_ids(pair.sentence[:place])) for place in span)
    if not start < end <= MOST_OF_SENTENCE:
        return None
    first = len(base.token_ids(pair.question)[:MOST_OF_QUESTION]) + 2
    return first + start, first + end - 1


def shown(one: Lesson, chance: random.Random, varied: bool = False) -> list[int]:
    """The candidates that it is learned with: one with the answer and the best ones without, or the latter alone."""
    wrong = [place for place, right in enumerate(one.right) if not right]
    if varied and chance.random() < OTHERS:
        chance.shuffle(wrong)
    if not one.has_answer:
        return wrong[:WRONG]
    rights = [place for place, right in enumerate(one.right) if right]
    return [chance.choice([rights[0], *rights]), *wrong[:WRONG]]


def learn(lessons: Sequence[Lesson], model: Any, rounds: Sequence[Round]) -> dict[str, NDArray[np.float32]]:
    """Fit narrow matrices beside all products of the encoder, and the last step.

    Args:
        model: as sentence-transformers loads it; it is changed.

    Returns:
        What `rag.cross_encoder.load_changes` gives back: matrices under the names of the products.
    """
    import torch

    torch.manual_seed(0)
    chance = random.Random(0)
    encoder = model[0].auto_model.train()
    # With this attention, bfloat16 is fast in both directions.
    encoder.set_attn_implementation("eager")
    encoder.requires_grad_(False)
    head, spans = torch.nn.Linear(2 * encoder.config.hidden_size, 1), torch.nn.Linear(encoder.config.hidden_size, 2)
    for step in (head, spans):
        torch.nn.init.normal_(step.weight, std=0.02)
        torch.nn.init.zeros_(step.bias)
    learner = _Learner(encoder, head, spans, narrow.products(encoder), narrow.dropouts(encoder, chance))
    for one in rounds:
        _learn_round(one, lessons, learner, chance)
    changes = {
        "head": head.weight.detach().numpy()[0],
        "bias": head.bias.detach().numpy(),
        "spans": spans.weight.detach().numpy(),
        "spans' bias": spans.bias.detach().numpy(),
    }
    for name, product in learner.products.items():
        changes[f"{name}.left"] = torch.cat([*product.left], 1).detach().numpy()
        changes[f"{name}.right"] = torch.cat([*product.right]).detach().numpy()
    return changes


@dataclass(frozen=True, slots=True)
class _Learner:
    """The model, the last step, that for the answer's place, the products with their narrow matrices, and what leaves
    some of the values out."""

    encoder: Any
    head: Any
    spans: Any
    products: dict[str, Any]
    dropouts: list[Any]

    @property
    def left(self) -> list[Any]:
        """The narrow matrices that learn now, those on the left."""
        return [product.left[-1] for product in self.products.values()]

    @property
    def right(self) -> list[Any]:
        """And those on the right."""
        return [product.right[-1] for product in self.products.values()]


def _learn_round(one: Round, lessons: Sequence[Lesson], learner: _Learner, chance: random.Random) -> None:
    import torch

    for product in learner.products.values():
        if one.columns:
            product.widen(one.columns)
    for dropout in learner.dropouts:
        dropout.active = one.varied
    whole = [lesson for lesson in lessons if lesson.of in one.own]
    others = [lesson for lesson in lessons if lesson.of not in {*OWN, *BESIDE}]
    share = int(one.share * len(others))
    groups: list[dict[str, Any]] = [
        {"params": learner.left, "lr": LEFT * one.rate},
        {"params": learner.right, "lr": one.rate},
        {"params": learner.head.parameters(), "lr": one.head_rate},
        {"params": learner.spans.parameters(), "lr": SPAN_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = int(one.epochs * (len(whole) + share)) // AT_ONCE
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / (WARM * steps)) * (1 - step / steps)
    )
    drawn = _batches(lambda: [*whole, *chance.sample(others, share)], chance, steps)
    with typer.progressbar(drawn, length=steps, label="Learning") as batches:
        for batch in batches:
            texts, right, spans, counts, owners = [], [], [], [], []
            for owner, lesson in enumerate(batch):
                places = shown(lesson, chance, one.varied)
                texts += [lesson.candidates[place] for place in places]
                right += [lesson.right[place] for place in places]
                spans += [lesson.spans[place] if lesson.right[place] else _NOWHERE for place in places]
                counts += [COUNTS[lesson.of] / len(places) * (2 if lesson.right[place] else 1) for place in places]
                owners += [owner] * len(places)
            states, log_odds = _judged(learner, texts)
            loss = _loss(log_odds, torch.tensor(right), torch.tensor(counts), torch.tensor(owners))
            ends = learner.spans(states)
            for is_there, counts_for in ((True, SPANS), (False, NOWHERE)):
                some = [span if span is not None and (span != _NOWHERE) is is_there else None for span in spans]
                loss += counts_for * _span_loss(ends, texts, some)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*learner.left, *learner.right, *learner.head.parameters()], 1.0)
            optimizer.step()
            schedule.step()


def _batches(draw: Callable[[], list[Lesson]], chance: random.Random, steps: int) -> Iterator[list[Lesson]]:
    """Batches of lessons about as long as each other, in any order, all of what is drawn before it is drawn again."""
    batches: list[list[Lesson]] = []
    for _ in range(steps):
        if not batches:
            drawn = draw()
            drawn = chance.sample(drawn, len(drawn))
            for first in range(0, len(drawn), SORTED):
                alike = sorted(drawn[first : first + SORTED], key=lambda lesson: max(map(len, lesson.candidates)))
                batches += [alike[place : place + AT_ONCE] for place in range(0, len(alike), AT_ONCE)]
            chance.shuffle(batches)
        yield batches.pop()


def _judged(learner: _Learner, texts: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """The last states of the texts, and the log-odds that each has its answer."""
    import torch

    longest = -(-max(map(len, texts)) // STEP) * STEP
    ids, mask = (torch.zeros(len(texts), longest, dtype=torch.long) for _ in range(2))
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    # Where the processor has no products of its own for it, they take thirty times as long.
    is_there = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    has_bfloat16 = is_there and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    with torch.autocast("cpu", torch.bfloat16) if has_bfloat16 else nullcontext():
        states = learner.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        share = mask[..., None] / mask.sum(1)[:, None, None]
        pooled = torch.cat([states[:, 0], (states * share).sum(1)], dim=1)
    return states.float(), learner.head(pooled.float())[:, 0]


def _span_loss(log_odds: Any, texts: Sequence[Sequence[int]], spans: Sequence[tuple[int, int] | None]) -> Any:
    """How far off the answers' first and last tokens are, as in Devlin et al. 2019 (arXiv:1810.04805), section 4.2."""
    import torch
    from torch.nn.functional import cross_entropy

    losses = [
        cross_entropy(log_odds[row, : len(texts[row]), end], torch.tensor(span[end]))
        for row, span in enumerate(spans)
        if span is not None
        for end in (0, 1)
    ]
    return torch.stack(losses).mean() if losses else 0.0


def _loss(log_odds: Any, right: Any, counts: Any, owners: Any) -> Any:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    each = binary_cross_entropy_with_logits(log_odds, right.float(), counts, reduction="sum") / counts.sum()
    among = [
        -torch.log_softmax(log_odds[owners == owner], 0)[right[owners == owner]].mean()
        for owner in owners[right].unique()
    ]
    return each + LISTWISE / AT_ONCE * sum(among)


def save(changes: dict[str, NDArray[np.float32]], path: Path) -> None:
    """Write the matrices as 8-bit integers with a scale for each row, the last step as it is."""
    written: dict[str, NDArray[Any]] = {}
    for name, matrix in sorted(changes.items()):
        if matrix.ndim == 1:
            written[name] = matrix
            continue
        scale = np.maximum(abs(matrix).max(axis=1, keepdims=True), 1e-12) / 127
        written[name], written[f"{name}.scale"] = np.rint(matrix / scale).astype(np.int8), scale.astype(np.float32)
    np.savez_compressed(path, allow_pickle=False, **written)


def main(
    squad_file: Annotated[Path, typer.Argument(help="SQuAD 2.0, or part of it.")],
    learned_from: Annotated[Of, typer.Argument(help="The questions to learn from.")],
    keep: Annotated[Path | None, typer.Option(help="A folder for the indexes, to be used again next time.")] = None,
) -> None:
    """Learn and write."""
    base = MiniLM()
    halves, to = WRITTEN[learned_from]
    rounds = [*ROUNDS, *LAST] if learned_from is Of.ALL else ROUNDS
    with indexing.folder(keep) as root:
        some = examples(squad_file, root, HARD_STEP, MISSING_STEP)
        asked = [e for e in some if e.half in halves]
        if learned_from is Of.ALL:
            asked += own_examples(BESIDE, root, base)
    lessons = [one for example in asked if (one := lesson(example, base)) and one.candidates]
    save(learn(lessons, base.load_reference(), rounds), to)


if __name__ == "__main__":
    typer.run(main)
