from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, NoCredentialsError

from ecr_feed.aws.transport.retries import GIVE_UP_SECONDS, Retries

OPERATION = SimpleNamespace(
    name="DescribeImages",
    service_model=SimpleNamespace(service_id=SimpleNamespace(hyphenize=lambda: "ecr")),
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def decide(
    patience: Retries,
    attempts: int,
    *,
    code: str = "",
    status: int = 400,
    error: Exception | None = None,
) -> Any:
    parsed = {"Error": {"Code": code}} if code else {}
    return patience.needs_retry(
        response=None if error else (SimpleNamespace(status_code=status), parsed),
        operation=OPERATION,
        attempts=attempts,
        caught_exception=error,
        request_dict={"context": {"client_region": "eu-west-1"}},
    )


@pytest.mark.parametrize(
    "error",
    [
        ConnectTimeoutError(endpoint_url="http://x"),
        EndpointConnectionError(endpoint_url="http://x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_connection_faults_get_two_attempts(error: Exception) -> None:
    assert decide(Retries(), 1, error=error) is None
    assert decide(Retries(), 2, error=error) is False


def test_other_exceptions_are_botocores_business() -> None:
    assert decide(Retries(), 5, error=NoCredentialsError()) is None


def test_throttled_calls_get_ten_attempts() -> None:
    patience = Retries(monotonic=Clock())
    assert decide(patience, 9, code="ThrottlingException") is None
    assert decide(patience, 10, code="ThrottlingException") is False


def test_a_code_that_botocore_does_not_know_waits_as_long() -> None:
    patience = Retries(monotonic=Clock())
    for attempts in range(1, 10):
        delay = decide(patience, attempts, code="ThrottleException")
        assert 0 <= delay <= min(2 ** (attempts - 1), 20)
    assert decide(patience, 10, code="ThrottleException") is False


def test_a_minute_without_success_ends_it_for_all() -> None:
    clock = Clock()
    patience = Retries(monotonic=clock)
    assert decide(patience, 1, code="Throttling") is None
    clock.now = GIVE_UP_SECONDS + 1
    assert decide(patience, 2, code="Throttling") is False


def test_one_success_starts_the_minute_anew() -> None:
    clock = Clock()
    patience = Retries(monotonic=clock)
    decide(patience, 1, code="Throttling")
    clock.now = GIVE_UP_SECONDS - 1
    assert decide(patience, 1, status=200) is None
    clock.now = GIVE_UP_SECONDS + 1
    assert decide(patience, 2, code="Throttling") is None


def test_server_faults_get_five() -> None:
    assert decide(Retries(), 4, status=500) is None
    assert decide(Retries(), 5, status=500) is False
    assert decide(Retries(), 5, status=404, code="RepositoryNotFoundException") is None


def test_the_embedded_account_does_not_wait() -> None:
    patience = Retries(waits=False)
    assert decide(patience, 9, code="ThrottlingException") == 0.0
    assert decide(patience, 10, code="ThrottlingException") is False
    assert decide(patience, 1, status=503) == 0.0
    assert decide(patience, 1, error=ConnectTimeoutError(endpoint_url="http://x")) == 0.0
