"""The library behind the checks: no check, no fixture, no printing."""

__version__ = "1.0.0"
