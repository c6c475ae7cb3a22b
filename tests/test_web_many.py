from __future__ import annotations

import json
import logging
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag import Assistant
from tests.browser import serving

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

log = logging.getLogger(__name__)

QUESTIONS = (
    "How much market value did Nvidia lose on 27 January 2025?",
    "Who is Liang Wenfeng?",
    "Which country's regulator blocked DeepSeek first?",
    "What did Satya Nadella say about the Jevons paradox?",
)


def order_number(address: str) -> int:
    """The number under which the page's script gives its orders; the same for all visitors."""
    dependencies = httpx.get(f"{address}config", timeout=120).json()["dependencies"]
    number: int = next(each["id"] for each in dependencies if each["targets"] and each["targets"][0][1] == "submit")
    return number


def answered(address: str, order: int, number: int) -> tuple[str, str]:
    """What one visitor asks and gets, as the page's own script asks for it."""
    question = QUESTIONS[number % len(QUESTIONS)]
    session = f"visitor{number}"
    with httpx.Client(base_url=address, timeout=120, verify=False) as client:  # There is no certificate to look for.
        client.get("/")
        wanted = json.dumps({"do": "ask", "question": question})
        joined = {"data": [wanted, None], "fn_index": order, "session_hash": session}
        assert client.post("/gradio_api/queue/join", json=joined).status_code == 200
        with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as lines:
            for line in lines.iter_lines():
                if line.startswith("data:") and json.loads(line[5:])["msg"] == "process_completed":
                    break
        listed = client.get("/conversations").text
        [id] = re.findall(r'data-id="([0-9a-f]+)"', listed)
        saved: dict[str, Any] = client.get(f"/conversations/{id}.json").json()
    [turn] = saved["turns"]
    assert turn["answer"]["question"] == question
    return question, turn["answer"]["text"]


def test_twenty_visitors_at_once_get_their_own_answers(assistant: Assistant, tmp_path: Path) -> None:
    """In quotes mode each one's answer is the one that the question gets alone, and in a conversation of their own."""
    expected = {question: assistant.ask(question).text for question in QUESTIONS}
    with serving(assistant, tmp_path / "conversations.sqlite") as address, ThreadPoolExecutor(20) as visitors:
        order = order_number(address)
        began = time.monotonic()
        found = list(visitors.map(lambda number: answered(address, order, number), range(20)))
        log.info("20 visitors had their answers after %.1f s", time.monotonic() - began)
    assert found == [(question, expected[question]) for question, _ in found]
    assert len(found) == 20
