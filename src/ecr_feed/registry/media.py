"""Media types of manifests and configs, and what Docker asks a registry for."""

from __future__ import annotations

from typing import Final

DOCKER_SCHEMA_1: Final = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_SCHEMA_1_SIGNED: Final = "application/vnd.docker.distribution.manifest.v1+prettyjws"
DOCKER_SCHEMA_2: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"

SCHEMA_1: Final = frozenset({DOCKER_SCHEMA_1, DOCKER_SCHEMA_1_SIGNED})
IMAGES: Final = frozenset({DOCKER_SCHEMA_2, OCI_MANIFEST})
INDEXES: Final = frozenset({DOCKER_LIST, OCI_INDEX})

DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
IMAGE_CONFIGS: Final = frozenset({DOCKER_CONFIG, OCI_CONFIG})

# The types that Docker's engine registers, schema 1 (under both of its names) last.
ACCEPT: Final = ", ".join(
    (
        DOCKER_SCHEMA_2,
        DOCKER_LIST,
        OCI_MANIFEST,
        OCI_INDEX,
        DOCKER_SCHEMA_1_SIGNED,
        "application/json",
    )
)


def plain(content_type: str) -> str:
    """A media type without parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()
