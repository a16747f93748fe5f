"""Every host that a worker needs is reachable from this machine: DNS, TCP, TLS, proxy."""

from __future__ import annotations

from ecr_feed.check import CRITICAL, HIGH, LOW, check
from ecr_feed.config import Feed
from ecr_feed.feed.reachability import Reachability
from ecr_feed.outcomes import expect_judgement, not_applicable
from ecr_feed.reach import Purpose, judge_host

_ENDPOINTS = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html"


@check(
    id="REACH-1",
    severity=CRITICAL,
    title="The ECR API is reachable",
    why="The server and every worker fetch the authorization token there.",
    fix="Allow outbound HTTPS to api.ecr.{feed.region}, or create the ecr.api VPC endpoint.",
    reads=(),
    refs=(_ENDPOINTS,),
    in_plan="No document says what a worker can reach.",
)
def test_api_is_reachable(feed: Feed, reachability: Reachability) -> None:
    expect_judgement(judge_host(reachability.of(Purpose.API)))


@check(
    id="REACH-2",
    severity=CRITICAL,
    title="The registry is reachable",
    why="`docker login` and manifest requests go there.",
    fix="Allow outbound HTTPS to the registry's host, or create the ecr.dkr VPC endpoint.",
    reads=(),
    refs=(_ENDPOINTS,),
    in_plan="No document says what a worker can reach.",
)
def test_registry_is_reachable(feed: Feed, reachability: Reachability) -> None:
    expect_judgement(judge_host(reachability.of(Purpose.REGISTRY)))


@check(
    id="REACH-3",
    severity=CRITICAL,
    title="The layer storage is reachable",
    why="Layers are downloaded from an S3 bucket in the region, not from the registry.",
    fix="Allow outbound HTTPS to the bucket, or create an S3 gateway endpoint that allows it.",
    reads=(),
    refs=(_ENDPOINTS,),
    in_plan="No document says what a worker can reach.",
)
def test_layer_storage_is_reachable(feed: Feed, reachability: Reachability) -> None:
    if not feed.pulls:
        not_applicable("Targets do not pull with this feed's credentials (pulls).")
    expect_judgement(judge_host(reachability.of(Purpose.LAYERS)))


@check(
    id="REACH-4",
    severity=HIGH,
    title="STS is reachable in the region",
    why="OIDC feeds assume their role there; older servers used the global endpoint.",
    fix="Allow outbound HTTPS to sts.{feed.region}, or create the sts VPC endpoint.",
    reads=(),
    refs=(_ENDPOINTS,),
    in_plan="No document says what a worker can reach.",
)
def test_sts_is_reachable(feed: Feed, reachability: Reachability) -> None:
    expect_judgement(judge_host(reachability.of(Purpose.STS)))


@check(
    id="REACH-5",
    severity=LOW,
    title="IAM is reachable for the auditor",
    why="Rules about policies and keys are read from IAM; workers do not need it.",
    fix="Run the audit from a machine that can reach IAM.",
    reads=(),
    refs=("https://docs.aws.amazon.com/general/latest/gr/iam-service.html",),
    in_plan="No document says what a worker can reach.",
)
def test_iam_is_reachable(feed: Feed, reachability: Reachability, has_auditor: bool) -> None:
    if not has_auditor:
        not_applicable("No auditor is configured; only the auditor needs IAM.")
    expect_judgement(judge_host(reachability.of(Purpose.IAM)))
