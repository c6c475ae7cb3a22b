"""Where the library that draws the pictures is: the script in the `plotly` package, never one from the web."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

_package = find_spec("plotly")
assert _package is not None
assert _package.origin is not None
SCRIPT = Path(_package.origin).parent / "package_data" / "plotly.min.js"
ADDRESS = f"/charts/{version('plotly')}/{SCRIPT.name}"
"""On the page's server. The version is part of it, so that browsers may keep the file for good."""
