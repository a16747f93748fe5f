"""The read-only calls of `docker login`, `docker manifest inspect` and `docker pull`."""

from ecr_feed.oci.client import RegistryClient, UntouchableError
from ecr_feed.oci.endpoint import EndpointError, Origin, registry_origin
from ecr_feed.oci.manifests import (
    Descriptor,
    Kind,
    Manifest,
    ManifestError,
    digest_of,
    parse_manifest,
)
from ecr_feed.oci.network import CONNECTIONS, Network, Timeouts, pooled_adapter
from ecr_feed.oci.platforms import Platform, accepts
from ecr_feed.oci.pull import Registry
from ecr_feed.oci.steps import Login, PackageWalk, State, Step, StepResult, Wanted
from ecr_feed.oci.transport import Touch

__all__ = [
    "CONNECTIONS",
    "Descriptor",
    "EndpointError",
    "Kind",
    "Login",
    "Manifest",
    "ManifestError",
    "Network",
    "Origin",
    "PackageWalk",
    "Platform",
    "Registry",
    "RegistryClient",
    "State",
    "Step",
    "StepResult",
    "Timeouts",
    "Touch",
    "UntouchableError",
    "Wanted",
    "accepts",
    "digest_of",
    "parse_manifest",
    "pooled_adapter",
    "registry_origin",
]
