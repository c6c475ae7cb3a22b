"""What a loader found, checked and completed, as an `Article`. Pure."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from rag.errors import LoadError
from rag.records import Article, Source

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """One article, or the reason why there is none. `size` is how many bytes of its file it took.

    `place` is the file, with the line where the file holds several articles.
    """

    place: str
    size: int
    article: Article | None = None
    reason: str = ""
    warnings: tuple[str, ...] = ()
    """What is wrong with the article although it could be read, a sentence each."""
    is_aside: bool = False
    """Whether it was not tried, since its kind is none that is read."""


def loaded(fields: Mapping[str, Any], origin: str, size: int, place: str = "") -> Loaded:
    """An article from the fields of front matter, a JSON object or a page's metadata.

    `text` (or `body`) and `title` are needed; `id, outlet` (or `source`), `published` (or `published_at`, `date`),
    `url, author, sources, event_dates, language` are optional. Without an `id`, the address or else the origin and the
    title name the article. A date that can't be understood is left out, with a warning.

    Args:
        origin: the file that it came from.
        size: how many of the file's bytes it took.
        place: where in the file it stands, if the file holds others too.

    Raises:
        LoadError: a needed field is missing, or one is of the wrong kind.
    """
    text = clean(_string(fields, "text") or _string(fields, "body"))
    if not text:
        raise LoadError("it holds no text")
    title = " ".join(clean(_string(fields, "title")).split())
    if not title:
        raise LoadError("it has no title")
    warnings: list[str] = []
    sources = tuple(_source(entry, warnings) for entry in _list(fields, "sources"))
    outlet = _string(fields, "outlet") or _string(fields, "source") or (sources[0].outlet if sources else "")
    url = _string(fields, "url") or (sources[0].url if sources else "")
    day = fields.get("published") or fields.get("published_at") or fields.get("date")
    published = _date_or_warning(day, "it is kept undated", warnings)
    if not sources and (outlet or url):
        sources = (Source(outlet, title, url, published),)
    event_dates = {_date_or_warning(day, "it is left out", warnings) for day in _list(fields, "event_dates")}
    article = Article(
        id=_string(fields, "id") or _derived_id(title, url or f"{origin}\n{title}"),
        title=title,
        text=text,
        outlet=outlet,
        published=published,
        url=url,
        sources=sources,
        author=_string(fields, "author"),
        event_dates=tuple(sorted(event_dates - {""})),
        language=_string(fields, "language"),
    )
    return Loaded(place or origin, size, article, warnings=tuple(warnings))


def digest(subject: Article) -> str:
    """Names an article's content: equal digests mean that nothing changed."""
    # What `asdict` makes of it, which copies every text of it in a walk of its own.
    parts = {one.name: getattr(subject, one.name) for one in dataclasses.fields(subject)}
    parts["sources"] = [asdict(source) for source in subject.sources]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def header(subject: Article) -> str:
    """The line that goes in front of each of the article's chunks when it is embedded and searched."""
    return " | ".join(part for part in (subject.title, subject.outlet, readable_date(subject.published)) if part)


def clean(text: str) -> str:
    """`text` with Unix line ends, composed characters, and without control characters and spaces at line ends."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(line.rstrip() for line in _CONTROL.sub("", text).split("\n")).strip()


def date(value: object) -> str:
    """A date in any usual form, as ISO 8601; empty for none.

    >>> date("Monday, February 3, 2025"), date("2025-01-27T21:00:00Z"), date(None)
    ('2025-02-03', '2025-01-27', '')

    Raises:
        LoadError: it is no date.
    """
    if value is None or value == "":
        return ""
    if isinstance(value, datetime.date):
        return value.strftime("%Y-%m-%d")
    if _ISO_DATE.fullmatch(text := str(value)):
        with suppress(ValueError):
            return datetime.date.fromisoformat(text).isoformat()
    from dateutil import parser  # takes a while to import, and files mostly hold such as is read above

    # Parsed with two defaults: a day, month or year that differs was not in the text, and would be made up.
    defaults = (datetime.datetime(2000, 1, 1), datetime.datetime(2001, 2, 2))
    try:
        first, second = (parser.parse(text, default=default).date() for default in defaults)
    except (ValueError, OverflowError):
        first, second = defaults[0].date(), defaults[1].date()
    if first != second:
        shown = " ".join(text.split())
        raise LoadError(f"its date {shown[:60]!r} can't be understood; write it as 2025-01-27")
    return first.isoformat()


def readable_date(iso: str) -> str:
    """An ISO date as people write it, which is what questions are matched with.

    >>> readable_date("2025-01-27")
    '27 January 2025'
    """
    return f"{(day := datetime.date.fromisoformat(iso)).day} {day:%B %Y}" if iso else ""


def _string(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, (str, int)):
        return str(value).strip()
    raise LoadError(f"its field {name!r} is not text")


def _list(fields: Mapping[str, Any], name: str) -> list[Any]:
    """The entries of a field that are not empty."""
    value = fields.get(name) or []
    if not isinstance(value, list):
        raise LoadError(f"its field {name!r} is not a list")
    return [entry for entry in value if entry]


def _source(entry: object, warnings: list[str]) -> Source:
    if not isinstance(entry, Mapping):
        raise LoadError("an entry of its field 'sources' has no outlet, title, url and date")
    day = _date_or_warning(entry.get("date"), "its source is kept undated", warnings)
    return Source(_string(entry, "outlet"), _string(entry, "title"), _string(entry, "url"), day)


def _date_or_warning(value: object, outcome: str, warnings: list[str]) -> str:
    try:
        return date(value)
    except LoadError as error:
        warnings.append(f"{error}; {outcome}")
        return ""


def _derived_id(title: str, key: str) -> str:
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_title).strip("-")[:60].rstrip("-")
    return "-".join(part for part in (slug, hashlib.sha256(key.encode()).hexdigest()[:8]) if part)
