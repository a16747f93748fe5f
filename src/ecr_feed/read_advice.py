"""What a person does about a fact that could not be had: one line per kind of trouble."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ecr_feed.facts.aws import Failure, Trouble
from ecr_feed.token import duration

_TELLING: Final = timedelta(minutes=1)  # less explains no refusal

_REMEDIES: Final = {
    Trouble.DENIED: "Allow {action} to whoever runs this audit.",
    Trouble.REGION_OFF: "See REGION-2: {region} is not enabled for the account.",
    Trouble.LOGIN_REFUSED: "See LOGIN-1: the registry does not take the token.",
    Trouble.UNKNOWN_KEY: "See IDENT-1 and REGION-2: AWS does not know the key in {region}.",
    Trouble.EXPIRED: "Refresh the session's credentials and run again.",
    Trouble.SIGNATURE: "See IDENT-1: the secret does not belong to the key.",
    Trouble.CLOCK: "Set this machine's clock ({offset}), then run again.",
    Trouble.NO_CREDENTIALS: "Give the feed's credentials where the feeds file says they are.",
    Trouble.THROTTLED: "AWS throttled every attempt: run again later. No policy needs changing.",
    Trouble.DNS: "Resolve {host} from this machine: DNS, or the VPC endpoint's private DNS.",
    Trouble.REFUSED: "Open the way to {host}: nothing answers there, direct or through the proxy.",
    Trouble.TLS: "Trust the certificate of {host}: set AWS_CA_BUNDLE where a proxy re-signs.",
    Trouble.PROXY: "Check HTTPS_PROXY and NO_PROXY: the proxy did not pass the call to {host}.",
    Trouble.TIMEOUT: "Open the way to {host}: no answer in time, direct or through the proxy.",
    Trouble.RESET: "Something on the way to {host} cut the connection: run again, then look there.",
    Trouble.MALFORMED: "What answers for {host} is not AWS's API: check endpoint and proxy.",
    Trouble.OTHER: "Read the service's own words; run again if it was a fault of the service.",
    Trouble.NOT_FOUND: "Check the name: AWS knows no such thing in {region}.",
}

_BY_CODE: Final = {
    "UnknownRegion": "See REGION-1: set the feed's region to one that exists.",
    "OtherAccount": "Give [auditor] credentials of the feed's own account.",
    "OptInRequired": "Finish the account's activation, or enable {region} for it.",
    "TokenFile": "Put a fresh web identity token of Octopus's into the feed's token_file.",
}
"""Codes that say more than their trouble; those of the first two and of the token file are ours."""

_EXCHANGE: Final = {
    Trouble.NO_CREDENTIALS: "Compare the role's trust policy, and its MaxSessionDuration, with the "
    "feed: issuer, subject, audience, session_seconds.",
    Trouble.OTHER: "Put a fresh web identity token into the feed's token_file and run again.",
}
"""A web identity that STS did not exchange."""

_FEEDS_OWN: Final = frozenset(
    {
        "ecr:GetAuthorizationToken",
        "ecr:DescribeRepositories",
        "ecr:DescribeImages",
        "ecr:ListImages",
    }
)
"""The actions that the feed's own credentials are probed with: a PERM rule has the denial."""


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
    """How far this machine's clock is off, where anybody could tell."""
    if offset is None or abs(offset) < _TELLING:
        return "nobody said how far it is off"
    return f"it is {duration(abs(offset))} {'fast' if offset > timedelta(0) else 'slow'}"
