"""What an article tells of days: the sentences that do, how well each does, and what words tell its event. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from rag.dated import dated
from rag.figures import MONTHS, dates
from rag.records import Article, Evidence, Passage, Sentence
from rag.text import content_terms, function_terms, terms

SURE = 1.1
"""The least score of a sentence of an article that isn't marked with the days whose events it tells."""

_MONTHS = [month.capitalize() for month in MONTHS]
_MONTH = "|".join(_MONTHS)
_WEEKDAY = "(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,? )?"
_DATE = re.compile(rf"\b(?:(?:\d{{1,2}}) (?:{_MONTH})|(?:{_MONTH}) (?:\d{{1,2}}),?) \d{{4}}\b")
_QUOTATION = re.compile(r'"[^"]*"|“[^”]*”')

# An event is told in the past tense. Of the regular verbs the ending is enough.
_PAST = re.compile(
    r"\b(?:(?!need|speed|indeed|exceed|embed|based|named)[a-z]{2,}ed|became|began|beat|bore|bought|broke"
    r"|brought|built|came|cut|drew|drove|fell|found|gave|grew|held|hit|kept|lay|left|lost|made|met|overtook|paid|put"
    r"|ran|rose|said|sank|saw|sent|set|shed|shrank|slid|sold|spent|spoke|stood|struck|thought|threw|told|took|was|went"
    r"|were|won|wrote)\b"
)
# Who only retells, counts or measures does so on a day, but that is no event of the day.
_RETELLS = re.compile(
    r"\b(?:reported|noted|calculated|counted|recorded|pointed out|dated|described|estimated|explained|concluded|put"
    r"|gave)\b"
)
_CREDIT = re.compile(rf", [^,]*\b(?:said|wrote|added|{_RETELLS.pattern})(?: \w+)? on {_WEEKDAY}$")
_SAYS = re.compile(r"\b(?:said|told|wrote|argued|stated|asked|answered|saw|judged|thought)\b")
_LEADING = re.compile(rf"(?:On|In|At) (?:the )?(?:\w+ (?:of|on) )?{_WEEKDAY}")
_ON = re.compile(rf"\bon {_WEEKDAY}$")
_ANOTHER_TIME = re.compile(
    rf"\b(?:(?:since|until|till|before|after|between|to|by|than) (?:early |late )?{_WEEKDAY}|before [^,]{{1,40}} on )$",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(rf"\b(?:of|from|for|in|and) (?:early |late )?{_WEEKDAY}$")
_COMPARES = re.compile(rf"\baccording to an? [^,]* (?:of|from|by) (?:early |late )?{_WEEKDAY}$")
_ASIDE = re.compile(r"^[^,]*, [a-z]+ed\b[^,]*$|, (?:which|who|where)\b[^,]*$|\b(?:that|which) [A-Z]\w+ \w+ on $")
_PRESENT = re.compile(r"\b(?:is|are|has|(?<!to )have)\b")
_BEFOREHAND = re.compile(r"\bhad\b")
_LEANING = re.compile(
    r"(?:also|already|another|other|both|it|its|he|she|his|her|they|their|this|that|these|those|such|more|most|some|two"
    r"|the (?:same|second|third|fourth|fifth|sixth|other|first|next|largest|record|cause|claim|figure|sum)"
    r"|not|anyone|reports|sources|how|when"
    r"|in percentage|together|besides|asked|published (?:sums|figures|closing))\b",
    re.IGNORECASE,
)
_ON_THE_SIDE = re.compile(
    r"\b(?:also|already|another|added|further|likewise|still|later|repeated|too|third|followed|again|then|at first)\b"
)

# What an article that isn't marked with its days has to look like in a sentence that tells an event beyond doubt.
_PROSE = re.compile(r"[“\"]?[A-Z$€£](?:\S* ){4,60}\S*[.!][”\"’')]*\Z")
_MAY_DATE = re.compile(r"day\b|\d[a-z ]{0,6} [A-Z][a-z]{2}|[A-Z][a-z]{2,8}\.? \d|-\d\d-\d\d\b")
_OWN_STORY = re.compile(r"\b(?:I|[Ww]e|[Mm]y|[Oo]ur|[Yy]our?|[Mm]e|us)\b")
_NOT_YET = re.compile(
    r"\b(?:will|would|may|might|could|should|shall|can|if|unless|whether"
    r"|(?:is|are|was|were|be|been) (?:expected|scheduled|due|set|slated|supposed|planned|going|likely))\b"
)
_SUBORDINATE = re.compile(
    r"\b(?:after|before|since|because|(?<!such )(?<!much )(?<!many )(?<!low )(?<!high )as"
    r"(?! (?:much|many|low|high) as)|while|than|that|which|who|whose|whom|where|when|until|though|although|despite"
    r"|following|amid|from|compared|according|what|how|why|like|including)\b"
)
_BETWEEN_COMMAS = re.compile(r",(?! (?:and|but|so)\b)[^,;:]*, ")
_REPORTED = re.compile(rf"\b{_RETELLS.pattern}(?: \w+){{0,2}} on {_WEEKDAY}$")
_UP_TO = re.compile(rf"\b(?:to|until|till|by) (?:noon|midnight|[\d.:]+ ?[ap]\.?m\.?) on {_WEEKDAY}$")
_ANOTHER_VERB = re.compile(
    r" (?:\w+ly )?(?:is|are|has|have|had|will|would|can|could|may|might|do|does|did|[a-z]{3,}s|"
    rf"{_PAST.pattern})\b"
)
"""Follows a day that only says which one is meant: "The deal announced on Monday fell apart"."""
_REFERS = re.compile(
    r"(?:(?i:also|another|both|he|her|his|it|its|one|she|such|that|their|there|these|they|this|those)"
    rf"|[Tt]he (?:[a-z][\w-]* ){{1,2}}(?:had|{_PAST.pattern}))\b"
)
"""Begins with something that was told of before: "He said", "The company fell"."""

_LEADING_DATE = re.compile(rf"(?:On|In|At) (?:the )?(?:\w+ (?:of|on) )?{_WEEKDAY}{_DATE.pattern},? ?")
_LEADING_ASIDE = re.compile(r"^(?:the (?:very |same )?day|when|where|one|two|a) [^,]*, ")
_CLOSED = re.compile(r"\b(?:closed|ended|finished|traded|opened)\b[^,;]{0,30}\b(lower|down|higher|up)\b")
_FORBIDS = re.compile(r"\b(?:should|must|may|were to) not use\b|\bnot to use\b|\bkeep off\b")
_FIRST_TO = re.compile(r"\bfirst [\w ]{3,40}? to (?:ban|block|bar|prohibit|forbid)\b")
_NAME = re.compile(r"\b(?!(?:The|A|An|In|On|At)\b)[A-Z]\w*")

_SAME = {
    form: first
    for first, *others in (
        ["releas", "publish", "launch", "unveil", "present", "introduc", "avail", "updat", "debut"],
        ["ban", "prohibit", "bar", "block", "forbid", "order", "remov", "restrict", "shut", "lock", "suspend"],
        [
            "fall",
            "drop",
            "lose",
            "slump",
            "slide",
            "slid",
            "sink",
            "tumbl",
            "plung",
            "crash",
            "plummet",
            "lower",
            "declin",
        ],
        ["rise", "gain", "climb", "jump", "recov", "rebound", "regain"],
    )
    for form in others
}
"""Words that tell of the same kind of event, as terms."""
_CALLED = (
    (re.compile(r"\bagainst (?:DeepSeek|(?:the )?(?:app|chatbot))\b", re.IGNORECASE), "ban"),
    (re.compile(r"\b(?:br(?:ing|ought)|put|roll(?:ed)?|c[ao]me) out\b|\b(?:br(?:ing|ought))\b"), "releas"),
)
"""Words of questions for a kind of deed."""
_OTHER_NAME = re.compile(r"\b(?!DeepSeek)[A-Z]\w*[a-z]")
VERBS = {"releas": "released", "ban": "banned", "fall": "fell", "rise": "rose"}
"""What articles say of each kind of deed."""
_SHARES = frozenset(("share", "stock", "price"))
OF_SHARES = frozenset(("fall", "rise"))
"""What is told of shares."""


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence that tells of a day, and how well it does."""

    day: str
    article: Article
    passage: Passage
    sentence: Sentence
    opening: bool
    """Whether the article begins with it."""
    score: float
    deed: tuple[str, str]
    """Who did what kind of thing, as terms; the kind is empty when it is none of the usual ones."""
    words: frozenset[str]


@lru_cache(maxsize=4096)  # nothing of a question is in it, and one question's days are another's
def tellings(article: Article, evidence: tuple[Evidence, ...]) -> tuple[Told, ...]:
    """The sentences that tell of the days that an article is marked with, or of any day where it isn't marked.

    Args:
        evidence: the article's passages, in order.
    """
    if article.event_dates:
        return tuple(told for day in article.event_dates for told in _candidates(article, day, evidence))
    return tuple(_unmarked(article, evidence))


def _unmarked(article: Article, evidence: tuple[Evidence, ...]) -> Iterator[Told]:
    """What an article tells of days by its sentences alone: those that tell an event beyond doubt."""
    about = set(content_terms(article.title.partition(":")[0]))
    first = evidence[0].sentences[0].start if evidence else 0
    latest = article.published or date.today().isoformat()
    for e in evidence:
        for sentence in e.sentences:
            if not _MAY_DATE.search(sentence.text):
                continue
            own_words = _own_words(sentence.text)
            if not _PROSE.match(sentence.text) or _REFERS.match(own_words) or _OWN_STORY.search(own_words):
                continue
            full = dated(sentence.text, article.published)
            for day in full.days:
                if day.iso > latest or not _tells(full.text, day.start, day.end):
                    continue
                opening = sentence.start == first
                words = frozenset(event_words(full.text))
                score = _score(full.text, day.start, day.end, article, about) + 0.5 * opening
                if score >= SURE:
                    yield Told(day.iso, article, e.passage, sentence, opening, score, _deed(full.text), words)


def _tells(text: str, start: int, end: int) -> bool:
    """Whether a sentence says beyond doubt that what it tells happened on the day that `text[start:end]` names."""
    own_words = _own_words(text)
    before, after = own_words[:start], own_words[end:]
    if _LEADING.fullmatch(before):
        done = _PAST.search(after)
        return done is not None and not _NOT_YET.search(after[: done.end()]) and not _REFERS.match(after.lstrip(", "))
    if not _PAST.search(before) or not _ON.search(before) or _ANOTHER_VERB.match(after):
        return False
    # "DeepSeek, which released R1, fell on ...": what stands between commas is beside the point.
    main = _BETWEEN_COMMAS.sub(" ", before)
    beside = (_NOT_YET, _SUBORDINATE, _ASIDE, _CREDIT, _REPORTED, _UP_TO)
    return not any(pattern.search(main) for pattern in beside) and not dates(before)


def _own_words(text: str) -> str:
    """The text with blanks in place of what it quotes."""
    return _QUOTATION.sub(lambda quoted: " " * len(quoted[0]), text)


def _candidates(article: Article, day: str, evidence: tuple[Evidence, ...]) -> list[Told]:
    when = date.fromisoformat(day)
    month = _MONTHS[when.month - 1]
    named = re.compile(rf"\b(?:{when.day} {month}|{month} {when.day},?) {when.year}\b")
    about = set(content_terms(article.title.partition(":")[0])) - set(terms(f"{when.day} {month} {when.year}"))
    first = evidence[0].sentences[0].start if evidence else 0
    found: list[Told] = []
    for e in evidence:
        for sentence in e.sentences:
            if match := named.search(sentence.text):
                opening = sentence.start == first
                # An article tells first what matters most, and so it does of a day.
                score = _score(sentence.text, match.start(), match.end(), article, about)
                score += 0.5 * opening + 0.2 * (not found)
                words = frozenset(event_words(sentence.text))
                found.append(Told(day, article, e.passage, sentence, opening, score, _deed(sentence.text), words))
    return found


def _score(text: str, start: int, end: int, article: Article, about: set[str]) -> float:
    """How well a sentence tells of the day that `text[start:end]` names: in the past tense, around it, to the point.

    Args:
        about: the terms that say what the article is about.
    """
    own_words = _own_words(text)
    before, after = own_words[:start], own_words[end:]
    score = 0.8 * len(about & set(terms(text))) / (len(about) or 1) - 0.01 * max(0, len(text.split()) - 40)
    if past := _PAST.search(own_words):
        score += 1.0
    if _LEADING.fullmatch(before):
        score += 0.4
    elif _ON.search(before) and _PAST.search(before) and not _DATE.search(before):
        score += 0.3
    if _COMPARES.search(before):
        score -= 2.0
    elif _ANOTHER_TIME.search(before):
        score -= 1.0
    elif _ATTRIBUTE.search(before):
        score -= 0.4
    elif _ASIDE.search(before):
        score -= 0.6
    if _DATE.search(before):
        score -= 2.0
    elif _DATE.search(after):
        score -= 0.3
    if _CREDIT.search(before):
        score -= 0.6
    elif (told := _RETELLS.search(before)) and (not past or past.start() >= told.start()):
        score -= 1.0
    outlets = {s.outlet.removeprefix("The ") for s in article.sources if s.outlet and s.outlet not in article.title}
    if text.removeprefix("The ").startswith(tuple(outlets)):
        score -= 0.6
    figures = _DATE.sub("", own_words)
    score += 0.2 * bool(re.search(r"\d", figures)) + 0.15 * bool(re.search(r"\d\.\d", figures))
    if _LEANING.match(text):
        score -= 1.8
    elif _surname_alone(text, article.text) or not own_words[0].strip():
        score -= 0.4
    for pattern, cost in ((_SAYS, 0.1), (_ON_THE_SIDE, 0.2), (_PRESENT, 0.7), (_BEFOREHAND, 0.2)):
        score -= cost * bool(pattern.search(before))
    return score - 0.1 * bool(_PRESENT.search(after))


def _deed(text: str) -> tuple[str, str]:
    told = _LEADING_ASIDE.sub("", _LEADING_DATE.sub("", text))
    name, verb = _NAME.search(told), _PAST.search(told)
    kind = terms(verb.group())[0] if verb else ""
    if kind not in _SAME and (closed := _CLOSED.search(told)):
        kind = "fall" if closed[1].lower() in ("lower", "down") else "rise"
    if _FORBIDS.search(told) or _FIRST_TO.search(told):
        kind = "ban"
    return terms(name.group())[0] if name else "", _SAME.get(kind, kind if kind in _SAME.values() else "")


def deeds_named(subject: str) -> set[str]:
    """The kinds of deeds that a subject names, in the words of `Told.deed`.

    >>> sorted(deeds_named("governments that blocked DeepSeek")), sorted(deeds_named("Nvidia's shares"))
    (['ban'], ['fall', 'rise'])
    >>> deeds_named("steps against DeepSeek")
    {'ban'}
    """
    named = set(event_words(subject))
    # "Italy's steps against it" are more than bans, and nobody else's.
    named |= {deed for words, deed in _CALLED if words.search(subject) and not _OTHER_NAME.search(subject)}
    return named.intersection(VERBS) | (set(OF_SHARES) if named & _SHARES else set())


def doers_named(subject: str) -> set[str]:
    """Whose deeds a subject may name, in the words of `Told.deed`.

    >>> doers_named("Nvidia's shares")
    {'nvidia'}
    """
    return {terms(name)[0] for name in _NAME.findall(subject)}


def _surname_alone(text: str, whole: str) -> bool:
    """Whether the sentence begins with the last word of a name that the article gives in full elsewhere."""
    first, _, rest = text.partition(" ")
    first = first.removesuffix("'s")
    return not rest[:1].isupper() and bool(re.search(rf"\b[A-Z][\w-]+ {re.escape(first)}\b", whole))


def event_words(text: str) -> list[str]:
    """The terms of a text that say which event it tells of, without dates."""
    return [_SAME.get(term, term) for term in terms(_DATE.sub(" ", text)) if term not in function_terms()]
