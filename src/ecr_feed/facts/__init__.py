"""Frozen records of what was read."""
