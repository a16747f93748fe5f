from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.iam import Document, Outcome, Policies, Request, decide
from tests.iam.helpers import (
    FOREIGN,
    JSON,
    PULL,
    REPOSITORY,
    ROLE,
    ROOT,
    SESSION,
    TOKEN,
    USER,
    A,
    policy,
)

ACTIONS = [PULL, TOKEN, "ecr:DescribeImages", "s3:GetObject", "sts:AssumeRole", "kms:Decrypt"]
RESOURCES = [
    REPOSITORY,
    FOREIGN,
    "*",
    "arn:aws:s3:::bucket/key",
    f"arn:aws:iam::{A}:role/target",
    f"arn:aws:kms:eu-west-1:{A}:key/1",
]
PATTERNS = [
    "*",
    "arn:aws:ecr:*:*:repository/team/*",
    REPOSITORY,
    "arn:aws:s3:::*",
    "arn:aws:iam",
    "arn:aws*:ecr:*:*:*",  # undocumented: read in both ways
]
CONDITIONS: list[JSON] = [
    {},
    {"StringEquals": {"aws:x": "a"}},
    {"StringNotEquals": {"aws:x": "a"}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"ForAllValues:StringEquals": {"aws:x": ["a", "b"]}},
]
PRINCIPALS: list[object] = [
    "*",
    {"AWS": USER},
    {"AWS": ROLE},
    {"AWS": ROOT},
    {"AWS": SESSION},
    {"Service": "ecs.amazonaws.com"},
]
CALLERS = [
    USER,
    ROLE,
    SESSION,
    ROOT,
    None,
    "ecs.amazonaws.com",
    f"arn:aws:iam::{A}:role/aws-service-role/x/AWSServiceRoleForX",
]


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None) -> dict[str, object]:
    action = draw(st.sampled_from(["*", "ecr:*", "ecr:Batch*", TOKEN, "s3:*", "sts:*", "kms:*"]))
    found: dict[str, object] = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "Action", "NotAction"])): action,
        draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"])): draw(
            st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2, unique=True)
        ),
    }
    condition = draw(st.sampled_from(CONDITIONS))
    return {**found, "Condition": condition} if condition else found


@st.composite
def resource_statements(draw: st.DrawFn, effect: str | None = None) -> dict[str, object]:
    """A resource-based statement; a Deny may except principals instead of naming them."""
    found = {**draw(statements(effect)), "Principal": draw(st.sampled_from(PRINCIPALS))}
    if found["Effect"] == "Deny" and draw(st.booleans()):
        found["NotPrincipal"] = found.pop("Principal")
    return found


def documents(
    source: st.SearchStrategy[dict[str, object]], kind: str
) -> st.SearchStrategy[Document]:
    return st.lists(source, min_size=1, max_size=3).map(lambda each: policy(*each, kind=kind))


IDENTITY = documents(statements(), "identity")
LEVELS = st.none() | st.lists(st.tuples(IDENTITY), max_size=2).map(tuple)


@st.composite
def worlds(draw: st.DrawFn) -> Policies:
    return Policies(
        identity=tuple(draw(st.lists(IDENTITY, max_size=2))),
        boundary=draw(st.none() | IDENTITY),
        resource=draw(
            st.none()
            | st.sampled_from(["key", "registry"]).flatmap(
                lambda kind: documents(resource_statements(), kind)
            )
        ),
        scps=draw(LEVELS),
        session=draw(st.none() | IDENTITY),
    )


@st.composite
def requests(draw: st.DrawFn) -> Request:
    return Request(
        draw(st.sampled_from(CALLERS)),
        draw(st.sampled_from(ACTIONS)),
        draw(st.sampled_from(RESOURCES)),
        draw(
            st.sampled_from(
                [{}, {"aws:x": "a"}, {"aws:x": ("a", "c")}, {"aws:SecureTransport": "false"}]
            )
        ),
        draw(st.sampled_from([frozenset(), frozenset(), frozenset({"aws:x"})])),
    )


RANK = {Outcome.ALLOWED: 2, Outcome.UNDETERMINED: 1}


def rank(policies: Policies, request: Request) -> int:
    """How far from denied an answer is."""
    return RANK.get(decide(request, policies).outcome, 0)


def with_statement(policies: Policies, layer: str, extra: JSON) -> Policies:
    """The same policies with one statement more in a layer that is there."""
    fields = {name: getattr(policies, name) for name in policies.__dataclass_fields__}
    if layer == "identity":
        fields["identity"] = (*policies.identity, policy(extra))
    elif layer == "scps" and policies.scps:
        fields["scps"] = tuple((*level, policy(extra)) for level in policies.scps)
    elif layer == "resource" and policies.resource is not None:
        more = policy({**extra, "Principal": "*"}, kind="key")
        fields["resource"] = joined(policies.resource, more)
    elif layer in ("boundary", "session") and fields[layer] is not None:
        fields[layer] = joined(fields[layer], policy(extra))
    return Policies(**fields)


def joined(one: Document, other: Document) -> Document:
    return Document(one.name, one.kind, one.version, (*one.statements, *other.statements))


LAYERS = st.sampled_from(["identity", "boundary", "session", "resource", "scps"])


@given(worlds(), requests(), statements("Deny"), LAYERS)
def test_adding_a_deny_never_brings_nearer_to_allowed(
    policies: Policies, request: Request, extra: JSON, layer: str
) -> None:
    assert rank(with_statement(policies, layer, extra), request) <= rank(policies, request)


@given(worlds(), requests(), statements("Allow"), LAYERS)
def test_adding_an_allow_never_brings_nearer_to_denied(
    policies: Policies, request: Request, extra: JSON, layer: str
) -> None:
    assert rank(with_statement(policies, layer, extra), request) >= rank(policies, request)


def reordered(document: Document, chance: random.Random) -> Document:
    found = list(document.statements)
    chance.shuffle(found)
    return Document(document.name, document.kind, document.version, tuple(found))


@given(worlds(), requests(), st.randoms(use_true_random=False))
def test_the_order_of_statements_and_policies_is_irrelevant(
    policies: Policies, request: Request, chance: random.Random
) -> None:
    identity = [reordered(each, chance) for each in policies.identity]
    chance.shuffle(identity)
    turned = Policies(
        identity=tuple(identity),
        boundary=policies.boundary and reordered(policies.boundary, chance),
        resource=policies.resource and reordered(policies.resource, chance),
        scps=policies.scps and tuple(reversed(policies.scps)),
        session=policies.session and reordered(policies.session, chance),
    )
    one, other = decide(request, policies), decide(request, turned)
    assert (one.outcome, one.depends_on) == (other.outcome, other.depends_on)
    assert {block.layer for block in one.blocking} == {block.layer for block in other.blocking}


def split(statement: JSON) -> list[JSON]:
    """A statement as several that together say the same."""
    if "NotResource" in statement:  # listing less excepts more: that is no split
        return [statement]
    resources = statement["Resource"]
    assert isinstance(resources, list)
    return [{**statement, "Resource": each} for each in resources]


@given(st.lists(statements(), min_size=1, max_size=4), requests())
def test_splitting_a_statement_changes_nothing(whole: list[JSON], request: Request) -> None:
    parts = [part for each in whole for part in split(each)]
    policies = [Policies((policy(*each),)) for each in (whole, parts)]
    apart = Policies(tuple(policy(each) for each in parts))
    answers = {decide(request, each).outcome for each in (*policies, apart)}
    assert len(answers) == 1


@given(worlds(), requests())
def test_a_decision_explains_itself(policies: Policies, request: Request) -> None:
    decision = decide(request, policies)
    assert request.action in decision.because
    assert decision.because.endswith(".")
    assert len(decision.nearest) <= 3
    if decision.outcome is Outcome.ALLOWED:
        assert decision.blocking == ()
        assert decision.denial_layer == ""
    else:
        assert decision.blocking
        assert decision.denial_layer
    if decision.outcome is Outcome.EXPLICIT_DENY:
        assert decision.statement is not None
    assert not set(decision.absent) & set(request.context)
