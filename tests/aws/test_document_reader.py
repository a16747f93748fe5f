"""The auditor's readers on the embedded account, which keeps IAM as AWS does."""

from __future__ import annotations

import json
import tomllib
from datetime import timedelta
from urllib.parse import quote

import pytest

from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.aws.readers.identity import IdentityReader
from ecr_feed.aws.readers.simulation import SimulationRequest
from ecr_feed.aws.transport.backend import Backend
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import KeyCredentials
from ecr_feed.embedded.protocol.botocore_handler import boto3_answer
from ecr_feed.embedded.seeding.account_file import AccountFile
from ecr_feed.embedded.seeding.seed import core_for, fill
from ecr_feed.facts.aws import Answer, Trouble
from ecr_feed.iam import Outcome, Policies, Request, decide, parse
from tests.aws.fake import ACCOUNT, FakeAws, ReceivedCall, Reply, query_fault
from tests.aws.helpers import embedded, failure_of

REGION = "eu-west-1"
USER = f"arn:aws:iam::{ACCOUNT}:user/ci/feed"
SEED = """
account = "123456789012"
[[repository]]
name = "team/app"
policy = [{ allow = "ecr:BatchGetImage", to = "*" }]
tags = { team = "payments" }
lifecycle = { rules = [{ rulePriority = 1, action = { type = "expire" }, selection = { \
tagStatus = "any", countType = "imageCountMoreThan", countNumber = 3 } }] }
[[repository]]
name = "team/api"
[[group]]
name = "pullers"
attached = ["AmazonEC2ContainerRegistryReadOnly"]
[group.policies]
pull = [{ allow = "ecr:BatchGetImage", on = "repository/*" }]
[[policy]]
name = "own"
document = [{ allow = "ecr:*" }]
[[user]]
name = "feed"
path = "/ci/"
groups = ["pullers"]
attached = ["own"]
boundary = [{ allow = "ecr:*" }]
tags = { purpose = "octopus" }
console_password = true
keys = [{ label = "feed", age_days = 100, used_days = 1 }, { label = "2", status = "inactive" }]
[user.policies]
inline = [{ allow = "ecr:GetAuthorizationToken" }]
[[user]]
name = "auditor"
policies = { audit = [{ allow = "*" }] }
keys = [{ label = "auditor" }]
[[user]]
name = "narrow"
policies = { audit = [{ allow = "iam:*" }, { deny = ["iam:GetPolicyVersion", "iam:GetUser"] }] }
keys = [{ label = "narrow" }]
[[role]]
name = "octopus"
path = "/ci/"
max_session_seconds = 7200
policies = { p = [{ allow = "ecr:*" }] }
keys = [{ label = "session" }]
trust = { Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", \
Principal = { Service = "ec2.amazonaws.com" } }] }
[[oidc_provider]]
url = "https://octopus.example.com"
audiences = ["api://default"]
[[cache_rule]]
prefix = "hub"
[[creation_template]]
prefix = "made"
applied_for = ["CREATE_ON_PUSH"]
"""


@pytest.fixture(scope="module")
def sessions() -> Sessions:
    account = AccountFile.model_validate(tomllib.loads(SEED))
    core = core_for(account)
    seeded = fill(core, account)
    return Sessions(backend=Backend(kind="embedded", answer=boto3_answer(core), keys=seeded.keys))


@pytest.fixture
def audit(sessions: Sessions) -> DocumentReader:
    return DocumentReader(sessions, KeyCredentials(key="auditor"), REGION, account=ACCOUNT)


def test_every_policy_of_a_user(audit: DocumentReader) -> None:
    user = audit.principal(USER)
    assert [(p.name, p.via) for p in user.policies] == [
        ("inline", "user feed"),
        ("own", "user feed"),
        ("pull", "group pullers"),
        ("AmazonEC2ContainerRegistryReadOnly", "group pullers"),
    ]
    assert user.boundary is not None
    assert user.tags == {"purpose": "octopus"}
    assert user.unread == ()


def test_what_was_read_can_be_judged(audit: DocumentReader) -> None:
    user = audit.principal(USER)
    documents = [parse(p.document, name=p.name) for p in user.policies]
    assert user.boundary is not None
    policies = Policies(tuple(documents), boundary=parse(user.boundary.document, kind="boundary"))
    decision = decide(Request(user.caller, "ecr:GetAuthorizationToken", "*"), policies)
    assert decision.outcome == Outcome.ALLOWED


def test_a_session_leads_to_its_role_with_its_path(
    sessions: Sessions, audit: DocumentReader
) -> None:
    session = IdentityReader(sessions, KeyCredentials(key="session")).identity(REGION)
    role = audit.principal(session.arn)
    assert role.arn == f"arn:aws:iam::{ACCOUNT}:role/ci/octopus"
    assert role.caller == session.arn
    assert role.max_session == timedelta(hours=2)
    assert role.trust is not None
    parse(role.trust.document, kind="trust")
    assert audit.principal(role.arn).policies == role.policies


def test_the_root_user_has_no_policies(audit: DocumentReader) -> None:
    root = audit.principal(f"arn:aws:iam::{ACCOUNT}:root")
    assert (root.kind, root.policies) == ("root", ())
    (permission,) = audit.simulate(root, SimulationRequest(("ecr:ListImages",)))
    assert permission.answer == Answer.UNDETERMINED


@pytest.mark.parametrize("rest", ["sts::{}:federated-user/x", "iam::{}:group/x", "s3:::bucket"])
def test_who_has_no_policies_in_iam(audit: DocumentReader, rest: str) -> None:
    failure = failure_of(audit.principal, "arn:aws:" + rest.format(ACCOUNT))
    assert failure.code in ("UnknownPrincipal", "OtherAccount")


def test_a_user_that_is_gone(audit: DocumentReader) -> None:
    failure = failure_of(audit.principal, f"arn:aws:iam::{ACCOUNT}:user/nobody")
    assert failure.trouble == Trouble.NOT_FOUND


def test_a_refused_read_leaves_the_rest_and_is_said(sessions: Sessions) -> None:
    narrow = DocumentReader(sessions, KeyCredentials(key="narrow"), REGION, account=ACCOUNT)
    user = narrow.principal(USER)
    assert [p.name for p in user.policies] == ["inline", "pull"]
    assert {failure.operation for failure in user.unread} == {"GetUser", "GetPolicyVersion"}
    assert {failure.trouble for failure in user.unread} == {Trouble.DENIED}


def test_another_accounts_namesake_is_not_read(sessions: Sessions) -> None:
    other = DocumentReader(sessions, KeyCredentials(key="auditor"), REGION, account="210987654321")
    assert failure_of(other.principal, USER).code == "OtherAccount"
    assert failure_of(other.repository_policy, "team/app").code == "OtherAccount"
    here = DocumentReader(sessions, KeyCredentials(key="auditor"), REGION)
    theirs = USER.replace(ACCOUNT, "210987654321")
    assert failure_of(here.principal, theirs).code == "OtherAccount"


def test_keys_and_password(sessions: Sessions, audit: DocumentReader) -> None:
    own = sessions.backend.keys["feed"].access_key_id
    first, second = audit.access_keys(audit.principal(USER), own)
    assert first.own
    assert first.is_active
    assert first.last_used_at is not None
    assert first.id == f"AKIA…{own[-4:]}"
    assert not second.own
    assert not second.is_active
    assert second.last_used_at is None
    assert audit.has_console_password(audit.principal(USER))
    auditor = audit.principal(f"arn:aws:iam::{ACCOUNT}:user/auditor")
    assert not audit.has_console_password(auditor)


def test_oidc_providers(audit: DocumentReader) -> None:
    (arn,) = audit.oidc_providers()
    provider = audit.oidc_provider(arn)
    assert provider is not None
    assert (provider.url, provider.audiences) == ("octopus.example.com", ("api://default",))
    assert audit.oidc_provider(arn + "/x") is None


def test_documents_of_a_registry(audit: DocumentReader) -> None:
    policy = audit.repository_policy("team/app")
    assert policy is not None
    parse(policy.document, kind="resource")
    assert audit.repository_policy("team/api") is None
    assert failure_of(audit.repository_policy, "team/gone").trouble == Trouble.NOT_FOUND
    lifecycle = audit.lifecycle_policy("team/app")
    assert lifecycle is not None
    assert json.loads(lifecycle.text)["rules"]
    assert audit.lifecycle_policy("team/api") is None
    assert audit.registry_policy() is None
    assert [rule.prefix for rule in audit.cache_rules()] == ["hub"]
    assert [t.applied_for for t in audit.creation_templates()] == [("CREATE_ON_PUSH",)]
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app"
    assert audit.repository_tags(arn) == {"team": "payments"}
    assert audit.cache_rules("us-east-1") == ()


def test_each_fact_is_read_once(sessions: Sessions, audit: DocumentReader) -> None:
    audit.principal(USER)
    audit.repository_policy("team/app")
    sessions.log.drain()
    audit.principal(USER)
    audit.repository_policy("team/app")
    assert sessions.log.drain() == []


def test_a_simulation_of_a_user_and_a_role(sessions: Sessions, audit: DocumentReader) -> None:
    arns = tuple(f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{n}" for n in ("team/app", "team/api"))
    question = SimulationRequest(("ecr:ListImages", "iam:CreateUser"), arns)
    answers = audit.simulate(audit.principal(USER), question)
    assert [(p.action, p.resource) for p in answers] == [
        (action, arn) for action in question.actions for arn in arns
    ]
    assert [p.answer for p in answers] == [Answer.ALLOWED] * 2 + [Answer.DENIED] * 2
    assert answers[2].because == "the permissions boundary does not allow it"


WRAP = (
    "<{0}Response><{0}Result>{1}</{0}Result><ResponseMetadata><RequestId>r</RequestId>"
    "</ResponseMetadata></{0}Response>"
)


def wrapped(operation: str, body: str) -> Reply:
    return Reply(200, WRAP.format(operation, body).encode())


USER_X = f"<User><UserName>x</UserName><Arn>arn:aws:iam::{ACCOUNT}:user/x</Arn></User>"


def inline(asked: ReceivedCall, document: str) -> str:
    user, name = asked.parameters["UserName"], asked.parameters["PolicyName"]
    return (
        f"<UserName>{user}</UserName><PolicyName>{name}</PolicyName>"
        f"<PolicyDocument>{quote(document)}</PolicyDocument>"
    )


def test_a_document_that_is_no_json_stays_text() -> None:
    fake = FakeAws()
    names = "<{0}><member>{1}</member></{0}><IsTruncated>false</IsTruncated>"
    none = "<IsTruncated>false</IsTruncated><{0}/>"
    fake.replies = {
        "GetUser": lambda asked: wrapped("GetUser", USER_X),
        "ListUserPolicies": lambda asked: wrapped(
            "ListUserPolicies", names.format("PolicyNames", "broken")
        ),
        "GetUserPolicy": lambda asked: wrapped("GetUserPolicy", inline(asked, "{not json")),
        "ListAttachedUserPolicies": lambda asked: wrapped(
            "ListAttachedUserPolicies", none.format("AttachedPolicies")
        ),
        "ListGroupsForUser": lambda asked: wrapped("ListGroupsForUser", none.format("Groups")),
    }
    audit = DocumentReader(embedded(fake), KeyCredentials(key="feed"), REGION)
    (policy,) = audit.principal(f"arn:aws:iam::{ACCOUNT}:user/x").policies
    assert policy.document == "{not json"


def pages_of_policies(asked: ReceivedCall) -> Reply:
    second = asked.parameters.get("Marker") == "m"
    name = "two" if second else "one"
    more = "" if second else "<Marker>m</Marker>"
    return wrapped(
        "ListUserPolicies",
        f"<PolicyNames><member>{name}</member></PolicyNames>"
        f"<IsTruncated>{'false' if second else 'true'}</IsTruncated>{more}",
    )


def test_lists_are_read_to_the_end_and_a_cut_one_is_said() -> None:
    fake = FakeAws()
    none = "<IsTruncated>false</IsTruncated><{0}/>"
    fake.replies = {
        "GetUser": lambda asked: wrapped("GetUser", USER_X),
        "ListUserPolicies": pages_of_policies,
        "GetUserPolicy": lambda asked: wrapped("GetUserPolicy", inline(asked, "{}")),
        "ListAttachedUserPolicies": lambda asked: wrapped(
            "ListAttachedUserPolicies",
            "<IsTruncated>true</IsTruncated><AttachedPolicies/>",
        ),
        "ListGroupsForUser": lambda asked: wrapped("ListGroupsForUser", none.format("Groups")),
    }
    audit = DocumentReader(embedded(fake), KeyCredentials(key="feed"), REGION)
    user = audit.principal(f"arn:aws:iam::{ACCOUNT}:user/x")
    assert [policy.name for policy in user.policies] == ["one", "two"]
    assert [(f.operation, f.trouble) for f in user.unread] == [
        ("ListAttachedUserPolicies", Trouble.MALFORMED)
    ]


def test_a_closed_account_is_an_error_and_no_empty_principal() -> None:
    fake = FakeAws()
    fake.replies["GetUser"] = lambda asked: query_fault("InvalidClientTokenId", "invalid")
    audit = DocumentReader(embedded(fake), KeyCredentials(key="feed"), REGION)
    failure = failure_of(audit.principal, f"arn:aws:iam::{ACCOUNT}:user/x")
    assert failure.trouble == Trouble.UNKNOWN_KEY
