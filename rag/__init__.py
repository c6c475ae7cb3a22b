"""Answers questions from articles; imports neither ingest nor ui."""
