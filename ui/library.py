"""The articles on the page: browsing and searching them, adding files and links, and taking files out again."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from queue import Queue
from typing import Literal, TypeAlias

from ingest.archives import SUFFIX as ARCHIVE
from ingest.readers import SUFFIXES
from ingest.update import Progress, Report, is_link, sync
from rag.errors import AftershockError, LoadError
from rag.records import Article
from rag.settings import Settings
from ui.models import Assistant

MOST_BYTES = 50 * 2**20
"""Of a file."""
MOST_FILES = 500
"""In the folder of added files."""
MOST_WAITING = 100
MOST_SHOWN = 100
KINDS = SUFFIXES | {ARCHIVE}

State: TypeAlias = Literal["waiting", "reading", "done", "failed"]


@dataclass
class Addition:
    """A file or link that is being added or taken out; `share` of it is read, `message` says what became of it."""

    name: str
    place: str
    state: State = "waiting"
    share: float = 0.0
    message: str = ""
    removes: bool = False
    """It is taken out."""


@dataclass(frozen=True)
class Shelf:
    """Articles that were found: at most `MOST_SHOWN`, of `found`, of `all`."""

    articles: Sequence[Article]
    found: int
    all: int


def folder_of(settings: Settings) -> Path:
    """Where added files are kept: beside the index, in a folder of their own."""
    return settings.index.with_name(f"{settings.index.name}-added")


class Library:
    """The articles of an index. Additions are read one after another in a thread, while answers go on.

    Args:
        assistant: knows the articles.
        allowed: networks that links may lead to although they are not public.
    """

    def __init__(self, assistant: Assistant, allowed: Sequence[str] = ()) -> None:
        self._assistant = assistant
        self._settings = assistant.settings
        self._allowed = allowed
        self.folder = folder_of(assistant.settings)
        self.additions: list[Addition] = []
        self.ended = 0
        """How many additions have come to their end, whose articles are in the index or out of it."""
        self._jobs: Queue[tuple[Addition, str]] = Queue()
        self._worker: threading.Thread | None = None
        self._lock = threading.Lock()

    def shelf(self, words: str = "") -> Shelf:
        """The articles that hold all the words, newest first.

        Raises:
            IndexStateError: the index can't be read.
        """
        wanted = words.casefold().split()
        every = self._assistant.articles()
        found = [
            article
            for article in every
            if all(word in f"{article.title} {article.outlet} {article.text}".casefold() for word in wanted)
        ]
        found.sort(key=lambda article: (any(w not in article.title.casefold() for w in wanted), article.title))
        return Shelf(found[:MOST_SHOWN], len(found), len(every))

    def files(self) -> list[str]:
        """The names of the files that were added."""
        return sorted((path.name for path in self.folder.glob("*") if path.suffix in KINDS), key=str.casefold)

    def links(self) -> dict[str, str]:
        """The pages from the web that are in the index: each one's address to the title of its article."""
        links = {id: place for id, place in self._assistant.origins().items() if is_link(place)}
        found: dict[str, str] = {}
        for id, place in links.items():
            with suppress(KeyError):  # It has gone meanwhile.
                found[place] = self._assistant.article(id).title
        return dict(sorted(found.items(), key=lambda each: each[1].casefold()))

    async def add_file(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Keep a file and have it read.

        Raises:
            LoadError: its kind can't be read, it is too large, or there are too many.
        """
        self._check_room()
        path = self.folder / safe_name(name)
        if len(self.files()) >= MOST_FILES and not path.exists():
            raise LoadError(f"{MOST_FILES} files were added already: take some out first.")
        self.folder.mkdir(parents=True, exist_ok=True)
        # Not yet of a kind that is read, so that nobody reads half of it.
        part = path.with_name(f".{path.name}.part")
        size = 0
        try:
            with part.open("wb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > MOST_BYTES:
                        raise LoadError(f"{path.name} is larger than {MOST_BYTES // 2**20} MB, and not taken.")
                    file.write(chunk)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        self._enqueue(Addition(path.name, str(path)))

    def add_link(self, address: str) -> None:
        """Have a page or feed on the web fetched and read.

        Raises:
            LoadError: it is no address on the web.
        """
        self._check_room()
        address = address.strip()
        if not is_link(address) or not re.match(r"https?://[^\s/]", address, re.IGNORECASE):
            raise LoadError("That is no address on the web: it begins with https:// or http://.")
        self._enqueue(Addition(address, address))

    def remove(self, name: str) -> None:
        """Take a file that was added out of the index, and delete it.

        Raises:
            LoadError: there is no such file.
        """
        if name not in self.files():
            raise LoadError("There is no such file; it may have been removed already.")
        (self.folder / name).unlink(missing_ok=True)
        self._enqueue(Addition(name, str(self.folder), removes=True))

    def forget(self, address: str) -> None:
        """Take a page from the web out of the index.

        Raises:
            LoadError: the index has no such page.
        """
        if address not in self.links():
            raise LoadError("There is no such page; it may have been removed already.")
        self._enqueue(Addition(address, address, removes=True))

    def dismiss(self) -> None:
        """Forget the additions that have come to their end."""
        with self._lock:
            self.additions = [each for each in self.additions if each.state in ("waiting", "reading")]

    @property
    def busy(self) -> bool:
        """Whether anything is still to be read."""
        return any(each.state in ("waiting", "reading") for each in self.additions)

    def wait(self) -> None:
        """Until all that was added is read."""
        self._jobs.join()

    def _check_room(self) -> None:
        if sum(each.state == "waiting" for each in self.additions) >= MOST_WAITING:
            raise LoadError(f"{MOST_WAITING} additions are waiting already: add more once they are read.")

    def _enqueue(self, addition: Addition) -> None:
        with self._lock:
            self.additions = [*self.additions[-2 * MOST_WAITING :], addition]
            self._jobs.put((addition, addition.place))
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="library", daemon=True)
                self._worker.start()

    def _work(self) -> None:
        while True:
            addition, place = self._jobs.get()
            addition.state = "reading"
            outcome: tuple[State, str]
            try:
                places, gone = ([], [place]) if addition.removes and is_link(place) else ([place], [])
                report = sync(places, self._settings, allowed=self._allowed, forget=gone, progress=_shares(addition))
            except AftershockError as error:
                outcome = "failed", str(error)
            except Exception as error:
                outcome = "failed", f"It could not be read ({type(error).__name__})."
            else:
                # That others of the files can't be read is nothing new.
                taken: tuple[State, str] = ("done", f"{report.removed:,} taken out" if report.removed else "taken out")
                outcome = taken if addition.removes else _outcome(report)
            if outcome[0] == "failed" and not is_link(place) and not addition.removes:
                Path(place).unlink(missing_ok=True)  # It would be tried again and again.
            self.ended += 1
            addition.message = outcome[1]
            addition.state = outcome[0]  # Last: whoever sees it looks no further.
            self._jobs.task_done()


def _shares(addition: Addition) -> Callable[[Progress], None]:
    def take(progress: Progress) -> None:
        addition.share = min(1.0, progress.done / progress.total) if progress.total else 0.0

    return take


def _outcome(report: Report) -> tuple[State, str]:
    """How it went, in words.

    >>> _outcome(Report(added=2, failed=[("a.html", "it is empty")]))
    ('done', '2 added, 1 not read: it is empty')
    """
    counts = {
        "added": report.added,
        "updated": report.updated,
        "there already": report.unchanged,
        "taken out": report.removed,
        "repeated": report.repeated,
    }
    told = [f"{count:,} {what}" for what, count in counts.items() if count]
    if report.failed:
        reason = report.failed[0][1]
        if not told:
            return "failed", reason
        told.append(f"{len(report.failed):,} not read: {reason}")
    told += [warning for _, warning in report.warnings[:1]]
    return ("done", ", ".join(told)) if told else ("failed", "no article was found in it")


def safe_name(name: str) -> str:
    """A name for a file that leads nowhere else and that every system takes.

    >>> safe_name("../../etc/passwd.txt"), safe_name("CON: a*b?.md")
    ('passwd.txt', 'CON_ a_b_.md')

    Raises:
        LoadError: files of that kind can't be read.
    """
    base = PurePath(name.replace("\\", "/")).name
    clean = re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069]', "_", base).strip(" .")
    suffix = PurePath(clean).suffix.lower()
    if suffix not in KINDS:
        kinds = ", ".join(sorted(kind.removeprefix(".") for kind in KINDS))
        raise LoadError(f"Files of the kind {suffix or 'without an ending'!r} can't be read; the kinds are {kinds}.")
    stem = clean[: -len(suffix)][:100].rstrip(" .") or "file"
    if re.fullmatch(r"con|prn|aux|nul|com\d|lpt\d", stem, re.IGNORECASE):
        stem += "_"
    return stem + suffix
