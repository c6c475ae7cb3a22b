"""Endpoints for Gradio's own client: `/ask` with its text as it comes about, `/search` and `/article`."""

import inspect
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from rag.errors import AftershockError
from ui.export import record
from ui.models import Models
from ui.places import Places
from ui.turn import Turn

MOST_PASSAGES = 100


def add_endpoints(models: Models, places: Places) -> None:
    """Add the endpoints to the page that is being laid out. They know of no conversation but what they are given."""
    import gradio as gr
    from gradio.events import api
    from pydantic import TypeAdapter, ValidationError

    histories = TypeAdapter(list[tuple[str, str]])

    def failed(sentence: str) -> gr.Error:
        return gr.Error(sentence, print_exception=False)

    async def ask(
        question: str, history: list[list[str]] | None = None, model: str = "", ignore: list[str] | None = None
    ) -> AsyncGenerator[dict[str, Any]]:
        """Answer a question, with a citation for every sentence.

        Each result has `stage`, what is going on, and `text`, the answer's text so far; the last one has the whole
        `answer`. `history` holds earlier questions and answers, `model` is a model setting in place of the server's
        choice, and `ignore` has keys of facets that are not to be preferred.
        """
        try:
            earlier = histories.validate_python(history or [])
            turn = Turn(question)
            assistant = models.assistant(model)
            async with aclosing(places.answer(lambda: assistant.stream(question, earlier, ignore or ()))) as batches:
                async for events in batches:
                    for event in events:
                        turn.take(event, 0.0)
                    answer = record(turn.answer) if turn.answer else None
                    yield {"stage": (turn.stages or [""])[-1], "text": turn.text, "answer": answer}
        except ValidationError:
            raise failed("The history must be pairs of texts: questions and their answers.") from None
        except AftershockError as error:
            raise failed(str(error)) from None

    def search(question: str, k: int = 10) -> list[dict[str, Any]]:
        """Find the passages that best answer a question, best first; `k` is how many, at most 100."""
        try:
            found = models.assistant().retrieve(question, min(max(k, 1), MOST_PASSAGES))
            return [asdict(passage) for passage in found]
        except AftershockError as error:
            raise failed(str(error)) from None

    def article(id: str) -> dict[str, Any]:
        """Read a whole article; its id stands in a passage as `article_id`."""
        try:
            return asdict(models.assistant().article(id))
        except KeyError:
            raise failed(f"There is no article {id!r} in the index.") from None
        except AftershockError as error:
            raise failed(str(error)) from None

    # Gradio takes the type of each result from the signature, and knows nothing of generators there.
    result = inspect.signature(ask).replace(return_annotation=dict[str, Any])
    ask.__signature__ = result  # type: ignore[attr-defined]
    for endpoint in (ask, search, article):
        api(endpoint, api_name=endpoint.__name__, concurrency_limit=None)
