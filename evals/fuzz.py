"""Reads damaged copies of every format: `python -m evals.fuzz [--seconds N | --count N] [--seed S]`.

Each copy has to end as articles or as sentences for the user, without an exception, a crash or a hang.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from evals import samples
from ingest import isolated
from ingest.article import Loaded
from ingest.load import load

_PARTS = (".docx", ".epub", ".zip")
"""Formats that are zip archives: damage inside them passes the archive's own checks."""


@dataclass(slots=True)
class Tally:
    """What became of the copies of one format."""

    copies: int = 0
    articles: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)
    """What broke the promise, each with the way to make it again."""


def damaged(sound: bytes, suffix: str, chance: random.Random) -> bytes:
    """A copy that is cut off, has bits flipped, or has pieces doubled, lost, moved or made alike."""
    if suffix in _PARTS and chance.random() < 0.5:
        with zipfile.ZipFile(io.BytesIO(sound)) as archive:
            parts = {info.filename: archive.read(info) for info in archive.infolist()}
        victim = chance.choice(sorted(parts))
        parts[victim] = _damaged(parts[victim], chance)
        return samples.packed(parts)
    if suffix.endswith(".gz") and chance.random() < 0.5:
        return gzip.compress(_damaged(gzip.decompress(sound), chance))
    return _damaged(sound, chance)


def _damaged(sound: bytes, chance: random.Random) -> bytes:
    data = bytearray(sound)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        if not data:
            break
        start = chance.randrange(len(data))
        end = min(len(data), start + chance.choice((1, 4, 64, 1024)))
        match chance.randrange(6):
            case 0:
                del data[start:]
            case 1 | 2:
                for place in chance.choices(range(len(data)), k=chance.choice((1, 3, 30))):
                    data[place] ^= 1 << chance.randrange(8)
            case 3:
                del data[start:end]
            case 4:
                data[start:start] = data[start:end] * chance.choice((1, 2, 200))
            case 5:
                data[start:end] = bytes([chance.choice((0, 32, 255, 60, 91, 123, 40))]) * (end - start)
    return bytes(data)


def fault(found: Sequence[Loaded]) -> str:
    """What is wrong with the way in which a copy was read; empty when nothing is."""
    if not found:
        return "nothing came of it"
    for loaded in found:
        if (loaded.article is None) != bool(loaded.reason):
            return "neither an article nor a reason, or both"
        if isolated.CRASHED in loaded.reason:
            return "a library crashed"
        if "takes longer than" in loaded.reason or "of memory" in loaded.reason:
            return loaded.reason
        if len(loaded.reason) > 300 or not loaded.reason.isprintable():
            return f"no sentence: {loaded.reason[:300]!r}"
        try:
            json.dumps(asdict(loaded), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return "characters that can't be stored"
    return ""


def run(count: int, seconds: float, seed: int, only: str, keep: Path | None) -> dict[str, Tally]:
    """Damage and read copies of each format in turn until enough are read or the time is over."""
    chance = random.Random(seed)
    sound = {suffix: data for suffix, data in sorted(samples.all_kinds().items()) if not only or suffix == only}
    tallies = {suffix: Tally() for suffix in sound}
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            if time.monotonic() > end:
                break
            suffix = list(sound)[number % len(sound)]
            path = Path(folder) / f"{seed}-{number}{suffix}"
            path.write_bytes(damaged(sound[suffix], suffix, chance))
            _try(path, tallies[suffix], keep)
            path.unlink()
    return tallies


def _try(path: Path, tally: Tally, keep: Path | None) -> None:
    started = time.monotonic()
    try:
        found = list(load(path))
        wrong = fault(found)
    except Exception as error:  # the very thing that is looked for
        found, wrong = [], f"{type(error).__name__}: {error}"
    tally.slowest = max(tally.slowest, time.monotonic() - started)
    tally.copies += 1
    tally.articles += sum(loaded.article is not None for loaded in found)
    tally.reasons.update(loaded.reason.partition(" (")[0][:80] for loaded in found if loaded.reason)
    if wrong:
        tally.faults.append(f"{path.name}: {wrong}")
        if keep:
            (keep / path.name).write_bytes(path.read_bytes())


def main(
    count: Annotated[int, typer.Option(help="How many copies to read at most.")] = 10_000,
    seconds: Annotated[float, typer.Option(help="For how long at most.")] = 600,
    seed: Annotated[int, typer.Option(help="Another number makes other copies.")] = 0,
    only: Annotated[str, typer.Option("--format", help="One format only, as '.pdf'.")] = "",
    keep: Annotated[Path | None, typer.Option(help="A folder for copies that break the promise.")] = None,
) -> None:
    """Read damaged copies and print what became of them; exit status 1 when one broke the promise."""
    tallies = run(count, seconds, seed, only, keep)
    print(f"{'format':10}{'copies':>8}{'articles':>10}{'reasons':>9}{'slowest':>9}{'faults':>8}")  # noqa: T201
    for suffix, tally in tallies.items():
        print(  # noqa: T201
            f"{suffix:10}{tally.copies:8}{tally.articles:10}{tally.reasons.total():9}{tally.slowest:8.1f}s{len(tally.faults):8}"
        )
    for suffix, tally in tallies.items():
        for reason, times in tally.reasons.most_common(8):
            print(f"{suffix:10}{times:6}  {reason}")  # noqa: T201
    faults = [fault for tally in tallies.values() for fault in tally.faults]
    for line in faults:
        print(line)  # noqa: T201
    sys.exit(bool(faults))


if __name__ == "__main__":
    typer.run(main)
