"""An answer on a terminal as it arrives: what is going on, then its text word by word, then what it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.control import Control
from rich.segment import ControlType
from rich.status import Status
from rich.text import Text

from rag.records import (
    UNSUPPORTED,
    Answer,
    Citation,
    CitationEvent,
    DoneEvent,
    Event,
    ReasoningEvent,
    StageEvent,
    TextEvent,
    WithdrawnEvent,
)
from ui.console import MARK, harmless, messages, output, source_line, write, write_address
from ui.highlight import CLOSE, OPEN, mark_highlights

_WORD = re.compile(r"\s+|\S+")
_HIGHLIGHT = re.compile(f"([{OPEN}{CLOSE}])")


def show_answer(events: Iterable[Event], *, text: bool = True) -> Answer:
    """Print an answer as its events arrive: what is going on as a line that vanishes, then text, then sources.

    Args:
        events: a stream of `rag.Assistant`.
        text: print the answer itself, and not only what is going on.
    """
    with _AnswerView(text) as view:
        for event in events:
            view.take(event)
            if isinstance(event, DoneEvent):
                return event.answer
    raise AssertionError("a stream ends with a DoneEvent")


class _AnswerView:
    """Use as a context manager, so that the terminal is left in order when the answer breaks off."""

    def __init__(self, text: bool) -> None:
        self._text = text
        self._output = output()
        self._messages = messages()
        self._status = Status("", console=self._messages)
        self._pending = ""
        self._column = 0
        self._reasoning = ""
        self._seconds = 0.0
        self._lines = 0
        self._cited: list[Citation] = []
        self._bold = False

    def __enter__(self) -> Self:
        self.say("Loading the embedding model")
        if self._messages.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()
        if self._pending or self._column:
            self._flow("\n")

    def say(self, message: str) -> None:
        """Show what is going on, on one line."""
        line = Text(harmless(" ".join(message.split())), style="dim")
        line.truncate(self._messages.width - 4, overflow="ellipsis")
        self._status.update(line)

    def take(self, event: Event) -> None:
        """Print what the event brings."""
        match event:
            case StageEvent():
                self.say(event.message)
            case ReasoningEvent():
                self._reasoning += event.text
                self._seconds = event.seconds
                self.say(f"Thinking for {event.seconds:.0f} s: …{self._reasoning[-(self._messages.width - 32) :]}")
            case TextEvent() if self._text and self._output.is_terminal:
                self._fold()
                self._flow(mark_highlights(event.text, self._cited))
            case CitationEvent():
                self._cited.append(event.citation)
            case WithdrawnEvent():
                self._withdraw()
            case DoneEvent():
                self._fold()
                if self._text and not self._output.is_terminal:
                    # Nobody reads along, and what is in a pipe can't be taken back.
                    self._flow(event.answer.text)
                self._flow("\n")
                if self._text:
                    self._write_disagreements(event.answer)
                    self._write_sources(event.answer)
                for note in event.answer.notes:
                    write(self._messages, note, style="dim")

    def _fold(self) -> None:
        """The thinking gives way to one line that says how long it took."""
        self._status.stop()
        if self._reasoning and self._messages.is_terminal:
            self._messages.print(f"Thought for {self._seconds:.0f} s", style="dim")
        self._reasoning = ""

    def _flow(self, text: str) -> None:
        """Print more of the text; on a terminal a word is held back until it is whole, and begins a line if need be."""
        if not self._output.is_terminal:
            self._output.print(harmless(text), end="", soft_wrap=True)
            self._output.file.flush()
            return
        *whole, self._pending = _WORD.findall(self._pending + harmless(text)) or [""]
        if self._pending.isspace():
            whole, self._pending = [*whole, self._pending], ""
        for word in whole:
            piece = Text()
            for part in _HIGHLIGHT.split(word):
                if part in (OPEN, CLOSE):
                    self._bold = part == OPEN
                else:
                    piece.append(part, "bold" if self._bold else None)
            piece.highlight_regex(MARK, "bold cyan")
            piece.highlight_regex(re.escape(UNSUPPORTED), "bold yellow")
            if self._column + piece.cell_len >= self._output.width and not word.isspace():
                self._output.print()
                self._column = 0
                self._lines += 1
            self._output.print(piece, end="", soft_wrap=True)
            self._column = 0 if word.endswith("\n") else self._column + piece.cell_len
            self._lines += word.count("\n")

    def _withdraw(self) -> None:
        """Take the text back; where it has scrolled away, say that what follows replaces it."""
        if not (self._lines or self._column):
            self._pending = ""
            return
        if self._lines < self._output.height:
            up = [(ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2)] * self._lines
            self._output.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2), *up))
        else:
            self._flow("\n")
            self._output.print("After a check, in place of the above:", style="dim")
        self._pending, self._column, self._lines = "", 0, 0

    def _write_disagreements(self, answer: Answer) -> None:
        for disagreement in answer.disagreements:
            self._output.print()
            write(self._output, Text.assemble(("Reports differ: ", "bold"), disagreement.subject))
            for value in disagreement.values:
                who = f" ({', '.join(value.outlets)})" if value.outlets else ""
                line = Text(f"{value.value}{who} {' '.join(f'[{number}]' for number in value.citations)}")
                line.highlight_regex(MARK, "bold cyan")
                write(self._output, line, 4)
            if disagreement.explanation:
                write(self._output, disagreement.explanation, 4)

    def _write_sources(self, answer: Answer) -> None:
        for citation in answer.citations:
            self._output.print()
            write(self._output, source_line(citation.passage), 4, first=f"[{citation.number}]")
            write(self._output, f"“{' '.join(citation.quote.split())}”", 4)
            write_address(self._output, citation.passage.url)
