"""Articles to index: `sync` brings an index in line with files and folders."""

from ingest.sync import Progress, Report, rebuild, sync, sync_corpus

__all__ = ["Progress", "Report", "rebuild", "sync", "sync_corpus"]
