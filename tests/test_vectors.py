"""The passages' vectors in segments."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from rag.chroma import Collections
from rag.embed import DIMENSIONS
from rag.vectors import SEGMENT, Vectors

HELD = 40


def test_the_closest_are_found_in_whichever_segments_they_are(tmp_path: Path) -> None:
    """Segments are asked for their part first; where all of the closest are in one of them, it is asked for more."""
    chance = np.random.default_rng(2)
    vectors = chance.standard_normal((6 * HELD, DIMENSIONS), np.float32)
    vectors[2 * HELD : 3 * HELD] += 3 * vectors[2 * HELD]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    passages = [segment * SEGMENT + place for segment in range(6) for place in range(HELD)]
    with closing(Collections(tmp_path / "chroma")) as written:
        for segment in range(6):
            written.ensure(f"passages-{segment}")
            own = slice(segment * HELD, (segment + 1) * HELD)
            written.add(f"passages-{segment}", [*map(str, passages[own])], [one.tobytes() for one in vectors[own]])
    with closing(Vectors(tmp_path, range(6))) as searched:
        for question in (vectors[2 * HELD], vectors[7], vectors[-1]):
            for limit in (1, 5, 30):
                expected = np.argsort(-(vectors @ question), kind="stable")[:limit]
                found = searched.nearest(question, limit)
                assert [*found] == [passages[place] for place in expected]
                np.testing.assert_allclose([*found.values()], (vectors @ question)[expected], atol=1e-5)
    with closing(Vectors(tmp_path, [])) as searched:
        assert searched.nearest(vectors[0], 5) == {}
