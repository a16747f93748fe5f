"""moto's IAM, and how it is made to answer as AWS does; the only module that uses moto.

One private name of moto is used, under one lock, with the state of one embedded AWS at a time; and
its list of partitions is widened.

`BotocoreStubber`, moto's handler of before-send, is called as botocore would call it: its inside
changes between patch releases (5.2.4 and 5.2.5 differ), its call does not.
tests/embedded/test_moto_contract.py holds moto to it. `mock_aws` is never started: it would patch
botocore and `requests` for the whole process, and every handler of its before-send event runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import RLock
from typing import Any, ClassVar, Final
from urllib.parse import quote, unquote, urlencode

from ecr_feed.embedded.protocol.botocore_data import global_region
from ecr_feed.embedded.protocol.wire import ServiceError

_HOST = "iam.amazonaws.com"


class MotoIam:
    """moto's IAM with accounts of its own.

    moto keeps its accounts in module globals. So that two cores of one process (a demo and a test)
    do not share users, each puts its own accounts in before it calls.
    """

    _lock: ClassVar[RLock] = RLock()
    _owner: ClassVar[MotoIam | None] = None

    def __init__(self) -> None:
        self._accounts: dict[str, Any] = {}

    def iam(self, account: str, partition: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Send one IAM call, already authorised, to moto. Returns status and XML."""
        from botocore.awsrequest import AWSPreparedRequest
        from moto.core.botocore_stubber import BotocoreStubber

        scope = f"Credential=moto/20200101/{global_region(partition)}/iam/aws4_request"
        headers = {
            "Host": _HOST,
            # moto reads the region, and so the partition, from the scope; nothing is signed.
            "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "x-moto-account-id": account,
        }
        body = urlencode(form).encode()
        request = AWSPreparedRequest("POST", f"https://{_HOST}/", headers, body, False)
        with self._lock, _no_account_override():
            _accept_partition_patterns()
            self._take_over()
            stubber = BotocoreStubber()
            stubber.enabled = True
            answer = stubber("before-send", request)
        return int(answer.status_code), bytes(answer.content)

    def _take_over(self) -> None:
        from moto.backends import get_backend

        owner = MotoIam._owner
        if owner is self:
            return
        accounts = get_backend("iam")
        if owner is not None:
            owner._accounts = dict(accounts.items())
        accounts.clear()
        accounts.update(self._accounts)
        MotoIam._owner = self


class _Partitions(list[str]):
    """moto's list of partitions, which takes a pattern too."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or bool({"*", "?"} & set(str(name)))


@cache
def _accept_partition_patterns() -> None:
    """Whether IAM refuses `arn:aws*:` is not documented; moto refuses it."""
    from moto.iam import policy_validation

    policy_validation.PARTITION_NAMES = _Partitions(policy_validation.PARTITION_NAMES)


@contextmanager
def _no_account_override() -> Iterator[None]:
    """Unset MOTO_ACCOUNT_ID, which overrides every other way to choose an account."""
    kept = os.environ.pop("MOTO_ACCOUNT_ID", None)
    try:
        yield
    finally:
        if kept is not None:
            os.environ["MOTO_ACCOUNT_ID"] = kept


@cache
def managed_policy(name: str) -> dict[str, Any] | None:
    """An AWS-managed policy from moto's copy: keys Document, Path, DefaultVersionId... or None.

    Read singly: loading all of them into a moto account takes a second.
    """
    from moto.iam.aws_managed_policies import aws_managed_policies_data as text

    start = text.find(f'\n "{name}":{{')
    if start < 0:
        return None
    found: dict[str, Any]
    found, _ = json.JSONDecoder().raw_decode(text, text.index("{", start))
    return found


_PATH: Final = "/aws-managed/"


def _aws(partition: str) -> str:
    return f"arn:{partition}:iam::aws:policy/"


def _ours(account: str, partition: str) -> str:
    return f"arn:{partition}:iam::{account}:policy{_PATH}"


def stand_in(partition: str, arn: str) -> dict[str, str] | None:
    """CreatePolicy's fields for an AWS-managed policy; None for any other ARN.

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
    """The stand-in's ARN for AWS's."""
    return arn.replace(_aws(partition), _ours(account, partition), 1)


def from_stand_in(account: str, partition: str, value: Any) -> Any:
    """An answer with AWS's ARNs and paths in place of the stand-ins'."""
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
class ChangedTexts:
    """The original texts of the policies that were changed for moto, by changed text."""

    _originals: dict[str, str] = field(default_factory=dict)

    def storable(self, operation: str, text: str) -> str:
        """The document in a form that moto accepts; unchanged if it is."""
        try:
            found = json.loads(text, parse_int=str, parse_float=str)
            same = found == json.loads(text)
        except ValueError:
            return text  # not JSON: moto refuses it
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
        """A document of an answer in its original text, URL-encoded as IAM sends it."""
        text = str(shown)
        plain = text if text.lstrip().startswith("{") else unquote(text)
        original = self._originals.get(plain)
        if original is not None:
            return quote(original)
        return quote(text) if plain is text else shown
