"""The condition context of a call: what AWS knows about caller, network, time and resource.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from ecr_feed.embedded.callers import Caller
from ecr_feed.embedded.environment import Environment

Context = dict[str, str | tuple[str, ...]]
_TYPES: Final = {
    "root": "Account",
    "user": "User",
    "role": "AssumedRole",
    "federated": "FederatedUser",
    "anonymous": "Anonymous",
}


def about_call(
    environment: Environment, caller: Caller, region: str, now: datetime, agent: str = ""
) -> Context:
    """Keys that every call has, whatever it acts on."""
    moment = now.astimezone(UTC)
    context: Context = {
        "aws:CurrentTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(moment.timestamp())),
        "aws:RequestedRegion": region,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        "aws:PrincipalType": _TYPES[caller.kind],
        "aws:PrincipalIsAWSService": "false",
        **_network(environment),
        **_principal(environment, caller),
    }
    if agent:
        context["aws:UserAgent"] = agent
    return context


def _network(environment: Environment) -> Context:
    """Through a VPC endpoint there is no public source address."""
    if not environment.vpce:
        return {"aws:SourceIp": environment.source_ip}
    found: Context = {"aws:SourceVpce": environment.vpce}
    if environment.vpc:
        found["aws:SourceVpc"] = environment.vpc
    return found


def _principal(environment: Environment, caller: Caller) -> Context:
    if not caller.account:
        return {}
    session = caller.session
    found: Context = {
        "aws:PrincipalArn": session.issuer if session else caller.arn,
        "aws:PrincipalAccount": caller.account,
        "aws:userid": caller.user_id,
    }
    if environment.organization:
        found["aws:PrincipalOrgID"] = environment.organization
    if caller.kind == "user":
        found["aws:username"] = caller.name
    if session:
        found["aws:TokenIssueTime"] = session.issued.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found["aws:MultiFactorAuthPresent"] = "false"
        found |= session.web
    return found


def tags(prefix: str, given: Mapping[str, str]) -> Context:
    """Tag keys, such as `aws:ResourceTag/team`."""
    return {f"{prefix}/{key}": value for key, value in given.items()}
