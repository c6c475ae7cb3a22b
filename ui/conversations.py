"""Conversations saved on this machine: one SQLite file, safe with several tabs and several processes.

Each visitor has conversations of their own, named by random ids that cannot be guessed. Deleting takes a conversation
out of the file itself, not only out of sight.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from platformdirs import user_data_path

from rag.errors import ConversationMissingError, ConversationsError
from rag.records import Answer, History

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Thumb: TypeAlias = Literal["up", "down"]

LONGEST_TITLE = 60
MOST_FOUND = 50
_BUSY_SECONDS = 10.0
"""How long one process waits for another that is writing; each write takes milliseconds."""

# Each step brings a file from the version before it, which is its place in this list, to the next one. Steps that were
# released are never changed.
_STEPS = (
    """
    CREATE TABLE conversations (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        title TEXT NOT NULL,
        created TEXT NOT NULL,
        changed TEXT NOT NULL
    );
    CREATE INDEX conversations_of_owner ON conversations (owner, changed);
    CREATE TABLE turns (
        key INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        asked TEXT NOT NULL,
        answer TEXT NOT NULL,
        thumb TEXT CHECK (thumb IN ('up', 'down')),
        note TEXT NOT NULL DEFAULT '',
        UNIQUE (conversation, number)
    );
    CREATE TABLE unscrubbed (mark INTEGER PRIMARY KEY);
    """,
    # Rows of turns have the turn's key, rows of titles the conversation's with a minus.
    """
    CREATE VIRTUAL TABLE search USING fts5 (
        text, conversation UNINDEXED, tokenize = 'porter unicode61 remove_diacritics 2'
    );
    INSERT INTO search (rowid, text, conversation) SELECT -key, title, key FROM conversations;
    INSERT INTO search (rowid, text, conversation)
        SELECT key, json_extract(answer, '$.question') || char(10) || json_extract(answer, '$.text'), conversation
        FROM turns;
    CREATE TRIGGER conversation_added AFTER INSERT ON conversations BEGIN
        INSERT INTO search (rowid, text, conversation) VALUES (-new.key, new.title, new.key);
    END;
    CREATE TRIGGER conversation_renamed AFTER UPDATE OF title ON conversations BEGIN
        UPDATE search SET text = new.title WHERE rowid = -new.key;
    END;
    CREATE TRIGGER conversation_deleted AFTER DELETE ON conversations BEGIN
        DELETE FROM search WHERE rowid = -old.key;
    END;
    CREATE TRIGGER turn_added AFTER INSERT ON turns BEGIN
        INSERT INTO search (rowid, text, conversation) VALUES (
            new.key,
            json_extract(new.answer, '$.question') || char(10) || json_extract(new.answer, '$.text'),
            new.conversation
        );
    END;
    CREATE TRIGGER turn_deleted AFTER DELETE ON turns BEGIN
        DELETE FROM search WHERE rowid = old.key;
    END;
    """,
)


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


def location() -> Path:
    """The file, in the platform's directory for user data."""
    return user_data_path("aftershock", appauthor=False) / "conversations.sqlite"


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


class Conversations:
    """The store. Every call opens the file anew, so that one object serves all threads.

    `notice` is a sentence for the user when opening found the file damaged and moved it aside; otherwise empty.
    """

    def __init__(self, place: Path, notice: str = "") -> None:
        self.place = place
        self.notice = notice

    @classmethod
    def open(cls, place: Path | None = None) -> Self:
        """The store at a place, made or brought up to date where need be.

        Raises:
            ConversationsError: the file cannot be read or written, or was made by a newer version.
        """
        from filelock import FileLock

        place = place or location()
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            # One process at a time looks, so that a file is moved aside, or brought up to date, once.
            with FileLock(place.with_name(f"{place.name}.lock"), timeout=_BUSY_SECONDS):
                store = cls(place)
                if not store._is_sound():
                    store.notice = store._move_aside()
                place.touch(mode=0o600)
                store._bring_up_to_date()
        except OSError as error:
            raise ConversationsError(
                f"The saved conversations at {place} cannot be opened ({error.strerror or error})."
            ) from error
        return store

    def of(self, visitor: str) -> Visitor:
        """The conversations of one visitor, who sees and changes only these."""
        if not visitor:
            raise ValueError("a visitor needs an id")
        return Visitor(self, visitor)

    def of_everybody(self) -> Visitor:
        """All conversations, for whoever sits at this machine."""
        return Visitor(self, None)

    def _is_sound(self) -> bool:
        if not self.place.exists():
            return True
        try:
            with self._connected() as database:
                return bool(database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                return False
            raise ConversationsError(f"The saved conversations at {self.place} cannot be opened ({error}).") from error

    def _move_aside(self) -> str:
        """Rename a damaged file and what SQLite keeps beside it, so that they still belong together."""
        stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        aside = self.place.with_name(f"{self.place.stem}-damaged-{stamp}{self.place.suffix}")
        for ending in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                self.place.with_name(self.place.name + ending).rename(aside.with_name(aside.name + ending))
        return (
            f"The saved conversations were damaged and could not be read: the file is kept at {aside}, and new ones "
            "are saved from now on."
        )

    def _bring_up_to_date(self) -> None:
        with self.connected() as database:
            [version] = database.execute("PRAGMA user_version").fetchone()
            if version > len(_STEPS):
                raise ConversationsError(
                    f"The saved conversations at {self.place} were made by a newer version of Aftershock: update it."
                )
            database.execute("PRAGMA journal_mode = WAL")
            for number, step in enumerate(_STEPS[version:], version + 1):
                database.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")
            unscrubbed = database.execute("SELECT 1 FROM unscrubbed").fetchone()
        if unscrubbed:
            self.scrub()

    def scrub(self) -> None:
        """Take what was deleted out of the file itself; where another process is reading, the next opening does it."""
        with suppress(ConversationsError), self.connected() as database:
            [done] = database.execute("SELECT max(mark) FROM unscrubbed").fetchone()
            # Rebuilt, because a full-text index keeps deleted words until it happens to merge them away.
            database.execute("INSERT INTO search (search) VALUES ('rebuild')")
            database.execute("VACUUM")
            busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                # What another process deletes meanwhile is marked by a higher number.
                database.execute("DELETE FROM unscrubbed WHERE mark <= ?", (done,))

    @contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        """A connection whose errors are ours.

        Raises:
            ConversationsError: the file cannot be read or written.
        """
        try:
            with self._connected() as database:
                yield database
        except sqlite3.Error as error:
            what = "are damaged: restart Aftershock, which moves the file aside" if _is_damage(error) else ""
            raise ConversationsError(
                f"The saved conversations at {self.place} {what or f'cannot be used ({error})'}."
            ) from error

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self.place, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            database.execute("PRAGMA foreign_keys = ON")
            database.execute("PRAGMA secure_delete = ON")
            yield database
        finally:
            database.close()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction that happens whole or not at all.

        Raises:
            ConversationsError: the file cannot be read or written.
        """
        with self.connected() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")


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
            raise ConversationMissingError("There is no such conversation; it may have been deleted.")
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


def _is_damage(error: sqlite3.Error) -> bool:
    # Errors of the module itself have no code; an extended code has the plain one in its lowest byte.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
