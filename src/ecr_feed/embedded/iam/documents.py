"""Policy documents as IAM keeps them: as typed, URL-encoded in answers, managed by AWS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote

from ecr_feed.embedded.protocol.moto_backend import managed_policy
from ecr_feed.embedded.protocol.wire import ServiceError
from ecr_feed.iam import PolicyError, parse

_PATH: Final = "/aws-managed/"


def _aws(partition: str) -> str:
    return f"arn:{partition}:iam::aws:policy/"


def _ours(account: str, partition: str) -> str:
    return f"arn:{partition}:iam::{account}:policy{_PATH}"


def stand_in(partition: str, arn: str) -> dict[str, str] | None:
    """CreatePolicy's fields for an AWS-managed policy; None where `arn` is not of one.

    An ARN of AWS's that names no policy is NoSuchEntity.
    """
    prefix = _aws(partition)
    if not arn.startswith(prefix):
        return None
    tail = arn.removeprefix(prefix)
    found = managed_policy(tail.rsplit("/", 1)[-1])
    if found is None or f"{found['Path']}{tail.rsplit('/', 1)[-1]}" != f"/{tail}":
        raise ServiceError(
            "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404
        )
    return {
        "PolicyName": tail.rsplit("/", 1)[-1],
        "Path": f"{_PATH}{found['Path'].lstrip('/')}",
        "PolicyDocument": json.dumps(found["Document"]),
    }


def to_stand_in(account: str, partition: str, arn: str) -> str:
    """AWS's ARN as the stand-in's."""
    return arn.replace(_aws(partition), _ours(account, partition), 1)


def from_stand_in(account: str, partition: str, value: Any) -> Any:
    """An answer in which stand-ins carry AWS's ARNs and paths again."""
    if isinstance(value, dict):
        return {k: from_stand_in(account, partition, v) for k, v in value.items()}
    if isinstance(value, list):
        return [from_stand_in(account, partition, item) for item in value]
    if not isinstance(value, str):
        return value
    if value.startswith(_PATH):
        return "/" + value.removeprefix(_PATH)
    return value.replace(_ours(account, partition), _aws(partition), 1)


_INLINE: Final = frozenset({"PutUserPolicy", "PutGroupPolicy", "PutRolePolicy"})
_NEWER: Final = "2012-10-17"


@dataclass(slots=True)
class Written:
    """The texts that were changed, by what they were changed to."""

    _originals: dict[str, str] = field(default_factory=dict)

    def storable(self, operation: str, text: str) -> str:
        """The document as moto takes it; the very text where it takes that."""
        try:
            found = json.loads(text, parse_int=str, parse_float=str)
            same = found == json.loads(text)
        except ValueError:
            return text  # no JSON: moto's to refuse
        version = found.get("Version")
        if operation in _INLINE and version != _NEWER:
            found["Version"] = _NEWER
        elif same:
            return text
        found["Id"] = f"as-written-{len(self._originals)}"
        changed = json.dumps(found)
        self._originals[changed] = text
        return changed

    def as_written(self, shown: Any) -> Any:
        """A document of an answer, URL-encoded as IAM sends it, in its writer's own words."""
        text = str(shown)
        plain = text if text.lstrip().startswith("{") else unquote(text)
        original = self._originals.get(plain)
        if original is not None:
            return quote(original)
        return quote(text) if plain is text else shown


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
