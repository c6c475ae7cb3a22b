"""Fetches the originals behind the articles, politely, into the user's own data."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from platformdirs import user_data_path

from corpus.reading_list import Original, is_home_page
from ingest.fetch import Page, UnreachableError, reach
from ingest.load import load
from ingest.polite import Visitor, host_of
from rag.errors import FetchError, LoadError, NetworkError
from rag.records import Article

HOSTS_AT_ONCE = 8
WITNESSES = 8
"""When none of so many hosts, those with the most originals, can be reached, there is no network."""
LOST_IN_A_ROW = 5
"""After so many originals without one server that answers, the network may have gone."""
LEAST_WORDS = 80
"""Below these it's a teaser, a notice or a list of links."""


@dataclass(slots=True)
class Fetched:
    """What became of the originals: how many came now, how many were there, and (address, reason) of the others."""

    folder: str
    new: int = 0
    kept: int = 0
    missed: list[tuple[str, str]] = field(default_factory=list)


def default_folder() -> Path:
    """Where the originals are kept: under the platform's directory for user data."""
    return user_data_path("aftershock", appauthor=False) / "reading-list"


def fetch_originals(
    originals: Sequence[Original],
    folder: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    allowed: Collection[str] = (),
) -> Fetched:
    """Save those originals in `folder` that are not there yet, each as a file that `ingest.update` reads.

    Each page is saved as soon as it is there, so a run that was interrupted is gone on with by the next. One request
    at a time goes to a host, with a pause, and only for what its robots.txt allows.

    Args:
        originals: what to fetch.
        folder: where to; made when there is something to save.
        progress: called with how many of them are settled, and how many there are.
        allowed: IP addresses that may be reached although they are not public.

    Raises:
        NetworkError: there is no network, or it went away; what was saved before stays.
        LoadError: the folder can't be written.
    """
    missing = [original for original in originals if not _path(folder, original).exists()]
    run = _Run(originals, folder, progress or (lambda _done, _total: None), allowed)
    run.report.kept = len(originals) - len(missing)
    if missing:
        asyncio.run(run.all(missing))
    run.report.missed.sort()
    return run.report


def _path(folder: Path, original: Original) -> Path:
    host = re.sub(r"[^a-z0-9.-]", "-", host_of(original.url))
    return folder / f"{host}-{hashlib.sha256(original.url.encode()).hexdigest()[:16]}.jsonl"


class _Run:
    def __init__(
        self,
        originals: Sequence[Original],
        folder: Path,
        progress: Callable[[int, int], None],
        allowed: Collection[str],
    ) -> None:
        self.originals = originals
        self.folder = folder
        self.progress = progress
        self.allowed = allowed
        self.report = Fetched(str(folder))
        self.visitor = Visitor(allowed)
        self.places = asyncio.Semaphore(HOSTS_AT_ONCE)
        self.lost = 0

    async def all(self, missing: Sequence[Original]) -> None:
        await self._assert_network()
        queues: defaultdict[str, list[Original]] = defaultdict(list)
        for original in missing:
            queues[host_of(original.url)].append(original)
        await asyncio.gather(*(self._queue(queue) for queue in queues.values()))

    async def _assert_network(self) -> None:
        """Find one host that can be reached, of those that most originals come from.

        Raises:
            NetworkError: there is none.
        """
        examples = {host_of(original.url): original.url for original in self.originals}
        counts = Counter(host_of(original.url) for original in self.originals)
        attempts = [
            asyncio.create_task(reach(examples[host], allowed=self.allowed))
            for host, _ in counts.most_common(WITNESSES)
        ]
        try:
            for attempt in asyncio.as_completed(attempts):
                try:
                    await attempt
                except FetchError:
                    continue
                return
        finally:
            for task in attempts:
                task.cancel()
            await asyncio.gather(*attempts, return_exceptions=True)
        if self.report.new:
            raise NetworkError(
                f"The network has gone; the {self.report.new} originals fetched so far are kept, and the same command "
                "goes on from there."
            )
        raise NetworkError("There is no network, so the originals can't be fetched; nothing was changed.")

    async def _queue(self, queue: Sequence[Original]) -> None:
        """Fetch the originals of one host, one after the other."""
        async with self.places:
            for original in queue:
                try:
                    page = await self.visitor.fetch(original.url)
                    await asyncio.to_thread(_save, original, page, self.folder)
                    self.report.new += 1
                    self.lost = 0
                except FetchError as error:
                    self.report.missed.append((original.url, str(error)))
                    self.lost = self.lost + 1 if isinstance(error, UnreachableError) else 0
                    if self.lost == LOST_IN_A_ROW:
                        await self._assert_network()
                        self.lost = 0
                settled = self.report.kept + self.report.new + len(self.report.missed)
                self.progress(settled, len(self.originals))


def _save(original: Original, page: Page, folder: Path) -> None:
    """Save the article of a page as JSON Lines, described as on the reading list.

    Raises:
        FetchError: the page holds no article.
        LoadError: it can't be saved.
    """
    if is_home_page(page.url) and not is_home_page(original.url):
        raise FetchError("the page is gone, and its address leads to a home page")
    try:
        article = _article(page)
        fields = {
            "title": article.title if original.title.startswith("[") else original.title,
            "outlet": original.outlet,
            "published": original.date.isoformat(),
            "url": original.url,
            "author": article.author,
            "text": article.text,
        }
        folder.mkdir(parents=True, exist_ok=True)
        path = _path(folder, original)
        # Complete or not there at all: a hidden file is no article to a sync.
        part = path.with_name(f".{path.name}")
        part.write_text(json.dumps(fields, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        reason = error.strerror or error
        raise LoadError(f"The originals can't be saved in {folder} ({reason}); what was saved before stays.") from error


def _article(page: Page) -> Article:
    """The article that a page holds.

    Raises:
        FetchError: it holds none.
    """
    data = page.data
    with suppress(LookupError, UnicodeError):  # for a name that is no encoding, or the wrong one
        data = data.decode(page.encoding).encode() if page.encoding else data
    with TemporaryDirectory() as place:
        path = Path(place) / "page.html"
        path.write_bytes(data)
        [loaded] = load(path)
    if loaded.article is None:
        raise FetchError(loaded.reason)
    words = len(loaded.article.text.split())
    if words < LEAST_WORDS:
        raise FetchError(f"no article can be read there without a subscription or a browser ({words} words)")
    return loaded.article
