"""Brings the index in line with files: new articles in, changed ones replaced, vanished ones out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import islice
from os import PathLike
from pathlib import Path

from ingest.article import Loaded, digest, header
from ingest.load import files, load
from ingest.split import VERSION, clip_header, split
from rag import generations
from rag.embed import Embedder, MiniLM
from rag.errors import IndexMissingError, IndexStateError, LoadError
from rag.index import Index, NewPassage, Stamp
from rag.records import Article
from rag.settings import Settings

BLOCK = 32
"""Articles embedded together: enough to fill the embedder's batches, few enough to keep memory flat."""


@dataclass(slots=True)
class Report:
    """What a sync did, counted in articles; `passages` is how many the index holds now.

    `failed` lists what could not be read, as (place, reason); `ignored` the files in folders whose format is
    none that can be read.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    passages: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sync has come, in bytes of the files to read."""

    done: int
    total: int
    articles: int


@dataclass(frozen=True, slots=True)
class _Item:
    """An article to be stored, the digest of its content, and the file it came from."""

    article: Article
    digest: str
    origin: str


def sync(
    paths: Iterable[str | PathLike[str]],
    settings: Settings | None = None,
    *,
    embedder: Embedder | None = None,
    rebuild: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Bring the index in line with files and folders, and say what changed.

    Articles are recognised by their content: unchanged ones cost nothing, changed ones are replaced, and those
    that came from under one of `paths` and are no longer there are removed. Articles from elsewhere stay. What
    can't be read is reported and what the index had of it is kept. Readers keep the old index until the new one is
    complete. An index made by another embedder, chunker or schema is made anew from the articles it holds.

    Args:
        paths: files and folders.
        settings: where the index is; from the environment when not given.
        embedder: makes the vectors; the built-in one when not given.
        rebuild: make the whole index anew, also when it is damaged.
        progress: called now and then.

    Raises:
        IndexBusyError: another process is writing.
        IndexDamagedError: the index can't be read, and `rebuild` was not asked for.
        IndexStateError: the index can't be written.
        EmbedderError: the embedder's weights are missing or wrong.
    """
    started = time.monotonic()
    settings = settings or Settings.from_env()
    embedder = embedder or MiniLM()
    with generations.writing(settings.index):
        report = _Sync(settings.index, embedder, progress).run([Path(p) for p in paths], rebuild)
    report.seconds = time.monotonic() - started
    return report


def sync_corpus(settings: Settings, progress: Callable[[Progress], None] | None = None) -> Report:
    """Bring the index in line with the articles that come with Aftershock."""
    import corpus

    return sync([corpus.FOLDER], settings, progress=progress)


class _Sync:
    """One run: reads files, compares with the old index, and builds the next generation if anything differs."""

    def __init__(self, root: Path, embedder: Embedder, progress: Callable[[Progress], None] | None) -> None:
        self.root = root
        self.embedder = embedder
        self.stamp = Stamp(embedder.identity, VERSION)
        self.progress = progress
        self.report = Report()
        self.seen: set[str] = set()
        self.kept_origins: set[str] = set()

    def run(self, paths: Sequence[Path], rebuild: bool) -> Report:
        known, base = self._open_old(rebuild)
        with ExitStack() as stack:
            stack.callback(lambda: base.close() if base else None)
            roots = [path.resolve() for path in paths]
            changes = self._changes(roots, known)
            if base is None or base.stamp != self.stamp:
                self._build_anew(changes, roots, known, base)
            else:
                self._build_on(changes, roots, known, base)
        return self.report

    def _open_old(self, rebuild: bool) -> tuple[dict[str, tuple[str, str]], Index | None]:
        """What the old index holds, by article id, and the index itself if its articles can be read."""
        index: Index | None = None
        try:
            index = Index(generations.current(self.root), self.root)
            known = index.digests()
            if not rebuild:
                index.counts()
        except IndexMissingError:
            return {}, None
        except IndexStateError:
            if not rebuild:
                raise
            return {}, None
        if rebuild:
            index.stamp = Stamp("", "")
        return known, index

    def _changes(self, roots: Sequence[Path], known: dict[str, tuple[str, str]]) -> Iterator[_Item]:
        """The articles in the files that are new or differ from the index; counts and reports as it goes."""
        to_read: dict[Path, None] = {}
        for root in roots:
            try:
                found, ignored = files(root)
            except LoadError as error:
                self.report.failed.append((str(root), str(error)))
                self.kept_origins.add(str(root))
                continue
            to_read |= dict.fromkeys(found)
            self.report.ignored += [str(path) for path in ignored]
        total = sum(_size(path) for path in to_read)
        done = 0
        for path in to_read:
            start = done
            for loaded in load(path):
                done += loaded.size
                item = self._judge(loaded, path, known)
                if item is not None:
                    yield item
                if self.progress:
                    self.progress(Progress(done, total, len(self.seen)))
            done = start + _size(path)

    def _judge(self, loaded: Loaded, path: Path, known: dict[str, tuple[str, str]]) -> _Item | None:
        article = loaded.article
        if article is None:
            self.report.failed.append((loaded.place, loaded.reason))
            self.kept_origins.add(str(path))
            return None
        if article.id in self.seen:
            reason = f"another article in the same run has the id {article.id!r}; this one was left out"
            self.report.failed.append((loaded.place, reason))
            return None
        self.seen.add(article.id)
        item = _Item(article, digest(article), str(path))
        old_digest, old_origin = known.get(article.id, ("", ""))
        if old_digest == item.digest:
            self.report.unchanged += 1
            return item if old_origin != item.origin else None
        self.report.updated += bool(old_digest)
        self.report.added += not old_digest
        return item

    def _vanished(self, roots: Sequence[Path], known: dict[str, tuple[str, str]]) -> list[str]:
        """Known articles from under the roots that were not found again, though their file could be read."""
        return [
            article_id
            for article_id, (_, origin) in known.items()
            if article_id not in self.seen
            and origin not in self.kept_origins
            and not any(root in Path(origin).parents for root in map(Path, self.kept_origins))
            and any(root == Path(origin) or root in Path(origin).parents for root in roots)
        ]

    def _build_on(
        self, changes: Iterator[_Item], roots: Sequence[Path], known: dict[str, tuple[str, str]], base: Index
    ) -> None:
        """The next generation as a copy of the old one with the changes made; none when nothing changed."""
        first = next(changes, None)
        gone = self._vanished(roots, known) if first is None else []
        if first is None and not gone:
            self.report.passages = base.counts()[1]
            return
        with generations.next_generation(self.root, copy=True) as folder:
            index = Index(folder, self.root)
            try:
                if first is not None:
                    self._store(index, _chain(first, changes), known)
                gone = self._vanished(roots, known)
                index.remove(gone)
                self.report.removed = len(gone)
                self.report.passages = index.counts()[1]
            finally:
                index.close()

    def _build_anew(
        self, changes: Iterator[_Item], roots: Sequence[Path], known: dict[str, tuple[str, str]], base: Index | None
    ) -> None:
        """The next generation from nothing: the files' articles, and those of the old index from elsewhere."""
        with generations.next_generation(self.root, copy=False) as folder:
            index = Index.create(folder, self.root, self.stamp)
            try:
                # `known` stays out of the way: every article has to be stored, unchanged ones too.
                self._store(index, self._all_articles(changes, roots, known, base), {})
                self.report.passages = index.counts()[1]
            finally:
                index.close()

    def _all_articles(
        self, changes: Iterator[_Item], roots: Sequence[Path], known: dict[str, tuple[str, str]], base: Index | None
    ) -> Iterator[_Item]:
        stored: set[str] = set()
        for item in changes:
            stored.add(item.article.id)
            yield item
        gone = set(self._vanished(roots, known))
        self.report.removed = len(gone)
        for article_id, (old_digest, origin) in known.items():
            if base is not None and article_id not in gone and article_id not in stored:
                article = base.article(article_id)
                if article is not None:
                    yield _Item(article, old_digest, origin)

    def _store(self, index: Index, items: Iterator[_Item], known: dict[str, tuple[str, str]]) -> None:
        while block := list(islice(items, BLOCK)):
            moved = [item for item in block if known.get(item.article.id, ("",))[0] == item.digest]
            for item in moved:
                index.move(item.article.id, item.origin)
            fresh = [item for item in block if item not in moved]
            index.remove(item.article.id for item in fresh if item.article.id in known)
            for item, passages in zip(fresh, self._passages(fresh), strict=True):
                index.add(item.article, item.digest, item.origin, passages)

    def _passages(self, items: Sequence[_Item]) -> Iterator[list[NewPassage]]:
        """The passages of each article, all embedded in one go."""
        texts: list[str] = []
        spans: list[list[tuple[int, int]]] = []
        plans = []
        for item in items:
            line = clip_header(header(item.article), self.embedder.count_tokens)
            chunks = split(item.article.text, line, self.embedder.count_tokens)
            plans.append((line, chunks))
            shift = len(line) + 1
            for chunk in chunks:
                texts.append(f"{line}\n{item.article.text[chunk.start : chunk.end]}")
                spans.append([(s - chunk.start + shift, e - chunk.start + shift) for s, e in chunk.sentences])
        vectors, sentence_vectors = self.embedder.embed_with_spans(texts, spans)
        rows = iter(zip(vectors, sentence_vectors, strict=True))
        for line, chunks in plans:
            yield [
                NewPassage(chunk.start, chunk.end, chunk.sentences, line, vector, parts)
                for chunk, (vector, parts) in zip(chunks, rows, strict=False)
            ]


def _chain(first: _Item, rest: Iterator[_Item]) -> Iterator[_Item]:
    yield first
    yield from rest


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
