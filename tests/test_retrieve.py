"""Ranking passages."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from ingest import sync
from rag.assistant import Assistant
from rag.embed import MiniLM
from rag.facets import Wanted, named
from rag.index import Index
from rag.looking import Asked, look, wording
from rag.postings import numbered
from rag.ranking import MEANS, QUALITIES, SIGNALS, SPREADS, WEIGHTS, Pool, measure
from rag.records import Evidence, Passage, Sentence, Source
from rag.retrieve import coverage, gather, merge_copies, rank, trim
from rag.settings import Settings
from rag.stored import Candidate, Prospects
from rag.text import content_terms


def passage(text: str, article_id: str = "a", outlet: str = "Reuters", score: float = 0.0) -> Passage:
    return Passage(text, score, article_id, "Title", outlet, "2025-01-27", "", 0, len(text), (Source(outlet),))


class One(NamedTuple):
    """A passage as both rankings see it."""

    prospect: Prospects
    candidate: Candidate


def candidate(number: int, text: str, vectors: Sequence[tuple[float, ...]] = ((0.5, 0.5),), tokens: bytes = b"") -> One:
    """A passage with one sentence per vector, all with the same words."""
    spans = tuple((0, len(text)) for _ in vectors)
    return One(
        Prospects(
            (number,),
            (str(number),),
            np.array(vectors, np.float32).mean(axis=0, keepdims=True),
            np.array([len(vectors)]),
            np.array(vectors, np.float32),
            np.frombuffer(numbered(["", *(text for _ in vectors)]), np.uint32),
        ),
        Candidate(passage(text, str(number)), spans, tokens),
    )


def pool(candidates: Sequence[One], lexical: Sequence[float], asked: Asked | None = None) -> Pool:
    question = np.array([1.0, 0.0], np.float32)
    weights = {"nvidia": 2.0, "fall": 1.0}
    asked = asked or Asked("Did Nvidia fall?", question, question[None], ("Nvidia",), np.ones(1, np.float32), weights)
    prospects = [one.prospect for one in candidates]
    together = Prospects(
        tuple(p.ids[0] for p in prospects),
        tuple(p.article_ids[0] for p in prospects),
        np.concatenate([p.vectors for p in prospects]),
        np.concatenate([p.sentences for p in prospects]),
        np.concatenate([p.sentence_vectors for p in prospects]),
        np.concatenate([p.words for p in prospects]),
    )
    looked = look(asked, together, wording(asked.weights, together), np.array(lexical, np.float32))
    return Pool(asked, looked, tuple(one.candidate for one in candidates))


def order(candidates: Sequence[One], lexical: Sequence[float]) -> list[str]:
    return [evidence.passage.article_id for evidence in rank(pool(candidates, lexical))]


def test_words_decide_between_passages_that_mean_the_same() -> None:
    """Vectors see the subject but not the name: the passage that has the question's rare word comes first."""
    assert order([candidate(1, "Broadcom fell"), candidate(2, "Nvidia fell")], [1.0, 3.0]) == ["2", "1"]


def test_of_copies_the_first_in_its_article_comes_first() -> None:
    """Which copy is shown and cited must not hang on how numbers were added up."""
    copies = [candidate(number, "Nvidia fell") for number in (1, 2)]
    moved = [
        one._replace(
            candidate=replace(one.candidate, passage=replace(one.candidate.passage, article_id="a", start=start))
        )
        for one, start in zip(copies, (700, 0), strict=True)
    ]
    lexical = np.array([1.0, np.nextafter(np.float32(1), np.float32(0)), 0.5], np.float32).tolist()
    ranked = rank(pool([*moved, candidate(3, "Broadcom rose")], lexical))
    assert [evidence.passage.start for evidence in ranked[:2]] == [0, 700]


def test_one_close_sentence_lifts_its_passage() -> None:
    """A long passage whose vector is a blur still holds the one sentence that answers."""
    blurred, sharp = [(0.5, 0.5), (0.5, 0.5)], [(0.1, 0.9), (0.95, 0.1)]
    assert order([candidate(1, "x", blurred), candidate(2, "x", sharp)], [0.0, 0.0]) == ["2", "1"]


def test_what_is_near_to_the_likely_answers_comes_first() -> None:
    """Of two passages as near to the question and with as many of its words the one like the best passage wins."""
    those = [candidate(n, "x", [v]) for n, v in enumerate(((0.6, -0.8), (0.6, 0.8), (0.8, 0.6)))]
    assert order(those, [1.0, 1.0, 3.0]) == ["2", "1", "0"]
    of_likely = measure(pool(those, [1.0, 1.0, 3.0])).signals[:, SIGNALS.index("like the likely")]
    assert of_likely[1] > of_likely[0]
    [of_one] = measure(pool(those[:1], [1.0])).signals
    assert of_one[SIGNALS.index("like the likely")] == 0


def test_several_close_sentences_say_more_than_one() -> None:
    """Two passages whose best sentences are as near: the one with a second such sentence has more of an answer."""
    once, twice = [(0.6, 0.8), (0.0, 1.0)], [(0.6, 0.8), (0.6, 0.8)]
    found = measure(pool([candidate(1, "x", once), candidate(2, "x", twice)], [0.0, 0.0])).signals
    assert np.ptp(found[:, SIGNALS.index("sentence vector")]) == 0
    few, more = found[:, SIGNALS.index("all sentences")]
    assert 0.6 <= few < more


def test_words_that_stand_together_count_more() -> None:
    """ "Nvidia fell" answers a question about Nvidia's fall; both words at the two ends of a sentence may not."""
    apart = "Nvidia said on Monday that the price of oil fell"
    together = "The price of oil said on Monday that Nvidia fell"
    assert order([candidate(1, apart), candidate(2, together)], [1.0, 1.0]) == ["2", "1"]


def test_tokens_decide_between_passages_with_the_same_words() -> None:
    """A passage whose very words mean in their place what the question's mean comes before one where they don't."""
    question = np.array([[1.0] * 8], np.float32) / 8**0.5
    vector = (1.0,) + (0.0,) * 7
    one, words = np.ones(1, np.float32), ("Nvidia",)
    asked = Asked("Did Nvidia fall?", np.array(vector, np.float32), question, words, one, {"nvidia": 1.0})
    wide = [
        candidate(number, "Nvidia fell", [vector], bytes([1, signs]))
        for number, signs in ((1, 0b00001111), (2, 0b11111110))
    ]
    ranked = rank(pool(wide, [0, 0], asked))
    assert [e.passage.article_id for e in ranked] == ["2", "1"]
    assert ranked[0].sentences[0].tokens == pytest.approx(6 / 8)


def test_reasons_and_meanings_count_once_more() -> None:
    """Few passages give a reason or say what something is, and where that is asked for the others can't answer."""
    texts = ["Nvidia fell on 27 January 2025", "Nvidia fell because investors feared cheaper models"]
    vector, one = np.array([1.0, 0.0], np.float32), np.ones(1, np.float32)

    def signals(question: str) -> list[list[float]]:
        asked = Asked(question, vector, vector[None], ("Nvidia",), one, {"nvidia": 2.0, "fall": 1.0})
        found = measure(pool([candidate(n, text) for n, text in enumerate(texts)], [1.0, 1.0], asked)).signals
        return [[row[SIGNALS.index("kind")], row[SIGNALS.index("rare kind")]] for row in found.tolist()]

    assert signals("Why did Nvidia fall?") == [[0.0, 0.0], [1.0, 1.0]]
    assert signals("When did Nvidia fall?") == [[1.0, 0.0], [0.0, 0.0]]


def test_who_holds_a_post_is_found() -> None:
    """A passage with the words for the post or the seat beside the name comes before one with those of another."""
    texts = [
        "Wang, the head of Scale AI, met others and spoke of DeepSeek",
        "Liang is the head of DeepSeek",
        "DeepSeek based the margin on one day in Beijing",
        "The headquarters of DeepSeek are in Hangzhou",
    ]
    vector, one = np.array([1.0, 0.0], np.float32), np.ones(1, np.float32)

    def told(question: str) -> list[int]:
        asked = Asked(question, vector, vector[None], ("DeepSeek",), one, dict.fromkeys(content_terms(question), 1.0))
        measured = measure(pool([candidate(n, text) for n, text in enumerate(texts)], [1.0] * len(texts), asked))
        return np.flatnonzero(measured.signals[:, SIGNALS.index("rare kind")]).tolist()

    assert told("Who is the head of DeepSeek?") == [1]
    assert told("Where is DeepSeek based?") == [3]
    assert told("When did DeepSeek fall?") == []


def test_a_short_question_finds_the_beginning_of_the_article_about_it() -> None:
    """Articles begin with what matters most, which is what is asked for by a question of one or two words."""
    first, later = candidate(1, "Nvidia fell"), candidate(1, "Nvidia fell")
    later = later._replace(candidate=replace(later.candidate, passage=replace(later.candidate.passage, start=900)))
    looked = pool([later, first], [1.0, 1.0])
    headed = replace(looked, looked=replace(looked.looked, header=np.ones(2, np.float32)))
    assert measure(headed).signals[:, SIGNALS.index("opening about it")].tolist() == [0.0, 1.0]
    assert rank(headed)[0].passage.start == 0


def test_what_the_question_names_comes_along_from_below(tmp_path: Path, embedder: MiniLM) -> None:
    """The one report of the outlet that is asked for is looked at, however many others fit the words better."""
    told = {"CNBC": "Dockers walked out."} | {
        f"The Daily {name}": f"The strike at the harbour of Exampleton began on Monday, said the {name.lower()} crew."
        for name in ("Albatross", "Bittern", "Cormorant", "Dunlin", "Egret")
    }
    export = tmp_path / "news.jsonl"
    export.write_text(
        "\n".join(json.dumps({"title": outlet, "outlet": outlet, "text": text}) for outlet, text in told.items())
    )
    sync([export], Settings(tmp_path / "index"), embedder=embedder)
    question = "What did CNBC report on the strike at the harbour of Exampleton?"

    def outlets(wanted: Sequence[Wanted]) -> list[str]:
        return [c.passage.outlet for c in gather(question, index, embedder, 3, wanted).candidates]

    with closing(Index.open(tmp_path / "index", embedder.identity)) as index:
        wanted = named(question, index.outlets)
        assert "CNBC" not in outlets(())
        assert outlets(wanted) == [*outlets(()), "CNBC"]


def test_a_question_tells_whether_any_candidate_matches_all_of_it(tmp_path: Path, embedder: MiniLM) -> None:
    """What counts for how much depends on it: where a word is matched nowhere, the signals know less."""
    export = tmp_path / "news.jsonl"
    export.write_text(
        json.dumps({"title": "Harbour", "text": "The strike at the harbour of Exampleton ended on Monday."})
    )
    sync([export], Settings(tmp_path / "index"), embedder=embedder)
    with closing(Index.open(tmp_path / "index", embedder.identity)) as index:
        matched = [
            measure(gather(question, index, embedder)).qualities[QUALITIES.index("all matched")]
            for question in ("When did the harbour strike end?", "When did the harbour strike bankrupt violinists?")
        ]
    assert matched[0] > matched[1] + 0.1


def test_scores_reach_from_the_worst_candidate_to_the_best() -> None:
    """Scores are 0 to 1 whatever the signals count for; a single candidate is the best there is."""
    assert {len(row) for row in WEIGHTS} == {len(SIGNALS)}
    assert len(WEIGHTS) == 1 + len(QUALITIES) == 1 + len(MEANS) == 1 + len(SPREADS)
    ranked = rank(pool([candidate(n, text) for n, text in enumerate(("Oil rose", "Nvidia", "Nvidia fell"))], [0, 1, 3]))
    assert [e.passage.score for e in ranked][::2] == [1.0, 0.0]
    assert [e.passage.score for e in rank(pool([candidate(1, "x")], [0.0]))] == [1.0]


def test_passages_are_trimmed_to_what_bears_on_the_question() -> None:
    """Sentences that have nothing to do with the question cost a reader time and a model tokens; one stays around."""
    text = "A. B. C. D. E. F."
    cosines = (0.1, 0.1, 0.1, 0.9, 0.1, 0.1)
    sentences = tuple(Sentence(text[i * 3 : i * 3 + 2], i * 3, i * 3 + 2, d) for i, d in enumerate(cosines))
    whole = Evidence(passage(text), sentences)
    weak = Evidence(passage(text), tuple(replace(s, dense=s.dense / 9) for s in sentences))
    for trimmed in trim([whole, weak]):
        assert trimmed.passage.text == text[trimmed.passage.start : trimmed.passage.end] == "C. D. E."
        assert [s.text for s in trimmed.sentences] == ["C.", "D.", "E."]
    assert trim([]) == []


def test_coverage_weighs_rare_words_more() -> None:
    """Having the rare word of a question is worth more than having the common one."""
    weights = {"nvidia": 3.0, "share": 1.0}
    assert coverage(["nvidia"], weights) == 0.75
    assert coverage(["share", "share"], weights) == 0.25
    assert coverage([], weights) == 0.0


def test_near_identical_passages_of_two_outlets_become_one_with_both_as_sources() -> None:
    """A syndicated story is one piece of evidence, and both outlets are credited."""
    text = "Nvidia shares fell seventeen percent on Monday in the largest loss of value on record for any company"
    ranked = [
        Evidence(passage(text, "a", "Reuters"), ()),
        Evidence(passage("Something else altogether", "b", "AP"), ()),
        Evidence(passage(text + " .", "c", "Guardian"), ()),
    ]
    merged = merge_copies(ranked, 2)
    assert [(e.passage.article_id, [s.outlet for s in e.passage.sources]) for e in merged] == [
        ("a", ["Reuters", "Guardian"]),
        ("b", ["AP"]),
    ]


@pytest.mark.parametrize(("shared", "apart", "merged"), [(40, 5, True), (40, 6, False), (8, 1, True), (7, 1, False)])
def test_copies_are_told_by_four_fifths_of_their_words(shared: int, apart: int, merged: bool) -> None:
    """However many words two passages have, they are one exactly where they share as many as that."""
    common = [f"{chr(97 + n % 26)}{'x' * n}" for n in range(shared)]
    one = " ".join([*common, *(f"ones{'y' * n}" for n in range(apart))])
    other = " ".join([*(f"others{'z' * n}" for n in range(apart)), *common])
    found = merge_copies([Evidence(passage(one), ()), Evidence(passage(other, "b", "AP"), ())], 5)
    assert len(found) == (1 if merged else 2)


def test_passages_that_differ_in_a_figure_stay_apart() -> None:
    """Two reports that agree in every word but the figure are a dispute, which merging would hide."""
    text = "Nvidia shares fell on Monday and took {} billion dollars of market value with them in a single session"
    ranked = [Evidence(passage(text.format(value), name), ()) for value, name in (("589", "a"), ("593", "b"))]
    assert [e.passage.article_id for e in merge_copies(ranked, 2)] == ["a", "b"]


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("How much market value did Nvidia lose?", "nvidia"),
        ("What did the security firm Wiz find?", "wiz"),
        ("What is multi-head latent attention?", "multi-head-latent-attention"),
        ("Who owns High-Flyer?", "high-flyer"),
    ],
)
def test_the_shipped_corpus_is_found(assistant: Assistant, question: str, article: str) -> None:
    """The whole path, from the shipped files to ranked passages, finds the article that a reader would open."""
    found = assistant.retrieve(question, k=5)
    assert len(found) == 5
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    assert article in found[0].article_id
