"""Checks the articles of a folder against the rules in corpus/README.md: `python -m corpus.check`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import frontmatter
import typer
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, StringConstraints, ValidationError

from corpus import FOLDER, reading_list
from corpus.figures import conflicts
from ingest.split import paragraphs, sentences

Topic = Literal[
    "app",
    "capital-spending",
    "chips",
    "company",
    "cost",
    "debate",
    "energy",
    "markets",
    "models",
    "people",
    "policy",
    "reactions",
    "research",
    "rivals",
    "security",
]

LEAST_WORDS, MOST_WORDS = 250, 700
LEAST_WORDS_OF_SENTENCE = 5
RUN = 8
"""So many words in a row that two articles share count as copied."""


def _plausible(day: date) -> date:
    """High-Flyer's beginnings are the oldest events told with a day; nothing is told before it happened."""
    if not date(2015, 1, 1) <= day <= date.today():
        raise ValueError(f"{day} is not between 2015 and today")
    return day


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Day = Annotated[date, AfterValidator(_plausible)]


class Source(BaseModel):
    """One publication behind an article."""

    model_config = ConfigDict(extra="forbid")

    outlet: Text
    title: Text
    url: HttpUrl
    date: Day


class FrontMatter(BaseModel):
    """What stands above an article's text."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Text
    published: Day
    event_dates: Annotated[list[Day], Field(min_length=1)]
    topics: Annotated[list[Topic], Field(min_length=1, max_length=3)]
    sources: Annotated[list[Source], Field(min_length=1)]
    people: list[Text]
    organisations: list[Text]


_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_MONTHS = _MONTH.split("|")
_DAYS_OF_MONTH = re.compile(rf"((?:\d{{1,2}}(?:, | and | or | to ))*\d{{1,2}}) ({_MONTH}) (\d{{4}})")

_MARKDOWN = re.compile(
    r"^\s*(?:#|>|\||```|[-*+] |\d+[.)] )|\*\*|__|`|\]\(|https?://|<\w+[ />]",
    re.MULTILINE,
)

_QUOTATION = re.compile(r'"[^"]*"|“[^”]*”')
_WORD = re.compile(r"[^\W_]+(?:[.,'’-][^\W_]+)*")

_LEANING_START = re.compile(
    r"(?:(?:But|And|Yet|However,|In|On|At|By|For|After|Before|With) )?"
    r"(?:it|its|they|their|them|he|his|she|her|this|these|those|that|both|"
    r"the (?:same|company|firm|report|former|latter))\b",
    re.IGNORECASE,
)
_RELATIVE_DAY = re.compile(
    r"\b(?:(?:that|the same|the next|the following|the previous) (?:day|week|month|year)|yesterday|today|last week)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b(?!(?:The|A|An|In|On|At|By|For|From|Of|And|But|I)\b|(?:" + _MONTH + r")\b)\w*[A-Z]\w*")


def check(folder: Path, against: Path | None = None) -> list[str]:
    """One line for each fault of the articles in `folder`, with the file's name in front.

    With `against`, the text of that file must not stand in any of them either.
    """
    faults: list[str] = []
    texts: dict[str, str] = {}
    sources: list[dict[str, Any]] = []
    paths = [path for path in sorted(folder.glob("*.md")) if path.stem != "README"]
    if not paths:
        return [f"{folder}: there are no articles"]
    for path in paths:
        try:
            document = frontmatter.loads(path.read_text(encoding="utf-8"))
            metadata: dict[str, Any] = document.metadata
            fields = FrontMatter.model_validate(metadata)
        except UnicodeDecodeError:
            faults.append(f"{path.name}: it is not UTF-8")
            continue
        except ValidationError as error:
            faults += [f"{path.name}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
            continue
        except (yaml.YAMLError, ValueError) as error:  # YAML raises ValueError for a day such as 30 February
            faults.append(f"{path.name}: its front matter can't be read ({error})")
            continue
        text = texts[path.name] = document.content
        sources += metadata["sources"]
        faults += [f"{path.name}: {fault}" for fault in [*_front_matter(fields, path.stem, text), *_body(text)]]
    if len(texts) == len(paths):
        faults += _reading_list(folder, sources)
    faults += conflicts(texts, _known_disagreements(folder))
    if against:
        texts[against.name] = against.read_text(encoding="utf-8")
    return faults + list(_shared_runs(texts))


def _known_disagreements(folder: Path) -> list[str]:
    """The rows of the tables in the folder's README."""
    readme = folder / "README.md"
    lines = readme.read_text(encoding="utf-8").splitlines() if readme.is_file() else []
    return [line for line in lines if line.startswith("| ")]


def _reading_list(folder: Path, sources: list[dict[str, Any]]) -> Iterator[str]:
    try:
        listed = set(reading_list.read(folder))
    except (ValueError, TypeError, KeyError) as error:
        yield f"{reading_list.NAME}: it can't be read ({error})"
        return
    if differing := listed ^ set(reading_list.originals(sources)):
        urls = ", ".join(sorted({original.url for original in differing}))
        yield (
            f"{reading_list.NAME}: it disagrees with the articles' sources on {urls}; "
            "'python -m corpus.reading_list' makes it anew"
        )


def _front_matter(fields: FrontMatter, stem: str, text: str) -> Iterator[str]:
    if fields.id != stem:
        yield f"its id {fields.id!r} is not its file's name"
    newest = max(source.date for source in fields.sources)
    if fields.published != newest:
        yield f"published is {fields.published}, but its newest source is of {newest}"
    if fields.event_dates != sorted(set(fields.event_dates)):
        yield "its event_dates are not in order, or one stands there twice"
    told = set(_dates(text))
    for day in fields.event_dates:
        if (day.day, day.month, day.year) not in told:
            yield f"the text does not tell of {day}, which is one of its event_dates"
    for name in [*fields.people, *fields.organisations]:
        if name.split()[-1].lower() not in text.lower():
            yield f"the text does not name {name!r}"


def _dates(text: str) -> Iterator[tuple[int, int, int]]:
    """Day, month and year of every full date, "10 and 11 February 2025" giving two."""
    for days, month, year in _DAYS_OF_MONTH.findall(text):
        for day in re.findall(r"\d+", days):
            yield int(day), _MONTHS.index(month) + 1, int(year)


def _body(text: str) -> Iterator[str]:
    words = len(text.split())
    if not LEAST_WORDS <= words <= MOST_WORDS:
        yield f"it has {words} words, not {LEAST_WORDS} to {MOST_WORDS}"
    if found := _MARKDOWN.search(text):
        yield f"Markdown in the text: {found.group().strip()!r}"
    for paragraph in paragraphs(text):
        if text.count('"', *paragraph) % 2:
            yield f"a quotation is not closed: {text[slice(*paragraph)]}"
        for start, end in sentences(text, paragraph):
            sentence = text[start:end]
            if len(sentence.split()) < LEAST_WORDS_OF_SENTENCE:
                yield f"too short to quote, or cut at a stop inside a name: {sentence}"
            if fault := _leans(sentence):
                yield f"{fault}: {sentence}"


def _leans(sentence: str) -> str:
    """Why a sentence with a figure can't be quoted alone; empty when it can, as far as a rule can tell."""
    if not re.search(r"\d", sentence):
        return ""
    if found := _LEANING_START.match(sentence):
        return f"a figure behind {found.group()!r}"
    own_words = _QUOTATION.sub(" ", sentence)
    if (found := _RELATIVE_DAY.search(own_words)) and not re.search(rf"\b(?:{_MONTH})\b", own_words):
        return f"a figure on {found.group()!r} without a date"
    if not _NAME.search(own_words):
        return "a figure without a name"
    return ""


def _shared_runs(texts: dict[str, str]) -> Iterator[str]:
    """Runs of `RUN` words outside quotation marks that a text shares with an earlier one, one line a pair of texts."""
    first_seen: dict[tuple[str, ...], str] = {}
    told: set[tuple[str, str]] = set()
    for name, text in texts.items():
        runs = set(_runs(text))
        for run in runs:
            other = first_seen.setdefault(run, name)
            if other != name and (name, other) not in told:
                told.add((name, other))
                yield f"{name}: shares with {other}: {' '.join(run)}"


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    for stretch in _QUOTATION.split(text):
        words = [word.lower() for word in _WORD.findall(stretch)]
        for i in range(len(words) - RUN + 1):
            yield tuple(words[i : i + RUN])


command = typer.Typer(add_completion=False)


@command.command()
def main(
    folder: Annotated[Path, typer.Argument(help="Where the articles are.")] = FOLDER,
    against: Annotated[Path | None, typer.Option(help="A text that the articles must share no run with.")] = None,
) -> None:
    """Check the corpus; the exit status is 1 when a rule is broken."""
    faults = check(folder, against)
    for fault in faults:
        typer.echo(fault)
    if faults:
        raise typer.Exit(1)
    typer.echo("The corpus keeps all rules.")


if __name__ == "__main__":
    command()
