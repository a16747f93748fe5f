"""What the auditor read of IAM, the organisation and a registry's documents, as frozen records.

Policy documents are kept as AWS handed them out: a mapping where botocore decoded the JSON, else
the text, which may be malformed. `ecr_feed.iam.parse` takes either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from ecr_feed.facts.aws import Failure

Source: TypeAlias = Mapping[str, object] | str


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """One policy. `kind` is a kind of `ecr_feed.iam.parse`; `arn` is "" for an inline policy.

    `via` says where it is attached, such as `user octopus-feed` or `group deployers`.
    """

    name: str
    kind: str
    document: Source
    arn: str = ""
    via: str = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, a role or the root user, with every policy of its own account that applies to it.

    `arn` is IAM's, path included; for a role session `session_arn` is what STS calls it. `unread`
    holds the reads that failed: with any of them the policies here are not all there are.
    """

    kind: str  # "user", "role" or "root"
    arn: str
    account: str
    name: str
    session_arn: str = ""
    policies: tuple[PolicyDocument, ...] = ()
    boundary: PolicyDocument | None = None
    trust: PolicyDocument | None = None
    max_session: timedelta | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[Failure, ...] = ()

    @property
    def caller(self) -> str:
        """The ARN that makes the calls: the session's, where there is one."""
        return self.session_arn or self.arn


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One access key of a user. `id` is masked; `own` marks the key that the feed itself uses."""

    id: str
    status: str  # Active, Inactive or Expired
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    own: bool = False
    unread: tuple[Failure, ...] = ()

    @property
    def is_active(self) -> bool:
        """The key can sign."""
        return self.status == "Active"


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """An IAM OIDC identity provider: `url` without scheme, as AWS keeps it."""

    arn: str
    url: str
    audiences: tuple[str, ...] = ()


Levels: TypeAlias = tuple[tuple[PolicyDocument, ...], ...]


@dataclass(frozen=True, slots=True)
class Organization:
    """What the organisation lays over an account; levels go from the root to the account.

    `member` False: the account is in no organisation, so that nothing of it applies. `management`:
    the account manages it, so that service control policies do not. None: nobody could tell.
    `scps` and `rcps` are None where they could not be read; `unread` says how that was refused.
    `id` is the organisation's, such as `o-exampleorgid`; "" where there is none or nobody told it.
    """

    member: bool | None
    management: bool | None = None
    scps: Levels | None = None
    rcps: Levels | None = None
    unread: tuple[Failure, ...] = ()
    id: str = ""


@dataclass(frozen=True, slots=True)
class CacheRule:
    """A pull-through cache rule: repositories under `prefix/` come from `upstream`."""

    prefix: str
    upstream: str


def cache_rule_of(repository: str, rules: Iterable[CacheRule]) -> CacheRule | None:
    """The rule that a repository's name falls under, the most specific one; None under none."""
    fitting = (rule for rule in rules if repository.startswith(f"{rule.prefix}/"))
    return max(fitting, key=lambda rule: len(rule.prefix), default=None)


@dataclass(frozen=True, slots=True)
class CreationTemplate:
    """A repository creation template; `applied_for` holds CREATE_ON_PUSH and the like."""

    prefix: str
    applied_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LifecyclePolicy:
    """A repository's lifecycle policy, its JSON as text."""

    text: str
