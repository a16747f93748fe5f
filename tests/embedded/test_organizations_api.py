from __future__ import annotations

import json

from tests.embedded.world import ACCOUNT, refused, world

FILE = """
[[scp]]
document = { deny = "ecr:DeleteRepository" }
[[scp]]
level = 1
document = { allow = ["ecr:*", "organizations:*"] }
[[user]]
name = "feed"
keys = [{ label = "feed" }]
"""


def test_an_auditor_walks_from_the_account_to_the_root() -> None:
    client = world(FILE).client("organizations", "", "us-east-1")
    assert client.describe_organization()["Organization"]["Id"].startswith("o-")
    unit = client.list_parents(ChildId=ACCOUNT)["Parents"][0]
    root = client.list_parents(ChildId=unit["Id"])["Parents"][0]
    assert (unit["Type"], root["Type"]) == ("ORGANIZATIONAL_UNIT", "ROOT")
    kind = {"Filter": "SERVICE_CONTROL_POLICY"}
    counts = {}
    for target in (root["Id"], unit["Id"], ACCOUNT):
        found = client.list_policies_for_target(TargetId=target, **kind)["Policies"]
        texts = [client.describe_policy(PolicyId=p["Id"])["Policy"]["Content"] for p in found]
        counts[target] = sorted(json.loads(text)["Statement"][0]["Effect"] for text in texts)
    assert list(counts.values()) == [["Allow", "Deny"], ["Allow"], ["Allow"]]


def test_an_account_in_no_organisation_says_so() -> None:
    client = world().client("organizations", "", "us-east-1")
    said = refused(client.describe_organization)
    assert said[0] == "AWSOrganizationsNotInUseException"


def test_a_member_is_denied_what_it_may_not_read() -> None:
    client = world(FILE).client("organizations", "feed", "us-east-1")
    assert refused(client.describe_organization)[0] == "AccessDeniedException"
