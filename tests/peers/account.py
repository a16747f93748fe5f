"""The table's account at one endpoint: made by its owner, asked by each row's own caller.

The same boto3 calls make it and ask it, wherever the endpoint is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from ecr_feed.embedded.protocol.botocore_data import new_session
from ecr_feed.iam import Outcome
from tests.peers.rows import ACCOUNT, REGION, SESSION, TAGS, Call, Row

Key = tuple[str, str, str | None]

REPOSITORIES: Final = ("team/app", "team/api", "team/deep/app", "team.app")
_ASSUMER: Final = "assumer"
_DENIALS: Final = ("AccessDenied", "AccessDeniedException")
# What an allowed call may end in here: the row asks for what is not there, or is there already.
_PAST_THE_GATE: Final = ("RepositoryNotFoundException", "RepositoryAlreadyExistsException")
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    },
}


@dataclass
class Caller:
    """boto3 clients of one endpoint that sign with whatever key is taken up.

    One client for each service and region serves every caller: making one costs more than asking.
    """

    open: Callable[[Any], None] = lambda session: None  # registers an in-process entry
    endpoint_url: str | None = None
    _credentials: Credentials = field(init=False)
    _session: Any = field(init=False)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._session = new_session()
        self.open(self._session)
        self._session.set_credentials("nobody", "nothing")
        self._credentials = self._session.get_credentials()

    def client(self, key: Key, service: str, region: str = REGION) -> Any:
        """The client, signing with this key from now on."""
        held = self._credentials
        held.access_key, held.secret_key, held.token = key
        at = "us-east-1" if service == "iam" else region
        if (service, at) not in self._clients:
            self._clients[service, at] = self._session.create_client(
                service,
                region_name=at,
                endpoint_url=self.endpoint_url,
                config=Config(retries={"total_max_attempts": 1}, proxies={}),
            )
        return self._clients[service, at]


@dataclass
class Peer:
    """An endpoint with the table's account in it."""

    name: str
    caller: Caller
    owner: Key
    keys: dict[str, Key] = field(default_factory=dict)

    def fill(self, rows: Iterable[Row]) -> Peer:
        """Make users, roles, policies and repositories of the rows."""
        ecr = self._own("ecr")
        for name in REPOSITORIES:
            ecr.create_repository(repositoryName=name)
        tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
        arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app"
        ecr.tag_resource(resourceArn=arn, tags=tags)
        self._own("ecr", "us-east-1").create_repository(repositoryName="team/app")
        self._make_assumer()
        for row in rows:
            self._make(row)
        return self

    def answer(self, row: Row) -> Outcome:
        """What the row's caller gets: by the answer's code, and AWS's words for why."""
        call = row.call
        try:
            self._call(self._key(row), call, row)
        except ClientError as error:
            said = error.response["Error"]
            if said["Code"] in _DENIALS:
                return _why(said["Message"])
            if said["Code"] not in _PAST_THE_GATE:
                raise
        return Outcome.ALLOWED

    def simulate(self, source: str, **more: Any) -> dict[str, Any]:
        """The one result of a simulation as the owner."""
        said = self._own("iam").simulate_principal_policy(PolicySourceArn=source, **more)
        (result,) = said["EvaluationResults"]
        found: dict[str, Any] = result
        return found

    def _own(self, service: str, region: str = REGION) -> Any:
        return self.caller.client(self.owner, service, region)

    def _call(self, key: Key, call: Call, row: Row) -> None:
        params = json.loads(row.fill(json.dumps(dict(call.params))))
        getattr(self.caller.client(key, call.service, call.region), call.method)(**params)

    def _key(self, row: Row) -> Key:
        """The row's user, or a session of its role."""
        if row.session is None:
            return self.keys[row.slug]
        policy = {"Policy": row.document(row.session)} if row.session else {}
        sts = self.caller.client(self.keys[_ASSUMER], "sts")
        arn = row.fill(f"arn:aws:iam::{ACCOUNT}:role/{{role}}")
        said = sts.assume_role(RoleArn=arn, RoleSessionName=SESSION, **policy)["Credentials"]
        return said["AccessKeyId"], said["SecretAccessKey"], said["SessionToken"]

    def _make_assumer(self) -> None:
        iam = self._own("iam")
        iam.create_user(UserName=_ASSUMER)
        policy = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": policy})
        iam.put_user_policy(UserName=_ASSUMER, PolicyName="assume", PolicyDocument=text)
        self.keys[_ASSUMER] = self._new_key(iam, _ASSUMER)

    def _make(self, row: Row) -> None:
        iam = self._own("iam")
        entity = _Entity(iam, "User" if row.session is None else "Role", row)
        entity.create()
        if row.session is None:
            self.keys[row.slug] = self._new_key(iam, row.slug)
        entity.give_policies()
        if row.group or row.group_attached:
            entity.join_group()
        if "{own}" in json.dumps(dict(row.call.params)) or row.repository:
            name = row.fill("{own}")
            self._own("ecr").create_repository(repositoryName=name)
            if row.repository:
                text = row.document(row.repository)
                self._own("ecr").set_repository_policy(repositoryName=name, policyText=text)

    @staticmethod
    def _new_key(iam: Any, user: str) -> Key:
        made = iam.create_access_key(UserName=user)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"], None


@dataclass
class _Entity:
    """A row's user or role, as IAM's calls name it."""

    iam: Any
    kind: str  # User or Role
    row: Row

    def create(self) -> None:
        row = self.row
        given: dict[str, Any] = {
            f"{self.kind}Name": row.slug,
            "Path": row.path,
            "Tags": [{"Key": key, "Value": value} for key, value in row.tags.items()],
        }
        if self.kind == "Role":
            given["AssumeRolePolicyDocument"] = json.dumps(_TRUST)
        if row.boundary:
            given["PermissionsBoundary"] = self._policy("boundary", row.document(row.boundary))
        getattr(self.iam, f"create_{self.kind.lower()}")(**given)

    def give_policies(self) -> None:
        row = self.row
        if row.inline:
            self._do("put_{}_policy", PolicyName="own",
                     PolicyDocument=row.document(row.inline, row.version))  # fmt: skip
        arns = [
            self._policy(f"attached-{n}", row.document(statements))
            for n, statements in enumerate(row.attached)
        ]
        if row.versions:
            arns.append(self._versioned())
        for arn in arns:
            self._do("attach_{}_policy", PolicyArn=arn)

    def join_group(self) -> None:
        row, name = self.row, {"GroupName": self.row.slug}
        self.iam.create_group(**name)
        if row.group:
            text = row.document(row.group)
            self.iam.put_group_policy(**name, PolicyName="own", PolicyDocument=text)
        if row.group_attached:
            arn = self._policy("group", row.document(row.group_attached))
            self.iam.attach_group_policy(**name, PolicyArn=arn)
        self.iam.add_user_to_group(**name, UserName=row.slug)

    def _versioned(self) -> str:
        (_, statements), *later = self.row.versions
        arn = self._policy("versions", self.row.document(statements))
        for is_default, statements in later:
            text = self.row.document(statements)
            self.iam.create_policy_version(
                PolicyArn=arn, PolicyDocument=text, SetAsDefault=is_default
            )
        return arn

    def _policy(self, suffix: str, text: str) -> str:
        name = f"{self.row.slug}-{suffix}"
        made = self.iam.create_policy(PolicyName=name, PolicyDocument=text)["Policy"]
        arn: str = made["Arn"]
        return arn

    def _do(self, method: str, **params: Any) -> None:
        named = {f"{self.kind}Name": self.row.slug, **params}
        getattr(self.iam, method.format(self.kind.lower()))(**named)


def _why(message: str) -> Outcome:
    """The kind of a denial, as AWS's message tells it."""
    if "with an explicit deny" in message:
        return Outcome.EXPLICIT_DENY
    if "because no" in message:
        return Outcome.IMPLICIT_DENY
    raise AssertionError(f"a denial without a reason: {message}")
