"""What becomes of each object of a plan, and objects that AWS cannot both make."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ecr_feed.embedded.seeding.account_file import AccountError, AccountFile
from ecr_feed.planned.terraform import account_from_plan
from tests.planned.plans import (
    Json,
    access,
    allow,
    changed,
    constant,
    plan,
    reference,
    repository,
    resource,
    role,
    user,
)

APP = repository("team/app")
ALL = access(allow("ecr:*"))


def names(file: AccountFile) -> list[str]:
    return sorted(each.name for each in file.repository)


def stated(file: AccountFile) -> set[str]:
    """The repositories of the feed's region that the plan makes or reads."""
    assert file.plan is not None
    return set(file.plan.repositories["eu-west-1"])


def with_changes(document: Json, *changes: Json) -> Json:
    """These entries of `resource_changes` in place of those of the same address."""
    made = copy.deepcopy(document)
    replaced = {each["address"] for each in changes}
    kept = [each for each in made["resource_changes"] if each["address"] not in replaced]
    return {**made, "resource_changes": [*kept, *changes]}


OLD = repository("team/old", "old")
NULLED = {**OLD, "values": {"name": None, "image_tag_mutability": None}}
BEFORE = {"name": "team/old", "image_tag_mutability": "IMMUTABLE", "tags_all": {"team": "shop"}}


@pytest.mark.parametrize("listed", [(), (NULLED,)], ids=["left out", "listed with nulls"])
def test_what_is_forgotten_stays_as_it_was(listed: tuple[Json, ...]) -> None:
    document = plan(APP, *listed, user())
    file = account_from_plan(with_changes(document, changed(OLD, "forget", before=BEFORE)))
    assert names(file) == ["team/app", "team/old"]
    old = next(each for each in file.repository if each.name == "team/old")
    assert (old.mutability, old.tags) == ("IMMUTABLE", {"team": "shop"})
    assert stated(file) == {"team/app", "team/old"}
    assert not file.open


@pytest.mark.parametrize("listed", [(), (OLD,)], ids=["left out", "listed"])
def test_what_is_deleted_is_gone(listed: tuple[Json, ...]) -> None:
    document = plan(APP, *listed, user())
    file = account_from_plan(with_changes(document, changed(OLD, "delete", before=BEFORE)))
    assert names(file) == ["team/app"]


@pytest.mark.parametrize("actions", [("delete", "create"), ("create", "delete")])
def test_a_replacement_is_the_new_one(actions: tuple[str, ...]) -> None:
    document = plan(APP, repository("team/new", "old"), user())
    change = changed(OLD, *actions, before=BEFORE)
    assert names(account_from_plan(with_changes(document, change))) == ["team/app", "team/new"]


def test_create_and_forget_leave_both() -> None:
    document = plan(APP, repository("team/new", "old"), user())
    file = account_from_plan(
        with_changes(document, changed(OLD, "create", "forget", before=BEFORE))
    )
    assert names(file) == ["team/app", "team/new", "team/old"]


def test_create_and_forget_of_one_name_is_refused() -> None:
    change = changed(APP, "create", "forget", before={"name": "team/app"})
    with pytest.raises(AccountError) as caught:
        account_from_plan(with_changes(plan(APP, user()), change))
    said = str(caught.value)
    assert "aws_ecr_repository.app and aws_ecr_repository.app (forgotten)" in said
    assert "import it" in said


@pytest.mark.parametrize(("actions", "there"), [(["forget"], True), (["delete"], False)])
def test_a_deposed_object_has_its_own_change(actions: list[str], there: bool) -> None:
    document = plan(APP, repository("team/new", "old"), user())
    document["resource_changes"].append(changed(OLD, *actions, before=BEFORE, deposed="ab12cd34"))
    assert ("team/old" in names(account_from_plan(document))) is there
    assert "team/new" in names(account_from_plan(document))


@pytest.mark.parametrize("actions", [("no-op",), ("update",), ("create",)])
def test_all_else_is_as_planned(actions: tuple[str, ...]) -> None:
    change = changed(APP, *actions, before={"name": "team/app"})
    assert names(account_from_plan(with_changes(plan(APP, user()), change))) == ["team/app"]


def test_a_forgotten_identity_keeps_what_it_had() -> None:
    gone = user()
    policy = resource("aws_iam_user_policy.pull", {})
    held = {"name": "pull", "user": "octopus", "policy": ALL}
    document = with_changes(
        plan(APP),
        changed(gone, "forget", before={"name": "octopus", "path": "/"}),
        changed(policy, "forget", before=held),
    )
    file = account_from_plan(document, identity="aws_iam_user.feed")
    assert file.user[0].policies == {"pull": ALL}


def test_a_deleted_policy_grants_nothing() -> None:
    policy = resource("aws_iam_user_policy.pull", {"name": "p", "user": "octopus", "policy": ALL})
    document = with_changes(plan(APP, user(), policy), changed(policy, "delete", before={}))
    assert account_from_plan(document).user[0].policies == {}


def read(name: str = "team/read", arn_account: str = "210987654321") -> Json:
    arn = f"arn:aws:ecr:eu-west-1:{arn_account}:repository/{name}"
    return resource("data.aws_ecr_repository.read", {"name": name, "arn": arn})


def prior(*resources: Json) -> Json:
    return {"values": {"root_module": {"resources": list(resources)}}}


def test_a_repository_that_the_plan_reads_is_there() -> None:
    file = account_from_plan(plan(user(), prior_state=prior(read())))
    assert stated(file) == {"team/read"}
    assert file.feed[0]["packages"] == ["team/read"]
    assert file.account == "210987654321"
    (item,) = file.open
    assert (item.package, item.effect) == ("team/read", "may allow")
    assert file.unknown == ()
    assert "data.aws_ecr_repository.read is read: its repository policy" in item.says


def test_a_package_that_the_plan_does_not_name_is_not_stated() -> None:
    file = account_from_plan(plan(APP, user()), packages=["team/app", "team/other"])
    assert stated(file) == {"team/app"}


def test_a_policy_of_a_repository_that_the_plan_does_not_make_is_judged() -> None:
    text = access({"Effect": "Deny", "Principal": "*", "Action": "ecr:*"})
    policy = resource("aws_ecr_repository_policy.x", {"repository": "team/x", "policy": text})
    file = account_from_plan(plan(APP, user(), policy), packages=["team/x"])
    assert stated(file) == {"team/app"}
    assert {each.name: each.policy for each in file.repository}["team/x"] == text
    assert account_from_plan(plan(APP, user(), policy)).feed[0]["packages"] == ["team/app"]


@pytest.mark.parametrize(
    ("actions", "deferred", "clash"),
    [("create", False, True), ("create", True, False), ("no-op", False, False)],
    ids=["exists", "read after apply", "managed already"],
)
def test_what_is_read_cannot_be_made_again(actions: str, deferred: bool, clash: bool) -> None:
    data = read("team/app")
    made = {**APP, "actions": [actions]}
    document = plan(made, user(), data) if deferred else plan(made, user(), prior_state=prior(data))
    if clash:
        with pytest.raises(AccountError, match=r"data\.aws_ecr_repository\.read and aws_ecr_"):
            account_from_plan(document)
    else:
        assert account_from_plan(document).feed[0]["packages"] == ["team/app"]


def policy_of(name: str, label: str) -> Json:
    return resource(f"aws_iam_policy.{label}", {"name": name, "path": "/", "policy": ALL})


def provider(url: str, label: str) -> Json:
    return resource(f"aws_iam_openid_connect_provider.{label}", {"url": url})


@pytest.mark.parametrize(
    ("first", "second", "noun"),
    [
        (APP, repository("team/app", "again"), "repository"),
        (user(), resource("aws_iam_user.again", {"name": "Octopus"}), "IAM user"),
        (role("feed"), role("FEED", "again"), "IAM role"),
        (policy_of("pull", "a"), policy_of("Pull", "b"), "IAM policy"),
        (provider("https://o.example.com", "a"), provider("o.example.com", "b"), "OIDC provider"),
        (
            resource("aws_iam_group.a", {"name": "g"}),
            resource("aws_iam_group.b", {"name": "G"}),
            "IAM group",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_two_of_one_name_name_both_addresses(first: Json, second: Json, noun: str) -> None:
    with pytest.raises(AccountError, match="AWS refuses the second") as caught:
        account_from_plan(plan(first, second))
    for words in (first["address"], second["address"], noun):
        assert words in str(caught.value)


def aliased(document: Json, address: str, alias: str, **expressions: Any) -> Json:
    """The resource of that address is made by another provider."""
    for block in document["configuration"]["root_module"]["resources"]:
        if block["address"] == address:
            block["provider_config_key"] = alias
        else:
            block.setdefault("provider_config_key", "aws")
    document["configuration"]["provider_config"][alias] = {"expressions": expressions}
    return document


OTHER_ACCOUNT = [{"role_arn": constant("arn:aws:iam::210987654321:role/deploy")}]


@pytest.mark.parametrize(
    "settings",
    [
        {"region": constant("us-west-2")},
        {"region": constant("eu-west-1"), "assume_role": OTHER_ACCOUNT},
        {"region": constant("eu-west-1"), "profile": constant("other")},
        {"region": constant("eu-west-1"), "allowed_account_ids": constant(["210987654321"])},
    ],
    ids=["region", "role", "profile", "account"],
)
def test_repositories_of_two_regions_or_accounts_may_have_one_name(settings: Json) -> None:
    again = repository("team/app", "again")
    document = aliased(plan(APP, again, user()), again["address"], "aws.other", **settings)
    assert account_from_plan(document).feed[0]["packages"] == ["team/app"]


@pytest.mark.parametrize(
    ("settings", "clash"),
    [
        ({"region": constant("us-west-2")}, True),  # IAM is one for all regions
        ({"region": constant("eu-west-1"), "assume_role": OTHER_ACCOUNT}, False),
    ],
    ids=["region", "account"],
)
def test_identities_clash_within_an_account(settings: Json, clash: bool) -> None:
    again = resource("aws_iam_user.again", {"name": "octopus", "path": "/"})
    document = aliased(plan(APP, user(), again), again["address"], "aws.other", **settings)
    if clash:
        with pytest.raises(AccountError, match=r"aws_iam_user\.again"):
            account_from_plan(document)
    else:
        file = account_from_plan(document)
        assert [each.name for each in file.user] == ["octopus"]
        other = account_from_plan(document, identity="aws_iam_user.again")
        assert "whether both are of one account" in other.unknown[0]


def test_an_identity_of_another_account_is_not_the_feeds() -> None:
    again = resource("aws_iam_user.again", {"name": "octopus", "path": "/"})
    caller = resource("data.aws_caller_identity.me", {"account_id": "123456789012"})
    document = aliased(
        plan(APP, user(), again, prior_state=prior(caller)),
        again["address"],
        "aws.other",
        assume_role=OTHER_ACCOUNT,
    )
    with pytest.raises(AccountError, match="in the feed's account"):
        account_from_plan(document, identity="aws_iam_user.again")


def test_an_identity_of_another_provider_may_be_of_another_account() -> None:
    document = plan(APP, user())
    other = {"region": constant("eu-west-1"), "profile": constant("other")}
    document = aliased(document, "aws_iam_user.feed", "aws.other", **other)
    file = account_from_plan(document)
    assert [each.effect for each in file.open] == ["leaves the plan unproven"]
    assert "aws_iam_user.feed: its provider is not that of the repositories" in file.unknown[0]


def test_a_module_without_a_provider_of_its_own_has_the_roots() -> None:
    document = plan(APP, modules={"x": ([user()], {}, {})})
    document["configuration"]["provider_config"]["aws"]["expressions"] |= {
        "profile": constant("shop")
    }
    calls = document["configuration"]["root_module"]["module_calls"]
    calls["x"]["module"]["resources"][0]["provider_config_key"] = "module.x:aws"
    assert account_from_plan(document).open == ()


def test_an_account_that_exists_already_is_the_plans() -> None:
    there = repository("team/app")
    there["values"] |= {"arn": "arn:aws:ecr:eu-west-1:210987654321:repository/team/app"}
    there["unknown"] = {}
    document = resource(
        "data.aws_iam_policy_document.pull",
        {"json": access(allow("ecr:*", on="arn:aws:ecr:eu-west-1:999988887777:repository/*"))},
    )
    grant = resource(
        "aws_iam_user_policy.pull",
        {"user": "octopus", "name": "pull"},
        unknown={"policy": True},
        written={"policy": reference("data.aws_iam_policy_document.pull.json")},
    )
    assert account_from_plan(plan(there, user(), document, grant)).account == "210987654321"


def test_a_resource_without_a_type_is_refused() -> None:
    broken = plan(APP, user())
    del broken["planned_values"]["root_module"]["resources"][0]["type"]
    with pytest.raises(AccountError, match="no `type`"):
        account_from_plan(broken)
