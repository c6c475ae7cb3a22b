"""Draws lines by size, run by the peers' own Python: `plot.py FILE.svg`, with {name: [[size, value], ...]} to read."""

from __future__ import annotations

import json
import sys


def main(target: str) -> None:
    """Read from standard input, and draw."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "aftershock"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, line in json.load(sys.stdin).items():
        if line:
            axes.plot(*zip(*line, strict=True), marker="o", label=name, linewidth=2.5 if name == "Aftershock" else 1.2)
    axes.set(xscale="log", yscale="log", xlabel="passages", ylabel="median milliseconds a question")
    axes.grid(alpha=0.3, which="both")
    axes.legend(frameon=False)
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main(sys.argv[1])
