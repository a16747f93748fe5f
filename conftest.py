"""Wiring only: the plugins of a run."""

pytest_plugins = ["ecr_feed.plugin.options", "fixtures.facts"]
