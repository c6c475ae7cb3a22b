"""What can be chosen, as one frozen object. Building anything from it happens elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_data_path

from rag.errors import SettingsError

MODEL_FORMS = 'auto, quotes or ollama:NAME (for example "ollama:deepseek-r1:8b")'


def default_index() -> Path:
    """The index's place when none is named: under the platform's directory for user data."""
    return user_data_path("aftershock", appauthor=False) / "index"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; each can be given in the environment as `AFTERSHOCK_<NAME>`.

    Args:
        index: directory of the index.
        model: "auto" (a local model where one is served, otherwise quotes), "quotes", or "ollama:NAME".
        ollama_host: address of the Ollama server; `OLLAMA_HOST` is honoured too, in its usual forms.
        num_ctx: context window asked of the model, in tokens. One value is kept for all calls, because
            Ollama reloads the model when it changes.

    Raises:
        SettingsError: a value cannot be used; the message names the setting.
    """

    index: Path
    model: str = "auto"
    ollama_host: str = "http://127.0.0.1:11434"
    num_ctx: int = 8192

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", Path(self.index).expanduser())
        if not (self.model in ("auto", "quotes") or (self.model.startswith("ollama:") and self.model != "ollama:")):
            raise SettingsError(f"The model setting is {self.model!r}, but it must be {MODEL_FORMS}.")
        object.__setattr__(self, "ollama_host", _server_url(self.ollama_host))
        try:
            object.__setattr__(self, "num_ctx", int(self.num_ctx))
        except ValueError:
            raise SettingsError(f"The num_ctx setting is {self.num_ctx!r}, but it must be a whole number.") from None
        if self.num_ctx < 2048:
            raise SettingsError(f"The num_ctx setting is {self.num_ctx}, but it must be at least 2048 tokens.")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Settings from the environment; `overrides` that are not None win.

        >>> Settings.from_env({"AFTERSHOCK_MODEL": "quotes"}, index="news").model
        'quotes'

        Raises:
            SettingsError: a value cannot be used, or an override is no setting.
        """
        environ = os.environ if environ is None else environ
        names = [f.name for f in fields(cls)]
        for name in overrides:
            if name not in names:
                raise SettingsError(f"There is no setting named {name!r}; the settings are {', '.join(names)}.")
        values: dict[str, Any] = {"index": default_index()}
        if environ.get("OLLAMA_HOST"):
            values["ollama_host"] = environ["OLLAMA_HOST"]
        values |= {n: environ[key] for n in names if environ.get(key := f"AFTERSHOCK_{n.upper()}")}
        values |= {n: v for n, v in overrides.items() if v is not None}
        return cls(**values)


def _server_url(host: str) -> str:
    """Ollama's own forms of a host (`host`, `host:port`, `:port`, a URL) as a URL.

    Client libraries read some of these forms differently from the server (LangChain's takes a bare host name for
    no address at all), so they are handed a complete URL. 0.0.0.0, where a server listens on every address, means
    this machine.
    """
    scheme, _, rest = host.strip().strip("\"'").rpartition("://")
    if scheme not in ("", "http", "https"):
        raise SettingsError(f"The ollama_host setting is {host!r}, but only http and https addresses can be used.")
    try:
        parts = urlsplit(f"{scheme or 'http'}://{rest}")
        port = parts.port or {"http": 80, "https": 443}.get(scheme, 11434)
    except ValueError:
        raise SettingsError(f"The ollama_host setting is {host!r}, but that is not an address with a port.") from None
    name = parts.hostname or ""
    if name in ("", "0.0.0.0", "::"):
        name = "127.0.0.1"
    if ":" in name:
        name = f"[{name}]"
    return f"{parts.scheme}://{name}:{port}{parts.path.rstrip('/')}"
