"""Words for what a value measures, or what happened on a day: which mean the same, and which say nothing. Pure."""

from __future__ import annotations

from functools import cache, lru_cache

from rag.text import FUNCTION_WORDS, function_terms, terms

SAME = {
    form: first
    for first, *others in map(
        str.split,
        (
            "fall lose drop declin slump slide sink tumbl plung crash plummet shed wipe eras cut slip down decreas"
            " retreat evapor vanish poorer dive shrink wipeout tank",
            "technolog tech",
            "age old",
            "rise gain climb jump recov rebound add increas surg up soar advanc grow richer",
            "valu capitalis capit cap worth valuat mcap",
            "share stock equiti",
            "close end finish settl",
            "staff employe worker headcount workforc employ team engineer",
            "cost spend expens outlay bill pay paid",
            "dead die death kill fatal victim toll perish live",
            "injur hurt wound",
            "lay layoff job redund",
            "build built construct",
            "found founder establish",
            "releas launch publish unveil debut introduc",
            "ban block prohibit forbid bar",
            "chip gpu processor",
            "buy bought acquir purchas",
            "fine penalti",
            "download instal",
            "wealth fortun",
        ),
    )
    for form in others
}
"""Words for the same thing or event, as terms: each to the first of them."""
HAPPENS = frozenset(
    """found releas open build start begin end close ban born die buy sign join hire appoint arriv announc dissolv
    merg regist creat complet collaps approv resign elect date launch derail""".split()  # noqa: SIM905
)
"""What happens on a day, as terms: only the days of these are held against each other."""
MEASURES = (
    (frozenset(SAME.values()) - {"technolog", "chip", "staff", "share"})
    | HAPPENS
    | {"price", "dead", "old", "age", "poorer", "far", "low", "high"}
)
"""Terms for what is measured or happens, as opposed to what it is said of."""
_WEAK_WORDS = """
    about around some nearly almost roughly approximately more than over under least most record biggest
    largest single one day history american us u.s america wall street company companies chipmaker giant group firm
    maker market trading ever worst total sum figure figures count estimate estimated number amount report reports
    account reported said according followed big huge sharp sharply new news come came stand stood
    much many just only exactly put putting result according outlet paper newspaper agency dollars dollar
    percent billion million trillion thousand hundred yuan euros euro pounds points monday tuesday wednesday
    thursday friday saturday sunday today yesterday january february march april may june july august september
    october november december evening night own half inc corp ltd plc group shareholders investors single-day
    one-day early late mid officials later again still also then there it its they their his her he she this that
    spokesman spokeswoman statement confirmed equal amounted reached totalled totaled calculated counted estimated
    published wrote spoke found noted showed described give gave whole size scale part chief executive chairman
    president head shares share stock reach amount amounting city town local
    """


@cache
def weak_terms() -> frozenset[str]:
    """Terms that say nothing about what a value is."""
    return frozenset(terms(_WEAK_WORDS))


@cache
def common_words() -> frozenset[str]:
    """Words that begin sentences without being names."""
    return FUNCTION_WORDS | frozenset(_WEAK_WORDS.split())


@lru_cache(maxsize=4096)  # the same sentences are looked at for one question after another
def same_terms(text: str) -> frozenset[str]:
    """The terms of a text that say something, words for the same as one."""
    passed_over = function_terms() | weak_terms()
    return frozenset(SAME.get(t, t) for t in terms(text) if not t[0].isdigit() and t not in passed_over)
