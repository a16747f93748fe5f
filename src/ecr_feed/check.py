"""What makes a test function a check: its metadata, beside the function.

A check states one rule. It is given facts as fixture arguments and reports with `outcomes`.
"""

from __future__ import annotations

import inspect
import re
import shlex
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pytest

from ecr_feed.facts.plan import PlanFacts
from ecr_feed.findings import Severity

CRITICAL: Final = Severity.CRITICAL
HIGH: Final = Severity.HIGH
MEDIUM: Final = Severity.MEDIUM
LOW: Final = Severity.LOW

Test = TypeVar("Test", bound=Callable[..., None])
Applies = Callable[[Any], str | None]
InPlan = Callable[[PlanFacts, str, str | None], str | None]
"""From a plan's facts, the feed's region and the package (or None) to why a rule is not applicable.

None where the documents let the rule be judged.
"""

_ID = re.compile(r"[A-Z]+-[1-9][0-9]*")
_ACTION = re.compile(r"[a-z0-9-]+:[A-Z][A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class CheckInfo:
    """A check's metadata, as written beside its assertion.

    `reads` are the IAM actions of the calls the check rests on (they make the auditor's policy),
    `fix` a template over `{feed...}`, `{docker_feed...}` and `{package}`, `applies` a function from
    the feed to the reason why the rule has no meaning for it, or None where it has one. `in_plan`
    is why no document of a plan speaks of it, or how to tell; None where documents are enough.
    """

    id: str
    severity: Severity
    title: str
    why: str
    fix: str
    reads: tuple[str, ...]
    refs: tuple[str, ...]
    subject: str
    per_package: bool
    function: str
    applies: Applies | None = None
    in_plan: str | InPlan | None = None

    @property
    def family(self) -> str:
        """The prefix of the ID, such as `REPO`; in lower case it is the pytest mark."""
        return self.id.partition("-")[0]


def check(
    *,
    id: str,  # noqa: A002 - the field's own word, keyword-only
    severity: Severity,
    title: str,
    why: str,
    fix: str,
    reads: tuple[str, ...],
    refs: tuple[str, ...],
    applies: Applies | None = None,
    in_plan: str | InPlan | None = None,
) -> Callable[[Test], Test]:
    """Make a test function a check. Raises TypeError for metadata that is missing or malformed."""

    def mark(function: Test) -> Test:
        parameters = inspect.signature(function).parameters
        info = CheckInfo(
            id=id,
            severity=severity,
            title=title,
            why=why,
            fix=fix,
            reads=reads,
            refs=refs,
            subject="docker_feed" if "docker_feed" in parameters else "feed",
            per_package="package" in parameters,
            function=function.__name__,
            applies=applies,
            in_plan=in_plan,
        )
        _validate(info, parameters)
        marked: Test = getattr(pytest.mark, info.family.lower())(function)
        setattr(marked, "check", info)  # noqa: B010 - a plain assignment has no type on a function
        return marked

    return mark


def info_of(function: object) -> CheckInfo | None:
    """The metadata of a check, or None for a plain test function."""
    info = getattr(function, "check", None)
    return info if isinstance(info, CheckInfo) else None


def _validate(info: CheckInfo, parameters: Mapping[str, inspect.Parameter]) -> None:
    problems = [
        *([] if _ID.fullmatch(info.id) else [f"id {info.id!r} is not FAMILY-NUMBER"]),
        *(
            f"{name} is empty"
            for name in ("title", "why", "fix", "refs")
            if not getattr(info, name)
        ),
        *(
            f"{action!r} is not an IAM action"
            for action in info.reads
            if not _ACTION.fullmatch(action)
        ),
        *(
            f"{ref!r} is not an https address"
            for ref in info.refs
            if not ref.startswith("https://")
        ),
        *([] if info.subject in parameters else ["it takes neither feed nor docker_feed"]),
    ]
    if problems:
        raise TypeError(f"check {info.id} ({info.function}): {'; '.join(problems)}")


class _Shell(string.Formatter):
    """`str.format` whose `!q` quotes a value for a POSIX shell."""

    def convert_field(self, value: Any, conversion: Any) -> Any:
        """See `string.Formatter.convert_field`."""
        if conversion == "q":
            return shlex.quote(str(value))
        return super().convert_field(value, conversion)


def render_fix(template: str, values: Mapping[str, object]) -> str:
    """A check's fix for one subject; `{package!q}` quotes for the shell."""
    return _Shell().vformat(template, (), values)
