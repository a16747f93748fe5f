"""Callers of the embedded account, their sessions and permissions."""
