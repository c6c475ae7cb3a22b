"""Brings the index in line with files: new articles in, changed ones replaced, vanished ones out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from itertools import chain
from os import PathLike, stat_result
from pathlib import Path

from ingest import listed
from ingest.article import Loaded, digest
from ingest.build import Builder, Change, Item
from ingest.cache import Content, Embeddings, Ledger
from ingest.load import files, load, shown
from ingest.split import VERSION
from rag import generations
from rag.cross_encoder import CrossEncoder
from rag.embed import Embedder, MiniLM
from rag.errors import IndexDamagedError, IndexMissingError, IndexStateError, LoadError
from rag.index import Index
from rag.settings import Settings
from rag.stored import Stamp
from rag.vectors import Filler
from rag.writable import WritableIndex


@dataclass(slots=True)
class Report:
    """What a sync did, counted in articles.

    `passages` is how many the index holds now, and `copies` how many of its articles are copies of another one, which
    are kept as further sources of that one's passages; `repeated` articles stood in several files, word for word and
    under the same id or address, and are held once. `failed` lists what could not be read, as (place, reason);
    `warnings` what is wrong with articles that were read, in the same form; `ignored` the files in folders and
    archives whose format is none that can be read.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    repeated: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)
    copies: int = 0
    passages: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync has come, in bytes of what is to be read; `passages` were written."""

    done: int
    total: int
    articles: int
    passages: int = 0


_LINK = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def is_link(place: object) -> bool:
    """Whether something to ingest is an address on the web and not a file."""
    return isinstance(place, str) and _LINK.match(place) is not None


def sync(
    paths: Iterable[str | PathLike[str]],
    settings: Settings | None = None,
    *,
    embedder: Embedder | None = None,
    rebuild: bool = False,
    dry_run: bool = False,
    allowed: Collection[str] = (),
    forget: Collection[str] = (),
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Bring the index in line with files, folders and links, and say what changed.

    Articles are recognised by their content: unchanged ones cost nothing, changed ones are replaced, and those
    that came from under one of `paths` and are no longer there are removed. Articles from elsewhere stay. What
    can't be read is reported and what the index had of it is kept. Readers keep the old index until the new one is
    complete. An index made by another embedder, chunker or schema is made anew from the articles it holds. What a
    run that was killed or interrupted has embedded is not embedded again.

    Args:
        paths: files, folders, and addresses of pages and feeds on the web.
        settings: where the index is; from the environment when not given.
        embedder: makes the vectors; the built-in one when not given.
        rebuild: make the whole index anew, also when it is damaged, from the files and the articles it holds.
        dry_run: change nothing, and say what would be changed.
        allowed: IP addresses and networks that links may lead to although they are not public.
        forget: addresses of pages whose articles go, as those of links never do by themselves.
        progress: called now and then.

    Raises:
        IndexBusyError: another process is writing.
        IndexDamagedError: the index can't be read, and `rebuild` was not asked for.
        IndexStateError: the index can't be written.
        EmbedderError: the embedder's weights are missing or wrong.
        SettingsError: what is allowed is no network.
    """
    started = time.monotonic()
    if allowed:
        from ingest.fetch import check_networks

        check_networks(allowed)
    places = list(paths)
    roots = [listed.resolved(Path(place)) for place in places if not is_link(place)]
    settings = settings or Settings.from_env()
    embedder = embedder or MiniLM()
    with nullcontext() if dry_run else generations.writing(settings.index):
        run = _Sync(settings.index, embedder, progress, rebuild, dry_run, frozenset(forget))
        report = run.run(roots, [str(place) for place in places if is_link(place)], allowed)
    if isinstance(embedder, MiniLM) and not dry_run:
        # Answers need it, and whoever waits for an ingest waits more gladly than who asks the first question.
        CrossEncoder(embedder).prepare()
    report.seconds = time.monotonic() - started
    return report


def sync_corpus(settings: Settings, progress: Callable[[Progress], None] | None = None) -> Report:
    """Bring the index in line with the articles that come with Aftershock."""
    import corpus

    return sync([corpus.FOLDER], settings, progress=progress)


def rebuild(
    settings: Settings, *, embedder: Embedder | None = None, progress: Callable[[Progress], None] | None = None
) -> Report:
    """Make the index anew from the articles that it holds, without their files.

    Raises:
        IndexMissingError: there is no index.
        IndexDamagedError: its articles can't be read.
        IndexBusyError: another process is writing.
        IndexStateError: it can't be written.
    """
    with closing(_readable(settings.index)):
        pass
    return sync([], settings, embedder=embedder, rebuild=True, progress=progress)


def _readable(root: Path) -> Index:
    """The current generation, all of whose articles can be read, whatever is wrong with the rest."""
    try:
        index = Index(generations.current(root), root, salvage=True)
        try:
            for article_id, _ in index.origins():
                index.article(article_id)
        except BaseException:
            index.close()
            raise
    except IndexDamagedError as error:
        raise IndexDamagedError(
            f"The articles in the index at {root} can't be read: "
            f"make it anew from their files with '{generations.rebuilding_from_files(root)}'."
        ) from error
    return index


class _Sync:
    """One run: reads files, compares with the old index, and builds the next generation if anything differs."""

    def __init__(
        self,
        root: Path,
        embedder: Embedder,
        progress: Callable[[Progress], None] | None,
        rebuild: bool,
        dry_run: bool,
        forget: frozenset[str],
    ) -> None:
        self.root = root
        self.forget = forget
        self.embedder = embedder
        self.progress = progress
        self.dry_run = dry_run
        self.report = Report()
        self.stamp = Stamp(embedder.identity, VERSION)
        self.base = self._open_old(rebuild)
        self.anew = self.base is None or rebuild or self.base.stamp != self.stamp or self.base.is_sparse
        # Who asks for a rebuild wants the files to be read again, too.
        self.ledger = Ledger(root / "files.sqlite", None if rebuild else self.base, is_kept=not dry_run)
        self.kept_origins: set[str] = set()
        self.builder: Builder | None = None
        self.done = self.total = self.articles = 0

    def run(self, roots: Sequence[Path], links: Sequence[str], allowed: Collection[str]) -> Report:
        try:
            self._run(roots, chain(self._changes(roots), self._linked(links, allowed)))
        finally:
            self.ledger.close()
            if self.base is not None:
                self.base.close()
        return self.report

    def _run(self, roots: Sequence[Path], changes: Iterator[Item]) -> None:
        if self.dry_run:
            for _ in changes:
                pass
            self.report.removed = sum(1 for _ in self._vanished(roots))
            self._count(self.base)
        elif self.anew:
            self._build(roots, chain(changes, self._others(roots)))
        else:
            first = next(changes, None)
            if first is not None or next(self._vanished(roots), None) is not None:
                self._build(roots, changes if first is None else chain([first], changes))
            else:
                self._count(self.base)

    def _open_old(self, rebuild: bool) -> Index | None:
        """The current generation; when it is to be made anew, None where not even its articles can be read."""
        try:
            if rebuild:
                return _readable(self.root)
            return Index(generations.current(self.root), self.root)
        except IndexMissingError:
            return None
        except IndexStateError:
            if not rebuild:
                raise
            return None

    def _count(self, index: Index | None) -> None:
        if index is not None:
            self.report.passages = index.passages()
            self.report.copies = index.copies

    def _changes(self, roots: Sequence[Path]) -> Iterator[Item]:
        """The articles in the files that are to be stored; counts and reports as it goes."""
        paths = self._listed(roots)
        self.total = sum(map(listed.size, paths))
        for path in paths:
            start = self.done
            found_state = listed.state(path)
            known = self.ledger.known(path, found_state) if found_state else 0
            if known:
                yield from self._unread(path, known)
            else:
                yield from self._read(path, found_state)
            self.done = start + (found_state.st_size if found_state else 0)
            self._report_progress()

    def _listed(self, roots: Sequence[Path]) -> listed.Paths:
        """The files to read."""
        to_read: dict[str, None] = {}
        for root in roots:
            try:
                found, ignored = files(root)
            except LoadError as error:
                self.report.failed.append((shown(root), str(error)))
                self.kept_origins.add(shown(root))
                continue
            to_read |= dict.fromkeys(found)
            self.report.ignored += [shown(Path(path)) for path in ignored]
        return listed.Paths(list(to_read))

    def _unread(self, path: Path, articles: int) -> Iterator[Item]:
        """What is to be stored of a file that has not changed: nothing, unless the index is made anew."""
        self.report.unchanged += articles
        self.articles += articles
        if self.anew and self.base is not None:
            for article_id, old_digest in self.base.of_origin(shown(path)):
                yield self._stored(article_id, old_digest, shown(path))

    def _read(self, path: Path, found_state: stat_result | None) -> Iterator[Item]:
        content: Content | None = Content()
        for loaded in load(path):
            self.done += loaded.size
            if loaded.is_aside:
                self.report.ignored.append(loaded.place)
                continue
            item = self._judge(loaded, shown(path))
            if item is None:
                content = None
            else:
                if content is not None:
                    content.add(item.article.id, item.digest)
                if item.change != "none":
                    yield item
            self._report_progress()
        if content is not None and content.articles and found_state is not None:
            self.ledger.note(path, found_state, content)

    def _linked(self, links: Sequence[str], allowed: Collection[str]) -> Iterator[Item]:
        """The articles on the web that are to be stored; none goes because its page or its feed has."""
        if not links:
            return
        # Only here: what fetches is not needed for files, nor by the processes that read them.
        from ingest.links import SIZE, fetched

        self.total += SIZE * len(links)
        with closing(fetched(links, allowed)) as found:
            for loaded in found:
                self.done += loaded.size
                item = self._judge(loaded, loaded.place)
                if item is not None and item.change != "none":
                    yield item
                self._report_progress()

    def _judge(self, loaded: Loaded, origin: str) -> Item | None:
        """The article as it is to be stored; None, and a word in the report, where there is none."""
        article = loaded.article
        if article is None:
            self.report.failed.append((loaded.place, loaded.reason))
            self.kept_origins.add(origin)
            return None
        new_digest = digest(article)
        seen = self.ledger.seen(article.id)
        if seen == new_digest:
            self.report.repeated += 1
            return None
        if seen is not None:
            reason = f"another article in the same run has the id {article.id!r}; this one was left out"
            self.report.failed.append((loaded.place, reason))
            return None
        self.ledger.see(article.id, new_digest)
        self.articles += 1
        self.report.warnings += [(loaded.place, warning) for warning in loaded.warnings]
        recorded = self.base.recorded(article.id) if self.base is not None else None
        change: Change = "new"
        if recorded is None:
            self.report.added += 1
        elif recorded[0] != new_digest:
            self.report.updated += 1
            change = "changed"
        else:
            self.report.unchanged += 1
            change = "moved" if recorded[1] != origin else "none"
        return Item(article, new_digest, origin, "new" if self.anew else change)

    def _others(self, roots: Sequence[Path]) -> Iterator[Item]:
        """What the old index holds from elsewhere, or of files that could not be read."""
        if self.base is None:
            return
        if not roots:
            self.total = self.base.characters()
        for article_id, origin in self.base.origins():
            if self.ledger.has_seen(article_id) or self._is_vanished(origin, roots):
                continue
            recorded = self.base.recorded(article_id)
            assert recorded is not None
            item = self._stored(article_id, recorded[0], origin)
            yield item
            self.done += len(item.article.text)
            self.total = max(self.total, self.done)
            self.articles += 1
            self._report_progress()

    def _stored(self, article_id: str, old_digest: str, origin: str) -> Item:
        assert self.base is not None
        article = self.base.article(article_id)
        assert article is not None
        # An older version's digest is of an article with other fields.
        is_current = self.base.stamp.schema == self.stamp.schema
        return Item(article, old_digest if is_current else digest(article), origin, "new")

    def _vanished(self, roots: Sequence[Path]) -> Iterator[str]:
        """Known articles from under the roots that were not found again, though their file could be read."""
        if self.base is not None:
            for article_id, origin in self.base.origins():
                if self._is_vanished(origin, roots) and not self.ledger.has_seen(article_id):
                    yield article_id

    def _is_vanished(self, origin: str, roots: Sequence[Path]) -> bool:
        """Whether an article from there that was not seen is no longer there, or to be forgotten."""
        if origin in self.forget:
            return True
        places = {origin, *map(str, Path(origin).parents)}
        return places.isdisjoint(self.kept_origins) and any(shown(root) in places for root in roots)

    def _build(self, roots: Sequence[Path], items: Iterator[Item]) -> None:
        at_hand = Embeddings.collected(self.root, self.base, generations.unfinished(self.root))
        with closing(at_hand), generations.next_generation(self.root, copy=not self.anew) as folder:
            index = (
                WritableIndex.create(folder, self.root, self.stamp) if self.anew else WritableIndex(folder, self.root)
            )
            with closing(index), Filler(folder) as filler:
                base = None if self.anew else self.base
                with Builder(index, base, self.embedder, at_hand, filler) as self.builder:
                    self.builder.store(items)
                    vanished = list(self._vanished(roots))
                    self.report.removed = len(vanished)
                    self.builder.finish(() if self.anew else vanished)
                self._report_progress()
                self._count(index)
        at_hand.drop()

    def _report_progress(self) -> None:
        if self.progress:
            passages = self.builder.passages if self.builder else 0
            self.progress(Progress(self.done, self.total, self.articles, passages))
