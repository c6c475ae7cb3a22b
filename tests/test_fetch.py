from __future__ import annotations

import gzip
import re
import shutil
import socket
import ssl
import subprocess
import tracemalloc
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_socket import SocketConnectBlockedError

from ingest import fetch as module
from ingest.fetch import Page, StatusError, UnreachableError, fetch, reach
from rag.errors import FetchError
from tests.apart import apart
from tests.web_server import (
    Reply,
    WebServer,
    closed_port,
    dying,
    endless,
    html,
    lying,
    page,
    redirect,
    respond,
    silent,
    talkative,
    trickling,
    trickling_headers,
)

HERE = ("127.0.0.1",)


def get(url: str, allowed: Collection[str] = HERE, **options: Any) -> Page:
    return apart(fetch(url, allowed=allowed, **options))


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer() as started:
        yield started


def names(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let every name be looked up as these addresses, one a time; returns the list of names that were looked up."""
    left, asked = list(answers), []

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (left.pop(0), port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_page_is_fetched(server: WebServer) -> None:
    """A page arrives as it was sent, with the encoding its server named, and the server learns who asks."""
    server.replies["/a"] = respond(200, "<p>Café</p>".encode("latin-1"), "text/html; charset=iso-8859-1")
    assert get(f"{server.url}/a") == Page(f"{server.url}/a", "<p>Café</p>".encode("latin-1"), "iso-8859-1")
    [request] = server.requests
    assert request.headers["User-Agent"].startswith("Aftershock/")
    assert request.headers["Host"] == f"127.0.0.1:{server.port}"


def test_redirects_are_followed_without_cookies(server: WebServer) -> None:
    """A redirect leads to its page, relative addresses too, and a cookie set on the way is not sent back."""
    server.replies |= {
        "/old/a": respond(301, location="../new?b=1", set_cookie="id=1; Path=/"),
        "/new?b=1": html(set_cookie="id=2"),
    }
    assert get(f"{server.url}/old/a").url == f"{server.url}/new?b=1"
    get(f"{server.url}/new?b=1")
    assert not any("Cookie" in request.headers for request in server.requests)


def test_gzip_is_unpacked(server: WebServer) -> None:
    """A packed page is unpacked, and nothing but gzip is asked for."""
    server.replies["/"] = respond(200, gzip.compress(page().encode()), content_encoding="gzip")
    assert get(server.url).data == page().encode()
    assert server.requests[0].headers["Accept-Encoding"] == "gzip"


PACKED = gzip.compress(page().encode())


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(endless, "it is larger than 8 MB", id="endless body"),
        pytest.param(respond(200, PACKED[:99], content_encoding="gzip"), "its content is cut short", id="cut gzip"),
        pytest.param(respond(200, b"word", content_encoding="gzip"), "its content is damaged", id="no gzip"),
        pytest.param(respond(200, b"word", content_encoding="br"), "it is packed as 'br'", id="another packing"),
        pytest.param(dying, "the connection broke off", id="dies in mid-body"),
        pytest.param(
            respond(200, b"%PDF-1.7", "application/pdf"), "it is no web page but application/pdf", id="wrong type"
        ),
        pytest.param(respond(200, b"<p>", ""), "it is no web page but of an unnamed kind", id="no type"),
        pytest.param(respond(403), "subscribers only .status 403", id="403"),
        pytest.param(respond(404), "the page is gone .status 404", id="404"),
        pytest.param(respond(500), "did not send the page .status 500", id="500"),
        pytest.param(respond(304), "did not send the page .status 304", id="304"),
        pytest.param(respond(302), "did not send the page .status 302", id="redirect to nowhere"),
        pytest.param(redirect("/"), "it redirects more than 5 times", id="redirect loop"),
        pytest.param(
            redirect("http://127.0.0.1:99999/"), "its address can't be understood", id="redirect to no address"
        ),
        pytest.param(redirect("file:///etc/passwd"), "only plain http and https", id="redirect to a file"),
        pytest.param(redirect("http://127.0.0.2/"), "in a private network .127.0.0.2", id="redirect to this machine"),
        pytest.param(redirect("http://10.0.0.1/"), "in a private network .10.0.0.1", id="redirect to a private one"),
        pytest.param(redirect("//10.0.0.1/"), "in a private network .10.0.0.1", id="redirect without a scheme"),
        pytest.param(redirect("http://me:word@10.0.0.1/"), "only plain http and https", id="redirect with a password"),
        pytest.param(
            redirect("javascript:alert(1)"),
            "redirects to an address that can't be understood",
            id="redirect to a script",
        ),
        pytest.param(lying, "the connection broke off", id="longer by its header than it is"),
        pytest.param(talkative, "the connection broke off", id="headers without an end"),
        pytest.param(redirect("http://169.254.169.254/"), "in a private network", id="redirect to a link-local one"),
    ],
)
def test_what_a_server_does_wrong_is_one_reason(server: WebServer, reply: Reply, reason: str) -> None:
    """Each misbehaviour ends the request with a reason, and is not asked for again but for the redirects."""
    server.replies["/"] = reply
    with pytest.raises(FetchError, match=reason):
        get(f"{server.url}/")
    assert len(server.requests) == (6 if "more than 5" in reason else 1)


def test_a_bomb_is_not_unpacked(server: WebServer) -> None:
    """Memory stays near the limit on a page's size, however much the page would unpack to."""
    server.replies["/"] = respond(200, gzip.compress(bytes(8 * module.MOST_BYTES)), content_encoding="gzip")
    tracemalloc.start()
    try:
        with pytest.raises(FetchError, match="larger than"):
            get(f"{server.url}/")
        assert tracemalloc.get_traced_memory()[1] < 4 * module.MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("reply", [silent, trickling, trickling_headers])
def test_slow_servers_are_left(server: WebServer, monkeypatch: pytest.MonkeyPatch, reply: Reply) -> None:
    """The time is limited as a whole: a letter now and then, in headers or body, doesn't draw it out."""
    monkeypatch.setattr(module, "SECONDS", 0.3)
    server.replies["/"] = reply
    with pytest.raises(FetchError, match=r"it took longer than 0\.3 seconds"):
        get(f"{server.url}/")


def test_no_more_than_the_header_says_is_read(server: WebServer) -> None:
    """What comes after the length that a server named is not part of the page."""
    server.replies["/"] = respond(200, "<p>word", content_length=3)
    assert get(server.url).data == b"<p>"


def test_a_network_can_be_allowed(server: WebServer) -> None:
    """Addresses that aren't public are reached when they, or their network, are allowed, and no others."""
    server.replies["/"] = html()
    for allowed in (("127.0.0.1",), ("10.0.0.0/8", "127.0.0.0/8")):
        assert get(server.url, allowed=allowed).kind == "text/html"
    for allowed in (("127.0.0.2",), ("10.0.0.0/8", "::/0")):
        with pytest.raises(FetchError, match="in a private network"):
            get(server.url, allowed=allowed)


def test_a_refused_connection_is_told_apart() -> None:
    """A port on which nothing listens, and a name that nobody has, are told apart from what a server answers."""
    for url in (f"http://127.0.0.1:{closed_port()}/", "http://nobody.invalid/"):
        with pytest.raises(UnreachableError):
            get(url)
        with pytest.raises(UnreachableError):
            apart(reach(url, allowed=HERE))


def test_reach_asks_for_nothing(server: WebServer) -> None:
    """Looking whether a server is there sends no request."""
    apart(reach(server.url, allowed=HERE))
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "javascript:fetch('http://127.0.0.1/')",
        "data:text/html,<p>word",
        "gopher://127.0.0.1:70/",
        "http+unix://%2Frun%2Fdocker.sock/",
        "//127.0.0.1/",
        "127.0.0.1",
        "http://",
        "",
        "http://me:word@127.0.0.1/",
        "http://news.example@127.0.0.1/",
        "https://news.example:443@127.0.0.1/",
    ],
)
def test_only_plain_web_addresses_are_fetched(url: str) -> None:
    """Other schemes, addresses without a host and those with a password are refused."""
    with pytest.raises(FetchError, match="only plain http and https"):
        get(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "127.1",
        "0xa9fea9fe",
        "127。0。0。1",
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001:db8::1]",
        "[fc00::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
    ],
)
def test_addresses_that_are_not_public_are_refused(host: str) -> None:
    """No form of a private, loopback, link-local or multicast address is connected to."""
    with pytest.raises(FetchError, match="in a private network"):
        get(f"http://{host}:9/", allowed=())


@pytest.mark.parametrize(
    "host", ["0177.0.0.1", "127.0.0.1.", "127.0.0.256", "①②⑦.⓪.⓪.①", "127.0.0.1\\@news.example", "a b"]
)
def test_hosts_that_may_be_read_in_two_ways_are_refused(host: str) -> None:
    """Octal numbers, circled digits and the like, which programs read differently, lead nowhere."""
    with pytest.raises(FetchError, match=r"can't be understood|can't be found|in a private network|plain http"):
        get(f"http://{host}:9/", allowed=())


@pytest.mark.parametrize("host", ["93.184.215.14", "[2606:4700::1111]", "[64:ff9b::808:808]"])
def test_public_addresses_are_not_refused(host: str) -> None:
    """A public address is connected to, which in tests is where it ends."""
    with pytest.raises(BaseExceptionGroup) as raised:
        get(f"http://{host}/", allowed=())
    assert raised.group_contains((SocketConnectBlockedError, UserWarning), match=re.escape(host.strip("[]")))


def test_the_address_that_was_checked_is_connected_to(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once, so it can't lead elsewhere after the check; the server still sees the name."""
    asked = names(monkeypatch, "127.0.0.1", "10.0.0.1")
    server.replies["/"] = html()
    assert get(f"http://news.example:{server.port}/").url == f"http://news.example:{server.port}/"
    assert asked == ["news.example"]
    assert server.requests[0].headers["Host"] == f"news.example:{server.port}"


def test_a_name_is_checked_again_after_a_redirect(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect to the same name looks it up and checks it anew."""
    asked = names(monkeypatch, "127.0.0.1", "10.0.0.1")
    server.replies["/"] = redirect("/again")
    with pytest.raises(FetchError, match=r"news\.example is in a private network \(10\.0\.0\.1\)"):
        get(f"http://news.example:{server.port}/")
    assert asked == ["news.example"] * 2


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="a server on IPv6 is needed")
def test_an_address_that_fails_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with several addresses is reached when one of them answers, and refused when one is not public."""
    with WebServer({"/": html()}, host="::1") as server:
        found = [(0, 0, 0, "", (address, server.port)) for address in ("::1", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        url = f"http://news.example:{server.port}/"
        assert get(url, allowed=("127.0.0.1", "::1")).url == url
        apart(reach(url, allowed=("127.0.0.1", "::1")))
        with pytest.raises(FetchError, match=r"private network \(::1\)"):
            get(url)


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl")
def test_certificates_are_about_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the connection goes to an IP address, the certificate has to be the name's, and trusted."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem"
    extension = ["-subj", "/CN=news.example", "-addext", "subjectAltName=DNS:news.example"]
    subprocess.run([*command.split(), *extension], cwd=tmp_path, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    names(monkeypatch, *["127.0.0.1"] * 3)
    with WebServer({"/": html()}, tls) as server:
        with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
            get(f"https://news.example:{server.port}/")
        monkeypatch.setattr(module, "_tls", lambda: trusting)
        assert get(f"https://news.example:{server.port}/").data == page().encode()
        with pytest.raises(UnreachableError, match="Hostname mismatch"):
            get(f"https://other.example:{server.port}/")


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "7", 7.0),
        (503, "0", 0.0),
        (503, "Mon, 27 Jan 2025 00:00:00 GMT", 0.0),
        (429, "soon", None),
        (429, "", None),
        (404, "7", None),
    ],
)
def test_how_long_a_busy_server_wants_peace(server: WebServer, status: int, header: str, seconds: float | None) -> None:
    """Retry-After is understood as seconds and as a point in time, and only from a server that is busy."""
    server.replies["/"] = respond(status, retry_after=header)
    with pytest.raises(StatusError) as raised:
        get(f"{server.url}/")
    assert raised.value.retry_after == seconds


def test_a_turn_is_taken_for_each_request(server: WebServer) -> None:
    """Whoever hands out turns sees every address before it is asked, redirected ones too, and may refuse."""
    server.replies |= {"/a": redirect("/b"), "/b": html()}
    turns: list[tuple[str, int]] = []

    @asynccontextmanager
    async def turn(url: str) -> AsyncIterator[None]:
        turns.append((url, len(server.requests)))
        if len(turns) > 2:
            raise FetchError("no more")
        yield

    get(f"{server.url}/a", turn=turn)
    assert turns == [(f"{server.url}/a", 0), (f"{server.url}/b", 1)]
    with pytest.raises(FetchError, match="no more"):
        get(f"{server.url}/a", turn=turn)
    assert len(server.requests) == 2
