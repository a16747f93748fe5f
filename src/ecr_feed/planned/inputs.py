"""Plans: the embedded account filled from a user's own documents, before anything exists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ecr_feed import config
from ecr_feed.aws.known_regions import known_regions
from ecr_feed.config import ConfigError, Suite
from ecr_feed.config.read import read
from ecr_feed.embedded.seeding.account_file import (
    AccountError,
    AccountFile,
    CacheRuleTable,
    RegistryTable,
    RepositoryTable,
    TemplateTable,
)
from ecr_feed.naming import partition_of
from ecr_feed.permissions.attachment import MANAGED
from ecr_feed.planned.attachment import check_sizes
from ecr_feed.planned.documents import Documents, account_from_documents
from ecr_feed.planned.plan_file import read_plan
from ecr_feed.planned.terraform import account_from_plan
from ecr_feed.text.files import POLICY, Files, title_of

Placed = TypeVar("Placed", CacheRuleTable, RegistryTable, RepositoryTable, TemplateTable)
_USER = re.compile(r"[A-Za-z0-9+=,.@_-]{1,64}")
OWNER = "owner"
"""The label of the owner, who is the auditor: no policy limits it, not even a plan's SCP."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The options that describe an account which does not exist yet; paths as typed."""

    policies: tuple[str, ...] = ()
    boundary: str | None = None
    repository_policies: tuple[str, ...] = ()
    scps: tuple[str, ...] = ()
    plan: str | None = None
    identity: str | None = None
    attach: str | None = None

    @property
    def way(self) -> str:
        """How the policies of `policies` would be attached: one of `attachment.WAYS`."""
        return self.attach or MANAGED

    @property
    def documents(self) -> bool:
        """Whether any policy document is given."""
        return bool(self.policies or self.boundary or self.repository_policies or self.scps)

    @property
    def given(self) -> bool:
        """Whether any of these options is given."""
        return self.documents or self.plan is not None

    @property
    def files(self) -> tuple[str, ...]:
        """Every file named, as typed."""
        named = (part.partition("=")[2] for part in self.repository_policies)
        single = (each for each in (self.boundary, self.plan) if each is not None)
        return (*self.policies, *named, *self.scps, *single)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The feed that is asked about; "" where an option was not given."""

    region: str
    packages: tuple[str, ...]
    account: str
    pulls: bool


def account_of(
    planned: Planned,
    files: Files,
    region: str | None,
    packages: tuple[str, ...],
    *,
    account: str = "",
    pulls: bool = False,
) -> AccountFile:
    """The account as it would be; `account` is the stated ID, "" without one.

    Raises ConfigError, with the place of the mistake.
    """
    asked = _Asked(region or "", packages, account, pulls)
    try:
        if planned.plan is not None:
            return _worded(_placed(_from_plan(planned, files, asked)))
        return _placed(_from_documents(planned, files, asked))
    except AccountError as error:
        raise ConfigError(str(error)) from None


def suite_of(account: AccountFile, source: str) -> Suite:
    """The planned feed, judged with the owner as auditor."""
    tables = {"feed": [dict(feed) for feed in account.feed], "auditor": {"key": OWNER}}
    return config.from_tables(tables, base=Path(), source=source, labels=True)


def check_makeable(account: AccountFile) -> None:
    """Create the account once and discard it. Raises ConfigError for what AWS would refuse."""
    from ecr_feed.embedded.seeding.seed import core_for, fill

    try:
        fill(core_for(account), account)
    except AccountError as error:
        said = str(error)
        raise ConfigError(account.plan.shown(said) if account.plan else said) from None


def _worded(account: AccountFile) -> AccountFile:
    """The same, without the account that stands in for an unstated one in its sentences."""
    shown = account.plan.shown if account.plan is not None else str
    says = tuple(each.model_copy(update={"says": shown(each.says)}) for each in account.open)
    said = {"assumed": account.assumed, "remarks": account.remarks}
    return account.model_copy(
        update={"open": says, **{key: tuple(map(shown, texts)) for key, texts in said.items()}}
    )


def _placed(account: AccountFile) -> AccountFile:
    """The same, with what is in a region that botocore does not list in one that it lists.

    The documents need a place to be put; the feed's own region is judged as it is.
    """
    known = known_regions().names
    tables = (account.repository, account.registry, account.cache_rule, account.creation_template)
    if {account.region, *(each.region for table in tables for each in table)} <= {"", *known}:
        return account
    place = min(name for name in known if partition_of(name) == account.partition)

    def moved(table: tuple[Placed, ...]) -> tuple[Placed, ...]:
        return tuple(
            each if each.region in ("", *known) else each.model_copy(update={"region": place})
            for each in table
        )

    return account.model_copy(
        update={
            "region": account.region if account.region in known else place,
            "enabled_regions": (
                place,
                *(each for each in account.enabled_regions if each in known),
            ),
            "repository": moved(account.repository),
            "registry": moved(account.registry),
            "cache_rule": moved(account.cache_rule),
            "creation_template": moved(account.creation_template),
        }
    )


def _from_plan(planned: Planned, files: Files, asked: _Asked) -> AccountFile:
    if planned.documents:
        raise ConfigError(
            "--plan describes a whole account: use it without --policy and similar options."
        )
    return account_from_plan(
        read_plan(planned.plan or "", files),
        region=asked.region,
        account=asked.account,
        packages=asked.packages,
        identity=planned.identity or "",
        pulls=asked.pulls,
        source=title_of(planned.plan or ""),
    )


def _from_documents(planned: Planned, files: Files, asked: _Asked) -> AccountFile:
    if not asked.region or not asked.packages:
        missing = "--aws-region R" if not asked.region else "--package ID (repeat it for more)"
        raise ConfigError(f"Policies are judged for one feed without a file: add {missing}.")
    policies = dict(_policy(files, name) for name in planned.policies)
    boundary = None if planned.boundary is None else _policy(files, planned.boundary)
    check_sizes(policies, boundary, planned.way)
    return account_from_documents(
        Documents(
            region=asked.region,
            packages=asked.packages,
            account=asked.account,
            identity=_user(planned.identity),
            policies=policies,
            boundary=boundary,
            repository_policies=dict(_repository_policies(planned, files, asked.packages)),
            scps=dict(_policy(files, name) for name in planned.scps),
            pulls=asked.pulls,
        )
    )


def _user(name: str | None) -> str:
    """The user that has the policies; "" where nobody said which."""
    if name is not None and _USER.fullmatch(name) is None:
        raise ConfigError(
            f"--identity {name}: with --policy, expected the name of an IAM user, without path: up "
            "to 64 letters, digits and +=,.@_- (policies of a role: use --plan)."
        )
    return name or ""


def _repository_policies(
    planned: Planned, files: Files, packages: tuple[str, ...]
) -> Iterable[tuple[str, str]]:
    for part in planned.repository_policies:
        package, equals, name = part.partition("=")
        if not equals or not package or not name:
            raise ConfigError(
                f"--repository-policy {part}: expected ID=FILE, such as team/app=policy.json."
            )
        if package not in (*packages, "*"):
            raise ConfigError(
                f"--repository-policy {part}: {package!r} is not one of the feed's packages "
                f"({', '.join(packages)})."
            )
        yield package, _policy(files, name)[1]


def _policy(files: Files, name: str) -> tuple[str, str]:
    """The document's name in messages, and its text."""
    file, text = read(name, POLICY, files)
    return file.source, text
