"""Reading a question and a sentence together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evals import cross_encoder as learning
from evals.lessons import AT_ONCE, Lesson, span_tokens
from rag.cross_encoder import MOST, CrossEncoder, load_changes, pair_ids
from rag.embed import MiniLM
from rag.inference import reference
from rag.quote import AT_ONCE as READ_AT_ONCE
from rag.quote import CONVINCING, JUDGED, Pair, judged, read, to_judge
from rag.records import Evidence, Passage, Sentence
from rag.retrieve import Retrieval

QUESTION = "Who designed the new bridge?"
SENTENCES = (
    "The new bridge was designed by the engineer Ada Holm.",
    "The new bridge was opened on 3 May 2026 in the rain.",
    "The new bridge cost 40 million euros, twice the first estimate.",
)


@pytest.fixture(scope="module")
def cross_encoder(embedder: MiniLM) -> CrossEncoder:
    return CrossEncoder(embedder)


def pairs(*sentences: str) -> list[Pair]:
    return [Pair(QUESTION, sentence, "The new bridge", "") for sentence in sentences]


def log_odds(cross_encoder: CrossEncoder, embedder: MiniLM, asked: list[Pair]) -> list[float]:
    """That each pair's sentence answers its question."""
    run = cross_encoder.model.run
    return [cross_encoder.judgement(run(pair_ids(embedder, pair))) for pair in asked]


def retrieval(*sentences: str) -> Retrieval:
    """A passage of these sentences, each a little less near to the question than the one before."""
    text, told = " ".join(sentences), []
    for number, sentence in enumerate(sentences):
        start = text.index(sentence)
        told.append(Sentence(sentence, start, start + len(sentence), 0.9 - number / 50, 0.5, tokens=0.5))
    passage = Passage(text, 1.0, "a", "The new bridge", "Reuters", "2026-05-04", "", 0, len(text))
    return Retrieval((Evidence(passage, tuple(told), ()),), {"bridg": 1.0}, ())


def test_an_answer_is_told_from_what_only_shares_its_words(cross_encoder: CrossEncoder, embedder: MiniLM) -> None:
    """Of sentences with the same words of the question, the one that tells what is asked must be likelier."""
    answer, *others = log_odds(cross_encoder, embedder, pairs(*SENTENCES))
    assert answer > max(others) + 1


def test_the_derived_file_judges_as_the_changed_model_does(cross_encoder: CrossEncoder, embedder: MiniLM) -> None:
    """Rounding to 8 bits must not change what is judged, and where it can't be had the model itself serves."""
    run = reference(cross_encoder.changed_model())
    questions = (QUESTION, "When was the new bridge opened?", "What did the new bridge cost?", "Was the bridge welded?")
    asked = [replace(pair, question=question) for question in questions for pair in pairs(*SENTENCES)]
    exact = [cross_encoder.judgement(run(pair_ids(embedder, pair))) for pair in asked]
    rounded = log_odds(cross_encoder, embedder, asked)
    assert np.abs(np.subtract(rounded, exact)).mean() < np.std(exact) / 6
    assert np.corrcoef(rounded, exact)[0, 1] > 0.99


def test_a_pair_has_no_more_tokens_than_it_learned_from(embedder: MiniLM) -> None:
    """However long its parts are, question and sentence are both seen, and nothing goes beyond the window."""
    long = "word " * 500
    ids = pair_ids(embedder, Pair(long, long, long, long))
    assert len(ids) == MOST
    assert ids.count(ids[-1]) == 3


def test_only_the_first_sentences_change_places() -> None:
    """A second look at a few sentences must lose none of the others, and not put any before those looked at."""
    before = read(QUESTION, retrieval(*SENTENCES))
    after = judged(before, [-4.0, 4.0])
    assert [pair.sentence for pair in to_judge(before)] == [s.sentence.text for s in before.ranked]
    assert [s.sentence for s in after.ranked] == [before.ranked[i].sentence for i in (1, 0, 2)]
    assert after.judged == (4.0, -4.0)
    assert [s.score for s in after.ranked] == sorted((s.score for s in after.ranked), reverse=True)


OTHERS = tuple(f"The new bridge had {number} lamps when Tom Reed saw it." for number in range(20, 32))


@pytest.mark.parametrize(
    ("sentences", "read_together"),
    [
        ((SENTENCES[0], *OTHERS), READ_AT_ONCE),
        ((*OTHERS[:4], SENTENCES[0], *OTHERS[4:]), 3 * READ_AT_ONCE),
        (OTHERS, JUDGED),
        (OTHERS[:3], 3),
    ],
)
def test_sentences_are_read_until_one_is_convincing(
    cross_encoder: CrossEncoder, sentences: tuple[str, ...], read_together: int
) -> None:
    """An answer that stands first costs no more than it must, and one that words put further back is still found."""
    found = retrieval(*sentences)
    reading = cross_encoder.read(QUESTION, found)
    assert len(reading.judged) == read_together
    assert sorted(cross_encoder.judgements(read(QUESTION, found))) == sorted(reading.judged)
    assert (max(reading.judged) >= CONVINCING) == (SENTENCES[0] in sentences)
    assert (reading.ranked[0].sentence.text == SENTENCES[0]) == (SENTENCES[0] in sentences)
    assert len(reading.ranked) == len(sentences)


def test_the_answer_is_found_in_its_sentence(cross_encoder: CrossEncoder, embedder: MiniLM) -> None:
    """What the reader looks for is found at a glance; where the sentence doesn't tell it, nothing stands out."""
    answer, day, _ = (replace(pair, question=QUESTION) for pair in pairs(*SENTENCES))
    states = {pair.sentence: cross_encoder.model.run(pair_ids(embedder, pair)) for pair in (answer, day)}
    span = cross_encoder.span(answer, states[answer.sentence])
    assert span is not None
    assert "Ada Holm" in answer.sentence[slice(*span)]
    assert len(answer.sentence[slice(*span)]) < 30
    assert cross_encoder.span(day, states[day.sentence]) is None
    nothing = replace(day, sentence="\u200b")
    assert cross_encoder.span(nothing, cross_encoder.model.run(pair_ids(embedder, nothing))) is None


def lessons(embedder: MiniLM, of: str) -> list[Lesson]:
    """What one question teaches, as often as it takes."""
    texts = tuple(pair_ids(embedder, pair) for pair in pairs(*SENTENCES))
    start = SENTENCES[0].index("Ada Holm")
    span = span_tokens(embedder, pairs(*SENTENCES)[0], (start, start + len("Ada Holm")))
    lesson = Lesson(of, texts, (True, False, False), (span, None, None), has_answer=True)
    return [lesson] * 4 * AT_ONCE


@pytest.mark.parametrize(
    ("one", "of"),
    list(
        zip(
            [*learning.ROUNDS, *learning.LAST], ["hard", "article", "plain", "asked", "contrast", "nearby"], strict=True
        )
    ),
)
def test_what_is_learned_comes_back_from_its_file_and_fits_the_model(
    embedder: MiniLM, tmp_path: Path, one: learning.Round, of: str
) -> None:
    """A file of changes holds what each round learned, for products that the model has, and can be used at once."""
    one = replace(one, epochs=6, rate=1e-3, head_rate=3e-3, columns=8)
    changes = learning.learn(lessons(embedder, of), embedder.load_reference(), [one])
    learning.save(changes, file := tmp_path / "changes.npz")
    kept = load_changes(file)
    assert kept.keys() == changes.keys()
    assert all(abs(kept[name] - changes[name]).max() <= abs(changes[name]).max() / 100 for name in changes)
    learned = CrossEncoder(embedder, file)
    answer, *others = log_odds(learned, embedder, pairs(*SENTENCES))
    assert answer > max(others) + 2
    # Where the answer stands is learned as well: its first and last token must be the likeliest.
    (first, last), *_ = (span for span in lessons(embedder, of)[0].spans if span)
    states = learned.model.run(pair_ids(embedder, pairs(*SENTENCES)[0]))
    assert (states @ kept["spans"].T + kept["spans' bias"]).argmax(axis=0).tolist() == [first, last]
    # And that none stands in the other sentences: its place is at the model's first mark.
    for pair in pairs(*SENTENCES)[1:]:
        states = learned.model.run(pair_ids(embedder, pair))
        assert (states @ kept["spans"].T + kept["spans' bias"]).argmax(axis=0).tolist() == [0, 0]


def test_a_wider_round_adds_to_what_was_learned_before(embedder: MiniLM) -> None:
    """The last round has room of its own and must not undo the rounds before it."""
    first, last = replace(learning.ROUNDS[0], epochs=2), replace(learning.LAST[0], epochs=2)
    given = lessons(embedder, "event")
    before = learning.learn(given, embedder.load_reference(), [first])
    after = learning.learn(given, embedder.load_reference(), [first, last])
    for name in (name for name in before if name.endswith((".left", ".right"))):
        axis = 1 if name.endswith(".left") else 0
        assert after[name].shape[axis] == first.columns + last.columns
        assert np.array_equal(np.take(after[name], range(first.columns), axis), before[name])
        if name.endswith(".left"):
            assert np.any(after[name][:, first.columns :]), f"the last round learned nothing for {name}"


def test_a_round_without_room_of_its_own_goes_on_where_the_one_before_ended(embedder: MiniLM) -> None:
    """A further round must change the matrices that it finds and add none."""
    first, second = replace(learning.ROUNDS[0], epochs=2), replace(learning.ROUNDS[1], epochs=2)
    given = lessons(embedder, "event")
    before = learning.learn(given, embedder.load_reference(), [first])
    after = learning.learn(given, embedder.load_reference(), [first, second])
    for name in (name for name in before if name.endswith((".left", ".right"))):
        assert after[name].shape == before[name].shape
        assert np.any(after[name] != before[name]), f"the further round learned nothing for {name}"


def test_what_it_takes_for_an_answer_is_shown_where_there_is_none(embedder: MiniLM, tmp_path: Path) -> None:
    """A sentence that misleads must be learned from although reading puts it behind others."""
    misleading, *others = (replace(pair, question="Who designed the old bridge?") for pair in pairs(*SENTENCES))
    texts = tuple(pair_ids(embedder, pair) for pair in (*others, misleading))
    without = Lesson("contrast", texts, (False,) * 3, (None,) * 3, has_answer=False)
    given = [*lessons(embedder, "contrast"), *lessons(embedder, "event"), *[without] * 4 * AT_ONCE]
    first = replace(learning.ROUNDS[0], own=frozenset({"event"}), epochs=4)
    last = replace(learning.LAST[-1], own=frozenset({"contrast"}), epochs=2, varied=False, wrong=1)
    log_odds = []
    for is_misleading in (False, True):
        rounds = [first, replace(last, misleading=is_misleading)]
        learning.save(learning.learn(given, embedder.load_reference(), rounds), file := tmp_path / "changes.npz")
        learned = CrossEncoder(embedder, file)
        log_odds.append(learned.judgement(reference(learned.changed_model())(texts[2])))
    assert log_odds[1] < log_odds[0] - 1


def test_a_varied_round_keeps_the_mean_of_its_steps(embedder: MiniLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each step ends is partly chance: a mean that never moves must leave all as it was."""
    monkeypatch.setattr(learning, "AVERAGED", 1.0)
    monkeypatch.setattr(learning, "AVERAGED_AT_FIRST", 1)
    one = replace(learning.LAST[-1], own=frozenset({"contrast"}), epochs=1, columns=8)
    for varied in (True, False):
        changes = learning.learn(
            lessons(embedder, "contrast"), embedder.load_reference(), [replace(one, varied=varied)]
        )
        assert varied is not any(np.any(changes[name]) for name in changes if name.endswith(".left"))
