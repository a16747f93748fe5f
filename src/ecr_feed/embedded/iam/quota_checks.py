"""IAM's quotas on the embedded account: what a write may not exceed, and what the summary says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from ecr_feed.embedded.iam.iam_api import IamCall, forward
from ecr_feed.embedded.protocol.wire import Result, ServiceError
from ecr_feed.iam import PolicyQuotas, policy_size

_PUT: Final = {f"Put{kind}Policy": kind for kind in ("User", "Group", "Role")}
_ATTACH: Final = {f"Attach{kind}Policy": kind for kind in ("User", "Group", "Role")}


def account_summary(call: IamCall) -> Result:
    """Use and quotas of the account; the quotas that its owner had raised are in it."""
    answer = forward(call)
    return {"SummaryMap": {**answer["SummaryMap"], **call.world.quotas}}


def check_quotas(call: IamCall) -> None:
    """Raise LimitExceeded where the write would exceed a quota on policies."""
    operation, params = call.api_call.operation, call.params
    quotas = PolicyQuotas.of(call.world.quotas)
    if operation in _PUT:
        _check_inline(call, _PUT[operation], quotas)
    elif operation in ("CreatePolicy", "CreatePolicyVersion"):
        if policy_size(params["PolicyDocument"]) > quotas.managed:
            raise _exceeded(f"Cannot exceed quota for PolicySize: {quotas.managed}")
    elif operation in _ATTACH:
        _check_attached(call, _ATTACH[operation], quotas)


def _check_inline(call: IamCall, kind: str, quotas: PolicyQuotas) -> None:
    name, most = call.params[f"{kind}Name"], quotas.inline[kind.lower()]
    size = policy_size(call.params["PolicyDocument"])
    if size <= most:
        size += sum(policy_size(text) for text in _others(call, kind, call.params))
    if size > most:
        raise _exceeded(f"Maximum policy size of {most} bytes exceeded for {kind.lower()} {name}")


def _others(call: IamCall, kind: str, params: Mapping[str, Any]) -> list[str]:
    """The identity's other inline policies, as JSON text."""
    who = {f"{kind}Name": params[f"{kind}Name"]}
    ask, account = call.world.iam.ask, call.account
    names = ask(account, f"List{kind}Policies", who)["PolicyNames"]
    return [
        unquote(ask(account, f"Get{kind}Policy", {**who, "PolicyName": each})["PolicyDocument"])
        for each in names
        if each != params["PolicyName"]
    ]


def _check_attached(call: IamCall, kind: str, quotas: PolicyQuotas) -> None:
    who = {f"{kind}Name": call.params[f"{kind}Name"]}
    answer = call.world.iam.ask(call.account, f"ListAttached{kind}Policies", who)
    attached = {each["PolicyArn"] for each in answer["AttachedPolicies"]}
    most = quotas.attached[kind.lower()]
    if len(attached | {call.params["PolicyArn"]}) > most:
        raise _exceeded(f"Cannot exceed quota for PoliciesPer{kind}: {most}")


def _exceeded(text: str) -> ServiceError:
    return ServiceError("LimitExceeded", text, 409)
