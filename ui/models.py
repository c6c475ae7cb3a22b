"""Which model answers on the page: choosing one, getting one with progress, and what is remembered of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Protocol

from rag.errors import AftershockError, ModelError
from rag.machine import free_room
from rag.pull import DONE, PullProgress, pull
from rag.records import Article, DailyChange, Event, Passage, TimelineEntry
from rag.settings import Settings
from ui import preferences
from ui.model_choice import Survey, survey


class Assistant(Protocol):
    """What the page and the APIs need of `rag.Assistant`."""

    settings: Settings

    def with_settings(self, settings: Settings) -> Assistant:
        """One over the same articles that answers with other settings of the model."""

    def stream(
        self, question: str, history: Sequence[tuple[str, str]] = (), ignore: Collection[str] = ()
    ) -> Generator[Event, None, None]:
        """The events of an answer; closing the generator ends the work."""

    def retrieve(self, question: str, k: int = 10) -> Sequence[Passage]:
        """The passages that best answer the question, best first."""

    def article(self, article_id: str) -> Article:
        """The whole article; KeyError when there is none of that id."""

    def articles(self) -> Sequence[Article]:
        """All articles."""

    def counts(self) -> tuple[int, int]:
        """How many articles and passages there are."""

    def origins(self) -> dict[str, str]:
        """Where each article was read from: an id to a path or an address."""

    def state(self) -> str:
        """What the articles are at: another one after a change."""

    def timeline(self, *, progress: Callable[[float], object] | None = None) -> Sequence[TimelineEntry]:
        """The dated events that the articles tell of, in order; `progress` takes the share that is read."""

    def daily_changes(self, *, progress: Callable[[float], object] | None = None) -> Sequence[DailyChange]:
        """How far prices and indices moved on each day; `progress` takes the share that is read."""


@dataclass
class Pull:
    """A model on its way; `failure` says why it will not arrive."""

    name: str
    progress: PullProgress = field(default_factory=PullProgress)
    failure: str = ""
    ended: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        """Whether it is still on its way."""
        return not self.ended


class Models:
    """The choice of who answers, the same for all visitors, and the models on their way."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.settings = assistant.settings
        self.pulls: dict[str, Pull] = {}
        self._lock = threading.Lock()

    def assistant(self, model: str = "") -> Assistant:
        """An assistant that answers as chosen, or once with another model.

        Raises:
            SettingsError: the name is none of a model.
        """
        return self._assistant.with_settings(replace(self.settings, model=model or self.settings.model))

    def choose(self, **chosen: str) -> None:
        """Have a `model` answer from now on, let it `think` or not, at such a `length`, and remember what was chosen.

        Raises:
            SettingsError: a value cannot be used, or cannot be kept.
        """
        with self._lock:
            self.settings = replace(self.settings, **chosen)  # type: ignore[arg-type]
            preferences.remember(**chosen)

    def survey(self) -> Survey | str:
        """The models that there are and that can be had, or a sentence why nobody knows."""
        try:
            return survey(self.settings)
        except ModelError as error:
            return str(error)

    def pull(self, name: str) -> None:
        """Begin to get a model, unless it is on its way already."""
        with self._lock:
            known = self.pulls.get(name)
            if known and known.running:
                return
            started = self.pulls[name] = Pull(name)
        threading.Thread(target=self._run, args=(started,), name="pull", daemon=True).start()

    def cancel(self, name: str) -> None:
        """End the download; what is there stays on the server, and getting it again goes on from there."""
        if name in self.pulls:
            self.pulls[name].cancelled.set()

    def _run(self, started: Pull) -> None:
        url = self.settings.ollama_host
        try:
            with closing(pull(url, started.name, free_room(url))) as reports:
                for started.progress in reports:
                    if started.cancelled.is_set():
                        break
        except AftershockError as error:
            started.failure = str(error)
        finally:
            # First out of the list: whoever is told that nothing is on its way any more looks no further.
            if started.progress.status == DONE or started.cancelled.is_set():
                self.pulls.pop(started.name, None)
            started.ended = True
