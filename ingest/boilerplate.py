"""Tells an article's own words from what a web page puts around and between them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LABELS = (
    "advertisement", "paid advertisement", "ad", "ads", "sponsored", "sponsored content",
    "promoted content", "must read", "must reads", "latest news", "breaking news", "top stories", "trending",
    "trending now", "most read", "most popular", "popular posts", "share", "share this", "share this article",
    "share this story", "share article", "share via", "tweet", "copy link", "copy url", "print", "print this page",
    "email this article", "save article", "bookmark", "listen to article", "listen to this article", "play audio",
    "skip to content", "skip to main content", "skip advertisement", "sign in", "log in", "login", "register",
    "subscribe", "subscribe now", "newsletter", "newsletters", "our newsletter", "follow us", "cookie settings",
    "cookie policy", "cookie preferences", "manage cookies", "accept cookies", "accept all", "accept all cookies",
    "reject all", "privacy policy", "terms of use", "terms of service", "terms and conditions", "all rights reserved",
    "leave a comment", "leave a reply", "post a comment", "view comments", "show comments", "comments are closed",
    "no comments", "back to top", "load more", "show more", "see more", "view all", "read full article",
    "read the full story", "continue reading", "story continues below", "article continues below",
    "article continues after advertisement", "story continues below advertisement", "previous article",
    "next article",
)  # fmt: skip
_LIST_LABELS = (
    "interesting articles", "related articles", "related stories", "related posts", "related news", "related content",
    "related coverage", "related topics", "related", "recommended", "recommended for you", "recommended stories",
    "recommended articles", "more stories", "more news", "more articles", "more from this author", "more on this story",
    "more on this topic", "more to read", "read more", "read next", "read also", "also read", "see also", "up next",
    "what to read next", "you may also like", "you might also like", "you may also be interested in",
    "you might be interested in", "dont miss", "editors picks", "latest articles", "recent posts", "from the web",
    "around the web", "suggested articles", "similar articles", "further reading", "other stories",
)  # fmt: skip
_BUTTONS = frozenset((
    "facebook", "twitter", "x", "whatsapp", "linkedin", "telegram", "pinterest", "reddit", "instagram", "youtube",
    "threads", "bluesky", "tiktok", "flipboard", "messenger", "line", "viber", "email", "mail", "print", "share",
    "tweet", "copy link", "comments", "home", "menu", "search",
))  # fmt: skip
_ALL_LABELS = frozenset(_LABELS + _LIST_LABELS)
_SHORTEST_MISTYPED = 8


def _variants(word: str) -> list[str]:
    """The word, and what is left when one letter is missing: words that share one differ by a slip of the finger."""
    return [word, *(word[:index] + word[index + 1 :] for index in range(len(word)))]


_MISTYPED = {
    variant: label for label in sorted(_ALL_LABELS) if len(label) >= _SHORTEST_MISTYPED for variant in _variants(label)
}
_LONGEST_LABEL = 45
_LONGEST_BOILERPLATE = 600

_NETWORK = r"(facebook|twitter|x|linkedin|whatsapp|reddit|e-?mail|telegram|pinterest|instagram|threads|bluesky|youtube)"
_LINES = re.compile(
    r"""
    (share|tweet|post|pin|send)(\ this)?(\ (article|story|post|page|video))?\ (on|via|by|to)\ """
    + _NETWORK
    + r"""
  | (follow|find|like|join)\ us\ (on|via)\ """
    + _NETWORK
    + r"""\b.{0,60}
  | ((share|tweet|pin|print|copy\ link|comments?|"""
    + _NETWORK
    + r""")\b[\s|/,·•&]*){2,}
  | \d+\ (shares|comments|min(ute)?s?\ read)
  | by\ (continuing|using|accessing|clicking)\b.{0,100}\byou\b.{0,30}\b(agree|accept|consent)\b.{0,200}
  | (we|this\ (web)?site|our\ (web)?site|we\ and\ our\ partners)\ uses?\ cookies\b(?!.*\b(said|told)\b).{0,400}
  | (please\ )?(sign\ up|subscribe|register)\b(?!.*\b(said|told)\b).{0,100}\b(newsletters?|inbox|mailing\ list|
        email\ updates|youtube\ channel|whatsapp\ channel|telegram\ channel|rss\ feed)\b.{0,60}
  | (get|receive)\b.{0,100}\b(delivered|straight|sent|direct(ly)?)\b.{0,20}\byour\ (e-?mail\ )?inbox\b.{0,60}
  | enter\ your\ e-?mail(\ address)?\b.{0,60}
  | already\ a\ (subscriber|member)\?.{0,40}
  | this\ (article|story)\ is\ (only\ available\ to|for)\ subscribers\b.{0,80}
  | (read\ more|read\ also|also\ read|read\ next|see\ also|related(\ (articles?|stor(y|ies)|news|coverage))?|
        more\ on\ this(\ (story|topic))?|recommended(\ (reading|for\ you))?|don['’]?t\ miss)\s*[:|»›>→].{1,160}
  | (watch|listen)\s*[:|»›>→]\s.{1,150}[^.]
  | (click|tap)\ here\ (to|for)\b.{0,100}
  | (story|article)\ continues\ (below|after)\b.{0,60}
  | (copyright\ )?©.{0,120}
  | (copyright|\(c\)|copyright\ \(c\))\ \d{4}\b.{0,120}
  | .{0,60}\ball\ rights\ reserved\b.{0,60}
  | the\ post\ .{1,200}\ appeared\ first\ on\ .{1,80}
  | (jump|skip)\ to\ (content|navigation|main\ content|comments)
  """,
    re.VERBOSE | re.IGNORECASE,
)
_BULLETS = "-–—•*|>»› "
_BETWEEN = re.compile(r"[|/·•»]")
_NOT_WORD = re.compile(r"[^\w\s]+")
_IMAGE_NAME = re.compile(r"[-\s]*\b\w+_img\b", re.IGNORECASE)
_ENDS_SENTENCE = re.compile(r"[.!?…。！？।؟][\"'”’»)\]]*$")
_STUB_WORDS = 5
_HEADLINE_WORDS = 25


def without_boilerplate(paragraphs: Sequence[str]) -> list[str]:
    """The paragraphs that an article's author wrote, in order.

    What goes: labels such as "Advertisement" that stand alone, also when mistyped; lines of buttons; lines about
    cookies, newsletters, subscriptions and copyright; pointers to other articles, with the headlines that follow them;
    and, after the article's last sentence, short labels in the neighbourhood of any of these. Whole sentences of the
    article stay.
    """
    kinds = [_kind(paragraph) for paragraph in paragraphs]
    kinds = [_settled(kinds, index) for index in range(len(kinds))]
    sentences = [index for index, kind in enumerate(kinds) if kind == "sentence"]
    end = sentences[-1] + 1 if sentences else len(kinds)
    ends_in_boilerplate = any(kind in ("label", "list") for kind in kinds[end:])
    kept = []
    index = 0
    while index < len(kinds):
        kind = kinds[index]
        if kind == "list":
            index = _after_headlines(kinds, index + 1, end)
            continue
        if not (kind == "label" or (kind == "stub" and ends_in_boilerplate and index >= end)):
            kept.append(paragraphs[index])
        index += 1
    return kept


def _settled(kinds: list[str], index: int) -> str:
    """A button beside a label or another button is a label; alone it may be a heading."""
    if kinds[index] != "button":
        return kinds[index]
    beside = kinds[max(index - 1, 0) : index] + kinds[index + 1 : index + 2]
    return "label" if any(kind in ("label", "list", "button") for kind in beside) else "stub"


def _after_headlines(kinds: Sequence[str], start: int, end: int) -> int:
    """Where a list of headlines that begins at `start` is over; one headline alone may be the article's next."""
    stop = start
    while stop < len(kinds) and kinds[stop] in ("stub", "headline"):
        stop += 1
    return stop if stop - start > 1 or start >= end else start


def _kind(paragraph: str) -> str:
    """Which a paragraph is: "label", "list" (of headlines, its label), "button", "stub", "headline" or "sentence"."""
    if len(paragraph) > _LONGEST_BOILERPLATE:
        return "sentence"
    line = " ".join(paragraph.split())
    named = _IMAGE_NAME.sub("", line) if "_" in line and "_img" in line.casefold() else line
    bare = _stripped(named)
    if not bare:
        return "label" if named != line else "stub"
    label = _label(bare) if bare[0].isupper() or bare[0] != line[0] else ""
    if label:
        return "list" if label in _LIST_LABELS else "label"
    if len(bare) <= _LONGEST_LABEL and bare.casefold() in _BUTTONS:
        return "button"
    if _LINES.fullmatch(line.lstrip(_BULLETS)) or _is_menu(bare):
        return "label"
    if _ENDS_SENTENCE.search(line):
        return "sentence"
    # Counted in bytes too, for languages that put no spaces between words.
    words = max(len(line.split()), len(line.encode()) // 8)
    if words > _HEADLINE_WORDS or not any(character.isalpha() for character in line):
        return "sentence"
    return "stub" if words <= _STUB_WORDS else "headline"


def _stripped(line: str) -> str:
    """A line without what stands around its words: looked for from both ends, as a pattern tries every place."""
    start = next((place for place, character in enumerate(line) if character.isalnum()), len(line))
    end = next((place for place in range(len(line), start, -1) if line[place - 1].isalnum()), start)
    return line[start:end]


def _is_menu(bare: str) -> bool:
    """Whether a line is several labels or buttons beside each other."""
    entries = _BETWEEN.split(bare)
    return len(entries) > 1 and all(
        entry in _ALL_LABELS or entry in _BUTTONS for entry in (entry.strip().casefold() for entry in entries)
    )


def _label(bare: str) -> str:
    """The label that a line is, perhaps mistyped; empty when it is none."""
    if len(bare) > _LONGEST_LABEL:
        return ""
    words = " ".join(_NOT_WORD.sub("", bare).casefold().split())
    if words in _ALL_LABELS:
        return words
    if len(words) < _SHORTEST_MISTYPED:
        return ""
    return next((_MISTYPED[variant] for variant in _variants(words) if variant in _MISTYPED), "")
