"""How well copies of one story are found: `python -m evals.duplicates`.

Plants copies of generated articles, and articles that resemble them without being copies, among thousands of others
and the articles that come along. Prints how many copies were found and what was merged wrongly, what both come to with
other thresholds, and what it costs.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from bench.news import generate
from corpus import FOLDER
from ingest.duplicates import Likeness, Stories, likeness, signature
from ingest.load import load

ARTICLES = 4000
EACH = 200
"""Planted texts of each kind."""
SHARED = (0.3, 0.4, 0.5, 0.6)
CONTAINED = (0.5, 0.6, 0.7, 0.8, 0.9)

Edit = Callable[[str, random.Random], str]


@dataclass(frozen=True, slots=True)
class Planted:
    """A text made from an article, by its place among the articles, and whether it is a copy."""

    kind: str
    original: int
    text: str
    is_copy: bool


def _paragraphs(edit: Callable[[list[str], random.Random], list[str]]) -> Edit:
    return lambda text, chance: "\n\n".join(edit(text.split("\n\n"), chance))


def _sentences(share: float) -> Edit:
    """An edit that puts other sentences in the place of a share of them."""

    def edit(text: str, chance: random.Random) -> str:
        others = _sentences_of(_other(chance))
        sentences = re.split(r"(?<=[.\"])(\s+)", text)
        for place in chance.sample(range(0, len(sentences), 2), max(1, round(share * (len(sentences) // 2)))):
            sentences[place] = chance.choice(others)
        return "".join(sentences)

    return edit


def _sentences_of(text: str) -> list[str]:
    return re.split(r"(?<=[.\"])\s+", text)


def _other(chance: random.Random) -> str:
    return next(generate(1, seed=chance.randrange(10**9)))["text"]


def _words(share: float) -> Edit:
    """An edit that takes out or replaces single words that are no figures."""

    def edit(text: str, chance: random.Random) -> str:
        return re.sub(
            r"(?<= )[a-z]+", lambda m: m[0] if chance.random() > share else chance.choice(["", "still", "the"]), text
        )

    return edit


def _house_style(text: str, _: random.Random) -> str:
    """An outlet's own spelling."""
    for ours, theirs in ((" percent", "%"), (" million", "m"), (" billion", "bn"), ('"', "'"), (" & ", " and ")):
        text = text.replace(ours, theirs)
    return text


def _framed(text: str, chance: random.Random) -> str:
    """What stands around an article on a page."""
    menu = "Home World Business Markets Opinion Sport Culture Subscribe Sign in My account Newsletters Podcasts"
    foot = (
        "Thank you for reading. To receive the most important stories of the day in your inbox, sign up for our "
        "newsletter; you can cancel at any time. Most read today: Ten places to see in the autumn. The weather for the "
        "weekend. Why our columnist will never fly again. Reporting by our staff and agencies; editing by the night "
        "desk. Our standards are published on our website. Terms of use, privacy notice, cookies, accessibility."
    )
    return f"{menu}\n{_day(chance)}\n\n{text}\n\n{foot}"


def _day(chance: random.Random) -> str:
    return f"Published {chance.randint(1, 28)} {chance.choice(['March', 'June', 'October'])} 2025"


def _dateline(text: str, chance: random.Random) -> str:
    return f"{chance.choice(['LONDON', 'NEW YORK', 'TOKYO'])} ({chance.choice(['Reuters', 'AP', 'AFP'])}) - {text}"


def _many(text: str, chance: random.Random) -> str:
    for edit in (_sentences(0.08), COPIES["a paragraph cut"], _house_style, _dateline, _framed):
        text = edit(text, chance)
    return text


def _figure(share: float) -> Edit:
    """An edit that gives a share of the figures, and one at least, other values."""

    def edit(text: str, chance: random.Random) -> str:
        figures = list(re.finditer(r"\d+\.\d+", text)) or list(re.finditer(r"\d+", text))
        for figure in sorted(chance.sample(figures, max(1, round(share * len(figures)))), key=lambda m: -m.start()):
            other = f"{chance.uniform(1, 990):.1f}"
            text = text[: figure.start()] + other + text[figure.end() :]
        return text

    return edit


def _follow_up(text: str, chance: random.Random) -> str:
    """A new article that takes a third of its length, as background, from the old one."""
    paragraphs = text.split("\n\n")
    old = paragraphs[: max(1, len(paragraphs) // 3)]
    return "\n\n".join([*_other(chance).split("\n\n")[: 2 * len(old)], *old])


COPIES: dict[str, Edit] = {
    "as it was": lambda text, _: text,
    "dateline": _dateline,
    "a paragraph cut": _paragraphs(
        lambda p, c: [t for i, t in enumerate(p) if i != c.randrange(len(p)) or len(p) == 1]
    ),
    "a paragraph added": _paragraphs(lambda p, c: [*p[:1], c.choice(_other(c).split("\n\n")), *p[1:]]),
    "a sentence changed": _sentences(0),
    "a tenth of the sentences changed": _sentences(0.1),
    "one word in thirty changed": _words(1 / 30),
    "house style": _house_style,
    "boilerplate around": _framed,
    "the last third cut": _paragraphs(lambda p, _: p[: max(1, round(len(p) * 2 / 3))]),
}
COPIES["five edits at once"] = _many
OTHERS: dict[str, Edit] = {
    "a figure changed": _figure(0),
    "all figures changed": _figure(1),
    "a third taken from it": _follow_up,
    "half of the sentences changed": _sentences(0.5),
}


def _brief(text: str) -> str:
    """The first sentences, some 40 words, as an agency's flash has them."""
    found: list[str] = []
    for sentence in _sentences_of(text):
        found.append(sentence)
        if sum(len(s.split()) for s in found) >= 40:
            break
    return " ".join(found)


REPORT = (
    "Shares in {place} {went} {a} percent on {day}. The index closed at {b} points, {c} points away from the day "
    "before. Traders said that volumes were {volume}. {first} {went} {d} percent, {second} {went2} {e} percent. Oil "
    "cost {f} dollars a barrel. The yield of ten-year bonds was {g} percent. Analysts look to the figures of {third}, "
    "which are due on {day2}."
)


def daily_reports(count: int, chance: random.Random) -> list[str]:
    """Market reports made from one pattern, each with the figures of its day."""
    names = ("Halden Systems", "Norwood Energy", "Kestrel Optics", "Boreal Cloud", "Quarry Motors")
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    return [
        REPORT.format(
            place="Rotterdam",
            went=chance.choice(["rose", "fell"]),
            went2=chance.choice(["rose", "fell"]),
            volume=chance.choice(["thin", "heavy"]),
            **{name: f"{chance.uniform(1, 99):.1f}" for name in "abcdefg"},
            **dict(zip(("first", "second", "third"), chance.sample(names, 3), strict=True)),
            **dict(zip(("day", "day2"), chance.sample(days, 2), strict=True)),
        )
        for _ in range(count)
    ]


IN_OTHER_WORDS = (
    (
        "Nvidia's market value shrank by 589 billion dollars on Monday, the largest loss that any company had ever "
        "suffered in one day. Investors fled after a laboratory in Hangzhou had shown a model that was cheap to train.",
        "No company has ever lost as much in a day as Nvidia did at the start of the week: 589 billion dollars were "
        "gone when Wall Street closed. The reason was DeepSeek, whose model needs little computing power.",
    ),
    (
        "Italy's data protection authority has ordered DeepSeek to stop processing the data of Italians, and opened "
        "an investigation. The answers of the company had been wholly insufficient, it said on Thursday.",
        "The Garante in Rome blocks DeepSeek: Italians' data may no longer be processed by the Chinese company, the "
        "regulator announced on Thursday. It found what the company had told it insufficient, and will investigate.",
    ),
    (
        "Oil prices slipped on Tuesday as traders weighed weaker demand in Asia against a smaller stock in the United "
        "States. Brent cost 76.4 dollars a barrel in the afternoon, 0.6 percent less than on Monday.",
        "Brent crude was traded at 76.4 dollars on Tuesday afternoon, down 0.6 percent. Demand in Asia is weak, though "
        "American stocks fell more than had been forecast.",
    ),
)


def plant(texts: list[str], chance: random.Random) -> Iterator[Planted]:
    """Copies and texts that only resemble, each of an article of its own where there are enough of them."""
    places = [place for place, text in enumerate(texts) if re.search(r"\d", text)]
    chance.shuffle(places)
    for is_copy, edits in ((True, COPIES), (False, OTHERS)):
        for kind, edit in edits.items():
            for place in islice(places, EACH):
                yield Planted(kind, place, edit(texts[place], chance), is_copy)
            places = places[EACH:] + places[:EACH]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a planted text: the story it joined was its original's, or another, or none."""

    planted: Planted
    right: bool
    wrong: bool
    alike: Likeness


def look(planted: Iterator[Planted], stories: Stories, originals: list[bytes]) -> Iterator[Outcome]:
    """Have each planted text look for its story, and leave nothing of it behind."""
    for text in planted:
        own = signature(text.text)
        leader = stories.add("planted", own)
        stories.remove("planted")
        right = leader == str(text.original)
        yield Outcome(
            text,
            right and text.is_copy,
            leader is not None and not (right and text.is_copy),
            likeness(own, originals[text.original]),
        )


def main() -> None:
    """Plant, look, and print the tables."""
    chance = random.Random(27)
    texts = [a["text"] for a in generate(ARTICLES * 3 // 4, seed=11)]
    texts += [_brief(a["text"]) for a in generate(ARTICLES // 4, seed=12)]
    corpus = [item.article.text for path in sorted(FOLDER.glob("*.md")) for item in load(path) if item.article]
    others = daily_reports(EACH, chance) + [text for pair in IN_OTHER_WORDS for text in pair]

    started = time.process_time()
    signatures = [signature(text) for text in texts + others + corpus]
    signed = time.process_time()
    stories = Stories()
    merged = [stories.add(str(number), own) is not None for number, own in enumerate(signatures)]
    found = time.process_time()
    outcomes = list(look(plant(texts, chance), stories, signatures))

    _print(f"{len(merged)} articles, {sum(merged)} of them merged; of the {len(corpus)} that come along")
    _print(f"    {sum(merged[-len(corpus) :])}, of {len(others)} daily reports and the same news in other words")
    _print(f"    {sum(merged[len(texts) : -len(corpus)])}")
    each = 1000 / len(merged)
    _print(f"a signature {(signed - started) * each:.2f} ms, finding its story {(found - signed) * each:.2f} ms\n")
    _print(f"{'':36}{'articles':>10}{'found':>7}{'briefs':>10}{'found':>7}{'wrong':>8}")
    for kind in COPIES | OTHERS:
        of = [o for o in outcomes if o.planted.kind == kind]
        _print(_row(kind, of))
    for is_copy, name in ((True, "all copies"), (False, "all others")):
        _print(_row(name, [o for o in outcomes if o.planted.is_copy is is_copy]))
    _print("\nof the long copies found, of all others merged, by the least part shared (columns) and contained (rows)")
    _print(f"{'':8}" + "".join(f"{shared:>15}" for shared in SHARED))
    for contained in CONTAINED:
        pairs = [_by_thresholds(outcomes, shared, contained) for shared in SHARED]
        _print(f"{contained:<8}" + "".join(f"{right:>9.3f}{wrong:>6.3f}" for right, wrong in pairs))


def _row(name: str, outcomes: list[Outcome]) -> str:
    row = f"{name:36}"
    for is_brief in (False, True):
        of = [o for o in outcomes if (o.planted.original >= ARTICLES * 3 // 4) is is_brief]
        row += f"{len(of):10}{sum(o.right for o in of) / len(of):7.3f}"
    return f"{row}{sum(o.wrong for o in outcomes):8}"


def _by_thresholds(outcomes: list[Outcome], shared: float, contained: float) -> tuple[float, float]:
    def share(of: list[Outcome]) -> float:
        taken = [o.alike for o in of if o.alike.figures_agree and o.alike.shared >= shared]
        return sum(a.contained >= contained for a in taken) / len(of)

    copies = [o for o in outcomes if o.planted.is_copy and o.planted.original < ARTICLES * 3 // 4]
    return share(copies), share([o for o in outcomes if not o.planted.is_copy])


def _print(line: str) -> None:
    print(line)  # noqa: T201


if __name__ == "__main__":
    main()
