"""An answer's sentences checked against its passages."""

from __future__ import annotations

import pytest

from rag.embed import MiniLM
from rag.records import UNSUPPORTED, Citation
from rag.support import verify
from tests.test_citations import BOTH, DEEPSEEK, NVIDIA, evidence

BORNE_OUT = [
    "Nvidia lost $588.8 billion in market value on 27 January 2025.",
    "Nvidia lost $589 billion on 27 January.",
    "Nvidia lost $589 billion on 27 January, CNBC reported.",
    "On that Monday, January 27, almost $600bn of market value was lost by Nvidia.",
    "R1 came out on 20 January.",
    "High-Flyer was founded by Liang Wenfeng in 2015.",
    "Its shares fell 17 percent, and Broadcom fell 17.4 percent.",
]
NOT_BORNE_OUT = {
    "number": "Nvidia lost $600 million.",
    "unit": "Its shares fell $16.97.",
    "name": "Oracle lost $589 billion in market value.",
    "name in the passages": "Broadcom lost $589 billion in market value.",
    "date": "R1 came out on 21 January.",
    "weekday": "Nvidia lost $589 billion on Tuesday.",
    "direction": "Nvidia gained $589 billion in market value.",
    "negation": "Nvidia did not lose $589 billion in market value.",
    "whose figure": "Broadcom fell 16.97 percent.",
    "chip": "Training DeepSeek-V3 took 2,048 H100 chips.",
    "something else": "Sam Altman called the new model impressive.",
}


@pytest.mark.parametrize("sentence", BORNE_OUT)
def test_a_sentence_that_a_passage_bears_out_gets_its_mark(sentence: str, embedder: MiniLM) -> None:
    """Other words, roundings and passives keep a sentence supported, and the missing mark is added."""
    verified = verify(sentence, (), BOTH, embedder)
    assert verified.text == f"{sentence[:-1]} [1]."
    assert verified.support.unsupported == ()


@pytest.mark.parametrize("sentence", NOT_BORNE_OUT.values(), ids=NOT_BORNE_OUT.keys())
def test_an_altered_sentence_is_marked_and_counted(sentence: str, embedder: MiniLM) -> None:
    """What differs from the passages in a number, name, date, direction or negation is shown as unsupported."""
    verified = verify(sentence, (), BOTH, embedder)
    assert verified.text == f"{sentence[:-1]} {UNSUPPORTED}."
    assert (verified.support.sentences, verified.support.unsupported) == (1, (sentence,))
    assert verified.citations == ()


def test_a_wrong_mark_gives_way_to_the_right_one() -> None:
    """A sentence that cites a passage without it, while another has it, cites that other one."""
    wrong = DEEPSEEK.sentences[0]
    cited = Citation(1, wrong.text, DEEPSEEK.passage, wrong.start, wrong.end)
    verified = verify("Nvidia lost $589 billion in market value [1].", (cited,), BOTH, None)
    assert verified.text == "Nvidia lost $589 billion in market value [2]."
    assert [c.quote for c in verified.citations] == [wrong.text, NVIDIA.sentences[0].text]


def test_no_mark_where_two_passages_bear_it_out() -> None:
    """Where two passages say the same, the sentence counts as supported and no mark is guessed."""
    again = evidence("again", "Nvidia lost $589 billion in market value.")
    text = "Nvidia lost $589 billion in market value."
    verified = verify(text, (), (NVIDIA, again), None)
    assert (verified.text, verified.support.unsupported) == (text, ())


@pytest.mark.parametrize(
    "text",
    [
        "Here is what the articles say:",
        "The articles do not answer this question.",
        "The passages do not mention Oracle.",
        "## Summary",
        "**What happened**",
        "Would you like to know more?",
        "",
    ],
)
def test_what_claims_nothing_is_not_counted(text: str) -> None:
    """Headings, refusals, questions and what leads over to the next sentence are neither checked nor marked."""
    verified = verify(text, (), BOTH, None)
    assert (verified.text, verified.support.sentences) == (text, 0)


def test_invented_quotation_marks_are_taken_off() -> None:
    """Words that no passage has stand without quotation marks; those that one has keep theirs."""
    said = evidence("said", 'Trump called the release "a wake-up call" for American industry.')
    text = 'Trump called the release a "loud wake-up bell" for American industry.'
    assert verify(text, (), (said,), None).text.startswith("Trump called the release a loud wake-up bell for")
    kept = "Trump called the release “a wake-up call” for American industry."
    assert verify(kept, (), (said,), None).text == f"{kept[:-1]} [1]."


def test_lists_and_paragraphs_keep_their_form() -> None:
    """Each item of a list is checked by itself, and line breaks stay where they are."""
    text = "It fell:\n\n- Nvidia lost $589 billion [1]\n- Nvidia lost $700 billion [1]\n"
    loss = NVIDIA.sentences[0]
    cited = (Citation(1, loss.text, NVIDIA.passage, loss.start, loss.end),)
    verified = verify(text, cited, BOTH, None)
    assert verified.text == text.replace("$700 billion [1]", f"$700 billion [1] {UNSUPPORTED}")
    assert verified.support.sentences == 2
