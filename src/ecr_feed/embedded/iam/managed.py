"""AWS-managed policies, through stand-ins that moto keeps as the account's own.

A policy under the path `/aws-managed/` carries document and name; its ARN is exchanged for AWS's on
the way in and out, so no caller ever sees it.
"""

from __future__ import annotations

import json
from typing import Any, Final

from ecr_feed.embedded.moto_backend import managed_policy
from ecr_feed.embedded.wire import ServiceError

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
