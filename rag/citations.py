"""Marks like "[2]" in a model's answer, tied to the sentences that they stand for. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from rag.defuse import Defuser
from rag.records import Citation, Evidence, Passage, Sentence
from rag.text import FUNCTION_WORDS, content_terms

Piece: TypeAlias = str | Citation

_MARK = re.compile(
    r"\s*(?:(?:passages?|sources?|no\.|#)\s*)?\^?(\d+(?:\s*(?:,|;|&|and|-|–)\s*\d+)*)\s*(?:†.*)?", re.IGNORECASE
)
_RANGE = re.compile(r"(\d+)\s*[-–]\s*(\d+)")
_LONGEST_MARK = 40
_LONGEST_RANGE = 10
_OPENING = re.compile(r"[\[【(]")
_ROUND = re.compile(r"\(([^()\[\]\n]{1,40})\)")
_ROUND_OPEN = re.compile(
    r"\((?:\s*(?:p[a-z]{0,7}|s[a-z]{0,6})?\s*(?:\d[\d\s,;&–-]{0,20}(?:a|an|and)?[\s\d]{0,4})?)?(?:\) *)?", re.IGNORECASE
)
_LAST_OF_ALL = re.compile(r"([^\W\d_][\w’'-]*)[\"”’%*_)]*\Z")
_CLOSING = "]】"
_BRACKET_END = re.compile(r"[\[【\]】\n]")
_LETTER = re.compile(r"[^\W\d_]")
_TAIL = re.compile(r"[.!?…\s]*\Z")
_STOPS = re.compile(r"[.!?…]*\Z")
_ENDED = re.compile(r"[.!?…][\"'”’)*_]*\Z")
_LAST_WORD = re.compile(r"([^\W\d_](?:[\w.]*\w)?)\.\Z")
_LIST_NUMBER = re.compile(r"\W*\d{1,2}\.\Z")
_SPACE = re.compile(r"\s+(?=\S)")
_WORD = re.compile(r"\w")
_LOOK_BACK = 40
_MARKS_BEHIND = re.compile(r"(?:\s*\[\d+\])+\Z")
_MARK_NEXT = re.compile(r"\[\d+\]")
_ABBREVIATION = re.compile(
    r"mrs?|ms|drs?|prof|sen|rep|gov|gen|lt|st|inc|corp|ltd|cos?|vs|no|fig|approx|est|dept|"
    r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|[^\W\d_]|.*\..*",
    re.IGNORECASE,
)

# A sentence is clearly supported by another that has three fifths of what it says, and all of its numbers.
_CLEAR_SHARE = 0.6
_CLEAR_TERMS = 3
_NUMBER_WEIGHT = 2.0
_SENTENCE_SHARE = 0.3


class Citer:
    """Turns the marks of a streamed answer into citations.

    A model writes the numbers of passages; readers get `[k]`, where `k` counts the distinct sentences cited, in order
    of appearance. Marks stand in front of their sentence's full stop. Numbers of no passage vanish, and whatever a
    renderer would make live (see `rag.defuse`). A finished
    sentence without a mark gets one where exactly one passage clearly supports it. Each `Citation` comes out once,
    before the text with its mark.
    """

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self.citations: list[Citation] = []
        self._matcher = _Matcher(evidence)
        self._defuser = Defuser()
        self._out: list[Piece] = []
        self._places: dict[tuple[int, int], int] = {}
        self._started = False
        self._raw = ""  # input that may turn out as a mark
        self._tail = ""  # the last full stop and space: a mark may yet have to precede them
        self._sentence = ""  # the current sentence, without marks and tail
        self._clause = ""  # what of it came after its last mark
        self._claim = ""  # the stretch that its last mark stood for
        self._group: set[int] = set()  # the marks at this place
        self._marked = False  # whether the sentence has a mark
        self._leading: list[int] = []  # passage numbers that stood in front of the sentence

    def feed(self, text: str) -> list[Piece]:
        """What can be shown after another piece of the answer."""
        self._raw += self._defuser.feed(text)
        self._read(last=False)
        return self._give()

    def _read(self, *, last: bool) -> None:
        while opening := _OPENING.search(self._raw):
            self._plain(self._raw[: opening.start()])
            self._raw = self._raw[opening.start() :]
            if self._raw[0] == "(":
                if not self._read_round(last):
                    return
                continue
            end = _BRACKET_END.search(self._raw, 1, _LONGEST_MARK)
            if end is None and len(self._raw) < _LONGEST_MARK:
                return
            inside = self._raw[1 : end.start() if end else _LONGEST_MARK]
            closed = end is not None and end[0] in _CLOSING
            if closed and (numbers := _numbers(inside)):
                self._mark(numbers)
            else:
                # A bracket that could pass for the beginning of a mark is not shown as one.
                self._plain((self._raw[0] if closed or _LETTER.search(inside) else "(") + inside)
                self._plain(end[0] if end and closed else "")
            self._raw = self._raw[1 + len(inside) + closed :]
        self._plain(self._raw)
        self._raw = ""

    def _read_round(self, last: bool) -> bool:
        """Read on behind a round bracket, which may be a mark as well; False where that can't be told yet."""
        if not last and _ROUND_OPEN.fullmatch(self._raw):
            return False
        mark = _ROUND.match(self._raw)
        numbers = _numbers(mark[1]) if mark else []
        if mark and numbers and all(n in self._matcher for n in numbers) and self._can_be_marked(mark):
            self._mark(numbers)
            self._raw = self._raw[mark.end() :]
        else:
            self._plain("(")
            self._raw = self._raw[1:]
        return True

    def _can_be_marked(self, mark: re.Match[str]) -> bool:
        """Whether "(1)" can't be a figure or the number of a list: at a sentence's end, behind a word of content."""
        if _LETTER.search(mark[1]):
            return bool(self._sentence)
        word = _LAST_OF_ALL.search(self._sentence)
        ends = re.match(r"\s*(?:[.!?…\n]|\Z)", mark.string[mark.end() :]) is not None
        return ends and word is not None and not self._tail.strip() and word[1].lower() not in FUNCTION_WORDS

    def finish(self) -> list[Piece]:
        """What is left at the answer's end; half a mark is dropped."""
        self._raw += self._defuser.finish()
        self._read(last=True)
        if _LETTER.search(self._raw):
            self._plain(self._raw)
        rest, self._raw, self._tail = self._tail.rstrip(), "", ""
        self._end_sentence(rest)
        return self._give()

    def _give(self) -> list[Piece]:
        given, self._out = self._out, []
        return given

    def _say(self, text: str) -> None:
        if not self._started:
            text = text.lstrip()
        if text:
            self._started = True
            if self._out and isinstance(self._out[-1], str):
                self._out[-1] += text
            else:
                self._out.append(text)

    def _plain(self, text: str) -> None:
        """Text without marks: all but its tail is shown, and sentences that end in it are finished."""
        text = self._tail + text
        tail = _TAIL.search(text)
        assert tail is not None, "the pattern matches the empty string"
        self._tail = tail[0]
        text = text[: tail.start()]
        start = 0
        for space in _SPACE.finditer(text):
            before = self._sentence[-_LOOK_BACK:] + text[start : space.start()]
            if "\n" in space[0] or _ends(before, text[space.end()]):
                self._end_sentence(text[start : space.start()])
                self._say(space[0])
                start = space.end()
        self._grow(text[start:])

    def _grow(self, text: str) -> None:
        if not self._sentence:
            text = text.lstrip()
        self._say(text)
        self._sentence += text
        self._clause += text

    def _end_sentence(self, rest: str) -> None:
        """Shows the rest of a sentence, with the marks that it lacks in front of its full stop."""
        body = _STOPS.sub("", rest, count=1)
        self._grow(body)
        if _WORD.search(self._sentence):
            if _WORD.search(self._clause):
                self._group = set()
            self._claim = self._sentence
            for number in self._leading or ([] if self._marked else self._matcher.clear_support(self._sentence)):
                self._cite(number)
        self._say(rest[len(body) :])
        self._sentence = self._clause = self._claim = ""
        self._group, self._marked, self._leading = set(), False, []

    def _mark(self, numbers: Iterable[int]) -> None:
        stops = self._tail.rstrip()
        if "\n" in self._tail and (self._marked or self._leading or self._sentence.endswith(":")):
            # At the head of a line, after something that cannot be meant, a mark belongs to what follows it.
            self._end_sentence(stops)
            self._say(self._tail[len(stops) :])
            stops = ""
        self._tail = stops
        known = [n for n in numbers if n in self._matcher]
        if not _WORD.search(self._sentence) or _LIST_NUMBER.fullmatch(self._sentence + stops):
            self._leading += known
            return
        if known and _WORD.search(self._clause):
            self._claim, self._clause, self._group = self._clause, "", set()
        for number in known:
            self._cite(number)

    def _cite(self, number: int) -> None:
        citation = self._matcher.cite(number, self._claim, self._sentence)
        place = self._places.setdefault((number, citation.start), len(self._places) + 1)
        if place in self._group:
            return
        if place > len(self.citations):
            citation = replace(citation, number=place)
            self.citations.append(citation)
            self._out.append(citation)
        self._say(f"[{place}]" if self._group else f" [{place}]")
        self._group.add(place)
        self._marked = True


class _Matcher:
    """Which sentence of which passage says what a stretch of the answer says. Passages count from 1."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._passages = [e.passage for e in evidence]
        self._sentences = [e.sentences or (_whole(e.passage),) for e in evidence]
        self._terms = [[set(content_terms(s.text)) for s in sentences] for sentences in self._sentences]
        self._frequency = Counter(term for passage in self._terms for terms in passage for term in terms)
        self._total = sum(len(passage) for passage in self._terms)

    def __contains__(self, number: int) -> bool:
        return 1 <= number <= len(self._passages)

    def cite(self, number: int, claim: str, sentence: str) -> Citation:
        """A citation (without its number yet) of the passage's sentence that best supports `claim`.

        The whole answer sentence that the claim is part of counts for less; where no word is shared, the passage's
        sentence nearest to the question is taken.
        """
        claimed, around = content_terms(claim), content_terms(sentence)

        def quality(index: int) -> tuple[float, float]:
            terms = self._terms[number - 1][index]
            shared = self._share(claimed, terms) + _SENTENCE_SHARE * self._share(around, terms)
            return shared, self._sentences[number - 1][index].dense

        best = self._sentences[number - 1][max(range(len(self._terms[number - 1])), key=quality)]
        return Citation(0, best.text, self._passages[number - 1], best.start, best.end)

    def clear_support(self, sentence: str) -> list[int]:
        """The one passage that has a sentence saying most of this one, numbers included; empty if none or several."""
        claimed = content_terms(sentence)
        if len(claimed) < _CLEAR_TERMS:
            return []
        numbers = [term for term in claimed if term[0].isdigit()]
        supporting = [
            number
            for number, passage in enumerate(self._terms, start=1)
            if any(
                self._share(claimed, terms) >= _CLEAR_SHARE and all(holds(terms, n) for n in numbers)
                for terms in passage
            )
        ]
        return supporting if len(supporting) == 1 else []

    def _share(self, claimed: Sequence[str], terms: Collection[str]) -> float:
        """How much of what is claimed stands in `terms`, from 0 to 1; rare words and numbers count for more."""
        weights = {term: self._weight(term) for term in claimed}
        total = sum(weights.values())
        return sum(weight for term, weight in weights.items() if holds(terms, term)) / total if total else 0.0

    def _weight(self, term: str) -> float:
        # A word that no passage has may well be a synonym, so it weighs no more than a common one.
        frequency = self._frequency[term]
        rarity = 1.0 + math.log(self._total / frequency) if frequency else 1.0
        return rarity * (_NUMBER_WEIGHT if term[0].isdigit() else 1.0)


def _whole(passage: Passage) -> Sentence:
    return Sentence(passage.text, passage.start, passage.end)


def holds(terms: Collection[str], term: str) -> bool:
    """Whether a term is there; of two numbers, one may be the other rounded: 589 for 588.8.

    >>> holds({"588.8"}, "589"), holds({"588.8"}, "588"), holds({"588.8"}, "588.75")
    (True, False, True)
    """
    if term in terms or not term[0].isdigit():
        return term in terms
    return any(_rounded(term, other) or _rounded(other, term) for other in terms if other[0].isdigit())


def _rounded(coarse: str, fine: str) -> bool:
    try:
        return Decimal(coarse) == Decimal(fine).quantize(Decimal(coarse), rounding=ROUND_HALF_UP)
    except ArithmeticError:  # "27.01.2025" is no number
        return False


def sentence_ends(line: str) -> list[int]:
    """Where the sentences of a line end, each with its marks and the space behind them.

    >>> sentence_ends("It fell [1]. It rose.")
    [13, 21]
    """
    ends = []
    start = 0
    for space in _SPACE.finditer(line):
        before = _MARKS_BEHIND.sub("", line[max(start, space.start() - _LOOK_BACK) : space.start()])
        if not _MARK_NEXT.match(line, space.end()) and _ends(before, line[space.end()]):
            start = space.end()
            ends.append(start)
    return [*ends, len(line)] if start < len(line) else ends


def _ends(before: str, following: str) -> bool:
    """Whether a sentence ends between `before` and the character after a space."""
    if not _ENDED.search(before) or following.islower() or _LIST_NUMBER.fullmatch(before):
        return False
    word = _LAST_WORD.search(before)
    return not (word and _ABBREVIATION.fullmatch(word[1]))


def _numbers(inside: str) -> list[int]:
    """The passage numbers between brackets, in order; empty when it is no mark.

    >>> _numbers("1, 2"), _numbers("2-4"), _numbers("Passage 3"), _numbers("sic")
    ([1, 2], [2, 3, 4], [3], [])
    """
    mark = _MARK.fullmatch(inside)
    if not mark:
        return []

    def spread(span: re.Match[str]) -> str:
        first, last = int(span[1]), int(span[2])
        return ",".join(map(str, range(first, last + 1))) if 0 <= last - first < _LONGEST_RANGE else span[0]

    return list(dict.fromkeys(map(int, re.findall(r"\d+", _RANGE.sub(spread, mark[1])))))
