"""The page: Gradio's components, and how they show what comes of the visitor's orders."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import ValidationError

from ui import render
from ui.answering import Desk
from ui.client_api import add_endpoints
from ui.conversations import Conversations
from ui.guard import visitor_of
from ui.models import Models
from ui.orders import NONE_OPEN, Order, Orders, Session, Shown
from ui.places import Places

if TYPE_CHECKING:
    import gradio

EXAMPLES = (
    "How much market value did Nvidia lose on 27 January 2025?",
    "What did training DeepSeek-V3 cost, and what does that figure leave out?",
    "Who is Liang Wenfeng?",
    "How did Washington react to DeepSeek?",
)
Updates: TypeAlias = tuple[Any, Any, Any]
"""Of the conversation, the question box, and the id of the conversation that is open."""
SUBTITLE = "Cited answers about the DeepSeek shock of January 2025"


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
        orders = Orders(models, store, desk)

        async def act(text: str, session: Session, request: gr.Request) -> AsyncGenerator[Updates]:
            try:
                wanted = Order.model_validate_json(text)
            except ValidationError:
                yield _updates(Shown())
                return
            async with aclosing(orders.obey(wanted, session, _visitor(request))) as obeyed:
                async for shown in obeyed:
                    yield _updates(shown)
            # When an order has ended, Gradio sends its last update once more, maybe after what a later order shows.
            yield _updates(Shown())

        async def stop(session: Session, request: gr.Request) -> tuple[Any, Any]:
            if running := desk.running((_visitor(request), session.conversation)):
                running.stop()
            return _updates(Shown(render.messages(session.turns), busy=False))[:2]

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        many: dict[str, Any] = {"trigger_mode": "multiple", "concurrency_limit": None, **quiet}
        # What is typed and sent is an order, too: the page's script sees to that.
        order.submit(act, [order, session], [chat, box, opened], **many)
        box.stop(stop, session, [chat, box], queue=False, **quiet)
    page.queue(default_concurrency_limit=None, max_size=None)
    return page


def _updates(shown: Shown) -> Updates:
    import gradio as gr

    box: dict[str, Any] = {}
    if shown.busy is not None:
        box |= {"submit_btn": not shown.busy, "stop_btn": shown.busy}
    if shown.typed is not None:
        box["value"] = shown.typed
    return (
        gr.skip() if shown.messages is None else shown.messages,
        gr.Textbox(**box) if box else gr.skip(),
        gr.skip() if shown.opened is None else shown.opened,
    )


def _visitor(request: "gradio.Request") -> str:
    """The visitor's id; without a cookie, one that lasts as long as the page is open."""
    return visitor_of(dict(request.cookies)) or f"page:{request.session_hash}"
