"""Repositories and package IDs that are not where, or not what, people think (F11-F13, F16-F20)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.field.helpers import (
    ALL,
    Told,
    allow,
    auditor,
    demo,
    feed,
    once,
    repository,
    table,
    user,
)

A, B, REGION, OTHER = "333344445555", "666677778888", "ca-central-1", "sa-east-1"
HOST = f"{A}.dkr.ecr.{REGION}.amazonaws.com"
DIGEST = "sha256:" + "5" * 64
ILLEGAL = {
    # F16: what people paste in front of, or behind, the name.
    f"{HOST}/shop/cart": "shop/cart",
    f"https://{HOST}/shop/cart:3.1.0": "shop/cart",
    f"{A}.dkr-ecr.{REGION}.on.aws/shop/cart": "shop/cart",
    f"{A}.dkr.ecr.cn-north-1.amazonaws.com.cn/shop/cart": "shop/cart",
    f"arn:aws:ecr:{REGION}:{A}:repository/shop/cart": "shop/cart",
    "localhost:5000/shop/cart": "shop/cart",
    "shop/cart:3.1.0": "shop/cart",
    f"shop/cart@{DIGEST}": "shop/cart",
    f"shop/cart:3.1.0@{DIGEST}": "shop/cart",
    "/shop/cart": "shop/cart",
    # F17: capitals, and other characters.
    "Shop/cart": "shop/cart",
    "shop/CART": "shop/cart",
    "shop\\cart": "shop/cart",
    "shop//cart": "shop/cart",
    "shop/cart ": "shop/cart",
    # F19: the public gallery.
    "public.ecr.aws/x1/cart": "Docker feed",
    "ecr-public.aws.com/x1/cart:2": "Docker feed",
}
LEGAL = ["shop/cart", "shop--team/web", "shop__team/web", "a.b/c-d_e", "00"]

NO_REGIONS = ("CA-CENTRAL-1", "ca-central", "ca-central-1a", "canada", "Canada (Central)")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return once(tmp_path_factory, "places", judge)


def judge(tmp_path: Path) -> Told:
    names = ["shop/cart2", "Shop/Basket".lower(), "infra/cart-tools"]
    return demo(
        tmp_path,
        f'account = "{A}"\nregion = "{REGION}"',
        auditor(),
        *(repository(name) for name in (*LEGAL, *names)),
        *(repository(name, region=OTHER) for name in ("moved/one", "moved/two")),
        repository("theirs/app", account=B, policy={"allow": list(ALL[1:]), "to": A}),
        table("cache_rule", prefix="hub", upstream="registry-1.docker.io"),
        table("creation_template", prefix="made", applied_for=["CREATE_ON_PUSH"]),
        user("octopus", allow(ALL)),
        feed("names", REGION, *ILLEGAL, *LEGAL, credentials={"key": "octopus"}),
        feed(
            *("missing", REGION, "shop/car", "shop/basket2", "infra/carttools", "cart", "nothing"),
            *("hub/library/nginx", "made/new", "ghcr.io/acme/app"),
            credentials={"key": "octopus"},
        ),
        feed("moved", REGION, "moved/one", "moved/two", credentials={"key": "octopus"}),
        feed("open", REGION, "shop/#{Team}", "#{App}", credentials={"key": "octopus"}),
        feed("gone", REGION, "nowhere/app", credentials={"key": "octopus"}),
        feed("theirs", REGION, "theirs/app", account=B, credentials={"key": "octopus"}),
        *(
            feed(region, region, credentials={"key": "octopus"})
            for region in (
                "ca-centrl-1",
                "CA-CENTRAL-1",
                "ca-central",
                "ca-central-1a",
                "canada",
                "Canada (Central)",
            )
        ),
        options=("--look-elsewhere",),
        families=("identity", "region", "repositories", "permissions", "token"),
    )


@pytest.mark.parametrize(("package", "says"), ILLEGAL.items())
def test_an_illegal_package_id(told: Told, package: str, says: str) -> None:
    said = told.of("names", "REPO-2", package)
    assert said.outcome == "not met"
    assert says in said.text
    assert told.outcome("names", "REPO-1", package) == "not applicable"
    assert told.outcome("names", "PERM-3", package) == "not applicable"


@pytest.mark.parametrize("package", ["shop/#{Team}", "#{App}"])
def test_a_variable_is_known_at_deployment_only(told: Told, package: str) -> None:
    said = told.of("open", "REPO-2", package)
    assert (said.outcome, "variable" in said.message) == ("not assessed", True)
    assert told.outcome("open", "REPO-1", package) == "not applicable"


@pytest.mark.parametrize("package", LEGAL)
def test_a_legal_package_id(told: Told, package: str) -> None:
    for check in ("REPO-1", "REPO-2", "REPO-3", "PERM-2", "PERM-3", "PERM-4"):
        assert told.outcome("names", check, package) == "met"


@pytest.mark.parametrize(
    ("package", "near"),
    [
        ("shop/car", ["shop/cart"]),
        ("shop/basket2", ["shop/basket"]),
        ("infra/carttools", ["infra/cart-tools"]),
        ("cart", ["shop/cart"]),
        ("nothing", []),
    ],
)
def test_a_missing_repository(told: Told, package: str, near: list[str]) -> None:
    """F18: the command that makes it, and the names that it may have been meant to be."""
    said = told.of("missing", "REPO-1", package)
    assert said.outcome == "not met"
    assert said.fix == f"aws ecr create-repository --repository-name {package} --region {REGION}"
    assert said.evidence["near"][: len(near)] == near
    assert told.outcome("missing", "PERM-4", package) == "not applicable"


def test_a_repository_that_a_rule_would_create(told: Told) -> None:
    """F20: the first pull through the cache needs two more permissions."""
    said = told.of("missing", "REPO-1", "hub/library/nginx")
    assert said.outcome == "not met"
    assert "ecr:BatchImportUpstreamImage" in said.fix
    assert "ecr:CreateRepository" in said.fix
    assert "first push" in told.of("missing", "REPO-1", "made/new").fix


def test_another_registry_in_front_of_a_name(told: Told) -> None:
    """F19's sibling: ECR allows the name, and people mean something else."""
    said = told.of("missing", "REPO-1", "ghcr.io/acme/app")
    assert said.outcome == "not met"
    assert "another registry" in said.evidence["hint"]


def test_another_region_is_named_only_where_it_was_read(told: Told) -> None:
    """F11: an integration left on the wrong region."""
    for package in ("moved/one", "moved/two"):
        said = told.of("moved", "REPO-1", package)
        assert said.outcome == "not met"
        assert OTHER in said.found
    assert told.outcome("moved", "REGION-3") == "not met"
    assert OTHER not in told.of("gone", "REPO-1").found
    assert told.outcome("gone", "REGION-3") == "not applicable"


def test_an_image_of_another_account(told: Told) -> None:
    """F12: login works, and Octopus pulls from the token's own registry."""
    said = told.of("theirs", "IDENT-2")
    assert said.outcome == "not met"
    assert (B in said.text, A in said.text) == (True, True)
    assert told.outcome("theirs", "REPO-1") == "not met"
    assert told.outcome("theirs", "PERM-1") == told.outcome("theirs", "TOKEN-1") == "met"


@pytest.mark.parametrize("region", NO_REGIONS)
def test_a_region_that_is_none(told: Told, region: str) -> None:
    """F13: any text passes as a region; it is found before any call."""
    assert told.not_met(region) == {"REGION-1"}
    assert told.outcome(region, "IDENT-1") == "not assessed"
    assert REGION in told.of(region, "REGION-1").fix


def test_a_region_that_may_be_newer_than_the_list(told: Told) -> None:
    """It is called; without an answer nothing says that it does not exist."""
    said = told.of("ca-centrl-1", "REGION-1")
    assert (said.outcome, said.message.startswith(f"Did you mean {REGION}?")) == (
        "not assessed",
        True,
    )
    assert REGION in said.fix
    assert told.not_met("ca-centrl-1") == set()
    assert "REGION-1" in told.of("ca-centrl-1", "IDENT-1").text
