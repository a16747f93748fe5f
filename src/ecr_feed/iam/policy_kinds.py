"""Which elements each kind of policy must, may and must not have; size limits.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language"; Amazon ECR User Guide,
"Repository policies" and "Registry permissions"; Organizations User Guide, "SCP syntax" and "RCP
syntax"; IAM quotas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Presence(StrEnum):
    """Whether an element belongs in a statement."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    REFUSED = "refused"


class Kind(StrEnum):
    """What a policy document is attached to."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    REGISTRY = "registry"
    KEY = "key"
    TRUST = "trust"
    BOUNDARY = "boundary"
    SESSION = "session"
    SCP = "scp"
    RCP = "rcp"


@dataclass(frozen=True, slots=True)
class Rules:
    """`latin_only`: the API refuses characters above U+00FF. `plain_sid`: letters and digits."""

    resource: Presence
    principal: Presence
    latin_only: bool = False
    plain_sid: bool = False


_IDENTITY = Rules(Presence.REQUIRED, Presence.REFUSED, latin_only=True, plain_sid=True)

RULES: Mapping[Kind, Rules] = MappingProxyType(
    {
        Kind.IDENTITY: _IDENTITY,
        Kind.BOUNDARY: _IDENTITY,
        Kind.SESSION: _IDENTITY,
        # Amazon ECR refuses a Resource; other services' resource policies carry one.
        Kind.RESOURCE: Rules(Presence.OPTIONAL, Presence.REQUIRED),
        Kind.REGISTRY: Rules(Presence.REQUIRED, Presence.REQUIRED),
        Kind.KEY: Rules(Presence.REQUIRED, Presence.REQUIRED),
        Kind.TRUST: Rules(Presence.REFUSED, Presence.REQUIRED, latin_only=True, plain_sid=True),
        Kind.SCP: Rules(Presence.REQUIRED, Presence.REFUSED, plain_sid=True),
        Kind.RCP: Rules(Presence.REQUIRED, Presence.REQUIRED, plain_sid=True),
    }
)

SIZE_LIMITS: Mapping[str, int] = MappingProxyType(
    {
        "managed policy": 6144,
        "user inline policies": 2048,
        "group inline policies": 5120,
        "role inline policies": 10240,
        "trust policy": 2048,
        "session policy": 2048,
        "repository policy": 10240,
        "registry policy": 10240,
        "service control policy": 5120,
        "resource control policy": 5120,
    }
)
"""Characters that AWS accepts, white space not counted (default quotas)."""

API_LIMIT = 131_072
"""The longest document that IAM's API accepts, in characters, white space included."""
