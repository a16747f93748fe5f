from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecr_feed import __version__
from ecr_feed.aws.readers.identity import IdentityReader
from ecr_feed.aws.transport.backend import Backend
from ecr_feed.aws.transport.botosession import Settings, utc
from ecr_feed.aws.transport.credential_sessions import missing_profiles
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import (
    Credentials,
    EnvCredentials,
    KeyCredentials,
    ProfileCredentials,
    Suite,
    WorkerCredentials,
)
from ecr_feed.facts.aws import Trouble
from tests.aws.fake import ACCOUNT, FakeAws, Reply, ok, over_http, query_fault, served
from tests.aws.helpers import ENVIRON, assumed, embedded, failure_of, feed, home

REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/octopus"


@pytest.fixture(autouse=True)
def no_ambient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in home(tmp_path, "").items():
        monkeypatch.setenv(name, value)


def keys_seen(fake: FakeAws) -> list[str]:
    return [asked.key for asked in fake.seen]


def identity_with(fake: FakeAws, credentials: Credentials) -> str:
    """Who the calls were signed as, over HTTP, with the endpoint from the environment."""
    sessions = Sessions(environ=ENVIRON, settings=Settings(read_timeout=2.0))
    return IdentityReader(sessions, credentials).identity(REGION).source


def test_every_client_states_its_configuration() -> None:
    sessions = Sessions(environ=ENVIRON, settings=Settings(threads=8))
    session = sessions.new_session(REGION)
    session.set_credentials("AKIAEXAMPLEEXAMPLE01", "secret")
    config = session.create_client("ecr", region_name=REGION).meta.config
    assert config.retries == {"mode": "adaptive", "total_max_attempts": 10}
    assert (config.connect_timeout, config.read_timeout) == (5.0, 15.0)
    assert config.max_pool_connections == 10
    assert f"ecr-feed-checks/{__version__}" in config.user_agent_extra


def test_the_default_is_48_threads() -> None:
    assert Sessions().threads == 48


def test_one_client_per_credentials_service_and_region() -> None:
    sessions = embedded(FakeAws())
    credentials = KeyCredentials(key="feed")
    client = sessions.client(credentials, "ecr", REGION)
    assert sessions.client(credentials, "ecr", REGION) is client
    assert sessions.client(credentials, "ecr", "us-east-1") is not client


def test_each_call_is_recorded_with_its_attempts_and_request_id() -> None:
    fake = FakeAws({"team/app": 1})
    sessions = embedded(fake)
    sessions.client(KeyCredentials(key="feed"), "ecr", REGION).call("DescribeRepositories")
    (call,) = sessions.log.drain()
    assert (call.service, call.operation, call.region) == ("ecr", "DescribeRepositories", REGION)
    assert (call.status, call.attempts, call.request_id, call.code) == (200, 1, "req-1", "")
    assert call.latency >= 0
    assert sessions.log.drain() == []


@pytest.mark.parametrize("date", [{}, {"date": ""}, {"date": "Thu, 01 Jan 1970 00:00:00 GMT"}])
def test_a_response_without_a_usable_date_gives_no_clock_offset(date: dict[str, str]) -> None:
    fake = FakeAws(replies={"ListImages": lambda _: ok({"imageIds": []}, **date)})
    sessions = embedded(fake)
    client = sessions.client(KeyCredentials(key="feed"), "ecr", REGION)
    client.call("ListImages", repositoryName="team/app")
    assert len(sessions.log.peek()) == 1
    assert sessions.log.clock_offset() is None


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"])
def test_the_endpoint_comes_from_the_environment(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeAws()
    with served(over_http(fake)) as url:
        monkeypatch.setenv(variable, url)
        assert identity_with(fake, EnvCredentials(env_prefix="T_")) == "variables T_AWS_*"
    assert keys_seen(fake) == ["AKIAEXAMPLEEXAMPLE01"]


def test_a_profile_with_its_own_endpoint_beats_keys_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeAws()
    with served(over_http(fake)) as url:
        home(
            tmp_path,
            "[profile octopus]\nservices = here\naws_access_key_id = AKIAPROFILEPROFILE01\n"
            f"aws_secret_access_key = x\n[services here]\nsts =\n  endpoint_url = {url}\n",
        )
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENTAMBIENT01")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
        source = identity_with(fake, ProfileCredentials(profile="octopus"))
    assert source == "profile octopus (config-file)"
    assert keys_seen(fake) == ["AKIAPROFILEPROFILE01"]


def test_a_profile_without_keys_takes_nothing_from_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home(tmp_path, "[profile octopus]\nregion = eu-west-1\n")
    fake = FakeAws()
    with served(over_http(fake)) as url:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        who = IdentityReader(
            Sessions(backend=Backend(endpoint_url=url)), ProfileCredentials(profile="octopus")
        )
        failure = failure_of(who.identity, REGION)
    assert failure.trouble == Trouble.NO_CREDENTIALS
    assert "profile octopus names no key" in failure.message
    assert not fake.seen


def test_variables_with_a_prefix_do_not_need_aws_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    fake = FakeAws()
    with served(over_http(fake)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        identity_with(fake, EnvCredentials(env_prefix="T_"))
    assert keys_seen(fake) == ["AKIAEXAMPLEEXAMPLE01"]


def test_missing_variables_are_named() -> None:
    sessions = Sessions(environ={"X_AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE01"})
    failure = failure_of(sessions.client, EnvCredentials(env_prefix="X_"), "sts", REGION)
    assert failure.trouble == Trouble.NO_CREDENTIALS
    assert "X_AWS_SECRET_ACCESS_KEY" in failure.message


def test_the_worker_uses_the_machines_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENTAMBIENT01")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    fake = FakeAws()
    with served(over_http(fake)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        source = identity_with(fake, WorkerCredentials(worker=True))
    assert keys_seen(fake) == ["AKIAAMBIENTAMBIENT01"]
    assert source.endswith("(env)")


def test_a_worker_without_credentials() -> None:
    failure = failure_of(
        IdentityReader(Sessions(), WorkerCredentials(worker=True)).identity, REGION
    )
    assert failure.trouble == Trouble.NO_CREDENTIALS
    assert "AWS_EC2_METADATA_DISABLED" in failure.message


def test_a_worker_in_a_container_that_metadata_does_not_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
    failure = failure_of(
        IdentityReader(Sessions(), WorkerCredentials(worker=True)).identity, REGION
    )
    assert failure.trouble == Trouble.NO_CREDENTIALS
    assert "hop limit" in failure.message


def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    sessions = Sessions()
    credentials = ProfileCredentials(profile="no-such-profile")
    assert (
        failure_of(sessions.session_credentials, credentials, REGION).trouble
        == Trouble.NO_CREDENTIALS
    )
    failure = failure_of(sessions.client, credentials, "ecr", REGION)
    assert "no-such-profile" in failure.message


def test_an_sso_profile_without_a_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    home(
        tmp_path,
        "[profile octopus]\nsso_session = corp\nsso_account_id = 123456789012\n"
        "sso_role_name = Feed\n[sso-session corp]\nsso_region = eu-west-1\n"
        "sso_start_url = https://corp.awsapps.com/start\n",
    )
    failure = failure_of(
        IdentityReader(Sessions(), ProfileCredentials(profile="octopus")).identity, REGION
    )
    assert failure.trouble is Trouble.LOGIN_ENDED
    assert failure.login == "aws sso login --profile octopus"


def test_a_process_that_fails_is_no_credentials(tmp_path: Path) -> None:
    home(
        tmp_path,
        f"[profile octopus]\ncredential_process = {sys.executable} -c 'raise SystemExit(3)'\n",
    )
    failure = failure_of(
        IdentityReader(Sessions(), ProfileCredentials(profile="octopus")).identity, REGION
    )
    assert failure.trouble == Trouble.NO_CREDENTIALS


def test_a_process_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"Version": 1, "AccessKeyId": "AKIAPROCESSPROCESS01", "SecretAccessKey": "x"}
    (tmp_path / "answer").write_text(json.dumps(answer))
    home(tmp_path, f"[profile octopus]\ncredential_process = cat {tmp_path / 'answer'}\n")
    fake = FakeAws()
    with served(over_http(fake)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        identity_with(fake, ProfileCredentials(profile="octopus"))
    assert keys_seen(fake) == ["AKIAPROCESSPROCESS01"]


def test_an_assumed_role_is_recorded_and_its_end_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home(
        tmp_path,
        f"[profile octopus]\nrole_arn = {ROLE}\nsource_profile = base\n"
        "[profile base]\naws_access_key_id = AKIABASEBASEBASEBA01\naws_secret_access_key = x\n",
    )
    fake = FakeAws()
    end = "2126-11-01T13:00:00Z"
    body = assumed("AssumeRole", end)
    fake.replies["AssumeRole"] = lambda asked: Reply(200, body.encode())
    with served(over_http(fake)) as url:
        sessions = Sessions(backend=Backend(endpoint_url=url))
        identity = IdentityReader(sessions, ProfileCredentials(profile="octopus")).identity(REGION)
    assert keys_seen(fake) == ["AKIABASEBASEBASEBA01", "ASIASESSIONSESSION01"]
    assert identity.expires_at == datetime(2126, 11, 1, 13, tzinfo=UTC)
    assert identity.source == "profile octopus (assume-role)"
    recorded = [call.operation for call in sessions.log.drain()]
    assert recorded == ["AssumeRole", "GetCallerIdentity"]


def test_a_role_that_may_not_be_assumed(tmp_path: Path) -> None:
    home(
        tmp_path,
        f"[profile octopus]\nrole_arn = {ROLE}\nsource_profile = base\n"
        "[profile base]\naws_access_key_id = AKIABASEBASEBASEBA01\naws_secret_access_key = x\n",
    )
    fake = FakeAws()
    fake.replies["AssumeRole"] = lambda asked: query_fault("AccessDenied", "not you")
    with served(over_http(fake)) as url:
        sessions = Sessions(backend=Backend(endpoint_url=url))
        failure = failure_of(
            IdentityReader(sessions, ProfileCredentials(profile="octopus")).identity, REGION
        )
    assert (failure.trouble, failure.action) == (Trouble.NO_CREDENTIALS, "sts:AssumeRole")
    assert [call.operation for call in sessions.log.drain()] == ["AssumeRole"]


def test_missing_profiles(tmp_path: Path) -> None:
    home(tmp_path, "[profile one]\nregion = eu-west-1\n", "[two]\naws_access_key_id = x\n")
    feeds = tuple(
        feed(credentials=ProfileCredentials(profile=name)) for name in ("one", "three", "three")
    )
    suite = Suite(ProfileCredentials(profile="two"), feeds, ())
    assert missing_profiles(suite) == ["three"]
    assert missing_profiles(Suite(None, (), ())) == []


def test_a_configuration_file_that_is_none(tmp_path: Path) -> None:
    home(tmp_path, "no section\n= here")
    suite = Suite(None, (feed(credentials=ProfileCredentials(profile="one")),), ())
    assert failure_of(missing_profiles, suite).trouble == Trouble.NO_CREDENTIALS


def test_the_embedded_account_takes_nothing_from_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home(tmp_path, "this is = no [config\n")
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/no/such/bundle")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENTAMBIENT01")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "none")
    monkeypatch.setenv("AWS_DEFAULTS_MODE", "auto")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    fake = FakeAws({"team/app": 1})
    sessions = embedded(fake)
    assert sessions.client(KeyCredentials(key="feed"), "ecr", REGION).host == (
        "api.ecr.eu-west-1.amazonaws.com"
    )
    assert IdentityReader(sessions, KeyCredentials(key="feed")).identity(REGION).account == ACCOUNT
    assert keys_seen(fake) == ["AKIAEXAMPLEEXAMPLE01"]


@pytest.mark.parametrize(
    "credentials", [WorkerCredentials(worker=True), ProfileCredentials(profile="one")]
)
def test_the_embedded_account_has_no_place_for_the_machines_keys(credentials: Credentials) -> None:
    failure = failure_of(IdentityReader(embedded(FakeAws()), credentials).identity, REGION)
    assert failure.trouble == Trouble.NO_CREDENTIALS


def test_no_secret_in_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="ecr_feed")
    sessions = embedded(FakeAws({"team/app": 1}))
    IdentityReader(sessions, KeyCredentials(key="feed")).identity(REGION)
    shown = repr(sessions.log.drain()) + repr(sessions.backend) + caplog.text
    assert "secret-of-the-feed" not in shown


def test_timestamps_are_utc() -> None:
    assert utc(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert utc(1.5).tzinfo is UTC
    assert utc("2026-11-01T14:00:00+02:00").isoformat() == "2026-11-01T12:00:00+00:00"
