"""Settings: what the environment, overrides and Ollama's forms of an address become."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import Settings, default_index


def test_defaults_without_environment() -> None:
    """An empty environment gives the index under the user's data directory and the automatic model."""
    assert Settings.from_env({}) == Settings(
        index=default_index(), model="auto", ollama_host="http://127.0.0.1:11434", num_ctx=8192
    )


def test_environment_and_overrides() -> None:
    """Each setting comes from its variable, an override wins over it, and None overrides nothing."""
    environ = {
        "AFTERSHOCK_INDEX": "somewhere",
        "AFTERSHOCK_MODEL": "quotes",
        "AFTERSHOCK_NUM_CTX": "4096",
        "AFTERSHOCK_OLLAMA_HOST": "models.lan",
    }
    settings = Settings.from_env(environ, model="ollama:deepseek-r1:8b", index=None)
    assert settings == Settings(
        index=Path("somewhere"), model="ollama:deepseek-r1:8b", num_ctx=4096, ollama_host="http://models.lan:11434"
    )


def test_own_address_wins_over_the_one_of_ollama() -> None:
    """OLLAMA_HOST is used, unless Aftershock's own variable names another server."""
    assert Settings.from_env({"OLLAMA_HOST": "a:1"}).ollama_host == "http://a:1"
    assert Settings.from_env({"OLLAMA_HOST": "a:1", "AFTERSHOCK_OLLAMA_HOST": "b:2"}).ollama_host == "http://b:2"


def test_home_directory_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde in the index's place means the user's home directory."""
    monkeypatch.setenv("HOME", "/users/ann")
    monkeypatch.setenv("USERPROFILE", "/users/ann")
    assert Settings(index=Path("~/news")).index == Path("/users/ann/news")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost", "http://localhost:11434"),
        ("10.0.0.7:8080", "http://10.0.0.7:8080"),
        (":8080", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://127.0.0.1:8080"),
        ("[::1]", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("fe80::7", "http://[fe80::7]:11434"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://models.lan", "http://models.lan:80"),
        ("https://models.lan", "https://models.lan:443"),
        ("https://models.lan/ollama/", "https://models.lan:443/ollama"),
        (' "models.lan" ', "http://models.lan:11434"),
    ],
)
def test_forms_of_a_host(host: str, url: str) -> None:
    """Every form that Ollama itself takes in OLLAMA_HOST becomes a complete URL that a client can connect to."""
    assert Settings(index=Path("i"), ollama_host=host).ollama_host == url


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("localhost:8000", "http://localhost:8000/v1"),
        ("http://10.0.0.7:8000/v1/", "http://10.0.0.7:8000/v1"),
        ("https://models.lan/team/api", "https://models.lan:443/team/api"),
    ],
)
def test_forms_of_a_base_url(given: str, url: str) -> None:
    """An address with OpenAI's protocol may be given without scheme and without the usual path."""
    assert Settings(index=Path("i"), openai_base_url=given).openai_base_url == url


def test_a_key_goes_only_where_it_was_meant_for() -> None:
    """OpenAI's own variables count together; a key of theirs isn't sent to a server that ours names."""
    usual = {"OPENAI_BASE_URL": "http://a:1/v1", "OPENAI_API_KEY": "k"}
    settings = Settings.from_env(usual, model="openai:x")
    assert (settings.openai_base_url, settings.openai_api_key) == ("http://a:1/v1", "k")
    assert Settings.from_env({"OPENAI_API_KEY": "k"}).openai_api_key == ""
    own = {"AFTERSHOCK_OPENAI_BASE_URL": "b:2"}
    assert Settings.from_env(usual | own).openai_api_key == ""
    assert Settings.from_env(usual | own | {"AFTERSHOCK_OPENAI_API_KEY": "ours"}).openai_api_key == "ours"


@pytest.mark.parametrize(("given", "kept"), [(True, "true"), (False, "false"), ("AUTO", "auto")])
def test_thinking(given: object, kept: str) -> None:
    """Whether to think is a word in the environment and may be a truth value elsewhere."""
    assert Settings.from_env({}, think=given).think == kept


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ollama_host": "ftp://models.lan"}, "only http and https"),
        ({"ollama_host": "models.lan:port"}, "ollama_host setting is 'models.lan:port'"),
        ({"ollama_host": "models.lan:70000"}, "ollama_host setting is 'models.lan:70000'"),
        ({"model": "gpt"}, "model setting is 'gpt'"),
        ({"model": "ollama:"}, "model setting is 'ollama:'"),
        ({"model": "openai:"}, "model setting is 'openai:'"),
        ({"openai_base_url": "ftp://models.lan"}, "openai_base_url setting is 'ftp://models.lan'"),
        ({"think": "perhaps"}, "think setting is 'perhaps', but it must be auto, true, false"),
        ({"length": "endless"}, "length setting is 'endless', but it must be short, medium, long"),
        ({"think_tokens": 0}, "think_tokens setting is 0, but it must be at least 64 tokens"),
        ({"think_seconds": "long"}, "think_seconds setting is 'long', but it must be a number"),
        ({"think_seconds": "inf"}, "think_seconds setting is inf"),
        ({"num_ctx": "many"}, "num_ctx setting is 'many'"),
        ({"num_ctx": 100}, "at least 2048"),
        ({"colour": "red"}, "no setting named 'colour'"),
    ],
)
def test_unusable_values_are_named(values: dict[str, object], said: str) -> None:
    """A value that cannot be used is refused in a sentence that names the setting."""
    with pytest.raises(SettingsError, match=said):
        Settings.from_env({}, **values)
