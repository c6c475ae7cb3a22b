"""The real `gradio_client`, talking to the chat's server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from threading import Event as Signal

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from rag.records import TextEvent
from tests.browser import serving
from tests.fakes import LOSS, NVIDIA, TEXT, ScriptedAssistant, model_answer, quoted_answer, silence
from ui import places

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

PASSWORD = "correct horse battery"
KEY = {"Authorization": f"Bearer {PASSWORD}"}


def connect(address: str, **options: object) -> closing[Client]:
    """A client that tells nobody of what it does."""
    return closing(Client(address, verbose=False, analytics_enabled=False, **options))


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ScriptedAssistant, str]]:
    """One server with a password, and its assistant."""
    assistant = ScriptedAssistant()
    with serving(assistant, password=PASSWORD) as address:
        yield assistant, address


def test_endpoints_are_named_and_typed(served: tuple[ScriptedAssistant, str]) -> None:
    """`ask`, `search` and `article`, with the types of what they take; nothing of the page's own is among them."""
    with connect(served[1], headers=KEY) as client:
        endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert {
        name: [(each["parameter_name"], each["parameter_has_default"]) for each in about["parameters"]]
        for name, about in endpoints.items()
    } == {
        "/ask": [("question", False), ("history", True), ("model", True), ("ignore", True)],
        "/search": [("question", False), ("k", True)],
        "/article": [("id", False)],
    }
    assert [each["python_type"]["type"] for each in endpoints["/search"]["parameters"]] == ["str", "int"]


def test_ask_streams_and_search_leads_to_articles(served: tuple[ScriptedAssistant, str]) -> None:
    """The text grows from result to result, and the last one has the record; history is what the caller gives."""
    assistant, address = served
    assistant.scripts.append(model_answer())
    with connect(address, headers=KEY) as client:
        job = client.submit("Why?", [["What fell?", "Nvidia [1]."]], "quotes", ["outlet:Reuters"], api_name="/ask")
        results = list(job)
        texts = [result["text"] for result in results]
        assert texts[-1] == TEXT
        assert all(TEXT.startswith(text) for text in texts)
        assert results[-1]["answer"]["citations"][0]["quote"] == LOSS.quote
        assert "reasoning" not in results[-1]["answer"]
        assert assistant.asked == [("Why?", [("What fell?", "Nvidia [1].")])]
        assert assistant.settled[-1].model == "quotes"
        assert assistant.ignored == [["outlet:Reuters"]]
        [passage] = client.predict("Nvidia", 1, api_name="/search")
        assert client.predict(passage["article_id"], api_name="/article")["text"] == NVIDIA.text


def test_errors_are_sentences_and_nothing_hangs(
    served: tuple[ScriptedAssistant, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the queue is full, for those who wait for the result and for those who go through the results."""
    with connect(served[1], headers=KEY) as client:
        for name, given, sentence in (
            ("/search", [""], "The question is empty"),
            ("/article", ["x"], "There is no article 'x'"),
            ("/ask", ["Why?", [["alone"]]], "must be pairs of texts"),
            ("/ask", ["Why?", None, "gpt-4o"], "it must be auto, quotes"),
        ):
            with pytest.raises(AppError, match=sentence):
                client.predict(*given, api_name=name)
    monkeypatch.setattr(places, "ANSWERS_AT_ONCE", 1)
    monkeypatch.setattr(places, "WAITING_AT_MOST", 0)
    held = Signal()
    assistant = ScriptedAssistant()
    assistant.scripts.append([TextEvent("It "), held, *quoted_answer()])
    with serving(assistant) as address, connect(address) as client:
        first = client.submit("Why?", api_name="/ask")
        next(first)
        second = client.submit("When?", api_name="/ask")
        assert list(second) == []
        with pytest.raises(AppError, match="Too many questions are waiting"):
            second.result()
        held.set()
        assert first.result()["answer"]["text"] == f"{LOSS.quote} [1]"


def test_a_cancelled_job_stops_the_model(served: tuple[ScriptedAssistant, str]) -> None:
    """`job.cancel()` closes the answer's stream."""
    assistant, address = served
    assistant.closed.clear()
    assistant.scripts.append(silence())
    with connect(address, headers=KEY) as client:
        job = client.submit("Why?", api_name="/ask")
        next(job)
        job.cancel()
        assert assistant.closed.wait(30)


def test_the_password_is_the_key(served: tuple[ScriptedAssistant, str]) -> None:
    """Without it a client doesn't even connect."""
    with pytest.raises((httpx.HTTPStatusError, ValueError)), connect(served[1]):
        pass
