"""What IAM would answer, asked by callers with policies of every kind."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.embedded.world import ACCOUNT, OTHER, World, refused, world

APP = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/team/app"
ALLOWED = ""
IDENTITY = "because no identity-based policy allows"


@dataclass
class Row:
    """A user's policies as TOML, what it asks for, and the reason of the denial ("": allowed)."""

    name: str
    policies: str
    reason: str = ALLOWED
    call: str = "images"  # images, token, list, named
    user: str = ""  # more keys of the user
    top: str = ""  # more of the file
    repository: str = ""  # more keys of team/app


ALL = 'p = { allow = "ecr:*" }'
DENIED = "with an explicit deny in an identity-based policy"
ROWS = [
    Row("a plain grant", ALL),
    Row("nothing", "", IDENTITY),
    Row("scoped", 'p = { allow = "ecr:DescribeImages", on = "repository/team/app" }'),
    Row("scoped elsewhere", 'p = { allow = "ecr:*", on = "repository/team/api" }', IDENTITY),
    Row("other region", f'p = {{ allow = "ecr:*", on = "{APP.replace("eu-", "us-")}" }}', IDENTITY),
    Row("any case", 'p = { allow = "ECR:describeimages" }'),
    Row("question mark", 'p = { allow = "ecr:DescribeImage?" }'),
    Row("deny wins", 'p = [{ allow = "ecr:*" }, { deny = "ecr:DescribeImages" }]', DENIED),
    Row("deny elsewhere", 'p = [{ allow = "ecr:*" }, '
        '{ deny = "ecr:*", on = "repository/team/api" }]'),
    Row("token scoped", f'p = {{ allow = "ecr:GetAuthorizationToken", on = "{APP}" }}',
        IDENTITY, "token"),
    Row("token", 'p = { allow = "ecr:GetAuthorizationToken" }', call="token"),
    Row("token denied", 'p = [{ allow = "ecr:*" }, { deny = "ecr:GetAuthorizationToken" }]',
        DENIED, "token"),
    Row("list needs all", 'p = { allow = "ecr:*", on = "repository/team/*" }', IDENTITY, "list"),
    Row("list on all", 'p = { allow = "ecr:*", on = "repository/*" }', call="list"),
    Row("region condition", 'p = { allow = "ecr:*", when = '
        '{ StringEquals = { "aws:RequestedRegion" = "eu-west-1" } } }'),
    Row("false condition", 'p = { allow = "ecr:*", when = '
        '{ StringEquals = { "aws:RequestedRegion" = "us-east-1" } } }', IDENTITY),
    Row("private source", 'p = { allow = "ecr:*", when = '
        '{ IpAddress = { "aws:SourceIp" = "10.0.0.0/8" } } }', IDENTITY),
    Row("public source", 'p = { allow = "ecr:*", when = '
        '{ IpAddress = { "aws:SourceIp" = "198.51.100.0/24" } } }',
        top='[network]\nsource_ip = "198.51.100.7"'),
    Row("no source through an endpoint", 'p = { allow = "ecr:*", when = '
        '{ IpAddress = { "aws:SourceIp" = "203.0.113.0/24" } } }', IDENTITY,
        top='[network]\nvpce = "vpce-1"'),
    Row("through the endpoint", 'p = { allow = "ecr:*", when = '
        '{ StringEquals = { "aws:SourceVpce" = "vpce-1" } } }', top='[network]\nvpce = "vpce-1"'),
    Row("resource tag", 'p = { allow = "ecr:*", when = '
        '{ StringEquals = { "aws:ResourceTag/team" = "payments" } } }',
        repository='tags = { team = "payments" }'),
    Row("untagged", 'p = { allow = "ecr:*", when = '
        '{ StringEquals = { "aws:ResourceTag/team" = "payments" } } }', IDENTITY),
    Row("principal tag variable", 'p = { allow = "ecr:*", on = '
        '"arn:aws:ecr:*:*:repository/${aws:PrincipalTag/team}/*" }',
        user='tags = { team = "team" }'),
    Row("username variable", 'p = { allow = "ecr:*", on = '
        '"arn:aws:ecr:*:*:repository/${aws:username}/*" }', IDENTITY),
    Row("time is over", 'p = { allow = "ecr:*", when = '
        '{ DateLessThan = { "aws:CurrentTime" = "2020-01-01T00:00:00Z" } } }', IDENTITY),
    Row("boundary", ALL, "because no permissions boundary allows",
        user='boundary = { allow = "s3:*" }'),
    Row("boundary allows", ALL, user='boundary = { allow = "ecr:*" }'),
    Row("boundary denies", ALL, "with an explicit deny in a permissions boundary",
        user='boundary = [{ allow = "*" }, { deny = "ecr:*" }]'),
    Row("boundary grants nothing", "", IDENTITY, user='boundary = { allow = "ecr:*" }'),
    Row("managed policy", "", user='attached = ["AmazonEC2ContainerRegistryReadOnly"]'),
    Row("own managed policy", "", user='attached = ["own"]',
        top='[[policy]]\nname = "own"\ndocument = { allow = "ecr:*" }'),
    Row("group", "", user='groups = ["g"]',
        top='[[group]]\nname = "g"\n[group.policies]\np = { allow = "ecr:*" }'),
    Row("repository policy", "",
        repository='policy = { allow = "ecr:DescribeImages", to = '
        '"arn:aws:iam::{account}:user/octopus" }'),
    Row("repository policy for the account delegates", "", IDENTITY,
        repository='policy = { allow = "ecr:DescribeImages", to = "arn:aws:iam::{account}:root" }'),
    Row("repository policy denies", ALL, "with an explicit deny in a resource-based policy",
        repository='policy = { deny = "ecr:DescribeImages" }'),
    Row("registry policy denies", ALL, "with an explicit deny in a resource-based policy",
        top='[[registry]]\npolicy = { deny = "ecr:*", on = "repository/*" }'),
    Row("SCP denies", ALL, "with an explicit deny in a service control policy",
        top='[[scp]]\ndocument = { deny = "ecr:*" }'),
    Row("SCP allows something else", ALL, "because no service control policy allows",
        top='[[scp]]\ndocument = { allow = "s3:*" }'),
    Row("SCP level below", ALL, "because no service control policy allows",
        top='[[scp]]\nlevel = 1\ndocument = { allow = "s3:*" }'),
    Row("RCP denies", ALL, "with an explicit deny in a resource control policy",
        top='[[rcp]]\ndocument = { deny = "ecr:*" }'),
    Row("RCP denies others", ALL, top='[[rcp]]\ndocument = { deny = "ecr:DeleteRepository" }'),
    Row("endpoint policy", ALL, "because no VPC endpoint policy allows",
        top='[network]\nvpce = "vpce-1"\nendpoint_policy = { allow = "s3:*", on = "*" }'),
    Row("endpoint policy denies", ALL, "with an explicit deny in a VPC endpoint policy",
        top='[network]\nvpce = "vpce-1"\n'
        'endpoint_policy = [{ allow = "*", on = "*" }, { deny = "ecr:*", on = "*" }]'),
]  # fmt: skip


def built(row: Row) -> World:
    return world(
        f"{row.top}\n[[repository]]\nname = 'team/app'\n{row.repository}\n"
        f"[[user]]\nname = 'octopus'\nkeys = [{{ label = 'feed' }}]\n{row.user}\n"
        f"[user.policies]\n{row.policies}\n"
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_table(row: Row) -> None:
    ecr = built(row).client("ecr", "feed")
    call, params = {
        "images": (ecr.describe_images, {"repositoryName": "team/app"}),
        "token": (ecr.get_authorization_token, {}),
        "list": (ecr.describe_repositories, {}),
    }[row.call]
    if row.reason == ALLOWED:
        assert call(**params)
        return
    code, message, status = refused(call, **params)
    assert (code, status) == ("AccessDeniedException", 400)
    assert row.reason in message


SESSION = """
[[repository]]
name = "team/app"
[[role]]
name = "worker"
path = "/ci/"
max_session_seconds = 7200
trust = { allow = "sts:AssumeRole", to = "arn:aws:iam::{account}:user/octopus" }
keys = [{ label = "worker" }]
[role.policies]
p = { allow = "ecr:*" }
[[user]]
name = "octopus"
keys = [{ label = "feed" }]
"""


def test_a_session_has_its_roles_permissions_less_its_session_policy() -> None:
    made = world(SESSION)
    sts = made.client("sts", "feed")
    arn = f"arn:aws:iam::{ACCOUNT}:role/ci/worker"
    only = json.dumps(
        {"Version": "2012-10-17",
         "Statement": [{"Effect": "Allow", "Action": "ecr:ListImages", "Resource": "*"}]}
    )  # fmt: skip
    made_of = {"RoleArn": arn, "RoleSessionName": "build"}
    plain = sts.assume_role(**made_of)["Credentials"]
    cut = sts.assume_role(**made_of, Policy=only)["Credentials"]
    for given, allowed in ((plain, True), (cut, False)):
        key = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        ecr = made.owner.as_key("ecr", "eu-west-1", key)
        assert ecr.list_images(repositoryName="team/app")["imageIds"] == []
        if allowed:
            assert ecr.describe_images(repositoryName="team/app")["imageDetails"] == []
            continue
        said = refused(ecr.describe_images, repositoryName="team/app")
        assert "because no session policy allows" in said[1]
        assert f"User: arn:aws:sts::{ACCOUNT}:assumed-role/worker/build is" in said[1]


def test_a_worker_session_is_judged_by_its_role() -> None:
    ecr = world(SESSION).client("ecr", "worker")
    assert ecr.describe_repositories(repositoryNames=["team/app"])["repositories"]


CROSS = f"""
[[repository]]
name = "team/shared"
account = "{OTHER}"
policy = {{ allow = "ecr:*", to = "arn:aws:iam::{{account}}:root" }}
[[repository]]
name = "team/closed"
account = "{OTHER}"
[[user]]
name = "both"
keys = [{{ label = "both" }}]
policies = {{ p = {{ allow = "ecr:*" }} }}
[[user]]
name = "nothing"
keys = [{{ label = "nothing" }}]
"""


def test_another_account_needs_both_sides() -> None:
    made = world(CROSS)
    shared = {"registryId": OTHER, "repositoryName": "team/shared"}
    closed = {"registryId": OTHER, "repositoryName": "team/closed"}
    assert made.client("ecr", "both").describe_images(**shared)["imageDetails"] == []
    said = refused(made.client("ecr", "nothing").describe_images, **shared)
    assert "because no identity-based policy allows" in said[1]
    said = refused(made.client("ecr", "both").describe_images, **closed)
    assert "because no resource-based policy allows" in said[1]
    own = made.client("ecr", "both").describe_repositories()["repositories"]
    assert own == []


def test_identity_is_told_under_any_deny() -> None:
    made = built(Row("", 'p = { deny = "*" }'))
    assert made.client("sts", "feed").get_caller_identity()["Account"] == ACCOUNT


def test_root_needs_no_policy_but_bows_to_scps() -> None:
    made = built(Row("", "", top='[[scp]]\ndocument = { deny = "ecr:GetAuthorizationToken" }'))
    said = refused(made.client("ecr").get_authorization_token)
    assert "explicit deny in a service control policy" in said[1]
    assert made.client("ecr").describe_repositories()["repositories"]


def test_the_owner_is_bound_by_nothing() -> None:
    made = built(Row("", "", top='[[scp]]\ndocument = { deny = "*" }'))
    assert made.client("ecr", "owner").get_authorization_token()["authorizationData"]
    assert made.client("sts", "owner").get_caller_identity()["Arn"].endswith(":root")
    assert refused(made.client("iam").list_users)[0] == "AccessDenied"


def test_iam_reads_are_judged_on_the_entity() -> None:
    made = world(
        """
        [[user]]
        name = "auditor"
        path = "/ops/"
        keys = [{ label = "auditor" }]
        [user.policies]
        p = { allow = "iam:GetUser", on = "arn:aws:iam::{account}:user/ops/*" }
        [[user]]
        name = "other"
        """
    )
    iam = made.client("iam", "auditor")
    assert iam.get_user()["User"]["UserName"] == "auditor"
    assert iam.get_user(UserName="auditor")["User"]["Path"] == "/ops/"
    code, message, status = refused(iam.get_user, UserName="other")
    assert (code, status) == ("AccessDenied", 403)
    assert f"iam:GetUser on resource: arn:aws:iam::{ACCOUNT}:user/other because" in message


def test_a_change_of_policy_counts_at_once() -> None:
    made = built(Row("", ALL))
    ecr, iam = made.client("ecr", "feed"), made.client("iam")
    assert ecr.describe_repositories()["repositories"]
    iam.delete_user_policy(UserName="octopus", PolicyName="p")
    assert refused(ecr.describe_repositories)[0] == "AccessDeniedException"
