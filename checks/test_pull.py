"""A deployment's pull would work: tag, manifest, platform and layers of one image, read-only."""

from __future__ import annotations

from ecr_feed.check import CRITICAL, HIGH, check
from ecr_feed.config import Feed
from ecr_feed.feed.registry import FeedRegistry
from ecr_feed.oci import pull_rules, tag_views
from ecr_feed.outcomes import expect_judgement

_READS = (
    "ecr:GetAuthorizationToken",
    "ecr:DescribeImages",
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
    title="The registry has the tag that a deployment would pull",
    why="A worker looks the tag up in the registry, not in the ECR API.",
    fix="Push the tag to {package!q}, or deploy a tag that exists.",
    reads=_READS,
    refs=(_PULL,),
    in_plan="A plan has no images to pull.",
)
def test_tag_resolves(feed: Feed, package: str, registry: FeedRegistry) -> None:
    walk = registry.pull(package)
    expect_judgement(tag_views.tag_resolves(walk, registry.reading(package), feed.region))


@check(
    id="PULL-2",
    severity=HIGH,
    title="The tag is an image that Docker and Octopus can use",
    why="Schema 1 images, signatures and other artifacts cannot be deployed as containers.",
    fix="Build and push the image again with a current Docker or buildx.",
    reads=_READS,
    refs=(_FORMATS,),
    in_plan="A plan has no images to pull.",
)
def test_media_type_is_usable(feed: Feed, package: str, registry: FeedRegistry) -> None:
    expect_judgement(pull_rules.media_type_usable(registry.pull(package)))


@check(
    id="PULL-3",
    severity=HIGH,
    title="The tag has an image for the platform of the machines that pull it",
    why="Pushing an index without the worker's platform succeeds; pulling it fails.",
    fix="docker buildx build --platform PLATFORM --push ...",
    reads=_READS,
    refs=(_FORMATS,),
    in_plan="A plan has no images to pull.",
)
def test_platform_is_there(feed: Feed, package: str, registry: FeedRegistry) -> None:
    expect_judgement(pull_rules.platform_available(registry.pull(package)))


@check(
    id="PULL-4",
    severity=CRITICAL,
    title="The manifest is complete and matches its digest",
    why="The manifest is the first thing that a pull downloads.",
    fix="Allow ecr:BatchGetImage on the repository {package}.",
    reads=_READS,
    refs=(_PULL,),
    in_plan="A plan has no images to pull.",
)
def test_manifest_is_readable(feed: Feed, package: str, registry: FeedRegistry) -> None:
    expect_judgement(pull_rules.manifest_readable(registry.pull(package)))


@check(
    id="PULL-5",
    severity=CRITICAL,
    title="The image's config and layers can be downloaded",
    why="Layers come from another host, often missing from firewall and VPC endpoint rules.",
    fix="Allow ecr:GetDownloadUrlForLayer, and let workers reach the layer storage.",
    reads=_READS,
    refs=("https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html",),
    in_plan="A plan has no images to pull.",
)
def test_layers_are_reachable(feed: Feed, package: str, registry: FeedRegistry) -> None:
    expect_judgement(pull_rules.layers_reachable(registry.pull(package), feed.region))


@check(
    id="PULL-6",
    severity=HIGH,
    title="The ECR API and the registry list the same tags",
    why="Every version that Octopus offers must be one that a worker can pull.",
    fix="Look for a cache or proxy in front of the registry that answers with an old list of tags.",
    reads=_READS,
    refs=(_PULL,),
    in_plan="A plan has no images to pull.",
)
def test_views_agree(feed: Feed, package: str, registry: FeedRegistry) -> None:
    expect_judgement(tag_views.views_agree(registry.views(package)))
