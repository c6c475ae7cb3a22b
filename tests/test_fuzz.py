"""Damaged copies of every format."""

from pathlib import Path

import pytest

from evals import fuzz, samples
from ingest.article import Loaded
from ingest.isolated import CRASHED
from ingest.load import load
from ingest.readers import SUFFIXES
from rag.records import Article


def test_there_is_a_sound_sample_of_every_format() -> None:
    """A format without a sample is never tried."""
    assert samples.all_kinds().keys() == SUFFIXES | {".zip"}


@pytest.mark.parametrize("suffix", sorted(samples.all_kinds()))
def test_samples_are_sound(tmp_path: Path, suffix: str) -> None:
    """Damage to what can't be read anyway shows nothing."""
    path = tmp_path / f"a{suffix}"
    path.write_bytes(samples.all_kinds()[suffix])
    for loaded in load(path):
        assert loaded.article is not None, loaded.reason
        assert "Westhaven" in loaded.article.text


def test_damaged_copies_end_as_articles_or_sentences() -> None:
    """A few of the thousands that the command reads."""
    tallies = fuzz.run(count=100, seconds=120, seed=3, only="", keep=None)
    assert [fault for tally in tallies.values() for fault in tally.faults] == []
    assert sum(tally.copies for tally in tallies.values()) == 100


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], "nothing came of it"),
        ([Loaded("a", 0)], "neither an article nor a reason, or both"),
        ([Loaded("a", 0, reason=CRASHED)], "a library crashed"),
        ([Loaded("a", 0, reason="two\nlines")], "no sentence: 'two\\nlines'"),
        ([Loaded("a", 0, Article("a", "T", "\ud800"))], "characters that can't be stored"),
        ([Loaded("a", 0, Article("a", "T", "Text."))], ""),
    ],
)
def test_broken_promises_are_found(found: list[Loaded], expected: str) -> None:
    """A fuzzer that sees nothing finds nothing."""
    assert fuzz.fault(found) == expected
