"""What undoes, or does, a permission outside the feed's own policies (F21, F28, F29, F41, F43)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecr_feed.iam import Outcome, Policies, PolicyError, Request, decide, parse
from tests.field.helpers import (
    ALL,
    FOUR,
    PULL,
    Told,
    allow,
    auditor,
    demo,
    deny,
    fault,
    feed,
    once,
    repository,
    role,
    table,
    user,
)

A, B, HOME, REPLICA = "222233334444", "555566667777", "us-east-2", "us-west-2"
CART, WEB, OPEN, SHUT = "shop/cart", "shop/web", "shop/open", "shop/shut"
TAKE = "ecr:GetDownloadUrlForLayer"


def arn_of(name: str) -> str:
    return f"arn:aws:iam::{A}:user/{name}"


def whose(name: str) -> dict[str, object]:
    """A condition on one of the users, so that the other feeds do not meet the policy."""
    return {"ArnLike": {"aws:PrincipalArn": arn_of(name)}}


ENDPOINT = (
    f"User: {arn_of('endpoint')} is not authorized to perform: ecr:ListImages on resource: "
    f"arn:aws:ecr:{HOME}:{A}:repository/{CART} because no VPC endpoint policy allows the "
    "ecr:ListImages action"
)
SESSION = ENDPOINT.replace("endpoint is", "session is").replace("VPC endpoint", "session")
USERS = ("bounded", "scp", "scp-list", "rcp", "registry", "endpoint", "session", "free")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return once(tmp_path_factory, "layers", judge)


def judge(tmp_path: Path) -> Told:
    through = allow(PULL, to=[arn_of("through"), f"arn:aws:iam::{A}:role/ci/replica"])
    return demo(
        tmp_path,
        f'account = "{A}"\nregion = "{HOME}"',
        auditor(),
        *(repository(name) for name in (CART, WEB)),
        repository(OPEN, policy={k: v for k, v in through.items() if k != "on"}),
        repository(OPEN, region=REPLICA),
        repository(SHUT, policy={"deny": list(PULL), "to": "*", "sid": "Shut"}),
        *(user(name, allow(ALL)) for name in USERS if name != "bounded"),
        user("bounded", allow(ALL), boundary=[allow(FOUR), allow("s3:*")]),
        user("bounded-and-poor", allow(FOUR), boundary=allow(FOUR)),
        user("through", allow(FOUR)),
        role("replica", allow(FOUR), label="worker", path="/ci/"),
        role("walled", allow(ALL), label="walled", boundary=allow("s3:*")),
        table("scp", level=1, document=deny(TAKE, when=whose("scp"), sid="Layers")),
        table("scp", level=1, document=deny("ecr:List*", when=whose("scp-list"))),
        table("rcp", document=deny(PULL[0], when=whose("rcp"), sid="Outside")),
        table("registry", policy=deny("ecr:Batch*", to=arn_of("registry"), sid="Frozen")),
        fault("endpoint", operation="ListImages", code="AccessDeniedException", message=ENDPOINT),
        fault("session", operation="ListImages", code="AccessDeniedException", message=SESSION),
        *(feed(name, HOME, CART, SHUT, pulls=True) for name in (*USERS, "bounded-and-poor")),
        feed("through", HOME, OPEN, CART, pulls=True),
        feed("through there", REPLICA, OPEN, pulls=True, credentials={"key": "through"}),
        feed("replica", HOME, OPEN, CART, pulls=True, credentials={"worker": True}),
        feed("replica there", REPLICA, OPEN, pulls=True, credentials={"worker": True}),
        feed("walled", HOME, CART, pulls=True),
        families=("permissions",),
    )


@pytest.mark.parametrize(
    ("name", "check", "package", "outcome", "says"),
    [
        ("free", "PERM-5", CART, "met", ""),
        ("free", "PERM-5", SHUT, "not met", "'Shut'"),
        # F43: a boundary without the action, or without anything.
        ("bounded", "PERM-4", CART, "met", ""),
        ("bounded", "PERM-5", CART, "not met", "permissions boundary"),
        # Even where the denied list hides whether there is a repository.
        ("walled", "PERM-5", CART, "not met", "in the permissions boundary"),
        ("bounded-and-poor", "PERM-5", CART, "not met", "boundary. Also add to the identity"),
        ("walled", "PERM-1", None, "not met", "in the permissions boundary"),
        ("walled", "PERM-2", CART, "not met", "in the permissions boundary"),
        # Its siblings of the organisation, and of the registry.
        ("scp", "PERM-6", CART, "not met", "service control policy"),
        ("scp", "PERM-5", CART, "met", ""),
        ("scp-list", "PERM-4", CART, "not met", "service control policy"),
        ("rcp", "PERM-5", CART, "not met", "resource control policy"),
        ("rcp", "PERM-6", CART, "met", ""),
        ("registry", "PERM-5", CART, "not met", "'Frozen'"),
        ("registry", "PERM-6", CART, "met", ""),
        # F21: rights from a repository policy end with its region; user and role alike.
        ("through", "PERM-5", OPEN, "met", ""),
        ("through", "PERM-5", CART, "not met", f":repository/{CART}"),
        ("through there", "PERM-5", OPEN, "not met", f":{REPLICA}:{A}:repository/{OPEN}"),
        ("replica", "PERM-5", OPEN, "met", ""),
        ("replica", "PERM-6", CART, "not met", "role/ci/replica"),
        ("replica there", "PERM-6", OPEN, "not met", REPLICA),
        # F41: AWS names the endpoint's policy; what was not tried is not taken for allowed.
        ("endpoint", "PERM-4", CART, "not met", "in the VPC endpoint policy"),
        ("endpoint", "PERM-3", CART, "met", ""),
        ("endpoint", "PERM-5", CART, "not assessed", "VPC endpoint policy"),
        ("session", "PERM-4", CART, "not met", "in the session policy"),
        ("session", "PERM-6", CART, "not assessed", "session policy"),
    ],
)
def test_the_layer_that_decides(
    told: Told, name: str, check: str, package: str | None, outcome: str, says: str
) -> None:
    said = told.of(name, check, package)
    assert said.outcome == outcome, said
    assert says in said.text


@pytest.mark.parametrize("name", ["free", "bounded", "scp", "rcp", "registry", "replica"])
def test_what_a_simulation_cannot_see_is_no_disagreement(told: Told, name: str) -> None:
    assert told.outcome(name, "PERM-8") == "met"


def test_a_call_denied_where_all_documents_allow_it_is_one(told: Told) -> None:
    said = told.of("endpoint", "PERM-8")
    assert said.outcome == "not met"
    assert "endpoint" in said.text


def test_a_planned_repository_policy_has_no_resource() -> None:
    """F28: ECR refuses the document; an identity policy needs the element."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": PULL[0], "Resource": "*"}
    with pytest.raises(PolicyError, match="Resource"):
        parse({"Version": "2012-10-17", "Statement": [statement]}, kind="resource")
    with pytest.raises(PolicyError, match="Resource"):
        parse({"Statement": {"Effect": "Allow", "Action": PULL[0]}}, kind="identity")


def test_another_account_needs_both_sides() -> None:
    """F29: B's repository policy allows A's root; the missing side is the identity's."""
    theirs = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{A}:root"}, "Action": PULL[0]}
    resource = parse({"Version": "2012-10-17", "Statement": theirs}, kind="resource")
    target = f"arn:aws:ecr:{HOME}:{B}:repository/{CART}"
    request = Request(arn_of("x"), PULL[0], target, {}, resource_account=B)
    alone = decide(request, Policies(resource=resource))
    assert (alone.outcome, alone.denial_layer) == (Outcome.IMPLICIT_DENY, "identity-based policy")
    ours = {"Effect": "Allow", "Action": PULL[0], "Resource": target}
    identity = parse({"Version": "2012-10-17", "Statement": ours}, kind="identity")
    assert decide(request, Policies((identity,), resource=resource)).allowed
    missing = decide(request, Policies((identity,)))
    assert missing.denial_layer == "resource-based policy"
