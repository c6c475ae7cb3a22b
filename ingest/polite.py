"""Asks web servers politely: as their robots.txt allows, one request at a time to each, with a pause."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from protego import Protego

from ingest.fetch import AGENT, HTML, Page, StatusError, UnreachableError, fetch
from rag.errors import FetchError

PAUSE = 2.0
"""Seconds between two requests to one host, unless its robots.txt asks for more."""
PATIENCE = 60.0
"""More seconds than these are not waited for a host; what it has left is for another run."""
ROBOTS_CHARACTERS = 500 * 1024
"""RFC 9309 lets readers of a robots.txt stop here."""


def host_of(url: str) -> str:
    """The host of an address, with its port, in lower case."""
    return urlsplit(url).netloc.lower()


@dataclass(slots=True)
class _Host:
    """What is known of a host, and whose turn it is there."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: Protego | None = None
    refusal: FetchError | None = None
    """Why nothing is fetched there."""
    pause: float = 0.0
    free_at: float = 0.0


class Visitor:
    """Fetches pages, and remembers of each host what it allows and when it was asked last.

    Args:
        allowed: IP addresses and networks that may be reached although they are not public.
    """

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self._allowed = allowed
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)

    async def fetch(self, url: str, types: Collection[str] = HTML) -> Page:
        """The page; a server that is busy and says for how long is asked once more after that.

        Args:
            types: media types that will do.

        Raises:
            FetchError: the page can't be had; the message is the reason.
        """
        try:
            return await fetch(url, types=types, turn=self._turn, allowed=self._allowed)
        except StatusError as error:
            if error.retry_after is None:
                raise
            if error.retry_after > PATIENCE:
                raise FetchError(f"the server wants no request for {error.retry_after:.0f} seconds") from error
            await asyncio.sleep(error.retry_after)
        return await fetch(url, types=types, turn=self._turn, allowed=self._allowed)

    @asynccontextmanager
    async def _turn(self, url: str) -> AsyncIterator[None]:
        """Alone with the host of `url`, as soon as it may be asked again.

        Raises:
            FetchError: its robots.txt forbids it.
        """
        host = self._hosts[host_of(url)]
        loop = asyncio.get_running_loop()
        async with host.lock:
            if host.rules is None and host.refusal is None:
                await self._ask_for_rules(host, url)
                host.free_at = loop.time() + host.pause
            if host.refusal:
                raise type(host.refusal)(*host.refusal.args)
            if host.rules and not host.rules.can_fetch(url, AGENT):
                raise FetchError("the outlet's robots.txt asks programs to leave it alone")
            await asyncio.sleep(host.free_at - loop.time())
            try:
                yield
            finally:
                host.free_at = loop.time() + host.pause

    async def _ask_for_rules(self, host: _Host, url: str) -> None:
        """Learn what the host's robots.txt allows, as RFC 9309 has it: one that is missing allows everything."""
        try:
            page = await fetch(urljoin(url, "/robots.txt"), types=(), allowed=self._allowed)
            text = page.data.decode("utf-8", "replace")[:ROBOTS_CHARACTERS]
        except StatusError as error:
            if error.status >= 500 or error.status == 429:
                host.refusal = FetchError(f"the outlet's robots.txt can't be had ({error})")
            text = ""
        except UnreachableError as error:
            host.refusal = error
            return
        except FetchError as error:
            host.refusal = FetchError(f"the outlet's robots.txt can't be had: {error}")
            return
        host.rules = Protego.parse(text)
        host.pause = max(PAUSE, host.rules.crawl_delay(AGENT) or 0)
        if host.pause > PATIENCE:
            host.refusal = FetchError(f"the outlet's robots.txt asks for {host.pause:.0f} seconds between two requests")
