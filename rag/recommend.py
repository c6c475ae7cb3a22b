"""Which of the distilled DeepSeek-R1 models suits a machine, and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.models import SUGGESTED, memory_needed


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that can be had from Ollama's library; `size` is its download in bytes."""

    name: str
    size: int

    @property
    def memory(self) -> int:
        """Bytes of memory that a machine needs for it."""
        return memory_needed(self.size)


# What DeepSeek distilled from R1, quantised to about 4 bits a weight, with the sizes that Ollama's library publishes
# (https://ollama.com/library/deepseek-r1/tags): 1.5b, 7b, 14b, 32b and 70b of 20 January 2025, and 8b as it was
# replaced on 28 May 2025 (R1-0528 on Qwen3; the first 8b, on Llama, had 4.9 GB). The memory that follows from them
# agrees with what Ollama's README says (read in its version of 2025): 8 GB for models of 7B, 16 GB for 13B, 32 GB for
# 33B.
OFFERS = (
    Offer("deepseek-r1:1.5b", 1_100_000_000),
    Offer("deepseek-r1:7b", 4_700_000_000),
    Offer(SUGGESTED, 5_200_000_000),
    Offer("deepseek-r1:14b", 9_000_000_000),
    Offer("deepseek-r1:32b", 20_000_000_000),
    Offer("deepseek-r1:70b", 43_000_000_000),
)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A model and why this one; `name` is empty where none suits."""

    name: str
    reason: str


def recommend(memory: int, room: int, *, fast_memory: int, installed: Sequence[str] = ()) -> Recommendation:
    """The largest distilled DeepSeek-R1 model that suits a machine.

    Args:
        memory: the machine's memory in bytes.
        room: bytes free on its disk.
        fast_memory: bytes that a graphics card is known to have for models. Beyond it, none larger than the suggested
            one is recommended: such a model thinks for hundreds of words before it answers, and a processor alone
            writes only a few each second.
        installed: names of models that need no room any more.
    """
    fitting = [offer for offer in OFFERS if offer.memory <= memory]
    if not fitting:
        least = OFFERS[0]
        reason = (
            f"even {least.name} needs {gibibytes(least.memory)} of memory, and this machine has {gibibytes(memory)}"
        )
        return Recommendation("", f"{reason}; without a model, answers are in the articles' own words")
    patient = [offer for offer in fitting if offer.size <= max(fast_memory, _SUGGESTED_SIZE)]
    having_room = [offer for offer in patient if offer.name in installed or offer.size <= room]
    if not having_room:
        reason = f"even {OFFERS[0].name} needs {gibibytes(OFFERS[0].size)} on the disk, and {gibibytes(room)} are free"
        return Recommendation("", f"{reason}; make room first")
    best = having_room[-1]
    reason = f"it needs {gibibytes(best.memory)} of this machine's {gibibytes(memory)} of memory"
    if best != patient[-1]:
        return Recommendation(best.name, f"{reason}; there is no room on the disk for a larger one")
    if best != fitting[-1]:
        return Recommendation(
            best.name, f"{reason}; a larger one would fit, but be slow without a graphics card that holds it"
        )
    if best != OFFERS[-1]:
        return Recommendation(best.name, f"{reason}, and a larger one would not fit")
    return Recommendation(best.name, f"{reason}, and there is no larger one")


_SUGGESTED_SIZE = next(offer.size for offer in OFFERS if offer.name == SUGGESTED)


def gibibytes(size: int) -> str:
    """A size for people.

    >>> gibibytes(5_225_376_047)
    '4.9 GiB'
    """
    return f"{size / 2**30:.1f} GiB"
