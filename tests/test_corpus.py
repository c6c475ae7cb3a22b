"""The shipped articles keep the rules of corpus/README.md, and each rule can fail."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from corpus import FOLDER, reading_list
from corpus.check import check, command

FRONT_MATTER = """\
---
id: article
title: "Nvidia: a title"
published: 2025-01-28
event_dates: [2025-01-27]
topics: [markets]
sources:
  - outlet: CNBC
    title: A headline
    url: https://www.cnbc.com/
    date: 2025-01-28
people: []
organisations: [Nvidia]
---
"""
FIRST = "Nvidia shares fell by 17% on 27 January 2025."


def body(name: str = "Nvidia") -> str:
    """Some 300 words in which no run of eight words comes twice."""
    return "\n\n".join(
        " ".join(
            f"{name} word{paragraph}x{sentence}a word{paragraph}x{sentence}b rose again." for sentence in range(10)
        )
        for paragraph in range(5)
    )


def write(folder: Path, text: str, name: str = "article.md") -> Path:
    """`text` as a file in `folder`."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def good() -> str:
    """An article that keeps all rules."""
    return f"{FRONT_MATTER}{FIRST}\n\n{body()}\n"


def test_shipped_articles_keep_all_rules() -> None:
    """The corpus that people install has no fault that the check can see."""
    assert check(FOLDER) == []


def test_a_good_article_has_no_fault(tmp_path: Path) -> None:
    """The article that the tests below spoil is itself without fault, so each of them proves its own rule."""
    write(tmp_path, good())
    assert check(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("topics: [markets]", "topics: [sport]", "topics.0"),
        ("topics: [markets]", "topics: [markets, chips, cost, people]", "topics"),
        ("topics: [markets]\n", "", "topics: Field required"),
        ("people: []", "persons: []", "persons"),
        ("event_dates: [2025-01-27]", "event_dates: [2025-02-30]", "day is out of range"),
        ("event_dates: [2025-01-27]", "event_dates: []", "event_dates"),
        ("event_dates: [2025-01-27]", "event_dates: [1925-01-27]", "not between 2015 and today"),
        ("event_dates: [2025-01-27]", "event_dates: [2025-01-28, 2025-01-27]", "not in order"),
        ("event_dates: [2025-01-27]", "event_dates: [2025-01-27, 2025-01-29]", "does not tell of 2025-01-29"),
        ("published: 2025-01-28", "published: 2025-01-30", "newest source is of 2025-01-28"),
        ("published: 2025-01-28", "published: 2999-01-28", "not between 2015 and today"),
        ("id: article", "id: other-article", "not its file's name"),
        ("https://www.cnbc.com/", "ftp://www.cnbc.com/", "sources.0.url"),
        ("outlet: CNBC", "outlet: ''", "sources.0.outlet"),
        ("outlet: CNBC", "author: Somebody\n    outlet: CNBC", "sources.0.author"),
        ("organisations: [Nvidia]", "organisations: [Oracle]", "does not name 'Oracle'"),
        ('title: "Nvidia: a title"', "title: Nvidia: a title", "can't be read"),
    ],
)
def test_front_matter_faults_are_found(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """Front matter that the timeline, the citations or the index would trip over is refused, with the field named."""
    assert old in good()
    write(tmp_path, good().replace(old, new, 1))
    faults = check(tmp_path)
    assert any(fault in line for line in faults), faults
    assert all(line.startswith("article.md: ") for line in faults)


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("It fell by 17% on 27 January 2025.", "behind 'It'"),
        ("They lost $589 billion on 27 January 2025, Reuters reported.", "behind 'They'"),
        ("In that report of January 2025 Reuters named $593 billion.", "behind 'In that'"),
        ("The company lost $589 billion on 27 January 2025, Reuters reported.", "behind 'The company'"),
        ("Nvidia shares fell by 17% that day.", "'that day' without a date"),
        ("The shares fell by 17% on 27 January 2025.", "without a name"),
        ("Nvidia fell.", "too short"),
        ('Nvidia called R1 "an excellent AI advancement on 27 January 2025.', "not closed"),
        ("# Nvidia fell by 17% on 27 January 2025", "Markdown"),
        ("- Nvidia fell by 17% on 27 January 2025", "Markdown"),
        ("Nvidia fell by **17%** on 27 January 2025.", "Markdown"),
        ("Nvidia fell by 17% on 27 January 2025, [CNBC](https://www.cnbc.com/) reported.", "Markdown"),
    ],
)
def test_sentences_that_cannot_be_quoted_are_found(tmp_path: Path, sentence: str, fault: str) -> None:
    """A sentence that an answer could not quote on its own, or that carries markup, is refused and shown."""
    write(tmp_path, f"{good()}\n{sentence}\n")
    faults = check(tmp_path)
    assert any(fault in line for line in faults), faults


@pytest.mark.parametrize(("text", "words"), [("Nvidia is a chip maker. " * 10, 59), (body("Nvidia Ltd") * 3, 907)])
def test_length_is_held(tmp_path: Path, text: str, words: int) -> None:
    """An article stays between 250 and 700 words."""
    write(tmp_path, f"{FRONT_MATTER}{FIRST}\n\n{text}\n")
    assert f"article.md: it has {words} words, not 250 to 700" in check(tmp_path)


def test_copied_words_are_found(tmp_path: Path) -> None:
    """Eight words in a row may not stand in two articles, whatever their case and punctuation."""
    write(tmp_path, f"{good()}\nOracle sold many chips to buyers in Europe during 2024.\n")
    twin = good().replace("id: article", "id: twin").replace(body(), body("Nvidia Corporation"))
    twin = twin.replace(FIRST, "On 27 January 2025 Nvidia fell.")
    write(tmp_path, f"{twin}\nBuyers said: oracle sold many chips, to buyers in Europe, in 2024.\n", "twin.md")
    assert check(tmp_path) == ["twin.md: shares with article.md: oracle sold many chips to buyers in europe"]


def test_quotations_may_be_shared(tmp_path: Path) -> None:
    """What somebody said may be quoted word for word in two articles."""
    quotation = '"this should be a wake-up call for all our industries today", said Trump.'
    write(tmp_path, f"{good()}\nOf chips {quotation}\n")
    twin = good().replace("id: article", "id: twin").replace(body(), body("Nvidia Corporation"))
    write(tmp_path, f"{twin.replace(FIRST, 'On 27 January 2025 Nvidia fell.')}\nIn Florida {quotation}\n", "twin.md")
    assert check(tmp_path) == []


def check_two(folder: Path, first: str, second: str) -> list[str]:
    """The faults of two articles that hold these sentences and are otherwise without fault."""
    write(folder, f"{good()}\n{first}\n")
    twin = good().replace("id: article", "id: twin").replace(body(), body("Nvidia Corporation"))
    write(folder, f"{twin.replace(FIRST, 'Of all, 27 January 2025 was the day of Nvidia.')}\n{second}\n", "twin.md")
    return check(folder)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Oracle shares closed at $118.42 on 27 January 2025.", "On 27 January 2025 Oracle closed at $118.58."),
        ("Oracle fell 13.8% on 27 January 2025.", "Oracle, a software maker, lost 14.8% on Monday 27 January 2025."),
        ("Oracle fell 13.8% on 27 January 2025.", "Oracle gained 13.8% on 27 January 2025 in New York."),
        ("Oracle shares fell 13.8% on 27 January 2025.", "On 27 January 2025 Broadcom lost 17.4% and Oracle 12.8%."),
        (
            "Larry Ellison lost $22.6 billion on 27 January 2025.",
            "Larry Ellison lost $27.6 billion on 27 January 2025.",
        ),
        (
            "The Dow Jones rose 289.33 points on 27 January 2025.",
            "On 27 January 2025 the Dow Jones gained 298.33 points.",
        ),
        ("Oracle closed 13.8% lower on 27 January 2025.", "Oracle fell more than 15% on 27 January 2025 in New York."),
    ],
)
def test_figures_that_contradict_each_other_are_found(tmp_path: Path, first: str, second: str) -> None:
    """Two articles may not give the same reader two values for one thing; both sentences are shown."""
    assert check_two(tmp_path, first, second) == [f"twin.md: {second} But article.md: {first}"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Oracle fell 13.8% on 27 January 2025.", "Oracle shares fell 14% on 27 January 2025 in New York."),
        ("Oracle fell 13.8% on 27 January 2025.", "On 27 January 2025 Oracle fell almost 14%."),
        ("Oracle fell 13.8% on 27 January 2025.", "Oracle fell more than 10% on 27 January 2025 in New York."),
        ("Oracle fell 13.8% on 27 January 2025.", "Oracle gained 3.6% on 28 January 2025."),
        ("Oracle fell 13.8% on 27 January 2025.", "Oracle fell as much as 15.1% on 27 January 2025 in New York."),
        ("Oracle fell 13.8% on 27 January 2025.", "At midday Oracle was down 11% on 27 January 2025."),
        (
            "The S&P 500 fell 1.46% on 27 January 2025.",
            "The technology sector of the S&P 500 fell 5.6% on 27 January 2025.",
        ),
        ("Oracle fell 13.8% on 27 January 2025.", "On 27 January 2025 Oracle lost $77 billion of market value."),
    ],
)
def test_figures_that_can_both_be_true_are_no_fault(tmp_path: Path, first: str, second: str) -> None:
    """Rounding, rough figures, another day, another measure and figures within a session are no contradiction."""
    assert check_two(tmp_path, first, second) == []


def test_a_known_disagreement_is_no_fault(tmp_path: Path) -> None:
    """What the README's table tells the reader may stand in the articles, with these values and no others."""
    row = "| Oracle's fall on 27 January 2025 | 13.8%: Reuters | 14.8%: CNBC | oracle-shares |"
    (tmp_path / "README.md").write_text(f"| What | Reported | Also | Article |\n| --- | --- | --- | --- |\n{row}\n")
    first = "Oracle fell 13.8% on 27 January 2025."
    assert check_two(tmp_path, first, "On 27 January 2025 Oracle fell 14.8%.") == []
    assert len(check_two(tmp_path, first, "On 27 January 2025 Oracle fell 15.8%.")) == 1
    (tmp_path / "README.md").write_text(row.replace("Oracle", "Broadcom"))
    assert len(check_two(tmp_path, first, "On 27 January 2025 Oracle fell 14.8%.")) == 1


def test_a_contradiction_in_the_shipped_articles_would_be_found(tmp_path: Path) -> None:
    """The rule reads the real articles, not only sentences made for it."""
    for path in FOLDER.iterdir():
        if path.suffix in (".md", ".toml"):
            text = path.read_text(encoding="utf-8")
            if path.stem == "deepseek-shock-day-by-day":
                assert "closed at $118.42 on" in text
                text = text.replace("closed at $118.42 on", "closed at $119.42 on")
            write(tmp_path, text, path.name)
    faults = check(tmp_path)
    assert faults
    assert all("$119.42" in fault and "$118.42" in fault for fault in faults)


def test_a_text_to_keep_clear_of(tmp_path: Path) -> None:
    """With --against the command fails when an article takes over that text, and not when it doesn't."""
    articles = tmp_path / "articles"
    articles.mkdir()
    write(articles, f"{good()}\nOracle sold many chips to buyers in Europe during 2024.\n")
    copied = write(tmp_path, "Yesterday Oracle sold many chips to buyers in Europe.", "copied.txt")
    other = write(tmp_path, "Nothing of the kind has been written in this text.", "other.txt")
    run = CliRunner().invoke
    assert run(command, [str(articles)]).exit_code == 0
    assert run(command, [str(articles), "--against", str(other)]).exit_code == 0
    failed = run(command, [str(articles), "--against", str(copied)])
    assert failed.exit_code == 1
    assert "copied.txt: shares with article.md: oracle sold many chips to buyers in europe" in failed.output


REPORT = "url: https://www.cnbc.com/2025/01/28/a-report.html"


def test_the_reading_list_names_what_the_articles_name(tmp_path: Path) -> None:
    """A source that the list lacks, one that it describes otherwise and one that no article has are named."""
    write(tmp_path, good().replace("url: https://www.cnbc.com/", REPORT))
    listed = reading_list.from_articles(tmp_path)
    assert [original.title for original in listed] == ["A headline"]
    path = write(tmp_path, reading_list.render(listed), reading_list.NAME)
    assert reading_list.read(tmp_path) == listed
    assert check(tmp_path) == []
    for spoilt in ("", path.read_text(encoding="utf-8").replace("A headline", "Another headline")):
        path.write_text(spoilt or "original = []", encoding="utf-8")
        [fault] = check(tmp_path)
        assert "disagrees with the articles' sources on https://www.cnbc.com/2025/01/28/a-report.html;" in fault
    path.write_text(reading_list.render(listed), encoding="utf-8")
    write(tmp_path, good())
    assert "a-report.html" in check(tmp_path)[0]
    path.write_text("[[original]", encoding="utf-8")
    assert "reading-list.toml: it can't be read" in check(tmp_path)[0]


def test_the_reading_list_has_each_original_once() -> None:
    """Home pages stay out, an address comes once with its first date and its headline, and the order is by date."""
    sources = [
        {"outlet": "B", "title": "[What B reported]", "url": "https://b.example/1", "date": "2025-01-28"},
        {"outlet": "B", "title": 'Say "so"\\ now', "url": "https://b.example/1", "date": "2025-01-28"},
        {"outlet": "B", "title": "Changed later", "url": "https://b.example/1", "date": "2025-02-03"},
        {"outlet": "A", "title": "Home", "url": "https://a.example/", "date": "2025-01-01"},
        {"outlet": "A", "title": "Page", "url": "https://a.example/?p=1", "date": "2025-01-27"},
    ]
    listed = reading_list.originals(sources)
    assert [(original.title, str(original.date)) for original in listed] == [
        ("Page", "2025-01-27"),
        ('Say "so"\\ now', "2025-01-28"),
    ]
    assert tomllib.loads(reading_list.render(listed))["original"][1]["title"] == 'Say "so"\\ now'


def test_a_folder_without_articles_fails(tmp_path: Path) -> None:
    """A mistyped folder does not pass for a corpus without faults."""
    assert check(tmp_path) == [f"{tmp_path}: there are no articles"]


def test_the_tables_of_disagreements_name_articles_that_exist() -> None:
    """A reader who follows a row of the README's tables finds the article."""
    rows = [line for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    named = {cells[-1].strip() for row in rows if len(cells := row.strip("|").split("|")) == 4}
    ids = {name for name in named if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)}
    assert len(ids) > 30
    assert [name for name in sorted(ids) if not (FOLDER / f"{name}.md").is_file()] == []
