from __future__ import annotations

import json

import pytest

from ecr_feed.embedded.seeding.account_file import AccountError, from_tables
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


def test_the_root_says_which_types_are_on() -> None:
    states = '[organization]\nscps = "enabling"\nrcps = "off"\n'
    client = world(states).client("organizations", "", "us-east-1")
    (root,) = client.list_roots()["Roots"]
    assert root["PolicyTypes"] == [{"Type": "SERVICE_CONTROL_POLICY", "Status": "PENDING_ENABLE"}]
    kind = {"Filter": "RESOURCE_CONTROL_POLICY"}
    assert client.list_policies_for_target(TargetId=root["Id"], **kind)["Policies"] == []


def test_a_member_account_may_only_describe_its_organisation() -> None:
    text = "[organization]\ndelegated_administrator = false\n"
    client = world(text).client("organizations", "", "us-east-1")
    assert client.describe_organization()["Organization"]["Id"]
    assert refused(client.list_roots)[0] == "AccessDeniedException"
    assert refused(client.list_parents, ChildId=ACCOUNT)[0] == "AccessDeniedException"


def test_a_type_that_is_off_has_no_policies() -> None:
    tables = {"organization": {"scps": "off"}, "scp": [{"document": {"deny": "ecr:*"}}]}
    with pytest.raises(AccountError, match=r"organization\.scps is off"):
        from_tables(tables, "case.toml")
