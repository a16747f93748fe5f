"""The one place that touches moto: one private name, under one lock, one core's state at a time.

`BotocoreStubber`, moto's handler of before-send, is called as botocore would call it: its inside
changes between patch releases (5.2.4 and 5.2.5 differ), how it is called has not.
tests/embedded/test_moto_contract.py holds moto to it. `mock_aws` is never started: it would patch
botocore and `requests` for the whole process, and every handler of its before-send event runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import RLock
from typing import Any, ClassVar
from urllib.parse import urlencode

from ecr_feed.embedded.core.regions import global_region

_HOST = "iam.amazonaws.com"


class Moto:
    """moto's IAM as one core's own.

    moto keeps its accounts in module globals. So that two cores of one process (a demo and a test)
    do not share users, each puts its own accounts in before it calls.
    """

    _lock: ClassVar[RLock] = RLock()
    _owner: ClassVar[Moto | None] = None

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
            self._take_over()
            stubber = BotocoreStubber()
            stubber.enabled = True
            answer = stubber("before-send", request)
        return int(answer.status_code), bytes(answer.content)

    def _take_over(self) -> None:
        from moto.backends import get_backend

        owner = Moto._owner
        if owner is self:
            return
        accounts = get_backend("iam")
        if owner is not None:
            owner._accounts = dict(accounts.items())
        accounts.clear()
        accounts.update(self._accounts)
        Moto._owner = self


@contextmanager
def _no_account_override() -> Iterator[None]:
    """MOTO_ACCOUNT_ID beats every other way to choose an account: out of the way while we call."""
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
