"""Articles into a generation of the index: cut, compared with the stories at hand, embedded and written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal, Self, TypeAlias

from ingest.article import header
from ingest.cache import Embeddings, key
from ingest.duplicates import Stories, signature
from ingest.split import Chunk, clip_header, split
from rag import memory
from rag.embed import Embedder
from rag.index import Index
from rag.postings import numbered
from rag.records import Article
from rag.stored import Embedding, NewPassage
from rag.vectors import Filler
from rag.writable import WritableIndex

BLOCK = 96
"""Passages embedded together: enough to fill the embedder's batches, few enough to stop within a second or so, and
all that a killed run can lose of what it has embedded, once waiting to be written and once being written."""
_WAITING = 2
_TOGETHER, _MOST_CHARACTERS = 32, 1_000_000
"""Articles that take each step together, and about how long these may be in all: the processor keeps at hand what one
step needs, but not what all of them do, so that one article after the other takes half as long again."""


Change: TypeAlias = Literal["new", "changed", "moved", "none"]


@dataclass(frozen=True, slots=True)
class Item:
    """An article to be stored, the digest of its content, and the file it came from.

    `change` is what it is to the generation; an article that has "moved" is the same from another file.
    """

    article: Article
    digest: str
    origin: str
    change: Change


@dataclass(frozen=True, slots=True)
class _Piece:
    """Passages of an article; with the first of them, or without any, comes what is done to the article itself.

    `story` is the id of the article that leads its story; empty where nothing is to be done.
    """

    item: Item
    story: str = ""
    signature: bytes = b""
    is_promoted: bool = False
    header: str = ""
    chunks: Sequence[Chunk] = ()
    texts: Sequence[str] = ()
    spans: Sequence[Sequence[tuple[int, int]]] = ()
    keys: Sequence[bytes] = ()


@dataclass(slots=True)
class _Block:
    pieces: list[_Piece] = field(default_factory=list)
    known: dict[bytes, Embedding] = field(default_factory=dict)


class Builder:
    """Stores articles in a generation. While one block is embedded, another is written and a third one prepared.

    Use as a context manager: where the block is left by an exception, what is embedded by then is still written.

    Args:
        index: the generation.
        base: the one that it started as a copy of; None where it started empty.
        embedder: makes the vectors that are not `at_hand`.
        filler: brings Chroma in line with what is written.
    """

    def __init__(
        self, index: WritableIndex, base: Index | None, embedder: Embedder, at_hand: Embeddings, filler: Filler
    ) -> None:
        memory.give_back_large_pieces()  # such as hold the postings of a segment
        self.passages = 0
        """How many were written so far."""
        self._index = index
        self._embedder = embedder
        self._at_hand = at_hand
        self._filler = filler
        self._stories = Stories()
        for leader, its_signature in base.stories() if base is not None else ():
            self._stories.lead(leader, its_signature)
        self._left: dict[str, None] = {}
        self._pending: deque[Future[None]] = deque()
        self._embedding = ThreadPoolExecutor(1, "embed")
        self._writing = ThreadPoolExecutor(1, "write")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._embedding.shutdown(cancel_futures=True)
        self._writing.shutdown()
        self._stories.close()

    def store(self, items: Iterable[Item]) -> None:
        """Store articles, those of the same ids replaced."""
        self._put_all(piece for some in _together(items) for piece in self._pieces(some))

    def finish(self, vanished: Iterable[str]) -> None:
        """Remove articles, find new leaders for the stories that have lost theirs, and wait until all is written."""
        self._drain()
        with self._index.transaction():
            for article_id in vanished:
                self._leave(article_id)
                self._index.remove(article_id)
        orphans = [copy for leader in self._left for copy in self._index.copies_of(leader)]
        self._put_all(piece for article_id, own in orphans for piece in self._adopted(article_id, own))
        self._drain()
        self._index.complete(self._filler)

    def _put_all(self, pieces: Iterable[_Piece]) -> None:
        block, size = _Block(), 0
        for piece in pieces:
            if block.pieces and size + len(piece.chunks) > BLOCK:
                self._put(block)
                block, size = _Block(), 0
            block.pieces.append(piece)
            size += max(1, len(piece.chunks))
        self._put(block)

    def _put(self, block: _Block) -> None:
        sentences = {
            name: len(spans) for piece in block.pieces for name, spans in zip(piece.keys, piece.spans, strict=True)
        }
        # What damage has made of a stored embedding is not taken over.
        found = self._at_hand.find(list(sentences))
        block.known = {name: embedding for name, embedding in found.items() if embedding.fits(sentences[name])}
        embedded = self._embedding.submit(self._embed, block)
        self._pending.append(self._writing.submit(lambda: self._write(block, embedded.result())))
        while len(self._pending) > _WAITING:
            self._pending.popleft().result()

    def _drain(self) -> None:
        while self._pending:
            self._pending.popleft().result()

    def _pieces(self, items: Sequence[Item]) -> Iterator[_Piece]:
        new = [item for item in items if item.change != "moved"]
        pieces = [_Piece(item) for item in items if item.change == "moved"]
        signatures = [signature(item.article.text) for item in new]
        for item, own in zip(new, signatures, strict=True):
            article_id = item.article.id
            if item.change == "changed":
                self._leave(article_id)
            pieces.append(_Piece(item, self._stories.add(article_id, own) or article_id, own))
        leading = [piece.item.article for piece in pieces if piece.story == piece.item.article.id]
        cut = dict(zip((article.id for article in leading), self._cut(leading), strict=True))
        for piece in pieces:
            yield piece
            if found := cut.get(piece.item.article.id):
                yield from self._in_blocks(piece.item, *found)

    def _adopted(self, article_id: str, own: bytes) -> Iterator[_Piece]:
        """A copy that has lost its leader joins another story, or leads one from now on."""
        article = self._index.article(article_id)
        assert article is not None
        item = Item(article, "", "", "none")
        story = self._stories.add(article_id, own) or article_id
        yield _Piece(item, story, is_promoted=True)
        if story == article_id:
            for found in self._cut([article]):
                yield from self._in_blocks(item, *found)

    def _leave(self, article_id: str) -> None:
        self._stories.remove(article_id)
        self._left[article_id] = None

    def _cut(self, articles: Sequence[Article]) -> Iterator[tuple[str, list[Chunk]]]:
        """For each article its header and its chunks."""
        lines = [clip_header(header(article), self._embedder.count_tokens) for article in articles]
        for article, line in zip(articles, lines, strict=True):
            yield line, split(article.text, line, self._embedder.count_tokens)

    def _in_blocks(self, item: Item, line: str, chunks: Sequence[Chunk]) -> Iterator[_Piece]:
        text = item.article.text
        shift = len(line) + 1
        for some in (chunks[start : start + BLOCK] for start in range(0, len(chunks), BLOCK)):
            texts = [f"{line}\n{text[chunk.start : chunk.end]}" for chunk in some]
            spans = [[(s - chunk.start + shift, e - chunk.start + shift) for s, e in chunk.sentences] for chunk in some]
            keys = [key(self._embedder.identity, *pair) for pair in zip(texts, spans, strict=True)]
            yield _Piece(item, header=line, chunks=some, texts=texts, spans=spans, keys=keys)

    def _embed(self, block: _Block) -> dict[bytes, Embedding]:
        missing = {
            name: (text, spans)
            for piece in block.pieces
            for name, text, spans in zip(piece.keys, piece.texts, piece.spans, strict=True)
            if name not in block.known
        }
        if not missing:
            return block.known
        texts, spans = zip(*missing.values(), strict=True)
        made = map(Embedding.of, self._embedder.embed_with_spans(texts, spans))
        return block.known | dict(zip(missing, made, strict=True))

    def _write(self, block: _Block, embeddings: dict[bytes, Embedding]) -> None:
        passages = [list(_passages(piece, embeddings)) for piece in block.pieces]
        with self._index.transaction():
            for piece, own in zip(block.pieces, passages, strict=True):
                item = piece.item
                if item.change == "moved":
                    self._index.move(item.article.id, item.origin)
                elif piece.is_promoted:
                    self._index.tell(item.article.id, piece.story)
                elif piece.story:
                    if item.change == "changed":
                        self._index.remove(item.article.id)
                    self._index.add(item.article, item.digest, item.origin, piece.story, piece.signature)
                self._index.add_passages(item.article, own)
                self.passages += len(own)
        self._index.fill(self._filler)


def _passages(piece: _Piece, embeddings: dict[bytes, Embedding]) -> Iterator[NewPassage]:
    text = piece.item.article.text
    for chunk, name in zip(piece.chunks, piece.keys, strict=True):
        words = numbered([piece.header, *(text[start:end] for start, end in chunk.sentences)])
        yield NewPassage(chunk.start, chunk.end, chunk.sentences, words, name, embeddings[name])


def _together(items: Iterable[Item]) -> Iterator[list[Item]]:
    """A few articles at a time, and few long ones."""
    some: list[Item] = []
    characters = 0
    for item in items:
        some.append(item)
        characters += len(item.article.text)
        if len(some) == _TOGETHER or characters >= _MOST_CHARACTERS:
            yield some
            some, characters = [], 0
    if some:
        yield some
