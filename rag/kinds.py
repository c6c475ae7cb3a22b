"""What a question asks for, and whether a sentence has it: a figure, a date, a person, a reason and so on. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from rag.figures import dates, figures
from rag.text import FUNCTION_WORDS, function_terms, terms

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"

_ASKS_REASON = re.compile(r"\bwhy\b|\bwhat (?:\w+ )?(?:reason|cause|explain|made|led)", re.IGNORECASE)
_ASKS_DATE = re.compile(
    r"(?:^|[,;:?] ?|\b(?:and|but|since|until|till|by|from) )when\b"
    r"|\bwhen (?:did|does|do|was|were|is|are|will|has|have|had|can|could|would|should)\b"
    r"|\b(?:what|which) (?:\w+ )?(?:date|day|year|month|week|time|century|decade)\b",
    re.IGNORECASE,
)
_ASKS_FIGURE = re.compile(
    r"\bhow (?:much|many|far|large|big|high|low|hard|long|old|often|deep)\b"
    r"|\b(?:what|which) (?:\w+ ){0,2}(?:share|sum|percentage|percent|price|cost|amount|number|figure|rate|level|score"
    r"|size|value|age|population)\b|\bwhat (?:did|does|do) .*\bcost\b",
    re.IGNORECASE,
)
_ASKS_PERSON = re.compile(
    r"\b(?:who|whom|whose)\b|\b(?:which|what) (?:\w+ )?(?:person|people|man|woman|executive|founder)\b", re.IGNORECASE
)
_ASKS_PLACE = re.compile(
    r"\bwhere\b|\b(?:which|what) (?:\w+ )?(?:city|country|state|town|region|place|province|continent|location|area"
    r"|village|nation|river|island|county)\b",
    re.IGNORECASE,
)
_ASKS_NAME = re.compile(r"\bwhich \w|\bwhat(?:'s|’s| is| was| are| were) the name\b", re.IGNORECASE)
_ASKS_STATEMENT = re.compile(
    r"\b(?:what|how) (?:exactly )?(?:did|does|do|has|have|was|were) .*\b(?:say|said|tell|told|call|called|describe"
    r"|react|respond|reply|comment|claim|argue|think|write|answer)",
    re.IGNORECASE,
)
_ASKS_MEANING = re.compile(r"\s*what(?:'s|’s| is| are| was| were| does)\s+.{2,60}\s*$", re.IGNORECASE)
_IS = r"(?:'s|’s| is| are| was| were)"
_ASKS_WHO_SOMEBODY_IS = re.compile(rf"\s*[Ww]ho{_IS}\s+(?:[A-Z][\w-]*(?:\.|['’][A-Z]\w*)?\s*){{1,4}}\??\s*$")
_ASKS_HOLDER = re.compile(rf"\bwho{_IS} (?:currently |now )?(?:the |an? |[\w.-]+['’]s? )", re.IGNORECASE)

_REASON = re.compile(
    r"\b(?:because|since|due to|owing to|thanks to|as a result|so that|therefore|reasons?|in order to|led to|caused?"
    r"|fear(?:s|ed)?|worr(?:y|ies|ied)|blamed|explain(?:s|ed)?|grounds|prompted|triggered|sparked|driven by)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    rf"\b(?:{_MONTH}|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|century|centuries|BC|AD)\b"
    r"|\b1\d{3}s?\b|\b20\d{2}s?\b|\b\d{1,2}(?:st|nd|rd|th)\b"
)
_WEEKDAY_BEFORE = re.compile(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,? $")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_DAY = re.compile(rf"\b(\d{{1,2}}) ({_MONTH})\b|\b({_MONTH}) (\d{{1,2}})\b", re.IGNORECASE)
_WORD_OF_NAME = r"(?:[A-Z][^\W_]*(?:[.'’-][^\W_]+)*\.?|(?:[A-Z]\.)+)"
_NAME = re.compile(rf"{_WORD_OF_NAME}(?:(?: (?:of|the|de|la|von|van|da|du|del|and|&))* {_WORD_OF_NAME}| \d+\b)*")
_PLACE_BEFORE = re.compile(r"\b(?:in|at|from|near|to|of|through|outside|around|between|across|into|on) (?:the )?$")
_STATEMENT = re.compile(r"[\"“„«]([^\"”“»]+)[\"”“»]")
_FIRST = re.compile(r"([A-Z][\w'’]*)(?: (?:of|the|de|la|and|&|\d+)(?!\w))*(?: |(?!\w))")
"""A name's first word, with what joins it to the others."""
_COMMON = re.compile(r"[A-Z][a-z]+(?:s|ing|ed|ly|ment|tion|ity|age)")
_TIME = re.compile(rf"(?:{_MONTH}|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)(?: \d+)?")
_MEANING = re.compile(
    r"(?:an? |the )?(?P<subject>[^,(]{1,60}?)(?:[,(].{0,80}?)?"
    r" (?:(?:is|are|was|were) (?:an?|the|one|\w+['’]s)|means|stands for)\b",
    re.IGNORECASE,
)
_KNOWN_AS = re.compile(r"\b(?:known as|called) (?:an? |the )?(?P<subject>[^,:;(]{1,60})", re.IGNORECASE)
_CALLED_SOMETHING = re.compile(r"\w (?:an?|the|too) |[\"“]")
"""In a name, so to speak: who "called DeepSeek a surprise" doesn't say what DeepSeek is."""
_BESIDE = re.compile(r"(?<=\w), (?:an?|the|then|now|head|chief|co-founder|founder)\b")
"""Behind a name, what it is of follows: "HarmBench, a collection of ..."."""

_ASKS_WHETHER = re.compile(
    r"\s*(?:did|do|does|is|are|was|were|has|have|had|can|could|will|would|should)\b(?!.*\b(?:how|what|when|which|who)\b)",
    re.IGNORECASE,
)
_ASKS_NEXT_TO = re.compile(
    r"\b[Ww]ho (?:was|were|is|had been|led|ran|headed|became)\b.* (?:before|after)"
    r" (?P<name>[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*)*)\s*\??\Z"
)
_NEXT_TO = re.compile(
    r"\b(?:before|after|until|former|formerly|previous\w*|predecess\w+|succe(?:ed\w*|ssor\w*)|replac\w+"
    r"|(?:took|taken) over|follow(?:ed|ing)|inherit\w*)\b",
    re.IGNORECASE,
)
_ASKS_AHEAD = re.compile(
    r"\bwhen (?:will|is .* going to)\b|\b(?:next|coming) (?:year|month|week|quarter)\b|\bforecasts?\b"
    r"|\bwill\b.*\b(?:in|by|until|of) 20\d\d\b|\bby (?:the end of )?20\d\d\b",
    re.IGNORECASE,
)
_AHEAD = re.compile(
    r"\b(?:will|would|won['’]t|could|may|might|shall|going to|about to|yet to|plan(?:s|ned|ning)?|expect(?:s|ed|ing)?"
    r"|aim(?:s|ed|ing)?|intend(?:s|ed|ing)?|scheduled?|forecasts?|projected|predict(?:s|ed|ion|ions)?|targets?|due"
    r"|promis(?:es|ed|ing)|prepar(?:es|ed|ing)|hop(?:es|ed|ing)|upcoming|later this year|next (?:year|month|week)"
    r"|(?:by|until) (?:the end of )?20\d\d)\b",
    re.IGNORECASE,
)
_ASKS_SEAT = re.compile(
    r"\b(?:where|(?:which|what) (?:city|town|country|state|province))\b.*\b(?:based|headquarter\w*|located|seated)\b",
    re.IGNORECASE,
)
_SEAT = re.compile(r"\bheadquarter\w*|\b(?:based|located|seated|offices?) (?:in|at|near)\b|\w-based\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:[.,'’-][^\W_]+)*|[,;:()—–]")
_ROLE_WORDS = 3
"""So many words more than those asked for the words for what somebody is may have among them."""
_BEFORE_ROLE, _BEHIND_ROLE = 6, 3
"""So near the name stands: "Liang Wenfeng is the founder and chief executive of ...", "DeepSeek's founder Liang"."""
_BEFORE_SEAT, _BEHIND_SEAT = 40, 25
"""So many characters away stands what has its seat there."""

_ASKS = {
    "reason": _ASKS_REASON,
    "date": _ASKS_DATE,
    "figure": _ASKS_FIGURE,
    "person": _ASKS_PERSON,
    "statement": _ASKS_STATEMENT,
    "place": _ASKS_PLACE,
    "name": _ASKS_NAME,
    "meaning": _ASKS_MEANING,
}
KINDS = tuple(_ASKS)
"""What can be asked for."""


def expected(question: str) -> str:
    """What a question asks for: one of `KINDS`, or "" for anything else.

    >>> expected("How much did Nvidia lose?"), expected("When was R1 released?"), expected("Who founded DeepSeek?")
    ('figure', 'date', 'person')
    >>> expected("Why did it fall?"), expected("What did Trump say?"), expected("What is the Stargate project?")
    ('reason', 'statement', 'meaning')
    >>> expected("Where is DeepSeek based?"), expected("Which model came next?"), expected("Who is Liang Wenfeng?")
    ('place', 'name', 'meaning')
    """
    if _ASKS_WHO_SOMEBODY_IS.match(question):
        return "meaning"
    return next((kind for kind, pattern in _ASKS.items() if pattern.search(question)), "")


def holds(kind: str, sentence: str, asked: frozenset[str]) -> bool:
    """Whether a sentence has something of the kind asked for that the question (its terms) does not itself name."""
    if kind == "meaning":
        return _says_meaning(sentence, asked)
    if kind in ("reason", "statement"):
        return bool(spans(kind, sentence))
    return any(not asked.issuperset(terms(sentence[start:end])) for start, end in spans(kind, sentence))


@lru_cache(maxsize=4096)  # the same sentences are looked at for one question after another
def spans(kind: str, sentence: str) -> tuple[tuple[int, int], ...]:
    """Where a sentence has something of a kind: figures, dates, names, quoted words or words that give a reason.

    >>> text = "The chip fell 17% on 27 January 2025."
    >>> [text[start:end] for start, end in spans("figure", text)]
    ['17%']
    """
    match kind:
        case "figure":
            return tuple((figure.start, figure.end) for figure in figures(sentence))
        case "date":
            named = [(_from_weekday(sentence, day.start), day.end) for day in dates(sentence)]
            others = [m.span() for m in _DATE.finditer(sentence)]
            return (*named, *(s for s in others if not any(a <= s[0] < b for a, b in named)))
        case "name":
            return tuple(_names(sentence))
        case "person":
            return tuple(span for span in _names(sentence) if not any(map(str.isdigit, sentence[slice(*span)])))
        case "place":
            return tuple(span for span in _names(sentence) if _PLACE_BEFORE.search(sentence[: span[0]]))
        case "statement":
            return tuple(m.span(1) for m in _STATEMENT.finditer(sentence))
        case "reason":
            return tuple(m.span() for m in _REASON.finditer(sentence))
    return ()


def _from_weekday(sentence: str, start: int) -> int:
    weekday = _WEEKDAY_BEFORE.search(sentence, max(0, start - 12), start)
    return weekday.start() if weekday else start


def _names(sentence: str) -> Iterator[tuple[int, int]]:
    """Where names stand; any word can begin a sentence, so what looks like a common one there is passed over."""
    for found in _NAME.finditer(sentence):
        start, end = found.span()
        first = _FIRST.match(sentence, start)
        if first and (first[1].lower() in FUNCTION_WORDS or (start == 0 and _COMMON.fullmatch(first[1]))):
            start = first.end()
        if start < end and not _TIME.fullmatch(sentence[start:end]):
            yield start, end


@lru_cache(maxsize=4096)
def days_named(text: str) -> frozenset[tuple[int, str]]:
    """The days of the year that a text names.

    >>> days_named("on January 27, 2025") == days_named("27 January")
    True
    """
    return frozenset(
        (int(day or american_day), (month or american_month).lower())
        for day, month, american_month, american_day in _DAY.findall(text)
    )


def is_of_other_days(text: str, asked: Collection[tuple[int, str]]) -> bool:
    """Whether a text names days, and none of these."""
    # "27 and 28 January" names two days, of which only one stands beside its month.
    return bool(days_named(text)) and not any(re.search(rf"\b{day}\b", text) for day, _ in asked)


@lru_cache(maxsize=4096)
def years_named(text: str) -> frozenset[str]:
    """The years that a text names."""
    return frozenset(_YEAR.findall(text))


def _says_meaning(sentence: str, asked: frozenset[str]) -> bool:
    """Whether the sentence says what the question's subject is.

    "DeepSeek-R1 is a model that ..." says what R1 is, "R1 is a model of DeepSeek's" what DeepSeek-R1 is; "The advantage
    of R1 is the ..." and "R1-Zero is a ..." do not. "... at random from HarmBench, a collection ..." says it, too, as
    does "What happened is known as ...".
    """
    wanted = asked - function_terms()
    said = _MEANING.match(sentence)
    if said is None or not wanted:
        beside = [terms(sentence[: found.start()])[-len(wanted) :] for found in _BESIDE.finditer(sentence)]
        named = [
            terms(found["subject"])[: len(wanted)]
            for found in _KNOWN_AS.finditer(sentence)
            if not _CALLED_SOMETHING.search(found["subject"])
        ]
        return bool(wanted) and any(wanted == set(words) for words in [*beside, *named])
    subject = terms(said["subject"])
    names_it = wanted <= set(subject) or (wanted.issuperset(subject) and wanted <= set(terms(sentence)))
    return names_it and subject[-1] in wanted and len(subject) <= len(wanted) + 1


def asks_holder(question: str) -> bool:
    """Whether a question asks who holds a post or is something to somebody.

    >>> asks_holder("Who is the CEO of DeepSeek?"), asks_holder("Who's Trump's adviser?"), asks_holder("Who lost most?")
    (True, True, False)
    """
    return bool(_ASKS_HOLDER.search(question))


def names_holder(sentence: str, role: frozenset[str]) -> bool:
    """Whether a sentence has a name right beside the words (their terms) for what somebody is, which stand together.

    >>> role = frozenset(terms("chief of DeepSeek")) - function_terms()
    >>> names_holder("Liang Wenfeng is the founder and chief of DeepSeek.", role)
    True
    >>> names_holder("Alexandr Wang, the chief of Scale AI, spoke in Davos about DeepSeek.", role)
    False
    """
    words = [(word.start(), word.end(), role.intersection(terms(word[0]))) for word in _WORD.finditer(sentence)]
    places = [place for place, (_, _, held) in enumerate(words) if held]
    stretch = _shortest([(place, words[place][2]) for place in places], role)
    if stretch is None or stretch[1] - stretch[0] >= len(role) + _ROLE_WORDS:
        return False
    before, behind = stretch[0] - _BEFORE_ROLE, stretch[1] + _BEHIND_ROLE
    beside = [*range(max(0, before), stretch[0]), *range(stretch[1] + 1, min(len(words), behind + 1))]
    return any(
        start <= words[place][0] < end and not role.issuperset(terms(sentence[start:end]))
        for start, end in spans("person", sentence)
        for place in beside
    )


_DIFFERING = re.compile(
    r"\b(?:agrees?(?! to\b)|disagree\w*|in agreement|there agreement|differ|differs|differing|contradict\w*"
    r"|conflicting|disputed|diverge\w*|at odds"
    r"|vary|varies|don['’]?t match|line up|add up|going (?:a)?round|floating around|all over the place|wildly)\b"
    r"|\b(?:different|several|more than one|various|both|two)(?: \w+)?"
    r" (?:numbers?|figures?|dates?|sums?|amounts?|counts?|values?|ratios|versions|accounts|answers|totals|things)\b"
    r"|\bthe same (?:\w+ )?(?:number|figure|date|sum|count|amount|way|story|value)\b"
    r"|\b(?:keep|have|['’]ve|been|i) (?:getting|reading|seeing|hearing|finding|seen|read|heard|noted|find) "
    r"(?:\w+ )?(?:different|both|two|more|several)\b"
    r"|\b(?:one|some)\b[^.?!]*\b(?:papers?|stor(?:y|ies)|reports?|outlets?|sources?|sites?|articles?|places?|agency|figure|write"
    r"|wrote|says?|people)\b.*\b(?:another|others?)\b"
    r"|\bwhat do (?:the (?:two|both) sides|the (?:various )?(?:reports|papers|stories|sources|accounts)) say\b"
    r"|\bcan both be\b|\bI(?:['’]ve| have) seen both\b|\bsays? one thing\b|\bopposite things\b"
    r"|\bmix (?:this|it) up\b|\bgap between\b"
    r"|\b\d[\d.,]* or \d|\bsome (?:write|say)\b.*\bsome (?:write|say)\b|\bevery (?:site|paper)\b",
    re.IGNORECASE,
)


def asks_differing(question: str) -> bool:
    """Whether a question asks for all that is told of something, as reports differ.

    >>> asks_differing("How many chips does it have? I keep reading different numbers.")
    True
    >>> asks_differing("Do the reports agree on the loss?"), asks_differing("How many chips does it have?")
    (True, False)
    """
    return bool(_DIFFERING.search(question))


def asks_whether(question: str) -> bool:
    """Whether yes or no would answer a question.

    >>> asks_whether("Did Apple fall?"), asks_whether("Do you know who founded DeepSeek?")
    (True, False)
    """
    return bool(_ASKS_WHETHER.match(question))


def asks_ahead(question: str) -> bool:
    """Whether a question asks what will be.

    >>> asks_ahead("When will DeepSeek go public?"), asks_ahead("When did R1 come out?")
    (True, False)
    """
    return bool(_ASKS_AHEAD.search(question))


def tells_ahead(sentence: str) -> bool:
    """Whether a sentence tells what somebody plans or expects.

    >>> tells_ahead("OpenAI planned to finish it in 2029."), tells_ahead("R1 was released on 20 January 2025.")
    (True, False)
    """
    return bool(_AHEAD.search(sentence))


def asks_next_to(question: str) -> bool:
    """Whether a question asks who held a post before or after somebody.

    >>> asks_next_to("Who was chief executive of Microsoft before Satya Nadella?")
    True
    >>> asks_next_to("Who fell before Monday?"), asks_next_to("Who is the CEO of Microsoft?")
    (False, False)
    """
    found = _ASKS_NEXT_TO.search(question)
    return found is not None and not _TIME.fullmatch(found["name"])


def tells_next_to(sentence: str) -> bool:
    """Whether a sentence tells who came before or after another."""
    return bool(_NEXT_TO.search(sentence))


def asks_seat(question: str) -> bool:
    """Whether a question asks where something has its seat.

    >>> asks_seat("Where is DeepSeek based?"), asks_seat("In which city is DeepSeek based?")
    (True, True)
    >>> asks_seat("Where did shares fall?")
    False
    """
    return bool(_ASKS_SEAT.search(question))


def names_seat(sentence: str, asked: frozenset[str]) -> bool:
    """Whether a sentence says where something that the question names has its seat.

    >>> asked = frozenset(terms("Where is DeepSeek based?"))
    >>> names_seat("The headquarters of DeepSeek are in Hangzhou.", asked)
    True
    >>> names_seat("DeepSeek based the margin on one day in Beijing.", asked)
    False
    >>> names_seat("StepFun, based in Shanghai, released a model that was called the next DeepSeek.", asked)
    False
    """
    for seat in _SEAT.finditer(sentence):
        beside = sentence[max(0, seat.start() - _BEFORE_SEAT) : seat.start()], sentence[seat.end() :][:_BEHIND_SEAT]
        if not asked.isdisjoint(set(terms(" ".join(beside))) - function_terms()):
            return True
    return False


def _shortest(held: list[tuple[int, frozenset[str]]], wanted: frozenset[str]) -> tuple[int, int] | None:
    """The first and last place of the shortest stretch that holds all that is wanted."""
    found = None
    for number, (first, _) in enumerate(held):
        missing = set(wanted)
        for last, own in held[number:]:
            missing -= own
            if not missing:
                found = min(found or (first, last), (first, last), key=lambda ends: ends[1] - ends[0])
                break
    return found
