"""Whether the retrieved passages hold an answer at all. Pure.

What is missing tells most: a question with one word that stands nowhere near the best sentence, and that nothing there
comes close to in meaning, is about something else, however well the rest fits. How much each sign counts, and beyond
what point, is the sum of small decision trees, made and measured by `python -m evals.calibrate`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TypeAlias

from rag.figures import Date, dates
from rag.kinds import asks_ahead, asks_next_to, days_named, holds, is_of_other_days, tells_ahead, tells_next_to
from rag.period import is_iso_date
from rag.phrasing import words
from rag.private import private_matters
from rag.quote import Reading
from rag.records import Evidence, Passage, Sentence
from rag.text import terms

SPELT_ALIKE = 0.8
"""Names that share so much of their letters are one name, spelt in two ways."""
LEAST_COSINE = 0.2
"""No question of our sets has its answer where no sentence is nearer to it."""
REPORTED_WITHIN = 4
"""Days: what happened on a Friday is still reported on Tuesday as what happened on Friday."""
AHEAD_AMONG = 2
"""What is asked about the future, one of so many first sentences tells of, or none does."""
OF_DAY_AMONG = 2
"""What is asked of a day, one of so many first sentences may tell of, or all of them name others."""
THRESHOLD = 0.36

FEATURES = (
    "cosine",
    "words",
    "missing words' matches",
    "gap",
    "names' gap",
    "names' gap anywhere",
    "tokens anywhere",
    "words with the kind",
    "denies",
    "length",
    "judged best",
    "judged",
    "judged on average",
    "articles",
)
"""Of the best sentence: its cosine, the share of the question's words in it, how well those that are not in it are
matched by others, by meaning. Of it and the sentences beside it: the most that one word is missed, and the names are
missed, counting what comes close; the same of names in all passages. How well the question's tokens are matched there.
The largest share of its words in a sentence that has something of the kind asked for. Of the question: whether it has a
negation, and the logarithm of its length. The cross-encoder's log-odds of the best
sentence, the highest of any, and those of all that it read on average. The share of articles among the passages: where
each comes of another one, as in a collection about one event, much is near a question and little of it an answer."""
SIGNS = (1, 1, 1, -1, -1, -1, 1, 1, -1, 0, 1, 1, 0, 0)
"""Whether more of each speaks for an answer (1), or against one (-1)."""

_AROUND_DAY = re.compile(
    r"\b(?:after|afterwards|before|since|until|till|from|between|following|around|earlier|later|prior|week|than)\b"
    r"|\b(?:report|publish|print|wr[io]te|say|said|tell|told)",
    re.IGNORECASE,
)
"""Who asks so asks of other days as well, or of those that are told of on that day."""
_FROM_DAY = re.compile(
    r"\b(?:days?|weeks?|months?|fortnight) (?:after|before|following|since|from) (?:the )?\Z", re.IGNORECASE
)
_DENIES = re.compile(
    r"\b(?:not|never|no|without|except|unlike|un(?!der|i[tqov]|til)\w+|non\w+)\b|n['’]t\b", re.IGNORECASE
)

Tree: TypeAlias = "float | tuple[int, float, Tree, Tree]"
"""A value, or the number of a feature, and the trees for those with at most so much of it, and for the others."""


@dataclass(frozen=True, slots=True)
class Forest:
    """What the judgement is made with: the log-odds are `start` and the values of all trees together."""

    start: float
    trees: tuple[Tree, ...]

    def log_odds(self, values: Sequence[float]) -> float:
        """Of an answer being there, for the values of all features."""
        return self.start + sum(_value(tree, values) for tree in self.trees)


def _value(tree: Tree, values: Sequence[float]) -> float:
    while not isinstance(tree, float):
        feature, most, below, above = tree
        tree = below if values[feature] <= most else above
    return tree


@cache
def shipped() -> Forest:
    """The one that was fitted."""
    made = json.loads(Path(__file__).with_name("gate.json").read_text(encoding="utf-8"))
    return Forest(made["start"], tuple(made["trees"]))


def confidence(reading: Reading) -> float:
    """How likely the passages answer the question: 0 to 1."""
    if not reading.ranked or is_beside(reading):
        return 0.0
    return 1 / (1 + math.exp(-shipped().log_odds(features(reading))))


def is_beside(reading: Reading) -> bool:
    """Whether the passages are about something else or another time without any doubt."""
    if max(s.sentence.dense for s in reading.ranked) < LEAST_COSINE or is_of_another_time(reading):
        return True
    if tells_of_other_days(reading):
        return True
    if not private_matters(reading.question) <= private_matters(reading.ranked[0].sentence.text):
        return True
    # Who holds a post now is no answer to who did before.
    if asks_next_to(reading.question) and not tells_next_to(reading.ranked[0].sentence.text):
        return True
    return asks_ahead(reading.question) and not any(tells_ahead(s.sentence.text) for s in reading.ranked[:AHEAD_AMONG])


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the question: its terms, whether it is a name or a number, and the places and weight of its tokens."""

    terms: frozenset[str]
    is_name: bool
    tokens: tuple[int, ...]
    weight: float

    def stands_among(self, held: Collection[str]) -> bool:
        return bool(self.terms) and self.terms.issubset(held)

    def is_spelt_like_one_of(self, held: Collection[str]) -> bool:
        return any(get_close_matches(term, held, 1, SPELT_ALIKE) for term in self.terms)

    def match(self, rows: Sequence[Sequence[float]]) -> float:
        """How well its tokens are matched, each in that row where it is matched best."""
        return sum(max(row[token] for row in rows) for token in self.tokens) / len(self.tokens) if rows else 0.0


def _words(reading: Reading) -> list[_Word]:
    tokens, question = reading.retrieval.tokens, reading.question
    places: dict[str, list[int]] = {}
    for place, token in enumerate(tokens):
        places.setdefault(token.word, []).append(place)
    return [
        _Word(frozenset(terms(word)), _is_name(word, question), tuple(own), sum(tokens[place].weight for place in own))
        for word, own in places.items()
    ]


def _is_name(word: str, question: str) -> bool:
    """Whether a word of the question is a name or a number; any word can begin it."""
    # Its capitals may have been put right since its tokens were made.
    found = _place(word.lower(), question.lower())
    if found is None:
        return word[:1].isupper() or word[:1].isdigit()
    first = question[found : found + 1]  # In small letters a text may be longer.
    return (first.isupper() or first.isdigit()) and found > 0


def _place(word: str, text: str) -> int | None:
    """Where a whole word stands in a text; None where it doesn't."""
    found = text.find(word)
    while found >= 0:
        around = text[found - 1 : found] + text[found + len(word) : found + len(word) + 1]
        if not any(character.isalnum() or character == "_" for character in around):
            return found
        found = text.find(word, found + 1)
    return None


def features(reading: Reading) -> tuple[float, ...]:
    """What the judgement rests on, in the order of `FEATURES`, each about 0 to 1."""
    retrieval, best = reading.retrieval, reading.ranked[0]
    evidence = reading.evidence_of(best)
    place = evidence.sentences.index(best.sentence)
    beside = range(max(0, place - 1), min(place + 2, len(evidence.sentences)))
    around = _held(evidence, [evidence.sentences[i] for i in beside])
    everywhere = set().union(*(_held(e, e.sentences) for e in retrieval.evidence))
    near, anywhere = _rows(evidence, beside), [row for e in retrieval.evidence for row in e.matches]
    asked = _words(reading)
    missed = [(word, word.weight * (1 - word.match(near))) for word in asked if not word.stands_among(around)]
    unknown = [
        w for w in asked if w.is_name and not w.stands_among(everywhere) and not w.is_spelt_like_one_of(everywhere)
    ]
    return (
        best.sentence.dense,
        best.sentence.lexical,
        _matches_of_missing(asked, _rows(evidence, (place,)), words(best.sentence.text).places),
        max((gap for _, gap in missed), default=0.0),
        sum(gap for word, gap in missed if word.is_name),
        sum(word.weight * (1 - word.match(anywhere)) for word in unknown),
        sum(word.weight * word.match(anywhere) for word in asked),
        _share_with_kind(reading),
        float(_DENIES.search(reading.question) is not None),
        math.log(1 + len(retrieval.weights)) / 3,
        reading.judged[0],
        max(reading.judged),
        sum(reading.judged) / len(reading.judged),
        len({e.passage.article_id for e in retrieval.evidence}) / len(retrieval.evidence),
    )


def _rows(evidence: Evidence, places: Iterable[int]) -> list[tuple[float, ...]]:
    """How well each token is matched in the header and in each of the sentences at these places."""
    return [evidence.matches[0], *(evidence.matches[1 + place] for place in places)] if evidence.matches else []


def _matches_of_missing(asked: Sequence[_Word], rows: Sequence[Sequence[float]], held: Collection[str]) -> float:
    """How well the words that are not held are matched otherwise; 1 where all are held."""
    missing = [word for word in asked if not word.stands_among(held)]
    total = sum(word.weight for word in missing)
    return sum(word.weight * word.match(rows) for word in missing) / total if total else 1.0


def is_of_another_time(reading: Reading) -> bool:
    """Whether the question names a day, month or year, and what was found of the best article names no such time.

    A report on the day, or from the days right after it, need not name it.
    """
    # "In the week after 27 January" is not that day.
    asked = [day for day in dates(reading.question) if not _FROM_DAY.search(reading.question, 0, day.start)]
    if not asked:
        return False
    passage = reading.ranked[0].passage
    found = (e.passage.text for e in reading.retrieval.evidence if e.passage.article_id == passage.article_id)
    told = dates(" ".join([passage.title, *found]))
    years = {day.year for day in told if day.year is not None}
    if is_iso_date(passage.published):
        years.add(int(passage.published[:4]))
    return not all(any(_agree(one, other, years) for other in told) or _reports_on(passage, one) for one in asked)


def tells_of_other_days(reading: Reading) -> bool:
    """Whether the question is about a day, and each of the first sentences names days and not this one.

    "How much did Micron fall on 28 January?" is not answered by how much it fell on 27 January.
    """
    asked = days_named(reading.question)
    if not asked or _AROUND_DAY.search(reading.question):
        return False
    return all(is_of_other_days(s.sentence.text, asked) for s in reading.ranked[:OF_DAY_AMONG])


def _reports_on(passage: Passage, asked: Date) -> bool:
    if not is_iso_date(passage.published):
        return False
    published = date.fromisoformat(passage.published)
    days = (published - timedelta(days=before) for before in range(REPORTED_WITHIN + 1))
    return any(_agree(asked, Date(d.year, d.month, d.day, 0, 0, "")) for d in days)


def _agree(asked: Date, told: Date, years: Collection[int] = ()) -> bool:
    """Whether what is told is of the time asked for, as far as both say.

    Args:
        years: those that the article names, of which one is meant where none is told; none where it names none.
    """
    if asked.year is not None and told.year is None and years and asked.year not in years:
        return False
    pairs = ((asked.year, told.year), (asked.month, told.month), (asked.day, told.day))
    as_exact = all(other is not None for one, other in pairs[1:] if one is not None)
    return as_exact and all(one is None or other is None or one == other for one, other in pairs)


def _share_with_kind(reading: Reading) -> float:
    """The largest share of the question's words in a sentence, or its header, that has what the question asks for."""
    asked = reading.asked
    best = 0.0
    for evidence in reading.retrieval.evidence:
        header = _held(evidence, ())
        for sentence in evidence.sentences:
            share = asked.share(header | words(sentence.text).places.keys())
            if share > best and (not asked.kind or holds(asked.kind, sentence.text, asked.terms)):
                best = share
    return best


def _held(evidence: Evidence, sentences: Iterable[Sentence]) -> set[str]:
    """The terms of sentences and of their article's header."""
    passage = evidence.passage
    outlets = " ".join(source.outlet for source in passage.sources)
    held = set(terms(f"{passage.title} {passage.outlet} {outlets}"))
    for sentence in sentences:
        held |= words(sentence.text).places.keys()
    return held
