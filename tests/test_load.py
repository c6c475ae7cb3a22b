"""Files to articles."""

import json
from pathlib import Path

import pytest

from ingest.load import files, load
from rag.records import Article, Source


def only(path: Path) -> Article:
    (loaded,) = load(path)
    assert loaded.article is not None, loaded.reason
    return loaded.article


def reason(path: Path) -> str:
    (loaded,) = load(path)
    assert loaded.article is None
    return loaded.reason


def test_markdown_with_front_matter(tmp_path: Path) -> None:
    """Front matter gives id, title, date and sources; Markdown's own marks do not reach the reader."""
    path = tmp_path / "a.md"
    path.write_text(
        "---\nid: crash\ntitle: The crash\npublished: 2025-01-28\nevent_dates: [2025-01-28, 2025-01-27]\nsources:\n"
        "  - {outlet: Reuters, title: 'Shares fall', url: 'https://example.org/1', date: 2025-01-27}\n---\n"
        "## Heading\n\nNvidia **fell** by\n[17%](https://example.org).\n\n- a point\n"
    )
    assert only(path) == Article(
        id="crash",
        title="The crash",
        text="Heading\n\nNvidia fell by 17%.\n\na point",
        outlet="Reuters",
        published="2025-01-28",
        url="https://example.org/1",
        sources=(Source("Reuters", "Shares fall", "https://example.org/1", "2025-01-27"),),
        event_dates=("2025-01-27", "2025-01-28"),
    )


def test_markdown_without_front_matter_takes_its_heading_as_title(tmp_path: Path) -> None:
    """People's own notes have no front matter."""
    path = tmp_path / "my-notes.md"
    path.write_text("# My title\n\nSome text.")
    article = only(path)
    assert (article.title, article.text) == ("My title", "Some text.")


def test_plain_text_copied_from_a_page_gives_date_and_headline(tmp_path: Path) -> None:
    """A date line and a headline on top are what they look like, and not part of the text."""
    path = tmp_path / "page.txt"
    path.write_bytes(
        "Monday, February 3, 2025\r\n\r\nYoung minds, big impact\r\n\r\nThe text begins here.".encode("utf-16")
    )
    article = only(path)
    assert (article.published, article.title, article.text) == (
        "2025-02-03",
        "Young minds, big impact",
        "The text begins here.",
    )


def test_html_gives_the_article_and_not_the_page_around_it(tmp_path: Path) -> None:
    """Navigation and advertisements must never be quoted as news."""
    paragraph = "Nvidia shares fell sharply on Monday as investors weighed the news from China about DeepSeek. " * 3
    path = tmp_path / "page.html"
    path.write_text(
        "<html><head><title>Chip shares fall</title><meta property='og:site_name' content='The Ledger'>"
        "<meta property='article:published_time' content='2025-01-27T10:00:00Z'></head><body><nav>Home Sports</nav>"
        f"<article><h1>Chip shares fall</h1><p>{paragraph}</p><p>{paragraph.replace('Nvidia', 'Broadcom')}</p>"
        "</article>"
        "<footer>Subscribe now</footer></body></html>"
    )
    article = only(path)
    assert (article.title, article.outlet, article.published) == ("Chip shares fall", "The Ledger", "2025-01-27")
    assert "Broadcom shares fell" in article.text
    assert "Subscribe" not in article.text
    assert "Sports" not in article.text


def test_json_lines_takes_a_newsrooms_field_names_and_reports_bad_lines(tmp_path: Path) -> None:
    """One broken line of an export must not cost the others."""
    path = tmp_path / "export.jsonl"
    good = {"title": "A", "body": "Text.", "source": "AFP", "published_at": "2025-01-27T21:00:00Z", "author": "X"}
    lines = [
        json.dumps(good),
        "{not json",
        json.dumps({"title": "No text"}),
        "[1]",
        json.dumps(good | {"published_at": "soon"}),
    ]
    path.write_text("\n".join(lines))
    first, *bad, undated = load(path)
    assert first.article is not None
    assert (first.article.outlet, first.article.published, first.article.author) == ("AFP", "2025-01-27", "X")
    assert [(b.place.removeprefix(str(path)), b.reason) for b in bad] == [
        (":2", "the line is not valid JSON (Expecting property name enclosed in double quotes at 2)"),
        (":3", "it holds no text"),
        (":4", "the line is not a JSON object"),
    ]
    assert undated.article is not None
    assert undated.article.published == ""
    assert undated.warnings == ("its date 'soon' can't be understood; write it as 2025-01-27; it is kept undated",)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("empty.md", b"  \n", "the file is empty"),
        ("binary.txt", b"\0\1\2\3", "it is a binary file, not text"),
        ("table.xlsx", b"x", "files of the kind '.xlsx' can't be read"),
        ("broken.md", b"---\ntitle: [\n---\ntext", "its front matter is not valid YAML"),
        ("dates.md", b"---\nevent_dates: soon\n---\ntext", "its field 'event_dates' is not a list"),
        ("nothing.html", b"<html><body></body></html>", "no article text was found in the page"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_reason(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    """A bad file gives one sentence and never an exception."""
    path = tmp_path / name
    path.write_bytes(content)
    assert reason(path).startswith(expected)


def test_a_missing_day_is_not_made_up(tmp_path: Path) -> None:
    """'January 2025' has no day: better undated and a warning than a wrong date under a quote."""
    path = tmp_path / "a.md"
    path.write_text("---\ntitle: T\npublished: January 2025\n---\nText.")
    (loaded,) = load(path)
    assert loaded.article is not None
    assert loaded.article.published == ""
    assert loaded.warnings == (
        "its date 'January 2025' can't be understood; write it as 2025-01-27; it is kept undated",
    )


def test_text_in_an_old_encoding_is_read(tmp_path: Path) -> None:
    """Archives hold files that are not UTF-8."""
    path = tmp_path / "old.txt"
    path.write_bytes(
        ("L’été à Liège fut très chaud, dit-on là-bas, où les élèves étaient fatigués. " * 5).encode("cp1252")
    )
    assert "élèves étaient fatigués" in only(path).text


def test_folders_are_read_recursively_without_readmes_and_hidden_files(tmp_path: Path) -> None:
    """A folder's housekeeping is not news; what is of no known format is listed."""
    for name in ("b.md", "sub/a.txt", "README.md", ".hidden.md", ".git/c.md", "sub/x.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    known, ignored = files(tmp_path)
    assert [Path(p).relative_to(tmp_path).as_posix() for p in known] == ["b.md", "sub/a.txt"]
    assert [Path(p).name for p in ignored] == ["x.bin"]
