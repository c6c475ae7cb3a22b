"""A model's products with narrow matrices beside them that learn in its place, and values left out at random.

LoRA (Hu et al. 2021, arXiv:2106.09685) and dropout, both made for a processor: few passes over the states.
"""

from __future__ import annotations

import random
from typing import Any

DROPPED, DRAWN = 0.05, 1 << 23
"""The share of values that is left out, and for how many values at a time it is drawn which."""


def products(encoder: Any) -> dict[str, Any]:
    """Make room for narrow matrices beside all products of the encoder, and give these by name; they alone change."""
    import torch
    from torch.nn import functional

    class Product(torch.nn.Module):
        def __init__(self, whole: Any) -> None:
            super().__init__()
            self.weight, self.bias = whole.weight.detach(), whole.bias.detach()
            self.left, self.right = torch.nn.ParameterList(), torch.nn.ParameterList()

        def widen(self, columns: int) -> None:
            """Put two more beside it, and let the others be."""
            if self.left:
                self.weight = self.weight + (self.left[-1] @ self.right[-1]).detach()
            self.requires_grad_(False)
            self.left.append(torch.zeros(self.weight.shape[0], columns))
            self.right.append(torch.randn(columns, self.weight.shape[1]) / self.weight.shape[1] ** 0.5)

        def forward(self, states: Any) -> Any:
            found = functional.linear(states, self.weight, self.bias)
            narrow = functional.linear(states.flatten(0, -2), self.right[-1])
            return torch.addmm(found.flatten(0, -2), narrow, self.left[-1].T).view_as(found)

    wholes = {n: m for n, m in encoder.encoder.named_modules(prefix="encoder") if isinstance(m, torch.nn.Linear)}
    made = {name: Product(whole) for name, whole in wholes.items()}
    for name, product in made.items():
        encoder.set_submodule(name, product)
    return made


def dropouts(encoder: Any, chance: random.Random) -> list[Any]:
    """Have states left out at random by what was drawn once, where the modules given back are active.

    To draw anew for each step takes a quarter of its time; for that, nothing is left out inside attention either.
    """
    import torch

    kept = (torch.rand(DRAWN) >= DROPPED).to(torch.bfloat16) / (1 - DROPPED)

    class Dropout(torch.nn.Module):
        active = False

        def forward(self, states: Any) -> Any:
            if not self.active:
                return states
            start = chance.randrange(DRAWN - states.numel())
            return states * kept[start : start + states.numel()].view_as(states).to(states.dtype)

    made = []
    for name, module in list(encoder.named_modules()):
        if isinstance(module, torch.nn.Dropout):
            if "attention.self" in name:
                module.p = 0.0
            else:
                made.append(Dropout())
                encoder.set_submodule(name, made[-1])
    return made
