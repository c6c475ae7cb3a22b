"""Saved conversations: whole, private, searchable, deleted for good, and safe with several writers."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import ConversationMissingError, ConversationsError
from rag.records import (
    Answer,
    Citation,
    ContextUse,
    Disagreement,
    Facet,
    Passage,
    ReportedValue,
    Source,
    Support,
)
from ui import conversation_file, conversations
from ui.conversation_file import location
from ui.conversations import Conversations, Visitor, title_of

QUOTE = "Nvidia lost $589 billion."
PASSAGE = Passage(QUOTE, 0.5, "a", "Nvidia", "CNBC", "2025-01-27", "https://example.org", 0, 25, (Source("CNBC"),))
WHOLE = Answer(
    "How much did Nvidia lose?",
    "It lost $589 billion [1].",
    (Citation(1, QUOTE, PASSAGE, 0, 25),),
    (PASSAGE,),
    disagreements=(Disagreement("loss", (ReportedValue("$593 billion", ("Reuters",), ("2025-01-28",), (1,)),)),),
    model="ollama/deepseek-r1:8b",
    reasoning="Hm.",
    timings={"search": 0.25},
    standalone_question="How much market value did Nvidia lose?",
    notes=("A note.",),
    interrupted=True,
    facets=(Facet("outlet", "CNBC"),),
    support=Support(1, ("It lost it.",)),
    context=ContextUse(900, 8192),
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "conversations.sqlite"


@pytest.fixture
def store(place: Path) -> Conversations:
    return Conversations.open(place)


@pytest.fixture
def anna(store: Conversations) -> Visitor:
    return store.of("anna")


def ask(visitor: Visitor, *questions: str, text: str = "An answer.") -> str:
    """The id of a new conversation with these questions."""
    made = visitor.create()
    for question in questions:
        visitor.append(made, Answer(question, text))
    return made


def bytes_on_disk(place: Path) -> bytes:
    """Everything that the store has written."""
    return b"".join(path.read_bytes() for path in sorted(place.parent.glob(f"{place.name}*")))


def test_an_answer_comes_back_whole(anna: Visitor) -> None:
    """Nothing of an answer's record is lost by saving it, also after the program has ended."""
    made = anna.create()
    assert anna.append(made, WHOLE) == 1
    assert anna.append(made, Answer("And Broadcom?", "It fell too.")) == 2
    saved = anna.get(made)
    assert [turn.number for turn in saved.turns] == [1, 2]
    assert saved.turns[0].answer == WHOLE
    assert saved.history == (("How much did Nvidia lose?", WHOLE.text), ("And Broadcom?", "It fell too."))


def test_conversations_survive_a_restart(place: Path, anna: Visitor) -> None:
    """A store opened anew has what was saved before."""
    made = ask(anna, "Who is Liang Wenfeng?")
    again = Conversations.open(place)
    assert again.notice == ""
    assert again.of("anna").get(made).about.title == "Who is Liang Wenfeng?"


def test_the_last_changed_comes_first_and_empty_ones_are_not_listed(anna: Visitor) -> None:
    """The list begins with what was used last; a conversation without a question isn't one yet."""
    first, second, _ = ask(anna, "One?"), ask(anna, "Two?"), anna.create()
    assert [(c.id, c.turns) for c in anna.listed()] == [(second, 1), (first, 1)]
    anna.append(first, Answer("Three?", "Yes."))
    assert [(c.id, c.turns) for c in anna.listed()] == [(first, 2), (second, 1)]


def test_ids_cannot_be_guessed(anna: Visitor) -> None:
    """A link holds 128 random bits, so that nobody comes upon another's conversation."""
    ids = {anna.create() for _ in range(50)}
    assert len(ids) == 50
    assert {len(bytes.fromhex(id)) for id in ids} == {16}


def test_a_link_is_withdrawn_by_a_new_id(anna: Visitor) -> None:
    """The conversation stays whole and the old id finds nothing."""
    id = anna.create()
    anna.append(id, WHOLE)
    before = anna.get(id)
    renewed = anna.renew(id)
    assert anna.get(renewed).turns == before.turns
    assert [each.id for each in anna.listed()] == [renewed]
    with pytest.raises(ConversationMissingError, match="its link withdrawn"):
        anna.get(id)


def test_a_visitor_sees_nothing_of_another(store: Conversations, anna: Visitor) -> None:
    """Another visitor can neither list, find, read, continue, rename, rate, cut nor delete a conversation."""
    made = ask(anna, "Who is Liang Wenfeng?")
    ben = store.of("ben")
    assert ben.listed() == []
    assert ben.search("Liang") == []
    assert ben.rated() == []
    for attempt in (
        lambda: ben.get(made),
        lambda: ben.append(made, WHOLE),
        lambda: ben.rename(made, "Mine"),
        lambda: ben.rate(made, 1, "up"),
        lambda: ben.cut(made, 1),
        lambda: ben.delete(made),
    ):
        with pytest.raises(ConversationMissingError, match="no such conversation"):
            attempt()
    assert anna.get(made).about.title == "Who is Liang Wenfeng?"
    with pytest.raises(ValueError, match="id"):
        store.of("")


def test_whoever_sits_at_the_machine_sees_all(store: Conversations, anna: Visitor) -> None:
    """The command line reaches the conversations of all visitors, but begins none."""
    ids = {ask(anna, "One?"), ask(store.of("ben"), "Two?")}
    everybody = store.of_everybody()
    assert {c.id for c in everybody.listed()} == ids
    with pytest.raises(ValueError, match="one visitor"):
        everybody.create()


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("  who\nis Liang? ", "Who is Liang?"),
        ("Hello, please tell me who Liang is.", "Who Liang is."),
        ("Could you explain to me why Nvidia fell?", "Why Nvidia fell?"),
        ("Hello!", "Hello!"),
        (
            "How did the " + "very " * 30 + "long fall begin?",
            "How did the very very very very very very very very very…",
        ),
        ("x" * 100, "X" + "x" * 58 + "…"),
        ("iPhone?", "IPhone?"),
        ("", ""),
    ],
)
def test_titles_are_short_and_made_by_rule(question: str, title: str) -> None:
    """A title is the first question without its courtesies, on one line, cut between words."""
    assert title_of(question) == title
    assert len(title) <= conversations.LONGEST_TITLE


def test_a_title_given_stays(anna: Visitor) -> None:
    """Renaming wins over the rule, also for later turns; an empty name brings the rule's title back."""
    made = ask(anna, "Who is Liang Wenfeng?")
    anna.rename(made, "  The\nfounder ")
    anna.append(made, Answer("And his fund?", "High-Flyer."))
    assert anna.get(made).about.title == "The founder"
    anna.rename(made, " ")
    assert anna.get(made).about.title == "Who is Liang Wenfeng?"


def test_search_looks_at_questions_answers_and_titles(anna: Visitor) -> None:
    """Words and their beginnings, in other forms and without accents, find a conversation once, with text around."""
    loss = ask(anna, "How much did Nvidia lose?", text="Nvidia lost $589 billion in the café.")
    founder = ask(anna, "Who is Liang Wenfeng?", "Who funded DeepSeek?", text="Liang founded DeepSeek.")
    anna.rename(founder, "The origins")

    def found(words: str) -> list[str]:
        return [hit.conversation.id for hit in anna.search(words)]

    assert found("nvidia") == [loss]
    assert found("CAFE") == [loss]
    assert found("589 bill") == [loss]
    assert found("founding") == [founder]
    assert found("origin") == [founder]
    assert set(found("who OR")) == set()
    assert found("Broadcom") == []
    assert "Nvidia lost" in anna.search("lost")[0].snippet
    anna.rename(founder, "The beginning")
    assert found("origin") == []


@pytest.mark.parametrize(
    "words", ["", " ", '"', "*", "NEAR(", "a AND", "text:x", "-", "'; DROP TABLE turns; --", "\x00"]
)
def test_any_search_is_harmless(anna: Visitor, words: str) -> None:
    """What a visitor types is words to look for, and never a command to the search."""
    made = ask(anna, "One?")
    anna.search(words)
    assert anna.get(made).about.turns == 1


def test_deleting_takes_the_text_out_of_the_file(place: Path, anna: Visitor) -> None:
    """Nothing of a deleted conversation is left on the disk: not in tables, the search, free pages or the journal."""
    kept = ask(anna, "What of zephyr?")
    made = ask(anna, "Where is Xanadu?", *["And quixotic?"] * 40, text="Xylophone " * 500)
    anna.rename(made, "Yggdrasil")
    anna.rate(made, 1, "down", "Zymurgy!")
    words = [b"xanadu", b"quixot", b"xylophon", b"yggdrasil", b"zymurgy", made.encode()]
    assert all(word in bytes_on_disk(place).lower() for word in words)
    anna.delete(made)
    rest = bytes_on_disk(place).lower()
    assert [word for word in words if word in rest] == []
    assert b"zephyr" in rest
    assert [c.id for c in anna.listed()] == [kept]
    assert anna.search("Xanadu") == []
    with pytest.raises(ConversationMissingError):
        anna.get(made)


def test_what_could_not_be_taken_out_at_once_is_later(place: Path, anna: Visitor) -> None:
    """While another process reads, deleted text may stay in the file; the next opening takes it out."""
    made = ask(anna, "Where is Xanadu?")
    reader = sqlite3.connect(place, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM turns").fetchall()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversation_file, "_BUSY_SECONDS", 0.05)
        anna.delete(made)
    assert anna.listed() == []
    assert b"Xanadu" in bytes_on_disk(place)
    reader.close()
    Conversations.open(place)
    assert b"Xanadu" not in bytes_on_disk(place)


def test_a_turn_can_be_asked_anew(anna: Visitor) -> None:
    """Cutting takes a turn and all after it away, so that numbers go on from there."""
    made = ask(anna, "One?", "Two?", "Three?")
    anna.cut(made, 2)
    assert anna.append(made, Answer("Another?", "Yes.")) == 2
    assert [turn.answer.question for turn in anna.get(made).turns] == ["One?", "Another?"]
    assert anna.search("Three") == []


def test_feedback_is_kept_changed_and_taken_back(anna: Visitor) -> None:
    """A thumb with its note stays with the answer, with the questions that led to it, until it is taken back."""
    made = ask(anna, "One?", "Two?")
    anna.rate(made, 2, "down", " Wrong day. ")
    [(questions, turn)] = anna.rated()
    assert questions == ["One?", "Two?"]
    assert (turn.number, turn.thumb, turn.note) == (2, "down", "Wrong day.")
    anna.rate(made, 2, "up")
    assert (anna.get(made).turns[1].thumb, anna.get(made).turns[1].note) == ("up", "")
    anna.rate(made, 2, None, "gone")
    assert anna.rated() == []
    with pytest.raises(ConversationMissingError, match="answer"):
        anna.rate(made, 3, "up")


def test_many_writers_lose_nothing(place: Path, anna: Visitor) -> None:
    """Two tabs and two processes that write one conversation at once: every turn is there, numbered without a gap."""
    made = anna.create()
    code = (
        "import sys; from pathlib import Path; from rag.records import Answer\n"
        "from ui.conversations import Conversations\n"
        "mine = Conversations.open(Path(sys.argv[1])).of('anna')\n"
        "for n in range(15): mine.append(sys.argv[2], Answer(f'{sys.argv[3]} {n}', 'x'))"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(place), made, name]) for name in ("first", "second")]
    store = Conversations.open(place)

    def write(name: str) -> None:
        for number in range(15):
            store.of("anna").append(made, Answer(f"{name} {number}", "x"))

    threads = [threading.Thread(target=write, args=(name,)) for name in ("third", "fourth")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(60) for process in processes] == [0, 0]
    turns = anna.get(made).turns
    assert [turn.number for turn in turns] == list(range(1, 61))
    assert len({turn.answer.question for turn in turns}) == 60


@pytest.mark.parametrize("damage", ["other", "header", "pages"])
def test_a_damaged_file_is_moved_aside(place: Path, anna: Visitor, damage: str) -> None:
    """A file that can't be read is kept under another name, said in one sentence, and saving goes on."""
    made = ask(anna, "One?", text="x" * 50_000)
    content = place.read_bytes()
    broken = {
        "other": b"This is no database." * 50,
        "header": b"\0" * 100 + content[100:],
        "pages": content[:4096] + b"\xff" * 20_000 + content[24_096:],
    }[damage]
    place.write_bytes(broken)
    store = Conversations.open(place)
    [aside] = place.parent.glob("conversations-damaged-*.sqlite")
    assert aside.read_bytes() == broken
    assert str(aside) in store.notice
    assert store.notice.endswith(".")
    assert store.of("anna").listed() == []
    ask(store.of("anna"), "Two?")
    assert Conversations.open(place).notice == ""
    with pytest.raises(ConversationMissingError):
        store.of("anna").get(made)


def test_a_file_of_the_first_version_is_brought_up_to_date(place: Path) -> None:
    """What was saved before there was a search is there, and found."""
    with sqlite3.connect(place) as old:
        old.executescript(conversation_file._STEPS[0] + "PRAGMA user_version = 1;")
        old.execute("INSERT INTO conversations VALUES (1, 'abc', 'anna', 'Old title', '2025-02-01', '2025-02-01')")
        old.execute(
            "INSERT INTO turns (conversation, number, asked, answer) VALUES (1, 1, '2025-02-01', ?)",
            ('{"question": "Who is Liang?", "text": "A founder.", "of_a_newer_version": 1}',),
        )
    old.close()
    anna = Conversations.open(place).of("anna")
    assert anna.get("abc").turns[0].answer == Answer("Who is Liang?", "A founder.")
    assert [hit.conversation.id for hit in anna.search("founders")] == ["abc"]
    assert [hit.conversation.id for hit in anna.search("old")] == ["abc"]


def test_a_file_of_a_newer_version_is_left_alone(place: Path, anna: Visitor) -> None:
    """An older Aftershock doesn't write into a file that it doesn't understand."""
    ask(anna, "One?")
    with sqlite3.connect(place) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(ConversationsError, match="newer version"):
        Conversations.open(place)
    assert b"One?" in bytes_on_disk(place)


def test_a_place_that_cannot_be_written_ends_in_a_sentence(tmp_path: Path) -> None:
    """A directory that is none is told."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConversationsError, match="cannot be opened"):
        Conversations.open(tmp_path / "file" / "conversations.sqlite")


def test_a_failed_change_changes_nothing(store: Conversations, anna: Visitor) -> None:
    """A turn is saved whole or not at all."""
    made = ask(anna, "One?")

    def fail() -> None:
        with store.changing() as database:
            database.execute("DELETE FROM turns")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert anna.get(made).about.turns == 1


def test_only_the_user_may_read_the_file(place: Path, anna: Visitor) -> None:
    """On a machine with several users nobody else reads along."""
    ask(anna, "One?")
    if sys.platform != "win32":
        assert place.stat().st_mode & 0o077 == 0


def test_the_default_place_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a place named, conversations are among the user's data."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", str(tmp_path))
    assert Conversations.open().place == location()
    assert tmp_path in location().parents


def test_lone_surrogates_are_saved_as_replacements(anna: Visitor) -> None:
    """Text that is no Unicode, as a broken paste brings it, doesn't keep an answer from being saved."""
    made = anna.create()
    anna.append(made, replace(WHOLE, question="What \ud800?"))
    assert anna.get(made).turns[0].answer == replace(WHOLE, question="What ??")
    anna.rename(made, "\ud800!")
    anna.rate(made, 1, "up", "\ud800!")
    assert (anna.get(made).about.title, anna.get(made).turns[0].note) == ("?!", "?!")
