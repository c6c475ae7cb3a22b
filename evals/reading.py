"""What is read of files: `python -m evals.reading [FOLDER_OF_PDF_FILES]`.

Prints how many sentences are read right in how many encodings; how much of what pages put around articles is left in
them, and how many of their paragraphs are lost; and, for each PDF file, how many words were read or why none were.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

import corpus
from ingest.article import Loaded
from ingest.load import files, load
from ingest.readers import read
from ingest.texts import decode
from rag.errors import LoadError
from rag.records import Article

SENTENCES = {
    "en": "“Prices fell – and nobody knew why,” said the owner of the trader’s café; it cost €5.",
    "de": "Die Börse in Frankfurt schloss am Montag tiefer, weil Anleger größere Verluste befürchteten.",
    "fr": "L’été dernier, les élèves ont étudié à côté d’une fenêtre, même après l’orage.",
    "pl": "Spółka ogłosiła wczoraj, że jej nowy model języka działa równie dobrze jak większe i droższe.",
    "cs": "Ministerstvo potvrdilo, že příští týden začne přísnější kontrola vývozu čipů do některých zemí.",
    "ru": "Акции производителей чипов резко упали после сообщения о новой дешёвой модели из Китая.",
    "uk": "Український уряд оголосив, що їхній новий закон набуде чинності наступного місяця.",
    "el": "Οι μετοχές των εταιρειών τεχνολογίας υποχώρησαν τη Δευτέρα έπειτα από τα νέα από την Κίνα.",
    "tr": "Şirketin hisseleri pazartesi günü düştü, çünkü yatırımcılar yapay zekânın etkisinden çekiniyordu.",
    "he": "מניות חברות השבבים ירדו ביום שני לאחר שהתפרסמו הידיעות על המודל החדש מסין.",
    "ar": "تراجعت أسهم شركات الرقائق يوم الاثنين بعد الأخبار التي وصلت من الصين عن نموذج جديد.",
    "lt": "Lustų gamintojų akcijos pirmadienį smarkiai pigo, nes žinia išgąsdino rinkas visoje Europoje.",
    "ja": "月曜日、中国の新しい人工知能モデルのニュースを受けて、半導体メーカーの株価が大きく下がった。",
    "zh": "周一，中国一家公司发布的新模型使芯片制造商的股票价格大幅下跌，投资者感到意外。",
    "tw": "星期一，一家中國公司發表的新模型使晶片製造商的股價大幅下跌，投資人感到意外。",
    "ko": "월요일에 새로운 인공지능 모델 소식이 전해지면서 반도체 회사들의 주가가 크게 떨어졌다.",
}
NARROW = {
    "en": ["cp1252"], "de": ["cp1252", "iso8859-15"], "fr": ["cp1252"], "pl": ["cp1250", "iso8859-2"],
    "cs": ["cp1250", "iso8859-2"], "ru": ["cp1251", "koi8-r"], "uk": ["cp1251", "koi8-u"], "el": ["cp1253"],
    "tr": ["cp1254"], "he": ["cp1255"], "ar": ["cp1256"], "lt": ["cp1257"], "ja": ["shift_jis", "cp932", "euc_jp"],
    "zh": ["gb18030", "gbk"], "tw": ["big5"], "ko": ["euc_kr", "cp949"],
}  # fmt: skip
UNICODE = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]

FURNITURE = [
    "Advertisement", "- Advertisement -", "Sponsored", "Must Read", "Most Popular", "Trending now", "Editor's picks",
    "Share this story", "Share on X", "Tweet", "Copy link", "Print", "3 min read", "27 comments", "Leave a comment",
    "Read more: Rain spoils the harvest for a third year", "Read next: A bank looks for a new head",
    "Also read | Ten ways to save on heating", "RELATED: Why the yen rose against all others",
    "Don't miss: the week in pictures", "Watch: The harbour reopens after the storm",
    "Sign up to our morning newsletter", "Subscribe to our newsletter for more stories like this.",
    "Get our best stories delivered to your inbox every Friday.", "Enter your email address to subscribe",
    "Already a subscriber? Log in", "Follow us on Instagram for daily pictures", "Join us on WhatsApp",
    "We use cookies to improve your experience. By clicking accept you agree to this.",
    "This site uses cookies and similar technologies.", "Accept all cookies", "Manage cookies",
    "© 2025 The Ledger. All rights reserved.", "Terms of use | Privacy policy", "Back to top", "Load more",
    "Story continues below advertisement", "Click here to read the full report",
    "Support our journalism with a donation today", "Picture: A trader in New York / The Ledger",
    "Our standards: The principles we work by", "Download our app for the latest on the go",
    "This article was first published in the print edition", "Have a tip? Write to our reporters",
]  # fmt: skip
"""Written before the rules were tried on them; the last ones are of kinds that no rule is for."""
PER_ARTICLE = 6
SEED = 20250127


def encodings() -> tuple[int, int, list[str]]:
    """How many sentences were read right, of how many, and which were not."""
    cases = [(language, encoding) for language in SENTENCES for encoding in NARROW[language] + UNICODE]
    wrong = [f"{language} in {encoding}" for language, encoding in cases if not _is_right(language, encoding)]
    return len(cases) - len(wrong), len(cases), wrong


def _is_right(language: str, encoding: str) -> bool:
    try:
        return decode(SENTENCES[language].encode(encoding)) == SENTENCES[language]
    except LoadError:
        return False


def dressed(article: Article, choice: random.Random) -> tuple[list[str], list[str], str, str]:
    """The article's paragraphs, what was put among them, and the whole as plain text and as a page."""
    paragraphs = article.text.split("\n\n")
    planted = choice.sample(FURNITURE, PER_ARTICLE)
    lines: list[tuple[str, bool]] = [(paragraph, True) for paragraph in paragraphs]
    for line in planted:
        lines.insert(choice.randint(1, len(lines)), (line, False))
    shapes = ("<p>{}</p>", "<div class='box'>{}</div>", "<p><strong>{}</strong></p>", "<h4>{}</h4>")
    body = "".join(
        ("<p>{}</p>" if is_text else choice.choice(shapes)).format(escape(line, quote=False)) for line, is_text in lines
    )
    page = f"<html><head><title>{escape(article.title)}</title></head><body><article>{body}</article></body></html>"
    text = "\n\n".join([article.title, *(line for line, _ in lines)])
    return paragraphs, planted, text, page


def boilerplate(articles: list[Article]) -> Iterator[tuple[str, int, int, int, int, set[str]]]:
    """For text and for pages: planted lines, those left, paragraphs, those lost or changed, and which lines stay."""
    for kind in ("txt", "html"):
        choice = random.Random(SEED)
        planted_count = left_count = paragraph_count = lost_count = 0
        stay: set[str] = set()
        for article in articles:
            paragraphs, planted, text, page = dressed(article, choice)
            [loaded] = read(f"{article.id}.{kind}", (text if kind == "txt" else page).encode())
            found = loaded.article.text.split("\n\n") if loaded.article else []
            left = [line for line in planted if any(line in paragraph for paragraph in found)]
            stay |= set(left)
            planted_count, left_count = planted_count + len(planted), left_count + len(left)
            paragraph_count += len(paragraphs)
            lost_count += sum(" ".join(p.split()) not in [" ".join(f.split()) for f in found] for p in paragraphs)
        yield kind, planted_count, left_count, paragraph_count, lost_count, stay


def main(folder: Path | None) -> None:
    """Measure, and print the tables."""
    right, total, wrong = encodings()
    print(f"encodings: {right} of {total} sentences right", *wrong, sep="\n  ")  # noqa: T201
    articles = [
        loaded.article for path in files(corpus.FOLDER)[0] for loaded in load(Path(path)) if loaded.article is not None
    ]
    for kind, planted, left, paragraphs, lost, stay in boilerplate(articles):
        print(f"{kind}: of {planted} planted lines {left} left, of {paragraphs} paragraphs {lost} lost or changed")  # noqa: T201
        print("  left:", *sorted(stay), sep="\n    ")  # noqa: T201
    if folder is not None:
        results = {path.name: list(read(path.name, path.read_bytes())) for path in sorted(folder.glob("*.pdf"))}
        for name, loaded_ones in results.items():
            print(f"{name[:60]:<60} {_outcome(loaded_ones)}")  # noqa: T201
        read_ones = sum(any(loaded.article for loaded in loaded_ones) for loaded_ones in results.values())
        print(f"PDF files: text of {read_ones} of {len(results)}")  # noqa: T201


def _outcome(results: list[Loaded]) -> str:
    return "; ".join(
        f"{len(result.article.text.split())} words" if result.article else result.reason for result in results
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
