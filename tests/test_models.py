"""Models on a local server: finding one, streaming from it, and every way in which that fails."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import ollama
import psutil
import pytest
from langchain_core.messages import HumanMessage

from rag.errors import ModelError, ModelInterruptedError, ModelNotFoundError, ModelServerError
from rag.models import InstalledModel, find_model, rank, server_status
from rag.ollama import OllamaModel
from rag.served import ServedModel, Usage
from rag.settings import Settings
from rag.thoughts import Delta, ThoughtSplitter
from tests.ollama_server import Cut, Done, End, Failure, Hang, Model, OllamaServer, Raw, Reply, Thinking

R1 = Model("deepseek-r1:8b")
LLAMA = Model("llama3.2:latest", size=2_019_393_189, capabilities=("completion", "tools"), family="llama")
EMBEDDER = Model("nomic-embed-text:latest", size=274_302_450, capabilities=("embedding",), family="nomic-bert")
QUESTION = [HumanMessage("How much?")]


def settings_for(server: OllamaServer, model: str = "auto", num_ctx: int = 8192) -> Settings:
    """Settings that lead to this server."""
    return Settings(index=Path("index"), model=model, ollama_host=server.url, num_ctx=num_ctx)


def unused_url() -> str:
    """An address where nobody answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def collect(model: ServedModel, *, think: bool = True) -> tuple[str, str, Usage]:
    """Text, reasoning and usage of one call."""
    text = reasoning = ""
    deltas = model.stream(QUESTION, think=think, most_tokens=500)
    while True:
        try:
            delta = next(deltas)
        except StopIteration as stop:
            return text, reasoning, stop.value
        text += delta.text
        reasoning += delta.reasoning


def ask_once(reply: Reply, model: Model = R1, *, think: bool = True) -> tuple[str, str, Usage]:
    """Text, reasoning and usage of one scripted reply."""
    with OllamaServer([model], [reply]) as server:
        return collect(find_model(settings_for(server)), think=think)


@contextmanager
def nothing_left_open(server: OllamaServer) -> Iterator[None]:
    """Checks that this process has in the end as many threads and sockets as before, but for those of the server."""
    process = psutil.Process()

    def counted() -> tuple[int, int]:
        for _ in range(100):
            if not server.connections:
                break
            threading.Event().wait(0.05)
        ours = [c for c in process.net_connections("all") if server.port not in (*c.laddr[1:2], *c.raddr[1:2])]
        return threading.active_count(), len(ours)

    before = counted()
    yield
    # What an earlier test still had open may have ended meanwhile.
    assert all(now <= then for now, then in zip(counted(), before, strict=True))


class TestFinding:
    def test_r1_is_described_as_the_server_describes_it(self) -> None:
        """An R1 model gets no system prompt, and thinking and context length as /api/show tells them."""
        with OllamaServer([replace(R1, context_length=4096)]) as server:
            assert find_model(settings_for(server)) == OllamaModel(
                tag="deepseek-r1:8b",
                url=server.url,
                num_ctx=4096,
                can_think=True,
                thinks=True,
                system_prompt=False,
            )

    def test_another_model_is_described_as_the_server_describes_it(self) -> None:
        """A model of another family gets a system prompt, and no thinking when the server names none."""
        with OllamaServer([LLAMA]) as server:
            assert find_model(settings_for(server)) == OllamaModel(
                tag="llama3.2:latest",
                url=server.url,
                num_ctx=8192,
                can_think=False,
                thinks=False,
                system_prompt=True,
            )

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("ollama:deepseek-r1:8b", "deepseek-r1:8b"),
            ("ollama:DeepSeek-R1:8B", "deepseek-r1:8b"),
            ("ollama:llama3.2", "llama3.2:latest"),
            ("ollama:llama3.2:latest", "llama3.2:latest"),
            ("auto", "deepseek-r1:8b"),
        ],
    )
    def test_names(self, asked: str, found: str) -> None:
        """A model is found by its name, with or without ":latest", in any case; "auto" finds one by itself."""
        with OllamaServer([EMBEDDER, LLAMA, R1]) as server:
            model = find_model(settings_for(server, asked))
            assert (model.tag, model.name) == (found, f"ollama/{found}")

    def test_unasked_only_models_that_can_answer_here(self) -> None:
        """The automatic choice passes over embedders and over models that run on a service elsewhere."""
        cloud = Model("deepseek-r1:671b-cloud", size=384)
        with OllamaServer([EMBEDDER, cloud, LLAMA]) as server:
            assert find_model(settings_for(server)).tag == "llama3.2:latest"

    def test_an_old_server_without_capabilities(self) -> None:
        """A server that names no capabilities has its embedders told by family; its R1 is not asked to think apart."""
        old = [replace(EMBEDDER, capabilities=None), replace(R1, capabilities=None, family="qwen2")]
        with OllamaServer(old, version="0.5.7") as server:
            model = find_model(settings_for(server))
            assert (model.tag, model.can_think, model.thinks) == ("deepseek-r1:8b", False, True)

    def test_order_of_preference(self) -> None:
        """What fits the memory comes first, then the R1 family, then size; of what doesn't fit, the smallest."""
        gib = 2**30
        names = {"deepseek-r1:70b": 43, "deepseek-r1:14b": 9, "deepseek-r1:8b": 5, "qwen3:14b": 9, "gemma3:27b": 17}
        installed = [InstalledModel(name, size * gib) for name, size in names.items()]
        assert [model.name for model in rank(installed, 16 * gib)] == [
            "deepseek-r1:14b",
            "deepseek-r1:8b",
            "qwen3:14b",
            "deepseek-r1:70b",
            "gemma3:27b",
        ]
        assert rank(installed, None)[0].name == "deepseek-r1:70b"

    def test_no_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a server, one sentence names the address and what to do on this machine."""
        url = unused_url()
        settings = Settings(index=Path("index"), ollama_host=url)
        monkeypatch.setattr("shutil.which", lambda _: None)
        for platform, command in {
            "linux": "curl -fsSL https://ollama.com/install.sh | sh",
            "darwin": "brew install ollama",
            "win32": "winget install Ollama.Ollama",
        }.items():
            monkeypatch.setattr("sys.platform", platform)
            said = (
                f"No model server answers at {url}; install Ollama with `{command}`, then `ollama pull deepseek-r1:8b`."
            )
            for call in (find_model, server_status):
                with pytest.raises(ModelServerError) as caught:
                    call(settings)
                assert str(caught.value) == said

    def test_server_installed_but_not_running(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where Ollama is installed, the user is told to start it, not to install it."""
        monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/ollama")
        with pytest.raises(ModelServerError, match="start it with `ollama serve`"):
            find_model(Settings(index=Path("index"), ollama_host=unused_url()))

    def test_server_without_models(self) -> None:
        """A server without a usable model is answered with the command that gets one."""
        with OllamaServer([EMBEDDER]) as server:
            with pytest.raises(ModelNotFoundError) as caught:
                find_model(settings_for(server))
            assert str(caught.value) == (
                f"The model server at {server.url} has no model that can answer; "
                "get one with `ollama pull deepseek-r1:8b`."
            )

    def test_model_not_found(self) -> None:
        """A model that isn't there is answered with the command that gets it."""
        with OllamaServer([LLAMA]) as server:
            with pytest.raises(ModelNotFoundError, match="has no model mistral; get it with `ollama pull mistral`"):
                find_model(settings_for(server, "ollama:mistral"))
            with pytest.raises(ModelNotFoundError) as caught:
                find_model(settings_for(server, "ollama:deepseek-r1:8b"))
            assert str(caught.value) == (
                f"The model server at {server.url} has no model deepseek-r1:8b; "
                "get it with `ollama pull deepseek-r1:8b`."
            )

    def test_asking_for_an_embedder(self) -> None:
        """An embedding model that is asked for by name is refused before it is sent a question."""
        with OllamaServer([EMBEDDER]) as server, pytest.raises(ModelNotFoundError, match="only makes embeddings"):
            find_model(settings_for(server, "ollama:nomic-embed-text"))

    def test_something_else_at_the_address(self) -> None:
        """A web server that isn't Ollama is told apart from no server."""
        with OllamaServer() as server:
            elsewhere = Settings(index=Path("index"), ollama_host=f"{server.url}/blog")
            with pytest.raises(ModelServerError, match="404 page not found"):
                find_model(elsewhere)

    def test_status(self) -> None:
        """The status names version, models and sizes."""
        with OllamaServer([R1, LLAMA], version="0.12.6") as server:
            status = server_status(settings_for(server))
        assert status.version == "0.12.6"
        assert status.models == (
            InstalledModel("deepseek-r1:8b", 5_225_376_047),
            InstalledModel("llama3.2:latest", 2_019_393_189),
        )

    def test_a_proxy_for_the_web_is_not_in_the_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A proxy named in the environment is not used for the model server."""
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, unused_url())
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with OllamaServer([R1], [["Yes."]]) as server:
            assert collect(find_model(settings_for(server)))[0] == "Yes."
            assert server_status(settings_for(server)).version


class TestSending:
    def test_r1(self) -> None:
        """An R1 model is sent its recommended temperature, one context size, a limit for its reply, and think."""
        with OllamaServer([R1], [["a"], ["b"]]) as server:
            model = find_model(settings_for(server))
            collect(model)
            collect(model, think=False)
            first, second = (request.body for request in server.chats)
        assert first["options"] == {"num_ctx": 8192, "num_predict": 500, "temperature": 0.6}
        assert second["options"] == first["options"]
        assert (first["think"], second["think"]) == (True, False)
        assert first["messages"] == [{"role": "user", "content": "How much?"}]

    def test_a_model_that_cannot_think(self) -> None:
        """Another model is sent temperature 0, and not a word about thinking, which some servers refuse."""
        with OllamaServer([LLAMA], [["a"]]) as server:
            collect(find_model(settings_for(server, num_ctx=4096)))
            body = server.chats[0].body
        assert body["options"] == {"num_ctx": 4096, "num_predict": 500, "temperature": 0.0}
        assert "think" not in body

    def test_nothing_is_reported_to_a_service(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Questions aren't sent to a tracing service, even where the environment asks LangChain for it."""
        from langchain_core.tracers.langchain import wait_for_all_tracers
        from langsmith import utils

        remembered: Any = utils.get_env_var

        with OllamaServer([R1], [["a"]]) as server:
            for name, value in {"TRACING": "true", "ENDPOINT": f"{server.url}/trace", "API_KEY": "key"}.items():
                monkeypatch.setenv(f"LANGSMITH_{name}", value)
            remembered.cache_clear()
            collect(find_model(settings_for(server)))
            wait_for_all_tracers()
            monkeypatch.undo()
            remembered.cache_clear()
            assert [r.path for r in server.requests] == ["/api/tags", "/api/show", "/api/chat"]


class TestAnswering:
    def test_text_and_thinking_apart(self) -> None:
        """Thinking from its own field is reasoning, content is text, and the server's counts come last."""
        reply: Reply = [Thinking("Let me "), Thinking("see."), "It fell ", "17%.", Done(prompt_tokens=321)]
        assert ask_once(reply) == ("It fell 17%.", "Let me see.", Usage(prompt_tokens=321, answer_tokens=5, full=False))

    def test_reaching_the_limit(self) -> None:
        """An answer that ended at the limit of its length is reported as such."""
        assert ask_once(["It", Done("length")])[2].full

    @pytest.mark.parametrize(
        "reply",
        [
            ["<think>Let me see.</think>It fell."],
            ["<thi", "nk>Let me", " see.</th", "ink>It", " fell."],
            ["Let me see.</think>It fell."],
            ["Let me", " see.", "</thi", "nk>", "It fell."],
            ["<THINK>Let me see.</Think>It fell."],
        ],
    )
    @pytest.mark.parametrize("capabilities", [("completion", "thinking"), ("completion",), None])
    def test_raw_tags(self, reply: Reply, capabilities: tuple[str, ...] | None) -> None:
        """Raw think tags never reach the text: split, without the opening one, and on any server."""
        text, reasoning, _ = ask_once(reply, replace(R1, capabilities=capabilities))
        assert (text, reasoning) == ("It fell.", "Let me see.")

    def test_a_model_whose_template_opens_the_thinking(self) -> None:
        """A model of another name whose template has a think tag is taken to begin with thoughts."""
        model = Model("my-own:latest", capabilities=("completion",), template="{{ .Prompt }}<|assistant|><think>")
        assert ask_once(["Let me see.</think>It fell."], model)[:2] == ("It fell.", "Let me see.")

    def test_stray_tag_after_native_thinking(self) -> None:
        """A stray closing tag after thinking in its own field vanishes, and no text with it."""
        assert ask_once([Thinking("Hm."), "</think>", "It fell."])[:2] == ("It fell.", "Hm.")

    def test_tags_when_asked_not_to_think(self) -> None:
        """An empty think block that a model sends though told not to think leaves no trace."""
        assert ask_once(["<think>\n</think>", "It fell."], think=False)[0] == "It fell."

    def test_an_answer_that_sounds_like_thoughts(self) -> None:
        """Once thinking came in its own field, text is text, however it sounds."""
        assert ask_once([Thinking("Hm."), f"Okay, {LONG}", Done("length")])[0] == f"Okay, {LONG}"

    def test_an_answer_without_thoughts(self) -> None:
        """When a model that should begin with thoughts doesn't think, its answer is not lost."""
        assert ask_once(["It ", "fell."])[0] == "It fell."

    def test_thoughts_cut_by_the_limit_are_no_answer(self) -> None:
        """Thoughts without any tag that ran into the limit don't become the answer."""
        assert ask_once(["Let me see, ", "let me see", Done("length")])[0] == ""

    @pytest.mark.parametrize("end", [Cut(), End(), Raw("{malformed")])
    def test_an_answer_that_breaks_off_is_given_out_first(self, end: Cut | End | Raw) -> None:
        """What was held back of a short answer comes out before the error."""
        with OllamaServer([R1], [["It fell <", end]]) as server:
            deltas = find_model(settings_for(server)).stream(QUESTION, think=True, most_tokens=500)
            assert next(deltas) == Delta(text="It fell <")
            with pytest.raises(ModelError):
                next(deltas)


class TestFailing:
    @pytest.mark.parametrize(
        ("reply", "error", "said"),
        [
            ([Failure(500, "llama runner process has terminated")], ModelServerError, "runner process has terminated"),
            (
                [Failure(500, "model requires more system memory (5.6 GiB) than is available (3.1 GiB)")],
                ModelServerError,
                r"more system memory \(5.6 GiB\)",
            ),
            ([Failure(404, "model 'deepseek-r1:8b' not found")], ModelNotFoundError, "ollama pull deepseek-r1:8b"),
            (["It fell", Raw('{"error":"an unknown error"}')], ModelServerError, "failed: an unknown error"),
            (["It fell", Raw("{malformed")], ModelServerError, "no answer in Ollama's form"),
            (["It fell", Cut()], ModelInterruptedError, "broke off the connection"),
            ([Thinking("Hm"), Cut()], ModelInterruptedError, "broke off the connection"),
            (["It fell", End()], ModelInterruptedError, "stopped in the middle"),
            ([End()], ModelServerError, "no answer in Ollama's form"),
        ],
    )
    def test_errors(self, reply: Reply, error: type[ModelError], said: str) -> None:
        """Whatever the server does wrong ends in an error of ours, in one sentence that says what happened."""
        with pytest.raises(error, match=said) as caught:
            ask_once(reply)
        assert type(caught.value) is error
        assert str(caught.value).endswith(".")

    def test_server_gone_between_two_questions(self) -> None:
        """A server that went away is reported, and one that came back at the same address is used again."""
        with OllamaServer([R1], [["one"]]) as server:
            model = find_model(settings_for(server))
            assert collect(model)[0] == "one"
        with pytest.raises(ModelServerError, match="No model server answers"):
            collect(model)
        with OllamaServer([R1], [["two"]], port=server.port):
            assert collect(model)[0] == "two"

    @pytest.mark.parametrize("reply", [[Hang()], ["It fell", Hang()], [Thinking("Hm"), Hang()]])
    def test_silence_ends(self, reply: Reply) -> None:
        """A server that falls silent, at once or later, is given up after the time allowed."""
        with OllamaServer([R1], [reply]) as server:
            model = replace(find_model(settings_for(server)), first_token_seconds=0.3, next_token_seconds=0.3)
            with pytest.raises(ModelServerError, match=r"has been silent for 0\.3 seconds"):
                collect(model)
            assert server.chats[0].gone.wait(20)

    def test_the_two_time_outs_are_different(self) -> None:
        """The first token may take longer than those after it."""
        with OllamaServer([R1], [[Thinking("Hm"), Hang()]]) as server:
            model = replace(find_model(settings_for(server)), first_token_seconds=100, next_token_seconds=0.1)
            with pytest.raises(ModelServerError, match=r"silent for 0\.1 seconds"):
                collect(model)


class TestStopping:
    @pytest.mark.parametrize("reply", [[Hang()], ["It fell", Hang()]])
    def test_closing_stops_the_server(self, reply: Reply) -> None:
        """Closing the stream closes the connection, even while the server has not sent its first byte."""
        with OllamaServer([R1], [reply]) as server:
            deltas = find_model(settings_for(server)).stream(QUESTION, think=True, most_tokens=500)
            while next(deltas) != Delta():
                pass
            deltas.close()
            assert server.chats[0].gone.wait(20)

    def test_nothing_is_left_of_cancelled_answers(self) -> None:
        """Neither a thread nor a socket outlives 200 answers that were stopped in the middle."""
        with OllamaServer([R1], [[Thinking("Hm."), Hang()]] * 200) as server, nothing_left_open(server):
            model = find_model(settings_for(server))
            for _ in range(200):
                deltas = model.stream(QUESTION, think=True, most_tokens=500)
                next(delta for delta in deltas if delta.reasoning)  # On a busy machine there may be silence before.
                deltas.close()
            assert [request.gone.wait(20) for request in server.chats] == [True] * 200


LONG = "so the question is about the value that was lost, and passage one has the figure, it seems."


class TestThoughtSplitter:
    @staticmethod
    def split(text: str, size: int, *, expects_thoughts: bool, complete: bool = True) -> tuple[str, str]:
        splitter = ThoughtSplitter(expects_thoughts=expects_thoughts)
        deltas = [d for i in range(0, len(text), size) for d in splitter.feed(text[i : i + size])]
        deltas += splitter.finish(complete=complete)
        return "".join(d.text for d in deltas), "".join(d.reasoning for d in deltas)

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
    @pytest.mark.parametrize(
        ("stream", "expects_thoughts", "text", "reasoning"),
        [
            ("<think>a</think>b", False, "b", "a"),
            ("<think>a <think>b</think> c</think>d", False, "d", "a b c"),
            ("<think>a <think>b</think> c</think>d", True, "d", "a b c"),
            ("a</think>b", True, "b", "a"),
            ("a</think>b", False, "ab", ""),
            ("\n<think>a</think>b", True, "b", "a"),
            ("<thinking>a</thinking>b", False, "b", "a"),
            ("a<think>b", False, "a", "b"),
            ("a<think>b</think>c", True, "ac", "b"),
            ("1 < 2 and 3 <thing>", True, "1 < 2 and 3 <thing>", ""),
            ("a<think>b</think>c<think>d</think>e", False, "ace", "bd"),
            ("a <th", True, "a <th", ""),
            (f"Okay, {LONG}</think>b", True, "b", f"Okay, {LONG}"),
            (f"Okay, {LONG} a <think>b</think> c</think>d", True, "d", f"Okay, {LONG} a b c"),
            (f"Nvidia fell, {LONG}", True, f"Nvidia fell, {LONG}", ""),
        ],
    )
    def test_streams(self, size: int, stream: str, expects_thoughts: bool, text: str, reasoning: str) -> None:
        """Text and thoughts come apart in the same way however the stream is cut into pieces."""
        assert self.split(stream, size, expects_thoughts=expects_thoughts) == (text, reasoning)

    @pytest.mark.parametrize("size", [1, 1000])
    def test_what_sounds_like_thoughts_but_never_ends(self, size: int) -> None:
        """It is the answer when the stream is complete, and only thoughts when it is cut off."""
        stream = f"Okay, {LONG}"
        assert self.split(stream, size, expects_thoughts=True) == (stream, stream)
        assert self.split(stream, size, expects_thoughts=True, complete=False) == ("", stream)

    def test_an_answer_is_shown_while_it_is_written(self) -> None:
        """Where thoughts are expected but an answer comes, it is held back for its first words only."""
        splitter = ThoughtSplitter(expects_thoughts=True)
        assert list(splitter.feed("Nvidia lost $589 billion.")) == []
        (first,) = splitter.feed(" That is a great deal, and more than any company lost before.")
        assert first.text.startswith("Nvidia lost $589 billion. That")
        assert list(splitter.feed(" It fell.")) == [Delta(text=" It fell.")]


class TestTheServerItself:
    def test_pull_goes_on_where_it_broke(self) -> None:
        """The test server's pull speaks Ollama's protocol, breaks on demand, and resumes."""
        with OllamaServer([], pull_breaks_at=0.6) as server, ollama.Client(server.url) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                list(client.pull("deepseek-r1:8b", stream=True))
            progress = list(client.pull("deepseek-r1:8b", stream=True))
            assert progress[1].completed == 600_000
            assert progress[-1].status == "success"
            assert find_model(settings_for(server)).tag == "deepseek-r1:8b"

    def test_loaded_models(self) -> None:
        """The test server reports a model as loaded, with the context size asked for, once it was used."""
        with OllamaServer([R1], [["a"]]) as server, ollama.Client(server.url) as client:
            assert client.ps().models == []
            collect(find_model(settings_for(server, num_ctx=4096)))
            assert [(m.model, m.context_length) for m in client.ps().models] == [("deepseek-r1:8b", 4096)]
