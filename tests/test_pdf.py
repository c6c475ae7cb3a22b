"""PDF files to articles: reading order, paragraphs, and what stands on every page."""

import textwrap

import pytest

from ingest.article import Loaded
from ingest.readers import read
from rag.records import Article
from tests import samples

STORY = (
    "Shares of the makers of chips fell on Monday as investors weighed the news from China. "
    "The index lost three per cent in the first hour and won back one of them before noon. "
    "Traders said that nobody had been prepared for a model that cost so little to train."
)


def only(data: bytes, name: str = "paper.pdf") -> Loaded:
    (loaded,) = read(name, data)
    return loaded


def article(data: bytes, name: str = "paper.pdf") -> Article:
    loaded = only(data, name)
    assert loaded.article is not None, loaded.reason
    return loaded.article


def reason(data: bytes) -> str:
    loaded = only(data)
    assert loaded.article is None
    return loaded.reason


def test_lines_become_paragraphs_under_the_largest_line_as_title() -> None:
    """Quotes must be whole sentences, and the headline is what people see as one."""
    lines = [
        (50, 740, 20, "A bad Monday for chips"),
        (50, 715, 10, "By Ada Byron"),
        (50, 700, 10, "28 January 2025"),
        *samples.column(50, 670, textwrap.wrap(STORY, 60)),
        *samples.column(50, 600, textwrap.wrap(STORY, 60)),
    ]
    found = article(samples.pdf([lines], {"CreationDate": "D:20250301101500Z"}))
    assert (found.title, found.author, found.published) == ("A bad Monday for chips", "Ada Byron", "2025-01-28")
    assert found.text == f"{STORY}\n\n{STORY}"


def test_properties_name_what_the_page_does_not() -> None:
    """Title, author and day come from the file where the page is silent, but not what a program put there."""
    body = samples.column(50, 700, textwrap.wrap(STORY, 60))
    made = {"Title": "Chips in the storm", "Author": "A. Byron", "CreationDate": "D:20250301101500Z"}
    found = article(samples.pdf([body], made))
    assert (found.title, found.author, found.published) == ("Chips in the storm", "A. Byron", "2025-03-01")
    found = article(
        samples.pdf([body], {"Title": "Microsoft Word - draft3.doc", "Author": "anonymous"}), "my-paper.pdf"
    )
    assert (found.title, found.author, found.published) == ("my paper", "", "")


@pytest.mark.parametrize("is_row_by_row", [True, False])
def test_columns_are_read_one_after_the_other(is_row_by_row: bool) -> None:
    """In whatever order a program wrote the lines, the left column comes before the right one, under their heading."""
    wrapped = textwrap.wrap(f"{STORY} {STORY}", 40)
    half = (len(wrapped) + 1) // 2
    left, right = samples.column(50, 700, wrapped[:half]), samples.column(310, 700, wrapped[half:])
    body = [line for pair in zip(left, right, strict=False) for line in pair] if is_row_by_row else right + left
    body += left[len(right) :] if is_row_by_row else []
    heading = (50, 740, 16, "One heading over both of the columns that stand below it")
    assert article(samples.pdf([[*body, heading]])).text == f"{STORY} {STORY}"


def test_divided_words_are_put_together() -> None:
    """A word must be found whose half stood on the next line; a hyphen that belongs to a word stays."""
    lines = [
        "The exchange was closed. A well-known bank had sus-",
        "pended all trade, and another well-",
        "known one too.",
    ]
    found = article(samples.pdf([samples.column(50, 700, lines)]))
    assert (
        found.text
        == "The exchange was closed. A well-known bank had suspended all trade, and another well-known one too."
    )


def test_heads_and_page_numbers_go_and_a_paragraph_goes_on_over_pages() -> None:
    """What stands on each page is no part of the story, and must not part its sentences."""
    first, second = textwrap.wrap(STORY, 60)[:2], textwrap.wrap(STORY, 60)[2:]
    pages = [
        [(50, 770, 9, f"The Ledger, edition {number}"), *samples.column(50, 700, lines), (300, 30, 9, f"{number}")]
        for number, lines in enumerate([first, second], 1)
    ]
    assert article(samples.pdf(pages)).text == STORY


def test_equal_pages_keep_their_text() -> None:
    """What pages have in common is no head when they have nothing else, or when no gap parts it from the rest."""
    assert article(samples.pdf([[(50, 700, 10, "Background and more")]] * 2)).text.count("Background") >= 1
    body = samples.column(50, 700, textwrap.wrap(STORY, 60))
    assert article(samples.pdf([body] * 3)).text.count("Shares of the makers") == 3


def test_an_indent_or_a_short_line_begins_a_paragraph() -> None:
    """Printed pages mark paragraphs without gaps."""
    one, two = textwrap.wrap(STORY, 60), textwrap.wrap(f"     {STORY}", 60)
    lines = [*samples.column(50, 700, one), *samples.column(65, 700 - 12 * len(one), [two[0].strip()])]
    lines += samples.column(50, 700 - 12 * (len(one) + 1), two[1:])
    assert article(samples.pdf([lines])).text == f"{STORY}\n\n{STORY}"


def test_rows_of_a_table_stay_rows() -> None:
    """A figure is only understood together with its row."""
    rows = [("Nvidia", "17 per cent", "589 billion"), ("Broadcom", "17 per cent", "200 billion")]
    cells = [(x, 700 - 12 * n, 10, row[i]) for n, row in enumerate(rows) for i, x in enumerate((50, 200, 350))]
    text = article(samples.pdf([[*cells, *samples.column(50, 600, textwrap.wrap(STORY, 60))]])).text
    assert "Nvidia | 17 per cent | 589 billion\n\nBroadcom | 17 per cent | 200 billion\n\n" in text


def test_what_holds_no_text_is_named_with_its_reason() -> None:
    """Each of them asks for something else of the user."""
    assert reason(samples.pdf([samples.PICTURE])) == (
        "it holds only pictures of pages; run text recognition (OCR) over it first"
    )
    assert reason(samples.pdf([""])) == "no text is in it"
    assert reason(samples.pdf([[(50, 700, 10, "Text")]], encrypt=samples.PASSWORD)) == (
        "it asks for a password; save a copy without one"
    )
    assert reason(samples.pdf([[(50, 700, 10, "Text")]])[:60]) == "it is no PDF file, or a damaged one"


def test_pictures_among_pages_of_text_are_warned_of() -> None:
    """The text is in, and the user learns that not all of it is."""
    body = samples.column(50, 700, textwrap.wrap(STORY, 60))
    loaded = only(samples.pdf([body, samples.PICTURE]))
    assert loaded.article is not None
    assert loaded.warnings == ("1 of its 2 pages are pictures, whose text can't be read",)


def test_turned_text_is_read_in_its_own_order() -> None:
    """A page printed sideways is still text."""
    lines = ((300, "Chips fell on Monday."), (320, "They rose later."))
    turned = "\n".join(f"BT /F 10 Tf 0 1 -1 0 {x} 100 Tm ({text}) Tj ET" for x, text in lines)
    text = article(samples.pdf([turned])).text
    assert " ".join(text.split()) == "Chips fell on Monday. They rose later."
