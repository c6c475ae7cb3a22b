"""Word documents and electronic books to articles."""

import random

import pytest

from ingest import documents
from ingest.readers import read
from rag.records import Article
from tests import samples

FIRST = "Shares of the makers of chips fell on Monday."
SECOND = "They won back a part of it on Tuesday."


def article(name: str, data: bytes) -> Article:
    (loaded,) = read(name, data)
    assert loaded.article is not None, loaded.reason
    return loaded.article


def reason(name: str, data: bytes) -> str:
    (loaded,) = read(name, data)
    assert loaded.article is None
    return loaded.reason


def test_a_word_document_gives_its_paragraphs_and_properties() -> None:
    """What the writer sees as headline, author and day is taken, and each paragraph stands apart."""
    body = samples.word("Chips in the storm", "Title") + samples.word(FIRST) + samples.word(SECOND)
    core = {"dc:title": "draft", "dc:creator": "Ada Byron", "dcterms:created": "2025-01-28T10:00:00Z"}
    found = article("story.docx", samples.docx(body, core))
    assert (found.title, found.author, found.published) == ("Chips in the storm", "Ada Byron", "2025-01-28")
    assert found.text == f"{FIRST}\n\n{SECOND}"


def test_a_date_in_a_word_document_beats_the_day_the_file_was_made() -> None:
    """A file is often made on another day than its story was published."""
    body = "".join(map(samples.word, ["Chips in the storm", "By Ada Byron", "28 January 2025", FIRST, SECOND]))
    core = {"dc:title": "Chips in the storm", "dcterms:created": "2025-03-01T10:00:00Z"}
    found = article("story.docx", samples.docx(body, core))
    assert (found.title, found.author, found.published) == ("Chips in the storm", "Ada Byron", "2025-01-28")
    assert found.text == f"{FIRST}\n\n{SECOND}"


def test_tracked_changes_are_read_as_accepted() -> None:
    """What an editor put in is text, and what one took out isn't."""
    run = "<w:r><w:t xml:space='preserve'>{}</w:t></w:r>"
    body = (
        f"<w:p>{run.format('Shares ')}<w:ins w:id='1'>{run.format('of chip makers ')}</w:ins>"
        f"<w:del w:id='2'><w:r><w:delText>rose</w:delText></w:r></w:del>{run.format('fell.')}</w:p>"
    )
    assert article("story.docx", samples.docx(body)).text == "Shares of chip makers fell."


def test_rows_of_a_table_in_a_word_document_stay_rows() -> None:
    """A figure is only understood together with its row."""
    rows = (("Nvidia", "17 per cent"), ("Oracle", "14 per cent"))
    cells = ("".join(f"<w:tc>{samples.word(cell)}</w:tc>" for cell in row) for row in rows)
    table = "".join(f"<w:tr>{row}</w:tr>" for row in cells)
    text = article(
        "story.docx", samples.docx(f"{samples.word(FIRST)}<w:tbl>{table}</w:tbl>{samples.word(SECOND)}")
    ).text
    assert text == f"{FIRST}\n\nNvidia | 17 per cent\n\nOracle | 14 per cent\n\n{SECOND}"


def test_a_book_is_its_chapters_in_order() -> None:
    """Chapters come as its spine says, without the table of contents, and its metadata says what it is."""
    metadata = {"title": "The Shock", "creator": "Ada Byron", "publisher": "The Ledger Press", "date": "2025-02-03"}
    chapters = [f"<h1>One</h1><p>{FIRST}</p>", f"<h1>Two</h1><p>{SECOND}</p><p>a<br/>b</p>"]
    found = article("book.epub", samples.epub(chapters, metadata))
    assert (found.title, found.author, found.outlet) == ("The Shock", "Ada Byron", "The Ledger Press")
    assert (found.published, found.text) == ("2025-02-03", f"One\n\n{FIRST}\n\nTwo\n\n{SECOND}\n\na b")


def test_a_year_alone_leaves_a_book_undated() -> None:
    """A missing day is not made up."""
    assert article("book.epub", samples.epub([f"<p>{FIRST}</p>"], {"title": "T", "date": "2025"})).published == ""


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.docx", b"no zip at all", "it is damaged, or not of the kind"),
        ("a.docx", samples.docx(samples.word(FIRST))[:200], "it is damaged, or not of the kind"),
        ("a.docx", samples.docx("<w:p><w:r>"), "it is no Word document, or a damaged one"),
        ("a.docx", samples.epub([], {"title": "T"}), "it holds no text"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "files of the kind '.doc' can't be read"),
        (
            "a.docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            "it is protected by a password, or of an old kind",
        ),
        ("a.epub", samples.epub([], {"title": "T"}, {"META-INF/encryption.xml": "<x/>"}), "the book is protected"),
        ("a.epub", samples.epub([], {}, {"META-INF/container.xml": "<container/>"}), "its part '' is missing"),
        ("a.epub", samples.epub([], {}, {"META-INF/container.xml": "<container"}), "its part 'META-INF/container.xml'"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_reason(name: str, data: bytes, expected: str) -> None:
    """A damaged document gives one sentence and never an exception."""
    assert reason(name, data).startswith(expected)


def test_a_document_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes can stand for gigabytes; what they say of themselves is looked at first."""
    monkeypatch.setattr(documents, "MOST_BYTES", 1000)
    assert reason("a.docx", samples.docx(samples.word(FIRST * 50))).startswith("it holds more than")


def test_a_part_of_a_book_that_asks_for_outside_files_gets_none() -> None:
    """An entity of XML could read any file of the user's machine."""
    container = '<!DOCTYPE c [<!ENTITY e SYSTEM "file:///etc/hostname">]><c>&e;</c>'
    assert reason("a.epub", samples.epub([], {}, {"META-INF/container.xml": container})) == "its part '' is missing"


def test_flipped_bits_give_a_reason_and_no_exception() -> None:
    """A bad disk or a bad download changes any byte of the archive that a document is."""
    choice = random.Random(20250127)
    samples_of = {
        "a.docx": samples.docx(samples.word(FIRST), {"dc:title": "T"}),
        "a.epub": samples.epub([f"<p>{FIRST}</p>"], {"title": "T"}),
    }
    for name, whole in samples_of.items():
        for _ in range(300):
            data = bytearray(whole)
            for _ in range(choice.randint(1, 6)):
                data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)
            loaded = list(read(name, bytes(data)))
            assert loaded
            assert all(one.reason or one.article for one in loaded)
