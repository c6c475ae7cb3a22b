"""What stands beside the conversation, as HTML: the list of conversations, the library, the models. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from rag.recommend import gibibytes
from rag.settings import Settings
from ui.conversations import Conversation, Found
from ui.wording import day, outlets_of, own_sentence

if TYPE_CHECKING:
    from ui.library import Addition, Shelf
    from ui.model_choice import Choice, Survey
    from ui.models import Pull

THINKING = {"auto": "As the model likes", "true": "Always", "false": "Never"}
LENGTH = {"short": "Short", "medium": "Medium", "long": "Long"}


def conversation_list(listed: Iterable[Conversation | Found], words: str = "", notice: str = "") -> str:
    """The conversations, or those that hold the words searched for, each with its menu."""
    items = "".join(_conversation(each) for each in listed)
    if not items:
        items_or_none = f'<p class="none">{"Nothing was found." if words else "What you ask is kept here."}</p>'
    else:
        items_or_none = f"<ul>{items}</ul>"
    return (f'<p class="failure">{escape(notice)}</p>' if notice else "") + items_or_none


def _conversation(given: Conversation | Found) -> str:
    about, snippet = (given.conversation, given.snippet) if isinstance(given, Found) else (given, "")
    title = escape(about.title or "Untitled")
    found = f'<span class="snippet" dir="auto">{escape(snippet)}</span>' if snippet else ""
    return (
        f'<li data-id="{escape(about.id)}"><a class="conversation" href="?c={escape(about.id)}">'
        f'<span class="title" dir="auto">{title}</span>{found}</a>'
        f'<button type="button" class="more" aria-haspopup="menu" aria-label="More about {title}">⋯</button></li>'
    )


def library(shelf: Shelf, words: str) -> str:
    """The articles that were found, each opening in the reader."""
    items = "".join(
        f'<li><a class="source" href="#read?{escape(urlencode({"id": article.id}))}">'
        f'<span class="title" dir="auto">{escape(article.title)}</span> '
        f'<span class="about" dir="auto">{escape(_about(outlets_of(article), article.published))}</span></a></li>'
        for article in shelf.articles
    )
    if not items:
        return f'<p class="none">{"No article holds these words." if words else "There is no article yet."}</p>'
    counted = f"{shelf.found:,} of {shelf.all:,} articles" if words else _counted(shelf.all, "article")
    if len(shelf.articles) < shelf.found:
        counted += f", the first {len(shelf.articles)} are shown"
    return f'<p class="count" role="status">{counted}</p><ul class="sources">{items}</ul>'


def additions(under_way: Sequence[Addition], files: Sequence[str], links: Mapping[str, str]) -> str:
    """What is being added, how far it is, what became of it, and what can be taken out again.

    Args:
        under_way: what is being added or taken out, or was.
        files: the names of those that were added.
        links: the addresses of pages from the web, with their titles.
    """
    states = {"waiting": "waiting", "reading": "reading", "done": "", "failed": "not added"}
    rows = []
    for each in under_way:
        told = ": ".join(part for part in (states[each.state], each.message) if part)
        bar = (
            f'<progress max="1" value="{each.share:.3f}" aria-label="{escape(each.name)}"></progress>'
            if each.state == "reading"
            else ""
        )
        rows.append(
            f'<li class="{each.state}"><span class="name" dir="auto">{escape(each.name)}</span> '
            f'<span class="about">{escape(told)}</span>{bar}</li>'
        )
    parts = []
    if rows:
        ended = any(each.state in ("done", "failed") for each in under_way)
        clear = '<button type="button" class="dismiss">Clear the list</button>' if ended else ""
        parts.append(f'<ul class="additions">{"".join(rows)}</ul>{clear}')
    if files:
        kept = "".join(_removable("remove-file", name, name) for name in files)
        parts.append(_added("files", f"{_counted(len(files), 'file')} added by hand", kept))
    if links:
        kept = "".join(_removable("remove-link", address, title, address) for address, title in links.items())
        parts.append(_added("links", f"{_counted(len(links), 'page')} from the web", kept))
    return "".join(parts)


def _added(kind: str, heading: str, items: str) -> str:
    return f'<details class="added" data-kind="{kind}"><summary>{heading}</summary><ul>{items}</ul></details>'


def _removable(kind: str, value: str, name: str, about: str = "") -> str:
    more = f' <span class="about" dir="auto">{escape(about)}</span>' if about else ""
    return (
        f'<li><span class="name" dir="auto">{escape(name or value)}{more}</span> '
        f'<button type="button" class="{kind}" value="{escape(value)}" '
        f'aria-label="Remove {escape(name or value)}">Remove</button></li>'
    )


def models(found: Survey | str, settings: Settings, pulls: Iterable[Pull]) -> str:
    """Who can answer, what fits this machine, what can be had, and what is on its way."""
    from ui.model_choice import Survey

    survey = found if isinstance(found, Survey) else None
    answers = survey.answers.partition("/")[2] or survey.answers if survey and survey.answers else ""
    now = f", now {answers}" if answers and settings.model == "auto" else ""
    choices = [
        _radio("auto", "The best model there is" + now, "quotes where there is none", settings),
        _radio("quotes", "No model", "in the articles’ own words, at once", settings),
    ]
    names = ["auto", "quotes"]
    for choice in survey.installed if survey else ():
        names.append(f"ollama:{choice.name}")
        choices.append(_radio(names[-1], choice.name, _fit(choice), settings))
    if settings.model not in names:
        choices.append(_radio(settings.model, settings.model.partition(":")[2], "not found just now", settings))
    parts = [f"<fieldset><legend>Who answers</legend>{''.join(choices)}</fieldset>"]
    parts.append(_few("length", "Length of the answer", LENGTH, settings.length))
    parts.append(_few("think", "Thinking before the answer", THINKING, settings.think))
    if isinstance(found, str):
        parts.append(f'<p class="failure">{own_sentence(found)}</p>')
    parts += [_pull(pull) for pull in pulls]
    if survey and survey.offered:
        if survey.recommended:
            name, reason = survey.recommended.name, survey.recommended.reason
            parts.append(f'<p class="about">For this machine: {escape(name or "none")}; {escape(reason)}.</p>')
        rows = "".join(_offer(choice) for choice in survey.offered)
        parts.append(f'<h3>To be had from Ollama’s library</h3><ul class="offers">{rows}</ul>')
    return "".join(parts)


def _few(name: str, legend: str, labels: Mapping[str, str], chosen: str) -> str:
    """A choice among few, in one row."""
    choices = "".join(
        f'<label><input type="radio" name="{name}" value="{value}"{" checked" * (chosen == value)}> '
        f"<span>{label}</span></label>"
        for value, label in labels.items()
    )
    return f'<fieldset class="few"><legend>{legend}</legend>{choices}</fieldset>'


def names(found: Survey | str) -> list[str]:
    """The models that a question can be asked of, as values of the model setting."""
    return [] if isinstance(found, str) else [f"ollama:{choice.name}" for choice in found.installed]


def _radio(value: str, label: str, about: str, settings: Settings) -> str:
    checked = " checked" * (settings.model == value)
    return (
        f'<label><input type="radio" name="model" value="{escape(value)}"{checked}> <span>{escape(label)}</span> '
        f'<span class="about">{escape(about)}</span></label>'
    )


def _fit(choice: Choice) -> str:
    needs = f"needs {gibibytes(choice.memory)} of memory"
    return {True: f"{needs}, fits this machine", False: f"{needs}, too much for this machine", None: needs}[choice.fits]


def _offer(choice: Choice) -> str:
    name = escape(choice.name)
    return (
        f'<li><span class="name">{name}</span> <span class="about">{gibibytes(choice.size)} to download, '
        f'{escape(_fit(choice))}</span> <button type="button" class="pull" value="{name}" '
        f'aria-label="Get {name}">Get it</button></li>'
    )


def _pull(pull: Pull) -> str:
    name, progress = escape(pull.name), pull.progress
    if pull.failure:
        again = f'<button type="button" class="pull" value="{name}">Try again</button>'
        return f'<p class="failure">{own_sentence(pull.failure)} {again}</p>'
    sizes = f" {gibibytes(progress.completed)} of {gibibytes(progress.total)}" if progress.total else ""
    return (
        f'<div class="pulling"><span class="name">{name}</span> <span class="about">{escape(progress.status)}{sizes}'
        f'</span><progress max="1" value="{progress.share:.3f}" aria-label="{name}"></progress>'
        f'<button type="button" class="cancel" value="{name}" aria-label="Cancel {name}">Cancel</button></div>'
    )


def _about(outlets: str, published: str) -> str:
    return " · ".join(part for part in (outlets, day(published)) if part)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
