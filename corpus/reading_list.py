"""The originals behind the articles, as `corpus/reading-list.toml`: `python -m corpus.reading_list` writes it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from corpus import FOLDER

NAME = "reading-list.toml"

_PREFACE = """\
# The originals behind the articles, by date.
# Made from the sources in the articles' front matter by 'python -m corpus.reading_list': change it there, not here.
"""


@dataclass(frozen=True, slots=True, order=True)
class Original:
    """A publication that an article's facts were taken from."""

    date: date
    outlet: str
    title: str
    """The published headline, or a description in square brackets."""
    url: str


def originals(sources: Iterable[Mapping[str, Any]]) -> list[Original]:
    """The sources as originals, by date, each address once and without those that lead only to an outlet's home page.

    Args:
        sources: `outlet, title, url, date` each, as in the front matter of articles.
    """
    by_url: dict[str, Original] = {}
    # Where articles describe one original differently, its first date counts, and a headline before a description.
    for original in sorted(
        (_original(source) for source in sources),
        key=lambda o: (o.date, o.title.startswith("["), o),
    ):
        if not is_home_page(original.url):
            by_url.setdefault(original.url, original)
    return sorted(by_url.values())


def _original(source: Mapping[str, Any]) -> Original:
    day, *others = (str(source[name]).strip() for name in ("date", "outlet", "title", "url"))
    return Original(date.fromisoformat(day), *others)


def is_home_page(url: str) -> bool:
    """Whether an address leads to no page in particular."""
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query


def read(folder: Path = FOLDER) -> list[Original]:
    """The originals on the list in `folder`; none where there is no list."""
    path = folder / NAME
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["original"] if path.exists() else []
    return [Original(**entry) for entry in entries]


def render(listed: Iterable[Original]) -> str:
    """The list as TOML."""
    # A string of JSON is one of TOML too.
    tables = (
        "[[original]]\n"
        f"date = {original.date}\n"
        f"outlet = {json.dumps(original.outlet, ensure_ascii=False)}\n"
        f"title = {json.dumps(original.title, ensure_ascii=False)}\n"
        f"url = {json.dumps(original.url, ensure_ascii=False)}\n"
        for original in listed
    )
    return "\n".join([_PREFACE, *tables])


def from_articles(folder: Path) -> list[Original]:
    """The originals that the articles in `folder` name."""
    import frontmatter

    metadata: list[dict[str, Any]] = [frontmatter.load(str(path)).metadata for path in sorted(folder.glob("*.md"))]
    return originals(source for fields in metadata for source in fields.get("sources", []))


command = typer.Typer(add_completion=False)


@command.command()
def main() -> None:
    """Make the reading list anew from the articles."""
    listed = from_articles(FOLDER)
    (FOLDER / NAME).write_text(render(listed), encoding="utf-8", newline="\n")
    typer.echo(f"{len(listed)} originals are in {FOLDER / NAME}.")


if __name__ == "__main__":
    command()
