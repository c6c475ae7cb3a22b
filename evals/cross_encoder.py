"""Makes the cross-encoder's changes to the embedding model: `python -m evals.cross_encoder SQUAD_FILE all`.

From the questions of `evals.calibrate`: from all of them what is shipped, and from each half alone (`even`, `odd`) what
judges the other half there. Each is shown with a sentence that has its
answer and with the sentences that reading takes for the best and that have none; a question without an answer with the
latter alone. So it learns what sets an answer apart from what looks like one, and beside that where in the sentence
the answer stands. In a first round it learns from SQuAD's and the older own questions, in later ones from all own ones
and some of SQuAD's, so that it doesn't forget. What is shipped learns in the end, with room for more, from all of them,
from the questions of people who had not seen the articles, and from pairs of questions as alike as can be of which the
articles answer one, in the last round with the sentences that it takes for an answer itself where there is none; the
halves do without that. Two cores take hours for all of it; then `python -m evals.calibrate` fits the gate to the
judgements.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from evals import indexing, narrow
from evals.calibrate import HALVES, OWN, examples, own_examples
from evals.lessons import AT_ONCE, WRONG, Lesson, batches, lesson, shown
from rag.cross_encoder import CHANGES
from rag.embed import MiniLM

if TYPE_CHECKING:
    from numpy.typing import NDArray

HARD_STEP, MISSING_STEP = 1, 5
"""Every so many-th question of SQuAD is learned from."""
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
WARM = 0.06
LISTWISE = 0.5
"""What telling the answer from the other sentences of its question counts for beside judging each by itself."""
SPANS, NOWHERE, SPAN_RATE = 0.5, 0.25, 1e-3
"""What finding the answer's first and last token counts for, and finding none in a sentence that has no answer, and the
rate at which that step is learned."""
AVERAGED, AVERAGED_AT_FIRST = 0.998, 20
"""How much of the mean of the steps so far stays at each step, and how many steps it takes until that is nearly so.

What varied rounds keep is this mean: where each step ends is partly chance.
"""
JUDGED_AT_ONCE = 64
"""Texts, where nothing is learned."""
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
        wrong: how many sentences without the answer are shown of a question.
        misleading: whether they are, where there is no answer, those that the model takes for one at the beginning.
    """

    own: frozenset[str]
    share: float
    epochs: float
    rate: float
    head_rate: float
    columns: int = 0
    varied: bool = False
    wrong: int = WRONG
    misleading: bool = False


ROUNDS = (
    Round(frozenset(OWN) - {"article", "plain"}, 1.0, 3, 3e-4, 1e-3, columns=8),
    Round(frozenset(OWN) - {"plain"}, 0.35, 3, 2e-4, 6e-4),
    Round(frozenset(OWN), 0.25, 2, 2e-4, 6e-4),
)
LAST = (
    Round(frozenset({*OWN, "asked"}), 0.2, 2.7, 2e-4, 6e-4, columns=32, varied=True),
    Round(frozenset({*OWN, *BESIDE}), 0.2, 5, 2e-4, 6e-4, varied=True),
    Round(frozenset({*OWN, *BESIDE}), 0.2, 2, 2e-4, 6e-4, varied=True, wrong=2, misleading=True),
)
"""Of what is shipped."""
WRITTEN = {Of.EVEN: ((0,), HALVES[0]), Of.ODD: ((1,), HALVES[1]), Of.ALL: ((0, 1), CHANGES)}
"""The halves, and the file for what is learned from them."""


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
    whole = [lesson for lesson in lessons if lesson.of in one.own]
    if one.misleading:
        whole = _misleading(whole, learner)
    for dropout in learner.dropouts:
        dropout.active = one.varied
    others = [lesson for lesson in lessons if lesson.of not in {*OWN, *BESIDE}]
    share = int(one.share * len(others))
    groups: list[dict[str, Any]] = [
        {"params": learner.left, "lr": LEFT * one.rate},
        {"params": learner.right, "lr": one.rate},
        {"params": list(learner.head.parameters()), "lr": one.head_rate},
        {"params": list(learner.spans.parameters()), "lr": SPAN_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    learned = [parameter for group in groups for parameter in group["params"]]
    average = [parameter.detach().clone() for parameter in learned]
    steps = int(one.epochs * (len(whole) + share)) // AT_ONCE
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / (WARM * steps)) * (1 - step / steps)
    )
    drawn = batches(lambda: [*whole, *chance.sample(others, share)], chance, steps)
    with typer.progressbar(drawn, length=steps, label="Learning") as shown_batches:
        for step, batch in enumerate(shown_batches):
            texts, right, spans, counts, owners = [], [], [], [], []
            for owner, lesson in enumerate(batch):
                places = shown(lesson, chance, one.wrong, one.varied)
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
            if one.varied:
                kept = min(AVERAGED, (step + 1) / (step + AVERAGED_AT_FIRST))
                for mean, parameter in zip(average, learned, strict=True):
                    mean.lerp_(parameter.detach(), 1 - kept)
    if one.varied:
        with torch.no_grad():
            for mean, parameter in zip(average, learned, strict=True):
                parameter.copy_(mean)


def _misleading(lessons: Sequence[Lesson], learner: _Learner) -> list[Lesson]:
    """The lessons, those without an answer with the candidates in the order of how likely the model takes them for it.

    Of questions that have one, what it takes for a second one often is.
    """
    import torch

    for dropout in learner.dropouts:
        dropout.active = False
    candidates = [(place, text) for place, one in enumerate(lessons) if not one.has_answer for text in one.candidates]
    candidates.sort(key=lambda candidate: len(candidate[1]))
    likely: dict[int, list[tuple[float, list[int]]]] = {}
    with torch.no_grad():
        for first in range(0, len(candidates), JUDGED_AT_ONCE):
            some = candidates[first : first + JUDGED_AT_ONCE]
            _, log_odds = _judged(learner, [text for _, text in some])
            for (place, text), value in zip(some, log_odds.tolist(), strict=True):
                likely.setdefault(place, []).append((value, text))
    return [
        one if one.has_answer else replace(one, candidates=tuple(text for _, text in sorted(likely[place])[::-1]))
        for place, one in enumerate(lessons)
    ]


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
