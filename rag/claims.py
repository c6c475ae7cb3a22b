"""Whether a sentence of a source bears out a sentence of an answer, by rules over figures, dates and names. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from rag.figures import Date, Figure, bears_out, dates, figures, same_unit
from rag.text import FUNCTION_WORDS, content_terms, terms


@dataclass(frozen=True, slots=True)
class Name:
    """A proper name: its words without titles, normalised; where it stands; a code is one like "H800" or "V3"."""

    words: tuple[str, ...]
    start: int
    code: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence as the rules read it. `verb` is where its first verb stands, the sentence's length where none does."""

    text: str
    figures: tuple[Figure, ...]
    dates: tuple[Date, ...]
    weekdays: frozenset[str]
    names: tuple[Name, ...]
    words: frozenset[str]
    terms: tuple[str, ...]
    negated: tuple[tuple[str, ...], ...]
    verb: int

    def has(self, name: Name) -> bool:
        """Whether a name stands here: of a person or firm any of its words, of a code its last."""
        return name.words[-1] in self.words if name.code else any(word in self.words for word in name.words)


@dataclass(frozen=True, slots=True)
class Setting:
    """What surrounds a source's sentence: the words that may fill in who "it" is, and the days that may say when."""

    words: frozenset[str]
    dates: tuple[Date, ...]
    outlets: frozenset[str] = frozenset()


CONTRADICTIONS = frozenset({"negation", "direction"})
"""Faults of a sentence that speaks of the same thing and denies it."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TITLES = frozenset(
    """ceo cfo cto coo mr mrs ms dr prof president chief chairman senator minister prime inc corp corporation ltd co
    group unlike like despite nobody no-one besides ai llm gpu gpus api app store company i the a an""".split()  # noqa: SIM905
)
_DEMONYMS = {
    "american": "us",
    "america": "us",
    "americans": "us",
    "states": "us",
    "chinese": "china",
    "italian": "italy",
    "german": "germany",
    "french": "france",
    "dutch": "netherlands",
    "japanese": "japan",
    "korean": "korea",
    "korea's": "korea",
    "taiwanese": "taiwan",
    "australian": "australia",
    "british": "uk",
    "britain": "uk",
    "european": "europe",
    "irish": "ireland",
    "indian": "india",
    "russian": "russia",
}
_CAPITALISED = re.compile(r"[A-Z][\w&’'+-]*(?:\.\d+)?(?:\.[A-Z]\.?)*(?:\.(?=\w))?[\w&’'+-]*")
_CODE = re.compile(r"\b(?=[\w.-]*[A-Za-z])(?=[\w.-]*\d)[A-Za-z\d]+(?:[.-][A-Za-z\d]+)*")
_INITIAL = re.compile(r"(?:^|[.!?:]\s+|[\"“(]\s?|\n\s*|[*#-] )$")
_COMMON = re.compile(r".*(?:ists|ers|ors|ians|tions|ings|ments|ies|ly|ing|ed|ness|ity)$")
_IRREGULAR_VERBS = (
    r"overtook|overtaken|undertook|beaten|outdid|is|are|was|were|be|been|has|have|had|do|does|did|will|would|can|could|may|might|must|"
    r"said|says|rose|fell|lost|gained|sank|slid|shed|cut|hit|set|put|led|made|took|gave|got|"
    r"went|came|saw|told|found|built|bought|sold|won|held|kept|left|met|paid|ran|sent|spent|"
    r"stood|thought|wrote|began|grew|drew|drove|knew|threw|became|beat|broke|brought|caught|"
    r"chose|dealt|fought|felt|hid|hurt|let|meant|rode|sought|shot|shook|shrank|spoke|spread|"
    r"struck|swept|taught|tore|understood|wiped|withdrew|calls|called|names|dropped|plunged|costs|"
    r"cost|reads"
)
_VERB = re.compile(rf"\b(?:{_IRREGULAR_VERBS}|[a-z]{{2,}}ed)\b")
_PASSIVE = re.compile(
    r"\b(?:was|were|been|being|is|are|be|got)\s+(?:\w+ly\s+)?\w+(?:ed|en|wn|ght|un|uilt|old|ade)\b.*\bby\b"
)
_NEGATION = re.compile(
    r"\b(?:not(?! only| just| least)|never|no(?!\.? \d| fewer| less| more than|r\b)|nothing|neither|nor"
    r"|(?:none|nobody|no one)(?!.{0,60}\bthan\b)"
    r"|without|cannot"
    r"|\w+n['’]t|declin(?:ed|es|ing)|refus(?:ed|es|ing|al)|den(?:ied|ies|ying)|fail(?:ed|s|ing|ure)?|unable|lack(?:ed|s|ing)?"
    r"|hardly)(?!\w)",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[,;:()]| (?:but|although|though|while|whereas|because|since|after|before|and) ")
_SCOPE = 4
_ADVERB = re.compile(r"\b\w{3,}ly\b")
_BESIDE = re.compile(r"\b(?:in|of|on|at|to|from|with|than|against|among|under)(?: the| its)? $", re.IGNORECASE)
_COMPARED = re.compile(r"\b(more|less|fewer|higher|lower)\b(?! than| of\b)((?: [\w-]+){1,3})", re.IGNORECASE)
_UP, _DOWN = (
    frozenset(terms(words))
    for words in (
        "rise rises rising rose gain gained climb jumped increase surge higher rally recover rebound grow soar advance "
        "raise expand doubled tripled add added regain surpass improve strengthen widen raised more",
        "fall falls falling fell lose lost losing drop slide slump sink tumble plunge decline shed plummet crash slip "
        "lower decrease cut reduce shrink wipe erase weaken narrow halve down less fewer",
    )
)
_MORE_THAN = re.compile(r"\b(?:more|less|fewer|lower|higher) than\b|\bno (?:more|less|fewer)\b", re.IGNORECASE)
_UP_OR_DOWN = re.compile(
    r"(?<![\w-])(up|down)(?= (?:by |about |some |nearly |almost |more than )?[$€]?\d)", re.IGNORECASE
)
_OPPOSITES = tuple(
    (frozenset(terms(one)), frozenset(terms(other)))
    for one, other in (
        (
            "allow allowed permit permitted approve approved",
            "ban banned forbid forbade forbidden prohibit block blocked bar barred",
        ),
        ("confirm confirmed admit admitted acknowledge", "deny denied dispute disputed reject rejected"),
        ("buy bought purchase", "sell sold"),
        ("win won", "lose lost"),
        ("cheap cheaper", "expensive dearer costlier"),
        ("fast faster quicker", "slow slower"),
        ("large larger largest big bigger biggest", "small smaller smallest tiny"),
        ("best better", "worst worse"),
        (
            "support supported back backed endorse welcome welcomed praise praised",
            "oppose opposed criticise criticised condemn",
        ),
        ("accept accepted agree agreed", "reject rejected refuse refused disagree"),
        ("start started begin began open opened resume resumed launch", "stop stopped end ended close halt suspend"),
        (
            "impose imposed tighten tightened",
            "lift lifted ease eased loosen rescind rescinded withdraw withdrew repeal",
        ),
        ("include included includes", "exclude excluded excludes omit omitted"),
        ("public", "private secret"),
        ("open", "closed proprietary"),
        ("first earliest", "last latest final"),
        ("oldest", "youngest newest"),
        ("most", "least fewest"),
        ("many", "few"),
        ("legal lawful", "illegal unlawful"),
        ("success succeed succeeded", "failure fail failed"),
        ("export exported", "import imported"),
        ("overvalued overdone exaggerated", "undervalued understated"),
        ("optimistic bullish", "pessimistic bearish"),
        ("above exceed exceeded", "below under"),
    )
)
_BEFORE, _AFTER = re.compile(r"\b(?:before|prior to|ahead of)\b", re.I), re.compile(r"\b(?:after|following)\b", re.I)


def reader(texts: Iterable[str]) -> Callable[[str], Statement]:
    """What reads sentences, knowing from the sources' `texts` which words are names also where a sentence begins."""
    small: set[str] = set()
    for text in texts:
        small.update(re.findall(r"\b[a-z]+\b", text))

    def read(sentence: str) -> Statement:
        found, days = tuple(figures(sentence)), tuple(dates(sentence))
        blanked = _blank(sentence, [(f.start, f.end) for f in found] + [(d.start, d.end) for d in days])
        verb = _VERB.search(blanked)
        return Statement(
            sentence,
            found,
            days,
            frozenset(word for word in _WEEKDAYS if re.search(rf"\b{word}\b", sentence, re.IGNORECASE)),
            tuple(_names(blanked, small)),
            frozenset(_words(sentence)),
            tuple(content_terms(blanked)) if re.search(r"\w", blanked) else (),
            tuple(_negated(blanked)),
            verb.start() if verb else len(sentence),
        )

    return read


def fault(claim: Statement, source: Statement, setting: Setting) -> str:
    """Why the source's sentence does not bear out the claim: "figure", "date", "name" and so on; empty if none is seen.

    What the claim says in other words than the source is not looked at here.
    """
    pairs = _matched(claim, source)
    if pairs is None:
        return "figure"
    checks: tuple[tuple[str, bool], ...] = (
        ("date", _wrong_date(claim, source, setting)),
        ("name", _wrong_name(claim, source, setting)),
        ("role", _swapped(claim, source) or _of_others(claim, source, pairs)),
        ("negation", _negated_otherwise(claim, source)),
        ("direction", _opposed(claim, source, pairs)),
    )
    return next((name for name, found in checks if found), "")


def quoted(text: str) -> list[tuple[int, int]]:
    """The stretches of two or more words in quotation marks, marks included."""
    return [
        found.span()
        for found in re.finditer(r"\"[^\"\n]+\"|“[^”\n]+”|«[^»\n]+»", text)
        if len(re.findall(r"\w+", found[0])) > 1
    ]


def stands_in(quotation: str, texts: Iterable[str]) -> bool:
    """Whether words in quotation marks stand in a text, but for case, punctuation, what is in brackets and left out."""
    parts = [_plain(part) for part in re.split(r"\[[^\]]*\]|\.\.\.|…", quotation)]
    return any(all(part in text for part in parts) for text in map(_plain, texts))


@cache
def _plain(text: str) -> str:
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.lower().replace('’', '').replace(chr(39), '')))} ".replace(
        "  ", " "
    )


def _blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _normal(word: str) -> str:
    word = re.sub(r"['’]s?$", "", word.replace(".", "").replace("’", "'").lower())
    return _DEMONYMS.get(word, word)


def _words(text: str) -> list[str]:
    found = re.findall(r"(?:[A-Za-z]\.){2,}|[^\W_]+(?:&[^\W_]+)?(?:\.\d+)?(?:['’][^\W\d_]+)?", text)
    return [_normal(word) for word in found]


def _names(text: str, small: Collection[str]) -> Iterable[Name]:
    spans: list[tuple[int, int]] = []
    for found in sorted([*_CAPITALISED.finditer(text), *_CODE.finditer(text)], key=lambda m: (m.start(), -m.end())):
        if spans and found.start() < spans[-1][1]:
            continue
        word = found[0]
        lower = word.lower()
        if _INITIAL.search(text[: found.start()]) and not re.search(r"[A-Z\d]", word[1:]):
            bare = re.sub(r"['’]s?$", "", lower)
            followed = re.match(r" [A-Z]", text[found.end() :])
            if bare in FUNCTION_WORDS or (
                (bare in small or _COMMON.fullmatch(bare)) and not (followed and bare not in small)
            ):
                continue
        if lower in FUNCTION_WORDS and lower != "us":
            continue
        joined = spans and text[spans[-1][1] : found.start()] == " " and not re.search(r"['’]s?$", text[: spans[-1][1]])
        if joined:
            spans[-1] = (spans[-1][0], found.end())
        else:
            spans.append(found.span())
    for start, end in spans:
        written = [word for word in _words(text[start:end]) if word]
        words = tuple(
            word for word in written if word not in _TITLES and word not in _WEEKDAYS and word not in FUNCTION_WORDS
        )
        if words:
            yield Name(words, start, any(c.isdigit() for c in words[-1]))


def _negated(text: str) -> Iterable[tuple[str, ...]]:
    """For each negation the subject-bearing terms that follow it in its clause, at most four."""
    for found in _NEGATION.finditer(text):
        scope = _CLAUSE_END.split(text[found.end() :], maxsplit=1)[0]
        own = terms(found[0]) if re.match(r"declin|refus|den|fail|lack", found[0], re.IGNORECASE) else []
        rest = [t for t in content_terms(_ADVERB.sub(" ", scope)) if t not in own] if re.search(r"\w", scope) else []
        yield tuple(rest[: 1 if found[0].lower() == "without" else _SCOPE])


def _matched(claim: Statement, source: Statement) -> list[tuple[Figure, Figure]] | None:
    """Each figure of the claim with those of the source that bear it out; None if there is one without."""
    pairs = []
    for figure in claim.figures:
        own = [(figure, other) for other in source.figures if bears_out(other, figure)]
        if not own and not (_is_small(figure) and not any(same_unit(figure, other) for other in source.figures)):
            return None
        pairs += own
    return pairs


def _is_small(figure: Figure) -> bool:
    """ "Both", "two firms": a count that a writer makes by counting what the source lists."""
    return figure.unit == "" and figure.value <= 5 and figure.text[:1].isalpha()


def _fits(claim: Date, source: Date) -> bool:
    """Whether the source's date is the claim's or lies in it; what the claim leaves open may be anything."""
    for own, other in ((claim.year, source.year), (claim.month, source.month), (claim.day, source.day)):
        if own is not None and other is not None and own != other:
            return False
    if claim.day is not None:
        return source.day is not None
    if claim.month is not None:
        return source.month is not None
    return source.year is not None


def _wrong_date(claim: Statement, source: Statement, setting: Setting) -> bool:
    for day in claim.dates:
        if any(_fits(day, other) for other in source.dates):
            continue
        rivals = [o for o in source.dates if _grain(o) >= _grain(day)]
        if rivals or not any(_fits(day, other) for other in setting.dates):
            return True
    if claim.weekdays:
        known = source.weekdays | {w for d in (*source.dates, *claim.dates) if (w := _weekday(d))}
        if known and not claim.weekdays <= known:
            return True
        if not known and not claim.weekdays <= {w for d in setting.dates if (w := _weekday(d))}:
            return True
    return False


def _grain(day: Date) -> int:
    return 3 if day.day else 2 if day.month else 1


def _weekday(day: Date) -> str:
    if day.month is None or day.day is None:
        return ""
    try:
        return _WEEKDAYS[date(day.year or 2025, day.month, day.day).weekday()]
    except ValueError:
        return ""


def _wrong_name(claim: Statement, source: Statement, setting: Setting) -> bool:
    """Whether a name of the claim is not the source's: neither in its sentence nor what that sentence leaves unsaid."""
    for name in claim.names:
        around = source.words | setting.words
        if any(word not in around for word in name.words) and not set(name.words) <= setting.outlets:
            return True
        if source.has(name) or set(name.words) <= setting.outlets:
            continue
        # "It fell": the setting says who. "Broadcom fell" leaves nothing open.
        subject = name.start < claim.verb
        if any(
            other.code == name.code
            and (other.start < source.verb) == subject
            and not any(word in claim.words for word in other.words)
            for other in source.names
        ):
            return True
    return False


def _swapped(claim: Statement, source: Statement) -> bool:
    """Whether two names have changed places around the same verb."""
    ours, theirs = _sides(claim), _sides(source)
    if not (ours[0] and ours[1]):
        return False
    # "The worst was Vistra" is "Vistra was the worst", and "Nvidia lost" is what "Bloomberg reported that Nvidia lost".
    if not _deed(claim) or _deed(claim) != _deed(source):
        return False
    same_voice = bool(_PASSIVE.search(claim.text)) == bool(_PASSIVE.search(source.text))
    crossed = ours[0] & theirs[1] - theirs[0] and ours[1] & theirs[0] - theirs[1]
    straight = ours[0] & theirs[0] - theirs[1] and ours[1] & theirs[1] - theirs[0]
    return bool(crossed) if same_voice else bool(straight and not crossed)


def _deed(statement: Statement) -> str:
    """The first verb's term, without auxiliaries; empty where only these stand."""
    verbs = _VERB.findall(statement.text, statement.verb)
    return next((stem for verb in verbs[:3] for stem in content_terms(verb) if verb not in FUNCTION_WORDS), "")


def _sides(statement: Statement) -> tuple[set[str], set[str]]:
    """The words of the names before and after the first verb."""
    before = {w for n in statement.names if n.start < statement.verb for w in n.words}
    after = {w for n in statement.names if n.start > statement.verb for w in n.words}
    return before, after


def _of_others(claim: Statement, source: Statement, pairs: Sequence[tuple[Figure, Figure]]) -> bool:
    """Whether a figure is said of a name whose own, other figure the source gives."""
    if len(source.figures) < 2 or len(source.names) < 2:
        return False
    for figure, other in pairs:
        if sum(f is figure for f, _ in pairs) > 1:
            continue
        owner, theirs = _owner(figure, claim), _owner(other, source)
        if owner is None or theirs is None or set(owner.words) & set(theirs.words):
            continue
        rivals = [o for o in source.figures if o is not other and o.unit == other.unit]
        if any((r := _owner(rival, source)) and set(r.words) & set(owner.words) for rival in rivals):
            return True
    return False


def _owner(figure: Figure, statement: Statement) -> Name | None:
    """The last name in front of a figure that does not depend on another word, else the first behind it."""
    names = [n for n in statement.names if not n.code and not _BESIDE.search(statement.text[: n.start])]
    before = [n for n in names if n.start < figure.start]
    return before[-1] if before else next(iter(names), None)


def _negated_otherwise(claim: Statement, source: Statement) -> bool:
    ours = {term for scope in claim.negated for term in scope}
    theirs = {term for scope in source.negated for term in scope}
    if claim.negated and not source.negated:
        return True
    scoped = [scope for scope in claim.negated if scope]
    if scoped and not any(theirs.intersection(scope) for scope in scoped):
        return True
    said = set(claim.terms)
    for scope in source.negated:
        if scope and scope[0] in said and scope[0] not in ours and (len(scope) < 2 or said.intersection(scope[1:])):
            return not claim.negated
    return False


def _opposed(claim: Statement, source: Statement, pairs: Sequence[tuple[Figure, Figure]]) -> bool:
    ours, theirs = _direction(claim.text), _direction(source.text)
    if ours and theirs and not ours & theirs:
        return True
    for figure, other in pairs:
        one, two = _direction_at(claim, figure), _direction_at(source, other)
        if one and two and one != two and sum(f is figure for f, _ in pairs) == 1:
            return True
    more, others = _comparisons(claim.text), _comparisons(source.text)
    if any(others.get(term, sign) != sign for term, sign in more.items()):
        return True
    said, found = set(claim.terms), set(source.terms)
    for one_side, other_side in _OPPOSITES:
        for a, b in ((one_side, other_side), (other_side, one_side)):
            if said & a and not said & b and found & b and not found & a:
                return not claim.negated and not source.negated
    if bool(_BEFORE.search(claim.text)) != bool(_AFTER.search(claim.text)):
        before = bool(_BEFORE.search(claim.text))
        there, not_there = (_AFTER, _BEFORE) if before else (_BEFORE, _AFTER)
        return bool(there.search(source.text)) and not not_there.search(source.text)
    return False


def _comparisons(text: str) -> dict[str, int]:
    """What there is more (1) or less (-1) of."""
    return {
        term: 1 if found[1].lower() in ("more", "higher") else -1
        for found in _COMPARED.finditer(text)
        for term in content_terms(found[2])
    }


def _direction(text: str) -> set[int]:
    text = _MORE_THAN.sub(" ", text)
    found = set(terms(text))
    ways = {1} if found & (_UP - terms_of("more")) else set()
    if found & (_DOWN - terms_of("down less fewer")):
        ways.add(-1)
    ways |= {1 if way.lower() == "up" else -1 for way in _UP_OR_DOWN.findall(text)}
    return ways


def _direction_at(statement: Statement, figure: Figure) -> int:
    """The way of the last word of direction in front of a figure, in its clause; 0 if there is none."""
    before = _MORE_THAN.sub(" ", statement.text[: figure.start])
    for word in reversed(_CLAUSE_END.split(before)[-1].split()):
        stems = set(terms(word))
        if stems & _UP or word.lower() == "up":
            return 1
        if stems & _DOWN:
            return -1
    return 0


@cache
def terms_of(words: str) -> frozenset[str]:
    """The terms of some words."""
    return frozenset(terms(words))
