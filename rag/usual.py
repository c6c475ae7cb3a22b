"""Questions about what this collection is asked most, in the words in which reports tell it. Pure.

A share "takes a nosedive", "sheds" or "is down by" what reports say that it "fell". Where a question consists of such
words, what it asks for, a day and one name, nothing is lost when it is asked in the usual words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rag.text import FUNCTION_WORDS, terms

_MONTHS = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|dec(?:ember)?)\b\.?"
_WEEKDAY = r"(?:the |that )?(?:(?:mon|tues|wednes|thurs|fri)day,? )?(?:the )?"
_DAY = re.compile(
    rf"\b(?:(?:on|at|of|for|during) )?{_WEEKDAY}"
    rf"(?P<day>(?:\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTHS}|{_MONTHS} \d{{1,2}}(?:st|nd|rd|th)?)(?:,? 20\d\d)?)",
    re.IGNORECASE,
)
_CRASH_DAY = re.compile(
    r"\b(?:(?:on|during|at|in) )?(?:(?:the |that )?(?:very )?day (?:of|that|when)? ?)?"
    r"(?:(?:the |that )?deepseek(?:['’]s)? (?:black )?(?:monday|day)\b"
    r"|(?:(?:the|that) (?:deepseek(?:['’]s)? )?|deepseek(?:['’]s)? )"
    r"(?:crash|shock|rout|sell-?off|panic|turmoil|slump)\b(?! (?:of|in)\b)"
    r"|(?<=day )(?:its|their|the|tech) (?:\w+ ){0,2}(?:crashed|collapsed|fell|plunged|tumbled)\b)",
    re.IGNORECASE,
)
"""What happened then, when it is named instead of a date."""
_CRASH_MONDAY = re.compile(r"\b(?:(?:on|that|the) )*deepseek(?:['’]s)? (?:black )?(?:monday|day)\b", re.IGNORECASE)
_OF_FIRM = re.compile(r"(?<=[A-Za-z]),? (?:AG|Inc|Corp|Corporation|plc|PLC|Ltd|N\.V|NV|SE)\b(?:\.(?! ?[A-Z]))?")
"""The form of a firm, which reports leave out."""
_PIECE = re.compile(r"[^\s?!,;:()\"“”]+")
_DAY_AFTER = re.compile(
    r"\b(?:on )?the (?:day|session|morning|Tuesday) (?:(?:right |directly |immediately )?after|following) "
    r"(?:(?:the|that|Monday['’]s) )?(?:(?:DeepSeek(?:['’]s)?|stock|tech|share|market) )*"
    r"(?:crash|shock|rout|sell-?off|panic|slump|plunge)\b(?! (?:of|in) (?!27|January|late))",
    re.IGNORECASE,
)
_NTH = r"(?:2\d|3[01])"
_NEAR_CRASH = re.compile(
    r"(?:(?:the )?\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,? (?:the )?)?"
    rf"\b(?:(?P<day>{_NTH})(?:st|nd|rd|th)?(?: of)? Jan(?:uary)?\b\.?"
    rf"|Jan(?:uary|\.)? (?P<american>{_NTH})(?:st|nd|rd|th)?\b)"
    r"(?!,? (?:and|to|until|or|20\d\d)\b|[-–/]\d)",
    re.IGNORECASE,
)
"""A day of those weeks without its year."""
_WALL_STREET = re.compile(
    r"\b(what (?:happened|went on) |how did )(on |in )?Wall Street(?=[?]?\Z| (?:on|in|do|fare|close|end|finish)\b)",
    re.IGNORECASE,
)
"""The market, not the street where analysts work."""
_INDEX = re.compile(r"\b(?:Nasdaq|Dow|S&P|index|Nikkei|Kospi|Dax|Stoxx|FTSE|Hang Seng|Topix|Vix)\b", re.IGNORECASE)
_VERSION = re.compile(r"(?:DeepSeek[- ]?)?(?:[A-Za-z]{1,7}[- ]?)?[A-Za-z]?\d[\w.-]*|Janus(?:-Pro)?", re.IGNORECASE)
_FIRM = re.compile(r"DeepSeek|High-?Flyer", re.IGNORECASE)
_OTHERWISE = re.compile(
    r"\bnot\b|n['’]t\b|\bhow (?:many|long|soon|often)\b(?! per ?cents?\b)|\bpoints\b"
    r"|\band (?:(?:in|on|at|by|to|for|of) )?(?:wh\w+|how)\b"
    r"|\b(?:bounc|rebound|recover|regain|r[io]se|gain|climb|jump|lift|resume|return)\w*"
    r"|\b(?:next|following|day after|week|month|year|before|since|until|between|compared|than)\b",
    re.IGNORECASE,
)
"""Says more than the usual words do."""
_ASKS = re.compile(
    r"\b(?:wh(?:o|om|ose|at|en|ere|y|ich)|how|reason|cause|date|day|did|do|does|is|was|were|has|have)\b", re.IGNORECASE
)
_FEW_WORDS = 8
_MOST_WORDS = 4
"""Of a name."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_FALL = _set(
    """fall fell fallen drop decline dip dive nosedive tumble slide slid retreat plunge slump sink sank crash
    decrease slip dent tank plummet collapse depreciate depreciation down minus crater hammer battered clobbered
    pummelled hammering depressed dropped shaved downturn drawdown setback skid slipped"""
)
_LOSE = _set("lose lost loss shed give gave drop surrender forfeit knock shave shaved")
"""So does this where shares or a part of them are said to be lost; of money it is another question."""
_PARTS = _set("percent percentage per cent far fraction")
_SHARES = _set("""shares stock stocks price prices equity quotation quoted listing paper securities index""")
_AROUND = _set(
    """a an the of in on at to by for from with its it his their this that these those and did do does done is are
    was were be been has had have having when as because due thanks over amid after news release arrival launch
    emergence deepseek deepseek's chinese china ai chatbot model start-up startup shock rout panic turmoil scare
    sell-off selloff market markets wall street exchange trading session investors everybody everyone freaked
    spooked rattled hit caused take took taken make made suffer suffered sustained experience experienced see
    saw seen register registered record recorded go went come came give gave get got end ended close closed
    finish day date please tell me say name know i i'd we want need would like could can you kindly give exactly
    exact precisely about roughly just really so well hey hi ok okay there then out off up 2025 them be back one
    kind sort mister mr"""
)
_PLAIN = _AROUND - _set("market markets wall street exchange trading session investors")
_HOW_MUCH = _set(
    """how percent percentage per cent far much big large steep steeply hard badly strong strongly deep deeply sharp
    sharply extent size fraction figure amount number quantify measure magnitude scale"""
)
_WHY = _set(
    """why reason reasons motive cause caused explain explanation attributed attributable trigger triggered led
    drove drag dragged behind"""
)
_RELEASE = _set(
    """release released launch launched drop dropped unveil unveiled publish published publication appear appeared
    appearance debut arrive arrived arrival introduce introduced introduction present presented issue issued
    available out rollout premiere follow followed public unleash unleashed world land landed ship shipped"""
)
_WHEN = _set("when day date")
_FOUND = _set(
    """founded founder found start started starter create created creator establish established build built set
    launched behind brains brain mastermind father made initiator ground originated originator began begun"""
)
_WHO = _set("who whom whose person man guy woman")
_FARE = _set("fare fared perform performed performance finish finished")
_SPEND = _set(
    """spend spent spending invest invested investing investment outlay expenditure expenditures capex put pour
    poured lay laid allocate earmark budget commit splash shell plough sink"""
)
_SUM = _set(
    """how much many what which money cash dollars billions billion sum amount high large big budget figure number
    total"""
)
_PLANNED = _set(
    """plan planned plans planning want wants intend intended intends going gonna will would expect expected
    forecast foresee guidance set supposed meant pledge pledged aim announce announced say said earmarked
    capital ai artificial intelligence infrastructure data centre centres center centers servers chips buildings
    computing technology stuff things such year calendar all in total altogether this on for"""
)
_COST = _set(
    """cost costs costing spend spent outlay price bill expense expensive expenses sum money budget dollars pay
    paid expenditure cheap cash figure"""
)
_TRAIN = _set("train trained training teach taught teaching")
_CLAIM = _set(
    """according own itself itself's official officially claim claims claimed state stated report reported quote
    quoted named name paper technical cited gives gave put number final run"""
)
_WORTH = _set("value capitalisation capitalization worth valuation cap")
_GONE = _set(
    """wipe wiped erase erased evaporate evaporated vanish vanished disappear disappeared destroyed smoke gone burn
    burned burnt cost"""
)
_BASED = _set(
    """based headquarters headquartered hq located location seat sit sits situated home resident reside office
    offices registered domicile"""
)
_WHERE = _set("where city town place municipality located location")
_BAN = _set(
    """ban banned block blocked prohibit prohibited prohibition outlaw outlawed bar barred forbid forbade forbidden
    stop stopped restrict restricted shut suspend suspended pause paused halt halted pull pulled remove removed
    act acted action measures"""
)
_OF_BAN = _set(
    """deepseek deepseek's app application chatbot software tool use using used government governments official
    devices device phones computers agencies agency staff employees authorities authority data protection
    regulator watchdog privacy downloads download state from its their own temporarily
    service services access to impose imposed order ordered act acted action against country country's"""
)


@dataclass(frozen=True, slots=True)
class _Usual:
    """A usual question: something of each of `holds` stands in what is asked, else only `beside` and one name."""

    holds: tuple[frozenset[str], ...]
    beside: frozenset[str]
    name: re.Pattern[str]
    form: str


_ANY_NAME = re.compile(
    r"(?!.*\b(?:companies|company|firms?|makers|producers|suppliers|other|itself|most|it|they|APIs?|tokens?|[RV]\d\S*)\b)"
    r".*\w.*",
    re.IGNORECASE,
)
"""No model, whose prices are no shares', and nobody who is not named."""
_WHICH = _set("what which many")
_ASKING = _set("how what which when who whose is name called on exactly exact")
_THIS_YEAR = _set("2025 year")
_THE_APP = _set("deepseek deepseek's app chatbot application downloads")
_GROUNDS = _WHY | _set("grounds justification justify purpose")
_USUAL = (
    _Usual((_WHY, _FALL), _AROUND | _SHARES | _PARTS | _ASKING | _HOW_MUCH, _ANY_NAME, "Why did {name} fall{day}?"),
    _Usual((_HOW_MUCH, _FALL), _AROUND | _SHARES | _PARTS | _WHICH, _ANY_NAME, "How far did {name} fall{day}?"),
    _Usual((_HOW_MUCH, _LOSE, _PARTS | _SHARES), _AROUND | _WHICH, _ANY_NAME, "How far did {name} fall{day}?"),
    _Usual(
        (_SUM, _LOSE | _FALL | _GONE, _WORTH),
        _AROUND | _SHARES | _set("billion billions dollars market"),
        _ANY_NAME,
        "How much market value did {name} lose{day}?",
    ),
    _Usual((_set("how what"), _FARE), _AROUND | _SHARES | _HOW_MUCH, _ANY_NAME, "How did {name} do{crash}?"),
    _Usual((_SUM, _SPEND, _THIS_YEAR), _AROUND | _PLANNED, _ANY_NAME, "How much does {name} plan to spend in 2025?"),
    _Usual((_SUM, _COST, _TRAIN), _AROUND | _CLAIM, _VERSION, "What does DeepSeek say it cost to train {name}?"),
    _Usual((_WHEN, _RELEASE), _AROUND | _ASKING, _VERSION, "When was {name} released?"),
    _Usual(
        (_WHO, _FOUND),
        _AROUND - _set("deepseek deepseek's") | _set("what is name called which"),
        _FIRM,
        "Who founded {name}?",
    ),
    _Usual(
        (_WHERE, _BASED),
        _AROUND - _set("deepseek deepseek's") | _set("what which company firm"),
        _FIRM,
        "Where is {name} based?",
    ),
    _Usual((_WHEN, _BAN, _THE_APP), _PLAIN | _OF_BAN | _ASKING, _ANY_NAME, "When did {name} ban DeepSeek?"),
    _Usual((_GROUNDS, _BAN, _THE_APP), _PLAIN | _OF_BAN | _ASKING, _ANY_NAME, "Why did {name} block DeepSeek?"),
)


@cache
def _terms(words: frozenset[str]) -> frozenset[str]:
    """Stemmed at the first question: what only imports this needn't wait for it."""
    return frozenset(terms(" ".join(words)))


@cache
def _known(question: _Usual) -> frozenset[str]:
    return frozenset().union(*map(_terms, (question.beside, *question.holds)))


_ALIASES = {
    "google": "Alphabet",
    "facebook": "Meta",
    "italian": "Italy",
    "rome": "Italy",
    "south korean": "South Korea",
    "seoul": "South Korea",
    "australian": "Australia",
    "australians": "Australia",
    "canberra": "Australia",
    "taiwanese": "Taiwan",
    "taipei": "Taiwan",
    "texan": "Texas",
}
"""What reports call them."""


def usual(question: str) -> str:
    """The question in the words in which it is asked most; itself where it says more than these do.

    >>> usual("What kind of a nosedive did Broadcom take on DeepSeek Monday, in percent?")
    'How far did Broadcom fall on 27 January 2025?'
    >>> usual("how come nvidia crashed because of deepseek"), usual("Who started DeepSeek?")
    ('Why did nvidia fall?', 'Who founded DeepSeek?')
    >>> usual("What day did DeepSeek drop R1 on the world?")
    'When was R1 released?'
    >>> usual("How far did Micron fall before the opening?")
    'How far did Micron fall before the opening?'
    """
    question = _NEAR_CRASH.sub(_whole_date, _DAY_AFTER.sub("on 28 January 2025", question))
    question = _WALL_STREET.sub(lambda found: f"{found[1]}{found[2] or ''}the US stock market", question)
    text = re.sub(r"\bhow come\b", "why", _OF_FIRM.sub("", question), flags=re.IGNORECASE)
    text = re.sub(r"\bwhat (?:made|sent|caused|drove|pushed|dragged|brought|sank)\b", "why", text, flags=re.IGNORECASE)
    day = ""
    if found := _CRASH_DAY.search(text):
        day = " on 27 January 2025"
        text = f"{text[: found.start()]} {text[found.end() :]}"
    if found := _DAY.search(text):
        day = f" on {found['day']}"
        text = f"{text[: found.start()]} {text[found.end() :]}"
    # A question with another one beside it asks for more than either.
    if "?" in text.strip(" ?") or _OTHERWISE.search(text):
        return _CRASH_MONDAY.sub("on 27 January 2025", question)
    pieces = list(_PIECE.finditer(text))
    own = [frozenset(terms(piece[0])) for piece in pieces]
    # "The Nasdaq's drop on 27 January?" asks how far.
    implied = _HOW_MUCH if len(pieces) <= _FEW_WORDS and not _ASKS.search(text) else None
    for one in _USUAL:
        needed = (_terms(held) for held in one.holds if held is not implied)
        if not all(any(not o.isdisjoint(held) for o in own) for held in needed):
            continue
        name = _name(text, pieces, [o <= _known(one) for o in own])
        if name and one.name.fullmatch(name):
            made = one.form.format(name=name, day=day, crash=day or " on 27 January 2025")
            return question if _letters(made) == _letters(question) else made
    return _CRASH_MONDAY.sub("on 27 January 2025", question)


def _whole_date(found: re.Match[str]) -> str:
    return f"{found['day'] or found['american']} January 2025"


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _name(text: str, pieces: Sequence[re.Match[str]], known: Sequence[bool]) -> str:
    """What stands in one place of the question and is no word of it; empty where there is none such, or more."""
    places = [place for place, is_known in enumerate(known) if not is_known]
    if not places or places[-1] - places[0] != len(places) - 1 or len(places) > _MOST_WORDS:
        return ""
    name = text[pieces[places[0]].start() : pieces[places[-1]].end()]
    if "," in name or not FUNCTION_WORDS.isdisjoint(name.lower().split()):
        return ""
    beside = [piece[0].lower() for piece in (pieces[max(0, places[0] - 1)], *pieces[places[-1] + 1 :][:1])]
    is_index = beside[-1].startswith("index")
    # In small letters any word may be a name.
    if text[1:] != text[1:].lower() and not (is_index or re.match(r"[A-Z\d&]", name.split()[-1])):
        return ""
    name = re.sub(r"['’]s?\Z", "", name.rstrip("."))
    name = re.sub(r" (?:Group|Holdings?)\Z", "", f"{name}{' index' * is_index}")
    return ("the " * (beside[0] == "the" and bool(_INDEX.search(name)))) + _ALIASES.get(name.lower(), name)
