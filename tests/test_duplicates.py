from __future__ import annotations

from bench.news import generate
from corpus import FOLDER
from ingest.duplicates import Stories, signature
from ingest.load import load

TEXT = [article["text"] for article in generate(40, seed=3)]
BRIEF = (
    "Nvidia lost $589 billion in market value on Monday, more than any company had lost in a day before, after a "
    "Chinese laboratory showed a language model that had been trained cheaply."
)


def leader_of(copy: str, *originals: str) -> str | None:
    """The story that `copy` joins when the originals, "0", "1" and so on, are there."""
    stories = Stories()
    for number, text in enumerate(originals):
        assert stories.add(str(number), signature(text)) is None
    return stories.add("copy", signature(copy))


def test_edited_copies_join_the_story() -> None:
    """What an outlet does to an agency's text leaves it a copy: a dateline, a cut, an addition, another sentence."""
    paragraphs = TEXT[7].split("\n\n")
    for copy in (
        TEXT[7],
        f"LONDON (Reuters) - {TEXT[7]}",
        TEXT[7].upper().replace("\n\n", "\n"),
        "\n\n".join(paragraphs[:2] + paragraphs[3:]),
        "\n\n".join(
            ["Sign up for our newsletter and read this tomorrow, at no cost.", *paragraphs, "All rights reserved."]
        ),
        TEXT[7].replace(paragraphs[1].split(". ")[0], "What that means in the end is anybody's guess"),
    ):
        assert leader_of(copy, *TEXT) == "7"
    assert leader_of(f"(Reuters) - {BRIEF}", *TEXT, BRIEF) == "40"


def test_another_figure_is_another_story() -> None:
    """A short item with a new figure, and a daily report with the day's figures, are not copies of the old ones."""
    assert leader_of(BRIEF.replace("589", "593"), BRIEF) is None
    assert leader_of(BRIEF.replace("Monday", "Tuesday"), BRIEF) is None
    assert leader_of(BRIEF.replace("had lost in a day", "had gained in a week"), BRIEF) is None


def test_articles_of_their_own_stay_apart() -> None:
    """Neither the articles that come along nor generated ones, whose sentences are alike, are taken for copies."""
    stories = Stories()
    corpus = [item.article.text for path in FOLDER.glob("*.md") for item in load(path) if item.article]
    assert len(corpus) > 80
    assert [stories.add(str(number), signature(text)) for number, text in enumerate(corpus + TEXT)] == [None] * (
        len(corpus) + len(TEXT)
    )


def test_a_leader_can_go() -> None:
    """Without its leader a story is led by the next copy, also when thousands have come since."""
    stories = Stories()
    stories.add("first", signature(TEXT[0]))
    for number, article in enumerate(generate(1200, seed=4, words=(60, 80))):
        stories.lead(str(number), signature(article["text"]))
    assert stories.add("second", signature(TEXT[0])) == "first"
    stories.remove("first")
    stories.remove("unknown")
    assert stories.add("second", signature(TEXT[0])) is None
    assert stories.add("first", signature(TEXT[0])) == "second"


def test_an_article_that_is_added_again_is_taken_as_it_is_now() -> None:
    """A leader whose text changed no longer attracts copies of the old text."""
    stories = Stories()
    stories.add("a", signature(TEXT[0]))
    assert stories.add("a", signature(TEXT[1])) is None
    assert stories.add("b", signature(TEXT[0])) is None
    assert stories.add("c", signature(TEXT[1])) == "a"


def test_texts_without_words_and_foreign_signatures_resemble_nothing() -> None:
    """Two empty texts are two stories, and a signature of another version is compared with nothing."""
    stories = Stories()
    assert stories.add("a", signature("")) is None
    assert stories.add("b", signature("—")) is None
    foreign = bytes([7, 7]) + signature(TEXT[0])[2:]
    assert stories.add("c", foreign) is None
    assert stories.add("d", signature(TEXT[0])) is None
    assert stories.add("e", foreign) is None


def test_a_short_text_is_compared_whole() -> None:
    """Two words make a signature; the same two are a copy and others are not."""
    assert leader_of("Nvidia fell", "Nvidia fell") == "0"
    assert leader_of("Nvidia rose", "Nvidia fell") is None
