"""What a plan leaves open: only what is about its feed leaves an answer open."""

from __future__ import annotations

from typing import Any

import pytest

from ecr_feed.embedded.seeding.account_file import AccountError, AccountFile
from ecr_feed.facts.iam import Effect
from ecr_feed.planned.terraform import account_from_plan
from tests.planned.plans import (
    ACCOUNT,
    Json,
    access,
    allow,
    constant,
    plan,
    reference,
    repository,
    resource,
    role,
    statement,
    user,
)

APP = repository("team/app")
ALL = access(allow("ecr:*"))
LATER: Json = {"unknown": {"policy": True}, "written": {"policy": reference("local.policy")}}
USERS = f"arn:aws:iam::{ACCOUNT}:user"


def inline(kind: str = "user", name: str = "octopus", label: str = "pull", **more: Any) -> Json:
    values = {kind: name, "name": label} | ({} if more else {"policy": ALL})
    return resource(f"aws_iam_{kind}_policy.{label}", values, **more)


def prefixed(kind: str = "role", label: str = "other", **values: Any) -> Json:
    """A user or role whose name is known only after apply."""
    return resource(
        f"aws_iam_{kind}.{label}",
        {"name_prefix": "x-", "path": "/", **values},
        unknown={"name": True, "arn": True},
    )


def opened(file: AccountFile) -> set[tuple[str, str, Effect]]:
    """Address, package and effect of each open item."""
    return {(each.says.split(":")[0], each.package, each.effect) for each in file.open}


CALLER = {"account_id": ACCOUNT}
STATED: Json = {
    "prior_state": {
        "values": {"root_module": {"resources": [resource("data.aws_caller_identity.me", CALLER)]}}
    }
}


def judged(*resources: Json, **more: Any) -> AccountFile:
    return account_from_plan(plan(APP, *resources, **STATED), **more)


OTHERS = {
    "role with a name_prefix": prefixed(),
    "its policy": inline("role", "other", "other", **LATER),
    "policy of a role with a name_prefix": resource(
        "aws_iam_role_policy.other",
        {"name": "x", "policy": ALL},
        unknown={"role": True},
        written={"role": reference("aws_iam_role.other.id")},
    ),
    "attachment to a role with a name_prefix": resource(
        "aws_iam_role_policy_attachment.other",
        {"policy_arn": f"arn:aws:iam::{ACCOUNT}:policy/existing"},
        unknown={"role": True},
        written={"role": reference("aws_iam_role.other.name")},
    ),
    "managed policy of nobody": resource("aws_iam_policy.other", {"name": "x"}, **LATER),
    "trust of another role": role("other", "late", None),
    "group of nobody": resource("aws_iam_group_policy.other", {"group": "g", "name": "x"}, **LATER),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_about_another_leaves_nothing_open(name: str) -> None:
    other = [] if OTHERS[name]["address"] == "aws_iam_role.other" else [prefixed()]
    file = judged(user(), inline(), OTHERS[name], *other)
    assert file.unknown == ()
    assert file.open == ()


def test_what_is_about_another_is_said() -> None:
    file = judged(user(), inline(), OTHERS["its policy"])
    assert any("aws_iam_role_policy.other: `policy`" in each for each in file.remarks)


GROUP = resource("aws_iam_group.readers", {"name": "readers"})
MEMBER = resource("aws_iam_user_group_membership.feed", {"user": "octopus", "groups": ["readers"]})


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([inline(**LATER)], ("aws_iam_user_policy.pull", Effect.ANY)),
        (
            [resource("aws_iam_user_policy.late", {"name": "p", "policy": ALL},
                      unknown={"user": True}, written={"user": reference("local.user")})],
            ("aws_iam_user_policy.late", Effect.ANY),
        ),
        (
            [GROUP, MEMBER, resource("aws_iam_group_policy.g", {"group": "readers", "name": "x"},
                                     **LATER)],
            ("aws_iam_group_policy.g", Effect.ANY),
        ),
        (
            [resource("aws_iam_user_group_membership.feed", {"user": "octopus"},
                      unknown={"groups": True}, written={"groups": reference("local.groups")})],
            ("aws_iam_user_group_membership.feed", Effect.ANY),
        ),
        (
            [resource("aws_iam_user_group_membership.feed",
                      {"user": "octopus", "groups": ["elsewhere"]})],
            ("aws_iam_user_group_membership.feed", Effect.ANY),
        ),
        (
            [resource("aws_iam_policy.own", {"name": "own"}, **LATER),
             resource("aws_iam_user_policy_attachment.own", {"user": "octopus"},
                      unknown={"policy_arn": True},
                      written={"policy_arn": reference("aws_iam_policy.own.arn")})],
            ("aws_iam_policy.own", Effect.ANY),
        ),
        (
            [resource("aws_iam_user_policy_attachment.own",
                      {"user": "octopus",
                       "policy_arn": "arn:aws:iam::aws:policy/NewerThanThisList"})],
            ("aws_iam_user_policy_attachment.own", Effect.ANY),
        ),
        (
            [resource("aws_ecr_registry_policy.all", {}, **LATER)],
            ("aws_ecr_registry_policy.all", Effect.ANY),
        ),
        (
            [resource("aws_organizations_policy_attachment.ou",
                      {"target_id": "ou-ab12-cd34ef56", "policy_id": "p-examplepolicyid"})],
            ("aws_organizations_policy_attachment.ou", Effect.LIMITS),
        ),
    ],
)  # fmt: skip
def test_what_is_about_the_feed_is_open(
    resources: list[Json], expected: tuple[str, Effect]
) -> None:
    file = judged(user(), *resources)
    address, effect = expected
    assert (address, "", effect) in opened(file)
    assert any(each.startswith(address) for each in file.unknown)


@pytest.mark.parametrize(
    ("boundary", "address"),
    [
        ({"values": f"arn:aws:iam::{ACCOUNT}:policy/limit"}, "aws_iam_user.feed"),
        ({"refers": "aws_iam_policy.limit.arn"}, "aws_iam_policy.limit"),
        ({"refers": "local.limit"}, "aws_iam_user.feed"),
    ],
    ids=["elsewhere", "its document", "unknown"],
)
def test_an_unknown_boundary_can_only_take_away(boundary: dict[str, str], address: str) -> None:
    values = {"name": "octopus", "path": "/"}
    if "values" in boundary:
        values["permissions_boundary"] = boundary["values"]
    feed = resource(
        "aws_iam_user.feed",
        values,
        unknown={"permissions_boundary": True} if "refers" in boundary else {},
        written={"permissions_boundary": reference(boundary.get("refers", "local.x"))},
    )
    limit = resource("aws_iam_policy.limit", {"name": "limit"}, **LATER)
    file = judged(feed, limit, inline())
    assert opened(file) == {(address, "", Effect.LIMITS)}


def grant(name: str | None, *, label: str = "app", **more: Any) -> Json:
    values = {"repository": name} if name else {}
    return resource(f"aws_ecr_repository_policy.{label}", values, **more)


def test_an_unknown_repository_policy_is_about_its_repository() -> None:
    api = repository("team/api", "api")
    file = judged(api, user(), inline(), grant("team/app", **LATER))
    assert opened(file) == {("aws_ecr_repository_policy.app", "team/app", Effect.ANY)}
    assert judged(api, user(), grant("team/app", **LATER), packages=["team/api"]).open == ()


def test_a_repository_policy_of_an_unknown_repository_is_about_all() -> None:
    late = grant(
        None,
        unknown={"repository": True, "policy": False},
        written={"repository": reference("local.name")},
    )
    late["values"]["policy"] = access({"Effect": "Allow", "Principal": "*", "Action": "ecr:*"})
    assert ("aws_ecr_repository_policy.app", "", Effect.ANY) in opened(judged(user(), late))


def test_an_unknown_lifecycle_policy_leaves_no_permission_open() -> None:
    late = resource("aws_ecr_lifecycle_policy.app", {"repository": "team/app"}, **LATER)
    file = judged(user(), inline(), late)
    assert file.open == ()
    assert any("aws_ecr_lifecycle_policy.app" in each for each in file.remarks)


def test_the_name_of_the_identity_matters_where_a_policy_looks_at_it() -> None:
    attached = resource(
        "aws_iam_role_policy.pull",
        {"name": "pull", "policy": ALL},
        unknown={"role": True},
        written={"role": reference("aws_iam_role.feed.id")},
    )
    feed = role(label="feed", values={"name": None}, unknown={"name": True})
    file = judged(feed, attached)
    assert opened(file) == {("aws_iam_role.feed", "", Effect.VERDICT)}
    assert [list(each.policies) for each in file.role] == [["pull"]]
    named = access({"Effect": "Deny", "Principal": {"AWS": f"{USERS}/x"}, "Action": "ecr:*"})
    with_policy = grant("team/app")
    with_policy["values"]["policy"] = named
    assert ("aws_iam_role.feed", "team/app", Effect.ANY) in opened(
        judged(feed, attached, with_policy)
    )
    own = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/octopus-*"}}
    attached["values"]["policy"] = access(allow("ecr:*", Condition=own))
    assert ("aws_iam_role.feed", "", Effect.ANY) in opened(judged(feed, attached))


@pytest.mark.parametrize(
    ("unknown", "known"),
    [({"team": True}, False), ({}, True)],
    ids=["a value", "none"],
)
def test_tags_that_are_known_only_after_apply_are_not_stated(unknown: Json, known: bool) -> None:
    app, feed = repository("team/app"), user()
    for each in (app, feed):
        each["values"] |= {"tags": {"cost": "shop"}}
        each["unknown"] |= {"tags": unknown}
    found = account_from_plan(plan(app, feed, **STATED)).plan
    assert found is not None
    assert found.tags("eu-west-1", "team/app") == ({"cost": "shop"} if known else None)
    assert found.identity_tags is known


def test_computed_attributes_of_a_new_role_are_not_unknown_policies() -> None:
    feed = role(unknown={"inline_policy": True, "managed_policy_arns": True, "tags_all": False})
    assert judged(feed).open == ()


def test_inline_policies_of_a_role_are_followed_or_open() -> None:
    blocks = [
        {"name": constant("known"), "policy": reference("data.aws_iam_policy_document.pull.json")},
        {"name": constant("late"), "policy": reference("local.policy")},
    ]
    data = resource("data.aws_iam_policy_document.pull", {"json": ALL})
    feed = role(
        values={"inline_policy": [{"name": "known"}, {"name": "late"}]},
        unknown={"inline_policy": [{"policy": True}, {"policy": True}]},
        written={"inline_policy": blocks},
    )
    file = judged(feed, data)
    assert file.role[0].policies == {"known": ALL}
    assert opened(file) == {("aws_iam_role.feed", "", Effect.ANY)}


def test_of_two_policies_of_one_place_neither_is_judged() -> None:
    other = access(allow("ecr:ListImages"))
    again = inline()
    again["address"], again["name"] = "aws_iam_user_policy.again", "again"
    again["values"]["policy"] = other
    third = {**again, "address": "aws_iam_user_policy.third", "name": "third"}
    file = judged(user(), inline(), again, third)
    assert opened(file) == {("aws_iam_user.feed", "", Effect.ANY)}
    assert file.user[0].policies == {}
    texts = [access({"Effect": effect, "Principal": "*", "Action": "ecr:ListImages"})
             for effect in ("Allow", "Deny")]  # fmt: skip
    both = [grant("team/app", label=label) for label in ("a", "b")]
    for each, text in zip(both, texts, strict=True):
        each["values"]["policy"] = text
    late = grant("team/app", label="c", **LATER)
    for listed in (both, [both[1], late], [late, both[1]]):
        file = judged(user(), *listed)
        assert {(package, effect) for _, package, effect in opened(file)} == {
            ("team/app", Effect.ANY)
        }
        assert file.repository[0].policy is None


def test_a_conditional_document_is_not_picked_by_chance() -> None:
    documents = [
        resource(f"data.aws_iam_policy_document.{label}", {"json": ALL}) for label in ("a", "b")
    ]
    either = inline(
        unknown={"policy": True},
        written={"policy": reference(*(f"{each['address']}.json" for each in documents))},
    )
    file = judged(user(), *documents, either)
    assert opened(file) == {("aws_iam_user_policy.pull", "", Effect.ANY)}
    assert file.user[0].policies == {}


def test_an_scp_for_the_account_itself_applies() -> None:
    limit = resource(
        "aws_organizations_policy.limit",
        {"name": "limit", "type": "SERVICE_CONTROL_POLICY", "content": ALL},
        unknown={"id": True},
    )
    attached = resource(
        "aws_organizations_policy_attachment.here",
        {"target_id": ACCOUNT},
        unknown={"policy_id": True},
        written={"policy_id": reference("aws_organizations_policy.limit.id")},
    )
    file = judged(user(), limit, attached)
    assert [each.document for each in file.scp] == [ALL]
    assert file.plan is not None
    assert file.plan.name_of(ALL) == "limit"
    attached["values"]["target_id"] = "999988887777"
    assert judged(user(), limit, attached).scp == ()


def naming(*principals: Any) -> Json:
    made = grant("team/app")
    made["values"]["policy"] = access(
        {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "ecr:*"}
    )
    return made


@pytest.mark.parametrize(
    "principal",
    [
        f"{USERS}/stranger",
        f"arn:aws:iam::{ACCOUNT}:role/octopus",  # a user of the plan has this name
        f"{USERS}/ci/octopus",
        "arn:aws:iam::999988887777:root",
        "999988887777",
        "AIDAJQABLZS4A3QDU576Q",
    ],
)
def test_a_principal_that_the_plan_does_not_have_is_a_remark(principal: str) -> None:
    file = judged(user(), naming(principal, f"{USERS}/octopus"))
    assert any(principal in each for each in file.remarks)
    assert opened(file) == {
        (file.open[0].says.split(":")[0], "team/app", Effect.REFUSED),
    }
    assert file.unknown == ()


@pytest.mark.parametrize(
    "principal", [f"{USERS}/octopus", f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, "*"]
)
def test_a_principal_that_the_plan_has_is_none(principal: str) -> None:
    file = judged(user(), naming(principal))
    assert (file.open, file.remarks) == ((), ())


def test_an_account_that_was_only_guessed_holds_nobody() -> None:
    document = plan(APP, user(), naming("arn:aws:iam::999988887777:user/octopus"))
    file = account_from_plan(document)
    assert file.account == "999988887777"
    assert [each.effect for each in file.open] == [Effect.REFUSED]
    assert account_from_plan(document, account="999988887777").open == ()


def test_a_reference_to_a_planned_user_needs_no_account() -> None:
    data = resource(
        "data.aws_iam_policy_document.grant",
        {
            "statement": [
                statement(
                    actions=["ecr:ListImages"],
                    principals=[{"type": "AWS", "identifiers": [None]}],
                )
            ]
        },
        unknown={
            "json": True,
            "statement": [{"principals": [{"identifiers": [True]}], "actions": [False]}],
        },
        written={
            "statement": [
                {
                    "actions": constant(["ecr:ListImages"]),
                    "principals": [{"identifiers": reference("aws_iam_user.feed.arn")}],
                }
            ]
        },
    )
    policy = grant(
        "team/app",
        unknown={"policy": True},
        written={"policy": reference("data.aws_iam_policy_document.grant.json")},
    )
    file = account_from_plan(plan(APP, user(), data, policy))
    assert (file.open, file.remarks) == ((), ())


def test_unknown_principals_of_a_statement_are_open_not_refused() -> None:
    data = resource(
        "data.aws_iam_policy_document.grant",
        {"statement": [statement(actions=["ecr:*"], principals=[{"type": "AWS"}])]},
        unknown={"json": True, "statement": [{"principals": [{"identifiers": True}]}]},
        written={"statement": [{"principals": [{"identifiers": reference("local.who")}]}]},
    )
    policy = grant(
        "team/app",
        unknown={"policy": True},
        written={"policy": reference("data.aws_iam_policy_document.grant.json")},
    )
    file = account_from_plan(plan(APP, user(), data, policy))
    assert [(each.package, each.effect) for each in file.open] == [("team/app", Effect.ANY)]


def test_policies_that_aws_refuses_are_refused_in_blocks_too() -> None:
    feed = role(values={"inline_policy": [{"name": "x", "policy": '{"Statement": 1}'}]})
    with pytest.raises(AccountError, match=r"aws_iam_role\.feed: `policy`: AWS would refuse"):
        judged(feed)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"errored": True}, "ended in an error"),
        ({"complete": False}, "puts changes off"),
        ({"errored": False, "complete": True}, ""),
    ],
)
def test_a_plan_that_is_not_all_is_not_proven(more: Json, said: str) -> None:
    file = account_from_plan(plan(APP, user(), inline(), **STATED, **more))
    assert [each.effect for each in file.open] == [Effect.VERDICT] * bool(said)
    assert said in "".join(file.unknown)
