from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecr_feed.embedded.embedded_aws import EmbeddedAws
from ecr_feed.embedded.faults import Fault
from ecr_feed.embedded.protocol.http_server import serve
from ecr_feed.embedded.seeding.account_file import AccountError, AccountFile, load
from ecr_feed.embedded.seeding.owner import Owner
from ecr_feed.embedded.seeding.seed import core_for, fill
from ecr_feed.embedded.seeding.shorthand import FaultTable
from tests.embedded.world import ACCOUNT, HEALTHY, account, healthy, refused, rows, world
from tests.support.endpoints import fill_endpoint
from tests.support.moto_server import moto_server

DOCS = Path(__file__).parents[2] / "docs" / "embedded.md"
ALL = sorted(HEALTHY.parent.glob("*.toml"))


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_account_file_can_be_filled(path: Path) -> None:
    file = load(path)
    assert file.says
    assert "root" in fill(core_for(file), file).keys


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("acount = '123456789012'", "acount: no such key"),
        ("account = '12'", "account: "),
        ("account = 123456789012", "account: "),
        ("[[repository]]\nnames = 'x'", "repository.0."),
        ("[[repository]]\nname = 'x'\nmutability = 'FROZEN'", "repository.0.mutability"),
        ("[[repository]]\nname = 'x'\nimages = [{ tag = '1' }]", "repository.0.images.0.tag"),
        ("[[user]]\nname = 'u'\n[[user]]\nname = 'u'", "'u' is there twice"),
        ("[[user]]\nname = 'u'\ngroups = ['g']", "group 'g', which is not here"),
        ("[[user]]\nname = 'u'\nkeys = [{ label = 'a' }, { label = 'a' }]", "label 'a'"),
        ("[[user]]\nname = 'u'\nkeys = [{ label = 'a', status = 'expired' }]", "temporary = true"),
        ("[[user]]\nname = 'u'\npolicies = { p = '{' }", "JSON"),
        ("[[user]]\nname = 'u'\npolicies = { p = { alow = '*' } }", "unknown key 'alow'"),
        ("[[user]]\nname = 'u'\npolicies = { p = { on = '*' } }", "either `allow` or `deny`"),
        ("[[fault]]\noperation = 'x'", "exactly one of code, body, truncate, replace, connection"),
        ("[[fault]]\ncode = 'x'\nbody = 'y'", "exactly one of"),
        ("[[fault]]\nstatus = 500", "exactly one of"),
        ("[[fault]]\ncode = 'x'\nheaders = { a = 'b' }", "headers of a fault go with"),
        ("[[fault]]\nconnection = 'slow'", "fault.0.connection"),
        ("[[oidc_provider]]\nurl = 'http://x'", "oidc_provider.0.url"),
    ],
)
def test_a_wrong_file_says_where_and_what(text: str, words: str) -> None:
    with pytest.raises(AccountError, match=re.escape(words)):
        account(text)


def test_a_file_that_is_not_there_or_not_toml(tmp_path: Path) -> None:
    with pytest.raises(AccountError, match="no such file"):
        load(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[[repository")
    with pytest.raises(AccountError, match="not TOML"):
        load(broken)


def test_what_the_services_refuse_is_an_account_error() -> None:
    with pytest.raises(AccountError, match="CreateRepository refused it: InvalidParameter"):
        world("[[repository]]\nname = 'Team/App'")
    with pytest.raises(AccountError, match="SetRepositoryPolicy refused it"):
        world("[[repository]]\nname = 'a/b'\npolicy = { allow = 'ecr:*', on = '*' }")


def test_a_fault_table_has_the_fields_of_a_fault() -> None:
    assert set(FaultTable.model_fields) - {"key"} == set(Fault.__dataclass_fields__)


def test_every_key_of_the_schema_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8")
    missing = [name for name in AccountFile.model_fields if f"`{name}`" not in text]
    missing += [name for name in FaultTable.model_fields if f"`{name}`" not in text]
    assert not missing


def test_the_example_of_the_documentation_works() -> None:
    examples = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert examples
    for text in examples:
        world(text)


def test_the_healthy_account_is_what_a_feed_needs() -> None:
    made = healthy()
    ecr = made.client("ecr", "feed")
    for name in ("team/app", "team/worker"):
        assert len(ecr.list_images(repositoryName=name)["imageIds"]) >= 2
    assert ecr.get_authorization_token()["authorizationData"]
    iam = made.client("iam", "auditor")
    assert iam.get_account_authorization_details()["UserDetailList"]
    assert refused(made.client("iam", "auditor").create_user, UserName="x")[0] == "AccessDenied"


def test_images_are_the_same_on_every_run() -> None:
    one, two = (healthy().client("ecr") for _ in range(2))
    digests = [
        [
            row["imageDigest"]
            for row in rows(ecr, "list_images", "imageIds", repositoryName="team/app")
        ]
        for ecr in (one, two)
    ]
    assert digests[0] == digests[1]


def test_cache_rules_and_templates_page_and_miss() -> None:
    made = world(
        """
        [[cache_rule]]
        prefix = "hub"
        upstream = "registry-1.docker.io"
        [[creation_template]]
        prefix = "team"
        applied_for = ["CREATE_ON_PUSH"]
        policy = { allow = "ecr:BatchGetImage", to = "arn:aws:iam::{account}:root" }
        """
    )
    ecr = made.client("ecr")
    found = ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    assert [row["ecrRepositoryPrefix"] for row in found] == ["hub"]
    said = refused(ecr.describe_pull_through_cache_rules, ecrRepositoryPrefixes=["none"])
    assert said[0] == "PullThroughCacheRuleNotFoundException"
    found = ecr.describe_repository_creation_templates()["repositoryCreationTemplates"]
    assert [row["appliedFor"] for row in found] == [["CREATE_ON_PUSH"]]


def test_the_same_file_fills_stock_moto(tmp_path: Path) -> None:
    with moto_server(tmp_path) as url:
        seeded = fill_endpoint(url, load(HEALTHY))
        ecr = Owner(endpoint_url=url).client("ecr", "eu-west-1", ACCOUNT)
        found = ecr.list_images(repositoryName="team/app")["imageIds"]
    assert set(seeded.keys) == {"feed", "auditor"}
    assert len(found) >= 2


def test_the_same_file_fills_an_endpoint() -> None:
    core = EmbeddedAws()
    core.world.keys.root_secret = "root"  # what the seeder sends where it knows no secret
    with serve(core) as server:
        seeded = fill_endpoint(server.url, load(HEALTHY))
    assert set(seeded.keys) == {"feed", "auditor"}
    assert len(core.registry(ACCOUNT, "eu-west-1").repositories) == 2
