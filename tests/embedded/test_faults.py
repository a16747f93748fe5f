from __future__ import annotations

from typing import Any

import pytest
import requests
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from ecr_feed.embedded.faults import CalledOperation, Fault, Faults, cut
from ecr_feed.embedded.protocol.http_server import serve
from ecr_feed.embedded.protocol.wire import WireResponse
from tests.embedded.entry_points import endpoint_client
from tests.embedded.world import ACCOUNT, World, refused, world
from tests.support.requests_adapter import WireAdapter

FILE = """
[[repository]]
name = "team/app"
[[repository]]
name = "team/api"
[[user]]
name = "feed"
keys = [{ label = "feed" }]
policies = { p = { allow = "*" } }
[[user]]
name = "auditor"
keys = [{ label = "auditor" }]
policies = { p = { allow = "*" } }
"""


def faulty(fault: str) -> World:
    return world(f"{FILE}\n[[fault]]\n{fault}")


def test_a_code_for_one_operation_and_repository() -> None:
    made = faulty(
        'service = "ecr"\noperation = "ListImages"\nrepository = "team/app"\n'
        'code = "AccessDeniedException"\nmessage = "no"'
    )
    ecr = made.client("ecr", "feed")
    said = refused(ecr.list_images, repositoryName="team/app")
    assert said == ("AccessDeniedException", "no", 400)
    assert ecr.list_images(repositoryName="team/api")["imageIds"] == []
    assert ecr.describe_images(repositoryName="team/app")["imageDetails"] == []


@pytest.mark.parametrize("who", ['key = "feed"', 'caller = "feed"'])
def test_a_fault_for_one_caller(who: str) -> None:
    made = faulty(f'{who}\ncode = "ThrottlingException"\nmessage = "Rate exceeded"')
    assert refused(made.client("ecr", "feed").describe_repositories)[0] == "ThrottlingException"
    assert refused(made.client("sts", "feed").get_caller_identity)[::2] == (
        "ThrottlingException",
        403,
    )
    assert made.client("ecr", "auditor").describe_repositories()["repositories"]


def test_a_fault_that_passes() -> None:
    made = faulty('operation = "ListImages"\ncode = "ServerException"\nstatus = 500\ntimes = 2')
    call = made.client("ecr", "feed").list_images
    for _ in range(2):
        assert refused(call, repositoryName="team/app")[::2] == ("ServerException", 500)
    assert call(repositoryName="team/app")["imageIds"] == []


@pytest.mark.parametrize(
    "fault",
    ['body = "<html>hello</html>"', "truncate = 20", 'body = ""'],
    ids=["html", "cut", "empty"],
)
def test_botocore_takes_a_body_that_is_no_json_for_an_answer_without_its_key(fault: str) -> None:
    made = faulty(f'operation = "DescribeRepositories"\n{fault}')
    assert "repositories" not in made.client("ecr", "feed").describe_repositories()


def test_an_xml_answer_that_is_cut() -> None:
    made = faulty('service = "sts"\ntruncate = 20')
    with pytest.raises(ResponseParserError):
        made.client("sts", "feed").get_caller_identity()


def test_a_true_answer_with_a_text_replaced() -> None:
    made = faulty('operation = "GetAuthorizationToken"\nreplace = ["eu-west-1", "eu-west-2"]')
    said = made.client("ecr", "feed").get_authorization_token()["authorizationData"][0]
    assert said["proxyEndpoint"].endswith(".eu-west-2.amazonaws.com")
    assert made.core.token_caller("x") is None


def test_an_empty_object_lacks_its_key() -> None:
    made = faulty('operation = "DescribeRepositories"\nbody = "{}"')
    assert "repositories" not in made.client("ecr", "feed").describe_repositories()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("connect-timeout", ConnectTimeoutError),
        ("read-timeout", ReadTimeoutError),
        ("reset", ConnectionClosedError),
        ("refused", EndpointConnectionError),
        ("dns", EndpointConnectionError),
        ("tls", SSLError),
        ("proxy", ProxyConnectionError),
    ],
)
def test_no_answer_at_all(kind: str, error: type[Exception]) -> None:
    made = faulty(f'service = "ecr"\nregion = "eu-west-1"\nconnection = "{kind}"')
    with pytest.raises(error):
        made.client("ecr", "feed").describe_repositories()
    other = made.client("ecr", "feed", "us-east-1")
    assert other.describe_repositories()["repositories"] == []


def test_what_a_fault_hides_is_not_done() -> None:
    made = faulty('operation = "CreateRepository"\nrepository = "new"\ncode = "ServerException"')
    ecr = made.client("ecr", "feed")
    assert refused(ecr.create_repository, repositoryName="new")[0] == "ServerException"
    assert len(ecr.describe_repositories()["repositories"]) == 2


def test_patterns_are_globs_and_the_first_fault_wins() -> None:
    faults = Faults([Fault("ecr", "List*", code="first"), Fault(code="second")])
    first = faults.take(CalledOperation("ecr", "ListImages"))
    second = faults.take(CalledOperation("sts", "GetCallerIdentity"))
    assert (first and first.code, second and second.code) == ("first", "second")
    only = Fault(repository="team/*")
    assert not only.matches(CalledOperation("ecr", "GetAuthorizationToken"))
    assert only.matches(CalledOperation("ecr", "ListImages", repositories=("team/app",)))


def test_a_fault_that_starts_after_some_calls() -> None:
    faults = Faults([Fault("ecr", after=1, times=1, code="x")])
    taken = [faults.take(CalledOperation("ecr", "ListImages")) for _ in range(4)]
    assert [fault is not None for fault in taken] == [False, True, False, False]


def test_a_fault_of_one_method_and_reference() -> None:
    def asked(method: str, reference: str) -> CalledOperation:
        return CalledOperation("registry", "manifest", method=method, reference=reference)

    fault = Fault("registry", method="HEAD", reference="1.*")
    assert fault.matches(asked("HEAD", "1.0"))
    assert not fault.matches(asked("GET", "1.0"))
    assert not fault.matches(asked("HEAD", "sha256:0"))
    assert not fault.matches(CalledOperation("registry", "manifest"))


@pytest.mark.parametrize(
    ("fault", "status", "headers"),
    [
        (
            Fault(headers={"Content-Encoding": "gzip"}),
            206,
            {"etag": "1", "content-encoding": "gzip"},
        ),
        (Fault(headers={"etag": ""}), 206, {}),
        (Fault(headers={"etag": "2"}, status=200), 200, {"etag": "2"}),
        (Fault(truncate=1), 206, {"etag": "1", "content-length": "1"}),
        (
            Fault(truncate=1, headers={"content-length": "2"}),
            206,
            {"etag": "1", "content-length": "2"},
        ),
    ],
)
def test_headers_and_status_of_the_real_answer(
    fault: Fault, status: int, headers: dict[str, str]
) -> None:
    changed = cut(fault, WireResponse(206, {"etag": "1"}, b"ab"))
    assert (fault.changes, changed.status, changed.headers) == (True, status, headers)


def test_over_http_a_silent_service_lets_the_client_time_out() -> None:
    made = faulty('service = "sts"\nconnection = "read-timeout"')
    made.core.faults.add(Fault("ecr", connection="reset"))
    profile = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": made.core.root_secret}
    with serve(made.core) as server:
        with pytest.raises((ConnectionClosedError, EndpointConnectionError)):
            endpoint_client(server.url, profile, "ecr", "eu-west-1").describe_repositories()
        with pytest.raises(requests.ReadTimeout):
            requests.post(
                server.url,
                data={"Action": "GetCallerIdentity", "Version": "2011-06-15"},
                timeout=0.2,
            )


def test_the_requests_door_raises_what_requests_would() -> None:
    made = faulty('service = "sts"\nconnection = "connect-timeout"')
    session = requests.Session()
    session.mount("https://", WireAdapter(made.core.handle))
    form: dict[str, Any] = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
    with pytest.raises(requests.ConnectTimeout):
        session.post("https://sts.eu-west-1.amazonaws.com/", data=form)
    made.core.faults.clear()
    said = session.post("https://sts.eu-west-1.amazonaws.com/", data=form)
    assert said.status_code == 403
    assert "<Code>MissingAuthenticationToken</Code>" in said.text
