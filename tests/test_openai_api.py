"""The real `openai` client, talking to the chat's server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event as Signal

import httpx
import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from rag import Assistant, Settings
from rag.errors import ModelNotFoundError, ModelServerError
from rag.records import ContextUse, DoneEvent, StageEvent, TextEvent
from tests.browser import serving
from tests.fakes import LOSS, REASONING, TEXT, ScriptedAssistant, model_answer, quoted_answer, refusal
from tests.ollama_server import Hang, Model, OllamaServer
from ui import openai_api, places
from ui.chat_text import BELOW
from ui.openai_api import MOST_BYTES

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

WHY: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Why?"}]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ScriptedAssistant, str]]:
    """One server for all tests of this module, with its assistant."""
    assistant = ScriptedAssistant()
    with serving(assistant) as address:
        yield assistant, address


@pytest.fixture
def scripted(served: tuple[ScriptedAssistant, str]) -> ScriptedAssistant:
    """The assistant behind it, without anything left of other tests."""
    assistant, _ = served
    assistant.scripts.clear()
    assistant.asked.clear()
    assistant.settled.clear()
    assistant.closed.clear()
    return assistant


@pytest.fixture
def client(served: tuple[ScriptedAssistant, str]) -> Iterator[OpenAI]:
    """OpenAI's client, which takes the first error for an answer."""
    with OpenAI(base_url=f"{served[1]}v1", api_key="none", max_retries=0) as client:
        yield client


def test_an_answer_with_its_sources(scripted: ScriptedAssistant, client: OpenAI) -> None:
    """In the text for those who read, as a record for programs, the thinking in the field that others have for it."""
    scripted.scripts.append(model_answer())
    history: list[ChatCompletionMessageParam] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What fell?"}]},
        {"role": "assistant", "content": f"Nvidia [1].{BELOW}**Sources**"},
    ]
    completion = client.chat.completions.create(model="aftershock", messages=[*history, *WHY], temperature=1.0)
    [choice] = completion.choices
    assert choice.finish_reason == "stop"
    assert choice.message.content is not None
    text, _, sources = choice.message.content.partition(BELOW)
    assert text == TEXT
    assert f"> {LOSS.quote.replace('$', chr(92) + '$')}" in sources
    assert choice.message.model_extra == {"reasoning_content": REASONING}
    assert completion.model_extra is not None
    record = completion.model_extra["aftershock"]
    assert record["model"] == "ollama/deepseek-r1:8b"
    assert record["citations"][0]["quote"] == LOSS.quote
    assert "reasoning" not in record
    assert {"disagreements", "facets", "notes", "refused", "support", "passages"} <= set(record)
    assert scripted.asked == [("Why?", [("What fell?", "Nvidia [1].")])]


def test_the_same_as_a_stream(scripted: ScriptedAssistant, client: OpenAI) -> None:
    """Pieces of thinking and text, and the record with the last one."""
    scripted.scripts += [model_answer(), model_answer()]
    completion = client.chat.completions.create(model="aftershock", messages=WHY)
    with client.chat.completions.create(model="aftershock", messages=WHY, stream=True) as stream:
        chunks = list(stream)
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(delta.content or "" for delta in deltas) == completion.choices[0].message.content
    thoughts = [(delta.model_extra or {}).get("reasoning_content", "") for delta in deltas]
    assert "".join(thoughts).strip() == REASONING
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert chunks[-1].model_extra == completion.model_extra


def test_the_tokens_that_were_used(scripted: ScriptedAssistant, client: OpenAI) -> None:
    """As the model's server counted them, none where no model was asked, and in a stream for those who ask for it."""
    [*events, done] = model_answer()
    assert isinstance(done, DoneEvent)
    counted = DoneEvent(replace(done.answer, context=ContextUse(1_500, 8_192, 300)))
    uncounted = DoneEvent(replace(done.answer, context=None))
    scripted.scripts += [[*events, counted], [*events, uncounted], quoted_answer(), [*events, counted]]
    usages = [client.chat.completions.create(model="aftershock", messages=WHY).usage for _ in range(3)]
    asked = [(u.prompt_tokens, u.completion_tokens, u.total_tokens) if u else None for u in usages]
    assert asked == [(1_200, 300, 1_500), None, (0, 0, 0)]
    with client.chat.completions.create(
        model="aftershock", messages=WHY, stream=True, stream_options={"include_usage": True}
    ) as stream:
        *chunks, last = list(stream)
    assert {chunk.usage for chunk in chunks} == {None}
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert (chunks[-1].model_extra or {})["aftershock"]["citations"]
    assert (last.choices, last.usage) == ([], usages[0])


def test_a_refusal_and_a_cut_answer(scripted: ScriptedAssistant, client: OpenAI) -> None:
    """A refusal is an answer, marked as one in its record; one that is cut short ends as such."""
    [*_, done] = quoted_answer()
    assert isinstance(done, DoneEvent)
    cut = replace(done.answer, interrupted=True, notes=("The server broke off.",))
    scripted.scripts += [refusal(), [TextEvent(cut.text), DoneEvent(cut)]]
    refused = client.chat.completions.create(model="aftershock", messages=WHY)
    assert refused.model_extra is not None
    assert refused.model_extra["aftershock"]["refused"]
    short = client.chat.completions.create(model="aftershock", messages=WHY)
    assert short.choices[0].finish_reason == "length"
    assert "*The server broke off.*" in (short.choices[0].message.content or "")


def test_models_are_named_as_settings(scripted: ScriptedAssistant, client: OpenAI) -> None:
    """The server's own choice, quotes, and what is served; each can be asked, and no other."""
    scripted.scripts += [quoted_answer() for _ in range(3)]
    with OllamaServer([Model("deepseek-r1:8b")]) as server:
        assistant = ScriptedAssistant()
        assistant.settings = Settings(Path("no-index"), ollama_host=server.url)
        with serving(assistant) as address, OpenAI(base_url=f"{address}v1", api_key="none") as other:
            names = [model.id for model in other.models.list()]
            assert names == ["aftershock", "aftershock/quotes", "aftershock/ollama:deepseek-r1:8b"]
            assert other.models.retrieve(names[2]).id == names[2]
    for name in names:
        client.chat.completions.create(model=name, messages=WHY)
    assert [settings.model for settings in scripted.settled] == ["auto", "quotes", "ollama:deepseek-r1:8b"]
    for name in ("gpt-4o", "aftershock/gpt-4o"):
        with pytest.raises(openai.NotFoundError) as caught:
            client.chat.completions.create(model=name, messages=WHY)
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_errors_have_their_status_and_openais_form(
    scripted: ScriptedAssistant, client: OpenAI, served: tuple[ScriptedAssistant, str]
) -> None:
    """Whatever is wrong with the request, the model or the server, the client raises the error that stands for it."""
    picture: list[ChatCompletionMessageParam] = [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}
    ]
    answered: list[ChatCompletionMessageParam] = [*WHY, {"role": "assistant", "content": "So."}]
    for messages in (picture, answered, []):
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="aftershock", messages=messages)
        assert caught.value.type == "invalid_request_error"
    with pytest.raises(openai.APIStatusError) as caught_large:
        client.chat.completions.create(model="aftershock", messages=[{"role": "user", "content": "x" * MOST_BYTES}])
    assert caught_large.value.status_code == 413
    failures = {
        ModelNotFoundError(
            "No m.",
        ): 404,
        ModelServerError("Gone."): 502,
        ValueError("secret"): 500,
    }
    for failure, status in failures.items():
        for stream in (False, True):
            scripted.scripts.append([StageEvent("search", "Searching"), failure])
            with pytest.raises(openai.APIStatusError) as caught_status:
                client.chat.completions.create(model="aftershock", messages=WHY, stream=stream)
            assert caught_status.value.status_code == status
            assert "secret" not in str(caught_status.value)
    scripted.scripts.append([TextEvent("It fell "), ModelServerError("Gone.")])
    with pytest.raises(openai.APIError, match="Gone"):
        list(client.chat.completions.create(model="aftershock", messages=WHY, stream=True))
    with pytest.raises(openai.NotFoundError, match="There is no /v1/embeddings here"):
        client.embeddings.create(model="aftershock", input="x")
    broken = httpx.post(f"{served[1]}v1/chat/completions", content="{", headers={"content-type": "application/json"})
    assert (broken.status_code, broken.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_stops_the_model(corpus_index: Path, stream: bool) -> None:
    """Through the real assistant to the server: the connection to the model is closed while it is silent."""
    with OllamaServer([Model("m:1b", capabilities=("completion",))], [["It fell ", Hang()]]) as server:
        settings = Settings(corpus_index, model="ollama:m:1b", ollama_host=server.url)
        assistant = Assistant.from_settings(settings)
        question: list[ChatCompletionMessageParam] = [
            {"role": "user", "content": "How much market value did Nvidia lose on 27 January 2025?"}
        ]
        with serving(assistant) as address, ThreadPoolExecutor(1) as pool:
            client = OpenAI(base_url=f"{address}v1", api_key="none", max_retries=0)
            if stream:
                with client.chat.completions.create(model="aftershock", messages=question, stream=True) as chunks:
                    next(chunk for chunk in chunks if chunk.choices[0].delta.content)
            else:
                pending = pool.submit(client.chat.completions.create, model="aftershock", messages=question)
                assert server.hanging.wait(60)
                client.close()
                with pytest.raises(openai.APIConnectionError):
                    pending.result()
            assert server.chats[0].gone.wait(30)
            health = httpx.get(f"{address}healthz").json()
            assert (health["answering"], health["waiting"]) == (0, 0)
        assistant.close()


def test_a_full_queue_is_an_error_that_says_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """429 with Retry-After; who waits gets the answer all the same, and the page and the APIs share the places."""
    monkeypatch.setattr(places, "ANSWERS_AT_ONCE", 1)
    monkeypatch.setattr(places, "WAITING_AT_MOST", 1)
    held = Signal()
    assistant = ScriptedAssistant()
    assistant.scripts += [[TextEvent("It "), held, *quoted_answer()], quoted_answer()]
    with serving(assistant) as address, OpenAI(base_url=f"{address}v1", api_key="none", max_retries=0) as client:
        first = client.chat.completions.create(model="aftershock", messages=WHY, stream=True)
        next(first)
        second = client.chat.completions.create(model="aftershock", messages=WHY, stream=True)
        next(second)
        assert (
            httpx.get(f"{address}healthz").json() | {"answering": 1, "waiting": 1}
            == httpx.get(f"{address}healthz").json()
        )
        with pytest.raises(openai.RateLimitError, match="Too many questions are waiting") as caught:
            client.chat.completions.create(model="aftershock", messages=WHY)
        assert caught.value.response.headers["retry-after"] == str(places.RETRY_SECONDS)
        held.set()
        for stream in (first, second):
            assert list(stream)[-1].choices[0].finish_reason == "stop"


def test_a_silent_stream_gives_signs_of_life(
    scripted: ScriptedAssistant, served: tuple[ScriptedAssistant, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy in between that waits for them doesn't cut it off, and the answer goes on behind them."""
    monkeypatch.setattr(openai_api, "KEEP_ALIVE_SECONDS", 0.05)
    held = Signal()
    scripted.scripts.append([TextEvent("It fell "), held, *quoted_answer()])
    body = {"model": "aftershock", "messages": WHY, "stream": True}
    with httpx.stream("POST", f"{served[1]}v1/chat/completions", json=body, timeout=60) as response:
        lines = response.iter_lines()
        assert any(f"{line}\n\n" == openai_api.STILL_AT_IT for line in lines)
        held.set()
        assert "data: [DONE]" in list(lines)


def test_strangers_and_other_sites_are_refused_in_openais_form() -> None:
    """With a password it is the key; a page elsewhere can't ask, whatever it sends."""
    assistant = ScriptedAssistant()
    assistant.scripts.append(quoted_answer())
    password = "correct horse battery"
    with serving(assistant, password=password) as address:
        with OpenAI(base_url=f"{address}v1", api_key="guess", max_retries=0) as stranger:
            with pytest.raises(openai.AuthenticationError) as caught:
                stranger.models.list()
            assert caught.value.code == "invalid_api_key"
        with OpenAI(base_url=f"{address}v1", api_key=password, max_retries=0) as friend:
            friend.chat.completions.create(model="aftershock", messages=WHY)
            with pytest.raises(openai.PermissionDeniedError, match="another site"):
                friend.chat.completions.create(
                    model="aftershock", messages=WHY, extra_headers={"Origin": "https://evil.example"}
                )
            with pytest.raises(openai.BadRequestError, match="host name"):
                friend.models.list(extra_headers={"Host": "rebound.example"})
