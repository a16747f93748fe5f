"""`docker login`: the registry's challenge, and its replies to token and wrong password."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ecr_feed.facts.aws import Secret, Trouble
from ecr_feed.oci.registry_client import RegistryClient
from ecr_feed.oci.registry_errors import FailureReason
from ecr_feed.oci.registry_transport import RegistryError, Reply
from ecr_feed.oci.reply_checks import described, is_page, is_registry_root
from ecr_feed.oci.steps import (
    NOT_A_REGISTRY,
    REFUSALS,
    Login,
    Step,
    StepResult,
    StepState,
    step_failed,
    step_failed_with,
    step_not_made,
    step_succeeded,
)
from ecr_feed.text.times import clock_offset

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_GAP: Final = re.compile(r"[ \t,]*")
_SPACE: Final = re.compile(r"[ \t]*")
# token68 has to end the challenge, or `realm=x` would be read as one.
_TOKEN68: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))")
_PARAMETER: Final = re.compile(
    r"""([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*
        (?: "((?:[^"\\]|\\.)*)" | ([!#$%&'*+\-.^_`|~0-9A-Za-z:/]+) )
        (?=[ \t]*(?:,|$))""",
    re.VERBOSE,
)
_ESCAPED: Final = re.compile(r"\\(.)")


class ChallengeError(ValueError):
    """A header that is not a list of challenges; the text says at which position."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: `scheme` and the names of `parameters` in lower case, values as written."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    token68: str = ""


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Every challenge of one header value, or of several joined by commas.

    Raises `ChallengeError` for text that RFC 9110 does not allow, a repeated parameter included. An
    unquoted value may contain `:` and `/`, which the RFC forbids and some registries send.
    """
    found: list[Challenge] = []
    position = _skip(_GAP, header, 0)
    while position < len(header):
        scheme = _TOKEN.match(header, position)
        if scheme is None:
            raise ChallengeError(f"no scheme at position {position}")
        position = scheme.end()
        token68, parameters, position = _details(header, position)
        found.append(Challenge(scheme.group().lower(), parameters, token68))
        position = _skip(_GAP, header, position)
    return tuple(found)


def _details(header: str, position: int) -> tuple[str, dict[str, str], int]:
    """What follows a scheme: a token68, parameters, or nothing before the next challenge."""
    start = _skip(_SPACE, header, position)
    if start < len(header) and header[start] != "," and start == position:
        raise ChallengeError(f"no space after the scheme at position {position}")
    token68 = _TOKEN68.match(header, start)
    if token68 is not None:
        return token68.group(), {}, token68.end()
    parameters: dict[str, str] = {}
    while (one := _PARAMETER.match(header, _skip(_GAP, header, start))) is not None:
        name = one.group(1).lower()
        if name in parameters:
            raise ChallengeError(f"{name} is given twice")
        quoted = one.group(2)
        parameters[name] = one.group(3) if quoted is None else _ESCAPED.sub(r"\1", quoted)
        start = one.end()
    if not parameters and start < len(header) and header[start] != ",":
        raise ChallengeError(f"neither parameter nor challenge at position {start}")
    return "", parameters, start


def _skip(what: re.Pattern[str], text: str, position: int) -> int:
    """The position after a match of the pattern, or the same one without a match."""
    match = what.match(text, position)
    return position if match is None else match.end()


def log_in(client: RegistryClient) -> Login:
    """GET /v2/ without a login, with the login, and with an invented password: 3 requests."""
    host = client.origin.netloc
    challenge = _challenge(client)
    if challenge.state is not StepState.OK:
        not_made = (
            step_not_made(challenge, Step.LOGIN),
            step_not_made(challenge, Step.WRONG_PASSWORD),
        )
        return Login(host, challenge, *not_made)
    sent = client.network.now()
    login, date = _log_in_with_token(client)
    clock = clock_offset(date, sent, client.network.now())
    return Login(host, challenge, login, _log_in_with_wrong_password(client), clock)


def _challenge(client: RegistryClient) -> StepResult:
    """What the registry asks of a request without a login, which may be nothing."""
    step = Step.CHALLENGE
    try:
        reply = client.root(anonymous=True)
    except RegistryError as error:
        return (
            _read_challenge(client, error) if error.status == 401 else _refused(client, step, error)
        )
    return _accepted(client, step, reply, "asks for no login")


def _read_challenge(client: RegistryClient, error: RegistryError) -> StepResult:
    """The challenge of a 401: the login is sent for Basic only, the one scheme that ECR uses."""
    try:
        challenges = parse_challenges(error.headers.get("WWW-Authenticate", ""))
    except ChallengeError:
        reason = FailureReason(Trouble.MALFORMED, "its challenge cannot be read", "CHALLENGE")
        return step_failed(Step.CHALLENGE, reason, host=error.host, status=error.status)
    schemes = [client.clean(challenge.scheme) for challenge in challenges]
    if error.host != client.origin.netloc:
        return _strange(client, Step.CHALLENGE, error)
    if "basic" in schemes:
        return step_succeeded(
            Step.CHALLENGE, "asks for a Basic login", host=error.host, status=error.status
        )
    asked = " or ".join(schemes) or "an unnamed scheme"
    said = f"ECR asks for a Basic login, this registry for {asked}"
    return step_failed(
        Step.CHALLENGE,
        FailureReason(Trouble.OTHER, said, "CHALLENGE"),
        host=error.host,
        status=error.status,
    )


def _log_in_with_token(client: RegistryClient) -> tuple[StepResult, str]:
    """The result of the login with the token, and the response's Date header."""
    try:
        reply = client.root()
    except RegistryError as error:
        return _refused(client, Step.LOGIN, error), error.headers.get("Date", "")
    return _accepted(client, Step.LOGIN, reply, "accepted"), reply.headers.get("Date", "")


def _log_in_with_wrong_password(client: RegistryClient) -> StepResult:
    """A wrong password: if the registry accepts it, accepting the token proves nothing."""
    step = Step.WRONG_PASSWORD
    try:
        reply = client.root(Secret(secrets.token_urlsafe(32)))
    except RegistryError as error:
        # ECR's error for such a password is not documented: any refusal by a registry counts.
        refusal = error.reason.trouble in REFUSALS - {Trouble.NOT_FOUND}
        if (refusal or error.status in (400, 401, 403)) and _is_registrys(client, error):
            return step_succeeded(step, "refused", host=error.host, status=error.status)
        return _refused(client, step, error)
    accepted = _accepted(client, step, reply, "accepted")
    if not accepted.ok:
        return accepted
    reason = FailureReason(Trouble.OTHER, "an invented password was accepted", "ACCEPTED")
    return step_failed(step, reason, host=reply.host, status=reply.status)


def _accepted(client: RegistryClient, step: Step, reply: Reply, what: str) -> StepResult:
    """A success, which counts only if the registry itself gave it."""
    root = is_registry_root(reply.status, reply.headers, reply.body)
    if not root or reply.host != client.origin.netloc:
        return _strange(client, step, reply)
    return step_succeeded(step, what, host=reply.host, status=reply.status)


def _refused(client: RegistryClient, step: Step, error: RegistryError) -> StepResult:
    """A failure; a refusal counts only if the registry itself gave it. Every registry has /v2/."""
    redirect = error.reason.code == "REDIRECT"
    absent = error.reason.trouble is Trouble.NOT_FOUND
    refusal = error.reason.trouble in REFUSALS
    if absent or redirect or (refusal and not _is_registrys(client, error)):
        return _strange(client, step, error, error.reason.message if redirect else "")
    return step_failed_with(step, "", error)


def _is_registrys(client: RegistryClient, error: RegistryError) -> bool:
    """A registry's refusal: its version header, an error of its API, or a 401 with a challenge."""
    if error.host != client.origin.netloc or is_page(error.headers):
        return False
    return error.from_registry or (error.status == 401 and _is_challenged(error))


def _is_challenged(error: RegistryError) -> bool:
    try:
        challenges = parse_challenges(error.headers.get("WWW-Authenticate", ""))
    except ChallengeError:
        return False
    return any(challenge.scheme in ("basic", "bearer") for challenge in challenges)


def _strange(
    client: RegistryClient, step: Step, answer: Reply | RegistryError, more: str = ""
) -> StepResult:
    """An answer to GET /v2/ that is not a registry's: a captive portal's or a proxy's, say."""
    host = answer.host
    what = more or described(answer.status, answer.headers)
    said = client.clean(f"{what} from {host} is not a registry's answer")
    reason = FailureReason(Trouble.MALFORMED, said, NOT_A_REGISTRY)
    return step_failed(step, reason, host=host, status=answer.status)
