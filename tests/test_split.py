"""Sentences and chunks with exact offsets."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.split import WINDOW_TOKENS, clip_header, paragraphs, sentences, split


def by_words(texts: Sequence[str]) -> list[int]:
    """One token a word, so that tests can count."""
    return [len(text.split()) for text in texts]


def cut(text: str) -> list[str]:
    return [text[start:end] for chunk in split(text, "Title", by_words) for start, end in chunk.sentences]


def test_abbreviations_decimals_and_quotations_do_not_end_a_sentence() -> None:
    """A quoted sentence must be a whole one, so full stops inside it must not cut it."""
    text = (
        "Nvidia Corp. fell 16.97% to $118.42 on Jan. 27, 2025. The U.S. chipmaker lost $589 billion. "
        'Mr. Liang said: "OpenAI is not a god. It cannot always stay ahead." Then it ended.'
    )
    assert cut(text) == [
        "Nvidia Corp. fell 16.97% to $118.42 on Jan. 27, 2025.",
        "The U.S. chipmaker lost $589 billion.",
        'Mr. Liang said: "OpenAI is not a god. It cannot always stay ahead."',
        "Then it ended.",
    ]


def test_long_paragraphs_are_chunks_of_their_own_and_short_ones_are_joined() -> None:
    """Chunks follow the author's paragraphs, without crumbs of one line."""
    long_one = " ".join(["word"] * 70) + "."
    chunks = split(f"{long_one}\n\nShort one.\n\nShort two.", "Title", by_words)
    assert [len(chunk.sentences) for chunk in chunks] == [1, 2]


def test_a_chunk_and_its_header_fit_the_window() -> None:
    """The embedder silently ignores what exceeds its window, so nothing may."""
    text = "\n\n".join(" ".join(["word"] * n) + "." for n in (30, 200, 90, 400, 5, 240))
    header = "one two three four"
    for chunk in split(text, header, by_words):
        assert len(text[chunk.start : chunk.end].split()) + 4 <= WINDOW_TOKENS


def test_a_sentence_longer_than_the_window_is_cut_between_words() -> None:
    """A text without full stops, or a 10,000 letter word, is still searchable to its end."""
    text = "word " * 600 + "x" * 1000
    pieces = cut(text)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert len(pieces) >= 3


def test_a_very_long_header_is_clipped() -> None:
    """A title of a thousand words must not leave a chunk without room."""
    assert by_words([clip_header("word " * 1000, by_words)]) == [48]


@given(st.text(st.sampled_from('aB. \n"?!,3é'), max_size=300))
def test_every_character_but_white_space_stands_in_exactly_one_sentence(text: str) -> None:
    """Offsets are exact and nothing of an article is lost or doubled, whatever its punctuation."""
    spans = [span for chunk in split(text, "Title", by_words) for span in chunk.sentences]
    assert spans == sorted(spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    covered = "".join(text[start:end] for start, end in spans)
    assert "".join(covered.split()) == "".join(text.split())


def test_paragraphs_end_at_blank_lines_also_with_spaces_in_them() -> None:
    """Text pasted from an editor has blank lines that aren't quite empty."""
    text = "One.\nStill one.\n  \nTwo."
    assert [text[start:end] for start, end in paragraphs(text)] == ["One.\nStill one.", "Two."]
    assert [text[s:e] for s, e in sentences(text, paragraphs(text)[1])] == ["Two."]
