"""What the compared systems index and are asked: generated news in any amount, and SQuAD's paragraphs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.news import generate
from bench.shared import SharedVectors
from ingest.article import clean, header
from ingest.split import clip_header, split
from rag.embed import MiniLM
from rag.records import Article

REAL = 1_000
"""Passages whose vectors are computed; the others' are made up from these."""
QUESTIONS = 100
EVERY = 4
"""Every so many of SQuAD's questions are asked."""


@dataclass(frozen=True, slots=True)
class Material:
    """A folder for the systems; `gold` has for each question the number of the text that answers it, where known."""

    folder: Path
    gold: tuple[int, ...] = ()


def news(folder: Path, counts: Sequence[int]) -> Material:
    """Generated news, cut into passages by Aftershock's own rules: so many as the largest of `counts`."""
    folder.mkdir()
    model = MiniLM()
    texts: list[str] = []
    exported: list[str] = []
    titles: list[str] = []
    due = sorted(counts)
    for number, fields in enumerate(generate(max(counts), seed=8)):
        article = Article(str(number), fields["title"], clean(fields["text"]), fields["outlet"], fields["published"])
        line = clip_header(header(article), model.count_tokens)
        texts += [f"{line}\n{article.text[c.start : c.end]}" for c in split(article.text, line, model.count_tokens)]
        exported.append(json.dumps({**fields, "id": str(number), "url": ""}))
        titles.append(article.title)
        while due and len(texts) >= due[0]:
            (folder / f"articles-{due.pop(0)}.jsonl").write_text("\n".join(exported), encoding="utf-8")
        if not due:
            break
    np.save(folder / "base.npy", model.embed(texts[:REAL]))
    vectors = SharedVectors(folder / "base.npy")
    np.save(folder / "vectors.npy", np.stack([vectors.vector(text) for text in texts]))
    # Of the articles that all amounts have.
    asked = titles[: len((folder / f"articles-{min(counts)}.jsonl").read_text(encoding="utf-8").splitlines())]
    _write(folder, texts, list(itertools.islice(itertools.cycle(asked), QUESTIONS)))
    return Material(folder)


def squad(folder: Path, path: Path) -> Material:
    """The paragraphs of a SQuAD 2.0 file, each an article of its own with its title, and some of the questions."""
    folder.mkdir()
    texts: list[str] = []
    exported: list[str] = []
    questions: list[str] = []
    gold: list[int] = []
    for entry in json.loads(path.read_text(encoding="utf-8"))["data"]:
        title = entry["title"].replace("_", " ")
        for paragraph in entry["paragraphs"]:
            questions += [question["question"] for question in paragraph["qas"]]
            gold += [len(texts)] * len(paragraph["qas"])
            exported.append(json.dumps({"id": str(len(texts)), "title": title, "text": paragraph["context"]}))
            texts.append(f"{title}\n{clean(paragraph['context'])}")
    (folder / f"articles-{len(texts)}.jsonl").write_text("\n".join(exported), encoding="utf-8")
    _write(folder, texts, questions[::EVERY])
    return Material(folder, tuple(gold[::EVERY]))


def _write(folder: Path, texts: Sequence[str], questions: Sequence[str]) -> None:
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    (folder / "questions.json").write_text(json.dumps(questions), encoding="utf-8")
