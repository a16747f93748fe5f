"""Which user or role of a plan the feed is, and the credentials that a feed with it has."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ecr_feed.config.credentials import WORKERS_KEY
from ecr_feed.embedded.seeding.account_file import AccountError
from ecr_feed.planned.terraform.identities import Identities
from ecr_feed.planned.terraform.principals import FileTable, PlannedPrincipal
from ecr_feed.planned.terraform.scope import may_be_one
from ecr_feed.planned.terraform.trust import TrustKind

LABEL = "feed"
_LISTED = 20  # candidates that a message names
_NO_HOLD = (
    "an ECR feed holds an access key, or uses a worker's own role or a web identity (OIDC); it "
    "has no field for a role that another user or role assumes"
)


_ACTIVE: Final = "active"


@dataclass(slots=True)
class Choice:
    """The feed's identity, with the `credentials` of its feed and what was assumed."""

    principal: PlannedPrincipal
    credentials: FileTable
    assumed: list[str]

    def stated(self, account: str, partition: str) -> FileTable:
        """What the plan states of the identity; the keys are those of `PlanFacts`."""
        principal = self.principal
        return {
            "principal": principal.arn(account, partition),
            "identity": principal.name if principal.named else "",
            "identity_tags": principal.tags_known,
            "console_password": bool(principal.table.get("console_password")),
        }


def choose(found: Identities, home: str, wanted: str, source: str) -> Choice:
    """The user or role named by address or IAM name, else the only one that a feed can be.

    Without a name: the one user with a planned access key, else the only user, else the only role
    whose trust fits a feed. Raises AccountError, which lists those to choose from.
    """
    possible = (each for each in found.principals if may_be_one(each.place, home))
    here = [each for each in possible if each.kind != "group"]
    if not here:
        _refuse_elsewhere([each for each in found.principals if each.kind != "group"], home, source)
    keyed = _keyed(found)
    at_home = [each for each in here if each.place == home]
    principal = (
        _wanted(here, wanted, source)
        if wanted
        else _only_one(at_home if any(map(_fits, at_home)) else here, set(keyed), source)
    )
    if principal.place != home:
        found.open.add(
            f"{principal.key}: its provider is not that of the repositories, and whether both are "
            "of one account is known only after apply.",
            f"kind of {principal.key}",
        )
    if keyed.get(principal.key, _ACTIVE) != _ACTIVE:
        found.open.add(
            f"{principal.key}: its planned access key is inactive, so AWS would refuse the feed.",
            f"kind of {principal.key}",
        )
    if principal.kind == "user":
        return _user(principal, keyed, here, named=bool(wanted))
    return _role(found, principal, source)


def _refuse_elsewhere(elsewhere: list[PlannedPrincipal], home: str, source: str) -> None:
    """Raise where all users and roles are of other accounts than the repositories."""
    if elsewhere:
        accounts = ", ".join(sorted({each.place for each in elsewhere}))
        raise AccountError(
            f"{source}: the plan's repositories are in account {home}, its users and roles in "
            f"{accounts}: {_listed(elsewhere)}. A feed has the registry of its identity's own "
            f"account: plan an identity in {home}, or the repositories in the identity's account."
        )


def _fits(principal: PlannedPrincipal) -> bool:
    """A user, or a role that a feed can have."""
    return principal.trust is None or principal.trust.kind.fits_a_feed


def _wanted(here: list[PlannedPrincipal], wanted: str, source: str) -> PlannedPrincipal:
    groups = (
        [each for each in here if each.key == wanted],
        [each for each in here if each.key == f"{wanted} (forgotten)"],
        [each for each in here if each.named and each.name == wanted],
        [each for each in here if each.named and each.name.lower() == wanted.lower()],
        [each for each in here if each.key.startswith(f"{wanted}[")],
    )
    matching = next(filter(None, groups), [])
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise AccountError(
            f"{source}: --identity {wanted} fits {len(matching)} of the plan's users and roles: "
            f"{_listed(matching)}. Give the address of one: {_example(matching)}."
        )
    known = [each.key for each in here] + [each.name for each in here if each.named]
    near = difflib.get_close_matches(wanted, known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise AccountError(
        f"{source}: the plan has no user or role {wanted!r} in the feed's account.{hint} It has: "
        f"{_listed(here) or 'none'}."
    )


def _only_one(here: list[PlannedPrincipal], keyed: set[str], source: str) -> PlannedPrincipal:
    users = [each for each in here if each.kind == "user"]
    roles = [each for each in here if each.kind == "role"]
    fitting = [each for each in roles if _fits(each)]
    for candidates in ([each for each in users if each.key in keyed], users, fitting):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise AccountError(
                f"{source}: cannot choose a user or role as the feed's identity. Name the one that "
                f"the feed will use with --identity, by address or IAM name, such as "
                f"{_example(candidates)}. The plan has: {_listed(users + fitting)}."
            )
    if roles:
        raise AccountError(
            f"{source}: no role of the plan fits a feed: {_NO_HOLD}. The plan has: "
            f"{_listed(roles)}. Trust a service such as ec2.amazonaws.com or Octopus's OIDC "
            "provider, or add an aws_iam_user."
        )
    raise AccountError(
        f"{source}: cannot choose a user or role as the feed's identity: the plan has none. Add "
        "the aws_iam_user or aws_iam_role of the feed to the plan (then --identity ADDRESS names "
        "it if there are more), or judge its policies alone with --policy FILE."
    )


def _user(
    principal: PlannedPrincipal,
    keyed: dict[str, str],
    here: list[PlannedPrincipal],
    *,
    named: bool,
) -> Choice:
    assumed = []
    if not named and (others := [each for each in here if each is not principal]):
        assumed.append(
            f"{principal.shown} is taken to be the feed's identity; --identity names another: "
            f"{_listed(others)}."
        )
    assumed += [
        f"{each.shown} is not judged: {_NO_HOLD}."
        for each in here
        if each.trust is not None and each.trust.kind is TrustKind.ASSUMED
    ]
    if principal.key not in keyed:
        shown = principal.name if principal.named else principal.key
        assumed.append(f"No access key is planned for {shown!r}: it is assessed as if it had one.")
    principal.table["keys"] = [{"label": LABEL, "status": keyed.get(principal.key, _ACTIVE)}]
    return Choice(principal, {"key": LABEL}, assumed)


def _role(found: Identities, principal: PlannedPrincipal, source: str) -> Choice:
    trust = principal.trust
    kind = TrustKind.UNKNOWN if trust is None else trust.kind
    if trust is None or not kind.fits_a_feed:
        raise AccountError(
            f"{source}: {principal.shown} cannot be a feed's identity: {_NO_HOLD}. Let its trust "
            "name a service such as ec2.amazonaws.com (a worker's role) or Octopus's OIDC "
            "provider, or give another with --identity."
        )
    assumed = []
    if kind is TrustKind.UNKNOWN:
        found.open.add(
            f"{principal.key}: its trust is known only after apply, so whether a worker or a web "
            "identity (OIDC) can use the role is not known.",
            f"kind of {principal.key}",
        )
    elif trust.doubt:
        found.open.add(
            f"{principal.key}: {trust.doubt}, so whether a feed can have the role is not known.",
            f"kind of {principal.key}",
        )
    elif len(trust.kinds) > 1:
        assumed.append(f"{principal.shown}: judged as {kind}.")
    if kind is TrustKind.WEB_IDENTITY:
        return Choice(principal, _web_identity(found, principal), assumed)
    # The session that a worker's machine has.
    principal.table["keys"] = [{"label": WORKERS_KEY}]
    return Choice(principal, {"worker": True}, assumed)


def _web_identity(found: Identities, principal: PlannedPrincipal) -> FileTable:
    scope, trust = found.policies.scope, principal.trust
    arn = principal.arn(scope.account, scope.partition)
    audience = "" if trust is None else trust.audience
    subject = "" if trust is None else trust.subject
    return {
        "role_arn": arn,
        "audience": audience or "any that the OIDC provider accepts",
        **({"subject": subject} if subject else {}),
    }


def _keyed(found: Identities) -> dict[str, str]:
    """The addresses of users with a planned access key, and its status."""
    status: dict[str, str] = {}
    plan = found.policies.plan
    for each in plan.of("aws_iam_access_key"):
        if each.text("user"):
            users = [user.key for user in found.named(each, "user", "user", one=True)]
        else:
            users = [t.address for t in plan.targets(each, plan.expression(each, "user"))]
        for key in users:
            if status.get(key) != _ACTIVE:
                status[key] = (each.text("status") or "Active").lower()
    return status


def _listed(principals: Iterable[PlannedPrincipal]) -> str:
    shown = [each.shown for each in principals]
    more = f", and {len(shown) - _LISTED} more" if len(shown) > _LISTED else ""
    return ", ".join(shown[:_LISTED]) + more


def _example(principals: list[PlannedPrincipal]) -> str:
    """The option for the first of them, as a shell takes it."""
    first = principals[0]
    return f"`--identity {shlex.quote(first.key if _is_address(first) else first.name)}`"


def _is_address(principal: PlannedPrincipal) -> bool:
    return not principal.key.startswith("the ")
