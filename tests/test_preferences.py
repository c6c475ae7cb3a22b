"""What the user chose to be remembered: kept whole, and weaker than options and the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rag.errors import SettingsError
from ui.preferences import compose, location, read, remember


@pytest.fixture(autouse=True)
def _own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has preferences of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(tmp_path))


def unheard(sentence: str) -> None:
    """There is nothing to warn of."""
    raise AssertionError(sentence)


def test_option_then_environment_then_preference_then_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said last and nearest wins: the option over the environment, that over what is remembered."""
    assert compose(unheard).model == "auto"
    remember(model="ollama:remembered")
    assert compose(unheard).model == "ollama:remembered"
    monkeypatch.setenv("AFTERSHOCK_MODEL", "")
    assert compose(unheard).model == "ollama:remembered"
    monkeypatch.setenv("AFTERSHOCK_MODEL", "ollama:named")
    assert compose(unheard, model=None).model == "ollama:named"
    assert compose(unheard, model="quotes").model == "quotes"


def test_remembering_one_thing_keeps_the_others() -> None:
    """A new choice replaces only the one it is about."""
    remember(model="quotes")
    remember(think="false")
    assert read() == {"model": "quotes", "think": "false"}


def test_what_cannot_be_used_is_not_remembered() -> None:
    """A value that no later command could use is refused now."""
    with pytest.raises(SettingsError, match="model setting"):
        remember(model="nonsense")
    assert read() == {}


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b'"model"', b'{"model": "nonsense"}', b'{"model": 5}'])
def test_a_damaged_file_is_ignored_with_one_sentence(content: bytes) -> None:
    """Whatever happened to the file, the command still runs, says so once, and a new choice repairs it."""
    location().parent.mkdir(parents=True, exist_ok=True)
    location().write_bytes(content)
    said: list[str] = []
    assert compose(said.append).model == "auto"
    [sentence] = said
    assert str(location()) in sentence
    assert sentence.endswith(".")
    remember(model="quotes")
    assert compose(unheard).model == "quotes"


def test_what_else_stands_in_the_file_is_ignored() -> None:
    """A file of a newer version, or one with an address in it, changes nothing but what may be remembered."""
    location().parent.mkdir(parents=True, exist_ok=True)
    location().write_text('{"model": "quotes", "ollama_host": "http://elsewhere.example", "colour": "red"}')
    assert read() == {"model": "quotes"}


def test_a_failed_write_leaves_the_old_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk ends in a sentence, not in half a file."""
    remember(model="quotes")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match="No space left on device"):
        remember(model="auto")
    assert read() == {"model": "quotes"}
    assert [path.name for path in location().parent.iterdir()] == ["preferences.json"]


def test_a_place_that_cannot_be_written_ends_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration directory that is no directory is told."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(tmp_path / "file"))
    with pytest.raises(SettingsError, match="cannot be kept"):
        remember(model="quotes")
