"""The file of the saved conversations: SQLite, safe with several processes, mended, brought up to date, scrubbed."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from platformdirs import user_data_path

from rag.errors import ConversationsError

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


def location() -> Path:
    """The file, in the platform's directory for user data."""
    return user_data_path("aftershock", appauthor=False) / "conversations.sqlite"


class ConversationFile:
    """Opened anew by every call, so that one object serves all threads.

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


def _is_damage(error: sqlite3.Error) -> bool:
    # Errors of the module itself have no code; an extended code has the plain one in its lowest byte.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
