"""README's examples for programs, word for word."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag import Assistant
from tests.browser import serving

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## As a server, for programs\n")[2].partition("\n## ")[0]
ADDRESS = "http://127.0.0.1:7860/"


def blocks(language: str) -> list[str]:
    """The section's code in a language."""
    return re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)


def test_the_examples_for_programs_work(assistant: Assistant) -> None:
    """Each one, asked of a server over the shipped articles, prints what it is for."""
    with serving(assistant) as address:

        def run(*command: str) -> str:
            environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}
            done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)
            assert done.returncode == 0, done.stderr
            return done.stdout

        openai, gradio = (code.replace(ADDRESS, address) for code in blocks("python"))
        assert "**Sources**" in run(sys.executable, "-c", openai)
        assert "export rules" in run(sys.executable, "-c", gradio)
        _, curl = blocks("sh")
        if shutil.which("curl"):
            answer = json.loads(run(*shlex.split(curl.replace("\\\n", "").replace(ADDRESS, address))))
            assert "Liang" in answer["choices"][0]["message"]["content"]
    [config] = blocks("json")
    server = json.loads(config)["mcpServers"]["aftershock"]
    assert "Model Context Protocol" in run(sys.executable, "-m", "ui.cli", *server["args"], "--help")
