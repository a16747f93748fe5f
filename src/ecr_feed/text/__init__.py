"""Harmless text, times and durations in words, and the reader of a person's files."""
