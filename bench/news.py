"""News-like articles in any number, made from a seed: invented companies, outlets, people and figures."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator

OUTLETS = (
    "Harbour Times", "Northgate Post", "The Daily Ledger", "Market Courier", "Continental Wire", "Evening Bearer",
    "Chip and Circuit", "The Pacific Observer", "Capital Dispatch", "Old Bridge Gazette", "Signal Weekly",
    "Tradewind News",
)  # fmt: skip
_FIRST = ("Alder", "Boreal", "Cobalt", "Dunmore", "Eastfield", "Fennick", "Garnet", "Halden", "Ister", "Juniper",
          "Kestrel", "Lindgren", "Marlowe", "Norwood", "Orbital", "Pinewater", "Quarry", "Redmark", "Solstice",
          "Tarn", "Umber", "Vantage", "Westlake", "Yarrow", "Zephyr")  # fmt: skip
_SECOND = ("Semiconductor", "Systems", "Dynamics", "Networks", "Energy", "Robotics", "Labs", "Holdings", "Foundries",
           "Cloud", "Materials", "Logistics", "Optics", "Instruments", "Software", "Motors")  # fmt: skip
_GIVEN = ("Anna", "Bruno", "Chiara", "Daniel", "Elena", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Katya", "Liam",
          "Mei", "Nadia", "Omar", "Petra", "Quentin", "Rosa", "Samuel", "Tove")  # fmt: skip
_FAMILY = ("Abbott", "Brandt", "Castell", "Duarte", "Ekholm", "Ferrante", "Grau", "Hoshino", "Ivarsen", "Jansky",
           "Kowal", "Lindqvist", "Moreau", "Nakata", "Okafor", "Pellegrini", "Quist", "Rahimi", "Sandoval", "Thorne",
           "Ueda", "Varga", "Weiland", "Yildiz")  # fmt: skip
_PLACES = ("Lisbon", "Rotterdam", "Osaka", "Austin", "Taipei", "Dublin", "Milan", "Bangalore", "Toronto", "Seoul",
           "Warsaw", "Phoenix", "Singapore", "Hamburg", "Melbourne", "Leeds")  # fmt: skip
_ROLES = ("chief executive", "finance director", "head of research", "chairwoman", "works council leader",
          "chief engineer", "head of sales", "spokesman", "founder", "plant manager")  # fmt: skip
_THINGS = ("memory chips", "a language model", "server racks", "battery cells", "a robot arm", "power converters",
           "optical links", "a data centre", "driver software", "industrial sensors", "a payment service",
           "satellite modems", "cooling pumps", "a search engine", "network switches", "a translation service",
           "delivery drones", "medical scanners", "a weather model", "test equipment")  # fmt: skip
_EVENTS = ("agreed to buy {other}", "cut its forecast for the year", "delayed the launch of {thing}",
           "opened a plant in {place}", "won an order from {other}", "recalled {thing}", "named {person} as {role}",
           "settled a lawsuit with {other}", "raised prices for {thing}", "closed its office in {place}",
           "reported a record quarter", "stopped work on {thing}", "asked shareholders for {money}",
           "moved production of {thing} to {place}", "published the plans of {thing}",
           "lost its largest customer")  # fmt: skip
_REASONS = ("because orders from carmakers came in late", "after a fire at a supplier", "as interest rates stayed high",
            "after months of talks with the authorities", "because customers wait for the next generation",
            "while rivals sell below cost", "after a review of its factories", "as export licences were held back",
            "since the yen lost value", "because two investors pressed for it", "after an outage in the spring",
            "as demand for training large models cooled", "because a patent was declared void",
            "after the unions gave their consent", "while energy prices fell",
            "since a test line produced too much scrap",
            "after an audit found gaps in the books", "as shipping costs doubled",
            "because engineers left for a start-up",
            "after regulators in three countries asked questions")  # fmt: skip
_EFFECTS = ("suppliers in {place} fear for their contracts", "the board will meet again before the summer",
            "the shares may stay under pressure for weeks", "hiring at the site in {place} is frozen",
            "{other} could gain a foothold in the market", "the bonds were rated one notch lower",
            "a second shift is to start in the autumn", "the dividend is safe for now",
            "smaller makers might follow", "prices of {thing} could fall further",
            "a court in {place} has yet to agree", "the project will cost more than planned",
            "researchers expect a cheaper design within a year", "banks have extended their credit lines",
            "the ministry wants to see the figures first", "customers were told by letter")  # fmt: skip
_VIEWS = ("sees no reason to change course", "calls the step overdue", "warns of false hopes",
          "speaks of a turning point",
          "expects little relief before next year", "praises the team in {place}", "would rather have waited",
          "doubts that {other} can keep up", "hopes for clearer rules", "regards the price as fair",
          "has sold its holding in {other}", "wants to double the output of {thing}",
          "does not rule out further cuts", "thinks the worst is over")  # fmt: skip
_SENTENCES = (
    "{company} {event} {reason}, the company said on {day}.",
    "{person}, {role} of {company}, {view}.",
    "In {place}, shares of {company} {moved} {percent} percent to {price} dollars; {other} {moved} {percent} percent.",
    "In the {quarter} quarter revenue came to {money}, against {money} a year earlier.",
    "According to two people who know the plans, {effect}.",
    "Analysts at {bank} had expected {money} and now expect {money}.",
    "{other} had {event} only {count} weeks before, {reason}.",
    "{reason_capital}, {effect}, said {person} of {bank}.",
    "At the factory in {place}, {count} people work on {thing}, {percent} percent fewer than in {year}.",
    "The market for {thing} grew by {percent} percent in {year}, a study by {bank} says.",
    "\"{quote},\" said {person}, {role} of {other}.",
    "Since {month} {year} the price of {thing} has {moved} by {percent} percent.",
    "{company} employs {count} thousand people in {place} and {place2} and was founded in {year}.",
    "A spokeswoman for {other} declined to comment, but {effect}.",
    "Whether {effect}, will be seen when {company} presents its figures on {day}.",
    "{person} {view}, and adds that {effect}.",
    "The agreement with {other} covers {thing} for {count} years and is worth up to {money}.",
    "Traders in {place} pointed to {thing} and noted that {effect}.",
    "For {company} it is the {nth} such decision since {year}, {reason}.",
    "Before that, {bank} {view}; meanwhile {effect}.",
    "Of the {count} lines in {place}, {company} will keep {small}, {reason}.",
    "{bank} puts the damage at {money} and says that {effect}.",
)  # fmt: skip
_QUOTES = ("We have seen this before and we know what to do", "Nobody should draw conclusions from one quarter",
           "The customers decide, not the analysts", "It is cheaper to build it twice than to wait",
           "We will publish the numbers when they are complete", "This is a good day for {place}",
           "Our people have worked for it since {year}", "The market wants {thing}, and it wants it now",
           "There is no plan B, and none is needed", "I read about it in the newspaper like everybody else",
           "We are talking with {other}, as we always do", "A chip is not a strategy")  # fmt: skip
_TITLES = (
    "{company} {event}",
    "{company}: {effect}",
    "Why {company} {event}",
    "{person} {view}",
    "{event_of_other}, and {company} pays",
)


def generate(count: int, seed: int = 0, words: tuple[int, int] = (250, 600)) -> Iterator[dict[str, str]]:
    """`count` articles as a newsroom's export has them: id, title, text, outlet, published, url, author.

    The same seed gives the same articles, and the first ones don't depend on `count`.

    Args:
        words: the least length of the shortest and of the longest texts.
    """
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        yield _article(number, seed, chance, chance.randint(*words))


def _article(number: int, seed: int, chance: random.Random, words: int) -> dict[str, str]:
    speak = _speaker(chance)
    sentences: list[str] = []
    length = 0
    while length < words:
        sentences.append(speak(chance.choice(_SENTENCES)))
        length += len(sentences[-1].split())
    paragraphs: list[str] = []
    while sentences:
        size = chance.randint(2, 4)
        paragraphs.append(" ".join(sentences[:size]))
        sentences = sentences[size:]
    published = datetime.date(2024, 1, 1) + datetime.timedelta(chance.randrange(730))
    return {
        "id": f"news-{seed}-{number}",
        "title": speak(chance.choice(_TITLES)),
        "text": "\n\n".join(paragraphs),
        "outlet": (outlet := chance.choice(OUTLETS)),
        "published": published.isoformat(),
        "url": f"https://{outlet.lower().replace(' ', '-')}.example/{published:%Y/%m/%d}/{seed}-{number}",
        "author": f"{chance.choice(_GIVEN)} {chance.choice(_FAMILY)}",
    }


def _speaker(chance: random.Random) -> Callable[[str], str]:
    """Fills the gaps of a sentence; one company and three people stay the same throughout an article."""

    def company() -> str:
        return f"{chance.choice(_FIRST)} {chance.choice(_SECOND)}"

    subject = company()
    people = [f"{chance.choice(_GIVEN)} {chance.choice(_FAMILY)}" for _ in range(3)]
    gaps: dict[str, Callable[[], str]] = {
        "company": lambda: subject,
        "other": company,
        "bank": lambda: f"{chance.choice(_FAMILY)} & {chance.choice(_FAMILY)}",
        "person": lambda: chance.choice(people),
        "role": lambda: chance.choice(_ROLES),
        "place": lambda: chance.choice(_PLACES),
        "place2": lambda: chance.choice(_PLACES),
        "thing": lambda: chance.choice(_THINGS),
        "event": lambda: chance.choice(_EVENTS),
        "event_of_other": lambda: f"{company()} {chance.choice(_EVENTS)}",
        "reason": lambda: chance.choice(_REASONS),
        "reason_capital": lambda: chance.choice(_REASONS).capitalize(),
        "effect": lambda: chance.choice(_EFFECTS),
        "view": lambda: chance.choice(_VIEWS),
        "quote": lambda: chance.choice(_QUOTES),
        "moved": lambda: chance.choice(("rose", "fell", "climbed", "slipped", "gained", "dropped")),
        "percent": lambda: f"{chance.uniform(0.1, 24):.1f}",
        "price": lambda: f"{chance.uniform(4, 900):.2f}",
        "money": lambda: f"{chance.choice('€$£')}{chance.uniform(1, 990):.1f} {chance.choice(('million', 'billion'))}",
        "count": lambda: str(chance.randint(3, 960)),
        "small": lambda: str(chance.randint(2, 9)),
        "nth": lambda: chance.choice(("second", "third", "fourth", "fifth", "sixth")),
        "quarter": lambda: chance.choice(("first", "second", "third", "fourth")),
        "year": lambda: str(chance.randint(1978, 2025)),
        "month": lambda: chance.choice(("January", "March", "May", "June", "August", "October", "December")),
        "day": lambda: chance.choice(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")),
    }

    def fill(pattern: str) -> str:
        while "{" in pattern:
            before, _, rest = pattern.partition("{")
            gap, _, after = rest.partition("}")
            pattern = f"{before}{gaps[gap]()}{after}"
        return pattern[0].upper() + pattern[1:]

    return fill
