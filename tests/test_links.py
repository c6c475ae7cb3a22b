from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ingest import Report, links, polite, sync
from ingest.article import Loaded
from ingest.links import canonical, fetched, read_list
from ingest.update import is_link
from rag.embed import MiniLM
from rag.errors import LoadError, SettingsError
from rag.settings import Settings
from tests.web_server import Handler, Reply, WebServer, endless, html, redirect, respond
from ui.cli import main

HERE = ("127.0.0.0/8",)

Start = Callable[[dict[str, Reply]], WebServer]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers; each is a host of its own."""
    with ExitStack() as stack:
        yield lambda replies: stack.enter_context(WebServer(replies))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polite, "PAUSE", 0.0)


def by_place(*wanted: str) -> dict[str, Loaded]:
    """What comes of the links, by place."""
    found = list(fetched(wanted, HERE))
    assert sum(loaded.size for loaded in found) <= links.SIZE * len(wanted)
    assert len({loaded.place for loaded in found}) == len(found)
    return {loaded.place: loaded for loaded in found}


def text_of(loaded: Loaded) -> str:
    assert loaded.article is not None, loaded.reason
    return loaded.article.text


def rss(*items: str) -> Reply:
    """A feed with these items."""
    return respond(
        200,
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title>{"".join(items)}</channel></rss>',
        "application/rss+xml",
    )


def item(link: str, title: str, text: str = "") -> str:
    return f"<item><title>{title}</title><link>{link}</link><description>{text}</description></item>"


OWN = "This is what the feed holds of the entry itself. It has a second sentence, too."


def test_a_page_is_an_article_known_by_its_address(start: Start) -> None:
    """The address without what tells visitors apart makes place, id and url, whatever way led there."""
    server = start({"/a?id=7&utm_source=x": redirect("/b?id=7&utm_medium=y"), "/b?id=7&utm_medium=y": html("First.")})
    [(place, loaded)] = by_place(f"{server.url}/a?id=7&utm_source=x").items()
    assert loaded.article is not None
    assert place == loaded.article.url == loaded.article.sources[0].url == f"{server.url}/b?id=7"
    assert loaded.article.text.startswith("First.")
    assert loaded.article.id.startswith("127-0-0-1-")


@pytest.mark.parametrize(
    ("own", "claimed", "known_by"),
    [
        ("https://news.example/a?fbclid=1&b=2&utm_id=3#part", "", "https://news.example/a?b=2"),
        ("https://NEWS.example:443/a", "", "https://news.example/a"),
        ("http://news.example:8080/a?cid=1", "", "http://news.example:8080/a?cid=1"),
        ("https://news.example/a?page=1", "https://news.example/a", "https://news.example/a"),
        ("https://news.example/amp/a", "/a", "https://news.example/a"),
        ("https://news.example/a", "https://other.example/b", "https://news.example/a"),
        ("https://news.example/a", "https://me:word@news.example/b", "https://news.example/b"),
        ("https://news.example/a", "javascript:alert(1)", "https://news.example/a"),
        ("https://news.example/a", "https://[", "https://news.example/a"),
        ("https://news.example/a", "https://news.example/", "https://news.example/a"),
    ],
)
def test_a_page_may_name_itself_only_on_its_own_host(own: str, claimed: str, known_by: str) -> None:
    """A page's own word for its address counts on its host, except for the home page."""
    assert canonical(own, claimed) == known_by


def test_links_to_one_article_give_one(start: Start) -> None:
    """Two links to a page, and the same link twice, are one article."""
    server = start({"/a": html("One."), "/a?utm_source=x": html("One."), "/b": html("Two.")})
    found = by_place(*(f"{server.url}{path}" for path in ("/a", "/a", "/a?utm_source=x", "/b")))
    assert sorted(found) == [f"{server.url}/a", f"{server.url}/b"]
    assert server.paths().count("/a") == 1


def test_what_cannot_be_had_is_named_and_costs_nothing_else(start: Start) -> None:
    """Each bad link has its reason, and the good ones are there."""
    replies = {
        "/good": html(),
        "/gone": respond(404),
        "/big": endless,
        "/image": respond(200, b"GIF89a", "image/gif"),
        "/empty": respond(200, b"", "text/html"),
        "/short": respond(200, "<html><body><p>Please turn JavaScript on.</p></body></html>"),
        "/inside": redirect("http://10.0.0.1/"),
        "/home": redirect("/"),
        "/": html(),
    }
    server = start(replies)
    bad = [
        "ftp://127.0.0.1/a",
        "javascript://127.0.0.1/%0aalert(1)",
        "http://me:word@127.0.0.1/",
        "http://news.example:99999/",
        "nothing",
    ]
    found = by_place(*(f"{server.url}{path}" for path in replies), *bad)
    reasons = {place.removeprefix(server.url): loaded.reason for place, loaded in found.items() if loaded.reason}
    assert {place for place, loaded in found.items() if loaded.article} == {f"{server.url}/good", f"{server.url}/"}
    for place, part in {
        "/gone": "gone",
        "/big": "larger than",
        "/image": "it is no web page but image/gif",
        "/empty": "empty",
        "/short": "subscription or a browser",
        "/inside": "in a private network",
        "/home": "leads to a home page",
        bad[0]: "only plain http and https",
        bad[1]: "only plain http and https",
        bad[2]: "only plain http and https",
        bad[3]: "can't be understood",
        bad[4]: "only plain http and https",
    }.items():
        assert part in reasons.pop(place)
    assert reasons == {}


def test_documents_are_read_by_their_kind(start: Start) -> None:
    """The server's word for the kind of a document decides how it is read; an export holds several articles."""
    export = '{"id": "x", "title": "One", "text": "Text one."}\n{"id": "y", "title": "Two", "text": "Text two."}\n{}\n'
    server = start(
        {
            "/note": respond(200, "A headline\n\nCafé prices fell.".encode("latin-1"), "text/plain; charset=latin-1"),
            "/list": respond(200, export, "application/x-ndjson"),
        }
    )
    found = by_place(f"{server.url}/note", f"{server.url}/list")
    assert text_of(found[f"{server.url}/note"]) == "Café prices fell."
    assert [text_of(found[f"{server.url}/list:{line}"]) for line in (1, 2)] == ["Text one.", "Text two."]
    assert found[f"{server.url}/list:3"].reason


def test_the_pages_of_a_feed_are_fetched(start: Start) -> None:
    """Each entry is its page's article; where that can't be had, what the feed holds, or its name."""
    server = start({})
    server.replies |= {
        "/feed": rss(
            item(f"{server.url}/a", "A", OWN),
            item(f"{server.url}/gone", "Gone", OWN),
            item(f"{server.url}/gone-too", "Gone too"),
            item("/relative", "Relative"),
            item("http://10.0.0.1/", "Inside"),
        ),
        "/a": html("The whole story."),
        "/relative": html("Another story."),
    }
    found = by_place(f"{server.url}/feed")
    assert text_of(found.pop(f"{server.url}/a")).startswith("The whole story.")
    assert text_of(found.pop(f"{server.url}/relative")).startswith("Another story.")
    gone = found.pop(f"{server.url}/gone")
    assert text_of(gone) == OWN
    assert "its page can't be had (the page is gone" in gone.warnings[0]
    assert "the feed holds a headline" in found.pop(f"{server.url}/gone-too").reason
    assert "in a private network" in found.pop("http://10.0.0.1/").reason
    assert found == {}


def test_a_feed_that_is_none_is_named(start: Start) -> None:
    """XML that is no feed, an empty feed and one with hostile entities end with a reason each."""
    bomb = '<!DOCTYPE r [<!ENTITY a "word word">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    server = start(
        {
            "/sitemap": respond(200, "<urlset></urlset>", "text/xml"),
            "/empty": rss(),
            "/bomb": respond(200, f'<?xml version="1.0"?>{bomb}]><rss><title>&i;</title></rss>', "text/xml"),
        }
    )
    found = by_place(*(f"{server.url}{path}" for path in ("/sitemap", "/empty", "/bomb")))
    assert [bool(loaded.reason) for loaded in found.values()] == [True] * 3


def test_a_host_is_asked_for_one_page_at_a_time(start: Start) -> None:
    """However many links lead to a host, it has one request at a time, and only for what its robots.txt allows."""

    def slow(handler: Handler) -> None:
        handler.work()
        html(f"Page {handler.path}.")(handler)

    server = start({f"/{n}": slow for n in range(5)})
    server.replies["/robots.txt"] = respond(200, "User-agent: *\nDisallow: /3", "text/plain")
    found = by_place(*(f"{server.url}/{n}" for n in range(5)))
    assert server.most_at_once == 1
    assert "/3" not in server.paths()
    assert "robots.txt" in found[f"{server.url}/3"].reason


def test_giving_up_ends_the_requests(start: Start) -> None:
    """Whoever takes no more articles waits for no more pages."""
    server = start({f"/{n}": html() for n in range(200)})
    results = fetched([f"{server.url}/{n}" for n in range(200)], HERE)
    next(results)
    results.close()
    assert len(server.paths()) < 200


def test_a_list_of_links_is_read(tmp_path: Path) -> None:
    """One link a line; empty lines and remarks are passed over, and a list without links is refused."""
    file = tmp_path / "links.txt"
    file.write_bytes(b"\xef\xbb\xbfhttps://a.example/\r\n\n # later: https://b.example/\n  https://c.example/  \n")
    assert read_list(file) == ["https://a.example/", "https://c.example/"]
    file.write_text("# none\n")
    with pytest.raises(LoadError, match="There is no link in"):
        read_list(file)
    file.write_text("https://a.example/\n/etc/hosts\n")
    with pytest.raises(LoadError, match=r"Line 2 of .* is no address: '/etc/hosts'"):
        read_list(file)
    with pytest.raises(LoadError, match="can't be read"):
        read_list(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("place", "is_one"),
    [("https://a.example/", True), ("HTTP://a", True), ("ftp://a", True), ("a/b.md", False), ("C:\\a", False),
     ("//a/b", False), ("a:b.md", False), (Path("https://a"), False)],
)  # fmt: skip
def test_links_are_told_from_files(place: Any, is_one: bool) -> None:
    """Only what has a scheme and two slashes is a link."""
    assert is_link(place) is is_one


@pytest.fixture
def ingest(tmp_path: Path, embedder: MiniLM) -> Callable[..., Report]:
    """Syncs places into one index."""
    settings = Settings(tmp_path / "index")
    return lambda *places, **options: sync(places, settings, embedder=embedder, allowed=HERE, **options)


def test_sync_takes_links(start: Start, ingest: Callable[..., Report], tmp_path: Path) -> None:
    """Links are unchanged, changed or kept like files: what can't be fetched again stays in the index."""
    server = start({"/a": html("First."), "/b": html("Second.", "B")})
    a, b = f"{server.url}/a", f"{server.url}/b"
    (tmp_path / "note.md").write_text("# Note\n\nSome words of a note.")
    report = ingest(a, b, tmp_path / "note.md")
    assert (report.added, report.failed) == (3, [])
    assert ingest(a, b).unchanged == 2
    server.replies |= {"/a": html("Another beginning."), "/b": respond(500)}
    report = ingest(a, b)
    assert (report.updated, report.unchanged, report.removed) == (1, 0, 0)
    assert [place for place, _ in report.failed] == [b]
    before = report.passages
    assert ingest(rebuild=True).passages == before


def test_the_command_line_takes_links(
    start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str], corpus_index: Path
) -> None:
    """Addresses are arguments or lines of a file, and private ones are reached only when allowed."""
    server = start({"/a": respond(404), "/b": respond(410)})
    file = tmp_path / "links.txt"
    file.write_text(f"{server.url}/a\n")
    command = ["ingest", f"{server.url}/b", "--links", str(file), "--index", str(corpus_index), "--dry-run", "--json"]
    assert main(command) == 1
    assert "private network" in capsys.readouterr().out
    assert main([*command, "--allow-network", "127.0.0.0/8"]) == 1
    failed = json.loads(capsys.readouterr().out)["failed"]
    assert sorted(failed) == [
        [f"{server.url}/a", "the page is gone (status 404)"],
        [f"{server.url}/b", "the page is gone (status 410)"],
    ]
    assert main([*command, "--allow-network", "here"]) == 2


def test_private_addresses_are_refused_unless_allowed(start: Start, tmp_path: Path, embedder: MiniLM) -> None:
    """Without the option nothing in a private network is asked for."""
    server = start({"/a": html()})
    report = sync([f"{server.url}/a"], Settings(tmp_path / "index"), embedder=embedder)
    assert ["in a private network" in reason for _, reason in report.failed] == [True]
    assert server.requests == []
    with pytest.raises(SettingsError, match="no network"):
        sync([], Settings(tmp_path / "index"), embedder=embedder, allowed=["localhost"])
