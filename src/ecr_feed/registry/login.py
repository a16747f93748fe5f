"""`docker login`, and the control that makes its success mean something."""

from __future__ import annotations

import secrets

from ecr_feed.facts import Secret, Trouble
from ecr_feed.registry.challenge import ChallengeError, parse_challenges
from ecr_feed.registry.client import Client
from ecr_feed.registry.clock import clock_offset
from ecr_feed.registry.outcome import REFUSALS, after, broken, ended, held
from ecr_feed.registry.steps import Login, State, Step, StepResult
from ecr_feed.registry.transport import RegistryError
from ecr_feed.registry.trouble import Cause


def log_in(client: Client) -> Login:
    """GET /v2/ as a stranger, with the login, with a password made up here: 3 requests."""
    host = client.origin.netloc
    challenge = _challenge(client)
    if challenge.state is not State.OK:
        unasked = after(challenge, Step.LOGIN), after(challenge, Step.WRONG_PASSWORD)
        return Login(host, challenge, *unasked)
    sent = client.network.now()
    accepted, date = _accepted(client)
    clock = clock_offset(date, sent, client.network.now())
    return Login(host, challenge, accepted, _control(client), clock)


def _challenge(client: Client) -> StepResult:
    """What the registry asks of a stranger. One that asks nothing is left to the control."""
    try:
        reply = client.root(anonymous=True)
    except RegistryError as error:
        return _asked(client, error) if error.status == 401 else ended(Step.CHALLENGE, "", error)
    return held(Step.CHALLENGE, "asks for no login", host=reply.host, status=reply.status)


def _asked(client: Client, error: RegistryError) -> StepResult:
    """The challenge of a 401: the login goes out to Basic alone, which is all that ECR offers."""
    try:
        challenges = parse_challenges(error.headers.get("WWW-Authenticate", ""))
    except ChallengeError:
        cause = Cause(Trouble.MALFORMED, "its challenge cannot be read", "CHALLENGE")
        return broken(Step.CHALLENGE, cause, host=error.host, status=error.status)
    schemes = [client.clean(challenge.scheme) for challenge in challenges]
    if "basic" in schemes:
        return held(Step.CHALLENGE, "asks for a Basic login", host=error.host, status=error.status)
    asked = " or ".join(schemes) or "an unnamed scheme"
    said = f"ECR asks for a Basic login, this registry for {asked}"
    return broken(
        Step.CHALLENGE,
        Cause(Trouble.OTHER, said, "CHALLENGE"),
        host=error.host,
        status=error.status,
    )


def _accepted(client: Client) -> tuple[StepResult, str]:
    """The login with the token, and the answer's Date."""
    try:
        reply = client.root()
    except RegistryError as error:
        return ended(Step.LOGIN, "", error), error.headers.get("Date", "")
    date = reply.headers.get("Date", "")
    return held(Step.LOGIN, "accepted", host=reply.host, status=reply.status), date


def _control(client: Client) -> StepResult:
    """A registry that takes any password proves nothing by taking the token."""
    step = Step.WRONG_PASSWORD
    try:
        reply = client.root(Secret(secrets.token_urlsafe(32)))
    except RegistryError as error:
        # What it says to a password of no known form is not documented: any refusal will do.
        if error.cause.trouble in REFUSALS or error.status in (400, 401, 403):
            return held(step, "refused", host=error.host, status=error.status)
        return ended(step, "", error)
    cause = Cause(Trouble.OTHER, "an invented password was accepted", "ACCEPTED")
    return broken(step, cause, host=reply.host, status=reply.status)
