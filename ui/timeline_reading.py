"""The timeline of all articles: read out of them once for each state that they are in, apart from those who wait."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

from rag.errors import AftershockError
from ui.models import Assistant
from ui.timeline_panel import timeline_page

PATIENCE_SECONDS = 1.0
"""So long one waits for it before being told how far it is: ninety articles take less, ten thousand take longer."""
_SHARE_OF_EVENTS = 0.6
"""Of the time that all of it takes."""

log = logging.getLogger(__name__)


@dataclass
class Reading:
    """What is read out of the articles in one state: `share` of it so far, and at the end the page, or why not."""

    state: str
    share: float = 0.0
    page: str = ""
    failure: AftershockError | None = None
    ended: threading.Event = field(default_factory=threading.Event)


class Readings:
    """Keeps the last reading. Safe to share between threads."""

    def __init__(self) -> None:
        self._last: Reading | None = None
        self._lock = threading.Lock()

    def now(self, assistant: Assistant) -> Reading:
        """The reading of the articles as they are, whole or still under way.

        Raises:
            AftershockError: it came to nothing; the next call tries again.
        """
        state = assistant.state()
        with self._lock:
            reading = self._last
            if reading is None or reading.state != state or reading.failure:
                reading = self._last = Reading(state)
                threading.Thread(target=_read, args=(reading, assistant), name="timeline", daemon=True).start()
        reading.ended.wait(PATIENCE_SECONDS)
        if reading.failure:
            raise reading.failure
        return reading


def _read(reading: Reading, assistant: Assistant) -> None:
    def events(share: float) -> None:
        reading.share = share * _SHARE_OF_EVENTS

    def changes(share: float) -> None:
        reading.share = _SHARE_OF_EVENTS + share * (1 - _SHARE_OF_EVENTS)

    try:
        reading.page = timeline_page(assistant.timeline(progress=events), assistant.daily_changes(progress=changes))
    except AftershockError as error:
        reading.failure = error
    except Exception:
        log.exception("The timeline could not be read.")
        reading.failure = AftershockError("Something went wrong inside Aftershock; the details are in its log.")
    finally:
        reading.ended.set()
