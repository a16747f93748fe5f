"""Account files: an AWS account in one TOML file. See docs/embedded.md.

They are only read here; `seed.fill` creates the account through the AWS API.
"""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ecr_feed.embedded.seeding.shorthand import FaultTable, PolicyKind, PolicyShorthand, document
from ecr_feed.facts.iam import Effect, LeftOpen
from ecr_feed.facts.plan import PlanFacts
from ecr_feed.iam import PolicyError, parse, quota
from ecr_feed.naming import partition_of
from ecr_feed.text.files import ACCOUNT, FileError, Files

AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]
Days = Annotated[float, Field(ge=0)]
Name = Annotated[str, Field(min_length=1)]


class AccountError(Exception):
    """An account file that cannot be used; the message says which, where in it, and why."""


class AccountTable(BaseModel):
    """A table of an account file: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ImageTable(AccountTable):
    """An image (one platform) or an index (several, or one with an attestation)."""

    tags: tuple[str, ...] = ()
    platform: str = "linux/amd64"
    platforms: tuple[str, ...] = ()  # more than one makes an index
    attestation: bool = False  # an index with an `unknown/unknown` child, as buildx makes it
    media: Literal["oci", "docker"] = "oci"
    age_days: Days = 0
    archived: bool = False
    content: str = ""  # tells apart images that would otherwise be equal
    manifest: str = ""  # the manifest itself, for what the rest cannot say
    subject: str = ""  # tag of the image this one is about (a signature)
    artifact_type: str = ""
    layer_bytes: Annotated[int, Field(ge=1, le=64_000_000)] = 1024
    pulled_days: Days | None = None  # when it was last pulled


class RepositoryTable(AccountTable):
    """A repository. With `count`, `{n}` in the name runs from 0."""

    name: Name
    region: str = ""
    account: AccountId | Literal[""] = ""
    count: Annotated[int, Field(ge=1, le=100_000)] = 1
    policy: PolicyShorthand | None = None
    lifecycle: str | dict[str, Any] | None = None
    tags: dict[str, str] = {}
    mutability: Literal[
        "MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"
    ] = "MUTABLE"
    exclusions: tuple[str, ...] = ()
    scan_on_push: bool = False
    age_days: Days = 0
    images: tuple[ImageTable, ...] = ()


class KeyTable(AccountTable):
    """An access key, identified by its label.

    status `deleted`: created, then deleted; `expired`: a temporary key whose session has ended;
    `wrong-secret`: the secret is another one; `unknown`: the key never existed.
    """

    label: Name
    status: Literal["active", "inactive", "deleted", "expired", "wrong-secret", "unknown"] = (
        "active"
    )
    age_days: Days = 0
    used_days: Days | None = None  # when it was last used; None: never
    temporary: bool = False

    @model_validator(mode="after")
    def _fits(self) -> KeyTable:
        if self.status == "expired" and not self.temporary:
            raise ValueError("only a temporary key expires: add temporary = true")
        return self


class PrincipalTable(AccountTable):
    """The keys that users and roles share."""

    name: Name
    path: Annotated[str, Field(pattern=r"^/(.*/)?$")] = "/"
    policies: dict[str, PolicyShorthand] = {}  # inline policies by name
    attached: tuple[str, ...] = ()  # an AWS-managed policy's name, a [[policy]]'s, or an ARN
    boundary: PolicyShorthand | None = None
    boundary_policy: str = ""  # like an item of `attached`
    tags: dict[str, str] = {}
    keys: tuple[KeyTable, ...] = ()


class UserTable(PrincipalTable):
    """A user."""

    groups: tuple[str, ...] = ()
    console_password: bool = False


class RoleTable(PrincipalTable):
    """A role. Its keys are sessions, as a worker's instance profile provides them."""

    trust: PolicyShorthand = {"Statement": []}
    max_session_seconds: Annotated[int, Field(ge=3600, le=43200)] = 3600
    session_name: str = "i-0123456789abcdef0"


class GroupTable(AccountTable):
    """A group."""

    name: Name
    path: str = "/"
    policies: dict[str, PolicyShorthand] = {}
    attached: tuple[str, ...] = ()


class PolicyTable(AccountTable):
    """A customer managed policy."""

    name: Name
    path: str = "/"
    document: PolicyShorthand


class ProviderTable(AccountTable):
    """An OIDC provider."""

    url: Annotated[str, Field(pattern=r"^https://")]
    audiences: tuple[str, ...] = ()


PolicyTypeState = Literal["on", "off", "enabling", "disabling"]


class OrganizationPolicyTable(AccountTable):
    """A service (or resource) control policy. Level 0 is the root, higher ones nearer the account.

    A level whose policies only deny keeps FullAWSAccess beside them; one that allows stands alone.
    """

    level: Annotated[int, Field(ge=0, le=9)] = 0
    document: PolicyShorthand


class CacheRuleTable(AccountTable):
    """A pull-through cache rule."""

    prefix: Name
    upstream: Name = "public.ecr.aws"
    region: str = ""


class TemplateTable(AccountTable):
    """A repository creation template."""

    prefix: Name
    applied_for: tuple[Literal["REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH"], ...]
    region: str = ""
    policy: PolicyShorthand | None = None
    mutability: Literal["MUTABLE", "IMMUTABLE"] = "MUTABLE"


class RegistryTable(AccountTable):
    """The registry policy; of scope V1 it governs replication and pull-through caches only."""

    region: str = ""
    policy: PolicyShorthand
    scope: Literal["V1", "V2"] = "V2"


class NetworkTable(AccountTable):
    """The callers' network as AWS sees it: see `world.Environment`."""

    source_ip: str = "203.0.113.10"
    vpce: str = ""
    vpc: str = ""
    endpoint_policy: PolicyShorthand | None = None
    clock_off_minutes: float = 0  # callers' clock minus AWS's


class OrganizationTable(AccountTable):
    """The organisation the account is in.

    Only its management account and its delegated administrators may read policies. A type of policy
    is on, off, or being switched.
    """

    id: str = "o-exampleorgid"
    delegated_administrator: bool = True
    scps: PolicyTypeState = "on"
    rcps: PolicyTypeState = "on"


class OpenTable(AccountTable):
    """What is known only after a plan is applied: see `LeftOpen`."""

    says: str
    package: str = ""
    effect: Effect = Effect.ANY


class AccountFile(AccountTable):
    """One account, everything in it, and its feeds."""

    says: str = ""
    trips: tuple[str, ...] = ()
    account: AccountId = "123456789012"
    region: str = "eu-west-1"
    enabled_regions: tuple[str, ...] = ()  # opt-in regions that are switched on
    disabled_regions: tuple[str, ...] = ()
    quotas: dict[str, Annotated[int, Field(ge=0)]] = {}  # names of GetAccountSummary
    network: NetworkTable = NetworkTable()
    organization: OrganizationTable | None = None
    repository: tuple[RepositoryTable, ...] = ()
    user: tuple[UserTable, ...] = ()
    role: tuple[RoleTable, ...] = ()
    group: tuple[GroupTable, ...] = ()
    policy: tuple[PolicyTable, ...] = ()
    oidc_provider: tuple[ProviderTable, ...] = ()
    scp: tuple[OrganizationPolicyTable, ...] = ()
    rcp: tuple[OrganizationPolicyTable, ...] = ()
    registry: tuple[RegistryTable, ...] = ()
    cache_rule: tuple[CacheRuleTable, ...] = ()
    creation_template: tuple[TemplateTable, ...] = ()
    fault: tuple[FaultTable, ...] = ()
    # Checked by ecr_feed.config, which owns their schema.
    auditor: dict[str, Any] | None = None
    feed: tuple[dict[str, Any], ...] = ()
    docker_feed: tuple[dict[str, Any], ...] = ()
    assumed: tuple[str, ...] = ()  # assumed where a plan says nothing, one sentence each
    open: tuple[OpenTable, ...] = ()  # what a plan leaves open about its feed
    remarks: tuple[str, ...] = ()  # what else a plan leaves open or names, one sentence each
    plan: PlanFacts | None = None  # what the documents of a plan state

    @field_validator("user", "role", "group", "policy")
    @classmethod
    def _named_once(cls, tables: tuple[Any, ...]) -> tuple[Any, ...]:
        names = [table.name for table in tables]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{twice[0]!r} is there twice")
        return tables

    @model_validator(mode="after")
    def _fits(self) -> AccountFile:
        keys = [key.label for owner in (*self.user, *self.role) for key in owner.keys]
        if twice := sorted({label for label in keys if keys.count(label) > 1}):
            raise ValueError(f"two keys carry the label {twice[0]!r}")
        above = self.organization or OrganizationTable()
        for kind, state, tables in (("scp", above.scps, self.scp), ("rcp", above.rcps, self.rcp)):
            if state == "off" and tables:
                raise ValueError(f"organization.{kind}s is off, and there are [[{kind}]] tables")
        groups = {group.name for group in self.group}
        for user in self.user:
            if missing := sorted(set(user.groups) - groups):
                raise ValueError(
                    f"user {user.name!r} is in group {missing[0]!r}, which is not here"
                )
        return self

    @model_validator(mode="after")
    def _organizations_would_take(self) -> AccountFile:
        for kind, tables in (("scp", self.scp), ("rcp", self.rcp)):
            for number, table in enumerate(tables, start=1):
                form: PolicyKind = "identity" if kind == "scp" else "registry"
                text = document(table.document, form, self.placeholders)
                try:
                    parse(text, kind=kind, limit=quota(kind))
                except PolicyError as error:
                    where = f"[[{kind}]] {number}: AWS would refuse this policy"
                    raise ValueError(f"{where}: {error}") from None
        return self

    @property
    def partition(self) -> str:
        """The partition that the home region belongs to."""
        return partition_of(self.region)

    @property
    def left_open(self) -> tuple[LeftOpen, ...]:
        """What a plan leaves open about its feed."""
        return tuple(LeftOpen(each.says, each.package, each.effect) for each in self.open)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What must be known before a plan's feed is proven ready, one sentence each."""
        answered = (Effect.REFUSED, Effect.GRANTS)  # where an answer rests on one, it says so
        must = (each.says for each in self.open if each.effect not in answered)
        return tuple(dict.fromkeys(must))

    @property
    def placeholders(self) -> dict[str, str]:
        """The values of `{...}` placeholders in the file's policies; a plan's have none."""
        if self.plan is not None:
            return {}
        return {"account": self.account, "region": self.region, "partition": self.partition}

    @property
    def clock_off(self) -> timedelta:
        """Callers' clock minus AWS's."""
        return timedelta(minutes=self.network.clock_off_minutes)


def load(path: Path) -> AccountFile:
    """Read an account file. Raises AccountError."""
    try:
        tables = tomllib.loads(Files().read(path, ACCOUNT).text())
    except FileError as error:
        raise AccountError(str(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise AccountError(f"{path}: not TOML: {error}") from None
    return from_tables(tables, str(path))


def from_tables(tables: dict[str, Any], source: str) -> AccountFile:
    """The tables of an account file, checked. Raises AccountError."""
    try:
        return AccountFile.model_validate(tables)
    except ValidationError as error:
        raise AccountError(f"{source}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    """The first error: where, and what."""
    found = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in found["loc"]) or "file"
    if found["type"] == "extra_forbidden":
        return f"{where}: no such key"
    text = found["msg"].removeprefix("Value error, ")
    shown = "" if found["type"] in ("value_error", "missing") else f", found {found['input']!r}"
    return f"{where}: {text}{shown}"
