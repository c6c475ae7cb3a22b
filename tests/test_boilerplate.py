"""An article's own words, and what a page puts around them."""

import frontmatter
import pytest

import corpus
from ingest.article import clean
from ingest.boilerplate import without_boilerplate
from ingest.readers import read

FIRST = "The exchange opened lower on Monday, and chip makers lost the most."
SECOND = "By noon the index had won back half of it."


@pytest.mark.parametrize(
    "line",
    [
        "Advertisement",
        "- Advertisement -spot_img",
        "ADVERTISMENT",
        "Must read",
        "Share this article",
        "Share on Facebook",
        "Facebook Twitter WhatsApp Email",
        "Follow us on LinkedIn for more",
        "12 Comments",
        "Privacy policy | Terms of use | Sign in",
        "5 min read",
        "We use cookies to give you the best experience and to show you advertisements that fit.",
        "By continuing to browse this website, you agree to our use of cookies.",
        "Sign up for our newsletter and never miss a story.",
        "Get the week's most important stories delivered straight to your inbox.",
        "Enter your email address",
        "Read more: Chip shares fall for a third day",
        "RELATED: What the sell-off means for savers",
        "Story continues below advertisement",
        "© 2025 The Ledger",
        "The post Chip shares fall appeared first on The Ledger.",
        "Skip to main content",
    ],
)
def test_what_a_page_puts_between_paragraphs_goes(line: str) -> None:
    """Buttons, notices and pointers to other articles are never quoted as news."""
    assert without_boilerplate([FIRST, line, SECOND]) == [FIRST, SECOND]


@pytest.mark.parametrize(
    "line",
    [
        "“We use cookies only to keep people logged in,” said the company's lawyer.",
        "We use cookies for nothing else, the minister said in a letter to the committee.",
        "Subscribers to the newsletter had been told a week before.",
        "By using older chips, the company came to terms with the limits that were set for it.",
        "Share prices on both exchanges fell.",
        "Post on the subject grew by the hour.",
        "Advertisement revenue fell by 4%.",
        "Read more books, the teacher told them: it will help.",
        "(c) exports to countries on the list.",
        "Related companies lost as much.",
        "What comes next",
        "Facebook",
        "27 January 2025: -17%",
    ],
)
def test_what_an_author_wrote_stays(line: str) -> None:
    """A sentence that only looks a little like a notice, or a heading, is not lost."""
    assert without_boilerplate([FIRST, line, SECOND]) == [FIRST, line, SECOND]


def test_a_list_of_other_articles_goes_with_its_headlines() -> None:
    """The headlines under "Related articles" are not this article's words; a heading after one pointer may be."""
    headlines = ["Why the yen rose against all others", "A bank looks for a new head", "Rain spoils the harvest"]
    assert without_boilerplate([FIRST, "Intresting articles", *headlines]) == [FIRST]
    assert without_boilerplate([FIRST, "Related articles", *headlines, SECOND]) == [FIRST, SECOND]
    assert without_boilerplate([FIRST, "Read more", "What the banks say", SECOND]) == [
        FIRST,
        "What the banks say",
        SECOND,
    ]


def test_short_labels_after_the_last_sentence_go_only_among_boilerplate() -> None:
    """The end of a page is full of labels that nobody can list, and the end of an article may be a list."""
    assert without_boilerplate([FIRST, "Reports", "Advertisement", "Economy"]) == [FIRST]
    assert without_boilerplate([FIRST, "Nvidia: -17%", "Broadcom: -17%"]) == [FIRST, "Nvidia: -17%", "Broadcom: -17%"]


def test_buttons_in_a_row_go() -> None:
    """Names of networks, each on its line, are buttons when they stand together."""
    assert without_boilerplate(["Facebook", "Twitter", "Email", FIRST]) == [FIRST]


def test_no_word_of_the_articles_is_taken_for_boilerplate() -> None:
    """All articles that come with Aftershock come out as they went in."""
    paths = sorted(corpus.FOLDER.glob("*.md"))
    assert len(paths) > 50
    for path in paths:
        paragraphs = clean(frontmatter.parse(path.read_text(encoding="utf-8"))[1]).split("\n\n")
        assert without_boilerplate(paragraphs) == paragraphs, path.name


def test_a_text_copied_from_a_page_keeps_only_its_article() -> None:
    """The date and headline on top become fields, and the page's furniture is gone from both ends."""
    lines = ["Tuesday, January 28, 2025", "Chips in the Storm", "Must read", FIRST, SECOND, "Reports"]
    text = "\n\n".join([*lines, "- Advertisement -spot_img", "Intresting articles"])
    [loaded] = read("copied.txt", text.encode())
    article = loaded.article
    assert article is not None
    assert (article.published, article.title) == ("2025-01-28", "Chips in the Storm")
    assert article.text == f"{FIRST}\n\n{SECOND}"
