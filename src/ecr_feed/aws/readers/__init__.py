"""The read calls, one file an answer."""
