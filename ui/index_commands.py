"""`aftershock index verify | rebuild | links | forget`: whether an index is in order, and what of the web is in it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from rag.errors import LoadError
from rag.settings import Settings
from ui import console

FAILURE = 1

IndexOption = Annotated[
    Path | None, typer.Option("--index", help="Directory of the index, instead of the default one.", metavar="DIR")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the record as JSON.")]

app = typer.Typer(
    help="Check an index, make it anew from the articles that it holds, or take pages from the web out of it.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command()
def verify(index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Check articles, passages, search terms and vectors against each other."""
    from ingest.verify import verify

    settings = Settings.from_env(index=index)
    with console.working("Checking the index"):
        findings = verify(settings.index)
    if as_json:
        console.write_json(findings)
    elif not findings.faults:
        held = f"{findings.articles:,} articles in {findings.passages:,} passages"
        typer.echo(f"The index at {settings.index} is in order: {held}.")
    else:
        for fault in findings.faults:
            console.write(console.output(), fault.message)
    if findings.faults:
        typer.echo(f"Make the index anew with 'aftershock index rebuild --index {settings.index}'.", err=True)
        raise typer.Exit(FAILURE)


@app.command()
def rebuild(index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Make the index anew from the articles that it holds, without their files."""
    from ingest import rebuild

    settings = Settings.from_env(index=index)
    with console.ingest_progress() as progress:
        report = rebuild(settings, progress=progress)
    if as_json:
        console.write_json(report)
    else:
        typer.echo(f"The index at {settings.index} was made anew; it holds {report.passages:,} passages.")


@app.command()
def links(index: IndexOption = None, as_json: JsonOption = False) -> None:
    """List the pages from the web that are in the index, each by its address and title."""
    settings = Settings.from_env(index=index)
    found = _pages(settings)
    if as_json:
        console.write_json(found)
        return
    for address, title in found.items():
        console.write(console.output(), title)
        console.write(console.output(), address, 4, style="dim")
    if not found:
        console.warn("There are none: 'aftershock ingest ADDRESS' fetches one.")


@app.command()
def forget(
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS...", help="As 'aftershock index links' has them.")],
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take pages from the web out of the index, which keeps them otherwise, also when they have gone from the web."""
    from ingest import sync
    from ingest.links import canonical

    settings = Settings.from_env(index=index)
    known = _pages(settings)
    wanted = []
    for address in addresses:
        own = next((form for form in (address, canonical(address)) if form in known), None)
        if own is None:
            has_none = f"The index at {settings.index} has no page from {address}"
            raise LoadError(f"{has_none}; 'aftershock index links' lists those it has.")
        wanted.append(own)
    with console.ingest_progress() as progress:
        report = sync([], settings, forget=wanted, progress=progress)
    if as_json:
        console.write_json(report)
    else:
        console.write_report(report, settings.index)


def _pages(settings: Settings) -> dict[str, str]:
    """The address of each page from the web in the index, with the title of its article, by title."""
    from ingest.update import is_link
    from rag.embed import MiniLM
    from rag.index import Index

    with closing(Index.open(settings.index, MiniLM().identity)) as opened:
        origins = dict(opened.origins())
        titles = {origins[a.id]: a.title for a in opened.articles() if is_link(origins.get(a.id, ""))}
    return dict(sorted(titles.items(), key=lambda page: page[1].casefold()))
