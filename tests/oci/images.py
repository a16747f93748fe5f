"""Images small enough to read in a test, in every form that registries hold."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import Any

from ecr_feed.oci import manifests


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def raw(document: object) -> bytes:
    return json.dumps(document).encode()


def layer(content: str = "") -> tuple[bytes, bytes]:
    """A layer as stored (gzip) and unpacked (tar)."""
    unpacked = io.BytesIO()
    with tarfile.open(fileobj=unpacked, mode="w") as tar:
        file = tarfile.TarInfo("file")
        file.size = len(content)
        tar.addfile(file, io.BytesIO(content.encode()))
    return gzip.compress(unpacked.getvalue(), mtime=0), unpacked.getvalue()


@dataclass
class Image:
    """One manifest with everything it leads to."""

    media_type: str
    manifest: bytes
    blobs: dict[str, bytes] = field(default_factory=dict)
    children: tuple[Image, ...] = ()

    @property
    def digest(self) -> str:
        return digest(self.manifest)

    @property
    def layer(self) -> str:
        """The digest of the first layer."""
        return str(json.loads(self.manifest)["layers"][0]["digest"])


_LAYERS = {
    manifests.DOCKER_SCHEMA_2: "application/vnd.docker.image.rootfs.diff.tar.gzip",
    manifests.OCI_MANIFEST: "application/vnd.oci.image.layer.v1.tar+gzip",
}
_CONFIGS = {
    manifests.DOCKER_SCHEMA_2: manifests.DOCKER_CONFIG,
    manifests.OCI_MANIFEST: manifests.OCI_CONFIG,
}


def image(
    content: str = "hello",
    *,
    form: str = manifests.OCI_MANIFEST,
    architecture: str | None = "amd64",
    config_type: str = "",
    pad: int = 0,
) -> Image:
    """A one-layer image; `pad` makes its manifest that much larger."""
    stored, unpacked = layer(content)
    config: dict[str, Any] = {"rootfs": {"type": "layers", "diff_ids": [digest(unpacked)]}}
    config["config"] = {}
    if architecture:
        config |= {"os": "linux", "architecture": architecture}
    config_bytes = raw(config)
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": form,
        "config": _pointer(config_type or _CONFIGS[form], config_bytes),
        "layers": [_pointer(_LAYERS[form], stored)],
    }
    if pad:
        manifest["annotations"] = {"pad": "x" * pad}
    blobs = {digest(config_bytes): config_bytes, digest(stored): stored}
    return Image(form, raw(manifest), blobs)


def _pointer(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


def index(*platforms: str | None, form: str = manifests.OCI_INDEX, attest: bool = False) -> Image:
    """An index of images, one a platform; None is an image without one."""
    inner = manifests.OCI_MANIFEST if form == manifests.OCI_INDEX else manifests.DOCKER_SCHEMA_2
    children, listed = [], []
    for at, platform in enumerate(platforms):
        child = image(f"{platform} {at}", form=inner, architecture=(platform or "").split("/")[0])
        pointer = _pointer(child.media_type, child.manifest)
        if platform:
            architecture, _, variant = platform.partition("/")
            pointer["platform"] = {"os": "linux", "architecture": architecture}
            pointer["platform"] |= {"variant": variant} if variant else {}
        children.append(child)
        listed.append(pointer)
    if attest:
        child = image("provenance", form=inner, architecture=None)
        pointer = _pointer(child.media_type, child.manifest)
        pointer["platform"] = {"os": "unknown", "architecture": "unknown"}
        pointer["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
        children.append(child)
        listed.append(pointer)
    document = {"schemaVersion": 2, "mediaType": form, "manifests": listed}
    return Image(form, raw(document), children=tuple(children))


def schema_1(name: str, tag: str) -> Image:
    """A signed schema 1 image as old Docker pushed it; nobody checks the signature itself."""
    stored, _ = layer("old")
    history = {
        "id": "a" * 64,
        "created": "2015-01-01T00:00:00Z",
        "os": "linux",
        "architecture": "amd64",
    }
    body = json.dumps(
        {
            "schemaVersion": 1,
            "name": name,
            "tag": tag,
            "architecture": "amd64",
            "fsLayers": [{"blobSum": digest(stored)}],
            "history": [{"v1Compatibility": json.dumps(history)}],
        },
        indent=3,
    )
    head, tail = body[:-2], body[-2:]
    protected = _url64(raw({"formatLength": len(head), "formatTail": _url64(tail.encode())}))
    signatures = [{"header": {"alg": "ES256"}, "signature": "", "protected": protected}]
    signed = f'{head},\n   "signatures": {json.dumps(signatures)}{tail}'
    return Image(manifests.DOCKER_SCHEMA_1_SIGNED, signed.encode(), {digest(stored): stored})


def _url64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
