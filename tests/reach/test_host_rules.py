from datetime import UTC, datetime, timedelta

import pytest

from ecr_feed.facts.aws import Trouble
from ecr_feed.findings import OutcomeWord
from ecr_feed.oci.registry_errors import FailureReason
from ecr_feed.reach import (
    ClockOffset,
    HostReach,
    Purpose,
    Stage,
    StageResult,
    WorkerHost,
    clock_offset,
    judge_clock,
    judge_host,
)

API = WorkerHost(
    Purpose.API, "api.ecr.eu-west-1.amazonaws.com", endpoint="com.amazonaws.eu-west-1.ecr.api"
)
LAYERS = WorkerHost(
    Purpose.LAYERS,
    "bucket.s3.eu-west-1.amazonaws.com",
    endpoint="com.amazonaws.eu-west-1.s3",
    gateway=True,
)
IAM = WorkerHost(Purpose.IAM, "iam.amazonaws.com")
PROXY = "proxy.example.com:3128"


def failing(
    where: WorkerHost, stage: Stage, trouble: Trouble, code: str = "", via: str = ""
) -> HostReach:
    return HostReach(
        where, (StageResult(stage, "it broke", FailureReason(trouble, "it broke", code)),), via
    )


def test_a_host_that_answers() -> None:
    stages = (
        StageResult(Stage.DNS, "10.0.0.4"),
        StageResult(Stage.TCP, "x"),
        StageResult(Stage.TLS, "y"),
    )
    found = judge_host(HostReach(API, stages, addresses=("10.0.0.4", "fd00::1")))
    assert (found.outcome, found.fix, found.failure) == (OutcomeWord.MET, None, None)
    assert "private addresses" in str(found.evidence["note"])
    # What was seen, and no more: a captive portal behind a trusted certificate is not told apart.
    assert "accepts a TLS connection directly; no request was sent" in found.message


@pytest.mark.parametrize(
    ("reach", "says"),
    [
        (
            failing(API, Stage.DNS, Trouble.DNS),
            "interface endpoint com.amazonaws.eu-west-1.ecr.api",
        ),
        (
            failing(API, Stage.TCP, Trouble.TIMEOUT),
            "interface endpoint com.amazonaws.eu-west-1.ecr.api",
        ),
        (
            failing(LAYERS, Stage.TCP, Trouble.TIMEOUT),
            "gateway endpoint com.amazonaws.eu-west-1.s3",
        ),
        (failing(IAM, Stage.TCP, Trouble.REFUSED), "firewall, route."),
        (failing(API, Stage.TLS, Trouble.TLS), "AWS_CA_BUNDLE"),
        (failing(API, Stage.TLS, Trouble.RESET), "Find out what ends TLS connections"),
        (failing(API, Stage.PROXY, Trouble.PROXY, "407", PROXY), "http://USER:PASSWORD@proxy"),
        (failing(API, Stage.PROXY, Trouble.PROXY, "403", PROXY), "Allow api.ecr"),
        (failing(API, Stage.PROXY, Trouble.PROXY, "", PROXY), "NO_PROXY"),
    ],
)
def test_each_stage_has_its_fix(reach: HostReach, says: str) -> None:
    found = judge_host(reach)
    assert found.outcome is OutcomeWord.NOT_MET
    assert says in (found.fix or "")
    assert reach.where.host in found.message
    assert reach.stages[0].stage.value in found.message
    assert found.failure is not None
    assert found.failure.host == reach.where.host


NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
DATE = "Wed, 25 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("off", "word"),
    [
        (0, OutcomeWord.MET),
        (299, OutcomeWord.MET),
        (-299, OutcomeWord.MET),
        (303, OutcomeWord.NOT_MET),
        (-303, OutcomeWord.NOT_MET),
        (7200, OutcomeWord.NOT_MET),
    ],
)
def test_the_clock(off: int, word: OutcomeWord) -> None:
    sent = NOW + timedelta(seconds=off)
    found = judge_clock(clock_offset(DATE, sent, sent + timedelta(seconds=1)))
    assert found.outcome is word
    assert str(found.found).endswith("ahead" if off > 0 else "behind") or off == 0


def test_a_clock_that_is_off_is_told_in_words() -> None:
    sent = NOW - timedelta(minutes=20)
    found = judge_clock(clock_offset(DATE, sent, sent + timedelta(seconds=1)))
    assert found.message.startswith("This machine's clock is 20 min behind: ")
    assert (found.expected, found.found) == ("less than 5 min apart", "20 min behind")


def test_a_slow_answer_proves_less() -> None:
    found = clock_offset(DATE, NOW, NOW + timedelta(minutes=12))
    assert found is not None
    assert (found.offset, found.too_much) == (timedelta(minutes=6) - timedelta(seconds=0.5), False)


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 99 Nov 2026 12:00:00 GMT", "0"])
def test_no_date_is_no_judgement(date: str) -> None:
    found = judge_clock(clock_offset(date, NOW, NOW))
    assert found.outcome is OutcomeWord.NOT_ASSESSED


def test_a_date_without_zone_is_utc() -> None:
    found = clock_offset("Wed, 25 Nov 2026 12:00:00 -0000", NOW, NOW)
    assert found == ClockOffset(timedelta(seconds=-0.5), timedelta(seconds=0.5))
