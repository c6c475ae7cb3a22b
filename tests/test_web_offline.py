from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import expect

from tests.browser import Visit, ask, ask_next, newest, obeyed

PROGRAM = """
import sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        own = not isinstance(address, tuple) or address[0] in ("127.0.0.1", "::1", "localhost")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        own = arguments[0] in (None, "", "127.0.0.1", "::1", "localhost", b"127.0.0.1", b"localhost")
    else:
        return
    if not own:
        with open(sys.argv[1], "a") as log:
            log.write(f"{event} {arguments[1:] if event == 'socket.connect' else arguments[:1]}\\n")
        raise OSError("there is no network")

sys.addaudithook(watch)
from ui.cli import main
sys.exit(main(["chat", "--no-browser", "--index", sys.argv[2]]))
"""
STORY = "# The harbour bridge\n\nThe harbour bridge at Exampleton reopened on 3 March 2025 after a long repair.\n"


def test_the_page_works_without_a_network_and_asks_for_none(corpus_index: Path, tmp_path: Path, visit: Visit) -> None:
    """Every feature in turn, in a process that reaches nothing but this machine: neither it nor the browser tries."""
    index, log = tmp_path / "index", tmp_path / "asked"
    shutil.copytree(corpus_index, index)
    command = [sys.executable, "-c", PROGRAM, str(log), str(index)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            address = ""
            while not address:
                said = process.stderr.readline()
                assert said, "the server ended"
                address = "".join(re.findall(r"http://127\.0\.0\.1:\d+/", said))
            page = visit(address)
            ask(page, "How much market value did Nvidia lose on 27 January 2025?")
            expect(page.locator("#chat .badge")).to_have_count(1)
            page.locator("#chat a.mark").first.click()
            expect(page.locator("#reader mark").first).to_be_visible()
            page.keyboard.press("Escape")
            ask_next(page, "Who won the football World Cup in 2022?")
            expect(page.locator("#chat .badge")).to_have_count(2)
            newest(page, "Ask again…").click()
            with obeyed(page):
                page.get_by_role("menuitem", name="In the articles’ own words").click()
            expect(page.get_by_role("button", name="Not helpful")).to_have_count(2)
            newest(page, "Not helpful").click()
            page.get_by_role("button", name="Keep").click()
            page.get_by_role("button", name="Models", exact=True).click()
            expect(page.locator("#models")).to_contain_text("No model server answers")
            page.get_by_role("radio", name="No model").check()
            expect(page.locator("#notices")).to_contain_text("Kept for the next questions.")
            page.keyboard.press("Escape")
            page.get_by_role("button", name="Articles", exact=True).click()
            page.set_input_files("#files", {"name": "b.md", "mimeType": "text/plain", "buffer": STORY.encode()})
            expect(page.locator("#library .additions .done")).to_contain_text("1 added", timeout=120_000)
            page.fill("#shelf-words", "Exampleton")
            expect(page.locator("#library .source")).to_have_count(1)
            page.fill("#library input[type=url]", "https://news.example.org/story")
            page.get_by_role("button", name="Add link").click()
            expect(page.locator("#library .additions .failed")).to_be_visible()
            page.keyboard.press("Escape")
            page.get_by_role("button", name="New chat").click()
            expect(page.locator("#chat .answer")).to_have_count(0)
            ask_next(page, "When did the harbour bridge at Exampleton reopen?")
            expect(page.locator("#chat .answer .text")).to_contain_text("3 March 2025")
            page.reload()
            expect(page.locator("#chat .answer .text")).to_contain_text("3 March 2025")
        finally:
            process.terminate()
            process.stderr.close()
    asked = log.read_text().splitlines() if log.exists() else []
    # The visitor's own link is the only thing that may be looked for elsewhere.
    assert [line for line in asked if "news.example.org" not in line] == []
