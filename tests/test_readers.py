"""Which reader a file is for."""

import pytest

from ingest.readers import SUFFIXES, read
from tests import samples
from tests.test_feeds import TEXT, rss
from tests.test_pages import page

STORY = "Shares of chips fell on Monday."


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", samples.pdf([[(50, 700, 10, STORY)]])),
        ("a.pdf", page().encode()),
        ("a.txt", page().encode()),
        ("a", page().encode()),
        ("a.html", rss(f"<title>One</title><description>{TEXT}</description>")),
        ("a.zip", samples.docx(samples.word(STORY))),
        ("a.docx", samples.epub([f"<p>{STORY}</p>"], {"title": "T"})),
        ("a.html", samples.mhtml(page(), "https://ledger.example.com/chips", "Chips")),
        ("a.bin", samples.warc([("https://a.example.com", "200 OK", "text/html", page().encode())], is_packed=False)),
        ("noname", STORY.encode()),
        ("A.TXT", STORY.encode()),
    ],
)
def test_a_file_is_read_as_what_it_plainly_is(name: str, data: bytes) -> None:
    """People name files as they like, and a download may be an error page or lack its ending."""
    (loaded,) = read(name, data)
    assert loaded.article is not None, loaded.reason
    assert "hares of" in loaded.article.text


def test_an_unknown_kind_is_named_with_those_that_are_known() -> None:
    """The user sees what to save the file as."""
    (loaded,) = read("table.xlsx", b"x")
    assert loaded.reason.startswith("files of the kind '.xlsx' can't be read; the kinds are .atom, .docx, .epub")
    assert {".pdf", ".docx", ".epub", ".gz", ".warc", ".mhtml", ".rss", ".jsonl", ".md", ".txt", ".html"} <= SUFFIXES


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_every_kind_says_of_a_file_without_content_that_it_is_empty(suffix: str) -> None:
    """An empty file is no damaged one."""
    (loaded,) = read(f"a{suffix}", b" \n")
    assert loaded.reason == "the file is empty"
