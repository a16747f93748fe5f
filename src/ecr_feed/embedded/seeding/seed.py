"""Fill an account from an account file, as its owner would: by AWS API calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from botocore.exceptions import ClientError

from ecr_feed.aws.transport.backend import SigningKey
from ecr_feed.embedded.core.core import Core
from ecr_feed.embedded.core.environment import Environment
from ecr_feed.embedded.core.faults import Fault
from ecr_feed.embedded.identity.callers import owner_key
from ecr_feed.embedded.seeding import shorthand
from ecr_feed.embedded.seeding.accounts import AccountError, AccountFile, OrganizationPolicyTable
from ecr_feed.embedded.seeding.owner import Owner
from ecr_feed.embedded.seeding.seed_ecr import fill_registries
from ecr_feed.embedded.seeding.seed_iam import fill_iam
from ecr_feed.embedded.seeding.shorthand import FaultTable, Kind, document
from ecr_feed.facts.aws import Secret
from ecr_feed.token import LIFETIME

_FULL_ACCESS = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
)


# Labels that are always there: the account's root user, and its owner, whom no policy binds.
ROOT: Final = "root"
OWNER: Final = "owner"


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made. `keys`: label -> access key, as `aws.session.Backend` takes them."""

    account: str
    region: str
    keys: Mapping[str, SigningKey] = field(repr=False)


def fill(core: Core, account: AccountFile) -> Seeded:
    """Fill a core of the account file's partition; faults come in force last.

    Raises AccountError for what the services refuse.
    """
    regions = core.world.regions
    regions.extra |= set(account.enabled_regions)
    seeded = _fill(Owner(core, partition=account.partition), account)
    # From here on the owner is bound by all this too.
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


def fill_endpoint(endpoint_url: str, account: AccountFile) -> Seeded:
    """Fill whatever speaks AWS at an endpoint (a moto server, say) with all that the API can say.

    Ages, the network, organisation policies and faults have no API: they are left out.
    """
    return _fill(Owner(endpoint_url=endpoint_url, partition=account.partition), account)


def _fill(owner: Owner, account: AccountFile) -> Seeded:
    try:
        keys = fill_iam(owner, account)
        fill_registries(owner, account)
    except ClientError as error:
        said = error.response["Error"]
        where = f"{error.operation_name} refused it: {said['Code']}: {said['Message']}"
        raise AccountError(f"The account cannot be made: {where}") from error
    return Seeded(account.account, account.region, keys)


def core_for(account: AccountFile) -> Core:
    """An empty core of the account file's partition."""
    return Core(partition=account.partition)


def surroundings(account: AccountFile) -> Environment:
    """What no API call sets: the callers' network, and the organisation."""
    network, names = account.network, account.placeholders
    policy = network.endpoint_policy
    return Environment(
        source_ip=network.source_ip,
        vpce=network.vpce,
        vpc=network.vpc,
        endpoint_policy=document(policy, "endpoint", names) if policy is not None else "",
        organization=account.organization.id if account.organization else "",
        scps=_levels(account.scp, "identity", names),
        rcps=_levels(account.rcp, "registry", names),
    )


def _levels(
    tables: tuple[OrganizationPolicyTable, ...], kind: Kind, names: Mapping[str, str]
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
