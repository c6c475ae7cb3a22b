"""An answer by a model, from question and evidence to the draft, over a real connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rag.citations import Citer
from rag.errors import ModelError, ModelInterruptedError, ModelServerError
from rag.generate import generate
from rag.models import find_model
from rag.prompts import REFUSAL
from rag.records import (
    Citation,
    CitationEvent,
    Draft,
    Event,
    Evidence,
    Passage,
    ReasoningEvent,
    Sentence,
    StageEvent,
    Support,
    TextEvent,
    WithdrawnEvent,
)
from rag.served import ServedModel
from rag.settings import Settings
from tests.ollama_server import (
    Cut,
    Done,
    Failure,
    Hang,
    Model,
    OllamaServer,
    Reply,
    Thinking,
    answer_from_passages,
)

TEXT = "Nvidia lost $588.8 billion in market value. Its shares fell 16.97 percent."
PASSAGE = Passage(TEXT, 0.9, "nvidia", "Nvidia falls", "CNBC", "2025-01-27", "", 0, len(TEXT))
LOSS, FALL = Sentence(TEXT[:43], 0, 43), Sentence(TEXT[44:], 44, len(TEXT))
EVIDENCE = (Evidence(PASSAGE, (LOSS, FALL)),)
QUESTION = "How much did Nvidia lose?"
READS = StageEvent("model", "ollama/deepseek-r1:8b reads 1 passage")
LOSS_CITED = Citation(1, LOSS.text, PASSAGE, 0, 43)


def model_of(server: OllamaServer, num_ctx: int = 8192) -> ServedModel:
    """The model that the server has."""
    return find_model(Settings(index=Path("index"), ollama_host=server.url, num_ctx=num_ctx))


def answered(
    *replies: Reply, model: Model | None = None, evidence: Sequence[Evidence] = EVIDENCE
) -> tuple[list[Event], Draft]:
    """All events of an answer to these replies, and its draft."""
    with OllamaServer([model or Model()], replies) as server:
        return run(model_of(server), evidence)


def run(model: ServedModel, evidence: Sequence[Evidence] = EVIDENCE) -> tuple[list[Event], Draft]:
    """All events of an answer and its draft, checked for what holds for every answer."""
    stream = generate(model, QUESTION, evidence, ())
    events: list[Event] = []
    while True:
        try:
            events.append(next(stream))
        except StopIteration as stop:
            draft: Draft = stop.value
            break
    withdrawn = max((n for n, e in enumerate(events) if isinstance(e, WithdrawnEvent)), default=0)
    assert "".join(e.text for e in events[withdrawn:] if isinstance(e, TextEvent)) == draft.text
    assert "".join(e.text for e in events if isinstance(e, ReasoningEvent)) == draft.reasoning
    assert tuple(e.citation for e in events[withdrawn:] if isinstance(e, CitationEvent)) == draft.citations
    return events, draft


def test_the_events_of_an_answer() -> None:
    """Stage, thinking, text, and each citation right before the text with its mark: the whole transcript."""
    events, draft = answered([Thinking("Let me see."), "\n\nNvidia lost", " $589 billion [", "1]", "."])
    assert events == [
        READS,
        ReasoningEvent("Let me see."),
        TextEvent("Nvidia lost"),
        TextEvent(" $589 billion"),
        CitationEvent(LOSS_CITED),
        TextEvent(" [1]"),
        TextEvent("."),
    ]
    assert replace(draft, context=None) == Draft(
        "Nvidia lost $589 billion [1].", (LOSS_CITED,), reasoning="Let me see.", support=Support(1)
    )


def test_what_is_sent() -> None:
    """The model gets question, passages and history, and no system message when it is of the R1 family."""
    for name, roles in {"deepseek-r1:8b": ["user"], "llama3.2:latest": ["system", "user"]}.items():
        with OllamaServer([Model(name, capabilities=("completion",))], [["It fell [1]."]]) as server:
            list(generate(model_of(server), QUESTION, EVIDENCE, (("Before?", "Earlier answer."),)))
            messages = server.chats[0].body["messages"]
        assert [message["role"] for message in messages] == roles
        sent = messages[-1]["content"]
        assert [part in sent for part in (TEXT, "A: Earlier answer.", f"Question: {QUESTION}")] == [True] * 3


def test_an_answer_made_from_the_prompt() -> None:
    """A model that copies sentences out of its prompt is cited with exactly these sentences."""
    with OllamaServer(answer=answer_from_passages) as server:
        events = list(generate(model_of(server), "How much market value did Nvidia lose?", EVIDENCE, ()))
    assert [e.citation for e in events if isinstance(e, CitationEvent)] == [LOSS_CITED]


def test_only_passages_that_were_sent_can_be_cited() -> None:
    """The number of a passage that did not fit into the context is unknown, and vanishes."""
    long = "Something about shares was said by someone. " * 60
    many = tuple(Evidence(replace(PASSAGE, text=long, article_id=str(n)), ()) for n in range(8))
    with OllamaServer([Model()], [["It was said [1]. Really [8]."]]) as server:
        events = list(generate(model_of(server, num_ctx=4096), QUESTION, many, ()))
        sent = server.chats[0].body["messages"][0]["content"]
    assert "<passage 1>" in sent
    assert "<passage 8>" not in sent
    assert "".join(e.text for e in events if isinstance(e, TextEvent)).startswith("It was said [1]. Really.")


@pytest.mark.parametrize(
    "said",
    [
        REFUSAL,
        f"{REFUSAL} [1]".replace(" [1]", " [9]"),
        "The passages do not contain information about that.",
        "None of it helps: the provided articles don't mention a reason.",
        "The sources contain no information on this, as the articles do not say.",
    ],
)
def test_refusals(said: str) -> None:
    """The refusal that the model is told to give, and those in its own words, are refusals."""
    assert answered([said])[1].refused


@pytest.mark.parametrize(
    "said",
    ["Nvidia lost $589 billion [1]. The articles do not say why.", "The company did not provide a figure."],
)
def test_answers_that_only_look_like_refusals(said: str) -> None:
    """An answer with a citation, or about somebody who said nothing, is no refusal."""
    assert not answered([said])[1].refused


@pytest.mark.parametrize("end", [Cut(), Hang(), Failure(500, "x")])
def test_failing_before_the_first_word(end: Cut | Hang | Failure) -> None:
    """When the server fails before any text, even amid thinking, the error is the caller's to deal with."""
    replies: list[Reply] = [[end]] if isinstance(end, Failure) else [[Thinking("Hm."), end]]
    with OllamaServer([Model()], replies) as server:
        model = replace(model_of(server), next_token_seconds=0.3)
        with pytest.raises(ModelInterruptedError if isinstance(end, Cut) else ModelServerError):
            list(generate(model, QUESTION, EVIDENCE, ()))
        assert len(server.chats) == 1


def test_an_answer_that_breaks_off_is_kept() -> None:
    """What was streamed before the server died is the draft, down to the last word, and says that it is cut."""
    _, draft = answered(["Nvidia lost $589 billion [1]. Its shares ", "fell [", Cut()])
    assert draft.text == "Nvidia lost $589 billion [1]. Its shares fell"
    assert draft.interrupted
    (note,) = draft.notes
    assert note.startswith("The answer is cut short. The model server at http://127.0.0.1:")


def test_reaching_the_limit_of_tokens() -> None:
    """An answer that the model could not finish within its tokens says so."""
    _, draft = answered(["It was", Done("length")])
    assert (draft.text, draft.interrupted) == ("It was", True)
    assert draft.notes == ("The answer is cut short: the model may use 3072 tokens for it.",)


def budgeted(
    replies: Sequence[Reply],
    capabilities: tuple[str, ...] = ("completion", "thinking"),
    thinking_tokens: int = 2048,
    thinking_seconds: float = 180.0,
) -> tuple[list[Event], Draft, list[bool | None]]:
    """Events, draft and what each call said about thinking, of a model whose thinking is limited."""
    with OllamaServer([Model(capabilities=capabilities)], replies) as server:
        model = replace(model_of(server), thinking_tokens=thinking_tokens, thinking_seconds=thinking_seconds)
        events, draft = run(model)
        # The server is no longer busy with what was stopped.
        assert server.chats[0].gone.wait(20)
        return events, draft, [chat.body.get("think") for chat in server.chats]


ANSWER: Reply = ["Nvidia lost $589 billion [1]."]


@pytest.mark.parametrize(
    ("endless", "tokens", "seconds", "trouble"),
    [
        ([*(Thinking(f"Hm, {n}. ") for n in range(200)), Hang()], 64, 180.0, "more than 64 tokens"),
        ([Thinking("Hm."), Hang()], 2048, 0.3, "more than 0.3 seconds"),
        ([*[Thinking("Wait, is it so? ")] * 10_000, Hang()], 2048, 180.0, "circles"),
    ],
)
def test_thinking_has_a_budget(endless: Reply, tokens: int, seconds: float, trouble: str) -> None:
    """Thinking past its tokens or its seconds, or in circles, is stopped, and the model answers without."""
    events, draft, think = budgeted([endless, ANSWER], thinking_tokens=tokens, thinking_seconds=seconds)
    assert think == [True, False]
    assert (draft.text, draft.interrupted) == ("Nvidia lost $589 billion [1].", False)
    (note,) = draft.notes
    assert trouble in note
    assert note.endswith("so it was asked again without thinking.")
    times = [e.seconds for e in events if isinstance(e, ReasoningEvent)]
    assert times == sorted(times)
    assert times[0] == 0


def test_thinking_that_cannot_be_switched_off_ends_without_an_answer() -> None:
    """Where no call without thinking can be had, the error says how long the model thought, after one call."""
    endless: Reply = ["<think>", *(f"Hm, {n}. " for n in range(200)), Hang()]
    with pytest.raises(ModelError, match="thought for more than 64 tokens without answering"):
        budgeted([endless], ("completion",), thinking_tokens=64)
    with pytest.raises(ModelError, match="without answering, also when asked not to think"):
        budgeted([endless, endless], thinking_tokens=64)


def test_a_model_that_repeats_itself_is_stopped() -> None:
    """Of ten thousand tokens of the same the reader gets the first, and the server stops."""
    reply: Reply = [*["Nvidia lost ", "$589 billion ", "in market value ", "[1]. "] * 2500, Hang()]
    with OllamaServer([Model()], [reply]) as server:
        _, draft = run(model_of(server))
        assert server.chats[0].gone.wait(20)
    assert draft.text.strip() == "Nvidia lost $589 billion in market value [1]."
    assert draft.interrupted
    assert draft.notes == ("The answer is cut short: the model began to repeat itself.",)
    assert len(draft.citations) == 1


def test_one_context_size_whatever_is_asked() -> None:
    """Ollama loads a model anew when its context size changes, so it is the same for short and long conversations."""
    history = tuple((f"Question {n}?", "An answer of some words [1]. " * 20) for n in range(30))
    with OllamaServer([Model()], [["It fell [1]."]] * 3) as server:
        for turns, evidence in (((), EVIDENCE), (history, MANY), (history[:1], MANY)):
            list(generate(model_of(server), QUESTION, evidence, turns))
        assert [chat.body["options"]["num_ctx"] for chat in server.chats] == [8192] * 3


def test_more_passages_fit_once_the_size_of_tokens_is_known() -> None:
    """The first estimate errs on the high side; the server's own count makes room for more, within the window."""
    with OllamaServer([Model()], [["It fell [1]."]] * 2) as server:
        model = model_of(server, num_ctx=4096)
        for _ in range(2):
            _, draft = run(model, MANY)
        first, second = (chat.body["messages"][0]["content"].count("<passage ") for chat in server.chats)
        assert first < second
        assert server.evaluated[1] <= 4096 * 5 / 8
    assert draft.context is not None
    assert draft.context.used == server.evaluated[1] + 2
    assert draft.context.window == 4096


def test_thinking_that_eats_the_answer() -> None:
    """A model that thought until its tokens ran out is asked once more, without thinking."""
    with OllamaServer([Model()], [[Thinking("Hm."), Done("length")], ["Nvidia lost $589 billion [1]."]]) as server:
        events = list(generate(model_of(server), QUESTION, EVIDENCE, ()))
        assert [chat.body["think"] for chat in server.chats] == [True, False]
    assert [e.message for e in events if isinstance(e, StageEvent)] == [
        READS.message,
        "ollama/deepseek-r1:8b thought without answering, and is asked again without thinking",
        READS.message,
    ]
    assert isinstance(events[-1], TextEvent)


@pytest.mark.parametrize(("capabilities", "calls"), [(("completion", "thinking"), 2), (("completion",), 1)])
def test_no_answer_at_all(capabilities: tuple[str, ...], calls: int) -> None:
    """A model that says nothing ends in an error, after a second call only where thinking can be switched off."""
    with OllamaServer([Model(capabilities=capabilities)], [["\n"], [" "]]) as server:
        with pytest.raises(ModelError, match=r"ollama/deepseek-r1:8b gave an empty answer"):
            list(generate(model_of(server), QUESTION, EVIDENCE, ()))
        assert len(server.chats) == calls


MANY = tuple(
    Evidence(replace(PASSAGE, text=f"In report {n} something about shares was said by someone. " * 8), ())
    for n in range(40)
)


def test_lost_context_is_told_and_the_answer_redone_with_less() -> None:
    """A server that gives the model less context than asked: the answer comes from passages that fit, and says so."""
    with OllamaServer(
        [Model()],
        [["Wrong [1]."], ["Something about shares was said by someone in report 0 [1]."], ["Once more [1]."]],
        window=2048,
    ) as server:
        model = model_of(server)
        events, draft = run(model, MANY)
        sent = [chat.body["messages"][-1]["content"].count("<passage ") for chat in server.chats]
        assert sent[0] > sent[1] > 0
        assert server.evaluated[0] == 1026
        assert {chat.body["options"]["num_ctx"] for chat in server.chats} == {8192}
        assert [e for e in events if isinstance(e, WithdrawnEvent)] == [WithdrawnEvent()]
        assert draft.text == "Something about shares was said by someone in report 0 [1]."
        assert draft.notes == (
            "The model server read only 1,026 tokens of a longer prompt, so context was lost; "
            f"the answer was written again from {sent[1]} of 40 passages.",
        )
        assert draft.context is not None
        assert draft.context.window == 2048
        assert run(model, MANY)[1].notes == ()
        assert len(server.chats) == 3


def test_context_that_stays_lost_is_told() -> None:
    """The answer is redone once only; whoever reads it knows that passages are missing."""
    replies: list[Reply] = [["Wrong [1]."], ["Wrong [1].", Done(prompt_tokens=2)]]
    with OllamaServer([Model()], replies, window=2500, tells_window=False) as server:
        model = model_of(server)
        _, draft = run(model, MANY)
        assert len(server.chats) == 2
    assert draft.notes == (
        "The model server read only 2 tokens of a longer prompt, so context was lost: "
        "some passages did not reach the model.",
    )


def test_what_the_servers_cache_held_is_not_lost() -> None:
    """Some versions of Ollama don't count prompt tokens that they had in their cache: no alarm, and nothing learned."""
    with OllamaServer([Model()], [["It fell [1]."]] * 3, counts_cached=False) as server:
        model = model_of(server)
        drafts = [run(model, MANY)[1] for _ in range(3)]
        first, second, third = server.evaluated
    assert third == 0 < second < first
    assert [draft.notes for draft in drafts] == [()] * 3
    sizes = [draft.context.used for draft in drafts if draft.context]
    assert len(sizes) == 3
    assert min(sizes) > first


def test_a_question_that_leaves_no_room() -> None:
    """A question that fills the context is answered by one sentence, without a call."""
    with OllamaServer([Model()]) as server:
        with pytest.raises(ModelError, match="leaves no room for any passage in the 2048 tokens"):
            list(generate(model_of(server, num_ctx=2048), "Why? " * 2000, EVIDENCE, ()))
        assert server.chats == []


@pytest.mark.parametrize("reply", [[Hang()], [Thinking("Hm."), Hang()], ["It fell [1]. ", Hang()]])
def test_closing_stops_the_server(reply: Reply) -> None:
    """A reader who stops while the server is silent makes it stop; the repeated stage event gives the occasion."""
    with OllamaServer([Model()], [reply]) as server:
        run = generate(model_of(server), QUESTION, EVIDENCE, ())
        assert next(run) == READS
        while next(run) != READS:
            pass
        run.close()
        assert server.chats[0].gone.wait(20)


def test_an_unsupported_sentence_is_marked_and_counted() -> None:
    """What no passage says is marked in the text that stands in the end, and counted."""
    events, draft = answered(["Nvidia lost $589 billion [1]. Its founder bought a bakery in Lisbon [1]."])
    assert draft.support == Support(2, ("Its founder bought a bakery in Lisbon.",))
    assert draft.text == "Nvidia lost $589 billion [1]. Its founder bought a bakery in Lisbon [1] [unsupported]."
    assert WithdrawnEvent() in events


def test_half_a_sentence_is_not_judged() -> None:
    """Where an answer breaks off in a sentence, nobody can say whether it would have been right."""
    _, draft = answered(["Nvidia lost $589 billion [1]. Its founder bought", Cut()])
    assert draft.text == "Nvidia lost $589 billion [1]. Its founder bought"
    assert draft.support == Support(1)


def test_raw_thoughts_stay_out() -> None:
    """Marks and tags within raw thoughts reach neither text nor citations."""
    _, draft = answered(["<think>Passage [1] says so.</think>It", " fell."], model=Model(capabilities=None))
    assert (draft.text, draft.reasoning) == ("It fell [1].", "Passage [1] says so.")


def test_the_citer_numbers_as_the_prompt_does() -> None:
    """The first passage of the evidence is number 1 for the model and for the marks."""
    citer = Citer(EVIDENCE)
    citer.feed("Its shares fell 16.97 percent [1].")
    assert [c.quote for c in citer.citations] == [FALL.text]
