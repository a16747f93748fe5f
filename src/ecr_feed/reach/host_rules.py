"""The REACH rules and the rule on the clock: which stage failed, and the fix. Pure."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Final

from ecr_feed.facts.aws import Failure, Trouble
from ecr_feed.findings import OutcomeWord
from ecr_feed.outcomes import Judgement
from ecr_feed.reach.probe import HostReach, Stage, StageResult
from ecr_feed.text.times import SKEW_LIMIT, ClockOffset, duration

_CA: Final = (
    "REQUESTS_CA_BUNDLE (this audit), AWS_CA_BUNDLE (AWS tools), the system's store (Docker)"
)


def judge_host(reach: HostReach) -> Judgement:
    """A TLS connection to the host is made; *not met* names the stage that failed.

    No request is sent, so what answers behind the certificate is not part of the judgement.
    """
    where = reach.where
    target = f"{where.host}:{where.port}"
    how = f"through the proxy {reach.via}" if reach.via else "directly"
    expected = f"{target} ({where.purpose.value}) accepts a TLS connection {how}"
    evidence = _evidence(reach)
    bad = reach.broken
    if bad is None:
        found = f"a certificate of {reach.issuer or 'an unnamed authority'} for {where.host}, {how}"
        message = f"{target} accepts a TLS connection {how}; no request was sent."
        return Judgement(OutcomeWord.MET, message, expected, found, evidence=evidence)
    found = f"{bad.stage.value}: {bad.what}"
    message = f"The host {target} ({where.purpose.value}) cannot be reached {how}: {found}."
    return Judgement(
        OutcomeWord.NOT_MET,
        message,
        expected,
        found,
        _fix(reach, bad),
        evidence,
        _failure(reach, bad),
    )


def judge_clock(offset: ClockOffset | None) -> Judgement:
    """This machine's clock is close enough to AWS's for signed requests."""
    expected = f"less than {duration(SKEW_LIMIT)} apart"
    if offset is None:
        message = "No answer had a date to compare this machine's clock with."
        return Judgement(OutcomeWord.NOT_ASSESSED, message, expected)
    # HTTP dates have whole seconds: a large offset is reported in minutes.
    unit = timedelta(minutes=1) if offset.too_much else timedelta(seconds=1)
    off = round(offset.offset / unit) * unit
    apart = f"{duration(abs(off))} {'ahead' if off > timedelta() else 'behind'}"
    found = apart if off else "less than a second apart"
    evidence: dict[str, object] = {
        "offset_seconds": round(offset.offset.total_seconds(), 1),
        "uncertainty_seconds": round(offset.uncertainty.total_seconds(), 1),
    }
    if not offset.too_much:
        message = f"This machine's clock agrees with AWS's: {found}."
        return Judgement(OutcomeWord.MET, message, expected, found, evidence=evidence)
    message = f"This machine's clock is {apart}: AWS may reject requests signed with it."
    fix = "Set this machine's clock and keep it synchronised (chrony, systemd-timesyncd, w32time)."
    return Judgement(OutcomeWord.NOT_MET, message, expected, found, fix, evidence)


def _evidence(reach: HostReach) -> dict[str, object]:
    found: dict[str, object] = {
        "host": reach.where.host,
        "purpose": reach.where.purpose.value,
        "via": reach.via or "direct",
        "stages": {stage.stage.value: stage.what for stage in reach.stages},
    }
    if reach.where.endpoint:
        found["vpc_endpoint"] = reach.where.endpoint
    if reach.addresses and all(_is_private(address) for address in reach.addresses):
        found["note"] = "The name resolves to private addresses: a VPC endpoint or a split DNS."
    return found


def _is_private(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_private
    except ValueError:
        return False


def _fix(reach: HostReach, bad: StageResult) -> str:
    where = reach.where
    target = f"{where.host}:{where.port}"
    if bad.stage is Stage.PROXY:
        return _proxy_fix(reach, bad)
    trouble = None if bad.failure is None else bad.failure.trouble
    if bad.stage is Stage.TLS and trouble is not Trouble.TLS:
        # No certificate was seen: there is none to trust.
        return f"Find out what ends TLS connections to {target}: a firewall, or a proxy in between."
    if bad.stage is Stage.TLS:
        return f"Trust the CA that signed the certificate of {where.host}: {_CA}."
    if bad.stage is Stage.DNS:
        first = f"Make {where.host} resolve on this machine"
    else:
        first = f"Allow outbound HTTPS to {target}: security group, firewall, route"
    if not where.endpoint:
        return f"{first}."
    if where.gateway:
        return f"{first}; without internet: gateway endpoint {where.endpoint} in the route table."
    return f"{first}; without internet: interface endpoint {where.endpoint} with private DNS."


def _proxy_fix(reach: HostReach, bad: StageResult) -> str:
    host = reach.where.host
    if bad.failure is not None and bad.failure.code == "407":
        login = f"http://USER:PASSWORD@{reach.via}"
        return f"Add the login to HTTPS_PROXY ({login}), or {host} to NO_PROXY."
    if bad.failure is not None and bad.failure.code:
        return f"Allow {host}:{reach.where.port} on the proxy {reach.via}, or add it to NO_PROXY."
    return f"Check HTTPS_PROXY ({reach.via or 'not readable'}), or add {host} to NO_PROXY."


def _failure(reach: HostReach, bad: StageResult) -> Failure | None:
    cause = bad.failure
    if cause is None:
        return None
    return Failure(
        cause.trouble,
        "reach",
        bad.stage.value,
        "",
        code=cause.code,
        message=cause.message,
        host=reach.where.host,
    )
