"""An account over HTTP that always answers the same: for runs that are compared or stopped."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Final

from tests.support.proxy import Asked, Reply, ecr_error

PACKAGES: Final = ("team/app", "team/worker")
KEYS: Final = {
    "OCTOPUS_AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "OCTOPUS_AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzEXAMPLEKy",
}


def feed(name: str, region: str = "eu-west-1", prefix: str = "OCTOPUS_") -> str:
    """One feed of a feeds file."""
    return (
        f'[[feed]]\nname = "{name}"\nregion = "{region}"\naccount = "123456789012"\n'
        f'packages = {json.dumps(PACKAGES)}\ncredentials = {{ env_prefix = "{prefix}" }}\n'
    )


class Plain:
    """Repositories of these names, each with an image under these tags; the last one is empty."""

    def __init__(
        self,
        packages: Sequence[str] = PACKAGES,
        *,
        tags: Sequence[str] = ("1.0",),
        password: Callable[[str], str] = lambda region: "a password of the registry",
        expires: int = 1420070400,
    ) -> None:
        """`password` of a region; `expires` of every token, in seconds since 1970."""
        self._packages = packages
        self._tags = tags
        self._password = password
        self._expires = expires

    def __call__(self, asked: Asked) -> Reply:
        if asked.operation == "GetCallerIdentity":
            return Reply(200, _IDENTITY, "text/xml")
        missing = [name for name in _texts(asked.json()) if name not in self._packages]
        if missing:
            said = f"The repository with name '{missing[0]}' does not exist in the registry with id"
            return ecr_error("RepositoryNotFoundException", f"{said} '123456789012'")
        body = self._body(asked)
        if body is None:
            return ecr_error("AccessDeniedException", "not authorized")
        return Reply(200, json.dumps(body).encode())

    def _body(self, asked: Asked) -> dict[str, object] | None:
        match asked.operation:
            case "DescribeRepositories":
                names = _texts(asked.json()) or self._packages
                return {"repositories": [_repository(name, asked.region) for name in names]}
            case "DescribeImages":
                return {"imageDetails": self._images(str(asked.json()["repositoryName"]))}
            case "ListImages":
                return {"imageIds": []}
            case "GetAuthorizationToken":
                return {"authorizationData": [self._token(asked.region)]}
        return None

    def _images(self, name: str) -> list[dict[str, object]]:
        if name == self._packages[-1]:
            return []
        image = {
            "registryId": "123456789012",
            "repositoryName": name,
            "imageDigest": f"sha256:{'0' * 64}",
            "imageTags": list(self._tags),
            "imagePushedAt": 1700000000,
        }
        return [image]

    def _token(self, region: str) -> dict[str, object]:
        login = f"AWS:{self._password(region)}".encode()
        return {
            "authorizationToken": base64.b64encode(login).decode(),
            "expiresAt": self._expires,
            "proxyEndpoint": f"https://123456789012.dkr.ecr.{region}.amazonaws.com",
        }


answers: Final = Plain()
_IDENTITY: Final = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult>"
    b"<Arn>arn:aws:iam::123456789012:user/octopus</Arn><UserId>AIDAEXAMPLE</UserId>"
    b"<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)


def _texts(body: dict[str, object]) -> list[str]:
    """The repositories that a request names."""
    names = body.get("repositoryNames", body.get("repositoryName", []))
    return [names] if isinstance(names, str) else [str(name) for name in list(names)]  # type: ignore[call-overload] # a list, as the service model says


def _repository(name: str, region: str) -> dict[str, object]:
    return {
        "repositoryName": name,
        "repositoryArn": f"arn:aws:ecr:{region}:123456789012:repository/{name}",
        "registryId": "123456789012",
        "repositoryUri": f"123456789012.dkr.ecr.{region}.amazonaws.com/{name}",
    }
