"""What to do about a fact that could not be read: one line for each kind of failure."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ecr_feed.facts.aws import Failure, Trouble
from ecr_feed.permissions.needs import CALLED
from ecr_feed.text.times import duration

_RELEVANT_OFFSET: Final = timedelta(minutes=1)  # a smaller offset does not explain a refusal

_BY_TROUBLE: Final = {
    Trouble.DENIED: "Allow {action} for the identity that runs this audit.",
    Trouble.REGION_OFF: "See REGION-2: {region} is not enabled for the account.",
    Trouble.LOGIN_REFUSED: "See LOGIN-1: the registry does not accept the token.",
    Trouble.UNKNOWN_KEY: "See IDENT-1 and REGION-2: AWS does not accept the key in {region}.",
    Trouble.EXPIRED: "Refresh the session's credentials and run again.",
    Trouble.SIGNATURE: "See IDENT-1: AWS does not accept the feed's key.",
    Trouble.MALFORMED_KEY: "See IDENT-1: a field of the feed's key cannot be right.",
    Trouble.LOGIN_ENDED: "Run `{login}`, then run this again.",
    Trouble.CLOCK: "Set this machine's clock ({offset}), then run again.",
    Trouble.NO_CREDENTIALS: "Provide the credentials where the feeds file says they are.",
    Trouble.THROTTLED: "AWS throttled every attempt: run again later. No policy needs changing.",
    Trouble.DNS: "Make {host} resolve: check DNS, or the private DNS of the VPC endpoint.",
    Trouble.REFUSED: "Allow outbound HTTPS to {host}: the connection was refused.",
    Trouble.TLS: "Trust the CA of {host}: if a proxy inspects TLS, set AWS_CA_BUNDLE.",
    Trouble.PROXY: "Check HTTPS_PROXY and NO_PROXY: the proxy did not connect to {host}.",
    Trouble.TIMEOUT: "Allow outbound HTTPS to {host}: it did not respond in time.",
    Trouble.RESET: "Run again; if the connection to {host} fails again, check firewall and proxy.",
    Trouble.MALFORMED: "Check endpoint and proxy: the response from {host} is not from AWS's API.",
    Trouble.CONTRADICTION: "Run again: two answers contradict each other. A repository created or "
    "deleted during the run causes this too.",
    Trouble.OTHER: "Read the error message; run again if the service itself failed.",
    Trouble.NOT_FOUND: "Check the name: it does not exist in {region}.",
}

_BY_CODE: Final = {
    "UnknownRegion": "See REGION-1: set the feed's region to one that exists.",
    "OtherAccount": "Give [auditor] credentials of the feed's own account.",
    "CredentialsChanged": "Make the profile, process or role give one principal for the whole run, "
    "then run again.",
    "OptInRequired": "Finish the account's activation, or enable {region} for it.",
    "TokenFile": "Put a new web identity token from Octopus into the feed's token_file.",
}
"""Error codes with their own fix; all but OptInRequired are set by this suite."""

_ORGANIZATION: Final = (
    "Only the organisation's management account and its delegated administrators may read its "
    "policies: make the auditor's account one of them, or prove a pull by making it (--deep)."
)
_OF_AUDITOR: Final = {
    Trouble.UNKNOWN_KEY: "Give [auditor] a key that AWS accepts: this one is unknown, deleted or "
    "inactive.",
    Trouble.EXPIRED: "Refresh the auditor's session and run again.",
    Trouble.SIGNATURE: "Correct the auditor's secret access key: it does not belong to the access "
    "key ID.",
    Trouble.MALFORMED_KEY: "Correct the fields of the auditor's key that the message names.",
    Trouble.NO_CREDENTIALS: "Provide the auditor's credentials where [auditor] says they are.",
}
"""Fixes for the auditor's own credentials: no rule is about them."""

_EXCHANGE: Final = {
    Trouble.NO_CREDENTIALS: "Compare the role's trust policy, and its MaxSessionDuration, with the "
    "feed: issuer, subject, audience, session_seconds.",
    Trouble.OTHER: "Put a new web identity token into the feed's token_file and run again.",
}
"""Fixes for a failed AssumeRoleWithWebIdentity call."""


def fix_for(failure: Failure) -> str:
    """The next step for one failure, host and region filled in."""
    if failure.trouble is Trouble.DENIED and failure.action in CALLED:
        return f"Depends on {failure.action}, which the feed is denied: see its PERM rule."
    if failure.trouble is Trouble.DENIED and failure.service == "organizations":
        return _ORGANIZATION
    exchange = _EXCHANGE if failure.operation == "AssumeRoleWithWebIdentity" else {}
    auditors = _OF_AUDITOR if failure.by_auditor else {}
    text = exchange.get(failure.trouble) or _BY_CODE.get(failure.code)
    text = text or auditors.get(failure.trouble)
    text = text or _BY_TROUBLE[failure.trouble]
    return text.format(
        action=failure.action,
        region=failure.region,
        host=failure.host or "the endpoint",
        offset=_clock(failure.offset),
        login=failure.login or "aws sso login",
    )


def _clock(offset: timedelta | None) -> str:
    """How far this machine's clock is off, if known and relevant."""
    if offset is None or abs(offset) < _RELEVANT_OFFSET:
        return "clock offset unknown"
    return f"it is {duration(abs(offset))} {'fast' if offset > timedelta(0) else 'slow'}"
