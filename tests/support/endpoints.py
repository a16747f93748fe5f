"""Fill any AWS-compatible endpoint (a moto server, ministack) from an account file."""

from __future__ import annotations

from ecr_feed.embedded.seeding.account_file import AccountFile
from ecr_feed.embedded.seeding.owner import Owner
from ecr_feed.embedded.seeding.seed import Seeded, fill_as


def fill_endpoint(endpoint_url: str, account: AccountFile) -> Seeded:
    """Create everything of the account file that has an API; ages, for one, have none."""
    return fill_as(Owner(endpoint_url=endpoint_url, partition=account.partition), account)
