"""RSS and Atom feeds to articles."""

from ingest.readers import read

BODY = "<p>Shares of the makers of chips fell on Monday.</p><p>They won back a part of it on Tuesday.</p>"
TEXT = "Shares of the makers of chips fell on Monday.\n\nThey won back a part of it on Tuesday."


def rss(*items: str) -> bytes:
    return (
        '<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>The Ledger</title>'
        f"{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>"
    ).encode()


def test_an_entry_with_its_text_is_an_article() -> None:
    """The whole text of an entry is taken rather than its teaser, with the entry's address, author and day."""
    item = (
        "<title>Chips &amp;amp; more</title><link>https://ledger.example.com/1</link><dc:creator>Ada Byron</dc:creator>"
        "<pubDate>Tue, 28 Jan 2025 10:00:00 GMT</pubDate><description>Shares fell.</description>"
        f"<content:encoded><![CDATA[{BODY}<p>The post Chips appeared first on The Ledger.</p>]]></content:encoded>"
    )
    (loaded,) = read("feed.xml", rss(item))
    article = loaded.article
    assert article is not None
    assert (article.title, article.author, article.outlet) == ("Chips & more", "Ada Byron", "The Ledger")
    assert (article.published, article.url) == ("2025-01-28", "https://ledger.example.com/1")
    assert article.text == TEXT
    assert loaded.place == "feed.xml#https://ledger.example.com/1"


def test_an_atom_entry_is_an_article() -> None:
    """Atom has other names for the same, and an entry may come from another outlet."""
    feed = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>All outlets</title><entry><title>Chips</title>'
        '<link href="https://ledger.example.com/1"/><updated>2025-01-28T10:00:00Z</updated><author><name>Ada Byron'
        f'</name></author><source><title>The Ledger</title></source><content type="xhtml"><div '
        f'xmlns="http://www.w3.org/1999/xhtml">{BODY}</div></content></entry></feed>'
    )
    (loaded,) = read("feed.atom", feed.encode())
    article = loaded.article
    assert article is not None
    assert (article.title, article.author, article.outlet) == ("Chips", "Ada Byron", "The Ledger")
    assert (article.published, article.text) == ("2025-01-28", TEXT)


def test_teasers_are_counted_in_one_sentence() -> None:
    """A headline is no article; a summary of two sentences is better than none."""
    items = [
        f"<title>One</title><link>https://ledger.example.com/1</link><description>{TEXT}</description>",
        "<title>Two</title><description>Shares fell.</description>",
        "<title>Three</title>",
    ]
    first, last = read("feed.rss", rss(*items))
    assert first.article is not None
    assert first.article.title == "One"
    assert last.reason == (
        "2 of its 3 entries hold a headline or a teaser only; the articles are at the entries' own addresses"
    )


def test_scripts_in_a_feed_are_no_text() -> None:
    """What a feed carries is shown in a browser later on."""
    item = f"<title>One</title><description><![CDATA[{BODY}<script>alert(1)</script>]]></description>"
    (loaded,) = read("feed.rss", rss(item))
    assert loaded.article is not None
    assert loaded.article.text == TEXT


def test_xml_that_is_no_feed_is_named_with_its_reason() -> None:
    """Folders hold XML of many kinds."""
    reasons = [
        next(iter(read("a.xml", data))).reason for data in (b"<urlset><url/></urlset>", b"<rss", rss(), b"plain words")
    ]
    assert reasons == ["it is neither an RSS nor an Atom feed"] * 2 + [
        "the feed has no entries",
        "it is neither an RSS nor an Atom feed",
    ]


def test_a_feed_is_never_fetched() -> None:
    """The content of a file may look like an address, which a feed library would follow."""
    (loaded,) = read("a.rss", b"http://127.0.0.1:9/feed.xml")
    assert loaded.reason == "it is neither an RSS nor an Atom feed"


def test_a_feed_that_defines_entities_is_refused() -> None:
    """A few lines of entities that name each other stand for gigabytes."""
    data = rss().replace(b"<rss", b'<!DOCTYPE r [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><rss')
    (loaded,) = read("a.rss", data)
    assert loaded.reason.startswith("it defines entities of its own")
