"""How sentences are told apart: `python -m evals.sentences`.

One example for each of the English "golden rules" of the Pragmatic Segmenter (Dias 2015), in words of our own. Prints
which of them the splitter of `ingest.split` keeps, and how many.
"""

from __future__ import annotations

from ingest.split import sentences

MARK = "|"
"""Where one sentence ends and the next one begins."""
RULES = {
    "full stop": "Prices fell.| Nobody was surprised.",
    "question mark": "Who bought the mill?| The town did.",
    "exclamation mark": "What a storm!| The roof is gone.",
    "initial within a name": "The letter was written by Robert T. Hale.",
    "abbreviation before a number": "The figures stand on p. 112.",
    "abbreviation in lower case within a sentence": "Had Walker and co. left the hotel?",
    "company's abbreviation within a sentence": "The bank sold its share in Marsh, Dale & Co. on Friday.",
    "abbreviation in lower case at the end": "Leave it to Walker and co.| We are going home.",
    "company's abbreviation at the end": "The bank sold its share in Marsh, Dale & Co.| He was glad of it.",
    "abbreviation before a name": "The road leads past Mt. Etna to the sea.",
    "two abbreviations": "St. Anne's School is on 9th st. behind the station.",
    "abbreviation with a possessive": "These are Davis Jr.'s paintings.",
    "initials of a country within a sentence": "They moved to the U.S.A. in spring.",
    "initials at the end, a question next": "The rule holds in the E.U.| What about Norway?",
    "initials of a country at the end": "She was born in the U.S.| When did she leave?",
    "initials before a capital": "The ship belongs to the U.S. Navy in Norfolk.",
    "initials before a small letter": "He has paid taxes in the U.S. since 1998.",
    "times of day": "At 7 a.m. Mrs. Lowe opened the shop.| She closed it at 9 P.M.| Mrs. Lowe then walked home.",
    "decimal point": "The ticket costs $14.50 at the door.",
    "sum at the end": "The ticket costs $14.50.| Children pay half.",
    "sentence in brackets": "The mayor (She had been a teacher for twelve years.) spoke last.",
    "address of mail": "Write to Mary.Shaw@example.org.| She will answer.",
    "address on the web": "The report is at https://www.example.7.org/old-news/page_two.htm.| Read it today.",
    "quotation in single marks within a sentence": "He looked at the sky, 'It will rain.' he said.",
    "quotation in double marks within a sentence": 'He looked at the sky, "It will rain." he said.',
    "quotation at the end": 'He looked at the sky, "It will rain."| He closed all the windows of the house.',
    "two exclamation marks": "Stop!!| The bridge is out.",
    "two question marks": "What??| You sold it?",
    "exclamation mark and question mark": "Really!?| Who says so?",
    "question mark and exclamation mark": "Really?!| Who says so?",
    "list: number, full stop and bracket": "1.) Two spoons of flour |2.) A pinch of salt",
    "list of sentences: number, full stop and bracket": "1.) Sift the flour.| 2.) Add the salt.",
    "list: number and bracket": "1) Two spoons of flour |2) A pinch of salt",
    "list of sentences: number and bracket": "1) Sift the flour.| 2) Add the salt.",
    "list: number and full stop": "1. Two spoons of flour |2. A pinch of salt",
    "list of sentences: number and full stop": "1. Sift the flour.| 2. Add the salt.",
    "list: bullet and number": "• 4. Two spoons of flour |• 5. A pinch of salt",
    "list: hyphen bullet and number": "⁃4. Two spoons of flour |⁃5. A pinch of salt",
    "list: letters": "a. Two spoons of flour |b. A pinch of salt |c. A glass of water",
    "numbers with full stops": "The part has N°. 3307.118.420.| Order it by post.",
    "exclamation mark within a name": "She sang in Oklahoma! at the school theatre.",
    "pronoun I at the end": "Nobody knew it but my sister and I.| Have you met Henry I. Lowe?",
    "ellipsis at the end of a quotation": "The author hopes that one day “all borders will be forgotten. . . .”",
    "ellipsis in square brackets": '"Keller [...] compared the market to a river [...]" (Lowe 81).',
    "spaced ellipsis at the end": "The speech broke off in the middle of the thanks . . . .| Then came music.",
    "ellipsis of four at the end": "I had no idea....| He closed the door.",
    "ellipses within a sentence": "It was ... how shall I put it...odd . . . well, you see . . . I was surprised.",
    "ellipses between sentences": "A second use . . . was in the building of roads.| . . . It ended. . . .",
}


def parts(marked: str) -> tuple[str, list[str]]:
    """A text without its marks, and the sentences between them."""
    return marked.replace(MARK, ""), [part.strip() for part in marked.split(MARK)]


def is_kept(marked: str) -> bool:
    """Whether the splitter finds the sentences between the marks."""
    text, wanted = parts(marked)
    return [text[start:end] for start, end in sentences(text, (0, len(text)))] == wanted


def main() -> None:
    """Split every example, and print what came of it."""
    kept = {rule: is_kept(example) for rule, example in RULES.items()}
    for rule, is_right in kept.items():
        print(f"{'right' if is_right else 'WRONG':8}{rule}")  # noqa: T201
    print(f"{sum(kept.values())} of {len(kept)} rules kept")  # noqa: T201


if __name__ == "__main__":
    main()
