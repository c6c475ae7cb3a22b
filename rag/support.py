"""A model's answer checked sentence by sentence against the passages, and marked where nothing bears it out. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rag.citations import holds, sentence_ends
from rag.claims import CONTRADICTIONS, Setting, Statement, fault, quoted, reader, stands_in
from rag.figures import dates
from rag.prompts import REFUSAL
from rag.records import UNSUPPORTED, Citation, Evidence, Passage, Sentence, Support

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.embed import Embedder

THRESHOLD = 0.5
"""Of `Checker.likeness`, from which on a sentence without a fault bears a claim out."""
_BEFORE = 3
"""Sentences in front of one that may say who "it" is and which day it was."""
_FEWEST_TERMS = 3
"""Shorter parts of a sentence are not checked by themselves."""

_MARKS = re.compile(r"\s*\[(\d+)\]")
_ALL_MARKS = re.compile(r"(?:\s*\[\d+\])+")
_STOPS = re.compile(r"[.!?…]*[\"”*_)]*\Z")
_REFUSAL = re.compile(
    r"\b(?:articles?|passages?|sources?|texts?|documents?|context|information)\b.{0,60}?"
    r"\b(?:(?:do|does|did)(?: not|n['’]t)|no|not|never)\b"
    r".{0,40}?\b(?:answer|contain|discuss|given|hold|include|information|mention|provide|say|specify|state)",
    re.IGNORECASE | re.DOTALL,
)
_TALK = re.compile(
    r"\W*(?:let me know\b|I hope\b|feel free\b|sure[,!.]|certainly[,!.]|of course[,!.]|(?:here|these) (?:is|are)\b.*:"
    r"|in (?:summary|short|conclusion)[,:]?$)",
    re.IGNORECASE,
)
_CONNECTIVE = re.compile(
    r"^\W*(?:according to (?:the )?(?:passages?|articles?|sources?|text)(?: (?:above|provided))?"
    r"|(?:the )?(?:passages?|articles?|sources?) (?:also )?(?:say|state|report|note|mention|show)s? that"
    r"|based on (?:the )?(?:passages?|articles?|sources?)(?: provided)?|in summary|in short|overall|in conclusion"
    r"|however|additionally|moreover|furthermore|also|finally|meanwhile|therefore|thus|in addition|as a result"
    r"|specifically)\b(?:\s*[,:])?\s*",
    re.IGNORECASE,
)
_PART = re.compile(
    r"\s*(?:;|—|–|, (?:and|but|while|whereas|which|who|with)\b|,(?=\s)| and (?=\w+ (?:\w+ )?\w)| while | whereas )\s*"
)
_HEADING = re.compile(r"\s*(?:#{1,6} .*|\*\*[^*]+\*\*:?|__[^_]+__:?|[-*_=]{3,})\s*")


@dataclass(frozen=True, slots=True)
class Verified:
    """An answer with the marks that it lacked and its unsupported sentences marked, and the count of these."""

    text: str
    citations: tuple[Citation, ...]
    support: Support


def verify(
    text: str, citations: Sequence[Citation], evidence: Sequence[Evidence], embedder: Embedder | None
) -> Verified:
    """Check each sentence of an answer against the passages it cites, then against all.

    A sentence without a mark, or whose marks lead to passages that don't say it, gets the mark of the one passage
    that does. One that nothing bears out gets `UNSUPPORTED`. Quotation marks around words that no passage has are
    taken off. Headings, refusals, and what only leads over to the next sentence are left as they are.

    Args:
        text: with `[n]` marks, as `rag.citations.Citer` writes it.
        citations: those of the marks.
        evidence: all that the model was given.
        embedder: compares sentences by meaning too; without one only their words are compared.
    """
    checker = Checker(evidence, embedder)
    answer = _Answer(list(citations))
    for line in text.splitlines(keepends=True):
        if _HEADING.fullmatch(line):
            answer.parts.append(line)
            continue
        position = 0
        for end in sentence_ends(line):
            answer.parts.append(_checked(line[position:end], answer, checker))
            position = end
    return Verified(
        "".join(answer.parts), tuple(answer.citations), Support(answer.sentences, tuple(answer.unsupported))
    )


@dataclass
class _Answer:
    citations: list[Citation]
    parts: list[str] = field(default_factory=list)
    sentences: int = 0
    unsupported: list[str] = field(default_factory=list)

    def mark(self, passage: Passage, sentence: Sentence) -> str:
        """The mark of a passage's sentence, a new one if it was not cited yet."""
        for citation in self.citations:
            if (citation.passage.article_id, citation.start) == (passage.article_id, sentence.start):
                return f" [{citation.number}]"
        number = max((c.number for c in self.citations), default=0) + 1
        self.citations.append(Citation(number, sentence.text, passage, sentence.start, sentence.end))
        return f" [{number}]"


def _checked(written: str, answer: _Answer, checker: Checker) -> str:
    """One sentence with the white space around it, as it is to be shown."""
    for start, end in reversed(quoted(written)):
        if not stands_in(written[start + 1 : end - 1], checker.texts):
            written = written[:start] + written[start + 1 : end - 1] + written[end:]
    claim = _CONNECTIVE.sub("", _ALL_MARKS.sub("", written)).strip()
    if not is_claim(claim):
        return written
    answer.sentences += 1
    by_number = {citation.number: citation for citation in answer.citations}
    cited = [by_number[n] for n in map(int, _MARKS.findall(written)) if n in by_number]
    if cited and checker.supporting(claim, {(c.passage.article_id, c.passage.start) for c in cited}):
        return written
    found = checker.supporting(claim)
    if not found:
        answer.unsupported.append(claim)
        return _before_stop(written, f" {UNSUPPORTED}")
    if cited:
        written = _ALL_MARKS.sub("", written)
    if cited or len({place[0] for place in found}) == 1:
        passage, sentence = checker.at(found[0])
        written = _before_stop(written, answer.mark(passage, sentence))
    return written


def _before_stop(written: str, mark: str) -> str:
    body = written.rstrip()
    space = written[len(body) :]
    stops = _STOPS.search(body)
    assert stops is not None, "the pattern matches the empty string"
    at = stops.start() if not re.search(r"[\"”*_]", stops[0]) else len(body)
    return body[:at] + mark + body[at:] + space


def is_claim(sentence: str) -> bool:
    """Whether a sentence, without its marks, says something that a source could say."""
    if not re.search(r"[^\W\d_]", sentence) or _TALK.match(sentence) or sentence.rstrip().endswith("?"):
        return False
    if REFUSAL.rstrip(".") in sentence or _REFUSAL.search(sentence):
        return False
    return not (sentence.rstrip("*_ ").endswith(":") and not re.search(r"\d", sentence))


class Checker:
    """Which sentences of the evidence bear out a claim."""

    def __init__(self, evidence: Sequence[Evidence], embedder: Embedder | None, threshold: float = THRESHOLD) -> None:
        self.threshold = threshold
        self.texts = [e.passage.text for e in evidence]
        self._evidence = [e if e.sentences else replace(e, sentences=(_whole(e.passage),)) for e in evidence]
        self._embedder = embedder
        self._read = reader([*self.texts, *(_outlets(e.passage) for e in evidence)])
        self._places = [(p, s) for p, e in enumerate(self._evidence) for s in range(len(e.sentences))]
        self._statements = {(p, s): self._read(self._evidence[p].sentences[s].text) for p, s in self._places}
        self._headers = [
            (self._read(f"{e.passage.title}. {_outlets(e.passage)}."), self._read(_outlets(e.passage)))
            for e in evidence
        ]
        self._settings = {place: self._setting(place) for place in self._places}
        self._frequency = Counter(t for s in self._statements.values() for t in s.terms)
        self._known: dict[str, dict[tuple[int, int], tuple[str, float]]] = {}
        self._vectors: dict[tuple[int, int], NDArray[np.float32]] = {}

    def at(self, place: tuple[int, int]) -> tuple[Passage, Sentence]:
        """The passage and the sentence of a place."""
        return self._evidence[place[0]].passage, self._evidence[place[0]].sentences[place[1]]

    def supporting(self, claim: str, of: set[tuple[str, int]] | None = None) -> list[tuple[int, int]]:
        """The places that bear out a claim, best first; those of its parts, where no sentence has all of it.

        Args:
            claim: a sentence without marks.
            of: article and offset of the passages to look in; all when not given.
        """
        places = [place for place in self._places if of is None or self._key(place) in of]
        if found := self._bearing(claim, places):
            return found
        found = []
        parts = _parts(claim)
        for part in parts if len(parts) > 1 else ():
            bearing = self._bearing(part, places)
            if not bearing:
                return []
            found.append(bearing[0])
        return found

    def _key(self, place: tuple[int, int]) -> tuple[str, int]:
        passage = self._evidence[place[0]].passage
        return passage.article_id, passage.start

    def _bearing(self, claim: str, places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        judged = self._judged(claim, places)
        # A sentence that denies the claim outweighs those that are less like it.
        contrary = max((like for found, like in judged.values() if found), default=0.0)
        least = max(self.threshold, contrary)
        bearing = [place for place, (found, like) in judged.items() if not found and like >= least]
        return sorted(bearing, key=lambda place: -judged[place][1])

    def _judged(self, claim: str, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[str, float]]:
        """The fault and the likeness of the places that speak of the claim: without fault, or denying it."""
        known = self._known.setdefault(claim, {})
        if new := [place for place in places if place not in known]:
            said = self._read(claim)
            faults = {place: fault(said, self._statements[place], self._settings[place]) for place in new}
            speaking = [place for place, found in faults.items() if not found or found in CONTRADICTIONS]
            likeness = {
                place: self.likeness(said, place, cosine)
                for place, cosine in zip(speaking, self._cosines(claim, speaking), strict=True)
            }
            known |= {place: (found, likeness.get(place, -1.0)) for place, found in faults.items()}
        return {place: known[place] for place in places if known[place][1] >= 0}

    def likeness(self, said: Statement, place: tuple[int, int], cosine: float | None) -> float:
        """How much of a claim a sentence says, 0 to 1: the share of its words, and its cosine where there is one."""
        source, around = self._statements[place], self._settings[place].words
        terms = {*source.terms}
        weights = {t: self._weight(t) for t in said.terms}
        total = sum(weights.values())
        share = sum(w for t, w in weights.items() if holds(terms, t) or t in around) / total if total else 1.0
        return share if cosine is None else (share + cosine) / 2

    def _weight(self, term: str) -> float:
        frequency = self._frequency[term]
        return 1.0 + math.log(len(self._places) / frequency) if frequency else 1.0

    def _setting(self, place: tuple[int, int]) -> Setting:
        passage = self._evidence[place[0]].passage
        before = [self._statements[place[0], s] for s in range(max(0, place[1] - _BEFORE), place[1])]
        header, outlets = self._headers[place[0]]
        return Setting(
            header.words.union(*(s.words for s in before)),
            (*header.dates, *(d for s in before for d in s.dates), *dates(passage.published)),
            outlets.words,
        )

    def _cosines(self, claim: str, places: Sequence[tuple[int, int]]) -> list[float | None]:
        if self._embedder is None:
            return [None] * len(places)
        # Few sentences are without a fault, so that only these are worth embedding.
        new = [place for place in places if place not in self._vectors]
        own, *vectors = self._embedder.embed([claim, *(self.at(place)[1].text for place in new)])
        self._vectors.update(zip(new, vectors, strict=True))
        return [float(own @ self._vectors[place]) for place in places]


def _parts(claim: str) -> list[str]:
    """The parts of a claim that may come from different sentences; short ones stay with their neighbours."""
    parts: list[str] = []
    for piece in _PART.split(claim):
        if parts and (len(parts[-1].split()) < _FEWEST_TERMS or len(piece.split()) < _FEWEST_TERMS):
            parts[-1] += f", {piece}"
        elif piece:
            parts.append(piece)
    return parts


def _outlets(passage: Passage) -> str:
    return ". ".join(dict.fromkeys(name for name in (passage.outlet, *(s.outlet for s in passage.sources)) if name))


def _whole(passage: Passage) -> Sentence:
    return Sentence(passage.text, passage.start, passage.end)
