"""Actions that can change permissions, and how.

Whether an action manages permissions at all is taken from the action data; the reasons, and the
few writes that escalate without being classed so, are knowledge of how IAM works (IAM User Guide,
"Actions, resources, and condition keys for IAM"; each name is checked against the data by a test).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ecr_feed.iam.actions import Action, Level

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
