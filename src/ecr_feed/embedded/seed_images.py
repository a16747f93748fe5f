"""Images made for account files: real manifests, configs and layers, the same on every run."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

from ecr_feed.embedded.accounts import ImageTable
from ecr_feed.embedded.ecr.state import digest_of

_OCI = {
    "index": "application/vnd.oci.image.index.v1+json",
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
}
_DOCKER = {
    "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
Put = tuple[str, str, list[bytes]]  # manifest text, its media type, the blobs it names


def manifests(image: ImageTable, salt: str, subject: dict[str, Any] | None) -> Iterator[Put]:
    """What has to be put, children first; the last one is what the tags name."""
    kinds = _DOCKER if image.media == "docker" else _OCI
    if image.manifest:
        media = json.loads(image.manifest).get("mediaType", kinds["manifest"])
        yield image.manifest, media, []
        return
    platforms = image.platforms or (image.platform,)
    children = [_single(image, platform, salt, kinds, subject) for platform in platforms]
    yield from children
    if len(children) == 1 and not image.attestation:
        return
    rows = [_row(child, _platform(name)) for child, name in zip(children, platforms, strict=True)]
    if image.attestation:
        made = _single(image, "unknown/unknown", f"{salt} attestation", kinds, subject)
        yield made
        note = {"vnd.docker.reference.type": "attestation-manifest"}
        rows.append(_row(made, _platform("unknown/unknown")) | {"annotations": note})
    index = {"schemaVersion": 2, "mediaType": kinds["index"], "manifests": rows}
    yield json.dumps(index, indent=2), kinds["index"], []


def _row(put: Put, platform: dict[str, str]) -> dict[str, Any]:
    text, media, _ = put
    return {
        "mediaType": media,
        "digest": digest_of(text.encode()),
        "size": len(text.encode()),
        "platform": platform,
    }


def _platform(name: str) -> dict[str, str]:
    parts = name.split("/")
    names = ("os", "architecture", "variant")
    return dict(zip(names, parts, strict=False))


def _single(
    image: ImageTable,
    platform: str,
    salt: str,
    kinds: dict[str, str],
    subject: dict[str, Any] | None,
) -> Put:
    layer, diff_id = _layer(f"{salt}|{platform}|{image.content}", image.layer_bytes)
    config = json.dumps(
        {
            **_platform(platform),
            "config": {"Labels": {"org.opencontainers.image.title": salt}},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        }
    ).encode()
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": kinds["manifest"],
        "config": _blob(config, image.artifact_type or kinds["config"]),
        "layers": [_blob(layer, kinds["layer"])],
    }
    if image.artifact_type:
        manifest["artifactType"] = image.artifact_type
    if subject:
        manifest["subject"] = subject
    return json.dumps(manifest, indent=2), kinds["manifest"], [config, layer]


def _blob(data: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "size": len(data), "digest": digest_of(data)}


def _layer(text: str, size: int) -> tuple[bytes, str]:
    """A gzipped tar with one file, and the digest of the tar inside."""
    seed = hashlib.sha256(text.encode()).digest()
    content = (seed * (size // len(seed) + 1))[:size]
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        member = tarfile.TarInfo("app/content")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0), digest_of(plain.getvalue())
