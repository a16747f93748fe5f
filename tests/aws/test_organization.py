from __future__ import annotations

from typing import Any

import pytest

from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.config import KeyCredentials
from ecr_feed.facts.aws import Trouble
from ecr_feed.facts.iam import Organization
from tests.aws.fake import ACCOUNT, FakeAws, ReceivedCall, Reply, fault, ok
from tests.aws.helpers import embedded

SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
PARENTS = {
    ACCOUNT: {"Id": "ou-1", "Type": "ORGANIZATIONAL_UNIT"},
    "ou-1": {"Id": "r-1", "Type": "ROOT"},
}


def parents(asked: ReceivedCall) -> Reply:
    return ok({"Parents": [PARENTS[asked.parameters["ChildId"]]]})


def policies(asked: ReceivedCall) -> Reply:
    kind = asked.parameters["Filter"][:1].lower()
    target = asked.parameters["TargetId"]
    ids = (f"p-full-{kind}", f"p-{kind}-{target}")
    return ok({"Policies": [{"Id": each, "Type": asked.parameters["Filter"]} for each in ids]})


def policy(asked: ReceivedCall) -> Reply:
    name = asked.parameters["PolicyId"]
    kind = SCP if name.startswith(("p-full-s", "p-s")) else RCP
    summary = {"Id": name, "Name": name, "Arn": f"arn:{name}", "Type": kind}
    return ok({"Policy": {"PolicySummary": summary, "Content": "{}"}})


ROOT = f"arn:aws:organizations::{'1' * 12}:root/o-ours/r-1"


def roots(**types: str) -> Reply:
    listed = [{"Type": kind, "Status": status} for kind, status in types.items()]
    return ok({"Roots": [{"Id": "r-1", "Arn": ROOT, "Name": "Root", "PolicyTypes": listed}]})


ON = {SCP: "ENABLED", RCP: "ENABLED"}


def read(**replies: Any) -> tuple[Organization, FakeAws]:
    fake = FakeAws()
    fake.replies = {
        "DescribeOrganization": lambda asked: ok(
            {"Organization": {"Id": "o-ours", "MasterAccountId": "1" * 12}}
        ),
        "ListRoots": lambda asked: roots(**ON),
        "ListParents": parents,
        "ListPoliciesForTarget": policies,
        "DescribePolicy": policy,
        **replies,
    }
    audit = DocumentReader(embedded(fake), KeyCredentials(key="feed"), "eu-west-1", account=ACCOUNT)
    return audit.organization(ACCOUNT), fake


def test_every_level_from_the_root_down() -> None:
    found, fake = read()
    assert (found.member, found.management, found.unread) == (True, False, ())
    assert found.id == "o-ours"
    assert found.scps is not None
    assert found.rcps is not None
    assert [[p.name for p in level] for level in found.scps] == [
        ["p-full-s", "p-s-r-1"],
        ["p-full-s", "p-s-ou-1"],
        ["p-full-s", f"p-s-{ACCOUNT}"],
    ]
    assert {p.kind for level in found.rcps for p in level} == {"rcp"}
    assert fake.calls["DescribePolicy"] == 8  # each document once


def test_an_account_of_its_own() -> None:
    found, fake = read(
        DescribeOrganization=lambda asked: fault("AWSOrganizationsNotInUseException", "none")
    )
    assert found == Organization(member=False, management=False, scps=(), rcps=())
    assert fake.calls["ListParents"] == 0


def of_another_auditor(**replies: Any) -> Organization:
    """What an auditor of ACCOUNT learns of another account's organisation."""
    fake = FakeAws()
    fake.replies = replies
    audit = DocumentReader(embedded(fake), KeyCredentials(key="feed"), "eu-west-1", account=ACCOUNT)
    return audit.organization("2" * 12)


def test_the_auditors_own_organisation_is_not_another_accounts() -> None:
    found = of_another_auditor(
        DescribeOrganization=lambda asked: ok(
            {"Organization": {"Id": "o-ours", "MasterAccountId": ACCOUNT}}
        ),
        ListRoots=lambda asked: roots(**ON),
        ListParents=lambda asked: fault("ChildNotFoundException", "no such child"),
    )
    assert (found.member, found.id, found.scps) == (None, "", None)
    assert found.unread[0].trouble is Trouble.NOT_FOUND
    alone = of_another_auditor(
        DescribeOrganization=lambda asked: fault("AWSOrganizationsNotInUseException", "none"),
        ListRoots=lambda asked: fault("AWSOrganizationsNotInUseException", "none"),
        ListParents=lambda asked: fault("AWSOrganizationsNotInUseException", "none"),
    )
    assert alone.member is None
    assert alone.unread


def test_a_management_account() -> None:
    found, _ = read(
        DescribeOrganization=lambda asked: ok(
            {"Organization": {"Id": "o-ours", "MasterAccountId": ACCOUNT}}
        )
    )
    assert found.management is True


def test_a_member_that_may_not_look() -> None:
    found, _ = read(ListParents=lambda asked: fault("AccessDeniedException", "no"))
    assert (found.member, found.scps, found.rcps) == (True, None, None)
    assert [failure.trouble for failure in found.unread] == [Trouble.DENIED]


def test_policies_of_one_kind_that_are_not_readable() -> None:
    def only_scps(asked: ReceivedCall) -> Reply:
        if asked.parameters["Filter"] == "RESOURCE_CONTROL_POLICY":
            return fault("PolicyTypeNotEnabledException", "off")
        return policies(asked)

    found, _ = read(ListPoliciesForTarget=only_scps)
    assert found.scps is not None
    assert found.rcps is None
    assert len(found.unread) == 1


@pytest.mark.parametrize(
    ("types", "scps", "rcps"),
    [
        ({}, 0, 0),
        ({SCP: "ENABLED"}, 3, 0),
        ({RCP: "ENABLED", "TAG_POLICY": "ENABLED"}, 0, 3),
        (ON, 3, 3),
    ],
)
def test_a_type_that_is_off_limits_nothing(types: dict[str, str], scps: int, rcps: int) -> None:
    found, fake = read(ListRoots=lambda asked: roots(**types))
    assert found.scps is not None
    assert found.rcps is not None
    assert (len(found.scps), len(found.rcps), found.unread) == (scps, rcps, ())
    assert (fake.calls["ListParents"] == 0) is (scps + rcps == 0)


@pytest.mark.parametrize("status", ["PENDING_ENABLE", "PENDING_DISABLE"])
def test_a_type_that_is_being_switched_is_undetermined(status: str) -> None:
    found, _ = read(ListRoots=lambda asked: roots(**{SCP: status, RCP: "ENABLED"}))
    assert found.scps is None
    assert found.rcps is not None
    assert [failure.code for failure in found.unread] == [status]


def test_a_member_may_not_ask_for_the_types() -> None:
    found, fake = read(ListRoots=lambda asked: fault("AccessDeniedException", "no"))
    assert (found.member, found.scps, found.rcps) == (True, None, None)
    assert [failure.operation for failure in found.unread] == ["ListRoots"]  # once
    assert fake.calls["ListParents"] == fake.calls["ListPoliciesForTarget"] == 0


def root_with(types: object) -> Reply:
    return ok({"Roots": [{"Id": "r-1", "Arn": ROOT, "PolicyTypes": types}]})


@pytest.mark.parametrize(
    ("operation", "reply"),
    [
        ("ListRoots", ok({})),
        ("ListRoots", ok({"Roots": []})),
        ("ListRoots", ok({"Roots": [{"Id": "r-1"}]})),
        ("ListRoots", ok({"Roots": "r-1"})),
        ("ListRoots", ok({"Roots": [{"Arn": ROOT.replace("ours", "other"), "PolicyTypes": []}]})),
        ("ListRoots", root_with("ENABLED")),
        ("ListRoots", root_with([{"Type": SCP}])),
        ("ListRoots", root_with([{"Status": "ENABLED"}])),
        ("ListRoots", root_with([{"Type": SCP, "Status": "DISABLED"}])),
        ("ListRoots", root_with([{"Type": SCP, "Status": "ENABLED"}] * 2)),
        ("ListPoliciesForTarget", ok({"Policies": []})),
        ("ListPoliciesForTarget", ok({})),
        ("ListPoliciesForTarget", ok({"Policies": [{"Id": "p-1"}]})),
        ("ListPoliciesForTarget", ok({"Policies": [{"Id": "p-1", "Type": "TAG_POLICY"}]})),
        ("ListParents", ok({"Parents": [{"Id": "r-1"}]})),
        ("ListParents", ok({"Parents": [{"Id": "r-1", "Type": "ACCOUNT"}]})),
        ("DescribePolicy", ok({"Policy": {"Content": "{}"}})),
        ("DescribePolicy", ok({"Policy": {"PolicySummary": {"Id": "p-other", "Type": SCP}}})),
        ("DescribeOrganization", ok({"Organization": {"Id": "o-ours"}})),
        ("DescribeOrganization", ok({"Organization": {"MasterAccountId": "1" * 12}})),
    ],
)
def test_an_answer_that_lacks_what_it_must_have(operation: str, reply: Reply) -> None:
    found, _ = read(**{operation: lambda asked: reply})
    assert found.unread
    assert {failure.trouble for failure in found.unread} == {Trouble.MALFORMED}
    assert {failure.operation for failure in found.unread} == {operation}


def test_a_family_tree_without_a_root_ends() -> None:
    circle = {"Id": "ou-1", "Type": "ORGANIZATIONAL_UNIT"}
    found, fake = read(ListParents=lambda asked: ok({"Parents": [circle]}))
    assert found.scps is None
    assert fake.calls["ListParents"] < 10
