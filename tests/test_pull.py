"""Getting a model: progress, going on, cancelling, and every way in which a pull fails."""

from __future__ import annotations

import threading

import pytest

from rag import pull as pulling
from rag.errors import ModelError, ModelInterruptedError, ModelNotFoundError, ModelRoomError, ModelServerError
from rag.pull import DONE, PullProgress, pull, remove
from tests.ollama_server import Failure, Hang, Model, OllamaServer

NAME = "deepseek-r1:8b"


def failure(server: OllamaServer, room: int | None = None) -> tuple[type[ModelError], str]:
    """How a pull fails."""
    with pytest.raises(ModelError) as caught:
        list(pull(server.url, NAME, room))
    return type(caught.value), str(caught.value)


def test_a_pull_reports_how_far_it_is_and_ends_with_the_model() -> None:
    """Progress only grows, ends with everything there, and the server then has the model."""
    with OllamaServer([]) as server:
        reports = list(pull(server.url, NAME))
        assert NAME in server.models
    shares = [report.share for report in reports]
    assert shares == sorted(shares)
    assert reports[0] == PullProgress("pulling manifest")
    assert reports[-1] == PullProgress(DONE, 1_000_000, 1_000_000)


def test_a_pull_that_broke_says_where_and_goes_on_from_there() -> None:
    """A connection that breaks at 60% ends in one sentence, and the next pull begins with these 60%."""
    with OllamaServer([], pull_breaks_at=0.6) as server:
        assert failure(server) == (
            ModelInterruptedError,
            f"The download of {NAME} broke off at 50%: start it again, and it goes on from there.",
        )
        reports = list(pull(server.url, NAME))
        assert next(report for report in reports if report.total).share == 0.6
        assert reports[-1].status == DONE


def test_closing_cancels_also_while_the_server_is_silent() -> None:
    """Whoever cancels need not wait for the server: the connection is closed, so that it stops downloading."""
    before = threading.active_count()
    with OllamaServer([], pull_breaks_at=0.6, pull_break=Hang()) as server:
        reports = pull(server.url, NAME)
        seen = PullProgress()
        for report in reports:
            if report.share and report == seen:
                break  # a sign of life while nothing comes
            seen = report
        reports.close()
        [request] = server.requests
        assert request.gone.wait(5)
        assert seen.share == 0.5
        assert list(pull(server.url, NAME))[-1].status == DONE
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("at", "said", "kind", "sentence"),
    [
        (
            0.0,
            "pull model manifest: file does not exist",
            ModelNotFoundError,
            "Ollama's library has no model deepseek-r1:8b; those that it has are at https://ollama.com/library.",
        ),
        (
            0.0,
            'pull model manifest: Get "https://library.example/v2": dial tcp: lookup library.example: no such host',
            ModelInterruptedError,
            "The download of deepseek-r1:8b broke off (the model server has no network): start it again, and it goes "
            "on from there.",
        ),
        (
            0.6,
            "max retries exceeded: unexpected EOF",
            ModelInterruptedError,
            "The download of deepseek-r1:8b broke off at 50% (max retries exceeded: unexpected EOF): start it again, "
            "and it goes on from there.",
        ),
        (
            0.6,
            "write /models/blobs/sha256-a-partial: no space left on device",
            ModelRoomError,
            "The disk where the model server keeps its models is full: make room, then get deepseek-r1:8b again, and "
            "it goes on from where it is.",
        ),
    ],
)
def test_what_ollama_reports_becomes_a_sentence(at: float, said: str, kind: type[ModelError], sentence: str) -> None:
    """Each failure that Ollama reports in the middle of its answer is told in one sentence that says what to do."""
    with OllamaServer([], pull_breaks_at=at, pull_break=Failure(200, said)) as server:
        assert failure(server) == (kind, sentence)


def test_a_server_too_old_for_the_model_is_told_as_it_says() -> None:
    """A failure that only Ollama can name is passed on in its words."""
    said = "pull model manifest: 412:\n\nthe model you are attempting to pull requires a newer version of Ollama."
    with OllamaServer([], pull_breaks_at=0.0, pull_break=Failure(200, said)) as server:
        kind, sentence = failure(server)
    assert kind is ModelServerError
    assert "requires a newer version of Ollama" in sentence
    assert "\n" not in sentence


def test_no_server_is_told() -> None:
    """Without a server the sentence says how to get one."""
    with pytest.raises(ModelServerError, match="No model server answers at"):
        list(pull("http://127.0.0.1:9", NAME))


def test_a_model_without_room_is_refused_before_it_fills_the_disk() -> None:
    """As soon as the server says the size, a model that doesn't fit is refused, and the download ends."""
    with OllamaServer([], pull_breaks_at=0.2, pull_break=Hang()) as server:
        kind, sentence = failure(server, room=2**30)
        assert server.requests[0].gone.wait(5)
    assert kind is ModelRoomError
    assert "only 1.0 GiB are free" in sentence
    assert NAME not in server.models


def test_what_is_there_already_needs_no_room() -> None:
    """Only what is missing counts against the free disk, so that the end of a download isn't refused."""
    room = 2**30 + 500_000
    with OllamaServer([], pull_breaks_at=0.6) as server:
        assert failure(server)[0] is ModelInterruptedError
        assert list(pull(server.url, NAME, room))[-1].status == DONE


def test_remove_deletes_a_model() -> None:
    """A removed model is gone from the server, and one that it doesn't have is named."""
    with OllamaServer([Model(NAME)]) as server:
        remove(server.url, NAME)
        assert server.models == {}
        with pytest.raises(ModelNotFoundError, match=NAME):
            remove(server.url, NAME)


def test_a_silent_server_is_given_up_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never says anything again doesn't keep the pull for ever."""
    monkeypatch.setattr(pulling, "_SILENCE_SECONDS", 0.0)
    with OllamaServer([], pull_breaks_at=0.6, pull_break=Hang()) as server:
        assert failure(server)[0] is ModelInterruptedError
