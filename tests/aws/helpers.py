"""Feeds and sessions for the tests of the AWS readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ecr_feed.aws.account import Account
from ecr_feed.aws.transport.backend import Backend, SigningKey
from ecr_feed.aws.transport.botosession import Settings
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import EnvCredentials, Feed, KeyCredentials, Package
from ecr_feed.facts.aws import Failure, ReadError, Secret
from tests.aws.fake import FakeAws

KEY = SigningKey("AKIAEXAMPLEEXAMPLE01", Secret("secret-of-the-feed"))
ENVIRON = {
    "T_AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE01",
    "T_AWS_SECRET_ACCESS_KEY": "secret-of-the-feed",
}


def embedded(fake: FakeAws, **settings: Any) -> Sessions:
    """Sessions whose every call the fake answers, in process."""
    backend = Backend(kind="embedded", answer=fake.answer, keys={"feed": KEY})
    return Sessions(backend=backend, settings=Settings(threads=8, **settings))


def over(url: str, **settings: Any) -> Sessions:
    """Sessions whose every call goes to the URL, with short timeouts."""
    quick = {"connect_timeout": 1.0, "read_timeout": 0.3, "threads": 4, **settings}
    return Sessions(backend=Backend(endpoint_url=url), settings=Settings(**quick), environ=ENVIRON)


def feed(*packages: str, region: str = "eu-west-1", **more: Any) -> Feed:
    """A feed with a labelled key; `credentials` and the rest by name."""
    more.setdefault("credentials", KeyCredentials(key="feed"))
    return Feed(
        name="Feed",
        region=region,
        packages=tuple(Package(id=name) for name in packages or ("team/app",)),
        **more,
    )


def env_feed(*packages: str, **more: Any) -> Feed:
    """A feed whose key is in the variables of `ENVIRON`."""
    return feed(*packages, credentials=EnvCredentials(env_prefix="T_"), **more)


def account(fake: FakeAws, *packages: str, **more: Any) -> Account:
    """The account of a feed, answered in process."""
    return Account(feed(*packages, **more), embedded(fake))


def failure_of(call: Any, *arguments: Any) -> Failure:
    """The failure that a call ends in."""
    try:
        call(*arguments)
    except ReadError as error:
        return error.failure
    raise AssertionError("no ReadError")


def home(path: Path, text: str, credentials: str = "") -> dict[str, str]:
    """AWS configuration files in a directory, and the variables that point there."""
    (path / "config").write_text(text)
    (path / "credentials").write_text(credentials)
    return {
        "AWS_CONFIG_FILE": str(path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(path / "credentials"),
    }


def assumed(operation: str, end: str = "2026-11-01T13:00:00Z") -> str:
    """STS's answer to an AssumeRole of some kind."""
    return (
        f"<{operation}Response><{operation}Result><Credentials>"
        "<AccessKeyId>ASIASESSIONSESSION01</AccessKeyId>"
        "<SecretAccessKey>x</SecretAccessKey><SessionToken>t</SessionToken>"
        f"<Expiration>{end}</Expiration></Credentials></{operation}Result>"
        f"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{operation}Response>"
    )
