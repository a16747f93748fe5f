"""Policy documents are judged when they are written, as the service does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ecr_feed.embedded.wire import ServiceError
from ecr_feed.iam import PolicyError, parse

# Operation -> the parameter that carries a document, and its kind.
_WRITES: Final[Mapping[str, tuple[str, str]]] = {
    "PutUserPolicy": ("PolicyDocument", "identity"),
    "PutGroupPolicy": ("PolicyDocument", "identity"),
    "PutRolePolicy": ("PolicyDocument", "identity"),
    "CreatePolicy": ("PolicyDocument", "identity"),
    "CreatePolicyVersion": ("PolicyDocument", "identity"),
    "CreateRole": ("AssumeRolePolicyDocument", "trust"),
    "UpdateAssumeRolePolicy": ("PolicyDocument", "trust"),
}


def check_written(operation: str, params: Mapping[str, Any]) -> None:
    """Raise MalformedPolicyDocument where IAM would refuse the document."""
    if operation in _WRITES:
        name, kind = _WRITES[operation]
        check_document(params[name], kind)


def check_document(text: str, kind: str) -> None:
    """Raise MalformedPolicyDocument for a text that is no policy of this kind."""
    try:
        parse(text, kind=kind)
    except PolicyError as error:
        raise ServiceError("MalformedPolicyDocument", f"Syntax errors in policy: {error}") from None
