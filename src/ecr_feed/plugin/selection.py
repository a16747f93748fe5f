"""What a run judges: the feeds, the backend they are on, how strictly. No network."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ecr_feed import config
from ecr_feed.config import ConfigError, Suite
from ecr_feed.embedded.seeding.account_file import AccountError, AccountFile
from ecr_feed.embedded.seeding.account_file import load as load_account
from ecr_feed.facts.plan import PlanFacts
from ecr_feed.findings import Severity
from ecr_feed.planned.arns import is_account_id
from ecr_feed.planned.inputs import account_of, suite_of
from ecr_feed.plugin.catalogue import catalogue
from ecr_feed.plugin.option_table import CommandLine
from ecr_feed.text.files import Files, title_of
from ecr_feed.triage import Triage
from ecr_feed.triage.baseline import load as load_baseline
from ecr_feed.triage.waivers import Waivers
from ecr_feed.triage.waivers import load as load_waivers

HEALTHY = "healthy"


@dataclass(frozen=True, slots=True)
class Selection:
    """One run: `account` is the embedded account used instead of AWS, None on AWS itself.

    `unknown` lists what a plan does not determine before it is applied; `attach` is how the
    policies of `--policy` would be attached, "" without such.
    """

    mode: str  # "aws", "demo" or "plan"
    suite: Suite
    gate: Severity
    report: Path
    endpoint_url: str | None = None
    look_elsewhere: bool = False
    account: AccountFile | None = None
    source: str = ""
    unknown: tuple[str, ...] = ()
    write_policy: Path | None = None
    triage: Triage = field(default_factory=Triage)
    formats: frozenset[str] = frozenset()
    deep: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    attach: str = ""

    @property
    def plan(self) -> PlanFacts | None:
        """What the documents of a plan state; None in every other run."""
        return self.account.plan if self.account is not None and self.mode == "plan" else None


def select(given: CommandLine, environ: Mapping[str, str], files: Files) -> Selection:
    """The run that a command line asks for; `files` reads what it names. Raises ConfigError."""
    _refuse_mixtures(given)
    chosen = _subject(given, environ, files)
    triage = _triage(given, chosen.mode, files)
    return replace(
        chosen,
        suite=config.with_context(chosen.suite, given.context),
        look_elsewhere=given.look_elsewhere,
        deep=given.deep,
        write_policy=None if given.write_policy is None else given.here / given.write_policy,
        triage=triage,
        formats=frozenset(given.formats),
        options={**given.shown(), **({"--attach": chosen.attach} if chosen.attach else {})},
        inputs=files.digests,
    )


def _subject(given: CommandLine, environ: Mapping[str, str], files: Files) -> Selection:
    if given.planned.given:
        return _planned(given, files)
    if given.feeds is not None:
        return _on_aws(given, config.load(given.feeds, files=files), environ)
    if given.one_feed:
        return _on_aws(given, _one_feed(given), environ)
    return _demo(given, environ)


def _triage(given: CommandLine, mode: str, files: Files) -> Triage:
    """Waivers and baseline. Raises ConfigError."""
    if given.new_only and given.baseline is None:
        raise ConfigError("--new-only needs a baseline to compare with: add --baseline FILE.")
    waivers, baseline = Waivers(), None
    if given.waivers is not None:
        checks = [info.id for info in catalogue(given.root / "checks")]
        waivers = load_waivers(given.waivers, checks=checks, files=files)
    if given.baseline is not None:
        baseline = load_baseline(given.baseline, mode=mode, files=files)
    return Triage(waivers=waivers, baseline=baseline, new_only=given.new_only)


def _refuse_mixtures(given: CommandLine) -> None:
    if given.account is not None:
        _check_account(given, given.account)
    if given.feeds is not None and given.one_feed:
        raise ConfigError(
            "--feeds names a file of feeds; --aws-region, --package and --aws-profile describe one "
            "feed without a file. Give one or the other."
        )
    elsewhere = given.feeds is not None or given.one_feed or given.endpoint_url
    if given.demo is not None and (elsewhere or given.planned.given):
        raise ConfigError(
            "--demo judges an embedded account in this process; do not combine it with --feeds, "
            "--aws-region, --package, --aws-profile, --aws-endpoint-url, --policy or --plan."
        )
    if given.planned.attach is not None and not given.planned.policies:
        raise ConfigError(
            "--attach says how the policies of --policy would be attached: add --policy FILE."
        )
    if given.planned.given and (given.feeds is not None or given.profile or given.endpoint_url):
        raise ConfigError(
            "--policy, --boundary, --repository-policy, --scp and --plan judge what does not exist "
            "yet; use them with --aws-region and --package, but without --feeds, "
            "--aws-profile and --aws-endpoint-url."
        )
    if given.planned.identity is not None and not given.planned.given:
        raise ConfigError(
            "--identity belongs to --plan and --policy: it says which user or role the feed is. A "
            "feeds file names each feed's credentials."
        )
    alone = not (given.planned.given or given.one_feed)
    if given.pulls and alone:
        raise ConfigError(
            "--pulls belongs to --plan, --policy or one feed by --aws-region. In a feeds file or "
            "a demo account, say `pulls = true` in the feed's [[feed]] table."
        )


def _check_account(given: CommandLine, account: str) -> None:
    if not is_account_id(account):
        raise ConfigError(f"--account {account}: expected the 12 digits of an AWS account ID.")
    if given.feeds is not None:
        raise ConfigError(
            "--account states the account of one feed without a file; in a feeds file, set "
            f'`account = "{account}"` of the feed.'
        )
    if not given.planned.given and not given.one_feed:
        raise ConfigError(
            "--account states the account of a plan or of one feed: add --policy, --plan, or "
            "--aws-region and --package."
        )


def _report(given: CommandLine) -> Path:
    return given.root / "reports" if given.report is None else given.here / given.report


def _one_feed(given: CommandLine) -> Suite:
    if not given.region or not given.packages:
        missing = "--aws-region R" if not given.region else "--package ID (repeat it for more)"
        raise ConfigError(
            f"One feed without a file needs a region and a package ID: add {missing}."
        )
    return config.one_feed(
        given.region,
        given.packages,
        given.profile,
        given.endpoint_url,
        given.account,
        pulls=given.pulls,
    )


def _on_aws(given: CommandLine, suite: Suite, environ: Mapping[str, str]) -> Selection:
    from ecr_feed.aws.transport.credential_sessions import missing_profiles

    config.check_sources(suite, environ)
    if missing := missing_profiles(suite):
        raise ConfigError(
            f"No AWS profile named {missing[0]!r} in the AWS configuration of this machine; "
            "`aws configure list-profiles` lists the profiles."
        )
    return Selection(
        mode="aws",
        suite=suite,
        gate=given.gate,
        report=_report(given),
        endpoint_url=given.endpoint_url,
        source=title_of(given.feeds) if given.feeds else "one feed",
    )


def _planned(given: CommandLine, files: Files) -> Selection:
    account = account_of(
        given.planned,
        files,
        given.region,
        given.packages,
        account=given.account or "",
        pulls=given.pulls,
    )
    source = ", ".join(title_of(name) for name in given.planned.files)
    return Selection(
        mode="plan",
        suite=suite_of(account, source),
        gate=given.gate,
        report=_report(given),
        account=account,
        source=source,
        unknown=account.unknown,
        attach=given.planned.way if given.planned.policies else "",
    )


def _demo(given: CommandLine, environ: Mapping[str, str]) -> Selection:
    if environ.get("CI") and given.demo is None:
        raise ConfigError(
            "CI is set and no feeds are given: use --feeds FILE, or --demo healthy "
            "to judge the embedded demo account on purpose."
        )
    name = given.demo or HEALTHY
    accounts = given.root / "fixtures" / "accounts"
    path = accounts / f"{name}.toml"
    if "/" in name or not path.is_file():
        known = demos(accounts)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"No demo account named {name!r}.{hint} Accounts: {', '.join(known)}.")
    try:
        account = load_account(path)
    except AccountError as error:
        raise ConfigError(str(error)) from None
    tables = {
        "auditor": account.auditor,
        "feed": list(account.feed),
        "docker_feed": list(account.docker_feed),
    }
    feeds = {key: value for key, value in tables.items() if value}
    suite = config.from_tables(feeds, base=path.parent, source=path.name, labels=True)
    return Selection(
        mode="demo",
        suite=suite,
        gate=given.gate,
        report=_report(given),
        account=account,
        source=name,
    )


def demos(accounts: Path) -> list[str]:
    """The names that `--demo` takes: the account files of that folder."""
    return sorted(path.stem for path in accounts.glob("*.toml"))


SELECTION = pytest.StashKey[Selection]()


def selection(config: pytest.Config) -> Selection | None:
    """What this run judges, or None in a run that does not touch checks/."""
    return config.stash.get(SELECTION, None)
