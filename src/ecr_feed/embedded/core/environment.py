"""What surrounds the account's callers: their network, and the organisation above them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Environment:
    """Condition context and policies that no IAM call shows.

    source_ip        the address AWS sees; not set in the context when a VPC endpoint is used
    vpce, vpc        the VPC endpoint the calls come through, and its VPC
    endpoint_policy  that endpoint's policy document (JSON text); "" for the default, full access
    organization     aws:PrincipalOrgID; "" where the account is in none
    scps, rcps       policy documents per level, root first; None: no organisation policies
    """

    source_ip: str = "203.0.113.10"
    vpce: str = ""
    vpc: str = ""
    endpoint_policy: str = ""
    organization: str = ""
    scps: tuple[tuple[str, ...], ...] | None = None
    rcps: tuple[tuple[str, ...], ...] | None = None
