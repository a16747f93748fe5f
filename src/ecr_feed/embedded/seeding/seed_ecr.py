"""Fill registries from an account file: repositories, policies, rules and images."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

from ecr_feed.embedded.ecr.registry_state import digest_of
from ecr_feed.embedded.seeding.account_file import AccountFile, ImageTable, RepositoryTable
from ecr_feed.embedded.seeding.owner import Owner
from ecr_feed.embedded.seeding.shorthand import document, fill

_LIFECYCLE_MINIMUM = 100  # characters; shorter texts are refused, white space counts


def fill_registries(owner: Owner, account: AccountFile) -> None:
    """Create everything of ECR in the file."""
    filler = _RegistryFiller(owner, account)
    for rule in account.cache_rule:
        filler.ecr(rule.region).create_pull_through_cache_rule(
            ecrRepositoryPrefix=rule.prefix, upstreamRegistryUrl=rule.upstream
        )
    for template in account.creation_template:
        extra = {}
        if template.policy is not None:
            text = document(template.policy, "resource", filler.names)
            extra["repositoryPolicy"] = text
        filler.ecr(template.region).create_repository_creation_template(
            prefix=template.prefix,
            appliedFor=list(template.applied_for),
            imageTagMutability=template.mutability,
            **extra,
        )
    for repository in account.repository:
        for n in range(repository.count):
            filler.repository(repository, repository.name.replace("{n}", str(n)))
    for registry in account.registry:  # last: it applies to the owner too
        text = document(registry.policy, "registry", filler.names)
        ecr = filler.ecr(registry.region)
        ecr.put_account_setting(name="REGISTRY_POLICY_SCOPE", value=registry.scope)
        ecr.put_registry_policy(policyText=text)


class _RegistryFiller:
    """Fills one account's registries."""

    def __init__(self, owner: Owner, account: AccountFile) -> None:
        self._owner = owner
        self._file = account
        self._subjects: dict[tuple[str, str], dict[str, Any]] = {}  # by repository and tag
        self.names = account.placeholders

    def ecr(self, region: str, account: str = "") -> Any:
        """The owner's client in a region; the file's own where none is named."""
        at = region or self._file.region
        return self._owner.client("ecr", at, account or self._file.account)

    def repository(self, table: RepositoryTable, name: str) -> None:
        """Create one repository with its policies and images."""
        ecr = self.ecr(table.region, table.account)
        with self._owner.ago(table.age_days):
            ecr.create_repository(repositoryName=name, **_settings(table))
        if table.policy is not None:
            text = document(table.policy, "resource", self._names_of(table))
            ecr.set_repository_policy(repositoryName=name, policyText=text)
        if table.lifecycle is not None:
            ecr.put_lifecycle_policy(
                repositoryName=name, lifecyclePolicyText=_lifecycle(table.lifecycle, self.names)
            )
        for image in table.images:
            with self._owner.ago(image.age_days):
                self._image(ecr, name, image)

    def _names_of(self, table: RepositoryTable) -> dict[str, str]:
        region = table.region or self._file.region
        return self.names | {"region": region}

    def _image(self, ecr: Any, name: str, image: ImageTable) -> None:
        salt = f"{name}:{'+'.join(image.tags)}"
        puts = list(manifests(image, salt, self._subjects.get((name, image.subject))))
        for text, media_type, blobs in puts:
            for blob in blobs:
                upload(ecr, name, blob)
            last = text == puts[-1][0]
            self._put(ecr, name, (text, media_type), image.tags if last else ())
        text, media_type, _ = puts[-1]
        whole = {"imageDigest": digest_of(text.encode())}
        about = {
            "mediaType": media_type,
            "digest": digest_of(text.encode()),
            "size": len(text.encode()),
        }
        self._subjects |= {(name, tag): about for tag in image.tags}
        if image.pulled_days is not None:
            with self._owner.ago(image.pulled_days - image.age_days):
                ecr.batch_get_image(repositoryName=name, imageIds=[whole])
        if image.archived:
            ecr.update_image_storage_class(
                repositoryName=name, imageId=whole, targetStorageClass="ARCHIVE"
            )

    @staticmethod
    def _put(ecr: Any, name: str, manifest: tuple[str, str], tags: tuple[str, ...]) -> None:
        text, media_type = manifest
        for tag in tags or ("",):
            extra = {"imageTag": tag} if tag else {}
            ecr.put_image(
                repositoryName=name,
                imageManifest=text,
                imageManifestMediaType=media_type,
                **extra,
            )


def _settings(table: RepositoryTable) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "imageTagMutability": table.mutability,
        "imageScanningConfiguration": {"scanOnPush": table.scan_on_push},
        "tags": [{"Key": key, "Value": value} for key, value in table.tags.items()],
    }
    if table.exclusions:
        settings["imageTagMutabilityExclusionFilters"] = [
            {"filterType": "WILDCARD", "filter": each} for each in table.exclusions
        ]
    return settings


def _lifecycle(given: str | dict[str, Any], names: Mapping[str, str]) -> str:
    text = given if isinstance(given, str) else json.dumps(given, indent=2)
    return fill(text, names).ljust(_LIFECYCLE_MINIMUM)


def upload(ecr: Any, name: str, blob: bytes) -> None:
    """Push one layer, unless it is there."""
    layer = digest_of(blob)
    asked = ecr.batch_check_layer_availability(repositoryName=name, layerDigests=[layer])
    if asked["layers"] and asked["layers"][0]["layerAvailability"] == "AVAILABLE":
        return
    begun = ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
    ecr.upload_layer_part(
        repositoryName=name,
        uploadId=begun,
        partFirstByte=0,
        partLastByte=len(blob) - 1,
        layerPartBlob=blob,
    )
    ecr.complete_layer_upload(repositoryName=name, uploadId=begun, layerDigests=[layer])


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
    """The manifests to put, children first; the tags belong to the last one."""
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
