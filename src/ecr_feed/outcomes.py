"""The words in which a check answers: `expect`, and the ways to say that it cannot be judged.

`expect` alone is "not met". A fact that could not be had is "not assessed", a rule without meaning
for its subject "not applicable". No pytest here: `plugin/outcomes.py` translates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn

_evidence: ContextVar[dict[str, object] | None] = ContextVar("evidence", default=None)


class NotMet(Exception):  # noqa: N818 - an outcome, not an error
    """The rule was judged and does not hold. Raised by `expect` alone."""

    def __init__(self, message: str, fix: str | None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class NotAssessed(Exception):  # noqa: N818 - an outcome, not an error
    """The rule could not be judged; the message names what is missing, `fix` what would help."""

    def __init__(self, message: str, fix: str | None = None) -> None:
        super().__init__(message)
        self.fix = fix


class NotApplicable(Exception):  # noqa: N818 - an outcome, not an error
    """The rule has no meaning for this subject; the message is the reason."""


@contextmanager
def collecting_evidence() -> Iterator[dict[str, object]]:
    """While inside, `note` and `expect` add to the dict that this yields."""
    evidence: dict[str, object] = {}
    token = _evidence.set(evidence)
    try:
        yield evidence
    finally:
        _evidence.reset(token)


def note(**evidence: object) -> None:
    """Keep facts with the finding, whatever its outcome; JSON values only."""
    kept = _evidence.get()
    if kept is not None:
        kept.update(evidence)


def expect(
    condition: bool,
    message: str,
    *,
    expected: object = None,
    found: object = None,
    evidence: Mapping[str, object] | None = None,
    fix: str | None = None,
) -> None:
    """The one judgement of a check: where `condition` is false the rule is not met.

    `message` says what is wrong, `expected` and `found` stand side by side under it; `evidence` is
    kept either way. `fix` overrides the metadata's.
    """
    if expected is not None:
        note(expected=expected)
    if found is not None:
        note(found=found)
    note(**(evidence or {}))
    if not condition:
        raise NotMet(message, fix)


def not_applicable(reason: str) -> NoReturn:
    """End the check: its rule has no meaning here."""
    raise NotApplicable(reason)


def not_assessed(reason: str) -> NoReturn:
    """End the check: it cannot be judged, and `reason` names what is missing."""
    raise NotAssessed(reason)
