"""Marks in a streamed answer, and the sentences that they are tied to."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.citations import Citer
from rag.records import Citation, Evidence, Passage, Sentence


def evidence(article: str, *sentences: str, start: int = 100) -> Evidence:
    """A passage made of these sentences that begins at offset `start` of its article."""
    text = " ".join(sentences)
    spans = []
    for sentence in sentences:
        at = start + text.index(sentence)
        spans.append(Sentence(sentence, at, at + len(sentence)))
    return Evidence(
        Passage(text, 1.0, article, article.title(), "CNBC", "", "", start, start + len(text)), tuple(spans)
    )


NVIDIA = evidence(
    "nvidia",
    "Nvidia lost $588.8 billion in market value on 27 January 2025.",
    "Its shares fell 16.97 percent to $118.42.",
    "Broadcom shares fell 17.4 percent on the same day.",
)
DEEPSEEK = evidence(
    "deepseek",
    "DeepSeek released R1 on 20 January 2025.",
    "Liang Wenfeng founded the hedge fund High-Flyer in 2015.",
    "Training DeepSeek-V3 took 2,048 H800 chips, the company said.",
)
BOTH = (NVIDIA, DEEPSEEK)


def cite(answer: str, given: Sequence[Evidence] = BOTH, size: int = 1000) -> tuple[str, list[str]]:
    """The text shown for an answer that streams in pieces of `size`, and the sentences cited, in order."""
    citer = Citer(given)
    pieces = [p for i in range(0, len(answer), size) for p in citer.feed(answer[i : i + size])] + citer.finish()
    text = ""
    announced: list[Citation] = []
    for piece in pieces:
        if isinstance(piece, Citation):
            announced.append(piece)
        else:
            text += piece
            assert set(map(int, re.findall(r"\[(\d+)\]", piece))) <= {c.number for c in announced}
    assert announced == citer.citations
    assert [c.number for c in announced] == list(range(1, len(announced) + 1))
    for citation in announced:
        passage = citation.passage
        assert citation.quote == passage.text[citation.start - passage.start : citation.end - passage.start]
    return text, [c.quote for c in announced]


LOSS, SHARES, BROADCOM = (s.text for s in NVIDIA.sentences)
RELEASE, LIANG, CHIPS = (s.text for s in DEEPSEEK.sentences)

CASES = {
    "a mark before the full stop": ("Nvidia lost $589 billion [1].", "Nvidia lost $589 billion [1].", [LOSS]),
    "a mark after the full stop": (
        "Nvidia lost $589 billion. [1] R1 was released in January. [2]",
        "Nvidia lost $589 billion [1]. R1 was released in January [2].",
        [LOSS, RELEASE],
    ),
    "a mark without a space": ("Nvidia lost $589 billion[1].", "Nvidia lost $589 billion [1].", [LOSS]),
    "a mark on a line of its own": ("Nvidia lost $589 billion.\n\n[1]", "Nvidia lost $589 billion [1].", [LOSS]),
    "a mark before its sentence": (
        "[1] Nvidia lost $589 billion.\n[2] R1 was released in January.",
        "Nvidia lost $589 billion [1].\nR1 was released in January [2].",
        [LOSS, RELEASE],
    ),
    "a list": (
        "It fell:\n- Nvidia lost $589 billion [1]\n- Broadcom fell by 17.4 percent [1]\n1. R1 was released [2]",
        "It fell:\n- Nvidia lost $589 billion [1]\n- Broadcom fell by 17.4 percent [2]\n1. R1 was released [3]",
        [LOSS, BROADCOM, RELEASE],
    ),
    "numbers of different sentences of one passage": (
        "Nvidia lost $589 billion [1], and Broadcom fell 17.4 percent [1].",
        "Nvidia lost $589 billion [1], and Broadcom fell 17.4 percent [2].",
        [LOSS, BROADCOM],
    ),
    "the same sentence twice": (
        "Nvidia lost $589 billion [1]. The loss in value came on 27 January [1].",
        "Nvidia lost $589 billion [1]. The loss in value came on 27 January [1].",
        [LOSS],
    ),
    "the same mark twice in one place": ("Nvidia lost $589 billion [1][1].", "Nvidia lost $589 billion [1].", [LOSS]),
    "several numbers in one mark": (
        "In January 2025 R1 was released and Nvidia lost value [2, 1].",
        "In January 2025 R1 was released and Nvidia lost value [1][2].",
        [RELEASE, LOSS],
    ),
    "several marks in one place": (
        "In January 2025 R1 was released and Nvidia lost value [2][1].",
        "In January 2025 R1 was released and Nvidia lost value [1][2].",
        [RELEASE, LOSS],
    ),
    "a range": (
        "In January 2025 R1 was released and Nvidia lost value [1-2].",
        "In January 2025 R1 was released and Nvidia lost value [1][2].",
        [LOSS, RELEASE],
    ),
    "other brackets": ("Nvidia lost $589 billion【1】.", "Nvidia lost $589 billion [1].", [LOSS]),
    "a mark with a reference": ("Nvidia lost $589 billion【1†L3-L4】.", "Nvidia lost $589 billion [1].", [LOSS]),
    "a mark with a word": ("Nvidia lost $589 billion [Passage 1].", "Nvidia lost $589 billion [1].", [LOSS]),
    "a round mark": ("Nvidia lost value in January (1).", "Nvidia lost value in January [1].", [LOSS]),
    "a round mark at the end": ("Nvidia lost value in January (1)", "Nvidia lost value in January [1]", [LOSS]),
    "a round mark with a word": (
        "Nvidia lost value (passage 1) and R1 was released (source 2).",
        "Nvidia lost value [1] and R1 was released [2].",
        [LOSS, RELEASE],
    ),
    "several numbers in a round mark": (
        "In January 2025 R1 was released and Nvidia lost value (1, 2).",
        "In January 2025 R1 was released and Nvidia lost value [1][2].",
        [LOSS, RELEASE],
    ),
    "round brackets that are no mark": (
        "It had (1) cheap chips, (2) data, 588 (2), a year (2025), (so) an average of (1). (1) Again (9).",
        "It had (1) cheap chips, (2) data, 588 (2), a year (2025), (so) an average of (1). (1) Again (9).",
        [],
    ),
    "a range in a mark": ("Nvidia lost value, R1 came [1–2].", "Nvidia lost value, R1 came [1][2].", [LOSS, RELEASE]),
    "marks with a link": (
        "Nvidia lost $589 billion [1](https://a.example/x). ![R1](https://a.example/b.png) came out [2].",
        "Nvidia lost $589 billion [1]. [R1] came out [2].",
        [LOSS, RELEASE],
    ),
    "unknown numbers": (
        "Everything [9] was quiet [0] over there [3, 4]. [77] So be it [2025].",
        "Everything was quiet over there. So be it.",
        [],
    ),
    "known and unknown numbers": ("Nvidia lost $589 billion [1, 9].", "Nvidia lost $589 billion [1].", [LOSS]),
    "brackets that are no mark": (
        'He said "we [the company] fell" [sic] in a very long bracket [which goes on and on and on, 1] there.',
        'He said "we [the company] fell" [sic] in a very long bracket [which goes on and on and on, 1] there.',
        [],
    ),
    "half a mark at the end": ("It was quiet [1", "It was quiet", []),
    "half a bracket at the end": ("It was quiet [as they", "It was quiet [as they", []),
    "brackets that would become a mark": ("It was quiet [[9]1] and [\n2].", "It was quiet (1] and (\n2].", []),
    "a missing mark is added": (
        "Liang Wenfeng founded High-Flyer in 2015. That was long ago.",
        "Liang Wenfeng founded High-Flyer in 2015 [1]. That was long ago.",
        [LIANG],
    ),
    "a missing mark is added at the end": (
        "Liang Wenfeng founded High-Flyer in 2015",
        "Liang Wenfeng founded High-Flyer in 2015 [1]",
        [LIANG],
    ),
    "no mark for another number": (
        "Liang Wenfeng founded High-Flyer in 2016.",
        "Liang Wenfeng founded High-Flyer in 2016.",
        [],
    ),
    "no mark for what nothing supports": (
        "Sam Altman called the new model impressive.",
        "Sam Altman called the new model impressive.",
        [],
    ),
    "decimals and abbreviations end no sentence": (
        "On Jan. 27 Nvidia Corp. of the U.S. lost 588.8 billion [1].",
        "On Jan. 27 Nvidia Corp. of the U.S. lost 588.8 billion [1].",
        [LOSS],
    ),
    "a quotation's full stop stays inside": (
        'They said: "Nvidia lost $589 billion." [1] Then R1 was released [2].',
        'They said: "Nvidia lost $589 billion." [1] Then R1 was released [2].',
        [LOSS, RELEASE],
    ),
    "bold print": (
        "**Nvidia lost $589 billion.** [1] R1 was released [2].",
        "**Nvidia lost $589 billion.** [1] R1 was released [2].",
        [LOSS, RELEASE],
    ),
    "a mark after a list's number": (
        "1. [2] R1 was released in January.",
        "1. R1 was released in January [1].",
        [RELEASE],
    ),
    "a clause that only its sentence explains": (
        "Broadcom sells chips [2], and its shares fell [1].",
        "Broadcom sells chips [1], and its shares fell [2].",
        [CHIPS, BROADCOM],
    ),
    "a number outweighs a word": ("Its value was down 17.4 [1].", "Its value was down 17.4 [1].", [BROADCOM]),
    "thousands separators": ("They used 2048 chips [2].", "They used 2048 chips [1].", [CHIPS]),
    "space around the answer": ("\n\n Nvidia lost $589 billion [1]. \n", "Nvidia lost $589 billion [1].", [LOSS]),
    "only a mark": ("[1]", "", []),
    "nothing": ("", "", []),
}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(("answer", "shown", "quotes"), CASES.values(), ids=CASES.keys())
def test_cases(answer: str, shown: str, quotes: list[str], size: int) -> None:
    """Marks are shown, tied, moved, added and dropped alike however the stream is cut into pieces."""
    assert cite(answer, size=size) == (shown, quotes)


def test_a_mark_is_out_before_the_next_sentence() -> None:
    """A reader sees a mark as soon as it is complete, not when the answer is."""
    citer = Citer(BOTH)
    assert citer.feed("Nvidia lost $589 billion [") == ["Nvidia lost $589 billion"]
    citation, mark = citer.feed("1]")
    assert isinstance(citation, Citation)
    assert (citation.quote, mark) == (LOSS, " [1]")


def test_no_mark_where_two_passages_support() -> None:
    """A mark is not added where two passages say the same, since either may be meant."""
    again = evidence("again", "The hedge fund High-Flyer was founded by Liang Wenfeng in 2015.")
    answer = "Liang Wenfeng founded High-Flyer in 2015."
    assert cite(answer, (DEEPSEEK, again)) == (answer, [])


def test_a_passage_without_sentences_is_cited_whole() -> None:
    """Evidence that was not split into sentences still gives a citation."""
    whole = Evidence(NVIDIA.passage, ())
    assert cite("It fell [1].", (whole,)) == ("It fell [1].", [NVIDIA.passage.text])


def test_without_a_shared_word_the_sentence_nearest_to_the_question() -> None:
    """A mark on words that no sentence has goes to the sentence that matched the question best."""
    first, second, third = NVIDIA.sentences
    near = Evidence(NVIDIA.passage, (first, Sentence(second.text, second.start, second.end, dense=0.7), third))
    assert cite("What a tumble [1]!", (near,)) == ("What a tumble [1]!", [SHARES])


def test_repetition_is_read_quickly() -> None:
    """Thousands of words without a full stop, mark or line break are passed on without being read again and again."""
    text = "and so on " * 20_000
    assert cite(text, size=5)[0] == text.strip()


PIECES = ["Nvidia", " fell", " 17", ".5", ". ", " Then", "\n", "[", "]", "1", ",", "2]", "[1]", "[2]", "[9]", " ", "["]
PIECES += ["(", ")", "(1)", "(passage 2)", "](", "1-2]", "[3, 9]", "<b", ">", "https://a.example", "!", "¹"]
PIECES += ["【", "】", '"', "**", "? ", "[sic]", "…", "- ", ":"]


@example(pieces=["]", "(1)", "("], size=1)
@example(pieces=["]", "https://", "(1)"], size=1)
@example(pieces=["Nvidia", "https://a.example"], size=7)
@example(pieces=["<b", "](", '"', ">"], size=1)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=40), size=st.integers(1, 7))
def test_any_stream(pieces: list[str], size: int) -> None:
    """For any stream: however it is cut it shows the same, and every mark shown has its citation."""
    answer = "".join(pieces)
    shown, quotes = cite(answer)
    assert cite(answer, size=size) == (shown, quotes)


@given(pieces=st.lists(st.sampled_from([p for p in PIECES if not re.search("[<>(]|https|[a-z] ", p)]), max_size=40))
def test_letters_survive(pieces: list[str]) -> None:
    """For any stream without addresses, tags and words in marks: all its letters are shown."""
    answer = "".join(pieces)
    assert re.findall("[A-Za-z]", cite(answer)[0]) == re.findall("[A-Za-z]", answer)


@given(number=st.integers(3, 10**6), opening=st.sampled_from("[【"), more=st.sampled_from(["", ", 8", "-9", "][0"]))
def test_unknown_numbers_vanish(number: int, opening: str, more: str) -> None:
    """Marks with numbers of no passage leave nothing behind, and no citation."""
    assert cite(f"It was quiet {opening}{number}{more}].", size=1) == ("It was quiet.", [])
