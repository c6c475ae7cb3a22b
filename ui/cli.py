"""The command line: `aftershock ask | search | timeline | ingest | chat | mcp | ...`, and what `evals` adds."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from functools import cache
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rag.errors import AftershockError, IndexBusyError, IndexMissingError, QuestionError, SettingsError
from rag.length import LENGTHS
from rag.settings import MODEL_FORMS, Settings, default_index
from ui import console, conversation_commands, index_commands, model_commands, preferences
from ui.answer_view import show_answer

if TYPE_CHECKING:
    from ingest import Report
    from ingest.reading_list import Fetched
    from rag import Assistant

FAILURE = 1
BAD_USAGE = 2
INTERRUPTED = 130

IndexOption = Annotated[
    Path | None, typer.Option("--index", help="Directory of the index, instead of the default one.", metavar="DIR")
]
ModelOption = Annotated[str | None, typer.Option("--model", help=f"Who answers: {MODEL_FORMS}.", metavar="MODEL")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the record as JSON.")]
QuestionArgument = Annotated[
    str, typer.Argument(metavar="QUESTION", help="The question; - reads it from standard input.")
]


app = typer.Typer(
    help="Answers questions about the DeepSeek shock of January 2025 from articles, with every sentence cited.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(model_commands.app, name="model")
app.add_typer(conversation_commands.app, name="conversations")
app.add_typer(index_commands.app, name="index")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    0, also for a refusal; 2 for bad usage; 1 for a failure and for an answer that was cut short; 130 when
    interrupted. Every failure is one sentence on standard error.
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    _add_commands()
    try:
        status = int(app(arguments, prog_name="aftershock", standalone_mode=False) or 0)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _failed(f"{error.format_message().rstrip('.')}; see 'aftershock --help'.", BAD_USAGE)
    except (QuestionError, SettingsError) as error:
        return _failed(str(error), BAD_USAGE)
    except AftershockError as error:
        return _failed(str(error), FAILURE)
    except console.Cancelled as error:
        return _failed(str(error), INTERRUPTED)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has enough. Python flushes what is left when it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        fault = f"Aftershock failed by a fault of its own ({type(error).__name__}: {error})"
        return _failed(f"{fault}; 'python -X dev -m ui.cli' in place of 'aftershock' shows where.", FAILURE)
    return _failed("Interrupted.", INTERRUPTED) if status == INTERRUPTED else status


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Answers questions about the DeepSeek shock of January 2025 from articles, with every sentence cited."""
    if show_version:
        typer.echo(f"aftershock {version('aftershock')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def ask(
    question: QuestionArgument,
    model: ModelOption = None,
    think: Annotated[
        bool | None, typer.Option("--think/--no-think", help="Have the model think first, or not, where it can.")
    ] = None,
    length: Annotated[
        str | None,
        typer.Option("--length", help=f"How long the answer is to be: {', '.join(LENGTHS)}.", metavar="LENGTH"),
    ] = None,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question, with citations."""
    settings = preferences.compose(console.warn, index=index, model=model, think=think, length=length)
    asked = _question(question)
    with closing(open_assistant(settings)) as assistant, closing(assistant.stream(asked)) as events:
        answer = show_answer(events, text=not as_json)
    if as_json:
        console.write_json(answer)
    if answer.interrupted:
        raise typer.Exit(FAILURE)


@app.command()
def search(
    question: QuestionArgument,
    k: Annotated[int, typer.Option("-k", min=1, help="How many passages to print.")] = 10,
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the passages that best fit a question."""
    settings = Settings.from_env(index=index)
    asked = _question(question)
    with closing(open_assistant(settings)) as assistant, console.working("Searching"):
        passages = assistant.retrieve(asked, k)
    if as_json:
        console.write_json(passages)
    else:
        console.write_passages(passages)


@app.command()
def timeline(
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="What about: a subject, a period in words, or both.")
    ] = "",
    start: Annotated[str, typer.Option("--from", help="First day, as in 2025-01-20.", metavar="DATE")] = "",
    end: Annotated[str, typer.Option("--to", help="Last day, as in 2025-02-04.", metavar="DATE")] = "",
    index: IndexOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what happened, in order, with the sources; of a crowded day only the main events."""
    settings = Settings.from_env(index=index)
    asked = _question(question) if question else ""
    with closing(open_assistant(settings)) as assistant, console.working("Reading"):
        entries = assistant.timeline(start, end, asked)
    if as_json:
        console.write_json(entries)
    else:
        console.write_timeline(entries)
    if not entries:
        typer.echo("The articles tell of no such event.", err=True)


@app.command()
def ingest(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH|URL]...",
            help="Files, folders, and addresses of pages and feeds; without any, the articles that come along.",
        ),
    ] = None,
    links: Annotated[
        Path | None, typer.Option("--links", help="A file with an address on each line, to fetch.", metavar="FILE")
    ] = None,
    allowed: Annotated[
        list[str] | None,
        typer.Option("--allow-network", help="Fetch from this private address or network too.", metavar="ADDRESS"),
    ] = None,
    reading_list: Annotated[
        bool, typer.Option("--reading-list", help="Fetch the originals behind the articles from the web as well.")
    ] = False,
    index: IndexOption = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make the index anew, also when it is damaged.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, and say what would be changed.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and follow each change until Ctrl-C.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the index in line with articles: files of many kinds, folders, and pages and feeds on the web."""
    import corpus

    settings = Settings.from_env(index=index)
    if links is not None:
        from ingest.links import read_list

        paths = [*(paths or []), *read_list(links)]
    if watch:
        if dry_run or reading_list or rebuild:
            raise SettingsError("--watch goes with none of --dry-run, --reading-list and --rebuild.")
        _watch(paths or [], settings, as_json=as_json)
        return
    fetched = _fetch_originals() if reading_list else None
    if fetched and not as_json:
        console.write_fetched(fetched)
    originals = [Path(fetched.folder)] if fetched and fetched.new + fetched.kept else []
    places: list[str | Path] = [*(paths or ()), *([] if paths else [corpus.FOLDER]), *originals]
    report = _sync(places, settings, rebuild=rebuild, dry_run=dry_run, allowed=allowed or ())
    if not paths:
        report.ignored.clear()  # What lies beside the articles that come along is code.
    if as_json:
        console.write_json({**asdict(report), "originals": asdict(fetched)} if fetched else report)
    else:
        console.write_report(report, settings.index, dry_run=dry_run)
    read = report.added + report.updated + report.unchanged
    if report.failed and read:
        rest = "can" if dry_run else "are in"
        typer.echo(
            f"{len(report.failed)} of {read + len(report.failed)} could not be read; the others {rest}.", err=True
        )
    elif not read and not report.removed:
        typer.echo("Nothing could be read, so nothing was added to the index.", err=True)
        raise typer.Exit(FAILURE)


@app.command()
def chat(
    host: Annotated[str, typer.Option(help="Address to serve on; this machine's own only.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port, instead of a free one near 7860.")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    model: ModelOption = None,
    index: IndexOption = None,
) -> None:
    """Open the chat page in the browser."""
    settings = preferences.compose(console.warn, index=index, model=model)
    from ui.web import serve

    with closing(open_assistant(settings)) as assistant:
        serve(assistant, host=host, port=port, open_browser=not no_browser)


@app.command()
def mcp(model: ModelOption = None, index: IndexOption = None) -> None:
    """Serve a program that speaks the Model Context Protocol, on standard input and output."""
    settings = preferences.compose(console.warn, index=index, model=model)
    from ui.mcp_server import serve_stdio

    with closing(open_assistant(settings)) as assistant:
        serve_stdio(assistant)


@app.command()
def doctor(index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Say what is there, what is missing, and what to do about it."""
    from ui.doctor import can_answer, examine

    # What is wrong with the preferences is one of the findings.
    checks = examine(preferences.compose(lambda _: None, index=index))
    if as_json:
        console.write_json(checks)
    else:
        console.write_checks(checks)
    if not can_answer(checks):
        raise typer.Exit(FAILURE)


def _question(given: str) -> str:
    """The question, from standard input where it is "-"."""
    from rag.question import checked

    # Bytes of the command line that are no UTF-8 arrive as lone surrogates, which nothing downstream accepts.
    return checked((sys.stdin.read() if given == "-" else given).encode("utf-8", "replace").decode())


def open_assistant(settings: Settings) -> Assistant:
    """The assistant over the settings' index; the default index is made first where it is missing.

    Raises:
        IndexStateError: the index is missing, damaged or made by another embedder.
    """
    import corpus
    from rag import generations

    try:
        generations.current(settings.index)
    except IndexMissingError:
        if settings.index != default_index():
            raise
        typer.echo("There is no index yet: making it from the articles that come with Aftershock.", err=True)
        _sync([corpus.FOLDER], settings)
    with console.working("Opening the index"):
        from rag import Assistant

        return Assistant.from_settings(settings)


def _fetch_originals() -> Fetched:
    from corpus.reading_list import read
    from ingest.reading_list import default_folder, fetch_originals

    with console.fetch_progress() as progress:
        return fetch_originals(read(), default_folder(), progress=progress)


def _sync(places: Sequence[str | Path], settings: Settings, **options: Any) -> Report:
    from ingest import sync

    with console.ingest_progress() as progress:
        return sync(places, settings, progress=progress, **options)


def _watch(paths: Sequence[str], settings: Settings, *, as_json: bool) -> None:
    """Follow the changes to files and folders until interrupted, and report each time when something changed."""
    from ingest.update import is_link
    from ingest.watch import watch
    from rag.embed import MiniLM

    if not paths or any(map(is_link, paths)):
        raise SettingsError("--watch follows files and folders; name some, and no addresses.")
    embedder = MiniLM()
    told = ""

    def follow() -> bool:
        nonlocal told
        try:
            report = _sync(paths, settings, embedder=embedder)
        except IndexBusyError as error:
            if told != str(error):
                console.warn(f"{error} This one goes on then.")
            told = str(error)
            return False
        news = repr((report.failed, report.warnings))
        if report.added or report.updated or report.removed or told != news:
            if as_json:
                console.write_json(report)
            else:
                console.write_report(report, settings.index)
            typer.echo("Watching for changes; Ctrl-C ends it.", err=True)
            sys.stdout.flush()
        told = news
        return True

    watch([Path(path) for path in paths], follow, leave=settings.index)


@cache
def _add_commands() -> None:
    """Add the commands of packages that stand above this one."""
    for command in entry_points(group="aftershock.commands"):
        app.command(command.name)(command.load())


def _failed(sentence: str, status: int) -> int:
    typer.echo(" ".join(sentence.split()), err=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
