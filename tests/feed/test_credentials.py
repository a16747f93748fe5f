"""IDENT-1: the cause of a refusal, in words, and a fix that mends it."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import pytest

from ecr_feed.config import (
    Credentials,
    EnvCredentials,
    Feed,
    OidcCredentials,
    Package,
    ProfileCredentials,
    WorkerCredentials,
)
from ecr_feed.facts.aws import Access, Failure, Identity, ReadError, Trouble
from ecr_feed.feed.credentials import judge_credentials
from ecr_feed.outcomes import Judgement

REGION = "eu-west-1"
KEY = EnvCredentials(env_prefix="F_")
PROFILE = ProfileCredentials(profile="octopus")
WORKER = WorkerCredentials(worker=True)
ROLE = OidcCredentials(
    role_arn="arn:aws:iam::123456789012:role/ci/feed",
    audience="sts.amazonaws.com",
    subject="space:default:feed:ecr",
    session_seconds=14400,
)
LONG = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."


def judged(
    credentials: Credentials,
    trouble: Trouble,
    code: str = "",
    message: str = "",
    *,
    operation: str = "GetCallerIdentity",
    on_worker: bool = False,
    longest: int | None = None,
) -> Judgement:
    feed = Feed(
        name="F", region=REGION, packages=(Package(id="team/app"),), credentials=credentials
    )
    failure = Failure(trouble, "sts", operation, REGION, code=code, message=message)
    limit = None if longest is None else timedelta(seconds=longest)
    return judge_credentials(
        feed, Access(None, None, failure), on_worker=on_worker, longest_session=lambda: limit
    )


class Case(NamedTuple):
    """`code` and `message` are AWS's; `says` must be in the finding, `never` must not."""

    credentials: Credentials
    trouble: Trouble
    code: str
    message: str
    says: tuple[str, ...]
    never: tuple[str, ...] = ()
    longest: int | None = None


EXCHANGE = {
    "no provider": Case(
        ROLE,
        Trouble.NO_CREDENTIALS,
        "InvalidIdentityToken",
        "No OpenIDConnect provider found in your account for https://octopus.example.com/",
        ("no OIDC provider", "account 123456789012", "https://octopus.example.com/"),
        ("trust policy", "access key"),
    ),
    "audience": Case(
        ROLE,
        Trouble.NO_CREDENTIALS,
        "InvalidIdentityToken",
        "Incorrect token audience",
        ("audience 'sts.amazonaws.com'", "Add sts.amazonaws.com to the provider"),
        ("trust policy", "access key"),
    ),
    "trust": Case(
        ROLE,
        Trouble.NO_CREDENTIALS,
        "AccessDenied",
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ("trust policy", "space:default:feed:ecr", "role/ci/feed"),
        ("access key", "MaxSessionDuration"),
    ),
    "too long, both numbers": Case(
        ROLE,
        Trouble.NO_CREDENTIALS,
        "ValidationError",
        LONG,
        ("14400 s", "3600 s", "aws iam update-role --role-name feed --max-session-duration 14400"),
        ("trust policy", "access key"),
        longest=3600,
    ),
    "too long, no auditor": Case(
        ROLE, Trouble.NO_CREDENTIALS, "ValidationError", LONG, ("14400 s",), ("3600", "None")
    ),
    "something else": Case(
        ROLE, Trouble.NO_CREDENTIALS, "IDPRejectedClaim", "claims", ("refuses the web",), ("key",)
    ),
}
OTHERS = {
    "unknown key": Case(
        KEY,
        Trouble.UNKNOWN_KEY,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
        ("unknown, deleted or inactive",),
    ),
    "wrong secret": Case(
        KEY,
        Trouble.SIGNATURE,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match",
        ("secret access key does not belong", "both key fields"),
        ("new access key", "unknown, deleted"),
    ),
    "ended session": Case(
        KEY,
        Trouble.EXPIRED,
        "ExpiredToken",
        "expired",
        ("session has ended", "AKIA"),
        ("inactive",),
    ),
    "malformed": Case(
        KEY,
        Trouble.MALFORMED_KEY,
        "",
        "F_AWS_SECRET_ACCESS_KEY has quotes around it (seen before any call)",
        ("F_AWS_SECRET_ACCESS_KEY has quotes", "No new key is needed"),
        ("AWS refuses", "inactive"),
    ),
}


@pytest.mark.parametrize("case", [*EXCHANGE.values(), *OTHERS.values()])
def test_a_refusal_names_its_cause(case: Case) -> None:
    operation = "AssumeRoleWithWebIdentity" if case in EXCHANGE.values() else "GetCallerIdentity"
    judgement = judged(
        case.credentials,
        case.trouble,
        case.code,
        case.message,
        operation=operation,
        longest=case.longest,
    )
    assert judgement.outcome == "not met"
    text = f"{judgement.message} {judgement.found} {judgement.fix}"
    assert [each for each in case.says if each not in text] == []
    assert [each for each in case.never if each in text] == []


@pytest.mark.parametrize(
    ("credentials", "trouble", "code"),
    [
        (PROFILE, Trouble.LOGIN_ENDED, ""),
        (PROFILE, Trouble.NO_CREDENTIALS, ""),
        (PROFILE, Trouble.EXPIRED, ""),  # said by a process that gives credentials
        (WORKER, Trouble.NO_CREDENTIALS, ""),
        (ROLE, Trouble.NO_CREDENTIALS, ""),
        (KEY, Trouble.THROTTLED, "Throttling"),
        (KEY, Trouble.CLOCK, "RequestExpired"),
        (KEY, Trouble.DNS, ""),
    ],
)
def test_what_aws_was_not_asked_or_did_not_answer_is_not_assessed(
    credentials: Credentials, trouble: Trouble, code: str
) -> None:
    with pytest.raises(ReadError):
        judged(credentials, trouble, code)


def test_on_the_worker_its_own_credentials_are_expected() -> None:
    assert judged(WORKER, Trouble.NO_CREDENTIALS, on_worker=True).outcome == "not met"


def test_a_refusal_in_one_region_is_no_refusal_of_the_key() -> None:
    feed = Feed(name="F", region=REGION, packages=(Package(id="a/b"),), credentials=KEY)
    who = Identity("arn:aws:iam::123456789012:user/octopus", "123456789012")
    failure = Failure(Trouble.UNKNOWN_KEY, "sts", "GetCallerIdentity", REGION, code="X")
    access = Access(who, False, failure, "us-east-1")
    said = judge_credentials(feed, access, on_worker=False, longest_session=lambda: None)
    assert (said.outcome, who.arn in str(said.found)) == ("met", True)
