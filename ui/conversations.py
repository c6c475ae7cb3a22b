"""Conversations saved on this machine: one SQLite file, safe with several tabs and several processes.

Each visitor has conversations of their own, named by random ids that cannot be guessed. Deleting takes a conversation
out of the file itself, not only out of sight.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Literal, TypeAlias

from rag.errors import ConversationMissingError
from rag.records import Answer, History
from ui.conversation_file import ConversationFile

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Thumb: TypeAlias = Literal["up", "down"]

LONGEST_TITLE = 60
MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation in a list. Times are ISO 8601 in UTC; `turns` is how many it has."""

    id: str
    title: str
    created: str
    changed: str
    turns: int


@dataclass(frozen=True, slots=True)
class SavedTurn:
    """A question with its answer, and what the visitor thought of it; `number` counts from 1."""

    number: int
    asked: str
    answer: Answer
    thumb: Thumb | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SavedConversation:
    """A whole conversation."""

    about: Conversation
    turns: tuple[SavedTurn, ...]

    @property
    def history(self) -> History:
        """What an assistant takes as history of the next question."""
        return tuple((turn.answer.question, turn.answer.text) for turn in self.turns if turn.answer.text)


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation that holds the words searched for, and some of the text around them."""

    conversation: Conversation
    snippet: str


_POLITE = re.compile(
    r"^(?:(?:please|hi|hello|hey|so|well)\b[,!.\s]*)*"
    r"(?:(?:can|could|would) you (?:please )?(?:tell|explain to|show) me\s+|(?:please )?tell me\s+)?",
    re.IGNORECASE,
)


def title_of(question: str) -> str:
    """A short title made from a conversation's first question.

    >>> title_of("Please, could you tell me  how much value Nvidia lost?")
    'How much value Nvidia lost?'
    >>> title_of("What did the training of DeepSeek-V3 cost, and which costs does that figure leave out?")
    'What did the training of DeepSeek-V3 cost, and which costs…'
    """
    words = " ".join(question.split())
    words = _POLITE.sub("", words) or words
    if len(words) > LONGEST_TITLE:
        cut = words[:LONGEST_TITLE]
        words = cut[: cut.rfind(" ", LONGEST_TITLE // 2)].rstrip(" ,;:.-–—(") + "…"
    return words[:1].upper() + words[1:]


class Conversations(ConversationFile):
    """Everybody's conversations, by visitor."""

    def of(self, visitor: str) -> Visitor:
        """The conversations of one visitor, who sees and changes only these."""
        if not visitor:
            raise ValueError("a visitor needs an id")
        return Visitor(self, visitor)

    def of_everybody(self) -> Visitor:
        """All conversations, for whoever sits at this machine."""
        return Visitor(self, None)


class Visitor:
    """One visitor's conversations. An id that isn't theirs is as good as none.

    Every method raises ConversationsError when the file cannot be read or written, and those that take an id
    ConversationMissingError when the visitor has no such conversation.
    """

    def __init__(self, store: Conversations, owner: str | None) -> None:
        self._store = store
        self._owner = owner

    def create(self) -> str:
        """Begin a conversation, and return its id: 128 random bits in hexadecimal."""
        if self._owner is None:
            raise ValueError("a conversation belongs to one visitor")
        made, now = secrets.token_hex(16), _now()
        with self._store.changing() as database:
            database.execute(
                "INSERT INTO conversations (id, owner, title, created, changed) VALUES (?, ?, '', ?, ?)",
                (made, self._owner, now, now),
            )
        return made

    def append(self, id: str, answer: Answer) -> int:
        """Save an answer with its question, and return the turn's number; the first one gives the title."""
        record = _sound(json.dumps(asdict(answer), ensure_ascii=False))
        with self._store.changing() as database:
            key, title = self._find(database, id)
            [last] = database.execute(
                "SELECT coalesce(max(number), 0) FROM turns WHERE conversation = ?", (key,)
            ).fetchone()
            now = _now()
            database.execute(
                "INSERT INTO turns (conversation, number, asked, answer) VALUES (?, ?, ?, ?)",
                (key, last + 1, now, record),
            )
            database.execute("UPDATE conversations SET changed = ? WHERE key = ?", (now, key))
            if not title:
                database.execute(
                    "UPDATE conversations SET title = ? WHERE key = ?", (title_of(_sound(answer.question)), key)
                )
        return int(last) + 1

    def cut(self, id: str, number: int) -> None:
        """Take a turn and all after it away, to ask that question anew."""
        with self._store.changing() as database:
            key, _ = self._find(database, id)
            database.execute("DELETE FROM turns WHERE conversation = ? AND number >= ?", (key, number))
            database.execute("INSERT INTO unscrubbed DEFAULT VALUES")

    def listed(self) -> list[Conversation]:
        """All conversations that have a turn, the one changed last first."""
        with self._store.connected() as database:
            rows = database.execute(
                f"{_ABOUT} WHERE turns > 0 AND {self._mine} ORDER BY changed DESC, key DESC", self._values
            )
            return [Conversation(*row[1:]) for row in rows]

    def search(self, words: str) -> list[Found]:
        """The best `MOST_FOUND` conversations with a turn, or a title, with all the words, or words beginning so."""
        query = " ".join(f'"{word}"*' for word in re.findall(r"\w+", words))
        if not query:
            return []
        best: dict[int, int] = {}
        with self._store.connected() as database:
            rows = database.execute(f"{_ABOUT} WHERE turns > 0 AND {self._mine}", self._values)
            mine = {row[0]: Conversation(*row[1:]) for row in rows}
            for row, key in database.execute(
                "SELECT rowid, conversation FROM search WHERE search MATCH ? ORDER BY rank", (query,)
            ):
                if key in mine:
                    best.setdefault(key, row)
            # Made for what is shown only: a snippet takes half a millisecond.
            return [
                Found(
                    mine[key],
                    " ".join(database.execute(_SNIPPET, (query, row)).fetchone()[0].split()),
                )
                for key, row in islice(best.items(), MOST_FOUND)
            ]

    def get(self, id: str) -> SavedConversation:
        """A whole conversation."""
        with self._store.connected() as database:
            key, _ = self._find(database, id)
            about = database.execute(f"{_ABOUT} WHERE key = ?", (key,)).fetchone()
            rows = database.execute(
                "SELECT number, asked, answer, thumb, note FROM turns WHERE conversation = ? ORDER BY number", (key,)
            ).fetchall()
        turns = tuple(
            SavedTurn(number, asked, _answers().validate_json(answer), thumb, note)
            for number, asked, answer, thumb, note in rows
        )
        return SavedConversation(Conversation(*about[1:]), turns)

    def rename(self, id: str, title: str) -> None:
        """Give a conversation another title; without any words it gets the one made by rule again."""
        title = _sound(" ".join(title.split())[:200])
        with self._store.changing() as database:
            key, _ = self._find(database, id)
            if not title:
                first = database.execute(
                    "SELECT json_extract(answer, '$.question') FROM turns WHERE conversation = ? ORDER BY number",
                    (key,),
                ).fetchone()
                title = title_of(first[0]) if first else ""
            database.execute("UPDATE conversations SET title = ? WHERE key = ?", (title, key))

    def renew(self, id: str) -> str:
        """Give a conversation a new id, and return it: a link with the old one opens nothing any more."""
        made = secrets.token_hex(16)
        with self._store.changing() as database:
            key, _ = self._find(database, id)
            database.execute("UPDATE conversations SET id = ? WHERE key = ?", (made, key))
        return made

    def delete(self, id: str) -> None:
        """Delete a conversation for good: its text is no longer in the file either."""
        with self._store.changing() as database:
            key, _ = self._find(database, id)
            database.execute("DELETE FROM conversations WHERE key = ?", (key,))
            database.execute("INSERT INTO unscrubbed DEFAULT VALUES")
        self._store.scrub()

    def rate(self, id: str, number: int, thumb: Thumb | None, note: str = "") -> None:
        """Keep what the visitor thinks of an answer; None takes it back."""
        with self._store.changing() as database:
            key, _ = self._find(database, id)
            changed = database.execute(
                "UPDATE turns SET thumb = ?, note = ? WHERE conversation = ? AND number = ?",
                (thumb, _sound(note.strip()) if thumb else "", key, number),
            ).rowcount
        if not changed:
            raise ConversationMissingError("This answer is no longer saved.")

    def rated(self) -> list[tuple[Sequence[str], SavedTurn]]:
        """Every turn with a thumb, oldest first, each with the questions asked up to it."""
        found: list[tuple[Sequence[str], SavedTurn]] = []
        for about in reversed(self.listed()):
            turns = self.get(about.id).turns
            questions = [turn.answer.question for turn in turns]
            found += [(questions[: place + 1], turn) for place, turn in enumerate(turns) if turn.thumb]
        return found

    @property
    def _mine(self) -> str:
        return "owner = ?" if self._owner is not None else "true"

    @property
    def _values(self) -> tuple[str, ...]:
        return () if self._owner is None else (self._owner,)

    def _find(self, database: sqlite3.Connection, id: str) -> tuple[int, str]:
        row = database.execute(
            f"SELECT key, title FROM conversations WHERE id = ? AND {self._mine}", (id, *self._values)
        ).fetchone()
        if row is None:
            raise ConversationMissingError(
                "There is no such conversation; it may have been deleted, or its link withdrawn."
            )
        return row[0], row[1]


_ABOUT = """
    SELECT key, id, title, created, changed, turns FROM (
        SELECT *, (SELECT count(*) FROM turns WHERE conversation = conversations.key) AS turns FROM conversations
    )
"""


_SNIPPET = "SELECT snippet(search, 0, '', '', '…', 16) FROM search WHERE search MATCH ? AND rowid = ?"


@cache
def _answers() -> TypeAdapter[Answer]:
    """Reads answers from JSON; what a newer version has added is left out."""
    from pydantic import TypeAdapter

    return TypeAdapter(Answer)


def _sound(text: str) -> str:
    """Text that can be stored: half characters, as a broken paste or a model may bring them, become question marks."""
    return text.encode("utf-8", "replace").decode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
