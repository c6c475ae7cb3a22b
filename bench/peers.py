"""The environment of the systems that Aftershock is compared with, which are never among its own dependencies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from platformdirs import user_cache_path

REQUIREMENTS = Path(__file__).with_name("peers.txt")


def python(environment: Path | None = None) -> Path:
    """The Python of the peers' environment, which is made in the user's cache unless there is one.

    Args:
        environment: one that was made elsewhere.

    Raises:
        subprocess.CalledProcessError: it can't be made; pip has said why.
    """
    place = environment or user_cache_path("aftershock", appauthor=False) / "peers"
    found = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if environment is None:
        made = place / REQUIREMENTS.name
        if not made.exists() or made.read_bytes() != REQUIREMENTS.read_bytes():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
            subprocess.run([str(found), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)], check=True)
            made.write_bytes(REQUIREMENTS.read_bytes())
    return found
