"""An answer in the sources' own words, without any model. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rag.kinds import asks_differing, asks_whether, days_named, is_of_other_days, spans
from rag.length import LENGTHS
from rag.phrasing import needs_more
from rag.records import Citation, Draft, Evidence, Passage, Sentence
from rag.relevance import WEIGHTS, Asked, answer_span, relevance
from rag.retrieve import Retrieval
from rag.text import function_terms, terms

BEHIND = 7.0
"""A further sentence is quoted when its score is at most so far behind the best one's."""
_COVERAGE_WEIGHT = 0.5
_TOKENS_WEIGHT = 0.8
_PASSAGE_WEIGHT = 0.2
JUDGED, AT_ONCE = 8, 2
"""So many sentences at most are read together with the question, and so many at once."""
CONVINCING = 1.0
"""Once a sentence has these log-odds to answer, no further ones are read."""
JUDGEMENT_WEIGHT = 1.0
"""What the cross-encoder's log-odds count for beside the score."""
OTHER_DAY = 6.0
"""What it costs a sentence to tell of another day than the one asked about: the cross-encoder hardly sees days."""
MAY_DIFFER = -1.0
"""What has these log-odds may give another value, where reports differ."""
_NAME = re.compile(r"\b[^\W\d_]*[A-Z][\w.-]*")
ALIKE = 0.5
"""Sentences that share this much of their words of content (Jaccard) say the same: one of them is enough."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A sentence that may answer the question, its passage, and how well it answers."""

    score: float
    passage: Passage
    sentence: Sentence

    @property
    def nearness(self) -> float:
        """How near it is to the question in meaning and words, whatever kind of answer is asked for."""
        likeness = self.sentence.dense + _COVERAGE_WEIGHT * self.sentence.lexical
        return likeness + _TOKENS_WEIGHT * self.sentence.tokens + _PASSAGE_WEIGHT * self.passage.score


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, a sentence that may answer it, and the title and sentence before, which help to understand it."""

    question: str
    sentence: str
    title: str
    before: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A question, what was found for it, and the sentences found, best first.

    Args:
        judged: of the first ones, the log-odds that a cross-encoder gives each to answer the question.
        span: the stretch of the first sentence that it takes for the answer, as offsets into it; None where it isn't
            sure.
    """

    question: str
    retrieval: Retrieval
    asked: Asked
    ranked: tuple[Scored, ...]
    judged: tuple[float, ...] = ()
    span: tuple[int, int] | None = None

    def evidence_of(self, scored: Scored) -> Evidence:
        """The passage of a sentence with all its sentences."""
        return next(e for e in self.retrieval.evidence if e.passage == scored.passage)


def read(question: str, retrieval: Retrieval, weights: Sequence[float] = WEIGHTS) -> Reading:
    """Look at every sentence that was found, and rank them by what speaks for each, counting by the weights."""
    asked = Asked.of(question, retrieval.weights, retrieval.evidence)
    scored = [
        Scored(relevance(asked, evidence, place, weights), evidence.passage, sentence)
        for evidence in retrieval.evidence
        for place, sentence in enumerate(evidence.sentences)
    ]
    return Reading(question, retrieval, asked, tuple(sorted(scored, key=lambda s: -s.score)))


def to_judge(reading: Reading, places: Iterable[int] = range(JUDGED)) -> list[Pair]:
    """The sentences at these places of the ranking as a cross-encoder reads them."""
    pairs = []
    for scored in [reading.ranked[place] for place in places if place < len(reading.ranked)]:
        own = reading.evidence_of(scored).sentences
        place = own.index(scored.sentence)
        before = own[place - 1].text if place else ""
        pairs.append(Pair(reading.question, scored.sentence.text, scored.passage.title, before))
    return pairs


def tells_of_another_day(reading: Reading, text: str) -> bool:
    """Whether a sentence names days, and none that the question is about; why something is so may be told of any."""
    days = days_named(reading.question) if reading.asked.kind != "reason" else ()
    return bool(days) and is_of_other_days(text, days)


def judged(reading: Reading, log_odds: Sequence[float], weight: float = JUDGEMENT_WEIGHT) -> Reading:
    """The reading with its first sentences ranked anew by what a cross-encoder says of them as well.

    Args:
        log_odds: of the sentences of `to_judge`.
    """
    first = [
        (replace(s, score=s.score + weight * odds - OTHER_DAY * tells_of_another_day(reading, s.sentence.text)), odds)
        for s, odds in zip(reading.ranked, log_odds, strict=False)
    ]
    first.sort(key=lambda one: -one[0].score)
    # The others stay as far behind the last of the first ones as they were, or further.
    lost = weight * min(log_odds, default=0.0)
    others = [replace(s, score=s.score + lost) for s in reading.ranked[len(first) :]]
    return replace(reading, ranked=(*(s for s, _ in first), *others), judged=tuple(odds for _, odds in first))


def nearness(reading: Reading) -> dict[tuple[str, int], float]:
    """How near each sentence is to what is asked, by its article's id and its start.

    Where names are asked for, those that have none of them, nor have their titles, are left out.
    """
    names = [set(own) for name in _NAME.findall(reading.question) if (own := terms(name))]
    near = {}
    for scored in reading.ranked:
        held = set(terms(f"{scored.passage.title} {scored.sentence.text}")) if names else set()
        if not names or any(name <= held for name in names):
            near[scored.passage.article_id, scored.sentence.start] = scored.nearness
    return near


def quote(reading: Reading, most: int = LENGTHS["medium"].quoted) -> Draft:
    """The best sentences word for word, at most so many, each with its mark; the one that answers comes first.

    A sentence that begins with a pronoun or leans otherwise on the one before it brings it along.
    """
    chosen = choose_differing(reading, most) if asks_differing(reading.question) else choose(reading.ranked, most)
    quoted = _understandable(chosen, reading, most)
    # Behind the sentence that answers, the others follow in the order of their articles' dates and of the text.
    quoted[1:] = sorted(quoted[1:], key=lambda s: (s.passage.published, s.passage.article_id, s.start))
    citations = tuple(_citation(number, span, reading) for number, span in enumerate(quoted, 1))
    return drafted(citations)


def drafted(citations: tuple[Citation, ...]) -> Draft:
    """The quotations one after another, each with its mark."""
    return Draft(" ".join(f"{' '.join(c.quote.split())} [{c.number}]" for c in citations), citations)


@dataclass(slots=True)
class _Span:
    """Consecutive sentences of a passage that are quoted together, because of one of them."""

    passage: Passage
    start: int
    end: int
    sentences: int
    scored: Scored


def _citation(number: int, span: _Span, reading: Reading) -> Citation:
    text = span.passage.text[span.start - span.passage.start : span.end - span.passage.start]
    sentence = span.scored.sentence
    answer = None
    if number == 1:  # What comes behind adds something; only the sentence that answers has the answer.
        # No stretch of a sentence says yes or no.
        answer = answer_span(reading.asked, sentence.text, None if asks_whether(reading.question) else reading.span)
    highlight = (sentence.start + answer[0], sentence.start + answer[1]) if answer else None
    return Citation(number, text, span.passage, span.start, span.end, highlight)


def _understandable(chosen: Sequence[Scored], reading: Reading, most: int) -> list[_Span]:
    """The sentences with what they need to be understood, overlapping ones joined, at most so many sentences in all.

    What the first one needs it has in any case: alone it would be no answer.
    """
    found: list[_Span] = []
    for scored in chosen:
        own = reading.evidence_of(scored).sentences
        place = own.index(scored.sentence)
        first = place - 1 if place and needs_more(scored.sentence.text) else place
        new = _Span(scored.passage, own[first].start, own[place].end, place - first + 1, scored)
        twin = next((s for s in found if s.passage == new.passage and s.start < new.end and new.start < s.end), None)
        taken = sum(s.sentences for s in found)
        if twin is not None:
            twin.start, twin.end = min(twin.start, new.start), max(twin.end, new.end)
            twin.sentences = sum(twin.start <= s.start < twin.end for s in own)
        elif not found or taken + new.sentences <= most:
            found.append(new)
        elif taken < most:
            found.append(_Span(scored.passage, scored.sentence.start, scored.sentence.end, 1, scored))
    return found


def choose_differing(reading: Reading, most: int) -> list[Scored]:
    """The best sentence, and of the others that a cross-encoder takes for answers those that give other values.

    Where they give none, as `choose`.
    """
    chosen, told = [reading.ranked[0]], _values(reading.ranked[0].sentence.text)
    for scored, odds in zip(reading.ranked[1:], reading.judged[1:], strict=False):
        values = _values(scored.sentence.text)
        if len(chosen) < most and odds >= MAY_DIFFER and not values <= told:
            chosen.append(scored)
            told |= values
    others = (scored for scored in choose(reading.ranked, most) if scored not in chosen)
    return [*chosen, *others][:most]


def _values(text: str) -> set[str]:
    """The figures and dates that a sentence gives, as they are written."""
    return {text[start:end] for kind in ("figure", "date") for start, end in spans(kind, text)}


def choose(ranked: Sequence[Scored], most: int) -> list[Scored]:
    """The best sentence, and of those that may answer too the ones nearest to the question that add something.

    Where the best one is wrong, the next best are wrong in the same way; so what else is quoted is chosen otherwise.
    """
    chosen: list[Scored] = []
    words: list[set[str]] = []
    others = [scored for scored in ranked[1:] if scored.score >= ranked[0].score - BEHIND]
    for scored in [*ranked[:1], *sorted(others, key=lambda s: -s.nearness)]:
        own = set(terms(scored.sentence.text)) - function_terms()
        if all(len(own & other) < ALIKE * len(own | other) for other in words):
            chosen.append(scored)
            words.append(own)
        if len(chosen) == most:
            break
    return chosen
