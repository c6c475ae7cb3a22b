from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qs

import pytest

from rag.records import (
    UNSUPPORTED,
    Answer,
    Article,
    Citation,
    CitationEvent,
    ContextUse,
    Disagreement,
    DoneEvent,
    Event,
    Facet,
    FacetsEvent,
    Passage,
    ReasoningEvent,
    ReportedValue,
    Source,
    StageEvent,
    Support,
    TextEvent,
)
from rag.refusal import CLOSEST
from tests.fakes import COST, LOSS, NVIDIA, TRAINING, citation, model_answer, quoted_answer, refusal
from ui.article_page import article_page, reader_address
from ui.conversations import SavedTurn
from ui.render import marked_text, messages
from ui.turn import Turn
from ui.wording import days

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "![x](http://127.0.0.1:9/leak)",
    "![x][r]\n\n[r]: http://127.0.0.1:9/leak",
    "[click](javascript:alert(1))",
    "<http://127.0.0.1:9/auto> http://127.0.0.1:9/auto www.example.com me@example.com",
    "```mermaid\ngraph TD; A-->B\n```",
    "$$\\href{javascript:alert(1)}{x}$$",
    "<div>\n\n<iframe src=http://127.0.0.1:9/></iframe>\n\n</div>",
    "</div></div><form action=http://127.0.0.1:9/><button>x</button></form>",
    "text\u2028\u2028<b>x</b>\r\n\r\n<i>y</i>\x0b\x0c",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]
TAGS = {
    "a",
    "article",
    "br",
    "cite",
    "code",
    "div",
    "em",
    "h2",
    "h3",
    "li",
    "mark",
    "p",
    "span",
    "strong",
    "time",
    "ul",
}


class Tags(HTMLParser):
    """Collects the tags and the attributes of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[dict[str, str | None]] = []
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "a":
            self.links.append(dict(attrs))


def told(events: list[Event], question: str = "Why?") -> Turn:
    """A turn that took these events, one a tenth of a second."""
    turn = Turn(question)
    for number, event in enumerate(events, start=1):
        turn.take(event, number / 10)
    return turn


def reading(html: str) -> list[dict[str, str | None]]:
    """The links that open an article."""
    return [link for link in Tags(html).links if str(link["href"]).startswith("#read?")]


def orders(html: str) -> dict[str, dict[str, list[str]]]:
    """What each other link tells the page to do, by the link's class and action."""
    links = [link for link in Tags(html).links if str(link["href"]).startswith("#do?")]
    told = [(str(link["class"]), parse_qs(str(link["href"]).removeprefix("#do?"))) for link in links]
    return {f"{kind} {order['do'][0]} {order.get('thumb', [''])[0]}".strip(): order for kind, order in told}


def text_of(html: str) -> str:
    """What a reader sees of a piece of HTML, roughly."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).strip()


def test_a_turn_that_waits() -> None:
    """A question shows at once, with a sign that something is happening and no answer yet."""
    question, thinking = messages([Turn("Why?\nAnd how?")])
    assert question == {"role": "user", "content": '<p class="question" dir="auto">Why?<br>And how?</p>'}
    assert thinking["metadata"] == {"title": "Waiting", "status": "pending"}


def test_thinking_is_open_until_text_comes_and_then_folded_with_its_time() -> None:
    """The reader can follow the work while it lasts; afterwards one line says how long the thinking took."""
    turn = told([StageEvent("read", "Reading 6 articles")])
    assert messages([turn])[1]["metadata"] == {"title": "Reading 6 articles", "status": "pending"}
    turn.take(ReasoningEvent("One thing.\n\nAnother."), 2)
    assert messages([turn])[1]["metadata"] == {"title": "Thinking for 0&#46;1 s", "status": "pending"}
    turn.take(TextEvent("So"), 12)
    turn.take(TextEvent(" it is."), 20)
    _, thinking, answer = messages([turn])
    assert thinking["metadata"] == {"title": "Thought for 12 s", "status": "done"}
    assert thinking["content"] == (
        '<div class="thinking"><ul class="stages"><li>Reading 6 articles</li></ul><p>One thing.</p>'
        "<p>Another.</p></div>"
    )
    assert answer["content"] == '<div class="answer"><div class="text" dir="auto"><p>So it is.</p></div></div>'


def test_a_model_answer_ends_with_its_sources_and_who_wrote_it() -> None:
    """Sources carry number, title, outlets, date and quote; the badge names the model."""
    assert text_of(messages([told(model_answer())])[-1]["content"]) == (
        "Nvidia lost $589 billion of market value on 27 January 2025, the largest loss of one firm in one day 1 . "
        "What set it off was a report on cost: DeepSeek put the training of V3 at $5.576 million "
        "that figure leaves out earlier research, failed runs and the chips 2 Sources "
        "1 Nvidia falls 17% and takes the market with it Bloomberg, Reuters and 2 others · 28 January 2025 "
        f"“{LOSS.quote}” 2 What training DeepSeek-V3 cost The Ledger · 29 January 2025 “{COST.quote}” "
        f"Written by deepseek-r1:8b · 2 articles read · {len(model_answer()) / 10:.1f} s "
        "Copy Edit Ask again… Save… Helpful Not helpful"
    )


def test_a_quoted_answer_says_that_no_model_was_used() -> None:
    """The reader can tell the articles' own words from a model's, and does not get them a second time as sources."""
    shown = text_of(messages([told(quoted_answer())])[-1]["content"])
    assert "own words, no model" in shown
    assert shown.count(LOSS.quote) == 1


def test_an_article_cited_twice_has_one_card() -> None:
    """The card carries both numbers and both quotes, each quote with its number and its own place."""
    other = citation(2, NVIDIA, "The Nasdaq Composite fell 3.1%.")
    turn = told([CitationEvent(LOSS), CitationEvent(other), TextEvent("Both [1] fell [2].")])
    turn.stopped = True
    content = messages([turn])[-1]["content"]
    assert text_of(content).count(NVIDIA.title) == 1
    assert f"1 2 {NVIDIA.title}" in text_of(content)
    assert f"1 “{LOSS.quote}” 2 “{other.quote}”" in text_of(content)
    ends = [re.findall("end=(\\d+)", str(link["href"])) for link in reading(content)]
    assert ends == [["189"], [str(other.end)], ["189"], ["189"], [str(other.end)]]


def test_a_note_is_said_once_in_a_conversation() -> None:
    """How to get a model is worth one telling; code in it is shown as code."""
    answer = Answer("Why?", "So.", notes=("Run `ollama serve`.",))
    shown = [
        str(message["content"]) for message in messages([Turn("Why?", answer=answer), Turn("How?", answer=answer)])
    ]
    assert "".join(shown).count("Run <code>ollama serve</code>.") == 1
    assert "Run" in shown[1]


def test_a_mark_leads_to_its_sentence() -> None:
    """A mark is a link that carries article and offsets, and shows the quote when hovered."""
    assert marked_text("It lost a lot [1].", [LOSS]) == (
        '<p>It lost a lot<a class="mark" href="#read?id=nvidia-fall&amp;start=104&amp;end=189&amp;number=1" '
        f'title="Bloomberg, Reuters and 2 others: “{LOSS.quote}”">1</a>.</p>'
    )


def test_what_answers_by_itself_stands_out_in_its_sentence() -> None:
    """The reader's eye finds the figure: in its quote alone, and not where the same figure stands elsewhere."""
    start = LOSS.start + LOSS.quote.index("$589 billion")
    cited = replace(LOSS, highlight=(start, start + len("$589 billion")))
    html = marked_text(f"Not $589 billion. {LOSS.quote} [1]", [cited])
    assert html.count("<strong>") == 1
    assert "Not $589 billion. " in html
    assert "<strong>$589 billion</strong>" in html


def test_numbers_in_brackets_that_cite_nothing_stay_text() -> None:
    """Only the answer's own citations become links."""
    assert marked_text("In [2024] and [1].", []) == "<p>In [2024] and [1].</p>"


@pytest.mark.parametrize("cut", ["So it is [", "So it is [1"])
def test_half_a_mark_is_not_shown_while_text_streams(cut: str) -> None:
    """A mark appears whole or not at all."""
    assert "So it is</p>" in messages([told([TextEvent(cut)])])[-1]["content"]


def test_emphasis_headings_lists_and_tables_are_drawn_and_figures_stay_as_they_are() -> None:
    """What models use to structure answers works; what merely looks like Markdown in prices does not."""
    text = "## Sums\n\n- **$589** billion\n- ~17% or ~3%\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nup * and _down"
    assert re.sub(r"\s+", " ", marked_text(text, [])) == (
        "<h2>Sums</h2> <ul> <li><strong>$589</strong> billion</li> <li>~17% or ~3%</li> </ul> <table> <thead> <tr> "
        "<th>a</th> <th>b</th> </tr> </thead> <tbody> <tr> <td>1</td> <td>2</td> </tr> </tbody> </table> "
        "<p>up * and _down</p>"
    )


def test_a_refusal_offers_the_closest_articles_each_once() -> None:
    """Without an answer the reader still gets somewhere to go on, best first."""
    script = refusal()
    assert isinstance(script[-1], DoneEvent)
    named = f"{script[-1].answer.text}{CLOSEST}{COST.passage.title}; {LOSS.passage.title}."
    turn = told([*script[:1], TextEvent(named), DoneEvent(replace(script[-1].answer, text=named))])
    links = [link["href"] for link in reading(messages([turn])[-1]["content"])]
    assert links == ["#read?id=training-cost", "#read?id=nvidia-fall"]
    shown = text_of(messages([turn])[-1]["content"])
    assert shown.count("The closest articles") == 1
    assert (
        "No model is served on this computer; answers are in the articles&#x27; own words. "
        "No answer in the articles · 2 articles read · 0.3 s"
    ) in shown


def test_an_answer_that_ended_early_says_so_and_keeps_its_text() -> None:
    """Stopped, cut short by the server, or failed: the reader sees what came and why it is not all."""
    streamed: list[Event] = model_answer()[:-1]
    stopped, failed, cut, early = told(streamed), told(streamed), told(streamed), Turn("Why?", stopped=True)
    stopped.stopped = True
    failed.failure = "The model server stopped; start it again."
    cut.answer = Answer("Why?", cut.text, tuple(cut.citations), interrupted=True, notes=("The server went away.",))
    endings = {
        "stopped": text_of(messages([stopped])[-1]["content"]),
        "failed": text_of(messages([failed])[-1]["content"]),
        "cut": text_of(messages([cut])[-1]["content"]),
    }
    assert all(shown.startswith("Nvidia lost $589 billion") and "Sources" in shown for shown in endings.values())
    assert "You stopped this answer: what stands here is cut short." in endings["stopped"]
    assert "The model server stopped; start it again. Try again Answer in the articles’ own words" in endings["failed"]
    assert "This answer is cut short. The server went away. Try again Answer in the" in endings["cut"]
    assert "Try again" not in endings["stopped"]
    assert text_of(messages([early])[-1]["content"]).startswith("You stopped this answer.")


def test_the_reader_shows_the_whole_article_with_the_quote_in_it() -> None:
    """Nothing of the article is missing, and exactly the cited sentence is highlighted."""
    page = article_page(NVIDIA, LOSS.start, LOSS.end)
    assert re.findall("<mark>(.*?)</mark>", page) == [LOSS.quote]
    body = re.search('<div class="text">(.*)</div>', page)
    assert body is not None
    shown = re.sub("</?mark>", "", body[1]).removeprefix("<p>").removesuffix("</p>").split("</p><p>")
    assert shown == NVIDIA.text.split("\n\n")


def test_a_quote_across_paragraphs_is_highlighted_in_both() -> None:
    """A highlight never swallows or breaks a paragraph."""
    article = Article("a", "T", "One two.\n\nThree four.")
    assert "<p>One <mark>two.</mark></p><p><mark>Three</mark> four.</p>" in article_page(article, 4, 15)


def test_the_reader_shows_what_answers_inside_the_quote() -> None:
    """The same words stand out in the article as in the answer, and the link to it says which."""
    start = NVIDIA.text.index("$589 billion")
    cited = replace(LOSS, highlight=(start, start + len("$589 billion")))
    link = parse_qs(unescape(reader_address(cited.passage, cited)).partition("?")[2])
    places = [int(link[name][0]) for name in ("start", "end", "first", "last")]
    page = article_page(NVIDIA, *places)
    assert f"<mark>{LOSS.quote.replace('$589 billion', '<strong>$589 billion</strong>')}</mark>" in page
    article = Article("a", "T", "One two.\n\nThree four.")
    assert "<mark>t<strong>wo.</strong></mark></p><p><mark><strong>Th</strong>ree</mark>" in article_page(
        article, 4, 15, 5, 12
    )
    assert "<strong>" not in article_page(article, 4, 8, 12, 15)


def test_only_addresses_of_the_web_become_links_and_they_say_that_they_leave() -> None:
    """An original opens in a new tab that knows nothing of this page; any other scheme stays text."""
    page = article_page(NVIDIA)
    links = Tags(page).links
    assert [link["href"] for link in links] == [
        "https://example.org/bloomberg",
        "https://example.org/reuters",
        "https://example.org/cnbc",
    ]
    assert {(link["target"], link["rel"]) for link in links} == {("_blank", "noopener noreferrer")}
    assert page.count("(opens outside this computer)") == len(links)
    assert "javascript:" not in page
    assert Tags(article_page(TRAINING)).links[0]["href"] == "https://example.org/ledger"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text_wherever_it_comes_from(hostile: str) -> None:
    """Text of visitors, models and articles brings no tag and no attribute of its own, in whichever place."""
    article = Article(hostile, hostile, hostile, hostile, hostile, "", (Source(hostile, hostile, hostile, hostile),))
    source = citation(1, article, hostile)
    turn = told([StageEvent("read", hostile), ReasoningEvent(hostile), TextEvent(f"{hostile} [1]")], hostile)
    turn.answer = Answer(
        hostile,
        turn.text,
        (source,),
        (source.passage,),
        model=f"x/{hostile}",
        notes=(hostile,),
        standalone_question=f"{hostile} now",
        disagreements=(Disagreement(hostile, (ReportedValue(hostile, (hostile,), (hostile,), (1,)),), hostile),),
    )
    turn.facets = (Facet("outlet", hostile),)
    turn.citations = [source]
    failed = Turn(hostile, failure=hostile)
    refused = Turn(hostile, answer=Answer(hostile, hostile, passages=(source.passage,), refused=True))
    everything = [str(message["content"]) for message in messages([turn, failed, refused], [hostile])]
    for html in [*everything, article_page(article, 0, len(hostile)), article_page(article)]:
        found = Tags(html)
        assert found.tags <= TAGS
        assert found.attributes <= {"class", "dir", "href", "title", "target", "rel", "datetime", "tabindex"}
        assert all(str(link["href"]).startswith(("#read?", "#do?")) for link in found.links)
    for html in everything:  # An empty line would end the HTML and begin Markdown in Gradio's eyes.
        assert len(html.splitlines()) == 1


def test_a_stage_as_heading_of_the_thinking_is_no_markdown() -> None:
    """Gradio draws that heading as Markdown, so every sign in it arrives as a character reference."""
    turn = told([StageEvent("search", "Searching: ![x](http://a.b) <b>")])
    title = messages([turn])[1]["metadata"]["title"]
    assert re.fullmatch(r"(\w|\s|&#\d+;)*", title)


def test_a_passage_reported_by_many_names_two() -> None:
    """A long list of outlets does not crowd out the title."""
    place = Passage("x", 1.0, "a", "T", "", "", "", 0, 1, tuple(Source(name) for name in ("A", "B", "A", "C")))
    two = Passage("x", 1.0, "a", "T", "A", "", "", 0, 1, (Source("A"), Source("B")))
    assert 'title="A, B and C: “x”"' in marked_text("[1]", [Citation(1, "x", place, 0, 1)])
    assert 'title="A and B: “x”"' in marked_text("[1]", [Citation(1, "x", two, 0, 1)])
    assert COST.passage.outlet in marked_text("[2]", [COST])


def test_an_unsupported_sentence_stands_out() -> None:
    """The mark of what no passage bears out is shown as a label, and survives as text when copied."""
    html = marked_text(f"Nvidia lost $900 billion {UNSUPPORTED}.", ())
    assert re.search(r'billion <span class="unsupported" title="[^"<>]+">unsupported</span>\.', html)


def test_what_the_search_made_of_the_question_can_be_taken_off() -> None:
    """Outlets, days and the rewritten question are shown, each with a link that asks again without it."""
    answer = Answer(
        "And he?", "So.", standalone_question="And what did Liang say?", facets=(Facet("date", "27 January 2025"),)
    )
    turn = told([FacetsEvent(answer.facets)], "And he?")
    turn.ignore = ("outlet:Reuters",)
    assert text_of(messages([turn])[-1]["content"]).startswith("27 January 2025 ×")
    turn.take(DoneEvent(answer), 1)
    html = messages([turn])[-1]["content"]
    assert text_of(html).startswith("Searched for “And what did Liang say?” × Search as asked 27 January 2025 ×")
    assert 'href="#do?do=again&amp;turn=1&amp;alone=1"' in html
    assert orders(html)["remove again"]["ignore"] == ["outlet:Reuters", "date:27 January 2025"]


def test_reports_that_differ_are_set_side_by_side() -> None:
    """Each value stands with its outlets, its day and a mark that opens the sentence."""
    values = (
        ReportedValue("$589 billion", ("Bloomberg", "CNBC"), ("2025-01-27",), (1,)),
        ReportedValue("$593 billion", ("Reuters",), ("2025-01-28",), (2, 9)),
    )
    disputed = (Disagreement("Nvidia's loss", values, "Some count from another price."),)
    turn = told([DoneEvent(Answer("?", "So [1] [2].", (LOSS, COST), (LOSS.passage,), disagreements=disputed))])
    assert (
        "Reports differ: Nvidia&#x27;s loss $589 billion Bloomberg, CNBC · 27 January 2025 1 "
        "$593 billion Reuters · 28 January 2025 2 Some count from another price."
    ) in text_of(messages([turn])[-1]["content"])


def test_the_badge_says_how_much_of_the_context_was_used_and_what_is_borne_out() -> None:
    """Both are facts that only a model's answer has."""
    answer = Answer(
        "?", "So.", model="ollama/m:1b", support=Support(4, ("x",)), context=ContextUse(used=2310, window=8192)
    )
    html = messages([told([DoneEvent(answer)])])[-1]["content"]
    assert "Written by m:1b · 3 of 4 sentences borne out · 2,310 of 8,192 tokens of context · 0.1 s" in html


def test_a_turn_is_saved_and_read_back_as_it_was() -> None:
    """Text, sources, thinking and times are the same after a restart; a failure keeps its sentence and its way out."""
    turn = told(model_answer())
    again = Turn.saved(SavedTurn(1, "2025-01-01", turn.record(), "up"))
    assert (again.text, again.citations, again.seconds, again.seconds_to_text, again.reasoning) == (
        (turn.text, turn.citations, turn.seconds, turn.seconds_to_text, turn.record().reasoning)
    )
    assert "do thumb up chosen rate up" in orders(messages([again])[-1]["content"])
    failed = Turn("Why?", failure="It broke: ask again.")
    html = messages([Turn.saved(SavedTurn(1, "2025-01-01", failed.record()))])[-1]["content"]
    assert text_of(html).startswith("It broke: ask again. Try again Answer in the articles’ own words")
    stopped = replace(told(model_answer()[:-1]), stopped=True)
    kept = Turn.saved(SavedTurn(1, "2025-01-01", stopped.record()))
    assert (kept.text, kept.citations) == (stopped.text, stopped.citations)


def test_what_to_ask_next_stands_under_the_last_answer() -> None:
    """It can be asked with a click, once the answer is there."""
    turn = told(quoted_answer())
    shown = messages([turn], ["Who is it?"])[-1]["content"]
    assert text_of(shown) == "Ask next Who is it?"
    assert orders(shown)["do ask"]["question"] == ["Who is it?"]
    assert "Ask next" not in str(messages([told(quoted_answer()[:-1])], ["Who is it?"]))


@pytest.mark.parametrize("end", [" [", " [1", "\n- ", "\n2. ", "\n\n## "])
def test_what_has_only_begun_is_not_shown(end: str) -> None:
    """No half mark, empty point or empty heading stands at the end of a text that is still growing."""
    growing = told([TextEvent(f"It fell:\n\n- by 17%{end}")])
    whole = told([TextEvent("It fell:\n\n- by 17%")])
    assert messages([growing])[-1]["content"] == messages([whole])[-1]["content"]


def test_dates_stand_in_order_and_say_a_year_once() -> None:
    """As people write them, and what is no date stays as it is."""
    assert days(["2025-01-27", "2024-12-31", "2025-01-20"]) == "31 December 2024, 20 January, 27 January 2025"
    assert days(["last week", "2025-01-27"]) == "27 January 2025, last week"
    assert days([]) == ""
