"""What the user chose to be remembered, in a small file of theirs, and settings composed with it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from rag.errors import SettingsError
from rag.settings import Settings

REMEMBERED = ("model", "think", "length")
"""The settings that can be remembered."""


def location() -> Path:
    """The file, in the platform's directory for a user's configuration."""
    return user_config_path("aftershock", appauthor=False) / "preferences.json"


def compose(warn: Callable[[str], None], **options: Any) -> Settings:
    """Settings from, in this order, `options` that are not None, the environment, what is remembered, the defaults.

    Args:
        warn: takes one sentence when what is remembered cannot be used; it is ignored then.
        options: values of settings.

    Raises:
        SettingsError: an option or the environment has a value that cannot be used.
    """
    try:
        remembered = read()
    except SettingsError as error:
        warn(str(error))
        remembered = {}
    environ = {name: value for name, value in os.environ.items() if value}
    return Settings.from_env(_as_environ(remembered) | environ, **options)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"AFTERSHOCK_{name.upper()}"


def _as_environ(remembered: Mapping[str, str]) -> dict[str, str]:
    return {variable(name): value for name, value in remembered.items()}


def read() -> dict[str, str]:
    """What is remembered, by the names of settings.

    Raises:
        SettingsError: the file is damaged, or holds a value that cannot be used.
    """
    place = location()
    try:
        record = json.loads(place.read_text(encoding="utf-8"))
        remembered = {name: str(value) for name, value in record.items() if name in REMEMBERED}
        Settings.from_env(_as_environ(remembered))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"Your preferences at {place} cannot be read ({error.strerror}) and are ignored.") from None
    except (ValueError, AttributeError, SettingsError):
        raise SettingsError(
            f"Your preferences at {place} are damaged and ignored: delete the file, or choose anew with "
            "'aftershock model use NAME'."
        ) from None
    return remembered


def remember(**chosen: str) -> None:
    """Add to what is remembered; a damaged file is replaced.

    Raises:
        SettingsError: a value cannot be used, or the file cannot be written.
    """
    Settings.from_env(_as_environ(chosen))
    try:
        known = read()
    except SettingsError:
        known = {}
    place = location()
    # Written beside and then moved there, so that nobody ever reads half a file.
    new = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with new.open("w", encoding="utf-8") as file:
                json.dump(known | chosen, file, ensure_ascii=False, indent=2)
                file.flush()
                os.fsync(file.fileno())
            new.replace(place)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(f"Your preferences cannot be kept at {place} ({error.strerror}).") from None
