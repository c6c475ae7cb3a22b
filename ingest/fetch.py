"""Fetches one page from the web, trusting neither its address nor its server nor what that sends."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import version

import anyio.to_thread
import httpx

from rag.errors import FetchError, SettingsError

SECONDS = 30
"""Time for one request, from looking up the name to the last byte."""
CONNECT_SECONDS = 8
MOST_BYTES = 8 * 2**20
MOST_REDIRECTS = 5

HTML = ("text/html", "application/xhtml+xml")
AGENT = "Aftershock"
USER_AGENT = f"{AGENT}/{version('aftershock')} (fetches news pages for one reader, and obeys robots.txt)"

_NOT_FOR_US = (401, 402, 403, 407, 451)
_GONE = (404, 410)
_BUSY = (429, 503)

_UNICAST = ipaddress.ip_network("2000::/3")
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")

Turn = Callable[[str], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Page:
    """What an address led to: the address after redirects, and the content with the encoding its server named."""

    url: str
    data: bytes
    encoding: str
    """Empty when the server named none."""
    kind: str = HTML[0]
    """Its media type."""


class UnreachableError(FetchError):
    """No server answers; perhaps there is no network."""


class StatusError(FetchError):
    """The server answered, but not with the page.

    `retry_after` is the seconds that it asks to be left alone; None when it does not ask for that.
    """

    def __init__(self, status: int, retry_after: float | None) -> None:
        self.status = status
        self.retry_after = retry_after
        if status in _NOT_FOR_US:
            reason = "the outlet gives it to no program, or to subscribers only"
        elif status in _GONE:
            reason = "the page is gone"
        elif status in _BUSY:
            reason = "the server is busy or wants no more requests now"
        else:
            reason = "the server did not send the page"
        super().__init__(f"{reason} (status {status})")


async def fetch(
    url: str,
    *,
    types: Collection[str] = HTML,
    turn: Turn = lambda _: nullcontext(),
    allowed: Collection[str] = (),
) -> Page:
    """The page at an address, redirects followed.

    Args:
        url: its address. Only http and https, and only addresses of the public internet, are fetched, after
            redirects too.
        types: media types that will do; any when empty.
        turn: entered with the address for each request, redirected ones too; it may wait, or refuse by a FetchError.
        allowed: IP addresses, or networks as in 10.0.0.0/8, that may be reached although they are not public.

    Raises:
        FetchError: the page cannot be had; the message is the reason.
    """
    here = _parsed(url)
    for _ in range(MOST_REDIRECTS + 1):
        async with turn(str(here)), _response(here, allowed) as response:
            if response.status_code == 200:
                kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                if types and kind not in types:
                    raise FetchError(f"it is no web page but {kind[:100] or 'of an unnamed kind'}")
                return Page(str(here), await _content(response), response.charset_encoding or "", kind)
            if not response.has_redirect_location:
                raise StatusError(response.status_code, _retry_after(response))
        here = _parsed(response.headers["location"], here)
    raise FetchError(f"it redirects more than {MOST_REDIRECTS} times")


async def reach(url: str, *, allowed: Collection[str] = ()) -> None:
    """Connect to the server of an address, and no more.

    Raises:
        FetchError: no connection can be made.
    """
    here = _parsed(url)
    failure: OSError | None = None
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            for address in await _addresses(here, allowed):
                try:
                    _, writer = await asyncio.open_connection(address, _port(here))
                except OSError as error:
                    failure = error
                else:
                    writer.close()
                    return
    except TimeoutError as error:
        failure = error
    raise UnreachableError(f"its server {here.host} can't be reached") from failure


def check_networks(allowed: Collection[str]) -> None:
    """See that these are IP addresses or networks.

    Raises:
        SettingsError: one is neither.
    """
    for network in allowed:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            raise SettingsError(
                f"{network!r} is no network; write an IP address, or a network as in 192.168.1.0/24."
            ) from error


def _parsed(url: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        parsed = base.join(url) if base else httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise FetchError(f"its address can't be understood ({error})") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        raise FetchError(f"only plain http and https addresses are fetched, not {str(parsed)[:100]!r}")
    if (parsed.port or 0) > 65535:
        raise FetchError(f"its address can't be understood (there is no port {parsed.port})")
    return parsed


@asynccontextmanager
async def _response(url: httpx.URL, allowed: Collection[str]) -> AsyncIterator[httpx.Response]:
    """The server's answer to one request, its body unread; what goes wrong in the block is translated too."""
    try:
        # httpx limits each wait for a byte, which a server that sends one now and then can draw out for ever.
        async with asyncio.timeout(SECONDS), _client() as client:
            response = await _sent(client, url, await _addresses(url, allowed))
            try:
                yield response
            finally:
                await response.aclose()
    except TimeoutError as error:
        raise FetchError(f"it took longer than {SECONDS} seconds") from error
    except httpx.InvalidURL as error:  # httpx looks at redirects by itself, too
        raise FetchError(f"it redirects to an address that can't be understood ({error})") from error
    except httpx.TransportError as error:
        raise FetchError(f"the connection broke off ({str(error) or type(error).__name__})") from error


def _client() -> httpx.AsyncClient:
    """A client for one request: nothing of it, such as a cookie or an open connection, is there for the next."""
    # A proxy named in the environment would look up the name again and might connect to another address.
    return httpx.AsyncClient(verify=_tls(), trust_env=False, timeout=httpx.Timeout(SECONDS, connect=CONNECT_SECONDS))


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


async def _sent(client: httpx.AsyncClient, url: httpx.URL, addresses: list[str]) -> httpx.Response:
    """The answer of the first of the addresses that can be connected to.

    The request goes to the IP address that was checked, so that the name can't lead elsewhere meanwhile; the name is
    still what the Host header and the certificate are about.
    """
    headers = {
        "Host": url.netloc.decode("ascii"),
        "User-Agent": USER_AGENT,
        "Accept": ", ".join((*HTML, "*/*;q=0.1")),
        "Accept-Encoding": "gzip",
    }
    failure: Exception | None = None
    for address in addresses:
        request = client.build_request(
            "GET",
            url.copy_with(host=address),
            headers=headers,
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        try:
            return await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            failure = error
    raise UnreachableError(f"no connection to its server can be made ({failure or 'it has no address'})") from failure


async def _addresses(url: httpx.URL, allowed: Collection[str]) -> list[str]:
    """The IP addresses of the server, each once, those of IPv4 first: IPv6 is the one that works only here and there.

    Raises:
        FetchError: there is none, or one of them is not of the public internet and not allowed.
    """
    host = url.raw_host.decode("ascii")
    try:
        # In a thread that may be left behind: looking up a name can't be stopped, and may take longer than we wait.
        found = await anyio.to_thread.run_sync(
            lambda: socket.getaddrinfo(host, _port(url), type=socket.SOCK_STREAM), abandon_on_cancel=True
        )
    except (OSError, UnicodeError) as error:
        raise UnreachableError(f"its server {host} can't be found") from error
    addresses = sorted(dict.fromkeys(str(entry[4][0]) for entry in found), key=lambda address: ":" in address)
    for address in addresses:
        if not _is_public(address) and not _is_in(address, allowed):
            raise FetchError(f"its server {host} is in a private network ({address})")
    return addresses


def _port(url: httpx.URL) -> int:
    return url.port or {"http": 80, "https": 443}[url.scheme]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        # Forms that carry an IPv4 address lead where that one does.
        carried = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _TRANSLATED else ip.ipv4_mapped or ip.sixtofour
        if carried is None:
            return ip.is_global and ip in _UNICAST
        ip = carried
    return ip.is_global and not ip.is_multicast


def _is_in(address: str, networks: Collection[str]) -> bool:
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False) for network in networks)


async def _content(response: httpx.Response) -> bytes:
    """The body, unpacked, when it is not too large."""
    data = bytearray()
    async for piece in response.aiter_raw():
        data += piece
        _check_size(data)
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing == "identity":
        return bytes(data)
    if packing not in ("gzip", "x-gzip"):
        raise FetchError(f"it is packed as {packing[:100]!r}, which was not asked for")
    # Unpacked by hand, because httpx unpacks whatever comes, without a limit.
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = inflater.decompress(data, MOST_BYTES + 1)
    except zlib.error as error:
        raise FetchError("its content is damaged") from error
    _check_size(unpacked)
    if not inflater.eof:
        raise FetchError("its content is cut short")
    return unpacked


def _check_size(data: bytes | bytearray) -> None:
    if len(data) > MOST_BYTES:
        raise FetchError(f"it is larger than {MOST_BYTES // 2**20} MB")


def _retry_after(response: httpx.Response) -> float | None:
    """The seconds for which a busy server asks to be left alone, which it gives as such or as a point in time."""
    value = response.headers.get("retry-after", "").strip()
    if response.status_code not in _BUSY or not value:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
