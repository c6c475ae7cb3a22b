"""The real `mcp` client, talking to the chat's server and to `aftershock mcp`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event as Signal
from typing import Any

import httpx
import pytest
from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from rag.records import StageEvent, TextEvent
from tests.apart import apart
from tests.browser import serving
from tests.fakes import COST, LOSS, NVIDIA, ScriptedAssistant, model_answer, quoted_answer, silence
from ui import places

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

PASSWORD = "correct horse battery"


@asynccontextmanager
async def connected(address: str, key: str = PASSWORD) -> AsyncIterator[ClientSession]:
    """A client's session with the server, its key in the header."""
    async with (
        httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60) as http,
        streamable_http_client(f"{address}mcp", http_client=http) as (incoming, outgoing, _),
        ClientSession(incoming, outgoing) as session,
    ):
        await session.initialize()
        yield session


def said(result: types.CallToolResult) -> str:
    """A result's text."""
    [content] = result.content
    assert isinstance(content, types.TextContent)
    return content.text


def data(result: types.CallToolResult) -> dict[str, Any]:
    """A result's data."""
    assert result.structuredContent is not None
    return result.structuredContent


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ScriptedAssistant, str]]:
    """One server with a password, and its assistant."""
    assistant = ScriptedAssistant()
    with serving(assistant, password=PASSWORD) as address:
        yield assistant, address


def test_an_assistant_asks_searches_and_reads(served: tuple[ScriptedAssistant, str]) -> None:
    """Text with its sources for the model, the same as data for the program, and word of how far an answer is."""
    assistant, address = served
    assistant.scripts.append(model_answer())
    stages: list[str | None] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
        stages.append(message)

    async def visit() -> None:
        async with connected(address) as session:
            tools = (await session.list_tools()).tools
            assert [tool.name for tool in tools] == ["ask", "search", "read_article"]
            assert all(tool.annotations and tool.annotations.readOnlyHint and tool.description for tool in tools)
            answer = await session.call_tool("ask", {"question": "Why?"}, progress_callback=tell)
            assert "of one firm in one day [1]." in said(answer)
            assert f"> {COST.quote}" in said(answer)
            assert [source["quote"] for source in data(answer)["sources"]] == [LOSS.quote, COST.quote]
            found = await session.call_tool("search", {"question": "Nvidia", "k": 1})
            [passage] = data(found)["passages"]
            assert passage["text"] in said(found).replace("\\", "")
            article = await session.call_tool("read_article", {"article_id": passage["article_id"]})
            assert said(article).startswith(f"# {NVIDIA.title}\n")
            assert "On day 29 the shares moved again." in said(article)
            missing = await session.call_tool("read_article", {"article_id": "x"})
            assert (missing.isError, said(missing)) == (True, "There is no article 'x' in the index.")
            assert (await session.call_tool("search", {"question": "", "k": 1})).isError
            assert (await session.call_tool("search", {"question": "?", "k": 0})).isError

    apart(visit())
    assert stages == ["Searching 41 articles", "Reading 2 articles"]
    assert assistant.asked == [("Why?", [])]


def test_a_cancelled_question_stops_the_model(served: tuple[ScriptedAssistant, str]) -> None:
    """The client's word that it wants no more closes the answer's stream."""
    assistant, address = served
    assistant.closed.clear()
    assistant.scripts.append(silence())

    async def visit() -> None:
        async with connected(address) as session:
            begun = asyncio.Event()

            async def tell(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
                begun.set()

            asking = asyncio.create_task(session.call_tool("ask", {"question": "Why?"}, progress_callback=tell))
            await begun.wait()
            # The session numbers its requests from 0: the first was to initialize.
            note = types.CancelledNotification(params=types.CancelledNotificationParams(requestId=1))
            await session.send_notification(types.ClientNotification(note))
            assert await asyncio.to_thread(assistant.closed.wait, 30)
            asking.cancel()

    apart(visit())


def test_a_full_queue_is_told_as_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence that the assistant can pass on."""
    monkeypatch.setattr(places, "ANSWERS_AT_ONCE", 1)
    monkeypatch.setattr(places, "WAITING_AT_MOST", 0)
    held = Signal()
    assistant = ScriptedAssistant()
    assistant.scripts.append([StageEvent("read", "Reading"), TextEvent("It "), held, *quoted_answer()])

    async def visit(address: str) -> None:
        async with connected(address) as session:
            begun = asyncio.Event()

            async def tell(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
                begun.set()

            first = asyncio.create_task(session.call_tool("ask", {"question": "Why?"}, progress_callback=tell))
            await begun.wait()
            second = await session.call_tool("ask", {"question": "When?"})
            assert (second.isError, said(second)) == (
                True,
                "Too many questions are waiting (0): try again in a moment.",
            )
            held.set()
            assert LOSS.quote in said(await first).replace("\\", "")

    with serving(assistant) as address:
        apart(visit(address))


def test_strangers_and_other_sites_are_refused(served: tuple[ScriptedAssistant, str]) -> None:
    """Without the key nothing opens, and with it no page of another site or foreign name does."""
    _, address = served
    hello = {"jsonrpc": "2.0", "id": 0, "method": "tools/list"}
    key = {"Authorization": f"Bearer {PASSWORD}", "Accept": "application/json, text/event-stream"}
    for headers, status in (
        ({}, 401),
        ({"Authorization": "Bearer guess"}, 401),
        (key | {"Origin": "https://evil.example"}, 403),
        (key | {"Sec-Fetch-Site": "cross-site"}, 403),
        (key | {"Host": "rebound.example"}, 400),
    ):
        assert httpx.post(f"{address}mcp", json=hello, headers=headers).status_code == status
    refused = httpx.post(f"{address}mcp", content=b"{}", headers=key | {"Content-Type": "text/plain"})
    assert refused.status_code in (400, 415)  # What a page elsewhere could send without asking first.


def test_on_standard_input_and_output(corpus_index: Path) -> None:
    """As desktop assistants start it: over the shipped articles, with nothing else on standard output."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "ui.cli", "mcp", "--index", str(corpus_index), "--model", "quotes"],
        env={"PYTHONPATH": str(Path(__file__).parent.parent)},
    )

    async def visit() -> None:
        async with stdio_client(command) as (incoming, outgoing), ClientSession(incoming, outgoing) as session:
            about = await session.initialize()
            assert about.serverInfo.name == "aftershock"
            question = "How much market value did Nvidia lose on 27 January 2025?"
            answer = await session.call_tool("ask", {"question": question})
            assert "[1]" in said(answer)
            [source, *_] = data(answer)["sources"]
            article = await session.call_tool("read_article", {"article_id": source["article_id"]})
            assert source["title"] in said(article)

    apart(visit())
