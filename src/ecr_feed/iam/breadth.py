"""What a set of policies grants beyond a feed's needs, privilege escalation included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ecr_feed.iam.actions import Action, Level
from ecr_feed.iam.patterns import covers
from ecr_feed.iam.possible_grants import Granted, PossibleGrants
from ecr_feed.iam.request import Policies
from ecr_feed.iam.smallest import Need
from ecr_feed.iam.statement import Statement, StatementRef
from ecr_feed.text.words import few, many

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "iam:PutUserPolicy": "writes a policy into a user",
        "iam:PutGroupPolicy": "writes a policy into a group",
        "iam:PutRolePolicy": "writes a policy into a role",
        "iam:AttachUserPolicy": "attaches any policy to a user",
        "iam:AttachGroupPolicy": "attaches any policy to a group",
        "iam:AttachRolePolicy": "attaches any policy to a role",
        "iam:CreatePolicyVersion": "replaces an attached policy's content",
        "iam:SetDefaultPolicyVersion": "brings back an older, wider version of a policy",
        "iam:UpdateAssumeRolePolicy": "changes who may assume a role",
        "iam:AddUserToGroup": "takes on a group's permissions",
        "iam:RemoveUserFromGroup": "drops the Deny statements of a group",
        "iam:CreateAccessKey": "makes keys for another user",
        "iam:UpdateAccessKey": "switches another user's keys on",
        "iam:CreateLoginProfile": "sets a console password for another user",
        "iam:UpdateLoginProfile": "changes another user's console password",
        "iam:PassRole": "hands a role to a service that then acts for it",
        "iam:CreateServiceSpecificCredential": "makes credentials for another user",
        "iam:ResetServiceSpecificCredential": "renews credentials of another user",
        "iam:UploadSigningCertificate": "adds a certificate that signs for another user",
        "iam:DeactivateMFADevice": "takes a second factor off another user",
        "iam:EnableMFADevice": "puts its own second factor on another user",
        "iam:AddRoleToInstanceProfile": "hands a role to an instance",
        "iam:CreateOpenIDConnectProvider": "trusts another issuer of identities",
        "iam:UpdateOpenIDConnectProviderThumbprint": "trusts another issuer's certificate",
        "iam:AddClientIDToOpenIDConnectProvider": "accepts tokens meant for others",
        "iam:CreateSAMLProvider": "trusts another issuer of identities",
        "iam:UpdateSAMLProvider": "trusts another issuer's certificate",
        "ecr:SetRepositoryPolicy": "grants itself anything on a repository",
        "ecr:PutRegistryPolicy": "grants itself anything in the registry",
    }
)
"""Why an action can widen permissions, by its name."""

_GENERAL = "manages permissions"


def escalates(action: Action) -> str:
    """Why an action can change what its caller may do; "" if it cannot."""
    reason = REASONS.get(action.full_name)
    if reason is not None:
        return reason
    managed = Level.PERMISSIONS in action.levels and action.service in ("iam", "ecr")
    return _GENERAL if managed else ""


_NEEDS_NO_PERMISSION = frozenset({"sts:getcalleridentity"})


class ActionGroup(StrEnum):
    """Actions beyond a feed's needs, by what they can do; worst first."""

    EVERYTHING = "everything"
    ESCALATION = "changes permissions"
    IAM = "IAM"
    ECR_WRITE = "writes to ECR"
    OTHER = "other services"
    ECR_READ = "reads more of ECR"


@dataclass(frozen=True, slots=True)
class Excess:
    """One action granted beyond the needs.

    `resources` are the patterns that reach too far; `conditional` says that each grant depends on
    conditions; `reason` tells how an action of the group ESCALATION widens permissions.
    """

    action: str
    group: ActionGroup
    resources: tuple[str, ...]
    statements: tuple[StatementRef, ...]
    conditional: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GroupExcess:
    """All excess of one group; never empty. Actions are sorted."""

    group: ActionGroup
    excess: tuple[Excess, ...]

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions' full names, sorted."""
        return tuple(each.action for each in self.excess)

    @property
    def services(self) -> tuple[str, ...]:
        """The services' prefixes, sorted."""
        return tuple(sorted({each.action.partition(":")[0] for each in self.excess}))

    @property
    def statements(self) -> tuple[StatementRef, ...]:
        """The statements that grant it, each once."""
        return tuple(dict.fromkeys(ref for each in self.excess for ref in each.statements))

    @property
    def summary(self) -> str:
        """One line: how many actions, and the first few."""
        names = self.actions
        return f"{self.group}: {many(len(names), 'action')} ({few(names, 3)})"


def breadth(policies: Policies, needs: Iterable[Need]) -> tuple[GroupExcess, ...]:
    """The excess by group, worst first, for what the identity may do beyond `needs`.

    Identity policies are read within boundary, session policy and SCPs; resource policies are not
    looked at. A need's resource may be a pattern. Empty when the identity has least privilege.
    """
    wanted: dict[str, list[str]] = {}
    for need in needs:
        wanted.setdefault(need.action.lower(), []).append(need.resource)
    found: dict[ActionGroup, list[Excess]] = {group: [] for group in ActionGroup}
    everything: dict[Statement, set[str]] = {}
    for action, granted in PossibleGrants(policies).actions():
        for each in filter(_is_everything, granted):
            everything.setdefault(each.statement, set()).add(action.service)
        extra = _beyond(action, granted, wanted)
        if extra:
            excess = _excess(action, extra)
            found[excess.group].append(excess)
    for statement, services in everything.items():
        if len(services) == 1:  # a Deny leaves nothing but one service's resources
            continue
        conditional = bool(statement.conditions)
        whole = Excess("*", ActionGroup.EVERYTHING, ("*",), (statement.ref,), conditional)
        found[ActionGroup.EVERYTHING].append(whole)
    return tuple(
        GroupExcess(group, tuple(sorted(excess, key=lambda each: each.action)))
        for group, excess in found.items()
        if excess
    )


def _is_everything(granted: Granted) -> bool:
    patterns = granted.statement.actions
    whole = not patterns.negated and any(each in ("*", "*:*") for each in patterns.patterns)
    return whole and granted.pattern == "*"


def _beyond(
    action: Action, granted: Sequence[Granted], wanted: Mapping[str, Sequence[str]]
) -> list[Granted]:
    """The grants that no need asks for."""
    name = action.full_name.lower()
    needed = wanted.get(name)
    if name in _NEEDS_NO_PERMISSION or (needed is not None and not action.resource_types):
        return []
    return [
        each for each in granted if not any(covers(need, each.pattern) for need in needed or ())
    ]


def _excess(action: Action, extra: Sequence[Granted]) -> Excess:
    reason = escalates(action)
    return Excess(
        action.full_name,
        ActionGroup.ESCALATION if reason else _group(action),
        tuple(sorted({each.pattern for each in extra})),
        tuple(dict.fromkeys(each.statement.ref for each in extra)),
        all(each.statement.conditions for each in extra),
        reason,
    )


def _group(action: Action) -> ActionGroup:
    if action.service == "iam":
        return ActionGroup.IAM
    if action.service != "ecr":
        return ActionGroup.OTHER
    return ActionGroup.ECR_WRITE if action.writes else ActionGroup.ECR_READ
