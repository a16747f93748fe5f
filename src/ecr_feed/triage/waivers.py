"""waivers.toml: which findings are accepted for now, why, who owns each waiver, and until when.

```toml
[[waiver]]
check = "REPO-3"
feed = "Production ECR"      # the name as written in the feeds file, or "*"
package = "team/new-*"       # optional: a glob over package IDs, in which * also crosses /
reason = "first push is planned for January"
owner = "platform team"
expires = 2027-01-31         # the last day on which it counts, in UTC
```

A waiver covers a finding that is *not met*, never one that could not be assessed. An expired
waiver covers nothing: the finding counts again and its message says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from ecr_feed.config import ConfigError
from ecr_feed.config.read import parse, read
from ecr_feed.config.values import Text, wrong
from ecr_feed.config.wording import did_you_mean, key_text, quote, show
from ecr_feed.findings import Finding, OutcomeWord, WaiverUse
from ecr_feed.text.files import WAIVERS, Files

ANY: Final = "*"
_EXAMPLES: Final = {
    "check": '"REPO-3"',
    "feed": '"Production ECR" (or "*" for every feed)',
    "package": '"team/*"',
    "reason": '"first push is planned for January"',
    "owner": '"platform team"',
    "expires": "2027-01-31",
}


def _day(value: object) -> object:
    """A TOML date, or the same as text, without a time of day."""
    if isinstance(value, datetime):
        raise wrong("a day without a time, such as 2027-01-31")
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise wrong("a day, such as 2027-01-31") from None
    return value


class Waiver(BaseModel):
    """One [[waiver]]. Without `package` it covers all of the check's findings on the feed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    check: Text
    feed: Text
    package: Text | None = None
    reason: Text
    owner: Text
    expires: Annotated[date, BeforeValidator(_day)]

    def names(self, finding: Finding) -> bool:
        """Whether it is about this finding, whatever the finding's outcome and the day."""
        if self.check != finding.check or self.feed not in (ANY, finding.feed):
            return False
        if self.package is None:
            return True
        return finding.package is not None and fnmatchcase(finding.package, self.package)

    def in_force(self, today: date) -> bool:
        """Until the end of the day it names."""
        return today <= self.expires


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    waiver: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers of one file, in its order. `Waivers()` waives nothing."""

    items: tuple[Waiver, ...] = ()

    def judge(self, finding: Finding, today: date) -> Finding:
        """The finding with waivers applied: only *not met* can change, to *waived*."""
        if finding.outcome != OutcomeWord.NOT_MET:
            return finding
        named = [waiver for waiver in self.items if waiver.names(finding)]
        for waiver in named:
            if waiver.in_force(today):
                return replace(
                    finding, outcome=OutcomeWord.WAIVED.value, evidence=_kept(waiver, finding)
                )
        if named:
            latest = max(named, key=lambda waiver: waiver.expires)
            said = f"The waiver of {latest.owner} expired on {latest.expires}: it counts again."
            message = f"{finding.message} ({said})"
            return replace(finding, message=message, evidence=_kept(latest, finding))
        return finding

    def uses(self, findings: Iterable[Finding], today: date) -> tuple[WaiverUse, ...]:
        """What each waiver did to these findings, which `judge` has seen."""
        found = list(findings)
        return tuple(self._use(at, found, today) for at in range(len(self.items)))

    def _use(self, at: int, findings: list[Finding], today: date) -> WaiverUse:
        waiver = self.items[at]
        named = [finding for finding in findings if waiver.names(finding)]
        if not waiver.in_force(today):
            again = sum(finding.outcome == OutcomeWord.NOT_MET for finding in named)
            note = f"{again} not met" if again else "no longer needed: remove it"
            return _as_used(waiver, "expired", 0, note)
        earlier = [other for other in self.items[:at] if other.in_force(today)]
        waived = [finding for finding in named if finding.outcome == OutcomeWord.WAIVED]
        covered = [f for f in waived if not any(other.names(f) for other in earlier)]
        if covered:
            return _as_used(waiver, "in force", len(covered), "")
        return _as_used(waiver, "unused", 0, _why_unused(named, waived))


def today() -> date:
    """The day in UTC, by which waivers expire."""
    return datetime.now(UTC).date()


def load(name: str | Path, *, checks: Collection[str] = (), files: Files | None = None) -> Waivers:
    """Read a waivers file; `checks` are the ids that exist, where the caller knows them.

    Raises ConfigError, one paragraph with file, key path, what was found and what was expected.
    """
    file, text = read(name, WAIVERS, files)
    source = file.source
    tables = parse(text, source)
    try:
        items = _File.model_validate(tables).waiver
    except ValidationError as error:
        raise _explain(error, tables, source) from None
    for number, waiver in enumerate(items, 1):
        if checks and waiver.check not in checks:
            raise ConfigError(
                f"{source}: waiver[{number}].check: found {quote(waiver.check)}, expected the id of"
                f" a check{_near(waiver.check, checks)}"
            )
    return Waivers(items)


def _near(check: str, checks: Collection[str]) -> str:
    near = get_close_matches(check.upper(), sorted(checks), n=1)
    return f', did you mean "{near[0]}"?' if near else ", such as REPO-3."


def _kept(waiver: Waiver, finding: Finding) -> Mapping[str, object]:
    told = {"reason": waiver.reason, "owner": waiver.owner, "expires": waiver.expires.isoformat()}
    return {**finding.evidence, "waiver": told}


def _as_used(waiver: Waiver, state: str, covers: int, note: str) -> WaiverUse:
    return WaiverUse(
        check=waiver.check,
        feed=waiver.feed,
        package=waiver.package or "",
        reason=waiver.reason,
        owner=waiver.owner,
        expires=waiver.expires,
        state=state,
        covers=covers,
        note=note,
    )


def _why_unused(named: list[Finding], waived: list[Finding]) -> str:
    if not named:
        return "matches no finding of this run"
    if waived:
        return "an earlier waiver covers the same"
    if any(finding.outcome == OutcomeWord.NOT_ASSESSED for finding in named):
        return "its findings could not be assessed, which no waiver covers"
    return "its findings are met or not applicable: remove it"


def _explain(error: ValidationError, tables: Mapping[str, Any], source: str) -> ConfigError:
    details = sorted(
        error.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden"
    )
    more = f" Further mistakes: {len(details) - 1}." if len(details) > 1 else ""
    return ConfigError(f"{source}: {_sentence(details[0], tables)}{more}")


def _sentence(detail: ErrorDetails, tables: Mapping[str, Any]) -> str:
    loc, kind = detail["loc"], detail["type"]
    where = "".join(
        f"[{step + 1}]" if isinstance(step, int) else f"{'.' if at else ''}{key_text(step)}"
        for at, step in enumerate(loc)
    )
    key = str(loc[-1])
    if kind == "extra_forbidden":
        known = list(_EXAMPLES) if len(loc) > 1 else ["waiver"]
        meant = did_you_mean(key, known) or f"; known here are {', '.join(known)}."
        return f"{where} is not a known key{meant}"
    if kind == "missing":
        return f"{where} is missing: expected {_EXAMPLES.get(key, 'a value')}."
    if key == "waiver" and isinstance(tables.get("waiver"), Mapping):
        return "waiver: found a table, expected [[waiver]] in double brackets."
    expected = (detail.get("ctx") or {}).get("expected") if kind == "expected" else None
    what = expected or (f"a value such as {_EXAMPLES[key]}" if key in _EXAMPLES else "[[waiver]]")
    return f"{where}: found {show(detail['input'])}, expected {what}."
