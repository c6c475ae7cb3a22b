"""The conversation on the page: Gradio's components, and what each order of the visitor does."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from rag.assistant import MOST_CHARACTERS
from rag.errors import AftershockError
from rag.records import Answer, Event
from ui import render
from ui.answering import Desk, Key, Running
from ui.client_api import add_endpoints
from ui.conversations import Conversations, SavedTurn, Visitor
from ui.guard import visitor_of
from ui.models import Models
from ui.places import Places
from ui.suggest import suggestions
from ui.turn import Turn

if TYPE_CHECKING:
    import gradio

EXAMPLES = (
    "How much market value did Nvidia lose on 27 January 2025?",
    "What did training DeepSeek-V3 cost, and what does that figure leave out?",
    "Who is Liang Wenfeng?",
    "How did Washington react to DeepSeek?",
)
NONE_OPEN = "-"
REST_SECONDS = 0.005
"""For each turn above it, a growing answer is shown so much less often: Gradio goes through all of them each time."""
MOST_REST_SECONDS = 0.15
Shown: TypeAlias = tuple[Any, Any, Any]
"""Updates of the conversation, the question box, and the id of the conversation that is open."""
SUBTITLE = "Cited answers about the DeepSeek shock of January 2025"


class Order(BaseModel):
    """What the visitor wants, as the page's script says it.

    "ask" a question, ask one "again" with another text, model or search, "open" a conversation, or begin a "new" one.
    `id` is of the conversation to open, or in which the question stands that is asked again.
    """

    do: Literal["ask", "again", "open", "new"]
    question: Annotated[str, BeforeValidator(lambda text: str(text)[: 10 * MOST_CHARACTERS])] = ""
    turn: int = 0
    model: str = Field(default="", max_length=200)
    ignore: tuple[str, ...] = Field(default=(), max_length=50)
    alone: bool = False
    """Search for the question as it stands, whatever was asked before."""
    id: str = Field(default="", max_length=100)


@dataclass
class Session:
    """An open page: the conversation that it shows, which order it obeys, and the turns on show."""

    conversation: str = ""
    view: int = 0
    turns: list[Turn] = field(default_factory=list)
    orders: asyncio.Lock = field(default_factory=asyncio.Lock)
    """They are taken one after another, as they were given: none is overtaken by one that has more to look up."""
    showing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """What they show is sent one after another, too: nothing that an earlier one shows arrives after a later one's."""


def theme() -> "gradio.themes.Base":
    """Gradio's fonts that come with the package (its SemiBold files lack most letters) and nothing from the web."""
    import gradio as gr

    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.stone,
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )


def layout(models: Models, store: Conversations, places: Places, desk: Desk, articles: int) -> "gradio.Blocks":
    """The page's components and what happens on each event, and the endpoints for Gradio's client.

    What the browser holds of a conversation is never read: it is kept in the store, by the visitor's cookie.
    """
    import gradio as gr

    page: gradio.Blocks
    with gr.Blocks(title="Aftershock", fill_width=True, analytics_enabled=False) as page:
        add_endpoints(models, places)  # First, so that they have the names that the page's own events would take.
        session = gr.State(Session())
        with gr.Column(elem_id="main"):
            with gr.Row(elem_id="top"):
                gr.Markdown(f"# Aftershock\n{SUBTITLE}", elem_id="name")
            chat = gr.Chatbot(
                elem_id="chat",
                label="Conversation",
                show_label=False,
                container=False,
                height="100%",
                autoscroll=False,  # The page's script keeps the newest question at the top instead.
                buttons=[],
                feedback_options=None,
                allow_tags=False,
                latex_delimiters=[],
                allow_file_downloads=False,
                placeholder=render.welcome(),
                examples=[{"text": question} for question in EXAMPLES],
            )
            box = gr.Textbox(
                elem_id="ask",
                label="Your question",
                show_label=False,
                container=False,
                placeholder="Ask about the DeepSeek shock",
                max_lines=8,
                interactive=True,
                submit_btn=True,
                autofocus=True,
            )
            gr.Markdown(render.status(articles), elem_id="status")
        # Not on show: orders that the page's script gives, and for the script the conversation that is open.
        order = gr.Textbox(elem_id="order", label="Order", container=False)
        opened = gr.Markdown(NONE_OPEN, elem_id="opened")
        idle: dict[str, Any] = {"submit_btn": True, "stop_btn": False}
        busy: dict[str, Any] = {"submit_btn": False, "stop_btn": True}
        unchanged: Shown = (gr.skip(), gr.skip(), gr.skip())

        async def watch(running: Running, turns: Sequence[Turn], session: Session, view: int) -> AsyncGenerator[Shown]:
            """The conversation as its answer grows, until that is saved or something else is on show."""
            if session.view == view:
                yield render.messages(turns), gr.Textbox(**busy), desk.now(running.key)[1]
            with running.watched():
                async with aclosing(running.changes()) as changes:
                    async for _ in changes:
                        if session.view != view:
                            return
                        yield render.messages(turns), gr.skip(), gr.skip()
                        await running.rest(min(REST_SECONDS * (len(turns) - 1), MOST_REST_SECONDS))
                await running.saved.wait()

        async def obey(wanted: Order, session: Session, visitor: str) -> AsyncGenerator[tuple[int, Shown]]:
            """The conversation, the question box and the conversation's id, as they change, each with its view."""
            conversations = store.of(visitor)
            view = 0
            try:
                async with session.orders:
                    _, session.conversation = desk.now((visitor, session.conversation))
                    elsewhere = wanted.do == "again" and desk.now((visitor, wanted.id))[1] != session.conversation
                    if elsewhere or (wanted.do == "ask" and not wanted.question.strip()):
                        yield view, unchanged
                        return
                    session.view += 1
                    view = session.view
                    if wanted.do == "new":
                        session.conversation, session.turns = "", []
                    elif wanted.do == "open":
                        session.turns = await _turns(conversations, wanted.id, desk.running((visitor, wanted.id)))
                        session.conversation = wanted.id
                    elif not session.conversation:
                        session.conversation, session.turns = await asyncio.to_thread(conversations.create), []
                    key, turns = (visitor, session.conversation), session.turns
                if wanted.do == "new":
                    yield view, ([], gr.Textbox(**idle), NONE_OPEN)
                    return
                running = desk.running(key)
                if wanted.do == "ask":
                    # One that another tab has asked for comes first.
                    while running:
                        turns = await _turns(conversations, desk.now(running.key)[1], running)
                        async with aclosing(watch(running, turns, session, view)) as updates:
                            async for update in updates:
                                yield view, update
                        await running.saved.wait()
                        running = desk.running(key)
                if wanted.do != "open":
                    running, turns = await _begin(wanted, turns, key, conversations, desk, models)
                    if session.view == view:
                        session.turns = turns
            except AftershockError as error:
                if session.view != view:
                    return
                session.conversation, session.turns = "", []
                given_back: dict[str, Any] = {"value": wanted.question} if wanted.do == "ask" else {}
                yield view, (render.notice(str(error)), gr.Textbox(**idle, **given_back), NONE_OPEN)
                return
            if running:
                async with aclosing(watch(running, turns, session, view)) as updates:
                    async for update in updates:
                        yield view, update
            if session.view != view:
                return
            shown = render.messages(turns, _next(turns))
            # The number tells the page's script that there is something new in the list of conversations.
            yield view, (shown, gr.Textbox(**idle), f"{desk.now(key)[1]} {len(turns)} {view}")

        async def act(text: str, session: Session, request: gr.Request) -> AsyncGenerator[Shown]:
            try:
                wanted = Order.model_validate_json(text)
            except ValidationError:
                yield unchanged
                return
            async with aclosing(obey(wanted, session, _visitor(request))) as updates:
                async for view, update in updates:
                    # Gradio asks for more when it has sent this one: until then no other order shows anything.
                    async with session.showing:
                        if view == session.view:
                            yield update
            # When an order has ended, Gradio sends its last update once more, maybe after what a later order shows.
            yield unchanged

        async def stop(session: Session, request: gr.Request) -> tuple[Any, Any]:
            if running := desk.running((_visitor(request), session.conversation)):
                running.stop()
            return render.messages(session.turns), gr.Textbox(**idle)

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        many: dict[str, Any] = {"trigger_mode": "multiple", "concurrency_limit": None, **quiet}
        # What is typed and sent is an order, too: the page's script sees to that.
        order.submit(act, [order, session], [chat, box, opened], **many)
        box.stop(stop, session, [chat, box], queue=False, **quiet)
    page.queue(default_concurrency_limit=None, max_size=None)
    return page


def _visitor(request: "gradio.Request") -> str:
    """The visitor's id; without a cookie, one that lasts as long as the page is open."""
    return visitor_of(dict(request.cookies)) or f"page:{request.session_hash}"


async def _turns(conversations: Visitor, conversation: str, running: Running | None) -> list[Turn]:
    """What is saved of a conversation, and what is under way in it."""
    saved = await asyncio.to_thread(conversations.get, conversation)
    turns = _earlier(saved.turns, running.turn.number if running else None)
    return [*turns, running.turn] if running else turns


async def _begin(
    wanted: Order, shown: Sequence[Turn], key: Key, conversations: Visitor, desk: Desk, models: Models
) -> tuple[Running, list[Turn]]:
    """Begin to answer a question, in place of the turn of that number where it is asked again."""
    saved: Sequence[SavedTurn] | None = None
    # One at a time in a conversation, also where two tabs begin at once: nothing is awaited between here and the start.
    while (under_way := desk.running(key)) or saved is None:
        if under_way:
            if wanted.do == "again":
                under_way.stop()
            await under_way.saved.wait()
        saved = (await asyncio.to_thread(conversations.get, desk.now(key)[1])).turns
    number = wanted.turn if wanted.do == "again" and 0 < wanted.turn <= len(shown) else len(saved) + 1
    question = wanted.question.strip() or shown[number - 1].question
    earlier = saved[: number - 1]
    history = [] if wanted.alone else [(t.answer.question, t.answer.text) for t in earlier if t.answer.text]
    turn = Turn(question, len(earlier) + 1, wanted.ignore)
    replaced = len(saved) - number + 1

    def stream() -> Generator[Event, None, None]:
        return models.assistant(wanted.model).stream(question, history, wanted.ignore)

    def save(conversation: str, answer: Answer) -> None:
        # What it replaces goes only now that there is something in its place.
        if answer.text or replaced <= 0:
            if replaced > 0:
                conversations.cut(conversation, number)
            conversations.append(conversation, answer)

    return desk.start(key, turn, stream, save), [*_earlier(earlier, None), turn]


def _earlier(saved: Sequence[SavedTurn], until: int | None) -> list[Turn]:
    return [Turn.saved(turn) for turn in saved if until is None or turn.number < until]


def _next(turns: Sequence[Turn]) -> tuple[str, ...]:
    if not turns or not turns[-1].answer:
        return ()
    return suggestions(turns[-1].answer, [turn.question for turn in turns])
