"""Wiring only: the plugins of a run."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.feeds",
    "fixtures.facts",
    "fixtures.outcomes",
    "fixtures.scheduler",
]
