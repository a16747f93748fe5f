"""The fix for a fact that could not be read: one line for each kind of failure."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ecr_feed.facts.aws import Failure, Trouble
from ecr_feed.text.times import duration

_TELLING: Final = timedelta(minutes=1)  # less does not explain a refusal

_REMEDIES: Final = {
    Trouble.DENIED: "Allow {action} for the identity that runs this audit.",
    Trouble.REGION_OFF: "See REGION-2: {region} is not enabled for the account.",
    Trouble.LOGIN_REFUSED: "See LOGIN-1: the registry does not accept the token.",
    Trouble.UNKNOWN_KEY: "See IDENT-1 and REGION-2: AWS does not accept the key in {region}.",
    Trouble.EXPIRED: "Refresh the session's credentials and run again.",
    Trouble.SIGNATURE: "See IDENT-1: the secret does not belong to the key.",
    Trouble.CLOCK: "Set this machine's clock ({offset}), then run again.",
    Trouble.NO_CREDENTIALS: "Put the feed's credentials in the place that the feeds file names.",
    Trouble.THROTTLED: "AWS throttled every attempt: run again later. No policy needs changing.",
    Trouble.DNS: "Make {host} resolve here: check DNS, or the VPC endpoint's private DNS.",
    Trouble.REFUSED: "Allow outbound traffic to {host}: nothing answers, directly or by proxy.",
    Trouble.TLS: "Trust the certificate of {host}: if a proxy inspects TLS, set AWS_CA_BUNDLE.",
    Trouble.PROXY: "Check HTTPS_PROXY and NO_PROXY: the proxy did not pass the call to {host}.",
    Trouble.TIMEOUT: "Allow outbound traffic to {host}: no answer in time, directly or by proxy.",
    Trouble.RESET: "The connection to {host} was cut: run again, then check firewall and proxy.",
    Trouble.MALFORMED: "The answer from {host} is not from AWS's API: check endpoint and proxy.",
    Trouble.OTHER: "Read the service's message; run again if the service itself failed.",
    Trouble.NOT_FOUND: "Check the name: it does not exist in {region}.",
}

_BY_CODE: Final = {
    "UnknownRegion": "See REGION-1: set the feed's region to one that exists.",
    "OtherAccount": "Give [auditor] credentials of the feed's own account.",
    "OptInRequired": "Finish the account's activation, or enable {region} for it.",
    "TokenFile": "Put a new web identity token from Octopus into the feed's token_file.",
}
"""Codes with a fix of their own; UnknownRegion, OtherAccount and TokenFile are ours."""

_EXCHANGE: Final = {
    Trouble.NO_CREDENTIALS: "Compare the role's trust policy, and its MaxSessionDuration, with the "
    "feed: issuer, subject, audience, session_seconds.",
    Trouble.OTHER: "Put a new web identity token into the feed's token_file and run again.",
}
"""Fixes for a failed AssumeRoleWithWebIdentity call."""

_FEEDS_OWN: Final = frozenset(
    {
        "ecr:GetAuthorizationToken",
        "ecr:DescribeRepositories",
        "ecr:DescribeImages",
        "ecr:ListImages",
    }
)
"""The actions called with the feed's own credentials: a PERM rule reports the denial."""


def remedy(failure: Failure) -> str:
    """The next step for one failure, host and region filled in."""
    if failure.trouble is Trouble.DENIED and failure.action in _FEEDS_OWN:
        return f"Depends on {failure.action}, which the feed is denied: see its PERM rule."
    exchange = _EXCHANGE if failure.operation == "AssumeRoleWithWebIdentity" else {}
    text = exchange.get(failure.trouble) or _BY_CODE.get(failure.code)
    text = text or _REMEDIES[failure.trouble]
    return text.format(
        action=failure.action,
        region=failure.region,
        host=failure.host or "the endpoint",
        offset=_clock(failure.offset),
    )


def _clock(offset: timedelta | None) -> str:
    """How far this machine's clock is off, where it is known."""
    if offset is None or abs(offset) < _TELLING:
        return "clock offset unknown"
    return f"it is {duration(abs(offset))} {'fast' if offset > timedelta(0) else 'slow'}"
