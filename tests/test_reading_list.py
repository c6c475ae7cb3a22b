from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

from corpus.reading_list import Original
from ingest import polite, reading_list
from ingest.load import load
from ingest.reading_list import Fetched, fetch_originals
from rag.errors import LoadError, NetworkError
from rag.records import Article
from tests.web_server import (
    WORDS,
    Handler,
    Reply,
    WebServer,
    closed_port,
    dying,
    html,
    in_turn,
    page,
    redirect,
    respond,
    trickling,
)
from ui.cli import main

Start = Callable[..., WebServer]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers; each is a host of its own."""
    with ExitStack() as stack:
        yield lambda replies: stack.enter_context(WebServer(replies))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polite, "PAUSE", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where originals are saved; not there yet."""
    return tmp_path / "originals"


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were to be waited, which pass at once."""
    taken: list[float] = []
    sleep = asyncio.sleep

    async def nap(seconds: float) -> None:
        taken.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", nap)
    return taken


def original(url: str, title: str = "Nvidia falls") -> Original:
    return Original(date(2025, 1, 27), "CNBC", title, url)


def run(urls: Sequence[str], folder: Path, **options: Any) -> Fetched:
    return fetch_originals([original(url) for url in urls], folder, allowed=("127.0.0.1",), **options)


def saved(folder: Path) -> dict[str, Article]:
    """The articles that a sync of the folder would find, by address."""
    loaded = [one for path in sorted(folder.glob("*")) for one in load(path)]
    articles = [one.article for one in loaded if one.article]
    assert len(articles) == len(loaded)
    return {article.url: article for article in articles}


def test_originals_are_saved_as_articles(start: Start, folder: Path) -> None:
    """A page becomes an article with the list's headline, outlet, date and address, whatever the page says."""
    server = start({"/a": redirect("/b"), "/b": html("Three words more.", title="Otherwise")})
    report = run([f"{server.url}/a"], folder)
    assert report == Fetched(str(folder), new=1)
    [article] = saved(folder).values()
    assert (article.title, article.outlet, article.published) == ("Nvidia falls", "CNBC", "2025-01-27")
    assert article.url == f"{server.url}/a"
    assert article.text.startswith(("Three words more.", "Otherwise"))
    assert article.text.count(WORDS) == 2


def test_a_description_gives_way_to_the_pages_own_headline(start: Start, folder: Path) -> None:
    """Where the list only describes the original, in square brackets, the page's headline is taken."""
    server = start({"/a": html(title="The headline")})
    fetch_originals([original(f"{server.url}/a", "[A report on chips]")], folder, allowed=("127.0.0.1",))
    assert [article.title for article in saved(folder).values()] == ["The headline"]


def test_the_servers_encoding_counts(start: Start, folder: Path) -> None:
    """A page whose encoding stands in the HTTP header alone keeps its letters; a name of no encoding does no harm."""
    text = page("Ифо из Café.", title="Заголовок")
    server = start(
        {
            "/a": respond(200, text.encode("koi8-r", "ignore"), "text/html; charset=koi8-r"),
            "/b": respond(200, text, "text/html; charset=nonsense"),
        }
    )
    assert run([f"{server.url}/a", f"{server.url}/b"], folder).new == 2
    assert all("Ифо из Caf" in article.text for article in saved(folder).values())


def test_what_cannot_be_had_is_named_and_the_rest_is_there(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each original is either saved or named with its reason, whatever happened to those before it."""
    monkeypatch.setattr("ingest.fetch.SECONDS", 0.3)
    bad: dict[str, tuple[Reply, str]] = {
        "/403": (respond(403), "subscribers only"),
        "/404": (respond(404), "the page is gone"),
        "/pdf": (respond(200, b"%PDF", "application/pdf"), "no web page but application/pdf"),
        "/dies": (dying, "broke off"),
        "/slow": (trickling, "longer than"),
        "/home": (redirect("/"), "leads to a home page"),
        "/short": (respond(200, page().replace(WORDS, "", 1)), "without a subscription"),
        "/empty": (respond(200, ""), "empty"),
        "/nothing": (respond(200, "<html><nav><a href='/'>Home</a></nav></html>"), "no article"),
        "/private": (redirect("http://10.0.0.1/"), "private network"),
        "/deep": (respond(200, "<div>" * 10_000), ""),
        "/hidden/a": (html(), "robots.txt"),
    }
    good = {f"/{number}": html(f"Number {number}.") for number in range(5)}
    robots = {"/robots.txt": respond(200, "User-agent: *\nDisallow: /hidden/", "text/plain"), "/": html()}
    server = start({path: reply for path, (reply, _) in bad.items()} | good | robots)
    other = start({"/x": html()})
    dead = f"http://127.0.0.1:{closed_port()}/dead"
    odd = [server.url.replace("http", "ftp") + "/a", "", dead]
    wanted = [f"{server.url}{path}" for pair in zip(bad, [*good] * 3, strict=False) for path in pair]
    wanted = [*dict.fromkeys(wanted), f"{other.url}/x", *odd]
    report = run(wanted, folder)
    reasons = dict(report.missed)
    assert set(saved(folder)) == {f"{server.url}{path}" for path in good} | {f"{other.url}/x"}
    assert report.new == len(good) + 1
    assert set(reasons) == {f"{server.url}{path}" for path in bad} | set(odd)
    for path, (_, reason) in bad.items():
        assert reason in reasons[f"{server.url}{path}"], path
    assert "no connection" in reasons[dead]
    assert "/hidden/a" not in server.paths()
    assert not [reason for reason in reasons.values() if reason.endswith(".") or "\n" in reason]


def test_what_is_there_is_not_fetched_again(start: Start, folder: Path) -> None:
    """The second run asks only for what the first one missed, and no server at all when nothing is missing."""
    server = start({"/a": html(), "/b": in_turn(respond(500), html())})
    wanted = [f"{server.url}/a", f"{server.url}/b"]
    assert [run(wanted, folder).new for _ in range(2)] == [1, 1]
    assert server.paths() == ["/a", "/b", "/b"]
    asked = len(server.requests)
    assert run(wanted, folder) == Fetched(str(folder), kept=2)
    assert len(server.requests) == asked


def test_an_interrupted_run_goes_on(start: Start, folder: Path) -> None:
    """Ctrl-C after the third of six loses nothing: the next run has all six, and each was asked for once."""
    server = start({f"/{number}": html() for number in range(6)})
    wanted = [f"{server.url}/{number}" for number in range(6)]

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt
        assert total == 6

    with pytest.raises(KeyboardInterrupt):
        run(wanted, folder, progress=stop)
    assert len(saved(folder)) == 3
    seen: list[tuple[int, int]] = []
    report = run(wanted, folder, progress=lambda done, total: seen.append((done, total)))
    assert (report.new, report.kept, report.missed) == (3, 3, [])
    assert seen == [(4, 6), (5, 6), (6, 6)]
    assert sorted(server.paths()) == sorted(f"/{number}" for number in range(6))
    assert set(saved(folder)) == set(wanted)


def test_half_a_file_is_never_an_article(start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When saving breaks off, nothing stands there that a sync would read, and the next run fetches it."""
    server = start({"/a": html()})

    def full(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(LoadError, match=r"can't be saved in .* \(No space left on device\)"):
            run([f"{server.url}/a"], folder)
    assert [path for path in folder.iterdir() if not path.name.startswith(".")] == []
    assert run([f"{server.url}/a"], folder).new == 1
    assert len(list(folder.iterdir())) == 1


def test_one_request_at_a_time_goes_to_a_host(start: Start, folder: Path) -> None:
    """A host is asked for one page after the other, also where another host's pages redirect to it."""

    def slow(handler: Handler) -> None:
        handler.work()
        html()(handler)

    busy = start({f"/{number}": slow for number in range(5)})
    other = start({f"/{number}": redirect(f"{busy.url}/{number}") for number in range(5)})
    wanted = [f"{server.url}/{number}" for server in (busy, other) for number in range(5)]
    assert run(wanted, folder).new == 10
    assert len(busy.paths()) == 10
    assert busy.most_at_once == 1


def test_hosts_are_asked_side_by_side(start: Start, folder: Path) -> None:
    """Three hosts that each answer only while the others are asked too are all served."""
    together = threading.Barrier(3)

    def wait(handler: Handler) -> None:
        together.wait(30)
        html()(handler)

    wanted = [f"{start({'/a': wait}).url}/a" for _ in range(3)]
    assert run(wanted, folder).missed == []


def test_a_pause_is_made_between_requests(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    """Each request to a host waits for the pause since the last one, or for what the host's robots.txt asks for."""
    monkeypatch.setattr(polite, "PAUSE", 10.0)
    server = start({"/a": html(), "/b": html()})
    run([f"{server.url}/a", f"{server.url}/b"], folder)
    assert [8 < nap <= 10 for nap in naps] == [True, True]
    naps.clear()
    robots = respond(200, "User-agent: *\nCrawl-delay: 40", "text/plain")
    slow = start({"/a": html(), "/b": html(), "/robots.txt": robots})
    run([f"{slow.url}/a", f"{slow.url}/b"], folder)
    assert [38 < nap <= 40 for nap in naps] == [True, True]


@pytest.mark.parametrize(
    ("replies", "missed", "requests", "nap"),
    [
        ([respond(429, retry_after=17), html()], None, 2, 17.0),
        ([respond(503, retry_after=17), html()], None, 2, 17.0),
        ([respond(429, retry_after=17)], "status 429", 2, 17.0),
        ([respond(429), html()], "status 429", 1, None),
        ([respond(503, retry_after=3600), html()], "no request for 3600 seconds", 1, None),
        ([respond(500, retry_after=17), html()], "status 500", 1, None),
        ([dying, html()], "broke off", 1, None),
    ],
)
def test_retry_after_is_honoured_once(
    start: Start,
    folder: Path,
    naps: list[float],
    replies: list[Reply],
    missed: str | None,
    requests: int,
    nap: float | None,
) -> None:
    """A busy server that says when to come back is asked once more then; otherwise nothing is asked for twice."""
    server = start({"/a": in_turn(*replies)})
    report = run([f"{server.url}/a"], folder)
    assert len(server.paths()) == requests
    assert [reason for _, reason in report.missed if missed not in reason] == [] if missed else report.new == 1
    assert len(report.missed) == bool(missed)
    assert [seconds for seconds in naps if seconds > 0] == ([nap] if nap else [])


@pytest.mark.parametrize(
    ("robots", "had"),
    [
        (respond(404), True),
        (respond(403), True),
        (respond(200, "", "text/plain"), True),
        (respond(200, page(), "text/html"), True),
        (respond(200, b"\xff\xfe\x00 Disallow", "text/plain"), True),
        (respond(200, "User-agent: *\nDisallow: /*.html$\nAllow: /", "text/plain"), False),
        (respond(200, "User-agent: *\nAllow: /\nUser-agent: aftershock\nDisallow: /", "text/plain"), False),
        (respond(200, "User-agent: other\nDisallow: /", "text/plain"), True),
        (respond(200, "User-agent: *\nCrawl-delay: 9999", "text/plain"), False),
        (respond(200, "User-agent: *\nDisallow: http://[", "text/plain"), True),
        (respond(500), False),
        (respond(429, retry_after=1), False),
        (redirect("http://10.0.0.1/robots.txt"), False),
        (dying, False),
    ],
)
def test_robots_txt_decides(start: Start, folder: Path, robots: Reply, had: bool) -> None:
    """What robots.txt forbids is not asked for, nor anything while it can't be had; it is asked for once."""
    server = start({"/robots.txt": robots, "/a.html": html(), "/b.html": html()})
    report = run([f"{server.url}/a.html", f"{server.url}/b.html"], folder)
    assert report.new + len(report.missed) == 2
    assert server.paths() == (["/a.html", "/b.html"] if had else [])
    assert all("robots.txt" in reason for _, reason in report.missed)
    assert len(server.requests) - len(server.paths()) == 1


def test_robots_txt_decides_after_a_redirect_too(start: Start, folder: Path) -> None:
    """A page that moved to a host which forbids it is not asked for there."""
    closed = start({"/robots.txt": respond(200, "User-agent: *\nDisallow: /", "text/plain"), "/a": html()})
    server = start({"/a": redirect(f"{closed.url}/a")})
    [(_, reason)] = run([f"{server.url}/a"], folder).missed
    assert "robots.txt" in reason
    assert closed.paths() == []


def test_without_a_network_nothing_is_changed(folder: Path) -> None:
    """When no host can be reached it's one sentence, and not even the folder is made."""
    wanted = [f"http://127.0.0.1:{closed_port()}/{number}" for number in range(3)]
    with pytest.raises(NetworkError, match="There is no network, so"):
        run(wanted, folder)
    assert not folder.exists()


def test_a_network_that_goes_away_ends_the_run(start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When one host after the other is lost, and the best known ones too, the run ends and keeps what it has."""
    monkeypatch.setattr(reading_list, "HOSTS_AT_ONCE", 1)
    only = start({})

    def last(handler: Handler) -> None:
        only.server.shutdown()  # so that nobody listens any more when the socket is closed
        only.server.server_close()
        html()(handler)

    only.replies["/a"] = last
    wanted = [f"{only.url}/a", *(f"http://127.0.0.1:{closed_port()}/{number}" for number in range(20))]
    seen: list[int] = []
    with pytest.raises(NetworkError, match="has gone; the 1 originals fetched so far are kept"):
        run(wanted, folder, progress=lambda done, _: seen.append(done))
    assert set(saved(folder)) == {f"{only.url}/a"}
    assert len(seen) < 10


def test_a_folder_that_cannot_be_written_is_one_sentence(start: Start, folder: Path) -> None:
    """A file in the place of the folder ends the run with its name and the reason."""
    folder.write_text("not a folder", encoding="utf-8")
    server = start({"/a": html()})
    with pytest.raises(LoadError, match="The originals can't be saved in"):
        run([f"{server.url}/a"], folder)


# The command


@pytest.fixture
def shipped(start: Start, monkeypatch: pytest.MonkeyPatch, folder: Path) -> WebServer:
    """A server with the two originals of a list that stands in for the shipped one; one of them is gone."""
    server = start({"/a": html("Liang Wenfeng was in Hangzhou.")})
    listed = [original(f"{server.url}/a"), original(f"{server.url}/gone")]
    monkeypatch.setattr("corpus.reading_list.read", lambda: listed)
    monkeypatch.setattr(reading_list, "default_folder", lambda: folder)
    monkeypatch.setattr(reading_list, "fetch_originals", partial(fetch_originals, allowed=("127.0.0.1",)))
    return server


def test_the_command_fetches_and_indexes(
    shipped: WebServer, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`ingest --reading-list` saves the originals, has them in the index, and names what could not be had."""
    own = tmp_path / "own.txt"
    own.write_text("A title\n\nDeepSeek trained V3 in 2024.", encoding="utf-8")
    command = ["ingest", str(own), "--reading-list", "--index", str(tmp_path / "index")]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "Originals: 1 fetched, 0 already there, 1 could not be had." in printed
    assert f"{shipped.url}/gone: the page is gone (status 404)." in printed
    assert str(folder) in printed
    assert "2 added" in printed
    assert main([*command, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["unchanged"], report["added"]) == (2, 0)
    assert report["originals"]["kept"] == 1
    assert report["originals"]["missed"] == [[f"{shipped.url}/gone", "the page is gone (status 404)"]]


def test_the_command_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no name can be looked up, the shipped list gives one sentence and status 1, and no file is made."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(reading_list, "default_folder", lambda: tmp_path / "data" / "reading-list")
    assert main(["ingest", "--reading-list", "--index", str(tmp_path / "index")]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", "There is no network, so the originals can't be fetched; nothing was changed.\n")
    assert list(tmp_path.iterdir()) == []
