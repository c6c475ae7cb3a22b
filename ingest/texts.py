"""Markdown and plain text to articles, in whatever encoding they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from ingest.article import Loaded, article, date
from rag.errors import LoadError


def read_markdown(name: str, data: bytes) -> Iterator[Loaded]:
    """The article of a Markdown file, its front matter taken as fields."""
    import frontmatter
    import yaml

    try:
        fields, body = frontmatter.parse(decode(data))
    except yaml.YAMLError as error:
        raise LoadError(f"its front matter is not valid YAML ({' '.join(str(error).split())})") from error
    title, text = _plain(body)
    fields = {"title": title or title_from(name), **fields, "text": text}
    yield Loaded(name, len(data), article(fields, name))


def _plain(markdown: str) -> tuple[str, str]:
    """The first heading of the highest level, and the text without Markdown's marks, paragraphs apart."""
    from markdown_it import MarkdownIt

    title, blocks = "", []
    in_heading = False
    for token in MarkdownIt("commonmark").parse(markdown):
        if token.type in ("heading_open", "heading_close"):
            in_heading = token.type == "heading_open" and token.tag == "h1"
        elif token.type == "inline":
            text = "".join(" " if t.type in ("softbreak", "hardbreak") else t.content for t in token.children or [])
            if in_heading and not title:
                title = text
            else:
                blocks.append(text)
        elif token.type in ("fence", "code_block"):
            blocks.append(token.content)
    return title, "\n\n".join(block for block in blocks if block.strip())


def read_text(name: str, data: bytes) -> Iterator[Loaded]:
    """The article of a plain text, with a date line and a headline on top if it has them."""
    lines = decode(data).strip().splitlines()
    fields: dict[str, Any] = {"title": title_from(name)}
    # A text copied from a page often begins with its date and then its headline, each on a line of its own.
    for name, fits in (("published", _is_date), ("title", _is_headline)):
        if len(lines) > 1 and fits(lines[0]):
            fields[name] = lines.pop(0)
            while lines and not lines[0].strip():
                lines.pop(0)
    yield Loaded(name, len(data), article({**fields, "text": "\n".join(lines)}, name))


def _is_date(line: str) -> bool:
    try:
        return bool(date(line.strip()))
    except LoadError:
        return False


def _is_headline(line: str) -> bool:
    return 0 < len(line.strip()) <= 150 and line.strip()[-1] not in ".!:;,"


def decode(data: bytes) -> str:
    """The text of a file.

    Raises:
        LoadError: it is no text, or its encoding can't be recognised.
    """
    if b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise LoadError("it is a binary file, not text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        matches = from_bytes(data)
        best = matches.best()
        # Among the many eight-bit encodings that fit equally well, the Western one is by far the most used.
        best = next((m for m in matches if m.encoding == "cp1252" and best and m.chaos <= best.chaos), best)
        if best is None:
            raise LoadError("its character encoding can't be recognised; save it as UTF-8") from None
        return str(best)


def title_from(name: str) -> str:
    """A title for what has none: its file's name, in words.

    >>> title_from("notes/my-first_note.txt")
    'my first note'
    """
    return PurePath(name).stem.replace("-", " ").replace("_", " ")
