"""Which model suits which machine."""

from __future__ import annotations

import pytest

from rag.recommend import OFFERS, recommend

GIB = 2**30


@pytest.mark.parametrize(
    ("memory", "room", "fast", "name", "reason"),
    [
        (2, 1000, 0, "", "even deepseek-r1:1.5b needs 2.8 GiB of memory, and this machine has 2.0 GiB"),
        (4, 1000, 0, "deepseek-r1:1.5b", "a larger one would not fit"),
        (8, 1000, 0, "deepseek-r1:8b", "it needs 7.6 GiB of this machine's 8.0 GiB of memory"),
        (64, 1000, 0, "deepseek-r1:8b", "would fit, but be slow without a graphics card that holds it"),
        (64, 1000, 10, "deepseek-r1:14b", "would fit, but be slow without a graphics card that holds it"),
        (16, 1000, 16, "deepseek-r1:14b", "a larger one would not fit"),
        (32, 1000, 32, "deepseek-r1:32b", "a larger one would not fit"),
        (64, 1000, 64, "deepseek-r1:70b", "there is no larger one"),
        (64, 10, 64, "deepseek-r1:14b", "there is no room on the disk for a larger one"),
        (16, 3, 0, "deepseek-r1:1.5b", "there is no room on the disk for a larger one"),
        (16, 0, 0, "", "even deepseek-r1:1.5b needs 1.0 GiB on the disk, and 0.0 GiB are free"),
    ],
)
def test_the_largest_model_that_suits_is_recommended(memory: int, room: int, fast: int, name: str, reason: str) -> None:
    """Memory, disk and a graphics card decide, and the reason says which of them did."""
    found = recommend(memory * GIB, room * GIB, fast_memory=fast * GIB)
    assert found.name == name
    assert reason in found.reason


def test_an_installed_model_needs_no_room() -> None:
    """A full disk doesn't lead away from the model that is there already."""
    assert recommend(8 * GIB, 0, fast_memory=0, installed=["deepseek-r1:8b"]).name == "deepseek-r1:8b"


def test_offers_go_from_small_to_large() -> None:
    """The last one that fits is the largest one that fits."""
    sizes = [offer.size for offer in OFFERS]
    assert sizes == sorted(sizes)
