"""The OCI API as ECR serves it, asked by hand and by our own client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from ecr_feed.embedded.faults import Fault
from ecr_feed.facts.aws import Trouble
from ecr_feed.oci import Platform, Step, StepState, WantedImage, manifests
from tests.embedded.registry.served import HOST, STORAGE, Serve, Served
from tests.embedded.world import ACCOUNT, OTHER, REGION, world

BASE = f"https://{HOST}/v2/"
APP = f"{BASE}team/app"
DENY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Deny", "Action": "ecr:BatchGetImage", "Resource": "*"},
    }
)


def errors(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_a_stranger_is_challenged_as_ecr_does(served: Served) -> None:
    for answer in (
        served.ask("GET", BASE),
        served.ask("GET", BASE, password="no"),
        served.ask("GET", BASE, password=served.password(), user="root"),
        served.ask("GET", f"{APP}/tags/list"),
        served.ask("GET", BASE, headers={"Authorization": "Basic %%%"}),
    ):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == (
            f'Basic realm="https://{HOST}/",service="ecr.amazonaws.com"'
        )
        assert answer.text.strip() == "Not Authorized"


def test_the_token_opens_its_registry_for_12_hours(served: Served) -> None:
    password = served.password()
    assert served.ask("GET", BASE, password=password).status_code == 200
    served.world.core.advance(timedelta(hours=12))
    answer = served.ask("GET", BASE, password=password)
    assert errors(answer) == (403, "DENIED")
    assert "token has expired" in answer.text


def test_a_token_opens_no_other_region(served: Served) -> None:
    elsewhere = BASE.replace(REGION, "us-east-1")
    assert served.ask("GET", elsewhere, password=served.password()).status_code == 401
    own = served.password(region="us-east-1")
    assert served.ask("GET", elsewhere, password=own).status_code == 200


def test_our_own_walk_is_met(served: Served) -> None:
    registry = served.registry("team/app")
    assert [step.state for step in registry.login().steps] == [StepState.OK] * 3
    walk = registry.walk(WantedImage("team/app", "1.4.2", Platform("linux", "amd64")), deep=True)
    assert walk.ok, walk.broken
    assert set(walk.tags or ()) == {"1.4.1", "1.4.2"}
    assert {step.host for step in walk.of(Step.CONFIG, Step.LAYER)} == {STORAGE}


def test_permissions_are_those_of_the_moment(served: Served) -> None:
    password = served.password()
    manifest = f"{APP}/manifests/1.4.2"
    assert served.ask("GET", manifest, password=password).status_code == 200
    iam = served.world.client("iam")
    iam.put_user_policy(
        UserName="octopus-feed",
        PolicyName="stop",
        PolicyDocument=DENY,
    )
    answer = served.ask("GET", manifest, password=password)
    assert errors(answer) == (403, "DENIED")
    assert "ecr:BatchGetImage" in answer.text
    assert "explicit deny" in answer.text
    assert served.ask("HEAD", manifest, password=password).status_code == 403
    assert served.ask("GET", f"{APP}/tags/list", password=password).status_code == 200
    iam.delete_user_policy(UserName="octopus-feed", PolicyName="octopus-ecr-feed")
    assert served.ask("GET", BASE, password=password).status_code == 200
    assert errors(served.ask("GET", f"{APP}/tags/list", password=password)) == (403, "DENIED")


def test_what_is_not_there(served: Served) -> None:
    password = served.password("")
    missing = "sha256:" + "0" * 64
    for path, code in (
        ("team/none/tags/list", "NAME_UNKNOWN"),
        ("team/none/manifests/1", "NAME_UNKNOWN"),
        ("team/app/manifests/none", "MANIFEST_UNKNOWN"),
        (f"team/app/manifests/{missing}", "MANIFEST_UNKNOWN"),
        (f"team/app/blobs/{missing}", "BLOB_UNKNOWN"),
        ("team/app/unheard-of", "UNSUPPORTED"),
    ):
        assert errors(served.ask("GET", BASE + path, password=password)) == (404, code)


def test_an_archived_image_is_neither_listed_nor_pulled(served: Served) -> None:
    repository = served.world.core.registry(ACCOUNT, REGION).repositories["team/app"]
    repository.images[repository.tags["1.4.1"]].status = "ARCHIVED"
    password = served.password()
    listed = served.ask("GET", f"{APP}/tags/list", password=password).json()
    assert listed == {"name": "team/app", "tags": ["1.4.2"]}
    answer = served.ask("GET", f"{APP}/manifests/1.4.1", password=password)
    assert errors(answer) == (404, "MANIFEST_UNKNOWN")


def test_head_is_no_pull_and_get_is(served: Served) -> None:
    repository = served.world.core.registry(ACCOUNT, REGION).repositories["team/app"]
    image = repository.images[repository.tags["1.4.2"]]
    password = served.password()
    head = served.ask("HEAD", f"{APP}/manifests/1.4.2", password=password)
    assert (head.headers["Docker-Content-Digest"], image.last_pull) == (image.digest, None)
    get = served.ask("GET", f"{APP}/manifests/1.4.2", password=password)
    assert "Docker-Content-Digest" not in get.headers
    assert get.content.decode() == image.manifest
    assert image.last_pull is not None


def tag(served: Served, *names: str) -> None:
    repository = served.world.core.registry(ACCOUNT, REGION).repositories["team/app"]
    digest = repository.tags["1.4.2"]
    for name in names:
        repository.tags[name] = digest


def pages(served: Served, url: str, password: str) -> Iterator[Any]:
    while True:
        answer = served.ask("GET", url, password=password)
        yield answer.json()
        if "next" not in answer.links:
            return
        url = f"https://{HOST}{answer.links['next']['url']}"


def test_tags_come_in_pages(served: Served) -> None:
    tag(served, *(f"1.0.{number}" for number in range(250)))
    password = served.password()
    usual = list(pages(served, f"{APP}/tags/list", password))
    assert [len(page["tags"]) for page in usual] == [100, 100, 52]
    found = [name for page in usual for name in page["tags"]]
    assert len(set(found)) == 252
    most = list(pages(served, f"{APP}/tags/list?n=1000", password))
    assert [page["tags"] for page in most] == [found]


def test_what_a_list_refuses(served: Served) -> None:
    password = served.password("")
    for query in ("n=1001", "n=0", "n=x", "n=-1", "n=", "last=1.4.1", "last=AAAA"):
        for path in ("team/app/tags/list", "_catalog"):
            answer = served.ask("GET", f"{BASE}{path}?{query}", password=password)
            assert errors(answer) == (405, "UNSUPPORTED"), query


def test_the_catalog_is_for_those_who_may_describe_all(serve: Serve, served: Served) -> None:
    answer = served.ask("GET", f"{BASE}_catalog?n=1", password=served.password())
    assert answer.json() == {"repositories": ["team/app"]}
    scoped = serve(
        world(
            f"""
            says = "x"
            account = "{ACCOUNT}"
            region = "{REGION}"
            [[repository]]
            name = "team/app"
            [[user]]
            name = "u"
            keys = [{{ label = "u" }}]
            [user.policies]
            p = [
              {{ allow = "ecr:GetAuthorizationToken" }},
              {{ allow = "ecr:DescribeRepositories", on = "repository/team/app" }},
            ]
            """
        )
    )
    answer = scoped.ask("GET", f"{BASE}_catalog", password=scoped.password("u"))
    assert errors(answer) == (403, "DENIED")
    assert f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*" in answer.text


def stored_type(served: Served, name: str, **headers: str) -> tuple[int, str, str]:
    answer = served.ask(
        "GET", f"{APP}/manifests/{name}", password=served.password(), headers=headers
    )
    return answer.status_code, answer.headers["Content-Type"], answer.text


def test_a_tag_suits_the_accept_header_and_a_digest_does_not(served: Served) -> None:
    repository = served.world.core.registry(ACCOUNT, REGION).repositories["team/app"]
    digest = repository.tags["1.4.2"]
    own = repository.images[digest].media_type
    other = (
        manifests.OCI_MANIFEST if own == manifests.DOCKER_SCHEMA_2 else manifests.DOCKER_SCHEMA_2
    )
    status, kind, text = stored_type(served, "1.4.2", Accept=other)
    assert (status, kind, json.loads(text)["mediaType"]) == (200, other, other)
    assert stored_type(served, "1.4.2", Accept="*/*")[1] == own
    assert stored_type(served, "1.4.2", Accept=f"{other}, {own};q=0.5")[1] == own
    assert stored_type(served, digest, Accept=other)[1] == own
    assert stored_type(served, "1.4.2", Accept=manifests.OCI_INDEX)[0] == 404


def blob_url(served: Served) -> tuple[str, bytes]:
    repository = served.world.core.registry(ACCOUNT, REGION).repositories["team/app"]
    digest, data = next(iter(repository.layers.items()))
    return f"{APP}/blobs/{digest}", data


def test_blobs_are_redirected_to_the_storage(served: Served) -> None:
    url, data = blob_url(served)
    password = served.password()
    head = served.ask("HEAD", url, password=served.password(""))
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(data)))
    answer = served.ask("GET", url, password=password)
    where = answer.headers["Location"]
    assert (answer.status_code, where.startswith(f"https://{STORAGE}/")) == (307, True)
    assert served.ask("GET", where).content == data
    refused = served.ask("GET", where, password=password)
    assert (refused.status_code, "InvalidArgument" in refused.text) == (400, True)
    assert served.ask("GET", where.partition("?")[0]).status_code == 403
    assert served.ask("GET", where.replace("/team/", "/other/")).status_code == 404


def test_ranges(served: Served) -> None:
    url, data = blob_url(served)
    where = served.ask("GET", url, password=served.password()).headers["Location"]

    def part(asked: str) -> tuple[int, bytes, str]:
        answer = served.ask("GET", where, headers={"Range": asked})
        return answer.status_code, answer.content, answer.headers.get("Content-Range", "")

    size = len(data)
    assert part("bytes=0-1") == (206, data[:2], f"bytes 0-1/{size}")
    assert part("bytes=1-") == (206, data[1:], f"bytes 1-{size - 1}/{size}")
    assert part(f"bytes=0-{size * 2}") == (206, data, f"bytes 0-{size - 1}/{size}")
    assert part(f"bytes={size}-")[0] == 416
    assert part("bytes=0-1,3-4")[:2] == (200, data)


def test_another_account_needs_both_sides(serve: Serve) -> None:
    text = f"""
        says = "x"
        account = "{ACCOUNT}"
        region = "{REGION}"
        [[user]]
        name = "u"
        keys = [{{ label = "u" }}]
        [user.policies]
        p = [
          {{ allow = "ecr:GetAuthorizationToken" }},
          {{ allow = "ecr:*", on = "*" }},
        ]
        """
    at = serve(world(text))
    core = at.world.core
    theirs = core.registry(OTHER, REGION).create("shared/app", core.now())
    url = f"https://{OTHER}.dkr.ecr.{REGION}.amazonaws.com/v2/shared/app/tags/list"
    password = at.password("u")
    assert errors(at.ask("GET", url, password=password)) == (403, "DENIED")
    theirs.policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                    "Action": "ecr:ListImages",
                }
            ],
        }
    )
    assert at.ask("GET", url, password=password).json() == {"name": "shared/app", "tags": []}


def test_lists_are_read_only(served: Served) -> None:
    password = served.password("")
    for method in ("POST", "DELETE", "PUT", "PATCH"):
        for path in ("team/app/tags/list", "_catalog", ""):
            answer = served.ask(method, BASE + path, password=password)
            assert errors(answer) == (405, "UNSUPPORTED"), method
    deleted = served.ask("DELETE", f"{APP}/manifests/1.4.2", password=password)
    assert errors(deleted) == (405, "UNSUPPORTED")


KINDS: dict[Any, Trouble] = {
    "dns": Trouble.DNS,
    "refused": Trouble.REFUSED,
    "connect-timeout": Trouble.TIMEOUT,
    "read-timeout": Trouble.TIMEOUT,
    "reset": Trouble.RESET,
    "tls": Trouble.TLS,
    "proxy": Trouble.PROXY,
}


def test_a_fault_of_the_network_is_met_at_once_and_in_kind(served: Served) -> None:
    registry, faults = served.registry("team/app"), served.world.core.faults
    for kind, trouble in KINDS.items():
        faults.clear()
        faults.add(Fault(service="registry", operation="layer", connection=kind))
        broken = registry.walk(WantedImage("team/app", "1.4.2"), deep=True).broken
        assert broken is not None
        assert (broken.step, broken.trouble, broken.host) == (Step.CONFIG, trouble, STORAGE)


def test_faults_by_operation_repository_and_caller(served: Served) -> None:
    faults = served.world.core.faults
    password = served.password()
    faults.add(Fault(service="registry", operation="tags", code="ThrottlingException", times=1))
    url = f"{APP}/tags/list"
    assert errors(served.ask("GET", url, password=password)) == (429, "TOOMANYREQUESTS")
    assert served.ask("GET", url, password=password).status_code == 200
    faults.add(Fault(service="registry", repository="team/app", caller="octopus-feed", truncate=5))
    assert len(served.ask("GET", url, password=password).content) == 5
    assert served.ask("GET", url, password=served.password("")).status_code == 200
    other = f"{BASE}team/worker/tags/list"
    assert served.ask("GET", other, password=password).status_code == 200
    faults.clear()
    faults.add(Fault(service="registry", operation="tags", replace=("1.4.2", "1.4.0")))
    assert "1.4.0" in served.ask("GET", url, password=password).json()["tags"]
    faults.clear()
    faults.add(Fault(service="registry", operation="ping", body="<h1>hi</h1>", status=200))
    assert served.ask("GET", BASE).text == "<h1>hi</h1>"


def test_hosts_that_are_not_served_are_not_reached(served: Served) -> None:
    for host in ("example.com", "api.ecr.eu-west-9.amazonaws.com", "localhost"):
        with pytest.raises(requests.ConnectionError):
            served.ask("GET", f"https://{host}/v2/")
