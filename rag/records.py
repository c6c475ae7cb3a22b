"""The records that travel through Aftershock: frozen, plain, and ready for JSON by `dataclasses.asdict`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

UNSUPPORTED = "[unsupported]"
"""Stands behind a sentence of a model's answer that no passage bears out, where a mark would stand."""

History: TypeAlias = "tuple[tuple[str, str], ...]"
"""Earlier turns of a conversation, oldest first: (question, answer text)."""


@dataclass(frozen=True, slots=True)
class Source:
    """One publication behind an article. `date` is ISO 8601 or empty."""

    outlet: str
    title: str = ""
    url: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    """A text as it was ingested. Offsets of passages and citations count characters of `text`."""

    id: str
    title: str
    text: str
    outlet: str = ""
    published: str = ""
    """ISO 8601 date, or empty when undated."""
    url: str = ""
    sources: tuple[Source, ...] = ()
    author: str = ""
    event_dates: tuple[str, ...] = ()
    """The days whose events the text tells, as ISO 8601 dates in order."""
    language: str = ""
    """Of the text, as an ISO 639 code; empty when it can't be told."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of an article: `text` is exactly `article.text[start:end]`."""

    text: str
    score: float
    article_id: str
    title: str
    outlet: str
    published: str
    url: str
    start: int
    end: int
    sources: tuple[Source, ...] = ()
    """Everybody who reported it: the article's sources, and those of near-identical passages merged into this one."""

    def scored(self, score: float) -> Passage:
        """The same passage with another score. Much faster than `dataclasses.replace`."""
        return Passage(
            self.text,
            score,
            self.article_id,
            self.title,
            self.outlet,
            self.published,
            self.url,
            self.start,
            self.end,
            self.sources,
        )


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a passage, with how well it matches the question.

    `start` and `end` are offsets into the article's text; `dense` is the cosine to the question, `lexical` the share
    of the question's words that it holds, weighted by rarity, and `tokens` how well it matches the question's tokens.
    """

    text: str
    start: int
    end: int
    dense: float = 0.0
    lexical: float = 0.0
    tokens: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A retrieved passage together with its sentences, in the article's order.

    `matches` says of the passage's header and then of each sentence how well each of the question's tokens of content
    is matched there, about 0 to 1; empty where nobody looked.
    """

    passage: Passage
    sentences: tuple[Sentence, ...]
    matches: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """The mark `[number]` in an answer and the sentence behind it: `quote` is exactly `article.text[start:end]`.

    `highlight` is the stretch of the article, inside the quote, that answers the question by itself: a figure, a date,
    a name or a few other words; None where it isn't sure.
    """

    number: int
    quote: str
    passage: Passage
    start: int
    end: int
    highlight: tuple[int, int] | None = None

    @property
    def highlighted(self) -> str:
        """The words of `highlight`; empty where there are none."""
        if self.highlight is None:
            return ""
        start, end = self.highlight
        return self.quote[start - self.start : end - self.start]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """An event: the sentence that tells it, which is the first citation's quote, and who else tells the same.

    `date` is ISO 8601.
    """

    date: str
    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class DailyChange:
    """How far a price or an index moved on a day: one value, and who reports it.

    `date` is ISO 8601; `percent` is signed, `written` is the figure without its sign as the sources write it ("about
    17%"); `at_close` is false for what was measured during the day; `level` is where the price got to, as written, or
    empty. The first citation is of the most exact report.
    """

    subject: str
    date: str
    percent: float
    written: str
    at_close: bool
    level: str
    outlets: tuple[str, ...]
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class ReportedValue:
    """A value of a disputed figure and who reported it."""

    value: str
    outlets: tuple[str, ...]
    dates: tuple[str, ...]
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A figure, date or attribution that the articles report differently; `values` go from small to large."""

    subject: str
    values: tuple[ReportedValue, ...]
    explanation: str = ""
    """What may explain the difference, in a source's own words; empty where no source explains it."""


@dataclass(frozen=True, slots=True)
class Facet:
    """An outlet, period, day or person that the question names and the search prefers; the user can take it off.

    `kind` is for instance "outlet" or "date"; `label` is for the user: "Reuters", "27 January 2025".
    """

    kind: str
    label: str

    @property
    def key(self) -> str:
        """Names the facet when it is taken off: "outlet:Reuters"."""
        return f"{self.kind}:{self.label}"


@dataclass(frozen=True, slots=True)
class Support:
    """How much of a model's answer its passages bear out: sentences checked, and those that nothing supports."""

    sentences: int
    unsupported: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The supported share of the sentences, 0 to 1; 1 where there was none to check."""
        return 1 - len(self.unsupported) / self.sentences if self.sentences else 1.0


@dataclass(frozen=True, slots=True)
class ContextUse:
    """How many tokens of the model's context window an answer took, prompt, thinking and answer together.

    `written` is how many of them are thinking and answer.
    """

    used: int
    window: int
    written: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reader gets.

    `text` carries `[n]` marks, each of which is the `number` of one of `citations`. `model` is "quotes"
    when the sources' own words were used, else for instance "ollama/deepseek-r1:8b". `timings` maps a
    stage to seconds. `notes` are sentences for the user about how the answer came about. `interrupted`
    says that the text is cut short.
    """

    question: str
    text: str
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    refused: bool = False
    disagreements: tuple[Disagreement, ...] = ()
    model: str = "quotes"
    reasoning: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)
    standalone_question: str = ""
    """The question that was searched for: `question`, with what it leaves unsaid filled in from the history."""
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    facets: tuple[Facet, ...] = ()
    support: Support | None = None
    """Of a model's answer; None for quotes, which are their own support."""
    context: ContextUse | None = None
    """Of a model's answer; None for quotes, and where the server doesn't say."""

    def __str__(self) -> str:
        lines = [self.text]
        if self.citations:
            lines += ["", "Sources:"]
            lines += [f"[{c.number}] {describe_source(c.passage)}" for c in self.citations]
        lines += [f"Note: {note}" for note in self.notes]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer's content before the circumstances are added that make it an `Answer`."""

    text: str
    citations: tuple[Citation, ...] = ()
    refused: bool = False
    reasoning: str = ""
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    support: Support | None = None
    context: ContextUse | None = None


def describe_source(passage: Passage) -> str:
    """Title, outlet, date and address of a passage on one line.

    >>> describe_source(Passage("", 0, "a", "Nvidia falls", "CNBC", "2025-01-27", "https://example.org/a", 0, 0))
    'Nvidia falls (CNBC, 2025-01-27) https://example.org/a'
    """
    where = ", ".join(part for part in (passage.outlet, passage.published) if part)
    parts = [passage.title, f"({where})" if where else "", passage.url]
    return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class StageEvent:
    """Work has moved on: `stage` is a short name ("search", "read", "model", "note"), `message` a line for the user."""

    stage: str
    message: str
    type: Literal["stage"] = "stage"


@dataclass(frozen=True, slots=True)
class FacetsEvent:
    """What the search prefers because the question names it; comes before the passages are read."""

    facets: tuple[Facet, ...]
    type: Literal["facets"] = "facets"


@dataclass(frozen=True, slots=True)
class ReasoningEvent:
    """More of the model's thinking, `seconds` after it began."""

    text: str
    seconds: float = field(default=0.0, compare=False)
    type: Literal["reasoning"] = "reasoning"


@dataclass(frozen=True, slots=True)
class TextEvent:
    """More of the answer's text; the concatenation of all since the last `WithdrawnEvent` is `Answer.text`."""

    text: str
    type: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class CitationEvent:
    """A source was cited for the first time; comes before the text that carries its mark."""

    citation: Citation
    type: Literal["citation"] = "citation"


@dataclass(frozen=True, slots=True)
class WithdrawnEvent:
    """The text and citations so far are void, and what follows replaces them: the check changed or refused them."""

    type: Literal["withdrawn"] = "withdrawn"


@dataclass(frozen=True, slots=True)
class DoneEvent:
    """The last event: the whole answer."""

    answer: Answer
    type: Literal["done"] = "done"


Event: TypeAlias = StageEvent | FacetsEvent | ReasoningEvent | TextEvent | CitationEvent | WithdrawnEvent | DoneEvent
