"""Makes the parts of a run, each given to the next: call log, accounts, publisher, reporter.

The report folder is tried before the first read.
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from ecr_feed import __version__
from ecr_feed.aws.transport.call_log import CallLog
from ecr_feed.check import CheckInfo
from ecr_feed.config import ConfigError, DockerFeed, Feed
from ecr_feed.findings import Finding, OutcomeWord
from ecr_feed.naming import partition_of
from ecr_feed.once import Once
from ecr_feed.planned.inputs import check_makeable
from ecr_feed.plugin.accounts import ACCOUNTS, Accounts
from ecr_feed.plugin.catalogue import catalogue
from ecr_feed.plugin.live import Live
from ecr_feed.plugin.parametrize import feed_of, items_of, package_of
from ecr_feed.plugin.policy_files import PolicyFiles
from ecr_feed.plugin.publish import Publisher, Setting
from ecr_feed.plugin.reporter import Reporter, register
from ecr_feed.plugin.selection import Selection
from ecr_feed.report.artefacts import ReportFolderError, check_writable
from ecr_feed.report.record import Assumed, FeedFacts, Rule, SuiteFacts
from ecr_feed.report.redact import Redactor


def start(config: pytest.Config, chosen: Selection) -> None:
    """Make the run's parts and register the reporter. Opens no account, makes no call.

    Raises ConfigError where the report folder cannot be written.
    """
    redactor = Redactor()
    writes = not hasattr(config, "workerinput") and not config.option.collectonly
    if writes and chosen.mode == "plan" and chosen.account is not None:
        check_makeable(chosen.account)
    publisher = _publisher(config, chosen, redactor) if writes else None
    live = Live(config.pluginmanager, quiet=config.get_verbosity() < 0)
    log = CallLog(on_call=live.saw_call)
    accounts = Accounts(chosen, log, on_secret=redactor.learn)
    config.stash[ACCOUNTS] = accounts
    reporter = Reporter(
        redactor=redactor,
        triage=chosen.triage,
        log=log,
        accounts=accounts,
        live=live,
        publisher=publisher,
        policies=chosen.write_policy is not None,
    )
    register(config, reporter)


def _publisher(config: pytest.Config, chosen: Selection, redactor: Redactor) -> Publisher:
    for option, plugin in (("htmlpath", "html"), ("xmlpath", "junitxml")):
        if not hasattr(config.option, option):
            raise ConfigError(
                f"The report needs pytest's plugin {plugin!r}: run without -p no:{plugin}."
            )
    try:
        check_writable(chosen.report)
    except ReportFolderError as error:
        raise ConfigError(str(error)) from None
    policies = None
    if chosen.write_policy is not None:
        policies = PolicyFiles(chosen.write_policy, tuple(feed.slug for feed in chosen.suite.feeds))
        policies.check()
        policies.write_auditor()
    staging = Path(tempfile.mkdtemp(prefix="ecr-feed-report-"))
    # pytest-html and JUnit write their files whole at the end; we take them from here.
    if config.option.htmlpath is None:
        config.option.htmlpath = str(staging / "report.html")
        config.option.self_contained_html = True
    if config.option.xmlpath is None:
        config.option.xmlpath = str(staging / "junit.xml")
    checks = config.rootpath / "checks"
    feeds: tuple[Feed | DockerFeed, ...] = (*chosen.suite.feeds, *chosen.suite.docker_feeds)
    setting = Setting(
        mode=chosen.mode,
        source=chosen.source,
        gate=chosen.gate.word,
        folder=chosen.report,
        staging=staging,
        suite=_suite(chosen),
        feeds=tuple(_facts(feed, chosen) for feed in feeds),
        options=chosen.options,
        inputs=chosen.inputs,
        unknown=chosen.unknown,
        policies=policies,
        triage=chosen.triage,
        formats=chosen.formats,
    )
    infos = Once(lambda: catalogue(checks))
    return Publisher(
        setting,
        redactor,
        rules=lambda: tuple(_rule(info) for info in infos.get()),
        items=lambda: items_of(infos.get(), chosen.suite, chosen.plan),
        crashed=_crashed(chosen, checks),
    )


def _suite(chosen: Selection) -> SuiteFacts:
    return SuiteFacts(
        name="ecr-feed-checks",
        version=__version__,
        python=platform.python_version(),
        pytest=pytest.__version__,
        botocore=version("botocore"),
        moto="" if chosen.account is None else version("moto"),
    )


def _facts(feed: Feed | DockerFeed, chosen: Selection) -> FeedFacts:
    return FeedFacts(
        name=feed.name,
        slug=feed.slug,
        region=feed.region,
        kind="ecr" if isinstance(feed, Feed) else "docker",
        partition=partition_of(feed.region) or "",
        account=feed.account or "",
        endpoint_url=feed.endpoint_url or chosen.endpoint_url or "",
        packages=len(feed.packages) if isinstance(feed, Feed) else 0,
        min_token_hours=feed.min_token_hours if isinstance(feed, Feed) else None,
        assumed=tuple(Assumed(each.key, each.values) for each in feed.context)
        if isinstance(feed, Feed)
        else (),
    )


def _rule(info: CheckInfo) -> Rule:
    return Rule(
        id=info.id,
        title=info.title,
        why=info.why,
        severity=info.severity.word,
        refs=info.refs,
        reads=info.reads,
    )


def _crashed(chosen: Selection, checks: Path) -> Callable[[str], Finding]:
    """The finding for a test whose worker crashed, made from its node ID."""

    def finding(nodeid: str) -> Finding:
        function = nodeid.partition("[")[0].rpartition("::")[2]
        info = next((info for info in catalogue(checks) if info.function == function), None)
        slug = feed_of(nodeid)
        names = {feed.slug: feed.name for feed in (*chosen.suite.feeds, *chosen.suite.docker_feeds)}
        return Finding(
            check=info.id if info else function,
            severity=info.severity.word if info else "critical",
            gating=info is None or info.severity >= chosen.gate,
            feed=names.get(slug, slug),
            package=package_of(nodeid),
            outcome=OutcomeWord.NOT_ASSESSED.value,
            message="The worker process ended before it finished this check.",
            fix="Run again without -n to see why.",
            test=nodeid,
        )

    return finding
