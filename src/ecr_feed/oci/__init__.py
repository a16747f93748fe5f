"""A registry client that makes the reads of `docker login`, `manifest inspect` and `pull`."""

from ecr_feed.oci.endpoint import EndpointError, Origin, registry_origin
from ecr_feed.oci.manifests import (
    Descriptor,
    Manifest,
    ManifestError,
    ManifestKind,
    digest_of,
    parse_manifest,
)
from ecr_feed.oci.network import CONNECTIONS, Network, Timeouts, pooled_adapter
from ecr_feed.oci.platforms import Platform, accepts
from ecr_feed.oci.registry_client import RegistryClient, RepositoryNotAllowedError
from ecr_feed.oci.registry_session import RegistrySession
from ecr_feed.oci.registry_transport import SentRequest
from ecr_feed.oci.steps import Login, PackageWalk, Step, StepResult, StepState, WantedImage

__all__ = [
    "CONNECTIONS",
    "Descriptor",
    "EndpointError",
    "Login",
    "Manifest",
    "ManifestError",
    "ManifestKind",
    "Network",
    "Origin",
    "PackageWalk",
    "Platform",
    "RegistryClient",
    "RegistrySession",
    "RepositoryNotAllowedError",
    "SentRequest",
    "Step",
    "StepResult",
    "StepState",
    "Timeouts",
    "WantedImage",
    "accepts",
    "digest_of",
    "parse_manifest",
    "pooled_adapter",
    "registry_origin",
]
