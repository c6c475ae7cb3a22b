"""How well questions without an answer are told from those with one, and a picture of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Judged:
    """The questions of a set: which have an answer, and how likely they are judged to."""

    of: str
    has_answer: NDArray[np.bool_]
    chances: NDArray[np.float64]

    @property
    def area(self) -> float:
        """Below the curve: how often one with an answer is judged likelier than one without; 1 where none is."""
        from sklearn.metrics import roc_auc_score

        return float(roc_auc_score(self.has_answer, self.chances)) if len(set(self.has_answer)) > 1 else 1.0

    def refused(self, threshold: float) -> tuple[float, float]:
        """The shares refused of the questions without an answer and of those with one."""
        below = self.chances < threshold
        return _share(below[~self.has_answer]), _share(below[self.has_answer])


def _share(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else 0.0


def draw(judged: Sequence[Judged], threshold: float) -> str:
    """How many questions with an answer are refused, against how many without one, as an SVG picture."""
    colours = ("#1f6feb", "#d1702b", "#2f8f4e", "#8a4fbe")
    parts = []
    for colour, judgement, row in zip(colours, judged, range(len(judged)), strict=False):
        points = [judgement.refused(t) for t in np.linspace(0, 1.01, 102)]
        line = " ".join(f"{60 + 400 * wrongly:.1f},{440 - 400 * rightly:.1f}" for rightly, wrongly in points)
        rightly, wrongly = judgement.refused(threshold)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<circle cx="{60 + 400 * wrongly:.1f}" cy="{440 - 400 * rightly:.1f}" r="5" fill="{colour}"/>')
        label = f"{judgement.of}: {rightly:.2f} refused rightly, {wrongly:.2f} wrongly"
        parts.append(f'<text x="190" y="{366 + 18 * row}" fill="{colour}">{escape(label)}</text>')
    ticks = "".join(
        f'<text x="{60 + 400 * t:.0f}" y="458" text-anchor="middle">{t}</text>'
        f'<text x="52" y="{444 - 400 * t:.0f}" text-anchor="end">{t}</text>'
        for t in (0, 0.25, 0.5, 0.75, 1)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 490" font-family="sans-serif" font-size="12">'
        '<rect width="480" height="490" fill="white"/><rect x="60" y="40" width="400" height="400" fill="none"'
        ' stroke="#999"/>'
        f'<text x="60" y="26">Questions refused; the dots are at the threshold of {threshold}</text>{ticks}'
        '<text x="260" y="480" text-anchor="middle">share of those with an answer</text>'
        '<text transform="translate(16 240) rotate(-90)" text-anchor="middle">share of those without one</text>'
        f"{''.join(parts)}</svg>\n"
    )
