"""Answers in the sources' own words."""

from dataclasses import replace

import pytest

from rag.kinds import days_named, expected, holds
from rag.length import LENGTHS
from rag.quote import choose, judged, quote, read
from rag.records import Evidence, Passage, Sentence
from rag.retrieve import Retrieval
from rag.text import terms


def evidence(article_id: str, published: str, *sentences: tuple[str, float, float]) -> Evidence:
    """A passage of sentences given as (text, cosine, share of the question's words)."""
    text = " ".join(sentence for sentence, _, _ in sentences)
    placed = tuple(
        Sentence(sentence, text.index(sentence), text.index(sentence) + len(sentence), dense, lexical, tokens=dense)
        for sentence, dense, lexical in sentences
    )
    return Evidence(Passage(text, 0.5, article_id, "Title", "Outlet", published, "", 0, len(text)), placed)


def found(*given: Evidence, words: str = "lose") -> Retrieval:
    return Retrieval(given, dict.fromkeys(terms(words), 1.0))


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How far did the Nasdaq fall?", "figure"),
        ("What share of value did they lose?", "figure"),
        ("What did training V3 cost?", "figure"),
        ("On what day was R1 released?", "date"),
        ("In which year was High-Flyer founded?", "date"),
        ("Which executive resigned?", "person"),
        ("Why did shares fall?", "reason"),
        ("What did Trump call the release?", "statement"),
        ("What is the Stargate project?", "meaning"),
        ("How was R1 trained?", ""),
        ("Who is Liang Wenfeng?", "meaning"),
        ("Who is DeepSeek's CEO?", "person"),
        ("How many machines ran when the margin was counted?", "figure"),
    ],
)
def test_what_a_question_asks_for_is_recognised(question: str, kind: str) -> None:
    """A figure, a date or a person is what has to come first in the answer."""
    assert expected(question) == kind


def test_a_figure_date_or_name_that_the_question_itself_names_is_no_answer() -> None:
    """'27 January' can't be the answer to when something after 27 January happened."""
    asked = frozenset(terms("When did Nvidia recover after 27 January 2025?"))
    assert not holds("date", "Nvidia fell on 27 January 2025.", asked)
    assert holds("date", "Nvidia recovered by May.", asked)
    assert not holds("person", "It was Nvidia.", asked)
    assert holds("person", "It was led by Liang.", asked)


@pytest.mark.parametrize(
    ("kind", "question", "sentence", "has"),
    [
        ("meaning", "What is R1?", "DeepSeek-R1 is a reasoning model.", True),
        ("meaning", "What is R1?", "R1, released in January, is the model that caused the fall.", True),
        ("meaning", "What is R1?", "R1-Zero is a forerunner.", False),
        ("meaning", "What is R1?", "The advantage of R1 is the price.", False),
        ("meaning", "What is DeepSeek-R1?", "R1 is a model made by DeepSeek.", True),
        ("meaning", "What is Azure?", "Azure is Microsoft's service for companies.", True),
        ("meaning", "What is HarmBench?", "They drew from HarmBench, a collection of requests.", True),
        ("meaning", "What is HarmBench?", "They drew from HarmBench, which took a day.", False),
        ("meaning", "What was the DeepSeek shock?", "What happened is known as the DeepSeek shock.", True),
        ("meaning", "What is DeepSeek?", "A Dutch minister called DeepSeek in February an app for spies.", False),
        ("person", "Who owns it?", "V2 followed in May.", False),
        ("reason", "Why did it fall?", "Nvidia fell because investors doubted its prices.", True),
        ("reason", "Why did it fall?", "Nvidia fell by 17%.", False),
        ("statement", "What did he say?", 'He called it "a wake-up call".', True),
        ("statement", "What did he say?", "He spoke in Florida.", False),
    ],
)
def test_a_sentence_of_the_kind_asked_for(kind: str, question: str, sentence: str, has: bool) -> None:
    """A definition defines the subject itself, a reason gives one, and a statement has words in quotation marks."""
    assert holds(kind, sentence, frozenset(terms(question))) == has


def test_the_sentence_that_has_the_figure_comes_first() -> None:
    """A reader who asks how much wants the sum in the first line."""
    retrieval = found(
        evidence(
            "a",
            "2025-01-27",
            ("Nvidia lost a great deal of value.", 0.62, 1.0),
            ("Nvidia lost $589 billion.", 0.6, 1.0),
        )
    )
    draft = quote(read("How much did Nvidia lose?", retrieval))
    assert draft.text.startswith("Nvidia lost $589 billion. [1]")


def test_who_holds_the_post_asked_for_is_named_first() -> None:
    """Other chief executives who speak of DeepSeek are none of DeepSeek's."""
    others = "Alexandr Wang, the chief executive of Scale AI, told CNBC that DeepSeek has many chips."
    own = "Liang Wenfeng is the founder and chief executive of DeepSeek."
    given = [
        evidence(name, "2025-01-27", (text, dense, 1.0)) for name, text, dense in (("a", others, 0.62), ("b", own, 0.6))
    ]
    retrieval = found(*given, words="chief executive DeepSeek")
    draft = quote(read("Who is DeepSeek's CEO?", retrieval))
    assert draft.text.startswith("Liang Wenfeng is the founder")


def test_another_version_is_not_the_one_asked_for() -> None:
    """R1 1776 and R1-Zero came out on other days than R1, and share its name only."""
    sentences = (
        ("Perplexity released R1 1776 on 18 February 2025.", 0.62, 1.0),
        ("DeepSeek released R1 on 20 January 2025.", 0.6, 1.0),
    )
    given = [evidence(str(number), "2025-03-01", sentence) for number, sentence in enumerate(sentences)]
    first = {
        name: read(f"When was {name} released?", found(*given, words=f"{name} released")).ranked[0].sentence.text
        for name in ("R1", "R1 1776")
    }
    assert first == {"R1": sentences[1][0], "R1 1776": sentences[0][0]}


def test_a_sentence_about_another_version_is_no_answer() -> None:
    """A date or a figure of V3.1 or R1-Zero is none of V3 or R1, however near the sentence is to the question."""
    sentences = (
        ("R1-Zero is a model released alongside R1 on 20 January 2025.", 0.8, 1.0),
        ("R1 came out on 20 January 2025.", 0.6, 0.5),
    )
    given = [evidence(str(number), "2025-03-01", sentence) for number, sentence in enumerate(sentences)]
    first = {
        name: read(f"When was {name} released?", found(*given, words=f"{name} released")).ranked[0].sentence.text
        for name in ("r1", "R1-Zero")
    }
    assert first == {"r1": sentences[1][0], "R1-Zero": sentences[0][0]}
    # What a "which" asks for may be another version.
    assert read("Which model did R1 begin with?", found(*given, words="R1")).ranked[0].sentence.text == sentences[0][0]


@pytest.mark.parametrize(
    ("question", "words", "beside", "answer"),
    [
        (
            "Why did Nvidia fall?",
            "Nvidia fall",
            "Meta rose while Nvidia fell, because building AI became cheaper.",
            "Nvidia fell because investors feared for its sales.",
        ),
        (
            "When was R1 released?",
            "R1 released",
            "The model after R1 was released on 24 March 2025.",
            "The model R1 was released on 20 January 2025.",
        ),
        (
            "Is DeepSeek open source?",
            "DeepSeek open source",
            "DeepSeek had an open source week.",
            "DeepSeek is open source.",
        ),
    ],
)
def test_a_sentence_about_what_is_asked_comes_before_one_that_names_it_beside(
    question: str, words: str, beside: str, answer: str
) -> None:
    """Words that stand behind "while" or "after", or tell of something else, are no answer about what they name."""
    given = [evidence("a", "2025-03-30", (beside, 0.64, 1.0)), evidence("b", "2025-03-30", (answer, 0.6, 1.0))]
    assert read(question, found(*given, words=words)).ranked[0].sentence.text == answer


def test_a_sentence_about_the_day_asked_for_wins() -> None:
    """'What happened on 27 January' must not be answered with what happened on the 28th."""
    retrieval = found(
        evidence(
            "a",
            "2025-01-28",
            ("Shares moved.", 0.1, 0.0),
            ("Nvidia rose on 28 January 2025.", 0.6, 0.6),
            ("Nvidia fell on January 27.", 0.6, 0.6),
        ),
        words="27 January 2025",
    )
    assert read("What happened on 27 January 2025?", retrieval).ranked[0].sentence.text == "Nvidia fell on January 27."
    assert days_named("27 January to February 3, 2025") == {(27, "january"), (3, "february")}


@pytest.mark.parametrize(
    ("question", "first"), [("How far did Nvidia fall on 27 January?", 1), ("How far did it fall?", 0)]
)
def test_what_is_told_of_another_day_does_not_come_first(question: str, first: int) -> None:
    """A cross-encoder likes any fall of Nvidia's; whoever asks about a day must not get that of another."""
    texts = ("Nvidia fell 4.1% on 29 January 2025.", "Nvidia fell 16.97% on 27 January 2025.")
    reading = read(question, found(evidence("a", "2025-01-30", *((text, 0.5, 0.5) for text in texts))))
    odds = [10.0 if "29" in s.sentence.text else 2.0 for s in reading.ranked]
    assert judged(reading, odds).ranked[0].sentence.text == texts[first]


def test_at_most_three_different_sentences_the_best_first_and_the_others_by_date() -> None:
    """The answer is short, doesn't repeat itself, and reads in the order of events."""
    retrieval = found(
        evidence("late", "2025-02-01", ("Oracle recovered a part by Friday.", 0.6, 0.5)),
        evidence(
            "best",
            "2025-01-28",
            ("Nvidia lost 17% of its value.", 0.8, 0.5),
            ("Nvidia lost 17% of its value too.", 0.78, 0.5),
        ),
        evidence(
            "early", "2025-01-27", ("Broadcom fell likewise in New York.", 0.6, 0.5), ("Dell also fell.", 0.59, 0.5)
        ),
    )
    draft = quote(read("What happened?", replace(retrieval, weights={"happen": 1.0})))
    assert [(c.number, c.quote) for c in draft.citations] == [
        (1, "Nvidia lost 17% of its value."),
        (2, "Broadcom fell likewise in New York."),
        (3, "Oracle recovered a part by Friday."),
    ]
    assert draft.text == " ".join(f"{c.quote} [{c.number}]" for c in draft.citations)


def test_the_length_asked_for() -> None:
    """A short answer is the sentence that answers, with the one it leans on; a long one has more of what was found."""
    told = ("Nvidia lost 17% of its value", "Broadcom fell in New York", "Oracle slid", "Dell sank", "Asia followed")
    retrieval = found(evidence("a", "2025-01-27", *((f"{text}.", 0.6, 0.5) for text in told)))
    reading = read("What happened?", replace(retrieval, weights={"happen": 1.0}))
    counts = [len(quote(reading, length.quoted).citations) for length in LENGTHS.values()]
    assert counts == [1, 3, 5]
    leaning = found(
        evidence("a", "2025-01-27", ("Nvidia had a bad day.", 0.1, 0.0), ("It lost $589 billion.", 0.9, 1.0))
    )
    (citation,) = quote(read("How much was lost?", leaning), LENGTHS["short"].quoted).citations
    assert citation.quote == "Nvidia had a bad day. It lost $589 billion."


def test_quotes_are_exact_slices_of_their_passages() -> None:
    """A citation opens the article at exactly the words that are quoted."""
    retrieval = found(evidence("a", "", ("One thing.", 0.9, 1.0), ("Another thing is here.", 0.8, 1.0)))
    for citation in quote(read("What?", retrieval)).citations:
        assert citation.passage.text[citation.start : citation.end] == citation.quote


def test_weak_sentences_are_left_out() -> None:
    """One good sentence alone is better than one with two that have nothing to do with it."""
    retrieval = found(evidence("a", "", ("The answer stands here.", 0.9, 1.0), ("Weather.", 0.0, 0.0)))
    assert len(choose(read("What?", retrieval).ranked, 3)) == 1


def test_a_sentence_that_begins_with_a_pronoun_brings_its_subject_along() -> None:
    """'It lost a sixth' means nothing alone: the quote begins with the sentence that says what lost it."""
    given = evidence(
        "a",
        "2025-01-27",
        ("Nvidia opened lower.", 0.3, 0.5),
        ("It lost a sixth of its value.", 0.9, 0.5),
        ("Oil rose.", 0.1, 0.0),
    )
    draft = quote(read("How much did Nvidia lose?", found(given)))
    assert draft.text == "Nvidia opened lower. It lost a sixth of its value. [1]"
    (citation,) = draft.citations
    assert citation.quote == given.passage.text[citation.start : citation.end]


def test_a_quote_has_three_sentences_at_most_with_what_they_need() -> None:
    """Sentences that were brought along count: an answer stays short."""
    told = {
        "Alpha": "It lost a sixth.",
        "Beta": "They fell by nine per cent.",
        "Gamma": "Its value sank to ten dollars.",
    }
    given = [
        evidence(name, "2025-01-27", (f"{name} opened lower.", 0.1, 0.1), (text, 0.9, 0.5))
        for name, text in told.items()
    ]
    draft = quote(read("How much was lost?", found(*given)))
    assert draft.text.count(".") == 3


@pytest.mark.parametrize(
    ("question", "sentence", "stands_out"),
    [
        ("How much did Nvidia lose?", "Nvidia lost $589 billion, and gold fell to a low of $2,740.", "$589 billion"),
        ("When did Nvidia lose most?", "Nvidia lost most on 27 January 2025.", "27 January 2025"),
        ("Who wrote about Nvidia?", "A column on Nvidia, in which he wrote at length, was by Marc Andreessen.", ""),
        (
            "Who is Liang Wenfeng?",
            "On 17 February 2025 Liang Wenfeng sat in the front row when the president received companies.",
            "",
        ),
        ("Why did Nvidia lose?", "Nvidia lost $589 billion.", ""),
    ],
)
def test_what_answers_by_itself_stands_out_where_it_is_sure(question: str, sentence: str, stands_out: str) -> None:
    """The figure or the date is found at a glance, and nothing stands out where another one may be meant."""
    given = evidence("a", "", (sentence, 0.9, 1.0))
    (citation,) = quote(read(question, found(given, words="Nvidia lose most wrote Liang Wenfeng"))).citations
    assert citation.highlighted == stands_out
    if citation.highlight:
        start, end = citation.highlight
        assert given.passage.text[start:end] == stands_out


def test_a_sentence_that_leans_on_the_one_before_it_brings_it_along() -> None:
    """'Every sum also exceeds the record' says nothing without the sums."""
    given = evidence(
        "a", "", ("Four sums are named for Nvidia.", 0.3, 0.5), ("Every sum exceeds what others lose.", 0.9, 1.0)
    )
    assert quote(read("How much did Nvidia lose?", found(given))).citations[0].quote == given.passage.text


@pytest.mark.parametrize(
    ("question", "sentence", "seen", "stands_out"),
    [
        ("What did Liang Wenfeng say about chips?", "Liang Wenfeng said that chips were the problem.", "problem", ""),
        ("Which company fell first?", "Nvidia fell before Broadcom did.", "Nvidia", "Nvidia"),
        ("And the whole loss?", "It came to about $589 billion in all.", "589", "$589 billion"),
        ("How much was it?", "It was the largest one ever, Reuters wrote.", "largest", ""),
        ("Did Nvidia fall?", "Nvidia fell before Broadcom did.", "before", ""),
        ("How large was it?", "Reports differ: Bloomberg had $589 billion, Reuters $593 billion.", "589", ""),
        ("What is the effect?", "The effect is that efficient use makes for more of it.", "efficient", ""),
        ("What was the fall in percent?", "It came to 612.47 points, or 3.07%.", "3.07", "3.07%"),
        ("What did Dell do?", "Dell Technologies fell.", "Dell Technologies", ""),
        ("Who runs it?", "The chief executive of it was named last year.", "executive", ""),
    ],
    ids=[
        "part of a statement",
        "a name",
        "part of a figure",
        "no figure",
        "yes or no",
        "one of several",
        "a meaning",
        "a figure after all",
        "what is asked about",
        "nobody",
    ],
)
def test_what_was_read_out_as_the_answer_stands_out(question: str, sentence: str, seen: str, stands_out: str) -> None:
    """Where words don't tell the answer, what the second look found is shown, whole, and only of the kind asked."""
    reading = read(question, found(evidence("a", "", (sentence, 0.9, 1.0)), words="loss company fell large runs"))
    start = sentence.index(seen)
    (citation,) = quote(replace(judged(reading, [1.0]), span=(start, start + len(seen)))).citations
    assert citation.highlighted == stands_out


def test_where_reports_differ_each_value_is_quoted() -> None:
    """Who has read different figures gets them all, the likely ones, and not only the sentence that answers best."""
    sentences = (
        ("Alexandr Wang spoke of 50,000 chips at Hanoa.", 0.8, 0.6),
        ("Hanoa's chips are kept in a hall that is cooled by water.", 0.79, 0.6),
        ("Hanoa itself counted 2,048 chips.", 0.5, 0.4),
        ("Hanoa has 160 people and 3 offices.", 0.5, 0.2),
    )
    given = [evidence(str(number), "2025-03-01", sentence) for number, sentence in enumerate(sentences)]
    quoted = {}
    for question in (
        "How many chips does Hanoa have?",
        "How many chips does Hanoa have? I keep reading different numbers.",
    ):
        reading = read(question, found(*given, words="chips Hanoa"))
        odds = {sentences[0][0]: 4.0, sentences[1][0]: -4.0, sentences[2][0]: 1.0, sentences[3][0]: -5.0}
        log_odds = [odds[scored.sentence.text] for scored in reading.ranked]
        quoted[question] = [citation.quote for citation in quote(judged(reading, log_odds), 2).citations]
    plain, differing = quoted.values()
    assert plain[0] == differing[0] == sentences[0][0]
    assert differing[1:] == [sentences[2][0]]
    assert plain[1:] != differing[1:]
