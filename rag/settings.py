"""What can be chosen, as one frozen object. Building anything from it happens elsewhere."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_data_path

from rag.errors import SettingsError
from rag.length import LENGTHS

MODEL_FORMS = 'auto, quotes, ollama:NAME (for example "ollama:deepseek-r1:8b") or openai:NAME'
THINK_FORMS = ("auto", "true", "false")


def default_index() -> Path:
    """The index's place when none is named: under the platform's directory for user data."""
    return user_data_path("aftershock", appauthor=False) / "index"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; each can be given in the environment as `AFTERSHOCK_<NAME>`.

    Args:
        index: directory of the index.
        model: "auto" (a local model where one is served, otherwise quotes), "quotes", "ollama:NAME" or "openai:NAME".
        ollama_host: address of the Ollama server; `OLLAMA_HOST` is honoured too, in its usual forms.
        openai_base_url: address of a server with OpenAI's protocol for "openai:NAME"; `OPENAI_BASE_URL` is honoured
            too. Without a path it is taken to be `/v1`.
        openai_api_key: its key; `OPENAI_API_KEY` is honoured together with `OPENAI_BASE_URL` only, so that no server
            is sent a key that was meant for another one.
        num_ctx: context window asked of the model, in tokens. One value is kept for all calls, because
            Ollama reloads the model when it changes.
        think: whether a model that can think does so before it answers: "true", "false", or "auto" for as it does
            by itself.
        length: how long answers are to be: "short", "medium" or "long" (`rag.length`).
        think_tokens: tokens of thinking, after which it is stopped and the model answers without.
        think_seconds: seconds of thinking, after which the same happens.

    Raises:
        SettingsError: a value cannot be used; the message names the setting.
    """

    index: Path
    model: str = "auto"
    ollama_host: str = "http://127.0.0.1:11434"
    openai_base_url: str = "http://127.0.0.1:8000/v1"
    openai_api_key: str = field(default="", repr=False)
    num_ctx: int = 8192
    think: str = "auto"
    length: str = "medium"
    think_tokens: int = 2048
    think_seconds: float = 180.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", Path(self.index).expanduser())
        if not (self.model in ("auto", "quotes") or re.fullmatch(r"(?:ollama|openai):.+", self.model)):
            raise SettingsError(f"The model setting is {self.model!r}, but it must be {MODEL_FORMS}.")
        object.__setattr__(self, "ollama_host", _server_url("ollama_host", self.ollama_host, 11434))
        base = _server_url("openai_base_url", self.openai_base_url, 8000)
        object.__setattr__(self, "openai_base_url", base if urlsplit(base).path else f"{base}/v1")
        object.__setattr__(self, "think", str(self.think).lower())
        if self.think not in THINK_FORMS:
            raise SettingsError(f"The think setting is {self.think!r}, but it must be {', '.join(THINK_FORMS)}.")
        if self.length not in LENGTHS:
            raise SettingsError(f"The length setting is {self.length!r}, but it must be {', '.join(LENGTHS)}.")
        self._set_number("num_ctx", int, 2048, "tokens")
        self._set_number("think_tokens", int, 64, "tokens")
        self._set_number("think_seconds", float, 1, "seconds")

    def _set_number(self, name: str, kind: type[int] | type[float], least: int, unit: str) -> None:
        given = getattr(self, name)
        try:
            value = kind(given)
        except ValueError:
            number = "a whole number" if kind is int else "a number"
            raise SettingsError(f"The {name} setting is {given!r}, but it must be {number}.") from None
        if not least <= value < math.inf:
            raise SettingsError(f"The {name} setting is {given}, but it must be at least {least} {unit}.")
        object.__setattr__(self, name, value)

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
        if environ.get("OPENAI_BASE_URL") and not environ.get("AFTERSHOCK_OPENAI_BASE_URL"):
            values["openai_base_url"] = environ["OPENAI_BASE_URL"]
            values["openai_api_key"] = environ.get("OPENAI_API_KEY", "")
        values |= {n: environ[key] for n in names if environ.get(key := f"AFTERSHOCK_{n.upper()}")}
        values |= {n: v for n, v in overrides.items() if v is not None}
        return cls(**values)


def _server_url(setting: str, host: str, default_port: int) -> str:
    """Ollama's own forms of a host (`host`, `host:port`, `:port`, a URL) as a URL.

    Client libraries read some of these forms differently from the server (LangChain's takes a bare host name for
    no address at all), so they are handed a complete URL. 0.0.0.0, where a server listens on every address, means
    this machine.
    """
    scheme, _, rest = host.strip().strip("\"'").rpartition("://")
    if scheme not in ("", "http", "https"):
        raise SettingsError(f"The {setting} setting is {host!r}, but only http and https addresses can be used.")
    with suppress(ValueError):
        rest = f"[{IPv6Address(rest)}]"
    try:
        parts = urlsplit(f"{scheme or 'http'}://{rest}")
        port = parts.port or {"http": 80, "https": 443}.get(scheme, default_port)
    except ValueError:
        raise SettingsError(f"The {setting} setting is {host!r}, but that is not an address with a port.") from None
    name = parts.hostname or ""
    if name in ("", "0.0.0.0", "::"):
        name = "127.0.0.1"
    if ":" in name:
        name = f"[{name}]"
    return f"{parts.scheme}://{name}:{port}{parts.path.rstrip('/')}"
