from __future__ import annotations

import json
from typing import Any

import pytest

from ecr_feed.embedded.seeding.account_file import AccountError
from ecr_feed.planned.documents import Documents, account_from_documents
from tests.embedded.world import refused, world


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, resource: str | None = "*", **more: Any) -> dict[str, Any]:
    made = {"Effect": "Allow", "Action": action, **more}
    return made if resource is None else made | {"Resource": resource}


ALL = policy(allow("ecr:*"))


def given(**more: Any) -> Documents:
    return Documents(**{"region": "eu-west-1", "packages": ["team/app", "team/api"],
                        "policies": {"feed policy.json": ALL}, **more})  # fmt: skip


def test_policies_are_tried_on_the_packages() -> None:
    file = account_from_documents(given())
    made = world(file)
    found = made.client("ecr", "feed").describe_repositories()["repositories"]
    assert [row["repositoryName"] for row in found] == ["team/app", "team/api"]
    assert file.feed[0]["region"] == "eu-west-1"


def test_a_boundary_a_repository_policy_and_an_scp_count() -> None:
    limit = policy(allow("ecr:ListImages"))
    made = world(account_from_documents(given(boundary=("limit.json", limit))))
    said = refused(made.client("ecr", "feed").describe_repositories)
    assert "permissions boundary" in said[1]
    closed = policy({"Effect": "Deny", "Principal": "*", "Action": "ecr:ListImages"})
    made = world(account_from_documents(given(repository_policies={"team/api": closed})))
    ecr = made.client("ecr", "feed")
    assert ecr.list_images(repositoryName="team/app")["imageIds"] == []
    assert "resource-based" in refused(ecr.list_images, repositoryName="team/api")[1]
    scp = policy({"Effect": "Deny", "Action": "ecr:Get*", "Resource": "*"})
    made = world(account_from_documents(given(scps={"guard.json": scp})))
    said = refused(made.client("ecr", "feed").get_authorization_token)
    assert "service control policy" in said[1]


def test_a_package_that_is_no_name_has_no_repository() -> None:
    file = account_from_documents(given(packages=["team/app", "Team/App"]))
    assert [each.name for each in file.repository] == ["team/app"]
    assert file.feed[0]["packages"] == ["team/app", "Team/App"]


def test_the_account_is_the_one_the_documents_name() -> None:
    arn = "arn:aws:ecr:eu-west-1:111122223333:repository/team/*"
    file = account_from_documents(given(policies={"a.json": policy(allow("ecr:*", arn))}))
    assert file.account == "111122223333"
    ecr = world(file).client("ecr", "feed")
    assert ecr.list_images(repositoryName="team/app")["imageIds"] == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"policies": {"feed.json": "{"}}, "feed.json"),
        ({"policies": {"feed.json": policy({"Effect": "Alow"})}}, "feed.json"),
        ({"repository_policies": {"team/app": policy(allow("ecr:*", Principal="*"))}}, "Resource"),
        ({"boundary": ("limit.json", "[]")}, "limit.json"),
        ({"scps": {"guard.json": "1"}}, "guard.json"),
    ],
)
def test_what_aws_would_refuse_is_named(more: dict[str, Any], words: str) -> None:
    with pytest.raises(AccountError, match=words):
        account_from_documents(given(**more))


def grants(*principals: str) -> str:
    named = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "ecr:ListImages"}
    return policy(named)


ROOT = "arn:aws:iam::123456789012:root"


@pytest.mark.parametrize(
    ("account", "principals", "unheld"),
    [
        ("123456789012", ["*", ROOT, "123456789012"], []),
        ("", ["*"], []),
        ("", [ROOT], [ROOT]),
        ("123456789012", ["999988887777", ROOT], ["999988887777"]),
        ("123456789012", [ROOT.replace("root", "user/x")], [ROOT.replace("root", "user/x")]),
    ],
)
def test_principals_that_no_document_has_are_remarks(
    account: str, principals: list[str], unheld: list[str]
) -> None:
    policies = {"team/app": grants(*principals)}
    file = account_from_documents(given(repository_policies=policies, account=account))
    assert len(file.remarks) == len(unheld)
    assert all(each in said for each, said in zip(unheld, file.remarks, strict=True))
    assert [each.package for each in file.open] == ["team/app"] * bool(unheld)
    assert file.unknown == ()
