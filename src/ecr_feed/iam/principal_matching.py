"""Who calls, and whether a Principal element names the caller.

Source: IAM User Guide, "Principal", "NotPrincipal" and "Policy evaluation within a single account".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache

from ecr_feed.iam.match import Test

_ARN = re.compile(r"arn:([a-z0-9-]+):(iam|sts)::(\d{12}):(.+)", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_ACCOUNT = re.compile(r"\d{12}")
_SERVICE_LINKED = "AWSServiceRoleFor"


class CallerKind(StrEnum):
    """The type of principal that makes a request."""

    UNSIGNED = "unsigned"
    ROOT = "root user"
    USER = "user"
    ROLE = "role"
    SESSION = "role session"
    FEDERATED = "federated user"
    SERVICE = "service"
    PROVIDER = "identity provider"


_IDENTITIES = frozenset(
    {CallerKind.USER, CallerKind.ROLE, CallerKind.SESSION, CallerKind.FEDERATED}
)


@dataclass(frozen=True, slots=True)
class Caller:
    """A parsed principal.

    `account` is None for callers outside any account: a service, an identity provider (it
    authenticates somebody outside) and an unsigned caller. `role` is the role's name, without path,
    for a role and its sessions.
    """

    kind: CallerKind
    arn: str
    partition: str = ""
    account: str | None = None
    role: str = ""
    service_linked: bool = False

    @property
    def has_policies(self) -> bool:
        """Whether identity policies can be attached: users, roles and their sessions."""
        return self.kind in _IDENTITIES

    @property
    def principal_arn(self) -> str | None:
        """`aws:PrincipalArn` as IAM fills it: a session's is its role's (the path is not known)."""
        if self.kind is CallerKind.SESSION:
            return f"arn:{self.partition}:iam::{self.account}:role/{self.role}"
        if self.account is None:
            return None
        return self.arn if self.partition else f"arn:aws:iam::{self.account}:root"


@lru_cache(maxsize=4096)
def read_caller(principal: str | None) -> Caller:
    """Parse a principal; ValueError if it is not valid.

    Accepted: ARNs of a user, role, role session, federated user, root user or identity provider,
    an account number (its root user), a service's or provider's host name, None for unsigned.
    """
    if principal is None:
        return Caller(CallerKind.UNSIGNED, "")
    found = _ARN.fullmatch(principal)
    if found is None:
        if _ACCOUNT.fullmatch(principal):
            return Caller(CallerKind.ROOT, principal, "", principal)
        if _HOST.fullmatch(principal):
            return Caller(CallerKind.SERVICE, principal)
        raise ValueError(
            f"{principal!r} is not a valid principal: expected an IAM or STS ARN or a host"
        )
    partition, service, account, resource = found.groups()
    if service == "iam" and resource == "root":
        return Caller(CallerKind.ROOT, principal, partition, account)
    kind, _, name = resource.partition("/")
    caller = _IAM_KINDS.get((service, kind)) if name else None
    if caller is None:
        raise ValueError(
            f"{principal!r} is not a valid principal: {service} {kind!r} cannot make requests"
        )
    if caller is CallerKind.PROVIDER:
        return Caller(caller, principal, partition)
    role = _role_name(caller, name)
    linked = name.startswith("aws-service-role/" if caller is CallerKind.ROLE else _SERVICE_LINKED)
    linked = linked and caller is not CallerKind.USER
    return Caller(caller, principal, partition, account, role, linked)


_IAM_KINDS = {
    ("iam", "user"): CallerKind.USER,
    ("iam", "role"): CallerKind.ROLE,
    ("iam", "oidc-provider"): CallerKind.PROVIDER,
    ("iam", "saml-provider"): CallerKind.PROVIDER,
    ("sts", "assumed-role"): CallerKind.SESSION,
    ("sts", "federated-user"): CallerKind.FEDERATED,
}


def _role_name(kind: CallerKind, name: str) -> str:
    if kind is CallerKind.ROLE:
        return name.rpartition("/")[2]
    return name.partition("/")[0] if kind is CallerKind.SESSION else ""


_TYPES = {
    CallerKind.UNSIGNED: "Anonymous",
    CallerKind.ROOT: "Account",
    CallerKind.USER: "User",
    CallerKind.ROLE: "AssumedRole",
    CallerKind.SESSION: "AssumedRole",
    CallerKind.FEDERATED: "FederatedUser",
}


def principal_context(principal: str | None) -> dict[str, str]:
    """The condition keys that follow from the principal alone; ValueError if it is not valid.

    `aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:PrincipalType`, and `aws:username` for users.
    A session's ARN lacks the role's path, so the role's ARN is given without path.
    """
    caller = read_caller(principal)
    found: dict[str, str | None] = {
        "aws:PrincipalArn": caller.principal_arn,
        "aws:PrincipalAccount": caller.account,
        "aws:PrincipalType": _TYPES.get(caller.kind),
        "aws:username": caller.arn.rpartition("/")[2] if caller.kind is CallerKind.USER else None,
    }
    return {key: value for key, value in found.items() if value is not None}


class Naming(IntEnum):
    """How an element names a caller; higher is stronger.

    DIRECT (user, session, `*`) is not limited by the silence of a boundary or session policy, ROLE
    is, ACCOUNT only leaves the decision to that account's own policies.
    """

    NONE = 0
    ACCOUNT = 1
    ROLE = 2
    DIRECT = 3


@dataclass(frozen=True, slots=True)
class PrincipalSet:
    """A Principal or NotPrincipal element.

    `everyone` is `*` (also under AWS); `kinds` are those that `*` under another type stands for;
    `callers` are parsed ARNs and accounts; `others` are host names of services and
    providers. Deleted principals (`AIDA...`, `AROA...`) and canonical users name no caller that a
    request can have, so they are only kept in `texts`. `tests` are names with wildcards within.
    """

    negated: bool
    everyone: bool
    kinds: frozenset[CallerKind]
    callers: tuple[Caller, ...]
    others: frozenset[str]
    texts: tuple[str, ...]
    tests: tuple[Test, ...] = ()

    def naming(self, caller: Caller, role_arn: str | None, has_boundary: bool) -> Naming:
        """How the element, negated or not, names `caller`.

        `role_arn` is the role of a session with its path, when the request context tells it.
        """
        if not self.negated:
            return self._named(caller, role_arn)
        if has_boundary and caller.has_policies:
            return Naming.DIRECT
        return Naming.NONE if self._excepted(caller, role_arn) else Naming.DIRECT

    def _named(self, caller: Caller, role_arn: str | None) -> Naming:
        if self.everyone or caller.kind in self.kinds or caller.arn in self.others:
            return Naming.DIRECT
        if any(test(caller.arn) for test in self.tests):
            return Naming.DIRECT
        best = Naming.NONE
        for named in self.callers:
            best = max(best, _names(named, caller, role_arn))
        return best

    def _excepted(self, caller: Caller, role_arn: str | None) -> bool:
        """Whether NotPrincipal leaves `caller` out.

        AWS wants the account listed beside its user or role, and the role beside its session. So
        an account excepts all its principals, and a role all its sessions, only where none of
        them is listed by itself.
        """
        named = self._named(caller, role_arn)
        if named is Naming.ROLE and caller.kind is CallerKind.SESSION:
            return not any(
                each.kind is CallerKind.SESSION
                and (each.account, each.role) == (caller.account, caller.role)
                for each in self.callers
            )
        if named is Naming.ACCOUNT:
            return not any(
                each.account == caller.account and each.kind is not CallerKind.ROOT
                for each in self.callers
            )
        return named is not Naming.NONE


def _names(named: Caller, caller: Caller, role_arn: str | None) -> Naming:
    if named.arn == caller.arn:
        return Naming.ROLE if named.kind is CallerKind.ROLE else Naming.DIRECT
    if named.account is None or named.account != caller.account:
        return Naming.NONE
    if named.partition and caller.partition and named.partition != caller.partition:
        return Naming.NONE
    if named.kind is CallerKind.ROOT:
        return Naming.DIRECT if caller.kind is CallerKind.ROOT else Naming.ACCOUNT
    if named.kind is CallerKind.ROLE and caller.kind is CallerKind.SESSION:
        same = named.arn == role_arn if role_arn else named.role == caller.role
        return Naming.ROLE if same else Naming.NONE
    return Naming.NONE
