"""Models behind OpenAI's protocol: finding one, streaming from it, thinking, keys, and every way in which it fails."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from rag.errors import (
    ModelAccessError,
    ModelError,
    ModelInterruptedError,
    ModelNotFoundError,
    ModelOverflowError,
    ModelServerError,
)
from rag.models import find_model
from rag.served import ServedModel, Usage
from rag.settings import Settings
from rag.thoughts import Delta
from tests.ollama_server import Cut, Done, End, Failure, Hang, Raw, Reply, Thinking
from tests.openai_server import OpenAIServer
from tests.test_generate import MANY, run
from tests.test_models import collect, nothing_left_open, unused_url

R1 = "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"
QWEN = "Qwen/Qwen3-8B"
QUESTION = [HumanMessage("How much?")]


def model_of(server: OpenAIServer, **settings: Any) -> ServedModel:
    """The model that the server has, by the settings' way."""
    chosen = {"model": f"openai:{server.name}", "openai_base_url": server.url} | settings
    return find_model(Settings(index=Path("index"), **chosen))


def ask_once(reply: Reply, name: str = R1, thinking_field: str = "reasoning") -> tuple[str, str, Usage]:
    """Text, reasoning and usage of one scripted reply."""
    with OpenAIServer(name, [reply], thinking_field=thinking_field) as server:
        return collect(model_of(server))


class TestFinding:
    @pytest.mark.parametrize(
        ("entry", "n_ctx", "num_ctx"),
        [
            ({"max_model_len": 4096}, None, 4096),
            ({"max_model_len": 131_072}, None, 8192),
            ({"owned_by": "llamacpp", "meta": {"n_ctx_train": 131_072}}, 4096, 4096),
            ({"owned_by": "llamacpp", "meta": {"n_ctx_train": 3000}}, None, 3000),
            ({}, None, 8192),
        ],
    )
    def test_context_length_is_asked(self, entry: dict[str, Any], n_ctx: int | None, num_ctx: int) -> None:
        """The context is what the server says, vLLM or llama.cpp, and never more than the setting."""
        with OpenAIServer(R1, entry=entry, n_ctx=n_ctx) as server:
            assert model_of(server).num_ctx == num_ctx

    def test_r1_and_others(self) -> None:
        """The R1 family gets no system message and always thinks; of others thinking is expected but optional."""
        with OpenAIServer(R1) as server:
            model = model_of(server)
            assert (model.name, model.system_prompt, model.thinks, model.can_think) == (
                f"openai/{R1}",
                False,
                True,
                False,
            )
        with OpenAIServer(QWEN) as server:
            model = model_of(server)
            assert (model.system_prompt, model.thinks, model.can_think) == (True, True, True)
            assert not model_of(server, think="false").thinks

    def test_names(self) -> None:
        """A name is found in any case; of one that isn't there the sentence says what is."""
        with OpenAIServer(QWEN) as server:
            assert model_of(server, model="openai:qwen/qwen3-8b").tag == QWEN
            with pytest.raises(ModelNotFoundError) as caught:
                model_of(server, model="openai:llama")
        assert str(caught.value) == f"The model server at {server.url} has no model llama; it has {QWEN}."

    def test_a_server_without_a_list(self) -> None:
        """A proxy that lists no models is taken at the user's word."""
        with OpenAIServer(QWEN, [["It fell."]], lists=False) as server:
            assert collect(model_of(server))[0] == "It fell."
            with pytest.raises(ModelNotFoundError, match="has no model other: The model `other` does not exist"):
                collect(model_of(server, model="openai:other"))

    def test_no_server(self) -> None:
        """Without a server one sentence names the address and the setting."""
        url = unused_url()
        settings = Settings(index=Path("index"), model="openai:x", openai_base_url=url)
        with pytest.raises(ModelServerError) as caught:
            find_model(settings)
        assert str(caught.value) == (
            f"No model server answers at {url}/v1; check that it runs there, and that the openai_base_url setting is "
            "right."
        )


class TestSending:
    def test_what_is_sent(self) -> None:
        """R1's temperature, a limit, a wish for counts, and nothing that a server may not know."""
        with OpenAIServer(R1, [["a"]]) as server:
            collect(model_of(server))
            (chat,) = server.chats
        assert chat.body == {
            "model": R1,
            "messages": [{"role": "user", "content": "How much?"}],
            "max_completion_tokens": 500,
            "temperature": 0.6,
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def test_thinking_switched(self) -> None:
        """A model is told whether to think only when the user or the chain decides, in the templates' own words."""
        with OpenAIServer(QWEN, [["a"]] * 4) as server:
            collect(model_of(server))
            collect(model_of(server), think=False)
            collect(model_of(server, think="false"), think=False)
            collect(model_of(server, think="true"))
            sent = [chat.body.get("chat_template_kwargs") for chat in server.chats]
        off, on = ({"enable_thinking": value, "thinking": value} for value in (False, True))
        assert sent == [None, off, off, on]
        assert {chat.body["temperature"] for chat in server.chats} == {0.0}

    def test_the_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The key reaches the server, a wrong one is refused in a sentence without it; settings don't show it."""
        monkeypatch.setenv("OPENAI_API_KEY", "another key, meant for another server")
        with OpenAIServer(QWEN, [["Yes."]], key="s3cret") as server:
            assert collect(model_of(server, openai_api_key="s3cret"))[0] == "Yes."
            for key in ("", "wr0ng"):
                with pytest.raises(ModelAccessError) as caught:
                    model_of(server, openai_api_key=key)
                assert str(caught.value) == (
                    f"The model server at {server.url} refuses the key; set the right one in AFTERSHOCK_OPENAI_API_KEY."
                )
            stale = model_of(server, openai_api_key="s3cret")
            server.key = "another"
            with pytest.raises(ModelAccessError):
                collect(stale)
            assert "s3cret" not in repr(stale)
        assert "s3cret" not in repr(Settings(Path("index"), openai_api_key="s3cret"))

    def test_a_key_is_not_repeated(self) -> None:
        """Where a server's own words hold the key, ours don't."""
        with OpenAIServer(QWEN, [[Failure(500, "no room for s3cret")]], key="s3cret") as server:
            model = model_of(server, openai_api_key="s3cret")
            with pytest.raises(ModelServerError, match=r"failed: no room for \*\*\*\."):
                collect(model)

    def test_a_proxy_for_the_web_is_not_in_the_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A proxy named in the environment is not used for the model server."""
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, unused_url())
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert ask_once(["Yes."])[0] == "Yes."


class TestAnswering:
    @pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
    def test_text_and_thinking_apart(self, field: str) -> None:
        """Thinking in a field of its own is reasoning, under the name that vLLM gives it and under the older one."""
        reply: Reply = [Thinking("Let me "), Thinking("see."), "It fell ", "17%.", Done(prompt_tokens=321)]
        assert ask_once(reply, thinking_field=field) == ("It fell 17%.", "Let me see.", Usage(321, 5, full=False))

    def test_both_in_one_piece(self) -> None:
        """vLLM sends the last thought and the first word together; neither is lost."""
        delta = {"reasoning": "see.", "content": "It "}
        both = Raw(json.dumps({"choices": [{"index": 0, "delta": delta}], "object": "chat.completion.chunk"}))
        assert ask_once([Thinking("Let me "), both, "fell."])[:2] == ("It fell.", "Let me see.")

    @pytest.mark.parametrize("reply", [["<thi", "nk>Let me see.</think>It fell."], ["Let me see.</th", "ink>It fell."]])
    def test_raw_tags(self, reply: Reply) -> None:
        """A server without a parser for thoughts leaves them in the text, often without the opening tag."""
        assert ask_once(reply)[:2] == ("It fell.", "Let me see.")

    def test_reaching_the_limit(self) -> None:
        """An answer that ended at the limit of its length is reported as such."""
        assert ask_once(["It", Done("length")])[2].full

    def test_no_usage(self) -> None:
        """A server that counts nothing is no error."""
        with OpenAIServer(R1, [["It fell."]], reports_usage=False) as server:
            assert collect(model_of(server)) == ("It fell.", "", Usage(None, None, full=False))


class TestFailing:
    @pytest.mark.parametrize(
        ("reply", "error", "said"),
        [
            ([Failure(500, "CUDA out of memory. Tried to allocate 2 GiB.")], ModelServerError, "CUDA out of memory"),
            ([Failure(503, "Loading model")], ModelServerError, "failed: Loading model"),
            ([Failure(429, "Too many requests")], ModelServerError, "failed: Too many requests"),
            ([Failure(404, "The model was unloaded")], ModelNotFoundError, f"no model {R1}: The model was unloaded"),
            ([Failure(400, "the request exceeds the available context size")], ModelOverflowError, "context size"),
            ([Failure(400, "This model's maximum context length is 4096 tokens.")], ModelOverflowError, "4096"),
            ([Failure(400, "unexpected keyword: think")], ModelServerError, "unexpected keyword"),
            (["It fell", Raw('{"error":{"message":"engine died","code":500}}')], ModelServerError, "engine died"),
            (["It fell", Raw("{malformed")], ModelServerError, "no answer in the form of OpenAI's"),
            (["It fell", Cut()], ModelInterruptedError, "broke off the connection"),
            ([Thinking("Hm"), Cut()], ModelInterruptedError, "broke off the connection"),
            (["It fell", End()], ModelInterruptedError, "stopped in the middle"),
            ([End()], ModelInterruptedError, "stopped in the middle"),
        ],
    )
    def test_errors(self, reply: Reply, error: type[ModelError], said: str) -> None:
        """Whatever the server does wrong ends in one error of ours, after a single request."""
        with OpenAIServer(R1, [reply]) as server:
            with pytest.raises(error, match=said) as caught:
                collect(model_of(server))
            assert len(server.chats) == 1
        assert type(caught.value) is error
        assert str(caught.value).endswith(".")

    def test_server_gone_between_two_questions(self) -> None:
        """A server that went away is reported, and one that came back at the same address is used again."""
        with OpenAIServer(R1, [["one"]]) as server:
            model = model_of(server)
            assert collect(model)[0] == "one"
        with pytest.raises(ModelServerError, match="No model server answers"):
            collect(model)
        with OpenAIServer(R1, [["two"]], port=server.port):
            assert collect(model)[0] == "two"

    @pytest.mark.parametrize("reply", [[Hang()], ["It fell", Hang()], [Thinking("Hm"), Hang()]])
    def test_silence_ends(self, reply: Reply) -> None:
        """A server that falls silent, at once or later, is given up after the time allowed."""
        with OpenAIServer(R1, [reply]) as server:
            model = replace(model_of(server), first_token_seconds=0.3, next_token_seconds=0.3)
            with pytest.raises(ModelServerError, match=r"has been silent for 0\.3 seconds"):
                collect(model)
            assert server.chats[0].gone.wait(20)

    def test_a_prompt_that_is_refused_as_too_long_is_made_shorter_once(self) -> None:
        """A server that refuses a long prompt gets a shorter one, and the answer says that it rests on less."""
        too_long = Failure(400, "This model's maximum context length is 4096 tokens.")
        with OpenAIServer(R1, [[too_long], ["It was said [1]."]]) as server:
            _, draft = run(model_of(server), MANY)
            first, second = (len(chat.body["messages"][0]["content"]) for chat in server.chats)
        assert second < 0.7 * first
        assert draft.text.startswith("It was said")
        assert "maximum context length is 4096 tokens; the answer was written again from" in draft.notes[0]
        with OpenAIServer(R1, [[too_long], [too_long]]) as server:
            with pytest.raises(ModelOverflowError):
                run(model_of(server), MANY)
            assert len(server.chats) == 2


class TestStopping:
    @pytest.mark.parametrize("reply", [[Hang()], ["It fell", Hang()]])
    def test_closing_stops_the_server(self, reply: Reply) -> None:
        """Closing the stream closes the connection, even while the server has not sent its first byte."""
        with OpenAIServer(R1, [reply]) as server:
            deltas = model_of(server).stream(QUESTION, think=True, most_tokens=500)
            while next(deltas) != Delta():
                pass
            deltas.close()
            assert server.chats[0].gone.wait(20)

    def test_nothing_is_left_of_cancelled_answers(self) -> None:
        """Neither a thread nor a socket outlives 200 answers that were stopped in the middle."""
        with OpenAIServer(R1, [[Thinking("Hm."), Hang()]] * 200) as server, nothing_left_open(server):
            model = model_of(server)
            for _ in range(200):
                deltas = model.stream(QUESTION, think=True, most_tokens=500)
                next(delta for delta in deltas if delta.reasoning)  # On a busy machine there may be silence before.
                deltas.close()
            assert [request.gone.wait(20) for request in server.chats] == [True] * 200
