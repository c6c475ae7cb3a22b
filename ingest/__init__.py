"""Articles to index."""
