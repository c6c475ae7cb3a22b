"""Markdown and plain text to articles, in whatever encoding they are."""

import textwrap

import pytest

from evals.reading import NARROW, SENTENCES, UNICODE
from ingest.article import Loaded
from ingest.readers import read
from ingest.texts import decode
from rag.errors import LoadError


def only(name: str, data: bytes | str) -> Loaded:
    (loaded,) = read(name, data if isinstance(data, bytes) else data.encode())
    assert loaded.article is not None, loaded.reason
    return loaded


def text_of(name: str, data: str) -> str:
    article = only(name, data).article
    return article.text if article else ""


@pytest.mark.parametrize(
    ("sentence", "encoding"),
    [(SENTENCES[language], encoding) for language in SENTENCES for encoding in NARROW[language] + UNICODE],
)
def test_text_in_any_encoding_is_read(sentence: str, encoding: str) -> None:
    """One sentence is enough to tell the encodings that newsrooms' archives are in, with a byte order mark or not."""
    assert decode(sentence.encode(encoding)) == sentence


def test_a_declared_encoding_decides_where_the_bytes_do_not() -> None:
    """A page says what it is in, and four letters tell nothing; but UTF-8 that declares another encoding is UTF-8."""
    assert decode("Ель".encode("koi8-r"), "koi8-r") == "Ель"
    assert decode("Ель".encode(), "koi8-r") == "Ель"
    assert decode("Ель".encode(), "no such encoding") == "Ель"
    assert decode("“Prices”".encode("cp1252"), "iso-8859-1") == "“Prices”"
    assert decode(SENTENCES["fr"].encode("cp1252"), "unicode_escape") == SENTENCES["fr"]


@pytest.mark.parametrize("data", [b"\0\1\2\3", b"\x7fELF\0\0\0\x01\x02" * 9, bytes(range(256)) * 4])
def test_what_is_no_text_is_not_taken_for_utf_16(data: bytes) -> None:
    """Zero bytes mean wide characters or no characters at all."""
    with pytest.raises(LoadError, match="binary file"):
        decode(data)


def test_lines_broken_to_a_width_become_paragraphs_again() -> None:
    """A sentence that goes over two lines of a mail is one sentence; lines of a list stay apart."""
    paragraph = (
        "Shares of chip makers fell on Monday in New York, after a model from China had done as well as others. "
    )
    wrapped = "\n\n".join(textwrap.fill(paragraph * times, 72) for times in (3, 2))
    assert text_of("wire.txt", wrapped) == "\n\n".join((paragraph * times).strip() for times in (3, 2))
    listed = "The shares were these.\nNvidia: 17 per cent\nBroadcom: 17 per cent too\nOracle: 14 per cent, at the end."
    assert text_of("list.txt", listed) == listed.replace("\n", "\n\n")


def test_what_an_agency_puts_on_top_becomes_fields() -> None:
    """A wire's head names headline, outlet, author and day, and none of these is the article's text."""
    text = "Headline: Chips fall\nSource: The Ledger\nBy Ada Byron | 28 January 2025\n\nIt was a bad day for chips.\n"
    article = only("wire.txt", text).article
    assert article is not None
    assert (article.title, article.outlet, article.author) == ("Chips fall", "The Ledger", "Ada Byron")
    assert (article.published, article.text) == ("2025-01-28", "It was a bad day for chips.")


def test_a_date_in_a_sentence_is_not_the_day_of_publication() -> None:
    """An undated text stays undated, whatever days it tells of."""
    article = only("a.txt", "On 27 January 2025 the market fell. Nobody had seen it coming.").article
    assert article is not None
    assert article.published == ""
    assert article.text.startswith("On 27 January 2025")


def test_a_text_of_one_line_is_kept() -> None:
    """What looks like a headline is the text when nothing else is there."""
    article = only("note.txt", "Chips fall").article
    assert article is not None
    assert article.text == "Chips fall"


def test_the_language_is_noted_and_a_foreign_one_warned_of() -> None:
    """A text that isn't English is accepted, but the embedder finds it less well, and the user should know."""
    german = only("a.txt", SENTENCES["de"] * 3)
    assert german.article is not None
    assert german.article.language == "de"
    assert german.warnings == ("its language is 'de', and the default embedder knows English best",)
    english = only("a.txt", "The exchange opened lower on Monday, and the makers of chips lost the most of all.")
    assert english.article is not None
    assert (english.article.language, english.warnings) == ("en", ())


def test_a_line_of_names_has_no_language() -> None:
    """A guess would warn of Latin in a list of companies."""
    article = only("a.txt", "Nvidia, Broadcom, Oracle.").article
    assert article is not None
    assert article.language == ""
