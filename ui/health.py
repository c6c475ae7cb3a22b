"""Whether the server can answer, for whoever watches over it."""

from importlib.metadata import version
from typing import Any

from rag.errors import IndexStateError
from ui.models import Models
from ui.places import Places


def health(models: Models, places: Places) -> dict[str, Any]:
    """Whether the index opens, what is in it, and how much there is to do; `ready` alone counts as good or bad."""
    found: dict[str, Any] = {
        "ready": True,
        "version": version("aftershock"),
        "model": models.settings.model,
        "answering": places.answering,
        "waiting": places.waiting,
    }
    try:
        articles, passages = models.assistant().counts()
    except IndexStateError as error:
        return found | {"ready": False, "index": str(error)}
    return found | {"ready": articles > 0, "index": "open", "articles": articles, "passages": passages}
