"""`aftershock model list | pull | use | remove`."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from rag.errors import ModelError, ModelNotFoundError
from rag.recommend import gibibytes
from rag.settings import Settings
from ui import console, preferences

if TYPE_CHECKING:
    from ui.model_choice import Choice

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The model's name, as in deepseek-r1:8b.")]

app = typer.Typer(rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Show, get, choose and remove the models that can write answers."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("list")
def show(as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False) -> None:
    """Show which models there are, which fit this machine, and which one is recommended."""
    from ui.model_choice import survey

    with console.working("Asking the model server"):
        found = survey(_settings())
    if as_json:
        console.write_json(found)
        return
    out = console.output()
    console.write(out, _heading(f"On Ollama {found.version} at {found.url}:"))
    for choice in found.installed:
        console.write(out, _line(choice), 4, first="  *" if f"ollama/{choice.name}" == found.answers else "")
    if not found.installed:
        console.write(out, "none", 4)
    if found.offered:
        console.write(out, _heading("To be had with 'aftershock model pull NAME':"))
        for choice in found.offered:
            console.write(out, _line(choice), 4)
    if found.recommended:
        console.write(out, _heading("Recommended:"))
        name, reason = found.recommended.name, found.recommended.reason
        console.write(out, f"{name}: {reason}" if name else f"none: {reason}", 4)
    console.write(out, _heading("Answers come from:"))
    answers = found.answers or "the articles' own words"
    console.write(out, answers if found.chosen == "quotes" else f"{answers} (chosen: {found.chosen})", 4)


@app.command()
def pull(
    name: NameArgument,
    force: Annotated[bool, typer.Option("--force", help="Also where the disk seems to have no room for it.")] = False,
) -> None:
    """Get a model from Ollama's library, or go on where that was cancelled (Ctrl-C) or broke off."""
    from rag.machine import free_room
    from rag.pull import pull as get

    settings, name = _settings(), name.removeprefix("ollama:")
    room = None if force else free_room(settings.ollama_host)
    share = 0.0
    try:
        with closing(get(settings.ollama_host, name, room)) as reports, console.pull_progress() as show_progress:
            for report in reports:
                share = report.share
                show_progress(report)
    except KeyboardInterrupt:
        raise console.Cancelled(
            f"Cancelled at {share:.0%}: 'aftershock model pull {name}' goes on from there, unless Ollama is restarted."
        ) from None
    typer.echo(f"{name} is there. 'aftershock model use {name}' lets it write the answers from now on.")


@app.command()
def use(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="auto, quotes, the name of a model on Ollama, or openai:NAME.")
    ],
) -> None:
    """Choose who answers from now on; 'auto' takes the best model there is, 'quotes' none."""
    import os

    from rag.models import find_model

    chosen = name if name in ("auto", "quotes") or name.startswith(("ollama:", "openai:")) else f"ollama:{name}"
    settings = _settings(model=chosen)
    try:
        if chosen not in ("auto", "quotes"):
            with console.working("Asking the model server"):
                find_model(settings)
    except ModelNotFoundError:
        raise
    except ModelError as error:
        console.warn(f"{error} It is chosen all the same.")
    preferences.remember(model=chosen)
    typer.echo(f"From now on: {chosen}.")
    if os.environ.get(variable := preferences.variable("model")):
        console.warn(f"The environment variable {variable} is set, and wins over this choice.")


@app.command()
def remove(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Delete a model from the model server."""
    from rag.pull import remove as delete

    settings, name = _settings(), name.removeprefix("ollama:")
    if not yes:
        typer.confirm(f"Delete {name} from {settings.ollama_host}?", abort=True, err=True)
    delete(settings.ollama_host, name)
    typer.echo(f"{name} is gone.")


def _settings(model: str | None = None) -> Settings:
    return preferences.compose(console.warn, model=model)


def _line(choice: Choice) -> Text:
    """A model on one line: name, size, what it needs, where it runs."""
    needs = f"needs {gibibytes(choice.memory)} of memory"
    if choice.fits is False:
        needs += ": too much for this machine"
    if choice.on_card is not None:
        needs += f", loaded ({choice.on_card:.0%} on the graphics card)"
    return Text(f"{choice.name:<18}{gibibytes(choice.size):>9}  {needs}")


def _heading(text: str) -> Text:
    return Text(text, style="bold")
