"""Which language a text is in."""

import sys
from subprocess import run

import pytest

from evals.reading import SENTENCES
from ingest.language import language

LANGUAGES = {**{code: code for code in SENTENCES}, "tw": "zh"}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_few_sentences_tell_their_language(code: str) -> None:
    """The warning about a foreign text must not come for an English one, nor stay away for another."""
    assert language(SENTENCES[code] * 3) == LANGUAGES[code]


def test_names_and_figures_have_no_language() -> None:
    """A guess would warn of Latin in a list of companies."""
    assert language("Nvidia, Broadcom, Oracle: 17%, 17%, 14%.") == ""


@pytest.mark.parametrize(
    "text",
    [
        "Die Börse schloss am Montag deutlich niedriger.",
        "In Germania et Italia argentariae pecuniam amiserunt, et multi mercatores de pretio rerum novarum dubitabant. "
        * 3,
    ],
)
def test_few_words_and_latin_are_no_foreign_language(text: str) -> None:
    """A warning that is mostly wrong makes the right ones go unread."""
    assert language(text) in ("", "en")


def test_plain_english_does_not_load_the_model() -> None:
    """Most articles are English, and loading the model takes longer than reading one."""
    text = (
        "The shares of the makers of chips fell on Monday, and it was the worst day that they had had for years. " * 2
    )
    code = f"import sys\nfrom ingest.language import language\nprint(language({text!r}), 'py3langid' in sys.modules)"
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["en", "False"]
