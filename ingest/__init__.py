"""Articles to index: `sync` brings an index in line with files and folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.update import Progress, Report, rebuild, sync, sync_corpus

__all__ = ["Progress", "Report", "rebuild", "sync", "sync_corpus"]


def __getattr__(name: str) -> Any:
    # Loaded on demand: the processes that read documents are in this package too, and have no use for an index.
    if name in __all__:
        from ingest import update

        return getattr(update, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
