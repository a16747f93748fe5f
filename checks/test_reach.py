"""Every host that a worker needs is reachable from here: name, connection, TLS, proxy."""

from __future__ import annotations

from ecr_feed.check import CRITICAL, HIGH, LOW, check
from ecr_feed.config import Feed
from ecr_feed.feed.reachability import Reachability
from ecr_feed.feed.registry import expect_word
from ecr_feed.outcomes import not_applicable
from ecr_feed.reach import Purpose, judge_host

_ENDPOINTS = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html"


@check(
    id="REACH-1",
    severity=CRITICAL,
    title="The ECR API is reachable",
    why="The server and every worker fetch the authorization token there.",
    fix="Open the way to api.ecr.{feed.region}, or make the VPC endpoint ecr.api.",
    reads=(),
    refs=(_ENDPOINTS,),
)
def test_api_is_reachable(feed: Feed, reachability: Reachability) -> None:
    expect_word(judge_host(reachability.of(Purpose.API)))


@check(
    id="REACH-2",
    severity=CRITICAL,
    title="The registry is reachable",
    why="`docker login` and every manifest go there.",
    fix="Open the way to the registry's host, or make the VPC endpoint ecr.dkr.",
    reads=(),
    refs=(_ENDPOINTS,),
)
def test_registry_is_reachable(feed: Feed, reachability: Reachability) -> None:
    expect_word(judge_host(reachability.of(Purpose.REGISTRY)))


@check(
    id="REACH-3",
    severity=CRITICAL,
    title="The layer storage is reachable",
    why="Layers come from an S3 bucket of the region, not from the registry.",
    fix="Open the way to the bucket, or make an S3 gateway endpoint that allows it.",
    reads=(),
    refs=(_ENDPOINTS,),
)
def test_layer_storage_is_reachable(feed: Feed, reachability: Reachability) -> None:
    if not feed.pulls:
        not_applicable("Targets do not pull with this feed's credentials (pulls).")
    expect_word(judge_host(reachability.of(Purpose.LAYERS)))


@check(
    id="REACH-4",
    severity=HIGH,
    title="STS is reachable in the region",
    why="OIDC feeds assume their role there; older servers used the global endpoint.",
    fix="Open the way to sts.{feed.region}, or make the VPC endpoint sts.",
    reads=(),
    refs=(_ENDPOINTS,),
)
def test_sts_is_reachable(feed: Feed, reachability: Reachability) -> None:
    expect_word(judge_host(reachability.of(Purpose.STS)))


@check(
    id="REACH-5",
    severity=LOW,
    title="IAM is reachable for the auditor",
    why="Rules about policies and keys are read from IAM; workers do not need it.",
    fix="Run the audit from a place that reaches IAM.",
    reads=(),
    refs=("https://docs.aws.amazon.com/general/latest/gr/iam-service.html",),
)
def test_iam_is_reachable(feed: Feed, reachability: Reachability, has_auditor: bool) -> None:
    if not has_auditor:
        not_applicable("No auditor is configured, and nobody else needs IAM.")
    expect_word(judge_host(reachability.of(Purpose.IAM)))
