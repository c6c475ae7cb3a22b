"""Pages that a browser or a crawler saved, to articles."""

import pytest

from ingest.readers import read
from tests import samples
from tests.test_pages import PARAGRAPHS, page

URL = "https://ledger.example.com/chips"


@pytest.mark.parametrize("charset", ["utf-8", "cp1252"])
def test_a_page_saved_in_one_file_is_an_article_of_its_address(charset: str) -> None:
    """The browser kept the address, which makes the copy the same article as the page."""
    html = page().replace("Traders", "Händler")
    (loaded,) = read("saved.mhtml", samples.mhtml(html, URL, "Chips in the storm", charset))
    article = loaded.article
    assert article is not None, loaded.reason
    assert (article.url, article.outlet, article.title) == (URL, "ledger.example.com", "Chips in the storm")
    assert article.text.split("\n\n") == [paragraph.replace("Traders", "Händler") for paragraph in PARAGRAPHS]


@pytest.mark.parametrize("is_packed", [True, False])
def test_an_archive_of_a_crawl_gives_the_articles_of_its_pages(is_packed: bool) -> None:
    """Pages and PDF files are read with their addresses; images, redirects and errors are passed over."""
    paper = samples.pdf([samples.column(50, 700, ["Shares of chips fell on Monday.", "They rose on Tuesday."])])
    html = page().replace("Traders", "Händler").encode("cp1252")
    archive = samples.warc(
        [
            (URL, "200 OK", "text/html; charset=windows-1252", html),
            (f"{URL}.png", "200 OK", "image/png", b"\x89PNG"),
            (f"{URL}/old", "301 Moved", "text/html", page().encode()),
            (f"{URL}/gone", "404 Not Found", "text/html", page().encode()),
            (f"{URL}/empty", "200 OK", "text/html", b"<html><body></body></html>"),
            (f"{URL}.pdf", "200 OK", "application/pdf", paper),
        ],
        is_packed=is_packed,
    )
    name = "crawl.warc.gz" if is_packed else "crawl.warc"
    first, empty, last = read(name, archive)
    assert first.article is not None
    assert last.article is not None
    assert (first.place, first.article.url) == (f"{name}#{URL}", URL)
    assert "Händler" in first.article.text
    assert (empty.place, empty.reason) == (f"{name}#{URL}/empty", "no article text was found in the page")
    assert (last.article.url, last.article.text.split(".")[0]) == (f"{URL}.pdf", "Shares of chips fell on Monday")


@pytest.mark.parametrize("is_packed", [True, False])
def test_an_archive_that_breaks_off_gives_what_is_before(is_packed: bool) -> None:
    """A download that was interrupted still holds pages, and half a page is none."""
    answers = [(f"{URL}/{n}", "200 OK", "text/html", page().encode()) for n in range(2)]
    whole = samples.warc(answers, is_packed=is_packed)
    first, second = read("crawl.warc.gz", whole[:-200])
    assert first.article is not None
    assert (second.article, second.reason) == (None, "the archive breaks off in the middle of the page")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.warc", b"nothing of the kind", "it is no web archive, or a damaged one"),
        ("a.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03broken", "it is no web archive, or a damaged one"),
        (
            "a.warc",
            samples.warc([(URL, "200 OK", "image/png", b"x")], is_packed=False),
            "no web page is in the archive",
        ),
        ("a.mhtml", b"Subject: x\r\n\r\nonly text", "no web page is in the file"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_reason(name: str, data: bytes, reason: str) -> None:
    """A bad file gives one sentence and never an exception."""
    (loaded,) = read(name, data)
    assert loaded.reason == reason
