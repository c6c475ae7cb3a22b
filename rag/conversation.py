"""A follow-up question to the question it stands for, from the history alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from rag.figures import in_words
from rag.period import CRASH, periods_named
from rag.spelling import written_out
from rag.text import FUNCTION_WORDS, function_terms, terms

_NAME = re.compile(r"\b[A-Z][\w&.-]*\w(?:\s+(?:[A-Z][\w&.-]*\w|\d+(?!\d*%)))*")
_PERSON = re.compile(r"\b[A-Z][a-z]+(?:-[A-Z]?[a-z]+)?(?: [A-Z]\.)? [A-Z][a-z]+(?:-[A-Z]?[a-z]+)?\b")
_PERSONS = re.compile(r"\b[A-Z][\w-]*\w\.?(?: [A-Z][\w-]*\.?)+")
_LAST_PERSON = re.compile(rf"(?:{_PERSON.pattern})$")
_ELLIPSIS = re.compile(
    r"^(?:(?:ok(?:ay)?|right|fine|great|good|cool|thanks|sure|hm+|ah|oh)\b[\s,.!]*)?"
    r"(?:and|but|or|also|so|then|what about|how about|what of)\b[\s,]*",
    re.IGNORECASE,
)
_OWN_SENTENCE = re.compile(
    r"(?:(?:yet|still|then|so|now|yes|no)\b[\s,]*)*(?:it|they|he|she|this|that|there|we|you|i)\b",
    re.IGNORECASE,
)
"""Behind "and" it goes on with what was said, and puts nothing in the place of another thing."""
_TAG = re.compile(
    r", (?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)(?:n['’]t)? (?:it|they|he|she|that|there)"
    r"(?=\?)",
    re.IGNORECASE,
)
"""Asks only whether what is said is so."""
_ANYBODY = frozenset(f"{which}{what}" for which in ("some", "any", "no", "every") for what in ("thing", "one", "body"))
"""Begin a sentence with a capital, and are no names."""
_POST = r"(?:founder|boss|chief(?: executive)?|head|CEO|chairman|president|creator|owner)"
_ROLE = re.compile(rf"\b(?P<whose>[A-Z][\w.-]*)['’]s {_POST}\b|\bthe {_POST} of (?:the )?(?P<of>[A-Z][\w.-]*\w)")
"""Somebody called by what he is."""
_ASKS = re.compile(r"(?:who|what|when|where|which|why|how|did|do|does|is|are|was|were|has|have|can)\b", re.IGNORECASE)
_ASKS_ON = re.compile(rf"(?:(?:in|on|at|to|by|from|for|since|with|of) (?=wh|how))?{_ASKS.pattern}", re.IGNORECASE)
_ASKS_WHO = re.compile(r"\W*who\b", re.IGNORECASE)
_ASKS_MEANING = re.compile(r"(?:what|who) (?:is|are|was|were)\b", re.IGNORECASE)
_PERSONAL = re.compile(r"\b(?:he|she|him|his|her|hers)\b", re.IGNORECASE)
_NEUTRAL = re.compile(r"\b(?:it|its|they|them|their|theirs|(?:this|that|these|those) ones?)\b", re.IGNORECASE)
_IN_IT = re.compile(r"\b(?:in|inside|of|from|on|at|about|behind|through|with) (?:it|them)\b", re.IGNORECASE)
_POINTING = re.compile(
    r"\b(?:this|that|these|those)(?: (?P<noun>(?!(?:is|was|were|are|did|do|does|has|have|had|can|could|will|would"
    r"|cost|mean|happen|affect|hurt|help|come|make|change|really|all|also)\b)[a-z][a-z-]+))?\b",
    re.IGNORECASE,
)
"""Points at what was said before as a whole, or at a noun of it: "that technique"."""
_OTHER_DAY = r"(?:tues|wednes|thurs|fri|satur|sun)day"
_THAT_DAY = re.compile(
    r"(?:\b(?P<before>on|in|at|during|of|from|since|by|for|until|before|after) )?"
    rf"\b(?:that (?:same |very |one )?(?:day|session|(?P<weekday>monday)|(?P<other>{_OTHER_DAY}))"
    rf"|this monday|(?<=\bon )the (?:day|monday|(?P<the_other>{_OTHER_DAY})(?!,? (?:or|the|and)\b))"
    r"(?=\W*(?:$|[?!.,;)–—-]| (?:and|or|but)\b)))\b"
    r"(?! (?:that|when|of|after|before|which)\b)",
    re.IGNORECASE,
)
"""Points at a day; "the day that" and "the day after" say themselves which one."""
_DAY_AFTER = re.compile(
    r"(?:\b(?:in|on|during) )?\bthe (?:(?:next|following) (?:session|day|trading day)|(?:day|session) after)\b"
    r"(?=\W*(?:$|[?!.,;)]| (?:and|or|but)\b))",
    re.IGNORECASE,
)
"""The day after the one spoken of."""
_TIME_WORD = re.compile(r"(?:\w+day|morning|afternoon|evening|night|week|weekend|month|quarter|year|time|point|much)s?")
"""Those need no word before: "that Monday" is the one that everything is about."""
_SAYING = re.compile(r"(?:say|says|said|tell|think|thought|know|known|mean|so|all|those|one|such)")
"""A "that" behind one of these mostly joins what follows: "Did he say that it is over?"."""
_GOES_ON = re.compile(
    r"(?:[,;]|\s)\s*(?:and|but|or)\s+(?:who|what|when|where|which|why|how|did|do|does|is|are|was|were|has|have|can)\b",
    re.IGNORECASE,
)
"""Where a question goes on with another one: "What did V3 cost, and what does that figure leave out?"."""
_BARE_BEHIND = frozenset(
    {"for", "in", "on", "at", "to", "of", "by", "with", "from", "because", "or", "and", "but", "about"}
)
"""A "that" before one of these stands alone."""
_BEING = frozenset({"is", "are", "was", "were"})
_THERE = re.compile(
    r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\A)\bthere(?=\W*\Z| (?:too|as well)\b)", re.IGNORECASE
)
_THE_FIRM = re.compile(
    r"\bthe (?:company|firm|group|start-?up|lab|laboratory)\b"
    r"(?!['’]?s? (?:that|which|who|behind|of|called|named|to|with)\b)",
    re.IGNORECASE,
)
_THEY = re.compile(r"(?:they|them|their|theirs)", re.IGNORECASE)
_SEVERAL = re.compile(r"(?:\A(?:what|which) |\bwhich |\bhow many |\bthe )(?P<noun>[a-z][a-z-]+s)\b")
"""What "they" may be, where it isn't a firm."""
_THING = re.compile(
    r"\bthe (?:app|model|chip|chatbot|bill|law|paper|report|database|attack|order|ban)\b", re.IGNORECASE
)
_POSSESSED = re.compile(
    r"\b(?:[A-Z][\w.-]*\w )*[A-Z][\w.-]*\w['’]s (?:bill|law|paper|report|essay|database|letter|lawsuit|order|ban)\b"
)
"""Something of somebody's, which "it" means rather than him."""
_COUNTRIES = re.compile(
    r"(?:America|Australia|Belgium|Britain|Canada|China|Czechia|Europe|France|Germany|India"
    r"|Ireland|Israel|Italy|Japan|Luxembourg|Netherlands|Poland|Russia|Singapore|Switzerland|Taiwan"
    r"|Texas|UK|US|USA|South Korea|Saudi Arabia|New York|United States|European Union|Hong Kong)"
)
"""What happened in them is rather what "it" is."""
_NO_PERSON = re.compile(
    r"\b(?:AI|Act|Agency|Authority|Bank|Business|Capital|Commission|Committee|Composite|Congress"
    r"|Department|Electric|Energy|Exchange|Foundation|Fund|House|Index|Institute|Jones|Journal"
    r"|Kingdom|Korea|Learning|Media|Micro|Ministry|Navy|Networks|News|Post|Research"
    r"|Security|Senate|South|States|Store|Street|Technologies|Times|University|Ventures|Wales)\b"
)
"""Words of names of two words that aren't those of people."""
_ON_DAY = re.compile(
    r"\b(?:on|of) (?:the )?"
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day(?: \d{1,2} [A-Z][a-z]+)?|\d{1,2} [A-Z][a-z]+|[A-Z][a-z]+ \d{1,2})"
    r"(?:,? \d{4})?\b",
    re.IGNORECASE,
)
_POSSESSIVE = frozenset({"his", "her", "hers", "its", "their", "theirs"})
_SAID_ABOUT = re.compile(
    r"\b(?:say|said|think|thought|tell|told|post|posted|write|wrote|call|called|comment|commented)\b.*?"
    r"\b(?:about|of|on) (?P<subject>.*)",
    re.IGNORECASE,
)
"""What was talked about stands behind it, who talked before it."""
_INTRODUCED = re.compile(
    r"(?:what|who)(?:['’]s| is| are| was| were)(?: even| exactly)? (?:the |an? )?(?P<subject>.+?)\W*", re.IGNORECASE
)
_HOLDS = re.compile(
    r"\b(?:an?|the|its|their|this) (?P<what>(?:[\w-]+ ){0,3}?(?:database|report|paper|letter|memo|study|audit"
    r"|interview|statement|essay|post|bill|law|order|article|agreement|deal|contract))\b"
)
_ASKS_FUND = re.compile(
    r"(?:and |so )?(?:which|what) (?:[a-z]+ ){0,2}(?:fund|parent|owner|investor|backer)\b", re.IGNORECASE
)
_IN = re.compile(r"\b(?:in|inside|from) it\b", re.IGNORECASE)
"""What holds something is meant by "in it", rather than whose it is."""
_MODEL_OF = re.compile(r"\b[A-Z]\w+(?:['’]s)? (?:model )?(?P<version>[RV]\d[\w.-]*)")
"""Of a firm and its model "it" is the model."""
_ATTRIBUTE = re.compile(r"^[a-z][a-z -]* of \b")
_PLACED = re.compile(r"(?:behind|in|at|on|with|from|to) ", re.IGNORECASE)
_MOST_OF_SUBJECT = 6
"""Words of what a question asks the meaning of."""
_CHANGES = re.compile(
    r"\W*(?:(?:ok(?:ay)?|right|fine|well|good|now|thanks|so|and|but)\b[,.]? )*"
    r"(?:(?:on to |to |let['’]?s |now )?(?:an?other|something|anything|different|new|other|next|change of)"
    r"(?: (?:else|different|subject|topic|question|thing|matter|point))*|changing (?:the )?(?:subject|topic)"
    r"|on (?:a different|another) (?:note|subject|topic|matter))(?: (?:entirely|altogether|now|then))?\s*[:,;.–—-]+\s*",
    re.IGNORECASE,
)
"""Says that what follows has nothing to do with what was said before."""
_OWN = re.compile(
    r"\b(?:did|does|do|has|have|had|will|can|could) (?:the )?(?:[A-Z][\w.&-]*[ ])+[a-z]+ (?:its|their|his|her)\b"
)
"""What the question itself names has something: "What did the Navy tell its people?"."""
_NAMED_FIRST = re.compile(
    r"(?:\A|[.!] )(?P<name>(?:the )?[A-Z][\w&.-]*(?: [A-Z][\w&.-]*)*), "
    r"(?P<asked>(?:who|what|when|where|which|why|how|did|does|do|is|was)\b.*)\Z"
)
"""Says first what it is about, and then "it"."""
_WHICH_WAS_IT = re.compile(
    r"(?:which|what|who|when|where|how)\b(?: [\w-]+){0,3} (?:is|was|were) (?:it|that|this|they)(?: exactly)?\W*",
    re.IGNORECASE,
)
"""Asks for something of what was said before, whatever that is called."""
_FRAGMENT_WORDS = 4
"""A question of no more words than this, with at most one of content, can't stand alone after another one."""


def standalone(question: str, history: Sequence[tuple[str, str]]) -> str:
    """The question with what it leaves unsaid filled in from the last turn; unchanged when it stands alone.

    >>> standalone("And Broadcom?", [("What happened to Nvidia on Monday?", "Nvidia fell. [1]")])
    'What happened to Broadcom on Monday?'
    >>> standalone("What is distillation?", [("Who founded DeepSeek?", "Liang Wenfeng founded DeepSeek. [1]")])
    'What is distillation?'
    >>> standalone("Where did he study?", [("Who founded DeepSeek?", "Liang Wenfeng founded DeepSeek. [1]")])
    'Where did Liang Wenfeng study?'
    >>> standalone("How far did the Nasdaq fall that Monday?", [])
    'How far did the Nasdaq fall on 27 January 2025?'
    """
    asked = _filled_in(question, history)
    # Beside the question before, with its own day, the next day says itself which it is.
    if history and not asked.endswith(")") and (after := _DAY_AFTER.search(asked)):
        days = next((days for text in history[-1] if len(days := _days_of(text)) == 1), {CRASH})
        return f"{asked[: after.start()]}on {in_words(days.pop() + timedelta(days=1))}{asked[after.end() :]}"
    return asked


def _filled_in(question: str, history: Sequence[tuple[str, str]]) -> str:
    if changes_subject(question):
        question, history = _CHANGES.sub("", question, count=1), ()
    question = _TAG.sub("", written_out(question))
    if not history:
        return with_day(question, ())
    last_question, last_answer = history[-1]
    # The last question may itself have been a follow-up.
    last_question = standalone(last_question, history[max(0, len(history) - 3) : -1])

    bare = _ELLIPSIS.sub("", question)
    if first := _NAMED_FIRST.search(bare):
        # "And the Irish, what did their regulator do?" says itself whom it means.
        own = "" if _ASKS.match(first["name"]) else first["name"]
        kind = next((p for p in (_PERSONAL, _NEUTRAL) if own and p.search(first["asked"])), None)
        if kind:
            return written_out(with_day(_replace_first(kind, first["asked"], own), (last_question, last_answer)))
    if bare != question and not _ASKS_ON.match(bare) and not _OWN_SENTENCE.match(bare):
        return _substituted(bare, last_question)
    question = with_day(question, (last_question, last_answer))
    if _WHICH_WAS_IT.fullmatch(bare):
        return f"{question} ({last_question})"
    if _refers(_PERSONAL, question):
        person = _person(last_question, last_answer)
        if person:
            return written_out(_replace_first(_PERSONAL, question, person))
    pointing = _pointing(question)
    pronoun = _NEUTRAL.search(question)
    # "That method and how it works" points, and then means by "it" what it pointed at.
    if _refers(_NEUTRAL, question) and not (pointing and pronoun and pointing.start() < pronoun.start()):
        are_several = bool(pronoun and _THEY.fullmatch(pronoun[0]))
        several = _several(last_question) if are_several else ""
        subject = (
            several
            or _held(last_question, question)
            or _fund(last_question, last_answer)
            or _subject(last_question, question)
        )
        if not subject or (are_several and _THING.fullmatch(subject)):
            return f"{question} ({last_question})"
        if several or _THING.fullmatch(subject):
            return f"{_replace_first(_NEUTRAL, question, subject)} ({last_question})"
        named = written_out(_replace_first(_NEUTRAL, question, subject))  # Of a name only it asks for a post.
        if _says_little(question) and not _INTRODUCED.fullmatch(last_question):
            return f"{named} ({last_question})"
        return named
    if _THERE.search(question):
        return f"{question} ({last_question})"
    firm = None if pointing else _THE_FIRM.search(question)
    if firm and not _names(question) and (subject := _subject(last_question, question)):
        return question[: firm.start()] + subject + question[firm.end() :]
    if pointing:
        meant = _meant(pointing["noun"], last_answer) if pointing["noun"] else ""
        if meant:
            return question[: pointing.start()] + meant + question[pointing.end() :]
        if fund := _fund(last_question, last_answer):
            return question[: pointing.start()] + re.sub(r"^\w+", lambda _: fund, question[pointing.start() :])
        return f"{question} ({last_question})"
    content = _content(question)
    if (
        len(question.split()) <= _FRAGMENT_WORDS
        and len(content) <= 1
        and not (content and _ASKS_MEANING.match(question))
    ):
        return f"{question} ({last_question})"
    return question


def changes_subject(question: str) -> bool:
    """Whether a question says itself that it has nothing to do with what was said before.

    >>> changes_subject("Ok, something else: who is Wiz?"), changes_subject("What else did Wiz find?")
    (True, False)
    """
    return bool(_CHANGES.match(question))


def gone_on_from(asked: str, history: Sequence[tuple[str, str]]) -> str:
    """The question before that a stand-alone one may go on from; empty where there is none, or it has it already."""
    return (
        "" if not history or asked.endswith(")") else standalone(history[-1][0], history[max(0, len(history) - 3) : -1])
    )


def with_day(question: str, told: Sequence[str]) -> str:
    """The question with the date of the day that it points at: the one before in these texts, or that of the crash.

    >>> with_day("How far did it rise on the Tuesday?", ())
    'How far did it rise on 28 January 2025?'
    """
    pointed = _THAT_DAY.search(question)
    if not pointed or periods_named(question):
        return question
    if other := pointed["other"] or pointed["the_other"]:
        return f"{question[: pointed.start()]}on {in_words(_near_crash(other))}{question[pointed.end() :]}"
    days = next((days for text in told if (days := _days_of(text))), {CRASH})
    days = {day for day in days if not pointed["weekday"] or day.weekday() == CRASH.weekday()} or {CRASH}
    if CRASH not in days and len(days) > 1:
        return question
    day = CRASH if CRASH in days else days.pop()
    before = pointed["before"] or "on"
    word = "on" if before.lower() in {"in", "at", "during"} else before
    return f"{question[: pointed.start()]}{word} {in_words(day)}{question[pointed.end() :]}"


def _near_crash(weekday: str) -> date:
    """The day of that name in the week of the crash, or in the weekend before it."""
    days = (CRASH + timedelta(days=offset) for offset in range(-2, 5))
    return next(day for day in days if day.strftime("%A").lower() == weekday.lower())


def _next(weekday: str, day: date) -> date:
    """The first day of that name after another one."""
    following = (day + timedelta(days=later) for later in range(1, 8))
    return next(one for one in following if one.strftime("%A").lower() == weekday.lower())


def _days_of(text: str) -> set[date]:
    """The days that a text names, without periods of several days."""
    named = periods_named(text)
    return {date.fromisoformat(period.start) for period in named if period.start and period.start == period.end}


def _refers(pronouns: re.Pattern[str], question: str) -> bool:
    """Whether a question has one of the pronouns for what was said before, and not for what it names itself."""
    found = pronouns.search(question)
    own = _OWN.search(question)
    if found is None or (own and own.end() == found.end()):
        return False
    return _is_of_before(question, found.start())


def _is_of_before(question: str, place: int) -> bool:
    """Whether what stands at a place can't be meant for a name in an earlier part of the question."""
    first = _GOES_ON.search(question, 0, place)
    return first is None or not _names(question[: first.start()])


def _says_little(question: str) -> bool:
    """Whether a question asks for something in or of what was said before, and has next to no words besides."""
    content = _content(question)
    return not content or (len(content) == 1 and _IN_IT.search(question) is not None)


def _content(text: str) -> list[str]:
    return [term for term in terms(text) if term not in function_terms()]


def _pointing(question: str) -> re.Match[str] | None:
    """Where a question points at something said before."""
    for found in _POINTING.finditer(question):
        noun = (found["noun"] or "").lower()
        before = question[: found.start()].split()[-1:]
        word = re.split("['’]", before[0].lower().strip(","))[0] if before else ""
        if _TIME_WORD.fullmatch(noun) or (noun in FUNCTION_WORDS and noun not in _BARE_BEHIND and word not in _BEING):
            continue
        joins = bool(_SAYING.fullmatch(word)) and (not noun or bool(_names(question)))
        # "The model that won" says itself which one, "Who ordered that?" does not.
        acted_on = word.endswith("ed") and not re.search(r"\w", question[found.end() :])
        if not joins and (not word or word in FUNCTION_WORDS or acted_on) and _is_of_before(question, found.start()):
            return found
    return None


def _meant(noun: str, last_answer: str) -> str:
    """What the last answer calls by this noun: "the Jevons paradox" for "that paradox"; empty where nothing."""
    named = re.search(rf"\b(?:[A-Z][\w'’.-]*\w )+{re.escape(noun)}\b", last_answer)
    if not named:
        return ""
    words = named[0].split()
    while words[0].lower() in FUNCTION_WORDS:
        words.pop(0)
    return f"the {' '.join(words)}" if len(words) > 1 else ""


def _subject(last_question: str, question: str = "") -> str:
    """What a question is about: what it asks the meaning of, what was talked about, or the first that it names.

    Args:
        question: the one that goes on with it: what it names itself it doesn't mean by a pronoun.
    """
    introduced = _INTRODUCED.fullmatch(last_question)
    if introduced and len(introduced["subject"].split()) <= _MOST_OF_SUBJECT:
        subject = introduced["subject"]
        if re.search(r"[A-Z\d]", subject) and not _ATTRIBUTE.match(subject) and not _PLACED.match(subject):
            return subject.removesuffix("'s").removesuffix("’s")
    if possessed := _POSSESSED.search(last_question):
        return possessed[0]
    if model := _MODEL_OF.search(last_question):
        return model["version"]
    about = _SAID_ABOUT.search(last_question)
    names = (_names(about["subject"]) if about else []) or _names(last_question)
    names = [name for name in names if not re.search(rf"\b{re.escape(name)}\b", question)]
    # Two together are "they".
    single = [name for name in names if not _stands_with_another(name, last_question)]
    if names and not single and _THEY.search(question):
        pair = re.search(rf"{re.escape(names[0])}(?:, [^,]+)*,? and (?:the )?{re.escape(names[-1])}", last_question)
        return pair[0] if pair else names[0]
    things = [name for name in single or names if not _COUNTRIES.fullmatch(name)]
    if things:
        return things[0]
    thing = _THING.search(last_question)
    return thing[0] if thing else ""


def _fund(last_question: str, last_answer: str) -> str:
    """The fund or parent that was asked for, as the answer calls it: that is spoken of then, and not whose it is."""
    if not _ASKS_FUND.match(last_question):
        return ""
    asked = last_question.lower()
    return next((name for name in _names(last_answer) if name.lower() not in asked and not _is_person(name)), "")


def _held(last_question: str, question: str) -> str:
    """What holds something, "the open DeepSeek database", where a question asks for what is in it; else empty."""
    found = _HOLDS.search(last_question) if _IN.search(question) else None
    return f"the {found['what']}" if found else ""


def _stands_with_another(name: str, text: str) -> bool:
    name = re.escape(name)
    return bool(re.search(rf"\b{name},? and (?:the )?[A-Z]|[A-Z]\S* and (?:the )?(?:[A-Z]\S* of )?{name}\b", text))


def _several(last_question: str) -> str:
    """What there are several of in a question, "the chips"; empty where nothing."""
    nouns = (found["noun"] for found in _SEVERAL.finditer(f"{last_question[:1].lower()}{last_question[1:]}"))
    return next((f"the {noun}" for noun in nouns if noun not in FUNCTION_WORDS), "")


_AS_BEFORE = re.compile(
    r",?(?: (?:on|in|at) (?:that|the same|this) (?:very )?(?:day|session|time|period)| too| as well| then| also)+\Z",
    re.IGNORECASE,
)
"""Says that all else is as it was asked before."""


def _substituted(fragment: str, last_question: str) -> str:
    """ "Broadcom?" after "What happened to Nvidia?" asks what happened to Broadcom."""
    fragment = _AS_BEFORE.sub("", fragment.strip(" ?.!"))
    if _ON_DAY.fullmatch(fragment) and (day := _ON_DAY.search(last_question)):
        if weekday := re.fullmatch(rf"on (?:the )?({_OTHER_DAY})", fragment, re.IGNORECASE):
            days = _days_of(last_question)
            fragment = f"on {in_words(_next(weekday[1], days.pop()) if len(days) == 1 else _near_crash(weekday[1]))}"
        return last_question[: day.start()] + fragment + last_question[day.end() :]
    names = _names(last_question)
    if names and _names(fragment):
        # A person gives way to a person.
        replaced = (_is_person(fragment) and next(filter(_is_person, names), "")) or names[0]
        # The article belongs to the name: "the Nasdaq" gives way to "the Dow", and to "Broadcom".
        return re.sub(rf"(?:\bthe )?{re.escape(replaced)}", lambda _: fragment, last_question, count=1)
    return f"{fragment}? ({last_question})"


def _names(text: str) -> list[str]:
    """Capitalised names in order, without the function word that a sentence begins with, and without dates."""
    found = []
    for match in _NAME.finditer(text):
        words = match.group().split()
        contracted = text[match.end() :].startswith(("'t", "’t"))  # "Didn't"
        while words and (words[0].lower() in FUNCTION_WORDS | _ANYBODY or (contracted and len(words) == 1)):
            words.pop(0)
        # "Permit me to ask" names nobody.
        asks_leave = len(words) == 1 and re.match(r" (?:me|us|my)\b", text[match.end() :])
        if words and not asks_leave and not _is_date_word(words[0]):
            found.append(" ".join(words))
    return found


def _is_date_word(word: str) -> bool:
    return bool(
        re.fullmatch(
            r"January|February|March|April|May|June|July|August|September|October|November|December"
            r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day",
            word,
        )
    )


def _is_person(name: str) -> bool:
    return bool(_PERSON.fullmatch(name)) and not _NO_PERSON.search(name)


def _person(last_question: str, last_answer: str) -> str:
    if named := _first_person(last_question):
        return named
    role = None if _ASKS_WHO.match(last_question) else _ROLE.search(last_question)
    if role is None:
        return _first_person(last_answer)
    # "Nvidia's chief executive" is whom the answer calls "Jensen Huang of Nvidia", and not whoever else it names.
    of = re.escape(role["of"] or role["whose"])
    beside = re.search(
        rf"{of}(?:['’]s)?(?: [a-z]+){{0,3}} {_PERSON.pattern}|{_PERSON.pattern},? (?:of|from|at) {of}", last_answer
    )
    return (beside and _first_person(beside[0].replace(role["of"] or role["whose"], "", 1))) or role[0]


def _first_person(text: str) -> str:
    for match in _PERSONS.finditer(text):
        # Before a name may stand what somebody is: "former Intel CEO".
        person = _PERSON.search(match[0]) if match[0].count(" ") < 2 else _LAST_PERSON.search(match[0])
        words = person[0].split() if person else ()
        if any(word.lower() in FUNCTION_WORDS or _is_date_word(word) for word in words):
            continue
        if person and _is_person(person[0]):
            return person[0]
    return ""


def _replace_first(pattern: re.Pattern[str], question: str, name: str) -> str:
    def replacement(match: re.Match[str]) -> str:
        return f"{name}'s" if match.group().lower() in _POSSESSIVE else name

    return pattern.sub(replacement, question, count=1)
