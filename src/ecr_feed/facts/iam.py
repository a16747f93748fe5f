"""Frozen records of what was read from IAM, the organisation and a registry's documents.

Policy documents are kept as botocore returned them: a mapping where it decoded the JSON, else the
text, which may be malformed. `ecr_feed.iam.parse` takes either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from ecr_feed.facts.aws import Failure

Source: TypeAlias = Mapping[str, object] | str


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """One policy. `kind` is one that `ecr_feed.iam.parse` takes; `arn` is "" for an inline policy.

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

    `arn` is IAM's, path included; `session_arn` is the ARN of a role session as STS returns it.
    `unread` has the reads that failed; if there are any, `policies` may be incomplete.
    `boundary_unread`: one of them was of the boundary, so that there may be one where `boundary` is
    None.
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
    boundary_unread: bool = False

    @property
    def caller(self) -> str:
        """The ARN that makes the calls: the session's for a role session."""
        return self.session_arn or self.arn


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One access key of a user. `id` is masked; `own` marks the key that the feed uses."""

    id: str
    status: str  # Active, Inactive or Expired
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    own: bool = False
    unread: tuple[Failure, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether the key can be used."""
        return self.status == "Active"


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """An IAM OIDC identity provider; `url` has no scheme, as in IAM."""

    arn: str
    url: str
    audiences: tuple[str, ...] = ()


Levels: TypeAlias = tuple[tuple[PolicyDocument, ...], ...]


@dataclass(frozen=True, slots=True)
class Organization:
    """The organisation's policies that apply to an account, by level from the root to the account.

    `member` False: the account is in no organisation, and no such policy applies. `management`: it
    is the management account, to which service control policies do not apply. None: unknown.
    `scps` and `rcps` are () where that type of policy is off, so that it limits nothing, and None
    where they could not be read; then `unread` has the reason. `id` is the organisation's, such as
    `o-exampleorgid`; "" without one or where it is unknown.
    """

    member: bool | None
    management: bool | None = None
    scps: Levels | None = None
    rcps: Levels | None = None
    unread: tuple[Failure, ...] = ()
    id: str = ""

    @property
    def binds(self) -> bool:
        """Its policies apply to the account, or it is unknown whether they do."""
        return self.member is not False and self.management is not True


@dataclass(frozen=True, slots=True)
class CacheRule:
    """A pull-through cache rule: repositories under `prefix/` come from `upstream`."""

    prefix: str
    upstream: str


def cache_rule_of(repository: str, rules: Iterable[CacheRule]) -> CacheRule | None:
    """The most specific rule for a repository's name; None where none applies."""
    fitting = (rule for rule in rules if repository.startswith(f"{rule.prefix}/"))
    return max(fitting, key=lambda rule: len(rule.prefix), default=None)


@dataclass(frozen=True, slots=True)
class CreationTemplate:
    """A repository creation template; `applied_for` has values such as CREATE_ON_PUSH."""

    prefix: str
    applied_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LifecyclePolicy:
    """A repository's lifecycle policy, as JSON text."""

    text: str


class Effect(StrEnum):
    """What something that is known only after apply may do to an answer of the documents."""

    ANY = "may allow or deny"
    GRANTS = "may allow"
    LIMITS = "may deny"
    REFUSED = "may be refused"  # the resource-based policies: AWS may not accept them
    VERDICT = "leaves the plan unproven"  # no answer depends on it


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """What a plan leaves open about the feed: one sentence with the address.

    `package`: only answers about this repository depend on it; "" for all answers.
    """

    says: str
    package: str = ""
    effect: Effect = Effect.ANY
