"""Benchmarks, and what they are run on."""
