"""Made-up short news items: each event told by several outlets on several days, with figures that differ."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from rag.records import Article, Source

OUTLETS = (
    "Reuters",
    "Bloomberg",
    "CNBC",
    "Financial Times",
    "The Wall Street Journal",
    "Associated Press",
    "BBC",
    "Fortune",
    "Time",
    "The Information",
    "Harbour Post",
    "Northern Ledger",
)
FIRST_DAY = date(2025, 1, 20)

# Name, what it is about (the headline), what happened ({n} is the figure), its unit, and the smallest figure.
_EVENTS = (
    ("ferry", "Ferry line Aldmar", "the ferry line Aldmar cancelled {n} sailings for want of crews", 40),
    ("dam", "Kestrel dam", "engineers counted {n} cracks in the wall of the Kestrel dam", 12),
    ("port", "Dock strike in Varn", "the dock strike in Varn held up {n} container ships", 25),
    ("chipmaker", "Chipmaker Oriel", "the chipmaker Oriel cut {n} jobs at its plant in Tessin", 300),
    ("bank", "Bank Hollis", "the bank Hollis set aside {n} million dollars for bad loans", 110),
    ("airline", "Airline Skerry", "the airline Skerry grounded {n} jets over a faulty valve", 14),
    ("carmaker", "Carmaker Valdo", "the carmaker Valdo recalled {n} thousand vans because of their brakes", 21),
    ("rail", "Rail tunnel at Mornay", "builders of the rail tunnel at Mornay overspent by {n} million euros", 60),
    ("power", "Power cut in Brennick", "the power cut in Brennick left {n} thousand homes in the dark", 33),
    ("flood", "Flood on the Isar plain", "the flood on the Isar plain drove {n} families from their homes", 210),
    ("vaccine", "Vaccine trial by Corvane", "the vaccine trial by Corvane lost {n} volunteers", 45),
    ("satellite", "Satellite firm Palewind", "the satellite firm Palewind lost contact with {n} satellites", 7),
    ("mine", "Copper mine at Rusko", "the copper mine at Rusko lowered its output by {n} tonnes a day", 150),
    ("search", "Search engine Quillon", "the search engine Quillon paid {n} million dollars for court costs", 28),
    ("farm", "Frost in the Lorne valley", "the frost in the Lorne valley ruined {n} orchards", 70),
    ("museum", "Theft at the Ansel museum", "thieves took {n} coins from the Ansel museum", 90),
    ("steel", "Steelworks of Dunmarrow", "the steelworks of Dunmarrow put {n} workers on short time", 400),
    ("cloud", "Data centre in Pell", "the data centre in Pell drew {n} megawatts more than it was allowed", 11),
    ("fishing", "Herring quota for Skelling", "ministers lowered the herring quota for Skelling by {n} tonnes", 800),
    ("film", "Film studio Marlowe", "the film studio Marlowe shelved {n} pictures", 5),
)
_LEADS = (
    "On {weekday} {what}, {outlet} has learned.",
    "According to people close to the matter, {what} on {day}.",
    "{What}, a spokeswoman confirmed on {weekday}.",
    "{What} on {weekday}, more than many had expected.",
)
_MIDDLES = (
    "Residents and investors alike asked how long the trouble would last.",
    "A similar case two years earlier had ended in a settlement.",
    "Officials promised a full account within a month.",
    "Nobody was available for comment at the head office.",
)
_ENDS = (
    "Earlier in the week {other} had spoken of {far}.",
    "Talks go on, and a further statement is expected.",
    "The figure given by {other} was {far}.",
    "Analysts warned against hasty conclusions.",
)
_HEADLINES = (
    "{about}: what is known so far",
    "{about}: the count grows",
    "{about} in the news again",
    "More on: {about}",
)


def articles(seed: int = 20250127) -> Iterator[Article]:
    """The items, the same for the same seed; the id names event, outlet and day: "ferry-reuters-0128"."""
    chance = Random(seed)
    for number, (name, about, what, least) in enumerate(_EVENTS):
        first = FIRST_DAY + timedelta(days=chance.randrange(3, 40))
        outlets = [OUTLETS[(number + step) % len(OUTLETS)] for step in (0, 1, 3, 6, 8)]
        figures = iter(chance.sample(range(least, 3 * least + 30), 40))
        for later in (0, 1, 3, 8):
            day = first + timedelta(days=later)
            for outlet in outlets[: 5 if later < 2 else 3]:
                told = what.format(n=next(figures))
                others = [other for other in outlets if other != outlet]
                words = {
                    "outlet": outlet,
                    "what": told,
                    "What": told[0].upper() + told[1:],
                    "weekday": f"{day:%A}",
                    "day": f"{day.day} {day:%B}",
                    "other": chance.choice(others),
                    "far": next(figures, least),
                }
                text = " ".join(chance.choice(part).format(**words) for part in (_LEADS, _MIDDLES, _ENDS))
                title = chance.choice(_HEADLINES).format(about=about)
                published = day.isoformat()
                yield Article(
                    f"{name}-{outlet.lower().removeprefix('the ').replace(' ', '-')}-{day:%m%d}",
                    title,
                    text,
                    outlet,
                    published,
                    sources=(Source(outlet, title, "", published),),
                )
