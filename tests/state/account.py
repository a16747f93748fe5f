"""The account as its owner changes it, by boto3, and as a feed reads it, each time anew."""

from __future__ import annotations

import hashlib
import json
import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ecr_feed.aws.account import Account
from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.aws.transport.backend import Backend
from ecr_feed.aws.transport.botosession import Settings
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import Feed, KeyCredentials, Package
from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.protocol.botocore_handler import boto3_answer
from ecr_feed.embedded.seeding.account_file import from_tables
from ecr_feed.embedded.seeding.owner import Owner
from ecr_feed.embedded.seeding.seed import OWNER, fill
from ecr_feed.permissions.answers import Rights
from tests.state.model import EVERY_REPOSITORY, EVERYTHING, NAMES, Statement

REGION: Final = "me-south-1"  # an opt-in region: it can be switched off
ACCOUNT: Final = "123456789012"
USER: Final = f"arn:aws:iam::{ACCOUNT}:user/octopus"
BEGINNING: Final = datetime(2026, 11, 1, tzinfo=UTC)
_FILE: Final = f"""
region = "{REGION}"
enabled_regions = ["{REGION}"]
[organization]
[[user]]
name = "octopus"
keys = [{{ label = "feed" }}]
"""
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"


def manifest(content: int) -> str:
    """One of a few manifests without layers."""
    found = {"schemaVersion": 2, "mediaType": _MANIFEST, "annotations": {"n": str(content)}}
    return json.dumps(found)


def digest(content: int) -> str:
    """The image's digest: the sha256 of its manifest."""
    return f"sha256:{hashlib.sha256(manifest(content).encode()).hexdigest()}"


class Real:
    """The embedded account, filled with a user and its key."""

    def __init__(self) -> None:
        self.core = EmbeddedAws(clock=lambda: BEGINNING)
        self.seeded = fill(self.core, from_tables(tomllib.loads(_FILE), "state"))
        owner = Owner(self.core)
        self.iam: Any = owner.client("iam", REGION, ACCOUNT)
        self.ecr: Any = owner.client("ecr", REGION, ACCOUNT)

    def put(self, policy: str, statement: Statement) -> None:
        """Write an inline policy of one statement."""
        found = {**_said(statement), "Resource": _resource(statement.scope)}
        self.iam.put_user_policy(
            UserName="octopus", PolicyName=policy, PolicyDocument=_document(found)
        )

    def drop(self, policy: str) -> None:
        """Remove an inline policy."""
        self.iam.delete_user_policy(UserName="octopus", PolicyName=policy)

    def put_on(self, name: str, statement: Statement) -> None:
        """Write a repository's policy of one statement about the user."""
        found = {**_said(statement), "Principal": {"AWS": USER}}
        self.ecr.set_repository_policy(repositoryName=name, policyText=_document(found))

    def set_key(self, active: bool) -> None:
        """Activate or deactivate the feed's key."""
        self.iam.update_access_key(
            UserName="octopus",
            AccessKeyId=self.seeded.keys["feed"].access_key_id,
            Status="Active" if active else "Inactive",
        )

    def set_region(self, enabled: bool) -> None:
        """Enable or disable the region: no API call of ours does that, it takes AWS minutes."""
        regions = self.core.world.regions.extra
        regions.add(REGION) if enabled else regions.discard(REGION)

    def rights(self) -> Rights:
        """The feed's account and rights, as a run that starts now finds them."""
        backend = Backend("embedded", boto3_answer(self.core), self.seeded.keys)
        sessions = Sessions(backend=backend, settings=Settings(threads=2), now=self.core.now)
        feed = Feed(
            name="Feed",
            region=REGION,
            packages=tuple(Package(id=name) for name in NAMES),
            credentials=KeyCredentials(key="feed"),
        )
        account = Account(feed, sessions, self.core.now)

        def audit(number: str) -> DocumentReader:
            return DocumentReader(sessions, KeyCredentials(key=OWNER), REGION, account=number)

        return Rights(account, audit, self.core.now)


def _said(statement: Statement) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": statement.effect, "Action": statement.action}
    if statement.until is not None:
        end = BEGINNING + timedelta(hours=statement.until)
        found["Condition"] = {"DateLessThan": {"aws:CurrentTime": end.isoformat()}}
    return found


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _resource(scope: str) -> str:
    if scope == EVERYTHING:
        return "*"
    name = "*" if scope == EVERY_REPOSITORY else scope
    return f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}"
