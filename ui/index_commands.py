"""`aftershock index verify | rebuild`: whether an index is in order, and making it anew from its own articles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rag.settings import Settings
from ui import console

FAILURE = 1

IndexOption = Annotated[
    Path | None, typer.Option("--index", help="Directory of the index, instead of the default one.", metavar="DIR")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the record as JSON.")]

app = typer.Typer(
    help="Check an index, or make it anew from the articles that it holds.",
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
