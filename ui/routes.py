"""What the page's own script asks for: articles, conversations, the library, the models."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Literal

from rag.errors import AftershockError, ConversationMissingError, LoadError, QuestionError, SettingsError
from ui import charts, export, panels, render
from ui.answering import Desk
from ui.article_page import article_page
from ui.conversations import Conversations, Visitor
from ui.guard import visitor_of
from ui.library import MOST_BYTES, Library
from ui.models import Models
from ui.timeline_panel import reading_page
from ui.timeline_reading import Readings

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI

MOST_NOTE = 4000
_STATUS: dict[type[AftershockError], int] = {
    ConversationMissingError: 404,
    LoadError: 422,
    QuestionError: 422,
    SettingsError: 422,
}


def add_error_pages(app: "FastAPI") -> None:
    """Have every error of ours answered by its sentence, as the page shows it."""
    from fastapi import Request
    from fastapi.responses import HTMLResponse

    @app.exception_handler(AftershockError)
    async def say(request: Request, error: AftershockError) -> HTMLResponse:  # noqa: ARG001
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
        return HTMLResponse(render.failure(str(error)), status_code=status)


def page_routes(models: Models, store: Conversations, desk: Desk, library: Library) -> "APIRouter":
    """All routes of the page's script. Answers are fragments of HTML, but for what is downloaded."""
    from fastapi import APIRouter

    routes = APIRouter()
    _add_articles(routes, models)
    _add_conversations(routes, store, desk)
    _add_library(routes, library)
    _add_models(routes, models)
    _add_timeline(routes, models)
    return routes


def _add_articles(routes: "APIRouter", models: Models) -> None:
    from fastapi.responses import HTMLResponse

    @routes.get("/article", response_class=HTMLResponse)
    def article(id: str, start: int = 0, end: int = 0, first: int = 0, last: int = 0) -> HTMLResponse:
        try:
            return HTMLResponse(article_page(models.assistant().article(id), start, end, first, last))
        except KeyError:
            return HTMLResponse(render.failure("This article is no longer in the index."), status_code=404)


def _add_conversations(routes: "APIRouter", store: Conversations, desk: Desk) -> None:
    from fastapi import Body, Depends, Request, Response
    from fastapi.responses import HTMLResponse

    def visitor(request: Request) -> str:
        known = visitor_of(request.cookies)
        if not known:
            raise ConversationMissingError("Without its cookie this browser has no conversations: reload the page.")
        return known

    Me = Annotated[str, Depends(visitor)]

    def conversations_of(me: Me) -> Visitor:
        return store.of(me)

    Mine = Annotated[Visitor, Depends(conversations_of)]

    @routes.post("/visitor")
    def become_a_visitor() -> Response:
        return Response(status_code=204)  # The guard adds the cookie.

    @routes.get("/conversations", response_class=HTMLResponse)
    def conversations(mine: Mine, q: str = "") -> HTMLResponse:
        found = mine.search(q) if q.strip() else mine.listed()
        return HTMLResponse(panels.conversation_list(found, q, store.notice))

    @routes.post("/conversations/{id}/title")
    def rename(mine: Mine, id: str, title: Annotated[str, Body(embed=True, max_length=1000)]) -> Response:
        mine.rename(id, title)
        return Response(status_code=204)

    @routes.post("/conversations/{id}/link")
    def withdraw(me: Me, mine: Mine, id: str) -> str:
        return desk.renew(mine, (me, id))

    @routes.delete("/conversations/{id}")
    def delete(mine: Mine, id: str) -> Response:
        mine.delete(id)
        return Response(status_code=204)

    @routes.post("/conversations/{id}/turns/{number}/thumb")
    def rate(
        mine: Mine,
        id: str,
        number: int,
        thumb: Annotated[Literal["up", "down"] | None, Body(embed=True)] = None,
        note: Annotated[str, Body(embed=True, max_length=MOST_NOTE)] = "",
    ) -> Response:
        mine.rate(id, number, thumb, note)
        return Response(status_code=204)

    @routes.get("/conversations/{id}.{kind}")
    def save(mine: Mine, id: str, kind: Literal["md", "json"], turn: int = 0) -> Response:
        saved = mine.get(id)
        answers = [each.answer for each in saved.turns if each.number == turn]
        if turn and not answers:
            raise ConversationMissingError("This answer is no longer saved.")
        if kind == "md":
            text = export.answer_markdown(answers[0]) if turn else export.conversation_markdown(saved)
        else:
            text = export.answer_json(answers[0]) if turn else export.conversation_json(saved)
        return _download(text, f"aftershock-{saved.about.created[:10]}.{kind}")

    @routes.get("/ratings.jsonl")
    def ratings(mine: Mine) -> Response:
        lines = export.evaluation_questions(mine.rated())
        return _download("".join(f"{line}\n" for line in lines), "ratings.jsonl")

    def _download(text: str, name: str) -> Response:
        kinds = {"md": "text/markdown", "json": "application/json", "jsonl": "application/jsonl"}
        return Response(
            text,
            media_type=kinds[name.rpartition(".")[2]],
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )


def _add_library(routes: "APIRouter", library: Library) -> None:
    from fastapi import Body, Request, Response
    from fastapi.responses import HTMLResponse

    @routes.get("/library", response_class=HTMLResponse)
    def shelf(q: str = "") -> HTMLResponse:
        return HTMLResponse(panels.library(library.shelf(q), q))

    @routes.get("/library/additions", response_class=HTMLResponse)
    def additions() -> HTMLResponse:
        # Looked up first: what comes to its end while the rest is, is asked for once more.
        state = {"X-Busy": str(int(library.busy)), "X-Ended": str(library.ended)}
        html = panels.additions(library.additions, library.files(), library.links())
        return HTMLResponse(html, headers=state)

    @routes.post("/library/files")
    async def add_file(request: Request, name: str) -> Response:
        if int(request.headers.get("content-length") or 0) > MOST_BYTES:
            raise LoadError(f"{name} is larger than {MOST_BYTES // 2**20} MB, and not taken.")
        stream: AsyncIterator[bytes] = request.stream()
        await library.add_file(name, stream)
        return Response(status_code=202)

    @routes.post("/library/links")
    def add_link(address: Annotated[str, Body(embed=True, max_length=2000)]) -> Response:
        library.add_link(address)
        return Response(status_code=202)

    @routes.delete("/library/files")
    def remove(name: str) -> Response:
        library.remove(name)
        return Response(status_code=202)

    @routes.delete("/library/links")
    def forget(address: str) -> Response:
        library.forget(address)
        return Response(status_code=202)

    @routes.post("/library/dismiss")
    def dismiss() -> Response:
        library.dismiss()
        return Response(status_code=204)


def _add_models(routes: "APIRouter", models: Models) -> None:
    from fastapi import Body, Response
    from fastapi.responses import HTMLResponse

    @routes.get("/models", response_class=HTMLResponse)
    def show() -> HTMLResponse:
        # Looked up first: a download that ends while the models are listed is asked for once more.
        busy = any(pull.running for pull in models.pulls.values())
        found = models.survey()
        html = panels.models(found, models.settings, list(models.pulls.values()))
        return HTMLResponse(html, headers={"X-Busy": str(int(busy))})

    @routes.get("/models/names")
    def names() -> list[str]:
        return panels.names(models.survey())

    @routes.post("/models/choice")
    def choose(
        model: Annotated[str, Body(max_length=200)] = "",
        think: Annotated[str, Body(max_length=10)] = "",
        length: Annotated[str, Body(max_length=10)] = "",
    ) -> Response:
        given = {"model": model, "think": think, "length": length}
        models.choose(**{name: value for name, value in given.items() if value})
        return Response(status_code=204)

    @routes.post("/models/pull")
    def pull(name: Annotated[str, Body(embed=True, max_length=200)]) -> Response:
        models.pull(name)
        return Response(status_code=202)

    @routes.post("/models/cancel")
    def cancel(name: Annotated[str, Body(embed=True, max_length=200)]) -> Response:
        models.cancel(name)
        return Response(status_code=202)


def _add_timeline(routes: "APIRouter", models: Models) -> None:
    from fastapi.responses import FileResponse, HTMLResponse

    readings = Readings()

    @routes.get("/timeline", response_class=HTMLResponse)
    def show() -> HTMLResponse:
        reading = readings.now(models.assistant())
        page = reading.page or reading_page(reading.share)
        return HTMLResponse(page, headers={"X-Busy": str(int(not reading.page))})

    @routes.get(charts.ADDRESS)
    def library() -> FileResponse:
        return FileResponse(charts.SCRIPT, headers={"Cache-Control": "private, max-age=31536000, immutable"})
