"""A deployment's pull would work: tag, manifest, platform and layers, read-only, with one image."""

from __future__ import annotations

from ecr_feed.check import CRITICAL, HIGH, check
from ecr_feed.config import Feed
from ecr_feed.feed.registry import FeedRegistry, expect_word
from ecr_feed.oci import rules

_READS = (
    "ecr:GetAuthorizationToken",
    "ecr:ListImages",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecr:DescribePullThroughCacheRules",
)
_PULL = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-pull-ecr-image.html"
_FORMATS = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-manifest-formats.html"


@check(
    id="PULL-1",
    severity=CRITICAL,
    title="The registry knows the tag that a deployment would pull",
    why="A worker asks the registry for the tag, not the API.",
    fix="Push the tag to {package!q}, or deploy one that is there.",
    reads=_READS,
    refs=(_PULL,),
)
def test_tag_resolves(feed: Feed, package: str, registry: FeedRegistry) -> None:
    expect_word(rules.tag_resolves(registry.pull(package)))


@check(
    id="PULL-2",
    severity=HIGH,
    title="Docker and Octopus can use what the tag names",
    why="Schema 1 images, signatures and other artifacts cannot be deployed as containers.",
    fix="Build and push the image again with a current Docker or buildx.",
    reads=_READS,
    refs=(_FORMATS,),
)
def test_media_type_is_usable(feed: Feed, package: str, registry: FeedRegistry) -> None:
    expect_word(rules.media_type_usable(registry.pull(package)))


@check(
    id="PULL-3",
    severity=HIGH,
    title="There is an image for the platform of the machines that pull",
    why="An index without the worker's platform fails at the pull, not at the push.",
    fix="docker buildx build --platform PLATFORM --push ...",
    reads=_READS,
    refs=(_FORMATS,),
)
def test_platform_is_there(feed: Feed, package: str, registry: FeedRegistry) -> None:
    expect_word(rules.platform_available(registry.pull(package)))


@check(
    id="PULL-4",
    severity=CRITICAL,
    title="The manifest comes whole and has its digest",
    why="The manifest is the first thing that a pull downloads.",
    fix="Allow ecr:BatchGetImage on the repository {package}.",
    reads=_READS,
    refs=(_PULL,),
)
def test_manifest_is_readable(feed: Feed, package: str, registry: FeedRegistry) -> None:
    expect_word(rules.manifest_readable(registry.pull(package)))


@check(
    id="PULL-5",
    severity=CRITICAL,
    title="Config and layers download from where the registry sends a puller",
    why="Layers come from another host, which firewalls and VPC endpoints often forget.",
    fix="Allow ecr:GetDownloadUrlForLayer, and let workers reach the layer storage.",
    reads=_READS,
    refs=("https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html",),
)
def test_layers_are_reachable(feed: Feed, package: str, registry: FeedRegistry) -> None:
    expect_word(rules.layers_reachable(registry.pull(package), feed.region))


@check(
    id="PULL-6",
    severity=HIGH,
    title="API and registry list the same tags",
    why="What Octopus offers for deployment must be what a worker can pull.",
    fix="Run again: a push between the two reads looks like this.",
    reads=_READS,
    refs=(_PULL,),
)
def test_views_agree(feed: Feed, package: str, registry: FeedRegistry) -> None:
    expect_word(rules.views_agree(registry.listed(package), registry.tags(package)))
