"""The whole path from question to answer, over the shipped corpus and the real embedder."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import rag
from ingest import sync
from rag import Answer, Assistant, Settings
from rag.embed import MiniLM
from rag.errors import (
    IndexEmptyError,
    IndexMissingError,
    ModelAccessError,
    ModelNotFoundError,
    QuestionError,
)
from rag.models import find_model
from rag.records import CitationEvent, DoneEvent, Event, ReasoningEvent, StageEvent, Support, TextEvent, WithdrawnEvent
from rag.served import ServedModel
from tests.apart import apart
from tests.ollama_server import Cut, Done, End, Failure, Hang, Model, OllamaServer, Raw, Reply, Thinking
from tests.openai_server import OpenAIServer

QUESTION = "How much market value did Nvidia lose on 27 January 2025?"


def with_model(index: Path, server: OllamaServer, model: str = "ollama:deepseek-r1:8b") -> Assistant:
    return Assistant.from_settings(Settings(index, model=model, ollama_host=server.url))


def events_of(assistant: Assistant, question: str = QUESTION) -> tuple[list[Event], Answer]:
    """All events, checked for what holds for every answer."""
    events = list(assistant.stream(question))
    last = events[-1]
    assert isinstance(last, DoneEvent)
    answer = last.answer
    standing = events[max((n for n, e in enumerate(events) if isinstance(e, WithdrawnEvent)), default=0) :]
    assert "".join(e.text for e in standing if isinstance(e, TextEvent)) == answer.text
    assert tuple(e.citation for e in standing if isinstance(e, CitationEvent)) == answer.citations
    thoughts = "".join(e.text for e in events if isinstance(e, ReasoningEvent))
    assert answer.reasoning == ("" if answer.model == "quotes" else thoughts)
    check_citations(assistant, answer)
    return events, answer


def check_citations(assistant: Assistant, answer: Answer) -> None:
    """Each mark has its citation, and each citation's quote stands in its article at its place."""
    assert {int(n) for n in re.findall(r"\[(\d+)\]", answer.text)} == {c.number for c in answer.citations}
    for citation in answer.citations:
        text = assistant.article(citation.passage.article_id).text
        assert text[citation.start : citation.end] == citation.quote
        assert text[citation.passage.start : citation.passage.end] == citation.passage.text


@pytest.mark.parametrize(
    ("question", "pattern"),
    [
        (QUESTION, r"\$(589|588\.8|593|59[56])"),
        ("When was DeepSeek-R1 released?", r"20 January 2025"),
        ("Who founded DeepSeek?", r"Liang Wenfeng"),
        ("Why did the shares of American technology companies fall?", r"DeepSeek"),
    ],
)
def test_questions_are_answered_in_the_sources_own_words(assistant: Assistant, question: str, pattern: str) -> None:
    """The main job: the answer is there, quoted exactly, at most three sentences, each cited."""
    _, answer = events_of(assistant, question)
    assert re.search(pattern, answer.text)
    assert 1 <= len(answer.citations) <= 3
    assert (answer.model, answer.refused, answer.interrupted) == ("quotes", False, False)


@pytest.mark.parametrize(
    "question",
    ["How do I bake sourdough bread?", "What is the melting point of tungsten?", "Who won the Tour de France in 1998?"],
)
def test_what_the_articles_do_not_say_is_refused_with_the_closest_articles(assistant: Assistant, question: str) -> None:
    """A reader must be able to trust that there is no invented answer."""
    _, answer = events_of(assistant, question)
    assert answer.refused
    assert answer.citations == ()
    searched = f"Searched: {len(assistant.articles())} articles, for “{question}”."
    assert answer.text.startswith(f"The articles do not answer this question. {searched} The closest articles are: ")


def test_stages_come_first_and_name_the_rewritten_question(assistant: Assistant) -> None:
    """The reader sees what is searched for, before anything else."""
    history = [("Who founded DeepSeek?", "Liang Wenfeng founded DeepSeek. [1]")]
    events = list(assistant.stream("Where did he study?", history))
    stages = [e for e in events if isinstance(e, StageEvent)]
    assert events[: len(stages)] == stages
    assert re.fullmatch(r"Searching \d+ articles for: Where did Liang Wenfeng study\?", stages[0].message)
    done = events[-1]
    assert isinstance(done, DoneEvent)
    assert done.answer.standalone_question == "Where did Liang Wenfeng study?"
    assert "Zhejiang" in done.answer.text


def test_an_answer_is_json_and_text(assistant: Assistant) -> None:
    """Developers get a record that `json` takes, readers a text that lists the sources under it."""
    answer = assistant.ask(QUESTION)
    assert json.loads(json.dumps(asdict(answer)))["citations"][0]["quote"] == answer.citations[0].quote
    lines = str(answer).splitlines()
    assert lines[0] == answer.text
    assert lines[2] == "Sources:"
    assert lines[3].startswith(f"[1] {answer.citations[0].passage.title} (")
    assert set(answer.timings) == {"retrieve", "answer"}


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("", "The question is empty"),
        (" \n ", "The question is empty"),
        ("why " * 25_000, "The question has 99,999 characters, but at most 4,000 are taken"),
    ],
)
def test_unusable_questions_get_one_sentence(assistant: Assistant, question: str, message: str) -> None:
    """A question that can't be searched is said to be so, before any work."""
    with pytest.raises(QuestionError, match=f"^{message}"):
        assistant.ask(question)
    with pytest.raises(QuestionError):
        assistant.retrieve(question)


def test_an_index_that_is_missing_or_empty_is_named(tmp_path: Path, embedder: MiniLM) -> None:
    """The message says which command makes an index; nothing is made by itself in a place that the user named."""
    with pytest.raises(IndexMissingError, match=r"There is no index at .*: make one with 'aftershock ingest PATH"):
        Assistant.from_settings(Settings(tmp_path / "none", model="quotes"))
    assert not (tmp_path / "none").exists()

    (tmp_path / "news").mkdir()
    settings = Settings(tmp_path / "index", model="quotes")
    sync([tmp_path / "news"], settings, embedder=embedder)
    assistant = Assistant.from_settings(settings)
    with pytest.raises(IndexEmptyError, match="holds no article"):
        assistant.ask(QUESTION)
    assistant.close()


def test_an_ingest_reaches_an_assistant_that_is_already_open(tmp_path: Path, embedder: MiniLM) -> None:
    """A chat that has been open for days answers from the articles that came in today."""
    news = tmp_path / "a.txt"
    news.write_text("Harbour bridge\n\nThe harbour bridge was closed on 3 March 2026 after a storm.")
    settings = Settings(tmp_path / "index", model="quotes")
    sync([news], settings, embedder=embedder)
    assistant = Assistant.from_settings(settings)
    assert "3 March 2026" in assistant.ask("When was the harbour bridge closed?").text
    for day in (4, 5, 6):
        news.write_text(f"Harbour bridge\n\nThe harbour bridge was closed on {day} March 2026 after a storm.")
        sync([news], settings, embedder=embedder)
        assert f"{day} March 2026" in assistant.ask("When was the harbour bridge closed?").text
    assistant.close()


def test_ask_builds_the_default_index_when_there_is_none() -> None:
    """`from rag import ask` is all that a developer needs after installing."""
    answer = rag.ask("Who founded DeepSeek?", settings=Settings.from_env(model="quotes"))
    assert "Liang Wenfeng" in answer.text
    assert apart(rag.aask("Who founded DeepSeek?", settings=Settings.from_env(model="quotes"))).text == answer.text


def test_importing_the_package_loads_nothing_of_it() -> None:
    """`import rag` stays instant: a public name loads its module when it is first used, and tools can list them all."""
    code = (
        "import rag, sys; early = [m for m in sys.modules if m.startswith('rag.')]; "
        "from typing import get_type_hints; assert set(rag.__all__) <= set(dir(rag)); "
        "assert all(getattr(rag, name).__name__ == name for name in rag.__all__); "
        "assert get_type_hints(rag.ask)['return'] is rag.Answer; sys.exit(', '.join(early) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_quoted_answer_loads_nothing_heavy(corpus_index: Path) -> None:
    """A cold question is answered in a second or two only as long as no training framework and no page is imported."""
    code = (
        "import sys; from rag import Settings, ask; "
        f"assert ask('Who founded DeepSeek?', settings=Settings({str(corpus_index)!r}, model='quotes')).citations; "
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'sklearn', 'gradio', 'langchain_core', "
        "'chromadb', 'onnx'}; "
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_asynchronous_stream_gives_the_same_events_and_can_be_cancelled(assistant: Assistant) -> None:
    """A web server can await answers, and drop one in the middle without an error in the background."""

    async def everything() -> list[str]:
        return [event.type async for event in assistant.astream(QUESTION)]

    async def cancelled() -> None:
        async def read() -> None:
            async for _ in assistant.astream(QUESTION):
                pass

        task = asyncio.create_task(read())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert apart(everything()) == [event.type for event in assistant.stream(QUESTION)]
    apart(cancelled())


def test_langchain_sees_a_runnable(assistant: Assistant) -> None:
    """The assistant is a step of anybody's LangChain pipeline."""
    runnable = assistant.as_runnable() | (lambda answer: answer.text)
    assert "Liang Wenfeng" in runnable.invoke("Who founded DeepSeek?")
    history = [("Who founded DeepSeek?", "Liang Wenfeng founded DeepSeek. [1]")]
    assert "Zhejiang" in runnable.invoke({"question": "Where did he study?", "history": history})


def test_a_served_model_answers_with_citations(corpus_index: Path) -> None:
    """With a model server there, the model's words are streamed, its thinking apart, its marks tied to sentences."""
    reply: Reply = [Thinking("Passage 1 has it."), "Nvidia lost about $589 billion", " of market value [1]."]
    with OllamaServer([Model("deepseek-r1:8b")], [reply]) as server:
        assistant = with_model(corpus_index, server, "auto")
        _, answer = events_of(assistant)
        assistant.close()
    assert answer.model == "ollama/deepseek-r1:8b"
    assert answer.reasoning == "Passage 1 has it."
    assert answer.text.startswith("Nvidia lost about $589 billion of market value")
    assert len(answer.citations) == 1
    assert answer.support == Support(1)
    assert answer.context is not None
    assert 500 < answer.context.used < answer.context.window == 8192


@pytest.mark.parametrize("question", ["What is R1?", "what is r1"])
def test_what_a_version_is_is_not_said_of_another_one(assistant: Assistant, question: str) -> None:
    """Many articles have the name in other ones, R1-Zero and Open-R1, which come nearer to so short a question."""
    assert assistant.ask(question).citations[0].quote.startswith("R1 is a reasoning model made by DeepSeek")


@pytest.mark.parametrize("question", ["Why did Nvidia fall?", "Why did Nvidia fall on 27 January 2025?"])
def test_the_reason_for_the_fall_is_told_with_and_without_its_day(assistant: Assistant, question: str) -> None:
    """Most sentences name the day and no reason; the one that has both comes first."""
    assert "because" in assistant.ask(question).citations[0].quote
    assert "DeepSeek" in assistant.ask(question).citations[0].quote


@pytest.mark.parametrize("question", ["What is DeepSeek?", "what is deepseek"])
def test_what_everything_is_about_is_said_by_the_sentence_that_says_it(assistant: Assistant, question: str) -> None:
    """Every passage names it, and only a sentence in the middle of one, if any, says what it is."""
    assert (
        assistant.ask(question).citations[0].quote.startswith("DeepSeek is a Chinese artificial intelligence company")
    )


def test_no_model_is_called_for_what_the_articles_do_not_hold(corpus_index: Path) -> None:
    """A model asked about bread would answer from its own knowledge; it isn't asked."""
    with OllamaServer([Model("deepseek-r1:8b")], [["Take flour."]]) as server:
        assistant = with_model(corpus_index, server)
        _, answer = events_of(assistant, "How do I bake sourdough bread?")
        assistant.close()
        assert server.chats == []
    assert answer.refused


def test_a_models_own_refusal_is_a_refusal_with_the_closest_articles(corpus_index: Path) -> None:
    """That the model found nothing in the passages must show in the record, too."""
    with OllamaServer([Model("deepseek-r1:8b")], [["The passages do not contain the answer."]]) as server:
        assistant = with_model(corpus_index, server)
        _, answer = events_of(assistant)
        assistant.close()
    assert answer.refused
    assert answer.text.startswith("The passages do not contain the answer. Searched: ")
    assert " The closest articles are: " in answer.text


@pytest.mark.parametrize(
    ("models", "replies", "note"),
    [
        ([], [], "has no model"),
        ([Model("deepseek-r1:8b")], [[Failure(500, "out of memory")]], "out of memory"),
    ],
)
def test_auto_falls_back_to_quotes_and_says_why(
    corpus_index: Path, models: Sequence[Model], replies: Sequence[Reply], note: str
) -> None:
    """Without a usable model the reader still gets an answer, and one line on how to get a better one."""
    with OllamaServer(models, replies) as server:
        assistant = with_model(corpus_index, server, "auto")
        events, answer = events_of(assistant)
        assistant.close()
    assert answer.model == "quotes"
    assert answer.citations
    assert len(answer.notes) == 1
    assert note in answer.notes[0]
    assert any(isinstance(e, StageEvent) and e.stage == "note" for e in events)


def test_a_name_that_no_model_has_is_an_error(corpus_index: Path) -> None:
    """Whoever names a model wants that one: a wrong name or key is said to be so, and nothing answers in its place."""
    with OllamaServer([Model("llama3.2:3b")], []) as server:
        assistant = with_model(corpus_index, server, "ollama:deepseek-r1:8b")
        with pytest.raises(ModelNotFoundError, match="deepseek-r1:8b"):
            assistant.ask(QUESTION)
        assistant.close()
    with OpenAIServer(key="s3cret") as server:
        settings = Settings(corpus_index, model=f"openai:{server.name}", openai_base_url=server.url)
        assistant = Assistant.from_settings(settings)
        with pytest.raises(ModelAccessError, match="AFTERSHOCK_OPENAI_API_KEY"):
            assistant.ask(QUESTION)
        assistant.close()


FAILURES: dict[str, tuple[Sequence[Reply], str]] = {
    "error": ([[Failure(500, "llama runner process has terminated")]], "llama runner process has terminated"),
    "memory": ([[Failure(500, "model requires more system memory (5.6 GiB)")]], r"more system memory \(5\.6 GiB\)"),
    "cut amid thinking": ([[Thinking("Let me see."), Cut()]], "broke off the connection"),
    "cut amid raw thinking": ([["<think>Let me", Cut()]], "broke off the connection"),
    "malformed line": ([[Thinking("Hm."), Raw("{malformed")]], "sent no answer in"),
    "error in the stream": ([[Thinking("Hm."), Raw('{"error": "an unknown error"}')]], "failed: (?i:an) .*error"),
    "no end": ([[Thinking("Hm."), End()]], "stopped in the middle"),
    "unloaded": ([[Done("unload")], [Done("unload")]], "gave an empty answer"),
    "nothing": ([["\n"], [" "]], "gave an empty answer"),
}


@pytest.mark.parametrize("protocol", ["ollama", "openai"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failing_server_leaves_the_sources_own_words(corpus_index: Path, protocol: str, failure: str) -> None:
    """Also with a model of the reader's choice: an answer in quotes, and a note that says what failed."""
    replies, said = FAILURES[failure]
    name = "Qwen/Qwen3-8B"
    with OpenAIServer(name, replies) if protocol == "openai" else OllamaServer([Model(name)], replies) as server:
        settings = Settings(
            corpus_index, model=f"{protocol}:{name}", ollama_host=server.url, openai_base_url=server.url
        )
        assistant = Assistant.from_settings(settings)
        events, answer = events_of(assistant)
        assistant.close()
        assert len(server.chats) == len(replies)
    assert (answer.model, answer.refused, answer.interrupted) == ("quotes", False, False)
    assert answer.citations
    (note,) = answer.notes
    assert re.search(said, note)
    assert note.endswith("The answer is in the sources' own words.")
    assert StageEvent("note", note) in events


PLAIN = Model("llama3.2:3b", capabilities=("completion",))
SAID: Reply = ["Nvidia lost about $589 billion of market value on 27 January 2025 [1]."]


@pytest.mark.parametrize(
    ("model", "replies", "think", "note"),
    [
        (PLAIN, [SAID], "true", "cannot think first, although it was asked to."),
        (Model("deepseek-r1:8b"), [SAID], "true", "did not think first, although it was asked to."),
        (
            Model("deepseek-r1:8b"),
            [[Failure(400, '"deepseek-r1:8b" does not support thinking')], SAID],
            "true",
            "did not think first, although it was asked to.",
        ),
        (Model("deepseek-r1:8b"), [[Failure(400, '"deepseek-r1:8b" does not support thinking')], SAID], "auto", ""),
        (PLAIN, [SAID], "auto", ""),
    ],
)
def test_thinking_that_is_asked_for_in_vain_is_told(
    corpus_index: Path, model: Model, replies: Sequence[Reply], think: str, note: str
) -> None:
    """The model answers all the same, also where an old server refuses to have it think; a note tells."""
    with OllamaServer([model], replies) as server:
        settings = Settings(corpus_index, model=f"ollama:{model.name}", ollama_host=server.url, think=think)
        assistant = Assistant.from_settings(settings)
        _, answer = events_of(assistant)
        assistant.close()
    assert answer.model == f"ollama/{model.name}"
    assert answer.notes == ((f"The model ollama/{model.name} {note}",) if note else ())


@pytest.mark.parametrize("protocol", ["ollama", "openai"])
@pytest.mark.parametrize("said", [[], [Thinking("Let me see.")], ["Nvidia lost about $589 billion [1]. Then"]])
def test_a_server_that_falls_silent_is_given_up(
    corpus_index: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, said: Reply
) -> None:
    """Before its first word, amid its thinking and amid its answer; what there is stays, or is quoted."""
    name = "Qwen/Qwen3-8B"

    def hasty(settings: Settings) -> ServedModel:
        return replace(find_model(settings), first_token_seconds=0.3, next_token_seconds=0.2)

    monkeypatch.setattr("rag.models.find_model", hasty)
    replies: list[Reply] = [[*said, Hang()]]
    with OpenAIServer(name, replies) if protocol == "openai" else OllamaServer([Model(name)], replies) as server:
        settings = Settings(
            corpus_index, model=f"{protocol}:{name}", ollama_host=server.url, openai_base_url=server.url
        )
        assistant = Assistant.from_settings(settings)
        _, answer = events_of(assistant)
        assistant.close()
        [chat] = server.chats
        assert chat.gone.wait(10)
    [note] = answer.notes
    silent = f"The model server at {server.url} has been silent for {0.2 if said else 0.3:g} seconds."
    if said and isinstance(said[0], str):
        assert (answer.model, answer.interrupted, note) == (
            f"{protocol}/{name}",
            True,
            f"The answer is cut short. {silent}",
        )
        assert answer.text.startswith("Nvidia lost about $589 billion")
    else:
        assert (answer.model, answer.interrupted) == ("quotes", False)
        assert note == f"{silent} The answer is in the sources' own words."
        assert answer.citations


def test_a_server_that_is_gone_and_comes_back(corpus_index: Path) -> None:
    """Between two questions a server may end and start again; the question meanwhile is answered in quotes."""
    reply: Reply = ["Nvidia lost about $589 billion of market value on 27 January 2025 [1]."]
    with OllamaServer([Model("deepseek-r1:8b")], [reply]) as server:
        assistant = with_model(corpus_index, server)
        assert events_of(assistant)[1].model == "ollama/deepseek-r1:8b"
    _, answer = events_of(assistant)
    assert answer.model == "quotes"
    assert answer.notes[0].startswith("No model server answers at")
    with OllamaServer([Model("deepseek-r1:8b")], [reply], port=server.port):
        assert events_of(assistant)[1].model == "ollama/deepseek-r1:8b"
    assistant.close()


def test_an_answer_that_nothing_supports_gives_way_to_quotes(corpus_index: Path) -> None:
    """What a model makes up is taken back, and the sources' own words stand in its place, with a note."""
    made_up = "A bakery in Lisbon opened its doors to forty violinists [1]. They played until the baker wept [2]."
    with OllamaServer([Model("deepseek-r1:8b")], [[Thinking("Hm."), made_up]]) as server:
        assistant = with_model(corpus_index, server)
        events, answer = events_of(assistant)
        assistant.close()
    assert WithdrawnEvent() in events
    assert (answer.model, answer.support) == ("quotes", None)
    assert answer.citations
    assert "bakery" not in answer.text
    assert answer.notes == (
        "Nothing that ollama/deepseek-r1:8b wrote stands in the articles: the answer is in the sources' own words.",
    )


def test_what_happened_on_a_day_is_told_by_the_articles_own_dates(corpus_index: Path) -> None:
    """A model that reads a few passages would tell it worse; it isn't asked."""
    with OllamaServer([Model("deepseek-r1:8b")], []) as server:
        assistant = with_model(corpus_index, server)
        _, answer = events_of(assistant, "What happened on 27 January 2025?")
        assistant.close()
        assert server.chats == []
    assert (answer.model, answer.notes) == ("quotes", ())
    assert len(answer.citations) > 3


def test_a_server_that_dies_in_the_middle_leaves_what_was_said(corpus_index: Path) -> None:
    """What the reader has already seen stays, marked as cut short."""
    with OllamaServer([Model("deepseek-r1:8b")], [["Nvidia lost about $589 billion [1]. Then", Cut()]]) as server:
        assistant = with_model(corpus_index, server)
        _, answer = events_of(assistant)
        assistant.close()
    assert answer.interrupted
    assert answer.text.startswith("Nvidia lost about $589 billion")
    assert "cut short" in answer.notes[0]


def test_closing_the_stream_in_the_middle_stops_the_model(corpus_index: Path) -> None:
    """Stop means stop, also for the machine's fan."""
    with OllamaServer([Model("deepseek-r1:8b")], [[*["word "] * 200, Hang()]]) as server:
        assistant = with_model(corpus_index, server)
        stream = assistant.stream(QUESTION)
        for event in stream:
            if isinstance(event, TextEvent):
                break
        stream.close()
        assistant.close()
        (chat,) = server.chats
        assert chat.gone.wait(10)
