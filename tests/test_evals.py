"""The measures themselves: a wrong ruler measures nothing."""

import csv
import gzip
import json
from contextlib import closing
from pathlib import Path

import pytest

from evals import beir, chunking, clapnq, event, indexing, scifact, squad
from evals.remembering import RememberingEmbedder
from rag import Answer, Assistant
from rag.embed import MiniLM
from rag.records import Article, Passage


def paragraph(text: str, *questions: tuple[str, str]) -> dict[str, object]:
    """A paragraph with its questions and their answers, "" for none."""
    return {
        "context": text,
        "qas": [{"question": q, "answers": [{"text": a}] if a else []} for q, a in questions],
    }


def test_squad_counts_hits_by_paragraph_and_answers_by_quote(tmp_path: Path, embedder: MiniLM) -> None:
    """A passage counts when it overlaps the question's own paragraph, and an answer when it stands in a quote."""
    filler = " ".join(["The tide tables of the estuary fill several dull volumes in the archive."] * 9)
    file = tmp_path / "squad.json"
    bridge = [
        paragraph(filler, ("Where do the tide tables fill volumes?", "archive")),
        paragraph(
            f"The harbour bridge was closed on 3 March 2026. {filler}",
            ("When was the harbour bridge closed?", "3 March 2026"),
            ("Who designed the harbour bridge?", ""),
        ),
    ]
    # Its own paragraph does not hold what is asked, so that neither the hit nor the answer may count.
    bread = [paragraph("Bread is baked from flour.", ("When was the bridge in the harbour closed?", "no such words"))]
    data = [{"title": "Bridge", "paragraphs": bridge}, {"title": "Bread", "paragraphs": bread}]
    file.write_text(json.dumps({"data": data}))
    articles, questions = squad.read(file)
    assert [articles[0].text[q.start : q.start + 11] for q in questions[:2]] == ["The tide ta", "The harbour"]
    index = indexing.index(articles, tmp_path / "index", embedder)
    scores = squad.score(questions, index, RememberingEmbedder(embedder, [q.text for q in questions]))
    index.close()
    assert scores == {
        "questions": 4,
        "hit@1": 0.75,
        "hit@4": 1.0,
        "first look hit@1": 0.75,
        "first look hit@4": 1.0,
        "answer in first quote": 2 / 3,
        "answer in quotes": 2 / 3,
        "answer marked": 2 / 3,
        "marked rightly": 1 / 2,
    }


TEXTS = {
    "bridge": "The harbour bridge was closed in March, because rust had eaten into its bolts.",
    "bread": "Rye bread keeps for a week when it is wrapped in linen.",
    "bees": "Bees in the orchard sleep until the first warm day of the year.",
}


def write_beir(
    folder: Path, queries: dict[str, dict[str, str]], judgements: str, *judged: tuple[str, str, int]
) -> None:
    """A set in BEIR's form, over `TEXTS`: files of queries, and the table of which article is right for which."""
    with gzip.open(folder / "corpus.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"_id": i, "title": i.title(), "text": text}) + "\n" for i, text in TEXTS.items())
    for name, texts in queries.items():
        (folder / name).write_text("\n".join(json.dumps({"_id": i, "text": t}) for i, t in texts.items()))
    table = folder / judgements
    table.parent.mkdir(exist_ok=True)
    rows = [("query-id", "corpus-id", "score"), *judged]
    table.write_text("\n".join("\t".join(map(str, row)) for row in rows))


def passage(article_id: str, start: int = 0, end: int = 10) -> Passage:
    """A passage at some place of an article."""
    return Passage("x" * (end - start), 0.5, article_id, "Title", "", "", "", start, end)


def test_ranked_articles_are_judged_by_the_best_passage_of_each() -> None:
    """Several passages of one article take one rank; recall and gain are those of the textbook."""
    found = beir.ranked([passage("a"), passage("b"), passage("a", 20, 30), passage("c")])
    assert found == ["a", "b", "c"]
    assert beir.recall(found, {"b", "c", "d"}, 2) == pytest.approx(1 / 3)
    assert beir.ndcg(found, {"a", "b"}, 10) == 1
    assert beir.ndcg(found, {"c"}, 10) == pytest.approx(0.5)
    assert beir.ndcg(found, {"c"}, 2) == 0


def test_scifact_counts_right_abstracts(tmp_path: Path, embedder: MiniLM) -> None:
    """Claims without a judgement are left out, one judged 0 is not right, and a first rank is worth 1."""
    claims = {"1": "Rust closed the bridge.", "2": "Rye bread keeps for a week.", "3": "Nobody judged this."}
    judged = (("1", "bridge", 1), ("2", "bees", 1), ("2", "bread", 0))
    write_beir(tmp_path, {"queries.jsonl": claims}, "qrels_test.tsv", *judged)
    articles, read = scifact.read(tmp_path)
    assert [(claim.text, set(claim.relevant)) for claim in read] == [(claims["1"], {"bridge"}), (claims["2"], {"bees"})]
    with closing(indexing.index(articles, tmp_path / "index", embedder)) as index:
        scores = scifact.score(read, index, embedder)
    assert scores["questions"] == 2
    assert 0.5 < scores["nDCG@10"] < 1


def test_clapnq_searches_for_the_turn_its_rewriting_and_what_the_history_makes_of_it(
    tmp_path: Path, embedder: MiniLM
) -> None:
    """The three ways to search are told apart, and each has its own scores."""
    queries = {
        "clapnq_questions.jsonl": {"c<::>2": "|user|: Who closed the Harbour Bridge?\n|user|: Why was it closed?"},
        "clapnq_rewrite.jsonl": {"c<::>2": "|user|: What had eaten into the bolts of the bridge?"},
    }
    write_beir(tmp_path, queries, "qrels/dev.tsv", ("c<::>2", "bridge", 1))
    articles, [turn] = clapnq.read(tmp_path)
    assert turn.conversation == "c"
    assert turn.ways == {
        "last turn": "Why was it closed?",
        "rewrite": "What had eaten into the bolts of the bridge?",
        "history": "Why was Harbour Bridge closed?",
    }
    with closing(indexing.index(articles, tmp_path / "index", embedder)) as index:
        scores = clapnq.score([turn], index, embedder)
    names = ("recall@5", "nDCG@5", "first look recall@5", "first look nDCG@5")
    measures = {f"{way} {measure}" for way in turn.ways for measure in names}
    assert scores.keys() == {"questions", *measures}
    assert scores["rewrite nDCG@5"] == scores["history nDCG@5"] == 1


def test_chunking_counts_characters_as_its_report_does() -> None:
    """What overlaps the excerpts counts once, what is retrieved counts each time, other articles only cost."""
    question = chunking.Question("What?", "a", ((0, 10), (20, 30)))
    assert question.measures([passage("a", 5, 25), passage("a", 5, 15), passage("b", 0, 10)]) == {
        "recall": pytest.approx(10 / 20),
        "precision": pytest.approx(10 / 40),
        "IoU": pytest.approx(10 / 50),
    }
    assert question.measures([]) == {"recall": 0, "precision": 0, "IoU": 0}


def test_chunking_excerpts_stand_where_the_index_has_them(tmp_path: Path, embedder: MiniLM) -> None:
    """The places in the table count white space that the index doesn't keep; the excerpts are found all the same."""
    text = f"\n{TEXTS['bread']}  \n\n{TEXTS['bees']} \n\n{TEXTS['bridge']}\n"
    (tmp_path / "notes.md").write_text(text)
    start = text.index("rust had eaten")
    excerpt = {"content": "rust had eaten", "start_index": start, "end_index": start + 14}
    with (tmp_path / "questions_df.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "references", "corpus_id"])
        writer.writerow(["What had happened to the bolts of the bridge?", json.dumps([excerpt]), "notes"])
    articles, questions = chunking.read(tmp_path)
    with closing(indexing.index(articles, tmp_path / "index", embedder)) as index:
        indexed = index.article("notes")
        scores = chunking.score(questions, index, embedder)
    assert indexed
    [(start, end)] = questions[0].excerpts
    assert indexed.text[start:end] == "rust had eaten"
    assert scores["recall"] == 1
    assert scores["precision"] == scores["IoU"] > 14 / len(text)


def test_a_kept_index_is_used_again(tmp_path: Path, embedder: MiniLM) -> None:
    """A folder that is kept holds the same generation after a second run; one that is not kept is gone."""
    articles = [Article(i, i.title(), text) for i, text in TEXTS.items()]
    found = []
    for _ in range(2):
        with indexing.folder(tmp_path) as folder, closing(indexing.index(articles, folder / "set", embedder)) as index:
            found.append((index.counts(), sorted(path.name for path in (folder / "set/index").glob("generation-*"))))
    assert found[0] == found[1]
    with indexing.folder(None) as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_an_event_answer_must_match_every_group_and_quote_exactly(assistant: Assistant) -> None:
    """A refusal, a missing fact or a quote that doesn't stand in its article makes an answer wrong."""
    answer = assistant.ask("Who founded DeepSeek?")

    def judged(given: Answer, *expect: tuple[str, ...], refuse: bool = False) -> bool:
        question = event.Question("x", "person", ("Who?",), expect, refuse)
        return event.is_right(question, given, assistant)

    assert judged(answer, ("nobody", "Liang Wenfeng"))
    assert not judged(answer, ("Liang Wenfeng",), ("nobody",))
    assert not judged(answer, refuse=True)
    refusal = assistant.ask("How do I bake bread?")
    assert judged(refusal, refuse=True)
    assert not judged(refusal, ("articles",))
    first = answer.citations[0]
    moved = type(first)(first.number, first.quote, first.passage, first.start + 1, first.end + 1)
    assert not judged(Answer("", answer.text, (moved,)), ("Liang Wenfeng",))


def test_remembered_vectors_are_the_embedders_own(embedder: MiniLM) -> None:
    """Embedding an evaluation's questions beforehand must not change what is measured."""
    texts = ["Who founded DeepSeek?", "Why?"]
    remembering = RememberingEmbedder(embedder, texts)
    assert abs(remembering.embed(texts) - embedder.embed(texts)).max() < 1e-5
    assert abs(remembering.embed(["Another question?"]) - embedder.embed(["Another question?"])).max() < 1e-5


def test_the_projects_own_questions_can_be_read() -> None:
    """The shipped set keeps its form, and has what it is there for: refusals, disagreements and follow-ups."""
    questions = event.read(Path(event.__file__).parent / "event_questions.jsonl")
    assert len({q.id for q in questions}) == len(questions) >= 150
    assert sum(q.refuse for q in questions) >= 25
    assert sum(q.kind == "conflict" for q in questions) >= 15
    assert sum(len(q.turns) > 1 for q in questions) >= 20
    assert all(bool(q.expect) != q.refuse for q in questions)
