"""Article text to sentences to chunks; pure functions over text, with exact offsets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Span = tuple[int, int]
"""Start and end offset, counted in characters of the article's text."""

CountTokens = Callable[[Sequence[str]], list[int]]
"""How many tokens the embedder makes of each text, without its special tokens."""

VERSION = "sentences-1"
"""Stands in the index's identity: a change in how chunks are cut must change it, so that old indexes are rebuilt."""

WINDOW_TOKENS = 254
"""The embedder reads 256 tokens, of which two are its own marks at both ends."""
HEADER_TOKENS = 48
"""A title, outlet and date longer than this are clipped, so that they don't crowd out the text."""
CLOSE_AT_PARAGRAPH_TOKENS = 64
"""A chunk that has reached this length ends with its paragraph; shorter ones go on into the next."""

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_WORD = re.compile(r"\S+")
_WORD_START = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive sentences that are embedded together, as offsets into the article's text."""

    start: int
    end: int
    sentences: tuple[Span, ...]


def split(text: str, header: str, count_tokens: CountTokens) -> list[Chunk]:
    """Cut `text` into chunks of whole sentences that fit the embedder's window together with `header`.

    Chunks don't overlap, follow paragraphs where these are long enough, and cover every word of the text.
    A sentence that is longer than the window is cut between words.
    """
    spans = [sentences(text, paragraph) for paragraph in paragraphs(text)]
    of_header, *lengths = count_tokens([header, *(text[start:end] for some in spans for start, end in some)])
    budget = WINDOW_TOKENS - min(of_header, HEADER_TOKENS)
    remaining = iter(lengths)
    chunks: list[Chunk] = []
    open_sentences: list[Span] = []
    used = 0

    def close() -> None:
        nonlocal used
        if open_sentences:
            chunks.append(Chunk(open_sentences[0][0], open_sentences[-1][1], tuple(open_sentences)))
            open_sentences.clear()
            used = 0

    for paragraph in spans:
        if used >= CLOSE_AT_PARAGRAPH_TOKENS:
            close()
        measured = [(span, next(remaining)) for span in paragraph]
        for span, length in _fitting(text, measured, count_tokens, budget):
            if used + length > budget:
                close()
            open_sentences.append(span)
            used += length
    close()
    return chunks


def clip_header(header: str, count_tokens: CountTokens) -> str:
    """The header's leading words that stay within `HEADER_TOKENS`."""
    words = header.split(" ")
    while len(words) > 1 and count_tokens([" ".join(words)])[0] > HEADER_TOKENS:
        words.pop()
    return " ".join(words)


def paragraphs(text: str) -> list[Span]:
    """The stretches between blank lines."""
    spans: list[Span] = []
    end = 0
    while first := _WORD_START.search(text, end):
        start = first.start()
        blank = _BLANK_LINE.search(text, start)
        end = blank.start() if blank else len(text)
        spans.append((start, end))
    return spans


def sentences(text: str, within: Span) -> list[Span]:
    """The sentences of one paragraph, without surrounding white space."""
    from sentencex import segment

    spans: list[Span] = []
    position = within[0]
    for piece in segment("en", text[within[0] : within[1]]):
        bare = piece.strip()
        if not bare:
            continue
        start = text.index(bare, position, within[1])
        position = start + len(bare)
        spans.append((start, position))
    return spans


def _fitting(
    text: str, measured: Sequence[tuple[Span, int]], count_tokens: CountTokens, budget: int
) -> Iterator[tuple[Span, int]]:
    """Sentences with their lengths in tokens, those longer than the budget cut between words."""
    for span, length in measured:
        if length <= budget:
            yield span, length
        else:
            yield from _cut(text, span, count_tokens, budget)


def _cut(text: str, span: Span, count_tokens: CountTokens, budget: int) -> list[tuple[Span, int]]:
    words = [match.span() for match in _WORD.finditer(text, *span)]
    # One token is at least one character, so a word cut to `budget` characters always fits.
    words = [(i, min(i + budget, end)) for start, end in words for i in range(start, end, budget)]
    lengths = count_tokens([text[start:end] for start, end in words])
    pieces: list[tuple[Span, int]] = []
    for (start, end), length in zip(words, lengths, strict=True):
        if pieces and pieces[-1][1] + length <= budget:
            (first, _), used = pieces[-1]
            pieces[-1] = ((first, end), used + length)
        else:
            pieces.append(((start, end), length))
    return pieces
