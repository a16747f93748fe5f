"""An account over HTTP that always answers the same: for runs that are compared or stopped."""

from __future__ import annotations

import base64
import json
from typing import Final

from tests.support.proxy import Asked, Reply, ecr_error

PACKAGES: Final = ("team/app", "team/worker")
KEYS: Final = {
    "OCTOPUS_AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "OCTOPUS_AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzEXAMPLEKy",
}
_TOKEN: Final = base64.b64encode(b"AWS:a password of the registry").decode()


def feed(name: str, region: str = "eu-west-1", prefix: str = "OCTOPUS_") -> str:
    """One feed of a feeds file."""
    return (
        f'[[feed]]\nname = "{name}"\nregion = "{region}"\naccount = "123456789012"\n'
        f'packages = {json.dumps(PACKAGES)}\ncredentials = {{ env_prefix = "{prefix}" }}\n'
    )


def answers(asked: Asked) -> Reply:
    """Everything that a feed needs is there, but for the second package's images."""
    if asked.operation == "GetCallerIdentity":
        return Reply(
            200,
            b"<GetCallerIdentityResponse><GetCallerIdentityResult>"
            b"<Arn>arn:aws:iam::123456789012:user/octopus</Arn><UserId>AIDAEXAMPLE</UserId>"
            b"<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
            "text/xml",
        )
    body = _body(asked)
    if body is None:
        return ecr_error("AccessDeniedException", "not authorized")
    return Reply(200, json.dumps(body).encode())


def _body(asked: Asked) -> dict[str, object] | None:
    name = asked.json().get("repositoryName", "")
    match asked.operation:
        case "DescribeRepositories":
            return {"repositories": [_repository(each, asked.region) for each in PACKAGES]}
        case "DescribeImages" if name == PACKAGES[0]:
            return {"imageDetails": [{**_IMAGE, "repositoryName": name}]}
        case "DescribeImages":
            return {"imageDetails": []}
        case "ListImages":
            return {"imageIds": []}
        case "GetAuthorizationToken":
            host = f"https://123456789012.dkr.ecr.{asked.region}.amazonaws.com"
            token = {"authorizationToken": _TOKEN, "expiresAt": 1420070400, "proxyEndpoint": host}
            return {"authorizationData": [token]}
    return None


_IMAGE: Final = {
    "registryId": "123456789012",
    "imageDigest": f"sha256:{'0' * 64}",
    "imageTags": ["1.0"],
    "imagePushedAt": 1700000000,
}


def _repository(name: str, region: str) -> dict[str, object]:
    return {
        "repositoryName": name,
        "repositoryArn": f"arn:aws:ecr:{region}:123456789012:repository/{name}",
        "registryId": "123456789012",
        "repositoryUri": f"123456789012.dkr.ecr.{region}.amazonaws.com/{name}",
    }
