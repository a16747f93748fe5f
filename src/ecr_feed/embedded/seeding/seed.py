"""Fill an account from an account file, through AWS API calls of its owner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from botocore.exceptions import ClientError

from ecr_feed.aws.transport.backend import SigningKey
from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.faults import Fault
from ecr_feed.embedded.identity.callers import owner_key
from ecr_feed.embedded.seeding import shorthand
from ecr_feed.embedded.seeding.account_file import (
    AccountError,
    AccountFile,
    OrganizationPolicyTable,
    OrganizationTable,
)
from ecr_feed.embedded.seeding.owner import Owner
from ecr_feed.embedded.seeding.seed_ecr import fill_registries
from ecr_feed.embedded.seeding.seed_iam import fill_iam
from ecr_feed.embedded.seeding.shorthand import FaultTable, PolicyKind, document
from ecr_feed.embedded.world import RCP, SCP, Environment
from ecr_feed.facts.aws import Secret
from ecr_feed.token import LIFETIME

# Labels that always exist: the account's root user, and its owner, whom no policy limits.
ROOT: Final = "root"
OWNER: Final = "owner"


@dataclass(frozen=True, slots=True)
class Seeded:
    """A filled account. `keys`: label -> access key."""

    keys: Mapping[str, SigningKey] = field(repr=False)


def fill(core: EmbeddedAws, account: AccountFile) -> Seeded:
    """Fill an embedded AWS of the account file's partition; faults apply afterwards only.

    Raises AccountError for what the services refuse.
    """
    regions = core.world.regions
    regions.extra |= set(account.enabled_regions)
    core.world.quotas.update(account.quotas)
    seeded = fill_as(Owner(core, partition=account.partition), account)
    # From here on, these apply to the owner too.
    regions.disabled |= set(account.disabled_regions)
    core.world.environment = surroundings(account)
    core.world.clock.client_off = account.clock_off
    for table in account.fault:
        core.faults.add(_fault(table, seeded.keys, core.now()))
    ring, number = core.world.keys, account.account
    own = {
        ROOT: SigningKey(number, Secret(ring.root_secret)),
        OWNER: SigningKey(owner_key(number), Secret(ring.owner_secret)),
    }
    return replace(seeded, keys={**own, **seeded.keys})


def fill_as(owner: Owner, account: AccountFile) -> Seeded:
    """Fill an account with everything that has an API; ages only in process.

    The network, organisation policies and faults have no API: see `fill`. Raises AccountError.
    """
    try:
        keys = fill_iam(owner, account)
        fill_registries(owner, account)
    except ClientError as error:
        said = error.response["Error"]
        where = f"{error.operation_name} refused it: {said['Code']}: {said['Message']}"
        raise AccountError(f"The account cannot be made: {where}") from error
    return Seeded(keys)


def core_for(account: AccountFile) -> EmbeddedAws:
    """An empty embedded AWS of the account file's partition."""
    return EmbeddedAws(partition=account.partition)


_TYPE_STATUS: Final = {
    "on": "ENABLED",
    "enabling": "PENDING_ENABLE",
    "disabling": "PENDING_DISABLE",
}


def surroundings(account: AccountFile) -> Environment:
    """The callers' network and the organisation, which no API call sets."""
    network, names = account.network, account.placeholders
    policy = network.endpoint_policy
    above = account.organization or OrganizationTable()
    states = {SCP: above.scps, RCP: above.rcps}
    return Environment(
        source_ip=network.source_ip,
        vpce=network.vpce,
        vpc=network.vpc,
        endpoint_policy=document(policy, "endpoint", names) if policy is not None else "",
        organization=account.organization.id if account.organization else "",
        delegated=above.delegated_administrator,
        policy_types={
            kind: _TYPE_STATUS[state] for kind, state in states.items() if state in _TYPE_STATUS
        },
        scps=_levels(account.scp, "identity", names),
        rcps=_levels(account.rcp, "registry", names),
    )


def _levels(
    tables: tuple[OrganizationPolicyTable, ...], kind: PolicyKind, names: Mapping[str, str]
) -> tuple[tuple[str, ...], ...] | None:
    if not tables:
        return None
    levels = []
    for level in range(max(table.level for table in tables) + 1):
        texts = [document(t.document, kind, names) for t in tables if t.level == level]
        if not any(_allows(text) for text in texts):
            texts.append(document({"allow": "*"}, kind, names))
        levels.append(tuple(texts))
    return tuple(levels)


def _allows(text: str) -> bool:
    statements = json.loads(text)["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    return any(statement.get("Effect") == "Allow" for statement in listed)


def _fault(table: FaultTable, keys: Mapping[str, SigningKey], now: datetime) -> Fault:
    """`{in_12_hours}` in a body is the time, in epoch seconds, at which a new token expires."""
    fields = table.model_dump(exclude={"key"})
    if table.body is not None:
        expiry = (now + LIFETIME).timestamp()
        fields["body"] = shorthand.fill(table.body, {"in_12_hours": f"{expiry:.0f}"})
    if table.key:
        fields["caller"] = keys[table.key].access_key_id
    return Fault(**fields)
