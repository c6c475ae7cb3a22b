"""Answers and conversations for use elsewhere: Markdown with numbered sources, JSON, evaluation questions. Pure.

Thinking is left out. Texts of articles and models are untrusted: in Markdown they keep emphasis, lists and tables, but
bring no link, image, code or HTML of their own; the links to the sources are made here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote, urlsplit

from rag.records import Answer, Article, Citation, Passage
from ui.conversations import SavedConversation, SavedTurn
from ui.wording import day

_PUNCTUATION = re.compile(r"[\\`*_\[\]#|~&!$]")
_DANGEROUS = re.compile(r"[\\`\[\]]|\$(?=\$)|(?<=\$)\$|~(?=~)|(?<=~)~|&(?=#|\w+;)")
_ADDRESS = re.compile(r"(?<=\w):(?=//)|(?<=\bwww)\.|(?<=\bmailto):|(?<=\bxmpp):|(?<=\w)@(?=\w)", re.IGNORECASE)
_FIGURE = re.compile(
    r"[$€£¥]?\d(?:[\d.,]*\d)?(?:\s?%|\s(?:million|billion|trillion)\b)|[$€£¥]\d(?:[\d.,]*\d)?", re.IGNORECASE
)
_MARK = re.compile(r"\s*\[\d+\]")
_PLAIN_MARK = re.compile(r"\[(\d+)\](?![(:])")
_NO_ANSWER = r"(?!)"
"""A regular expression that nothing matches."""


def answer_markdown(answer: Answer) -> str:
    """An answer under its question, with its sources under it by their numbers."""
    return "\n\n".join([f"# {_plain(answer.question)}", *_answer_blocks(answer)]) + "\n"


def conversation_markdown(conversation: SavedConversation) -> str:
    """All questions and answers under the conversation's title, each answer with its own sources."""
    about = conversation.about
    blocks = [f"# {_plain(about.title)}", f"{day(about.created)}, made with Aftershock"]
    for turn in conversation.turns:
        blocks += [f"## {_plain(turn.answer.question)}", *_answer_blocks(turn.answer)]
    return "\n\n".join(blocks) + "\n"


def answer_json(answer: Answer) -> str:
    """An answer's record without its thinking, as a JSON document."""
    return _document(record(answer))


def record(answer: Answer) -> dict[str, Any]:
    """An answer's record without its thinking, ready for JSON."""
    return {name: value for name, value in asdict(answer).items() if name != "reasoning"}


def answer_text(text: str, numbers: Collection[int]) -> str:
    """An answer's Markdown with the marks of these numbers, without what could become a link, an image, code or HTML.

    Of text that is cut at white space, each part can be given for itself.
    """
    parts, end = [], 0
    for mark in _PLAIN_MARK.finditer(text):
        if int(mark[1]) in numbers:
            parts += [_harmless(text[end : mark.start()], _DANGEROUS), mark[0]]
            end = mark.end()
    return "".join([*parts, _harmless(text[end:], _DANGEROUS)])


def below_answer(answer: Answer) -> Iterator[str]:
    """Markdown blocks with what belongs to an answer besides its text, the numbered sources above all."""
    for disagreement in answer.disagreements:
        values = "\n".join(
            f"- {_plain(value.value)} ({_plain(', '.join(value.outlets))})" for value in disagreement.values
        )
        yield f"**Reports differ: {_plain(disagreement.subject)}**\n\n{values}"
    if answer.support and answer.support.unsupported:
        sentences = "\n".join(f"- {_plain(sentence)}" for sentence in answer.support.unsupported)
        yield f"**Not borne out by the sources:**\n\n{sentences}"
    if answer.citations:
        yield "**Sources**"
        yield from (_source(citation) for citation in answer.citations)
    yield from (f"*{_plain(note)}*" for note in answer.notes)
    if not answer.model:  # It failed, or was stopped, before anybody can be said to have answered.
        return
    who = "no model, in the articles' own words" if answer.model == "quotes" else _plain(answer.model)
    yield f"*Answered by {who}*"


def passage_markdown(passage: Passage) -> str:
    """A passage with the article and the outlets that it comes from."""
    about = [f"**{_plain(passage.title)}**", *_published(passage)]
    quoted = "\n".join(f"> {_plain(line)}" for line in passage.text.splitlines() if line.strip())
    return f"{' · '.join(part for part in about if part)}\n{quoted}"


def article_markdown(article: Article) -> str:
    """A whole article under its title and outlets."""
    paragraphs = (_plain(paragraph) for paragraph in article.text.split("\n"))
    about = " · ".join(part for part in _published(article) if part)
    return "\n\n".join(part for part in [f"# {_plain(article.title)}", about, *paragraphs] if part) + "\n"


def conversation_json(conversation: SavedConversation) -> str:
    """Title, time and turns, as a JSON document; without the id, which would open the conversation."""
    about = conversation.about
    turns = [
        {"asked": turn.asked, "answer": record(turn.answer), "thumb": turn.thumb, "note": turn.note}
        for turn in conversation.turns
    ]
    return _document({"title": about.title, "created": about.created, "turns": turns})


def evaluation_questions(rated: Iterable[tuple[Sequence[str], SavedTurn]]) -> Iterator[str]:
    """Rated answers as lines of a question file that `aftershock eval event` reads.

    A liked answer's figures are what a right answer must hold, and a liked refusal must stay one. What would have been
    right where the visitor disliked the answer nobody knows yet: nothing counts as right until somebody writes it into
    `expect`; `note` and `answer` help with that.
    """
    for number, (questions, turn) in enumerate(rated, 1):
        answer = turn.answer
        entry: dict[str, Any] = {"id": f"f{number:03}", "kind": "liked" if turn.thumb == "up" else "disliked"}
        entry |= {"question": questions[0]} if len(questions) == 1 else {"turns": [*questions]}
        if turn.thumb == "down":
            entry["expect"] = [[_NO_ANSWER]]
        elif answer.refused:
            entry["refuse"] = True
        else:
            figures = dict.fromkeys(_FIGURE.findall(_MARK.sub("", answer.text)))
            entry["expect"] = [[re.escape(figure)] for figure in figures]
        yield json.dumps(entry | {"note": turn.note, "answer": answer.text}, ensure_ascii=False)


def _answer_blocks(answer: Answer) -> Iterator[str]:
    yield answer_text(answer.text, {citation.number for citation in answer.citations})
    yield from below_answer(answer)


def _source(citation: Citation) -> str:
    """The mark, the article with its outlets and links, and the sentence behind it."""
    passage = citation.passage
    about = [f"\\[{citation.number}\\] **{_plain(passage.title)}**", *_published(passage)]
    return f"{' · '.join(part for part in about if part)}\n> {_plain(citation.quote)}"


def _published(passage: Passage | Article) -> Iterator[str]:
    yield _linked(passage.outlet, passage.url)
    for source in passage.sources:
        if source.outlet != passage.outlet or source.url != passage.url:
            yield _linked(source.outlet, source.url)
    yield _plain(day(passage.published))


def _linked(name: str, url: str) -> str:
    """A name, with a link where the address is one of the web."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _plain(name)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return _plain(name)
    return f"[{_plain(name or parts.netloc)}]({quote(url, safe=':/?#@!$&,;=%~+-._')})"


def _plain(text: str) -> str:
    """Plain text on one line, as Markdown that shows just this."""
    return _harmless(" ".join(text.split()), _PUNCTUATION)


def _harmless(text: str, signs: re.Pattern[str]) -> str:
    """The text with these signs escaped, without HTML, and with addresses that nothing makes links of by itself."""
    return _ADDRESS.sub(r"\\\g<0>", signs.sub(r"\\\g<0>", text)).replace("<", "&lt;")


def _document(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"
