"""Web pages to articles."""

import pytest

from ingest.pages import blocks, read_html
from ingest.readers import read
from rag.records import Article

PARAGRAPHS = [
    "Shares of the makers of chips fell on Monday as investors weighed the news that had come from China overnight.",
    "The index lost three per cent in the first hour of trade, and it won back only one of them before noon.",
    "Traders said that nobody had been prepared for a model that cost so little to train and did so well in tests.",
]


def page(head: str = "", around: str = "", between: str = "", lang: str = "en") -> str:
    first, second, third = (f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
    return (
        f"<!DOCTYPE html><html lang='{lang}'><head><title>Chips in the storm</title>{head}</head><body>"
        f"<nav><a href='/'>Home</a> <a href='/sport'>Sport</a></nav><article><h1>Chips in the storm</h1>{around}{first}"
        f"{second}{between}{third}</article><footer>All rights reserved</footer></body></html>"
    )


def article(html: str | bytes, name: str = "page.html") -> Article:
    (loaded,) = read(name, html if isinstance(html, bytes) else html.encode())
    assert loaded.article is not None, loaded.reason
    return loaded.article


def test_a_page_gives_only_its_article() -> None:
    """Main text, title, outlet, author and day come from the page; nothing around the text does."""
    linked = (
        '<script type="application/ld+json">{"@context": "https://schema.org", "@type": "NewsArticle", "headline": '
        '"Chips in the storm", "datePublished": "2025-01-28T09:00:00Z", "author": {"@type": "Person", "name": '
        '"Ada Byron"}, "publisher": {"@type": "Organization", "name": "The Ledger"}}</script>'
    )
    found = article(page(f"<link rel='canonical' href='https://ledger.example.com/chips'>{linked}"))
    assert (found.title, found.author, found.published) == ("Chips in the storm", "Ada Byron", "2025-01-28")
    assert (found.url, found.language) == ("https://ledger.example.com/chips", "en")
    assert found.text.split("\n\n") == PARAGRAPHS
    assert found.outlet in ("The Ledger", "ledger.example.com")


def test_boilerplate_inside_the_article_goes() -> None:
    """What sits between paragraphs and looks like one of them is left out too."""
    furniture = (
        "<p>Advertisement</p><p>Read more: Rain spoils the harvest in the south of the country for a third year</p>"
        "<p>Sign up for our newsletter to get the most important stories.</p><p>We use cookies to make this page "
        "better for you and to show advertisements.</p><p>Share this article</p>"
    )
    assert article(page(between=furniture)).text.split("\n\n") == PARAGRAPHS


def test_the_day_is_taken_from_the_page_where_its_head_is_silent() -> None:
    """Not every outlet fills in metadata, but readers see the day."""
    assert article(page(around="<p class='date'>28 January 2025</p>")).published == "2025-01-28"
    assert article(page(around="<time datetime='2025-01-28'>Tuesday</time>")).published == "2025-01-28"
    assert article(page()).published == ""


def test_the_outlet_is_the_host_where_the_page_does_not_name_it() -> None:
    """A citation needs an outlet, and the address has one."""
    found = article(page("<link rel='canonical' href='https://ledger.example.com/chips'>"))
    assert found.outlet == "ledger.example.com"
    (loaded,) = read_html("page.html", page().encode(), url="https://other.example.com/a")
    assert loaded.article is not None
    assert (loaded.article.outlet, loaded.article.url) == ("other.example.com", "https://other.example.com/a")


@pytest.mark.parametrize(
    ("encoding", "declaration"),
    [
        ("cp1251", "<meta charset='windows-1251'>"),
        ("koi8-r", "<meta http-equiv='Content-Type' content='text/html; charset=koi8-r'>"),
        ("utf-8", "<meta charset='windows-1251'>"),
        ("utf-16", ""),
    ],
)
def test_a_page_is_read_in_the_encoding_it_is_in(encoding: str, declaration: str) -> None:
    """Pages say what they are in, and some of them err."""
    text = "Акции производителей чипов в понедельник резко упали после сообщения о новой модели. "
    html = f"<html><head>{declaration}<title>Акции</title></head><body><article>{f'<p>{text}</p>' * 4}</article></body>"
    found = article(html.encode(encoding))
    assert text.strip() in found.text
    assert found.title == "Акции"


def test_an_xml_declaration_does_not_stop_a_page() -> None:
    """XHTML names an encoding where the characters have been decoded already."""
    xhtml = f"<?xml version='1.0' encoding='iso-8859-1'?>{page()}".replace("Traders", "Händler")
    assert "Händler" in article(xhtml.encode("iso-8859-1"), "page.xhtml").text


def test_blocks_are_paragraphs_of_html() -> None:
    """Text of books and feeds comes as HTML fragments, whose blocks, breaks and rows are what people see as lines."""
    html = (
        "loose <b>text</b><p>one<br>line<br><br>two</p><div>three<script>no()</script><!-- no --> more</div>"
        "<ul><li>a</li><li>b</li></ul><table><tr><td><p>x</p></td><td>y</td></tr></table><h2>end</h2>tail"
    )
    assert [text for _, text in blocks(html)] == [
        "loose text", "one line", "two", "three more", "a", "b", "x | y", "end", "tail",
    ]  # fmt: skip
    assert [tag for tag, text in blocks(html) if text == "end"] == ["h2"]
    assert blocks("") == []
