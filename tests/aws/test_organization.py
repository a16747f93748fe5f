from __future__ import annotations

from typing import Any

from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.config import KeyCredentials
from ecr_feed.facts.aws import Trouble
from ecr_feed.facts.iam import Organization
from tests.aws.fake import ACCOUNT, Asked, FakeAws, Reply, fault, ok
from tests.aws.helpers import embedded

PARENTS = {
    ACCOUNT: {"Id": "ou-1", "Type": "ORGANIZATIONAL_UNIT"},
    "ou-1": {"Id": "r-1", "Type": "ROOT"},
}


def parents(asked: Asked) -> Reply:
    return ok({"Parents": [PARENTS[asked.parameters["ChildId"]]]})


def policies(asked: Asked) -> Reply:
    kind = asked.parameters["Filter"][:1].lower()
    target = asked.parameters["TargetId"]
    return ok({"Policies": [{"Id": f"p-full-{kind}"}, {"Id": f"p-{kind}-{target}"}]})


def policy(asked: Asked) -> Reply:
    name = asked.parameters["PolicyId"]
    summary = {"Id": name, "Name": name, "Arn": f"arn:{name}"}
    return ok({"Policy": {"PolicySummary": summary, "Content": "{}"}})


def read(**replies: Any) -> tuple[Organization, FakeAws]:
    fake = FakeAws()
    fake.replies = {
        "DescribeOrganization": lambda asked: ok(
            {"Organization": {"Id": "o-ours", "MasterAccountId": "1" * 12}}
        ),
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
        DescribeOrganization=lambda asked: ok({"Organization": {"Id": "o-theirs"}}),
        ListParents=lambda asked: fault("ChildNotFoundException", "no such child"),
    )
    assert (found.member, found.id, found.scps) == (None, "", None)
    assert found.unread[0].trouble is Trouble.NOT_FOUND
    alone = of_another_auditor(
        DescribeOrganization=lambda asked: fault("AWSOrganizationsNotInUseException", "none"),
        ListParents=lambda asked: fault("AWSOrganizationsNotInUseException", "none"),
    )
    assert alone.member is None
    assert alone.unread


def test_a_management_account() -> None:
    found, _ = read(
        DescribeOrganization=lambda asked: ok({"Organization": {"MasterAccountId": ACCOUNT}})
    )
    assert found.management is True


def test_a_member_that_may_not_look() -> None:
    found, _ = read(ListParents=lambda asked: fault("AccessDeniedException", "no"))
    assert (found.member, found.scps, found.rcps) == (True, None, None)
    assert [failure.trouble for failure in found.unread] == [Trouble.DENIED]


def test_policies_of_one_kind_that_are_not_readable() -> None:
    def only_scps(asked: Asked) -> Reply:
        if asked.parameters["Filter"] == "RESOURCE_CONTROL_POLICY":
            return fault("PolicyTypeNotEnabledException", "off")
        return policies(asked)

    found, _ = read(ListPoliciesForTarget=only_scps)
    assert found.scps is not None
    assert found.rcps is None
    assert len(found.unread) == 1


def test_a_family_tree_without_a_root_ends() -> None:
    circle = {"Id": "ou-1", "Type": "ORGANIZATIONAL_UNIT"}
    found, fake = read(ListParents=lambda asked: ok({"Parents": [circle]}))
    assert found.scps is None
    assert fake.calls["ListParents"] < 10
