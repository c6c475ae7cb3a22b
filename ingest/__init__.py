"""Articles to index: `sync` brings an index in line with files and folders."""

from ingest.sync import Progress, Report, sync, sync_corpus

__all__ = ["Progress", "Report", "sync", "sync_corpus"]
