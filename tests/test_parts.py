"""What each part of reading and refusing brings, as tables."""

from collections.abc import Sequence

import numpy as np

from evals.parts import CROSS_ENCODER, Choice, reading_table, refusing_table
from evals.refusing import Judged
from rag.gate import FEATURES as SIGNS_OF_ANSWERS
from rag.relevance import FEATURES


def test_reading_loses_what_a_feature_brought() -> None:
    """The row without a feature shows what is right when it counts nothing, beside all of them and a second look."""
    features = np.zeros((2, len(FEATURES)))
    features[1, FEATURES.index("tokens")] = 1.0
    choices = [Choice("own", features, np.array([False, True])), Choice("other", features, np.array([True, False]))]
    lines = list(reading_table([(choices, np.ones(len(FEATURES)))], ["own", "other"], [0.25, 0.75]))
    assert lines[0] == "| first sentence right | own | other |"
    assert "| without tokens | .000 | 1.000 |" in lines
    assert "| without cosine | 1.000 | .000 |" in lines
    assert lines[-2:] == ["| all features | 1.000 | .000 |", "| and the cross-encoder | .250 | .750 |"]


def test_refusing_is_judged_with_what_is_left() -> None:
    """Each row's trees see all features but those it is named after; the cross-encoder's go together."""
    seen: list[Sequence[int]] = []

    def judge(kept: Sequence[int]) -> list[Judged]:
        seen.append(kept)
        return [Judged("own", np.array([True, False]), np.array([0.9, 0.1 if 0 in kept else 0.9]))]

    lines = list(refusing_table(judge, ["own"]))
    assert f"| without {SIGNS_OF_ANSWERS[0]} | .500 |" in lines
    assert lines[-1] == "| all | 1.000 |"
    assert len(lines) == 2 + len(seen)
    everything = set(range(len(SIGNS_OF_ANSWERS)))
    assert everything - set(seen[-2]) == {SIGNS_OF_ANSWERS.index(name) for name in CROSS_ENCODER}
    assert set(seen[-1]) == everything
