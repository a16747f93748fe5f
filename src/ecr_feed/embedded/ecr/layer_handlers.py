"""ECR: the layer operations, and the layers' download addresses."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from ecr_feed.embedded.ecr.registry_state import (
    EcrCall,
    StoredRepository,
    Upload,
    digest_of,
    invalid,
)
from ecr_feed.embedded.protocol.wire import Params, Result, ServiceError
from ecr_feed.naming import partition

PART_SIZE: Final = 20 * 1024 * 1024


def layer_host(region: str) -> str:
    """The layer storage's host: one bucket per region, apart from the registry's host."""
    return f"prod-{region}-starport-layer-bucket.s3.{region}.{partition(region).suffix}"


def layer_url(repository: StoredRepository, region: str, digest: str) -> str:
    """A download address in ECR's form; clients must not send credentials to it."""
    query = urlencode(
        {
            "X-Amz-Security-Token": secrets.token_urlsafe(24),
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Expires": "3600",
            "X-Amz-Signature": secrets.token_hex(32),
        }
    )
    path = f"{repository.account}/{repository.name}/{digest.removeprefix('sha256:')}"
    return f"https://{layer_host(region)}/{path}?{query}"


def initiate(call: EcrCall, params: Params) -> Result:
    """Begin a layer."""
    upload_id = str(uuid.uuid4())
    call.repository(params).uploads[upload_id] = Upload()
    return {"uploadId": upload_id, "partSize": PART_SIZE}


def _upload(repository: StoredRepository, params: Params) -> Upload:
    found = repository.uploads.get(params["uploadId"])
    if found is None:
        raise ServiceError(
            "UploadNotFoundException",
            f"The upload with id '{params['uploadId']}' does not exist in the repository with name "
            f"'{repository.name}' in registry with id '{repository.account}'",
        )
    return found


def upload_part(call: EcrCall, params: Params) -> Result:
    """Append bytes; parts must be in order and contiguous."""
    repository = call.repository(params)
    upload, first, blob = (
        _upload(repository, params),
        params["partFirstByte"],
        params["layerPartBlob"],
    )
    if first != len(upload.data) or params["partLastByte"] != first + len(blob) - 1:
        raise ServiceError(
            "InvalidLayerPartException",
            f"The layer part's first byte is {first}; the next one expected is {len(upload.data)}",
        )
    upload.data.extend(blob)
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "uploadId": params["uploadId"],
        "lastByteReceived": len(upload.data) - 1,
    }


def complete(call: EcrCall, params: Params) -> Result:
    """Finish a layer; its digest must be among those given."""
    repository = call.repository(params)
    upload = _upload(repository, params)
    data = bytes(upload.data)
    if not data:
        raise ServiceError("EmptyUploadException", "The upload holds no bytes")
    digest = digest_of(data)
    if digest not in params["layerDigests"]:
        raise ServiceError("InvalidLayerException", f"The layer's digest is {digest}")
    if digest in repository.layers:
        raise ServiceError(
            "LayerAlreadyExistsException",
            f"Layer with digest '{digest}' already exists in the repository with name "
            f"'{repository.name}'",
        )
    del repository.uploads[params["uploadId"]]
    repository.layers[digest] = data
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "uploadId": params["uploadId"],
        "layerDigest": digest,
    }


def check_availability(call: EcrCall, params: Params) -> Result:
    """AVAILABLE or UNAVAILABLE per digest; a text that is not a digest is a failure."""
    repository = call.repository(params)
    layers, failures = [], []
    for digest in params["layerDigests"]:
        if not digest.startswith("sha256:"):
            failures.append(
                {
                    "layerDigest": digest,
                    "failureCode": "InvalidLayerDigest",
                    "failureReason": "Invalid request parameters: layer digest is invalid",
                }
            )
            continue
        layers.append(_availability(repository, digest))
    return {"layers": layers, "failures": failures}


def _availability(repository: StoredRepository, digest: str) -> Result:
    data = repository.layers.get(digest)
    if data is None:
        return {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
    return {
        "layerDigest": digest,
        "layerAvailability": "AVAILABLE",
        "layerSize": len(data),
        "mediaType": _layer_type(repository, digest),
    }


def _layer_type(repository: StoredRepository, digest: str) -> str:
    for image in repository.images.values():
        document = image.document
        for blob in (document.get("config", {}), *document.get("layers", [])):
            if blob.get("digest") == digest:
                return str(blob.get("mediaType", ""))
    return "application/octet-stream"


def download_url(call: EcrCall, params: Params) -> Result:
    """A layer's download address. Raises LayersNotFoundException."""
    repository, digest = call.repository(params), params["layerDigest"]
    if not digest.startswith("sha256:"):
        raise invalid(f"Invalid parameter at 'layerDigest': '{digest}'")
    if digest not in repository.layers:
        raise ServiceError(
            "LayersNotFoundException",
            f"The layer with digest '{digest}' does not exist in the repository with name "
            f"'{repository.name}' in the registry with id '{repository.account}'",
        )
    url = layer_url(repository, call.region, digest)
    return {"downloadUrl": url, "layerDigest": digest}


HANDLERS: Final[Mapping[str, Callable[[EcrCall, Params], Result]]] = {
    "InitiateLayerUpload": initiate,
    "UploadLayerPart": upload_part,
    "CompleteLayerUpload": complete,
    "BatchCheckLayerAvailability": check_availability,
    "GetDownloadUrlForLayer": download_url,
}
