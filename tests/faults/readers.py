"""Readers whose operation no rule of the matrix's feeds calls, judged by what they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ecr_feed.aws.document_reader import DocumentReader
from tests.faults.accounts import ACCOUNT

PROVIDER: Final = f"arn:aws:iam::{ACCOUNT}:oidc-provider/octopus.example.com"

READERS: Final[Mapping[str, Callable[[DocumentReader], object]]] = {
    "ecr:DescribeRepositoryCreationTemplates": lambda read: read.creation_templates(),
    "ecr:GetLifecyclePolicy": lambda read: read.lifecycle_policy("team/app"),
    "iam:GetOpenIDConnectProvider": lambda read: read.oidc_provider(PROVIDER),
    "iam:ListOpenIDConnectProviders": lambda read: read.oidc_providers(),
}

NOT_READ: Final[Mapping[str, str]] = {
    "iam:GetAccountSummary": "allowed for the quotas of policies; nothing reads it yet",
    "sts:AssumeRole": "made by botocore for a profile: see tests/aws/test_sessions.py",
    "sso:GetRoleCredentials": "made by botocore for a profile: see tests/aws/test_sessions.py",
    "sso-oidc:CreateToken": "made by botocore for a profile: see tests/aws/test_sessions.py",
    "signin:CreateOAuth2Token": "made by botocore for a profile: see tests/aws/test_sessions.py",
}
"""Operations of the allow list that no reader of ours calls, each with the reason."""
