"""Files to articles: Markdown, plain text, HTML and JSON Lines."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.article import article, date
from rag.errors import LoadError
from rag.records import Article


@dataclass(frozen=True, slots=True)
class Loaded:
    """One article, or the reason why there is none. `size` is how many bytes of its file it took.

    `place` is the file, with the line where the file holds several articles.
    """

    place: str
    size: int
    article: Article | None = None
    reason: str = ""


def files(path: Path) -> tuple[list[Path], list[Path]]:
    """The files to read under `path`, sorted, and those in a folder that are left aside.

    In folders, hidden files and READMEs are passed over, and files of unknown formats are left aside; a file
    named directly is always read.

    Raises:
        LoadError: there is nothing at `path`, or it can't be listed.
    """
    if path.is_file():
        return [path], []
    if not path.is_dir():
        raise LoadError("there is no such file or folder" if not path.exists() else "it is neither a file nor a folder")
    try:
        found = sorted(p for p in path.rglob("*") if p.is_file() and _is_visible(p.relative_to(path)))
    except OSError as error:
        raise LoadError(f"it can't be listed ({error.strerror or error})") from error
    known = [p for p in found if p.suffix.lower() in _READERS]
    return known, [p for p in found if p.suffix.lower() not in _READERS]


def load(path: Path) -> Iterator[Loaded]:
    """The articles of one file; what can't be read is yielded with its reason, and never raised."""
    reader = _READERS.get(path.suffix.lower())
    try:
        if reader is None:
            known = ", ".join(sorted(_READERS))
            raise LoadError(f"files of the kind {path.suffix or path.name!r} can't be read; the kinds are {known}")
        data = path.read_bytes()
        if not data.strip():
            raise LoadError("the file is empty")
        yield from reader(path, data)
    except OSError as error:
        yield Loaded(str(path), 0, reason=f"it can't be read ({error.strerror or error})")
    except LoadError as error:
        yield Loaded(str(path), 0, reason=str(error))


def _is_visible(relative: Path) -> bool:
    hidden = any(part.startswith((".", "__pycache__")) for part in relative.parts)
    return not hidden and relative.stem.upper() != "README"


def _decode(data: bytes) -> str:
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


def _read_markdown(path: Path, data: bytes) -> Iterator[Loaded]:
    import frontmatter
    import yaml

    try:
        fields, body = frontmatter.parse(_decode(data))
    except yaml.YAMLError as error:
        raise LoadError(f"its front matter is not valid YAML ({' '.join(str(error).split())})") from error
    title, text = _plain(body)
    fields = {"title": title or path.stem.replace("-", " ").replace("_", " "), **fields, "text": text}
    yield Loaded(str(path), len(data), article(fields, str(path)))


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


def _read_text(path: Path, data: bytes) -> Iterator[Loaded]:
    lines = _decode(data).strip().splitlines()
    fields: dict[str, Any] = {"title": path.stem.replace("-", " ").replace("_", " ")}
    # A text copied from a page often begins with its date and then its headline, each on a line of its own.
    for name, fits in (("published", _is_date), ("title", _is_headline)):
        if len(lines) > 1 and fits(lines[0]):
            fields[name] = lines.pop(0)
            while lines and not lines[0].strip():
                lines.pop(0)
    yield Loaded(str(path), len(data), article({**fields, "text": "\n".join(lines)}, str(path)))


def _is_date(line: str) -> bool:
    try:
        return bool(date(line.strip()))
    except LoadError:
        return False


def _is_headline(line: str) -> bool:
    return 0 < len(line.strip()) <= 150 and line.strip()[-1] not in ".!:;,"


def _read_html(path: Path, data: bytes) -> Iterator[Loaded]:
    from trafilatura import bare_extraction
    from trafilatura.settings import Document

    # What it has to say about a page is in the reason below, and would otherwise stand among the user's messages.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    page = bare_extraction(data, with_metadata=True, include_comments=False, include_tables=False)
    if not isinstance(page, Document) or not page.text:
        raise LoadError("no article text was found in the page")
    fields = {
        "title": page.title or path.stem,
        "text": page.text.replace("\n", "\n\n"),
        "outlet": page.sitename or page.hostname,
        "published": page.date,
        "url": page.url,
        "author": page.author,
    }
    yield Loaded(str(path), len(data), article(fields, str(path)))


def _read_json_lines(path: Path, data: bytes) -> Iterator[Loaded]:
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            fields = json.loads(_decode(line))
            if not isinstance(fields, dict):
                raise LoadError("the line is not a JSON object")
            yield Loaded(place, len(line) + 1, article(fields, str(path)))
        except json.JSONDecodeError as error:
            yield Loaded(place, len(line) + 1, reason=f"the line is not valid JSON ({error.msg} at {error.colno})")
        except RecursionError:
            yield Loaded(place, len(line) + 1, reason="the line is nested too deeply")
        except LoadError as error:
            yield Loaded(place, len(line) + 1, reason=str(error))


_READERS: dict[str, Callable[[Path, bytes], Iterator[Loaded]]] = {
    ".md": _read_markdown,
    ".markdown": _read_markdown,
    ".txt": _read_text,
    ".html": _read_html,
    ".htm": _read_html,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
}
