"""Addresses on the web to articles: pages, documents, and the pages that a feed names. Nothing of it is trusted."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import anyio
import anyio.to_thread
import httpx
from anyio.from_thread import start_blocking_portal
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from corpus.reading_list import is_home_page
from ingest import isolated
from ingest.article import Loaded
from ingest.feeds import read_feed
from ingest.fetch import HTML, Page
from ingest.polite import Visitor, host_of
from ingest.update import is_link
from rag.errors import FetchError, LoadError
from rag.records import Source

T = TypeVar("T")

SIZE = 10_000
"""What each link counts for in the progress of a sync, in bytes: how large it is is not known before."""
HOSTS_AT_ONCE = 8
MOST_ENTRIES = 500
"""Of a feed."""
LEAST_WORDS = 40
"""A page with fewer is a teaser, a notice, or wants a browser, and must not take the place of an article."""

_FEEDS = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/xml", "text/xml")
_SUFFIXES = {
    **dict.fromkeys(HTML, ".html"),
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/pdf": ".pdf",
    "application/epub+zip": ".epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/jsonl": ".jsonl",
    "application/x-ndjson": ".jsonl",
    **dict.fromkeys(_FEEDS, ".xml"),
}
_XML = re.compile(rb"\s*<(\?xml|rss|feed|rdf:RDF)[\s>]", re.IGNORECASE)
_FEED = re.compile(rb"<(rss|feed|rdf:RDF)[\s>]", re.IGNORECASE)
_FEED_NAME = "feed.xml"
_BEGINNING = 4096
_AHEAD = 32
_TEXTS = (".html", ".txt", ".md", ".jsonl")
# Only those that never say which article is meant: "id", "cid" or "source" may.
_TRACKING = re.compile(
    r"(utm|mtm|pk|mc|hsa|itm|vero|oly)_.*|(fb|g|dc|tw|y|ysc|msclk|twc)clid|[gw]braid|msclkid|igsh(id)?|ref_src|ref_url|"
    r"cmpid|smid|ocid|_ga|_gl|spm",
    re.IGNORECASE,
)


def read_list(path: Path) -> list[str]:
    """The links of a file: one a line; empty lines and those that begin with # are passed over.

    Raises:
        LoadError: it can't be read, holds none, or something else.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "it is not UTF-8"
        raise LoadError(f"The links in {path} can't be read ({reason}).") from error
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#") and not is_link(line):
            raise LoadError(
                f"Line {number} of {path} is no address: {line[:60]!r}; write it as https://news.example/a."
            )
    links = [line for line in lines if is_link(line)]
    if not links:
        raise LoadError(f"There is no link in {path}; write one on each line.")
    return links


def canonical(url: str, claimed: str = "") -> str:
    """The address by which an article is known: without what tells visitors apart, and without the place in the page.

    >>> canonical("HTTPS://News.example:443/a?utm_source=x&id=5#top")
    'https://news.example/a?id=5'

    Args:
        claimed: the address that the page itself says is its own. It counts if it is of the same host, and not that
            host's home page.
    """
    own = httpx.URL(url)
    with suppress(httpx.InvalidURL, ValueError):
        other = own.join(claimed)
        if other.host == own.host and other.scheme in ("http", "https") and not is_home_page(str(other)):
            own = other.copy_with(userinfo=b"", port=own.port, scheme=own.scheme)
    fields = [(name, value) for name, value in parse_qsl(own.query.decode(), True) if not _TRACKING.fullmatch(name)]
    return str(own.copy_with(query=urlencode(fields).encode() or None, fragment=None))


def fetched(links: Sequence[str], allowed: Collection[str] = ()) -> Generator[Loaded]:
    """The articles at the links, as they come in, and the reason for each link where there is none.

    A page is one article, known by its canonical address, which is also the `place` of what is loaded. Of a feed the
    pages of its entries are fetched; where that fails, what the feed holds of the entry stands in. Hosts are asked at
    the same time, each for one page after the other.

    Args:
        allowed: IP addresses and networks that may be reached although they are not public.
    """
    with (
        # Pages come in, some of them ahead, while others are embedded and stored.
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_results(links, allowed)) as results,
    ):
        while True:
            try:
                loaded = portal.call(results.receive)
            except anyio.EndOfStream:
                return
            try:
                yield loaded
            except GeneratorExit:  # which must not get into the other thread
                return


def read_entries(name: str, data: bytes) -> Iterator[Loaded]:
    """The entries of a feed that have a link, which is their `place`, with what the feed holds of the article.

    Raises:
        LoadError: it is no feed, or has no entry.
    """
    import feedparser

    own = {loaded.place.partition("#")[2]: loaded for loaded in read_feed(name, data) if loaded.article}
    for entry in feedparser.parse(BytesIO(data)).entries[:MOST_ENTRIES]:
        if link := entry.get("link"):
            teaser = Loaded(link, 0, reason="the feed holds a headline or a teaser only")
            yield replace(own.get(link, teaser), place=link)


@asynccontextmanager
async def _results(links: Sequence[str], allowed: Collection[str]) -> AsyncIterator[MemoryObjectReceiveStream[Loaded]]:
    send, receive = anyio.create_memory_object_stream[Loaded](_AHEAD)
    async with anyio.create_task_group() as group, receive:
        group.start_soon(_Run(allowed, send).all, list(dict.fromkeys(links)))
        yield receive
        group.cancel_scope.cancel()


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a feed: the address of its page, and what the feed holds of it."""

    link: str
    own: Loaded
    size: int


class _Run:
    def __init__(self, allowed: Collection[str], results: MemoryObjectSendStream[Loaded]) -> None:
        self._visitor = Visitor(allowed)
        self._results = results
        self._places = anyio.Semaphore(HOSTS_AT_ONCE)
        self._entries: list[_Entry] = []
        self._seen: set[str] = set()

    async def all(self, links: Sequence[str]) -> None:
        async with self._results:
            await self._each(links, str, self._link)
            await self._each(self._entries, lambda entry: entry.link, self._entry)

    async def _each(
        self, subjects: Iterable[T], link: Callable[[T], str], work: Callable[[T], Awaitable[None]]
    ) -> None:
        """Work on all subjects, those of one host one after the other."""
        queues: defaultdict[str, list[T]] = defaultdict(list)
        for subject in subjects:
            queues[_host(link(subject))].append(subject)

        async def one_after_the_other(subjects: list[T]) -> None:
            async with self._places:
                for subject in subjects:
                    await work(subject)

        async with anyio.create_task_group() as group:
            for subjects in queues.values():
                group.start_soon(one_after_the_other, subjects)

    async def _link(self, link: str) -> None:
        try:
            page = await self._visitor.fetch(link, tuple(_SUFFIXES))
        except FetchError as error:
            await self._results.send(Loaded(link, SIZE, reason=str(error)))
        else:
            beginning = page.data[:_BEGINNING]
            if page.kind in _FEEDS or (_XML.match(beginning) and _FEED.search(beginning)):
                await self._feed(link, page)
            else:
                await self._page(link, page, SIZE)

    async def _feed(self, link: str, page: Page) -> None:
        found = await anyio.to_thread.run_sync(_read_feed, page)
        if not found or found[0].place == _FEED_NAME:
            reason = found[0].reason if found else "none of the feed's entries has a link"
            await self._results.send(Loaded(link, SIZE, reason=reason))
        for loaded in found:
            if loaded.place != _FEED_NAME:
                self._entries.append(_Entry(urljoin(page.url, loaded.place), loaded, SIZE // len(found)))

    async def _entry(self, entry: _Entry) -> None:
        try:
            page = await self._visitor.fetch(entry.link, [kind for kind in _SUFFIXES if kind not in _FEEDS])
            found = await anyio.to_thread.run_sync(_read, page, entry.link)
            if found[0].article is None:
                raise FetchError(found[0].reason)
        except FetchError as error:
            if entry.own.article is None:
                await self._results.send(Loaded(entry.link, entry.size, reason=f"{error}, and {entry.own.reason}"))
                return
            note = f"its page can't be had ({error}), so this is what the feed holds of it"
            own = replace(entry.own, warnings=(*entry.own.warnings, note))
            await self._send([_known_by(own, entry.link)], entry.size)
        else:
            await self._send(found, entry.size)

    async def _page(self, link: str, page: Page, size: int) -> None:
        await self._send(await anyio.to_thread.run_sync(_read, page, link), size)

    async def _send(self, found: Sequence[Loaded], size: int) -> None:
        """Hand out what a page holds, unless another link led to the same."""
        for loaded in found:
            if loaded.article is None or loaded.place not in self._seen:
                self._seen.add(loaded.place)
                await self._results.send(replace(loaded, size=size // len(found)))


def _host(link: str) -> str:
    try:
        return host_of(link)
    except ValueError:
        return ""


def _read_feed(page: Page) -> list[Loaded]:
    """The entries of a feed, read apart, because a feed may be made to crash or swell whoever reads it."""
    worker = isolated.Worker("ingest.links:read_entries")
    try:
        return worker.read(_FEED_NAME, page.data)
    finally:
        worker.close()


def _read(page: Page, link: str) -> list[Loaded]:
    """The articles of a page or document, one at least, or the reason why there is none."""
    if is_home_page(page.url) and not is_home_page(link):
        return [Loaded(link, 0, reason="the page is gone, and its address leads to a home page")]
    suffix = _SUFFIXES[page.kind]
    data = _in_utf_8(page) if suffix in _TEXTS else page.data
    path = PurePosixPath(urlsplit(page.url).path)
    found = isolated.read(f"{path.stem or _host(page.url)}{suffix}", data)
    if len(found) == 1 and (article := found[0].article) is not None:
        words = len(article.text.split())
        if suffix == ".html" and words < LEAST_WORDS:
            reason = f"no article can be read there without a subscription or a browser ({words} words)"
            return [Loaded(link, 0, reason=reason)]
        return [_known_by(found[0], page.url)]
    # Several, as in an export, have names of their own.
    return [replace(loaded, place=f"{link}{_line(loaded.place)}") for loaded in found] or [
        Loaded(link, 0, reason="no article is in it")
    ]


def _known_by(loaded: Loaded, url: str) -> Loaded:
    """The article with its canonical address, which also makes its id."""
    article = loaded.article
    assert article is not None
    url = canonical(url, article.url)
    outlet = article.outlet or _host(url)
    slug = re.sub(r"[^a-z0-9]+", "-", url.partition("://")[2].lower())[:60].strip("-")
    named = replace(
        article,
        id=f"{slug}-{hashlib.sha256(url.encode()).hexdigest()[:12]}",
        url=url,
        outlet=outlet,
        sources=(Source(outlet, article.title, url, article.published),),
    )
    return replace(loaded, place=url, article=named)


def _line(place: str) -> str:
    return found[0] if (found := re.search(r":\d+$", place)) else ""


def _in_utf_8(page: Page) -> bytes:
    """The page's text in UTF-8 where its server alone says in what other encoding it is."""
    with suppress(UnicodeError, LookupError):
        page.data.decode()
        return page.data
    with suppress(UnicodeError, LookupError):
        return codecs.BOM_UTF8 + page.data.decode(page.encoding).encode()
    return page.data
