"""Three feeds in two regions against stock moto over HTTP, with a small fault proxy in front."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.moto_server import moto_server, owner, push
from tests.support.proxy import Asked, Reply, ecr_error, serving
from tests.support.run import Ran, run_checks

EU = [f"team/eu-{number:02}" for number in range(16)]
US = [f"team/us-{number:02}" for number in range(18)]
SPECIAL = ["team/missing", "team/elsewhere", "team/empty", "team/denied"]
KEYS = {
    "OCTOPUS_AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "OCTOPUS_AWS_SECRET_ACCESS_KEY": "x" * 40,
}
ARN = "arn:aws:ecr:eu-west-1:123456789012:repository/team/denied"
DENIAL = (
    "User: arn:aws:iam::123456789012:user/octopus is not authorized to perform: ecr:ListImages on "
    f"resource: {ARN} because no identity-based policy allows the ecr:ListImages action"
)

FEEDS = """
[[feed]]
name = "Production EU"
region = "eu-west-1"
account = "123456789012"
packages = {eu}
credentials = {{ env_prefix = "OCTOPUS_" }}

[[feed]]
name = "Production US"
region = "us-east-1"
packages = {us}
credentials = {{ env_prefix = "OCTOPUS_" }}

[[feed]]
name = "Wrong account"
region = "eu-west-1"
account = "210987654321"
packages = ["team/eu-00", "team/eu-01"]
credentials = {{ env_prefix = "OCTOPUS_" }}
"""


def deny_one_list(asked: Asked) -> Reply | None:
    if asked.operation == "ListImages" and asked.json()["repositoryName"] == "team/denied":
        return ecr_error("AccessDeniedException", DENIAL)
    return None


def fill(endpoint: str) -> None:
    europe, america = (owner(endpoint, "ecr", region) for region in ("eu-west-1", "us-east-1"))
    for client, names in (
        (europe, [*EU, "team/empty", "team/denied"]),
        (america, [*US, "team/elsewhere"]),
    ):
        for name in names:
            client.create_repository(repositoryName=name)
            if name != "team/empty":
                push(client, name, "1.0.0")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    tmp_path = tmp_path_factory.mktemp("moto")
    feeds = tmp_path / "feeds.toml"
    feeds.write_text(FEEDS.format(eu=[*EU, *SPECIAL], us=US), encoding="utf-8")
    with moto_server(tmp_path) as upstream:
        fill(upstream)
        with serving(deny_one_list, upstream) as endpoint:
            yield run_checks(
                tmp_path,
                "--feeds",
                str(feeds),
                "--aws-endpoint-url",
                endpoint,
                "--look-elsewhere",
                env=KEYS,
            )


def test_the_run_fails_and_says_so(ran: Ran) -> None:
    assert ran.status == 1, ran.text
    assert ran.results["verdict"] == "NOT READY"
    assert ran.results["mode"] == "aws"
    assert "Traceback" not in ran.text


def test_a_missing_repository(ran: Ran) -> None:
    finding = ran.finding("REPO-1", "team/missing")
    assert finding["outcome"] == "not met"
    assert finding["fix"] == (
        "aws ecr create-repository --repository-name team/missing --region eu-west-1"
    )


def test_a_repository_that_exists_only_in_the_other_region(ran: Ran) -> None:
    finding = ran.finding("REPO-1", "team/elsewhere")
    assert finding["outcome"] == "not met"
    assert finding["evidence"]["elsewhere"] == ["us-east-1"]
    assert "us-east-1" in finding["evidence"]["found"]
    assert ran.finding("REGION-3", feed="Production EU")["outcome"] == "not met"


def test_other_rules_of_a_missing_repository_have_no_meaning(ran: Ran) -> None:
    for package in ("team/missing", "team/elsewhere"):
        about = {
            f["check"]: f["outcome"] for f in ran.results["findings"] if f["package"] == package
        }
        assert about.pop("REPO-1") == "not met"
        assert about.pop("REPO-2") == "met"
        assert set(about.values()) == {"not applicable"}


def test_one_denied_action_on_one_repository(ran: Ran) -> None:
    finding = ran.finding("PERM-4", "team/denied")
    assert finding["outcome"] == "not met"
    assert "no identity-based policy allows" in finding["evidence"]["found"]
    assert finding["evidence"]["request_id"]
    for check in ("PERM-2", "PERM-3", "REPO-1", "REPO-3"):
        assert ran.finding(check, "team/denied")["outcome"] == "met"
    assert ran.finding("PERM-4", "team/eu-00", "Production EU")["outcome"] == "met"


def test_an_empty_repository(ran: Ran) -> None:
    assert ran.finding("REPO-3", "team/empty")["outcome"] == "not met"
    assert ran.finding("REPO-3", "team/empty")["gating"] is False
    assert ran.finding("REPO-1", "team/empty")["outcome"] == "met"


def test_a_wrong_account(ran: Ran) -> None:
    finding = ran.finding("IDENT-2", feed="Wrong account")
    assert finding["outcome"] == "not met"
    assert finding["evidence"]["expected"] == "210987654321"
    assert finding["evidence"]["found"] == "123456789012"
    assert ran.finding("IDENT-2", feed="Production EU")["outcome"] == "met"


@pytest.mark.parametrize("feed", ["Production EU", "Production US", "Wrong account"])
def test_the_stock_token_expired_in_2015(ran: Ran, feed: str) -> None:
    finding = ran.finding("TOKEN-2", feed=feed)
    assert finding["outcome"] == "not met"
    assert "expired" in finding["message"]
    assert "2015" in finding["evidence"]["found"]
    assert ran.finding("TOKEN-1", feed=feed)["outcome"] == "met"


def test_the_healthy_feed_is_met_but_for_the_token(ran: Ran) -> None:
    healthy = [f for f in ran.results["findings"] if f["feed"] == "Production US"]
    assert {f["check"] for f in healthy if f["outcome"] == "not met"} == {"TOKEN-2"}
    assert not [f for f in healthy if f["outcome"] == "not assessed" and f["gating"]]


def test_every_call_is_a_read_and_counted(ran: Ran) -> None:
    assert {name.split(":")[1][:4] for name in ran.calls()} <= {"Desc", "GetA", "GetC", "List"}
    # The third feed has the first one's credentials and region: it asks for nothing again.
    # The two packages that are missing are not asked about.
    assert ran.calls()["ecr:ListImages"] == len([*EU, *SPECIAL, *US]) - 2
