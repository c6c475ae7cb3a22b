"""Hand-written stand-ins: an assistant that says what a test tells it to."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from pathlib import Path
from threading import Event as Signal
from typing import Self, TypeAlias

from ingest.split import paragraphs, sentences
from rag.question import checked
from rag.records import (
    Answer,
    Article,
    Citation,
    CitationEvent,
    DailyChange,
    DoneEvent,
    Event,
    Evidence,
    Passage,
    ReasoningEvent,
    Sentence,
    Source,
    StageEvent,
    TextEvent,
    TimelineEntry,
)
from rag.settings import Settings

NVIDIA = Article(
    id="nvidia-fall",
    title="Nvidia falls 17% and takes the market with it",
    text=(
        "Shares of Nvidia had closed at $142.62 on Friday, 24 January 2025.\n\n"
        "On Monday they fell 17% to $118.42. Nvidia lost $589 billion of market value in one day, the largest "
        "such loss on record. The Nasdaq Composite fell 3.1%.\n\n"
        "Broadcom, Oracle and the makers of power equipment fell with it, as investors asked how much computing the "
        "next models would need. Analysts at several banks called the sale overdone before the week was out.\n\n"
        "On Tuesday about half of the loss in the index came back.\n\n"
        "Nobody at the company had foreseen the reaction; its statement praised the work as an excellent advance."
        + "".join(f"\n\nOn day {day} the shares moved again." for day in range(4, 30))
    ),
    published="2025-01-28",
    sources=(
        Source(
            "Bloomberg",
            "Nvidia's $589 Billion DeepSeek Rout Is Largest in Market History",
            "https://example.org/bloomberg",
            "2025-01-27",
        ),
        Source("Reuters", "DeepSeek sparks AI stock selloff", "https://example.org/reuters", "2025-01-28"),
        Source("Wire Copy", "The day in shares", "javascript://example.org/%0Aalert(1)", "2025-01-28"),
        Source("CNBC", "Nvidia sheds almost $600 billion", "https://example.org/cnbc", "2025-01-27"),
    ),
)
TRAINING = Article(
    id="training-cost",
    title="What training DeepSeek-V3 cost",
    text=(
        "DeepSeek put the cost of training its DeepSeek-V3 model at $5.576 million. The figure covers the final "
        "training run only: earlier research, failed runs and the chips themselves are left out.\n\n"
        "The sum is 2.788 million hours on Nvidia H800 processors at an assumed rent of $2 an hour."
    ),
    outlet="The Ledger",
    published="2025-01-29",
    url="https://example.org/ledger",
    author="A. Writer",
)


Told: TypeAlias = tuple[Article, Sequence[Evidence]]


def told(
    article_id: str, text: str, *days: str, title: str = "", sources: tuple[Source, ...] = (), published: str = ""
) -> Told:
    """An article as the index gives it, each paragraph a passage; `days` are its event dates."""
    article = Article(
        article_id, title or article_id.title(), text, published=published, event_dates=days, sources=sources
    )
    evidence = []
    for start, end in paragraphs(text):
        passage = Passage(text[start:end], 0.0, article_id, article.title, "", published, "", start, end, sources)
        spans = sentences(text, (start, end))
        evidence.append(Evidence(passage, tuple(Sentence(text[s:e], s, e) for s, e in spans)))
    return article, evidence


def passage(article: Article, text: str) -> Passage:
    """The passage of `article` that is exactly `text`."""
    start = article.text.index(text)
    return Passage(
        text=text,
        score=0.9,
        article_id=article.id,
        title=article.title,
        outlet=article.outlet,
        published=article.published,
        url=article.url,
        start=start,
        end=start + len(text),
        sources=article.sources,
    )


def citation(number: int, article: Article, quote: str) -> Citation:
    """A citation of one sentence of `article`."""
    place = passage(article, quote)
    return Citation(number, quote, place, place.start, place.end)


LOSS = citation(1, NVIDIA, "Nvidia lost $589 billion of market value in one day, the largest such loss on record.")
COST = citation(
    2,
    TRAINING,
    "The figure covers the final training run only: earlier research, failed runs and the chips themselves are "
    "left out.",
)
TEXT = (
    "Nvidia lost **$589 billion** of market value on 27 January 2025, the largest loss of one firm in one day [1].\n\n"
    "What set it off was a report on cost:\n\n"
    "- DeepSeek put the training of V3 at $5.576 million\n"
    "- that figure leaves out earlier research, failed runs and the chips [2]"
)
REASONING = (
    "The question asks for a sum and its cause. Passage 1 has the sum, $589 billion, for 27 January.\n\n"
    "Passage 2 says what the training figure covers, so I should add what it leaves out."
)


def model_answer() -> list[Event]:
    """A whole answer by a local model: stages, thinking, two citations, text in small pieces."""
    answer = Answer(
        question="",
        text=TEXT,
        citations=(LOSS, COST),
        passages=(LOSS.passage, COST.passage),
        model="ollama/deepseek-r1:8b",
        reasoning=REASONING,
    )
    head, mark, tail = TEXT.partition("[1]")
    return [
        StageEvent("search", "Searching 41 articles"),
        StageEvent("read", "Reading 2 articles"),
        *(ReasoningEvent(word + " ") for word in REASONING.split(" ")),
        *(TextEvent(word + " ") for word in head.split(" ")[:-1]),
        CitationEvent(LOSS),
        TextEvent(mark),
        CitationEvent(COST),
        TextEvent(tail),
        DoneEvent(answer),
    ]


def quoted_answer() -> list[Event]:
    """A whole answer without a model."""
    text = f"{LOSS.quote} [1]"
    answer = Answer(question="", text=text, citations=(LOSS,), passages=(LOSS.passage, COST.passage))
    return [
        StageEvent("search", "Searching 41 articles"),
        CitationEvent(LOSS),
        TextEvent(text),
        DoneEvent(answer),
    ]


def refusal() -> list[Event]:
    """A refusal that offers two articles."""
    text = "The articles do not say who won the 2022 World Cup."
    answer = Answer(
        question="",
        text=text,
        passages=(COST.passage, LOSS.passage, COST.passage),
        refused=True,
        notes=("No model is served on this computer; answers are in the articles' own words.",),
    )
    return [StageEvent("search", "Searching 41 articles"), TextEvent(text), DoneEvent(answer)]


Step: TypeAlias = Event | Exception | Signal | float


def silence() -> list[Step]:
    """A model that says nothing for ten seconds but gives signs of life, as a served one does."""
    steps: list[Step] = []
    for _ in range(200):
        steps += [StageEvent("model", "m reads"), 0.05]
    return steps


class ScriptedAssistant:
    """Answers each question with the next script of its queue and remembers what it was asked.

    A script holds events, errors to raise, signals to wait for and seconds to pass before going on. Questions and
    histories are kept in `asked`, which facets were to be ignored in `ignored`, by which settings in `settled`;
    `closed` is set when a stream was closed before its end.
    """

    def __init__(self, articles: Sequence[Article] = (NVIDIA, TRAINING), index: Path = Path("no-index")) -> None:
        self.settings = Settings(index, ollama_host="http://127.0.0.1:9")
        self.ignored: list[list[str]] = []
        self.settled: list[Settings] = []
        self._articles = {article.id: article for article in articles}
        self.scripts: list[Iterable[Step]] = []
        self.asked: list[tuple[str, list[tuple[str, str]]]] = []
        self.closed = Signal()
        self.reading = Signal()
        self.reading.set()
        self.events: list[TimelineEntry] = []
        self.changes: list[DailyChange] = []

    def with_settings(self, settings: Settings) -> Self:
        """The same, with the same queue."""
        other = copy.copy(self)
        other.settings = settings
        return other

    def stream(
        self, question: str, history: Sequence[tuple[str, str]] = (), ignore: Collection[str] = ()
    ) -> Generator[Event, None, None]:
        """The next script, step by step."""
        self.asked.append((question, list(history)))
        self.ignored.append(list(ignore))
        self.settled.append(self.settings)
        try:
            for step in self.scripts.pop(0):
                if isinstance(step, Signal):
                    step.wait()
                elif isinstance(step, float):
                    time.sleep(step)
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        except GeneratorExit:
            self.closed.set()
            raise

    def retrieve(self, question: str, k: int = 10) -> list[Passage]:
        """Two passages, whatever the question."""
        checked(question)
        return [LOSS.passage, COST.passage][:k]

    def article(self, article_id: str) -> Article:
        """The article of that id."""
        return self._articles[article_id]

    def articles(self) -> list[Article]:
        """All articles."""
        return list(self._articles.values())

    def counts(self) -> tuple[int, int]:
        """As many passages as articles."""
        return len(self._articles), len(self._articles)

    def origins(self) -> dict[str, str]:
        """Where each article was read from."""
        return dict.fromkeys(self._articles, "/somewhere")

    def state(self) -> str:
        """Another one where it was told of other articles, events or changes."""
        return str((list(self._articles), self.events, self.changes))

    def timeline(self, *, progress: Callable[[float], object] | None = None) -> list[TimelineEntry]:
        """The events it was told of; half of them are read until `reading` is set."""
        if progress:
            progress(0.5)
        self.reading.wait()
        return self.events

    def daily_changes(self, *, progress: Callable[[float], object] | None = None) -> list[DailyChange]:  # noqa: ARG002
        """The changes it was told of."""
        return self.changes

    def add(self, article: Article) -> None:
        """One more article."""
        self._articles[article.id] = article
