from __future__ import annotations

import pytest

from tests.field.helpers import FOUR, allow, fault, repository, table, user
from tests.support.feeds import APP, opened

FEED = user("feed", allow("*"))
COMMAND = "create {package!q} in {feed.region!q}"
CREATE = "Or create it: create hub/nginx in eu-west-1"
RULE = table("cache_rule", prefix="hub", upstream="registry-1.docker.io")


def template(prefix: str, *applied: str) -> str:
    return table("creation_template", prefix=prefix, applied_for=list(applied))


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ((), None),
        ((RULE,), "The cache rule 'hub' creates it at the first pull: "),
        ((template("hub", "CREATE_ON_PUSH"),), "template 'hub' creates it at the first push. "),
        ((template("ROOT", "CREATE_ON_PUSH"),), "template 'ROOT' creates it at the first push. "),
        (
            (template("ROOT", "CREATE_ON_PUSH"), template("hub", "CREATE_ON_PUSH")),
            "template 'hub' ",
        ),
        ((RULE, template("hub", "CREATE_ON_PUSH")), "The cache rule 'hub' "),
        ((template("hub", "REPLICATION"),), None),
        ((template("other", "CREATE_ON_PUSH"),), None),
    ],
)
def test_what_would_create_a_repository(parts: tuple[str, ...], says: str | None) -> None:
    with opened(FEED, *parts, packages=("hub/nginx",)) as at:
        fix = at.view.creation.fix("hub/nginx", COMMAND)
    if says is None:
        assert fix is None
    else:
        assert says in (fix or "")
        assert (fix or "").endswith(CREATE)


def test_the_feed_itself_reads_the_documents_where_there_is_no_auditor() -> None:
    with opened(FEED, RULE, packages=("hub/nginx",), auditor=None) as at:
        assert at.view.creation.fix("hub/nginx", COMMAND)


def test_documents_that_could_not_be_read_leave_the_checks_own_fix() -> None:
    parts = (user("feed", allow(FOUR)), RULE)
    with opened(*parts, packages=("hub/nginx",), auditor=None) as at:
        assert at.view.creation.fix("hub/nginx", COMMAND) is None


@pytest.mark.parametrize(("name", "at_aws"), [("hub/nginx", False), ("hub/Nginx", True)])
def test_nothing_is_asked_at_a_test_endpoint_or_for_an_illegal_name(
    name: str, at_aws: bool
) -> None:
    with opened(FEED, RULE, packages=("hub/nginx",), at_aws=at_aws) as at:
        assert at.view.creation.fix(name, COMMAND) is None
        assert not at.drain()


THERE = repository("shop/there", region="eu-central-1")
NAMES = (APP, "shop/there", "shop/gone", "Shop/Cart")


def test_other_regions_are_searched_only_when_asked() -> None:
    with opened(repository(APP), THERE, FEED, packages=NAMES) as at:
        elsewhere, inventory = at.view.elsewhere, at.view.account.inventory()
        assert elsewhere.missing() == ("shop/there", "shop/gone")
        at.drain()
        assert (elsewhere.regions("shop/there"), elsewhere.unread("shop/there")) == ((), ())
        assert elsewhere.evidence("shop/there") == {}
        assert not at.drain()
        assert elsewhere.found("shop/carts", inventory).startswith(
            f"no such repository; nearest: {APP}"
        )
        assert elsewhere.found("zzz", inventory) == "no such repository; no similar name"


def test_a_package_in_another_region() -> None:
    with opened(repository(APP), THERE, FEED, packages=NAMES, look_elsewhere=True) as at:
        elsewhere, inventory = at.view.elsewhere, at.view.account.inventory()
        assert elsewhere.regions("shop/there") == ("eu-central-1",)
        assert (
            elsewhere.found("shop/there", inventory)
            == "no such repository here; it is in eu-central-1"
        )
        evidence = elsewhere.evidence("shop/there")
        assert evidence["elsewhere"] == ["eu-central-1"]
        assert elsewhere.regions("shop/gone") == ()
        assert (elsewhere.unread("shop/gone"), evidence["unread"]) == ((), [])


def test_a_region_that_does_not_answer_is_unread() -> None:
    silent = fault("feed", service="ecr", region="eu-west-3", code="ServerException")
    parts = (repository(APP), silent, FEED)
    with opened(*parts, packages=NAMES, look_elsewhere=True) as at:
        assert at.view.elsewhere.unread("shop/gone") == ("eu-west-3",)
        assert at.view.elsewhere.regions("shop/gone") == ()
