"""The table of cases: what a person runs, and what a run must and must not say. Data in TOML."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

TABLES = Path(__file__).parent
Word: TypeAlias = Literal["met", "not met", "not assessed", "not applicable", "waived"]
Texts: TypeAlias = tuple[str, ...]


class Case(BaseModel):
    """One row. A finding is named by `CHECK`, `CHECK PACKAGE` or `FEED: CHECK PACKAGE`.

    `account` is the account file of `--demo case`; `files` lie in the folder where the run starts.
    `checks` names the files of checks/ that run, without `test_`; none: all of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    says: str
    point: int = 0
    options: Texts = ("--demo", "case")
    checks: Texts = ()
    account: str = ""
    files: dict[str, str] = {}
    status: int | None = None
    verdict: Literal["READY", "NOT READY", "NOT PROVEN", "PART"] | None = None
    outcomes: dict[str, Word] = {}
    names: dict[str, Texts] = {}
    never: dict[str, Texts] = {}
    terminal: Texts = ()
    terminal_never: Texts = ()

    @property
    def run(self) -> tuple[object, ...]:
        """What the row runs: rows that are equal in it can share one run."""
        return (self.options, self.checks, self.account, tuple(sorted(self.files.items())))

    @property
    def states_something(self) -> bool:
        """The row states at least one thing about the run."""
        finding = self.outcomes or self.names or self.never
        return bool(finding or self.terminal or self.terminal_never or self.verdict) or (
            self.status is not None
        )


def read_cases() -> list[Case]:
    """Every row of every table, in the tables' order.

    A row's `account` may be the name of one under the table's `[accounts]`, which rows share.
    """
    return [case for path in sorted(TABLES.glob("*.toml")) for case in _rows(path)]


def _rows(path: Path) -> Iterator[Case]:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    shared = table.get("accounts", {})
    for row in table["case"]:
        account = row.get("account", "")
        yield Case.model_validate({**row, "account": shared.get(account, account)})


class Findings:
    """The findings of a run, by the names that rows use."""

    def __init__(self, findings: list[dict[str, Any]]) -> None:
        self._findings = findings

    def named(self, name: str) -> dict[str, Any]:
        """The one finding of that name."""
        feed, colon, rest = name.rpartition(": ")
        check, _, package = (rest if colon else name).partition(" ")
        found = [
            each
            for each in self._findings
            if each["check"] == check
            and feed in ("", each["feed"])
            and package in ("", each["package"])
        ]
        assert len(found) == 1, f"{name}: {len(found)} findings have this name"
        return found[0]

    def text(self, name: str) -> str:
        """All that a person or a program reads of one finding."""
        return json.dumps(self.named(name), ensure_ascii=False).replace('\\"', '"')


@cache
def known_checks() -> frozenset[str]:
    """The names that `Case.checks` may hold."""
    return frozenset(
        path.stem.removeprefix("test_") for path in (TABLES.parents[1] / "checks").glob("test_*.py")
    )


def targets(case: Case) -> Iterator[str]:
    """What pytest is given to run."""
    unknown = set(case.checks) - known_checks()
    assert not unknown, f"no such file of checks: {unknown}"
    yield from (f"checks/test_{name}.py" for name in case.checks)
    if not case.checks:
        yield "checks/"
