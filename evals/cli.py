"""`aftershock eval`: scores sets of questions. Found by `ui.cli` through the entry points in pyproject.toml."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from rag.errors import LoadError, SettingsError
from rag.settings import Settings
from ui import console
from ui.cli import IndexOption, JsonOption, ModelOption, open_assistant


@dataclass(frozen=True, slots=True)
class Scores:
    """What a set of questions came to.

    `summary` and each row of `kinds` map a measure to its value; `wrong` is one line of text for each wrong answer.
    """

    summary: dict[str, float]
    kinds: dict[str, dict[str, float]]
    wrong: list[str]


def evaluate(
    name: Annotated[str, typer.Argument(metavar="SET", help="The kind of questions: event, squad, scifact and so on.")],
    path: Annotated[Path, typer.Argument(help="The file with the questions, or the folder with all of the set.")],
    model: ModelOption = "quotes",
    index: IndexOption = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print each wrong answer.")] = False,
    as_json: JsonOption = False,
    keep: Annotated[
        Path | None,
        typer.Option(
            help="A folder for the index of a set that brings its articles along, to be used again next time."
        ),
    ] = None,
) -> None:
    """Score the answers to a set of questions."""
    if name not in (*SETS, *SEARCHES):
        raise SettingsError(f"There is no set of questions {name!r}; the sets are {', '.join((*SETS, *SEARCHES))}.")
    settings = Settings.from_env(index=index, model=model)
    try:
        scores = _search(name, path, keep) if name in SEARCHES else SETS[name](settings, path)
    except OSError as error:
        raise LoadError(f"The questions at {path} can't be read ({error.strerror or error}).") from error
    except (ValueError, KeyError, TypeError) as error:
        raise LoadError(f"The file {path} doesn't hold questions in the form of the {name} set ({error}).") from error
    if as_json:
        console.write_json(scores)
        return
    output = console.output()
    for measure, value in scores.summary.items():
        console.write(output, f"{measure:<20}{value:>10,.4g}")
    for kind, measures in scores.kinds.items():
        console.write(output, f"{kind:<20}" + "  ".join(f"{m} {value:.4g}" for m, value in measures.items()))
    for line in scores.wrong if verbose else ():
        output.print()
        console.write(output, line)


def _event(settings: Settings, path: Path) -> Scores:
    from evals import event

    questions = event.read(path)
    with closing(open_assistant(settings)) as assistant:
        outcomes = [event.run(assistant, [question])[0] for question in console.track(questions, "Asking")]
    kinds = {kind: [o for o in outcomes if o.question.kind == kind] for kind in sorted({q.kind for q in questions})}
    return Scores(
        event.summary(outcomes),
        {
            kind: {m: v for m, v in event.summary(of).items() if m in ("questions", "right")}
            for kind, of in kinds.items()
        },
        [f"{o.question.id} {o.question.turns[-1]}\n    {o.answer.text}" for o in outcomes if not o.right],
    )


def _search(name: str, path: Path, keep: Path | None) -> Scores:
    """Over an index of the set's own articles."""
    from evals import indexing
    from rag.embed import MiniLM

    module = import_module(f"evals.{name}")
    articles, questions = module.read(path)
    if not questions:
        raise ValueError("it has none")
    embedder = MiniLM()
    with (
        indexing.folder(keep) as folder,
        console.working("Indexing and asking"),
        closing(indexing.index(articles, folder / name, embedder)) as searched,
    ):
        return Scores(module.score(questions, searched, embedder), {}, [])


def _facets(settings: Settings, path: Path) -> Scores:
    """Over the index of the settings, and one of made-up news, which is gone afterwards."""
    from evals import facets
    from rag.embed import MiniLM
    from rag.index import Index

    questions = facets.read(path)
    embedder = MiniLM()
    with tempfile.TemporaryDirectory() as folder, console.working("Indexing and asking"):
        open_assistant(settings).close()
        with (
            closing(Index.open(settings.index, embedder.identity)) as articles,
            closing(facets.index_news(Path(folder), embedder)) as made_up,
        ):
            outcomes = facets.run(questions, {"corpus": articles, "news": made_up}, embedder)
    rows = {f"{half} lines": outcomes[start::2] for half, start in (("odd", 0), ("even", 1))}
    rows |= {on: [o for o in outcomes if o.question.on == on] for on in facets.SETS}
    return Scores(
        facets.summary(outcomes),
        {row: facets.summary(of) for row, of in rows.items()},
        [
            f"{o.question.id} {o.question.text}\n    ranks {o.plain} without, {o.ranks} with; "
            f"missed {sorted(o.question.facets - o.facets)}, invented {sorted(o.facets - o.question.facets)}"
            for o in outcomes
            if o.facets != o.question.facets or any(o.ranks)
        ],
    )


def _support(settings: Settings, path: Path) -> Scores:
    from evals import support
    from rag.support import THRESHOLD

    statements = support.read(path)
    with closing(open_assistant(settings)) as assistant:
        judged = support.judge(assistant, console.track(statements, "Checking"), support.THRESHOLDS)
    judgements = judged[THRESHOLD]
    rows = {
        "tuned on": [j for j in judgements if j.statement.tuned_on],
        "held out": [j for j in judgements if not j.statement.tuned_on],
    }
    kinds = {row: dict(support.summary(of)) for row, of in rows.items()}
    for kind in sorted({s.kind for s in statements}):
        of = [j for j in judgements if j.statement.kind == kind]
        kinds[kind] = {"sentences": len(of), "flagged": sum(j.flagged for j in of) / len(of)}
    for threshold, those in judged.items():
        of = [j for j in those if j.statement.tuned_on]
        kinds[f"tuned on, at {threshold}"] = dict(support.summary(of))
    wrong = [j for j in judgements if j.flagged == j.statement.supported]
    return Scores(
        dict(support.summary(judgements)),
        kinds,
        [f"{j.statement.id} {j.statement.kind}: {j.statement.sentence}" for j in wrong],
    )


def _injection(settings: Settings, path: Path) -> Scores:
    """Over indexes of the settings' articles with the instructions in them, which are gone afterwards."""
    import json

    from evals import event, injection
    from ingest import sync
    from rag import Assistant

    questions = event.read(Path(__file__).parent / "event_questions.jsonl")
    outcomes = []
    with closing(open_assistant(settings)) as assistant:
        plants = injection.plants(assistant, injection.read(path), questions)
        articles = assistant.articles()
    for place in injection.PLACES:
        with tempfile.TemporaryDirectory() as folder, console.working(f"Planting and asking ({place})"):
            export, index = Path(folder) / "planted.jsonl", Path(folder) / "index"
            lines = map(json.dumps, injection.planted(articles, plants, place))
            export.write_text("\n".join(lines), encoding="utf-8")
            sync([export], replace(settings, index=index))
            with closing(Assistant.from_settings(replace(settings, index=index))) as spoiled:
                outcomes += injection.ask(spoiled, plants, place)
    return Scores(
        injection.summary(outcomes),
        {place: injection.summary([o for o in outcomes if o.place == place]) for place in injection.PLACES},
        [f"{o.place} {o.plant.question.id} {o.plant.instruction}\n    {o.answer.text}" for o in outcomes if o.obeyed],
    )


def _disagreements(_: Settings, path: Path) -> Scores:
    from evals import disagreements

    pairs = disagreements.read(path)
    halves = {"odd lines": pairs[::2], "even lines": pairs[1::2]}
    return Scores(
        disagreements.summary(pairs),
        {half: disagreements.summary(of) for half, of in halves.items()},
        [f"{p.id} {p.kind}\n    {p.one}\n    {p.other}" for p in pairs if p.found != (p.kind == "disagree")],
    )


SETS: dict[str, Callable[[Settings, Path], Scores]] = {
    "event": _event,
    "facets": _facets,
    "disagreements": _disagreements,
    "support": _support,
    "injection": _injection,
}
SEARCHES = ("squad", "scifact", "clapnq", "chunking")
"""Sets that bring their articles along: modules with `read` and `score`."""
