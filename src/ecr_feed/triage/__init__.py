"""What waivers and a baseline change in a finding, after its check has judged.

Every worker does the same, so that pytest and the report show one outcome. An outcome changes only
from *not met* to *waived*; `--new-only` changes only whether a finding gates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from ecr_feed.findings import Comparison, Finding, WaiverUse
from ecr_feed.triage import waivers as waiving
from ecr_feed.triage.baseline import Baseline
from ecr_feed.triage.waivers import Waivers


@dataclass(frozen=True, slots=True)
class Triage:
    """One run's waivers and baseline; `Triage()` changes nothing. `today` is in UTC."""

    waivers: Waivers = field(default_factory=Waivers)
    baseline: Baseline | None = None
    new_only: bool = False
    today: date = field(default_factory=waiving.today)

    def __call__(self, finding: Finding) -> Finding:
        """The finding as it is reported."""
        finding = self.waivers.judge(finding, self.today)
        if self.baseline is not None and self.new_only:
            finding = self.baseline.new_only(finding)
        return finding

    def uses(self, findings: tuple[Finding, ...]) -> tuple[WaiverUse, ...]:
        """What each waiver did to a whole run's findings."""
        return self.waivers.uses(findings, self.today)

    def comparison(self, findings: tuple[Finding, ...]) -> Comparison | None:
        """A whole run against the baseline; None without one."""
        if self.baseline is None:
            return None
        return self.baseline.compare(findings, new_only=self.new_only)
