"""`aftershock conversations list | search | export | delete | feedback`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rag.errors import ConversationMissingError
from ui import console

if TYPE_CHECKING:
    from ui.conversations import Visitor

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The conversation's id, or as much as tells it apart.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the records as JSON.")]

app = typer.Typer(rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """List, search, export and delete the conversations that the chat page saved on this machine."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("list")
def show(as_json: JsonOption = False) -> None:
    """Show all conversations, the one changed last first."""
    found = _all().listed()
    if as_json:
        console.write_json(found)
        return
    out = console.output()
    for conversation in found:
        console.write(out, f"{conversation.changed[:10]}  {conversation.title}", 10, first=conversation.id[:8])
    if not found:
        console.warn("There are none yet: 'aftershock chat' saves them.")


@app.command()
def search(
    words: Annotated[str, typer.Argument(metavar="WORDS", help="Words, or how they begin.")],
    as_json: JsonOption = False,
) -> None:
    """Find conversations by words of their questions, answers and titles."""
    found = _all().search(words)
    if as_json:
        console.write_json(found)
        return
    out = console.output()
    for hit in found:
        console.write(out, hit.conversation.title, 10, first=hit.conversation.id[:8])
        console.write(out, hit.snippet, 10, style="dim")
    if not found:
        console.warn("No conversation has these words.")


@app.command()
def export(
    id: IdArgument,
    form: Annotated[
        Literal["markdown", "json"], typer.Option("--format", help="Markdown with numbered sources, or JSON.")
    ] = "markdown",
) -> None:
    """Print a conversation with the sources of its answers, without the model's thinking."""
    from ui.export import conversation_json, conversation_markdown

    visitor = _all()
    saved = visitor.get(_whole_id(visitor, id))
    console.write_document(conversation_json(saved) if form == "json" else conversation_markdown(saved))


@app.command()
def delete(
    id: IdArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Delete a conversation for good."""
    visitor = _all()
    whole = _whole_id(visitor, id)
    title = visitor.get(whole).about.title
    if not yes:
        typer.confirm(f"Delete “{title}” for good?", abort=True, err=True)
    visitor.delete(whole)
    typer.echo(f"“{title}” is gone.")


@app.command()
def feedback() -> None:
    """Print the rated answers as questions for 'aftershock eval event', one a line."""
    from ui.export import evaluation_questions

    rated = _all().rated()
    console.write_document("".join(f"{line}\n" for line in evaluation_questions(rated)))
    if not rated:
        console.warn("No answer has a thumb yet.")


def _all() -> Visitor:
    from ui.conversations import Conversations

    store = Conversations.open()
    if store.notice:
        console.warn(store.notice)
    return store.of_everybody()


def _whole_id(visitor: Visitor, beginning: str) -> str:
    found = [conversation.id for conversation in visitor.listed() if conversation.id.startswith(beginning)]
    if len(found) != 1:
        how_many = "Several conversations have ids that begin" if found else "No conversation has an id that begins"
        raise ConversationMissingError(f"{how_many} with {beginning!r}; 'aftershock conversations list' shows them.")
    return found[0]
