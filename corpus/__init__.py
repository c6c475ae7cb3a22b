"""The articles that come with Aftershock, as files beside this module."""

from pathlib import Path

FOLDER = Path(__file__).parent
"""Where the shipped articles are."""
