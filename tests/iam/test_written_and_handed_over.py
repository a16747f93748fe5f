"""What AWS refuses from a person, and what the same document means where AWS handed it over."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.iam import SIZE_LIMITS, Document, Outcome, PolicyError, parse, quota
from tests.iam.helpers import FOREIGN, JSON, PULL, REPOSITORY, SESSION, USER, A, allow, ask, deny

AT = "$.Statement[0]"
REPO = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}
RCP = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*", "Resource": "*"}
USERS = f"arn:aws:iam::{A}:user/*"

REFUSED: list[tuple[str, JSON, str, str]] = [
    ("resource", {**REPO, "Principal": {"AWS": USERS}}, ".Principal.AWS", "no wildcard"),
    ("resource", {**REPO, "Principal": {"AWS": [USER, USERS]}}, ".Principal.AWS[1]", "wildcard"),
    ("resource", {**REPO, "Principal": {"Service": "*.amazonaws.com"}}, ".Principal.Service", "no"),
    (
        "resource",
        {"Effect": "Allow", "NotPrincipal": {"AWS": USER}, "Action": "ecr:*"},
        ".NotPrincipal",
        "Effect Allow",
    ),
    ("rcp", {**RCP, "Effect": "Allow"}, ".Effect", "expected Deny"),
    ("rcp", {**RCP, "Action": "*"}, ".Action", "'*' alone"),
    ("rcp", {**RCP, "Action": ["ecr:*", "*"]}, ".Action[1]", "'*' alone"),
    ("rcp", {**RCP, "Effect": "Allow", "Action": "*", "Condition": {}}, ".Effect", "Deny"),
    ("rcp", {**RCP, "Principal": {"AWS": "*"}}, ".Principal", 'expected "*"'),
    (
        "rcp",
        {"Effect": "Deny", "NotPrincipal": "*", "Action": "ecr:*", "Resource": "*"},
        ".NotPrincipal",
        "use Principal",
    ),
    (
        "rcp",
        {"Effect": "Deny", "Principal": "*", "NotAction": "ecr:*", "Resource": "*"},
        ".NotAction",
        "takes Action only",
    ),
    (
        "identity",
        allow(Condition={"StringEquals": {"SourceVpce": "vpce-1"}}),
        ".Condition.StringEquals.SourceVpce",
        "expected aws:SourceVpce",
    ),
    (
        "resource",
        {**REPO, "Condition": {"StringEquals": {"team": "a"}}},
        ".Condition.StringEquals.team",
        "a prefix and a name",
    ),
    ("scp", deny(Condition={"Null": {"aws:": "true"}}), '.Condition.Null["aws:"]', "prefix"),
    ("scp", deny(Condition={"Null": {":x": "true"}}), '.Condition.Null[":x"]', "prefix"),
    ("identity", allow("ecr:*", REPOSITORY + "${aws:username"), ".Resource", "closing brace"),
    ("identity", allow("ecr:*", ["*", REPOSITORY + "/${a ${b}"]), ".Resource[1]", "closing brace"),
    (
        "boundary",
        allow(Condition={"StringLike": {"aws:x": ["a", "${aws:username"]}}),
        '.Condition.StringLike["aws:x"][1]',
        "closing brace",
    ),
    *(
        ("identity", allow("*", f"arn:aws:{service}:eu-west-1:1:a"), ".Resource", "service")
        for service in ("*", "ec*", "ec?", "**")
    ),
    ("identity", allow("ecr:*", ["*", "arn:*:*:*:*:*"]), ".Resource[1]", "service"),
    (
        "scp",
        {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:*"},
        ".NotResource",
        "service",
    ),
    ("registry", {**REPO, "Resource": "arn:aws:e*:eu-west-1:1:a"}, ".Resource", "service"),
]


@pytest.mark.parametrize(("kind", "found", "place", "reason"), REFUSED)
def test_what_aws_refuses_is_refused_with_the_place(
    kind: str, found: JSON, place: str, reason: str
) -> None:
    document = {"Version": "2012-10-17", "Statement": [found]}
    with pytest.raises(PolicyError) as caught:
        parse(document, kind=kind)
    assert caught.value.path == AT + place
    assert reason in caught.value.reason
    parse(document, kind=kind, from_aws=True)


def handed_over(*statements: JSON, kind: str = "identity", **others: object) -> Document:
    document = {"Version": "2012-10-17", "Statement": list(statements), **others}
    return parse(document, kind=kind, name="p", from_aws=True)


def refused_twice(document: Mapping[str, object], kind: str) -> str:
    with pytest.raises(PolicyError) as caught:
        parse(document, kind=kind)
    assert parse(document, kind=kind, from_aws=True).statements
    return caught.value.path


def test_a_sid_of_two_statements() -> None:
    twice = {"Statement": [{**allow(), "Sid": "A"}, {**deny(), "Sid": "A"}]}
    assert refused_twice(twice, "identity") == "$.Statement[1].Sid"
    repository = {"Statement": [{**REPO, "Sid": "a b"}, {**REPO, "Sid": "a b"}]}
    assert refused_twice(repository, "resource") == "$.Statement[1].Sid"
    empty = {"Statement": [{**allow(), "Sid": ""}, {**deny(), "Sid": ""}]}
    parse(empty)


@pytest.mark.parametrize("service", ["*", "ec*", "e?r"])
def test_a_wildcard_in_the_service_of_an_arn_matches_nothing(service: str) -> None:
    arn = f"arn:aws:{service}:eu-west-1:{A}:repository/*"
    assert not ask(handed_over(allow("*", arn))).allowed
    assert ask(handed_over(allow("*", [arn, REPOSITORY]))).allowed
    assert ask(handed_over(allow(), deny("*", arn))).allowed
    excepted = {"Effect": "Deny", "Action": "*", "NotResource": arn}
    assert ask(handed_over(allow(), excepted)).outcome is Outcome.EXPLICIT_DENY


@pytest.mark.parametrize(
    "odd",
    [
        allow([]),
        allow("ecr:*", []),
        allow("BatchGetImage"),
        allow("ecr:Batch Get"),
        allow("*", "team/app"),
        allow("*", "arn:amazon:ecr:eu-west-1:1:repository/a"),
        allow("*", "arn:aws::eu-west-1:1:repository/a"),
        allow(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/99"}}),
        allow(Condition={"Bool": {"aws:SecureTransport": "yes"}}),
        allow(Condition={"StringEquals": {"aws:x": "${aws:y"}}),
    ],
)
def test_what_aws_took_though_it_means_nothing_matches_nothing(odd: JSON) -> None:
    context = {"aws:SourceIp": "10.0.0.1", "aws:SecureTransport": "true", "aws:x": "x"}
    assert ask(handed_over(odd), context=context).outcome is Outcome.IMPLICIT_DENY
    assert ask(handed_over(odd, allow()), context=context).allowed


def test_a_policy_without_statements_allows_nothing() -> None:
    assert ask(handed_over()).outcome is Outcome.IMPLICIT_DENY


@pytest.mark.parametrize(
    "senseless",
    [
        {"Statement": [{**allow(), "Effect": "Maybe"}]},
        {"Statement": [{**allow(), "Unknown": 1}]},
        {"Statement": [allow(Condition={"StringIs": {"aws:x": "y"}})]},
        {"Statement": [{"Effect": "Allow", "Resource": "*"}]},
        {"Statement": [{**allow(), "Principal": "*"}]},
        {"Version": "2020-01-01", "Statement": [allow()]},
        {},
    ],
)
def test_what_makes_no_sense_stays_an_error(senseless: JSON) -> None:
    with pytest.raises(PolicyError):
        parse(senseless, from_aws=True)


class TestUndocumented:
    @pytest.mark.parametrize("partition", ["aws*", "???", "a?s", "*s"])
    @pytest.mark.parametrize("from_aws", [False, True])
    def test_a_wildcard_within_a_partition(self, partition: str, from_aws: bool) -> None:
        arn = f"arn:{partition}:ecr:eu-west-1:{A}:repository/team/*"
        document = parse({"Statement": [allow("*", arn)]}, from_aws=from_aws)
        decision = ask(document)
        assert decision.outcome is Outcome.UNDETERMINED
        assert decision.depends_on == (f"how AWS reads {arn!r} (a wildcard within the partition)",)
        assert repr(arn) in decision.because
        assert "refuse" not in decision.because
        assert ask(document, resource=FOREIGN).outcome is Outcome.IMPLICIT_DENY
        assert ask(document, resource=REPOSITORY.replace("team", "other")).outcome != "allowed"

    def test_a_wildcard_within_a_partition_that_changes_nothing(self) -> None:
        arn = "arn:aws*:ecr:*:*:repository/*"
        assert ask(handed_over(allow("*", arn), allow("ecr:*"))).allowed
        assert ask(handed_over(allow("*", [arn, REPOSITORY]))).allowed
        both = handed_over(allow("ecr:*", arn), deny("ecr:*", arn))
        assert ask(both).outcome is Outcome.IMPLICIT_DENY
        assert ask(handed_over(deny("ecr:*", arn))).outcome is Outcome.IMPLICIT_DENY
        guarded = ask(handed_over(allow(), deny("*", arn)))
        assert guarded.outcome is Outcome.UNDETERMINED
        excepting = {"Effect": "Allow", "Action": "*", "NotResource": arn}
        assert ask(handed_over(excepting)).outcome is Outcome.UNDETERMINED
        assert ask(handed_over(excepting), resource="arn:aws:s3:::b/k", action="s3:Get").allowed

    def test_the_whole_partition_is_documented(self) -> None:
        for partition in ("*", "aws"):
            arn = f"arn:{partition}:ecr:*:*:repository/*"
            assert ask(parse({"Statement": [allow("*", arn)]})).allowed

    def test_a_wildcard_within_a_principal(self) -> None:
        named = handed_over({**REPO, "Principal": {"AWS": USERS}}, kind="resource")
        decision = ask(repository=named)
        assert decision.outcome is Outcome.UNDETERMINED
        assert USERS in decision.because
        assert ask(repository=named, principal=SESSION).outcome is Outcome.IMPLICIT_DENY
        with_user = handed_over({**REPO, "Principal": {"AWS": [USERS, USER]}}, kind="resource")
        assert ask(repository=with_user).allowed

    def test_not_principal_with_allow(self) -> None:
        found = {"Effect": "Allow", "NotPrincipal": {"AWS": SESSION}, "Action": "ecr:*"}
        assert ask(repository=handed_over(found, kind="resource")).outcome == "undetermined"

    def test_a_wildcard_in_the_service_of_an_action(self) -> None:
        assert ask(handed_over(allow("e*:BatchGetImage"))).outcome is Outcome.UNDETERMINED
        assert ask(handed_over(allow("e*:Put*"))).outcome is Outcome.IMPLICIT_DENY
        excepting = {"Effect": "Deny", "NotAction": ["e*:Batch*"], "Resource": "*"}
        assert ask(handed_over(allow(), excepting)).outcome is Outcome.UNDETERMINED
        assert (
            ask(handed_over(allow(), excepting), action="ecr:PutImage").outcome == "explicit deny"
        )

    def test_open_facts_are_no_condition_keys(self) -> None:
        document = parse({"Statement": [allow("*", "arn:aws*:ecr:*:*:*")]})
        assert document.condition_keys == frozenset()
        assert ask(document).absent == ()


def test_rcp_full_access_is_aws_own() -> None:
    full = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    for found in (full, {**full, "Sid": "All"}, {**full, "Action": ["*"], "Resource": ["*"]}):
        parse({"Version": "2012-10-17", "Statement": [found]}, kind="rcp")


@pytest.mark.parametrize(
    "found",
    [
        allow("ecr:*", REPOSITORY),
        {"Effect": "Allow", "Action": "ecr:*", "NotResource": FOREIGN},
        allow("ecr:*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        allow("ecr:*Image"),
    ],
)
def test_what_service_control_policies_take_since_september_2025(found: JSON) -> None:
    scp = parse({"Version": "2012-10-17", "Statement": [found]}, kind="scp")
    own = parse({"Statement": [allow()]})
    context = {"aws:SecureTransport": "true"}
    assert ask(own, scps=((scp,),), context=context).allowed
    elsewhere = ask(own, scps=((scp,),), action="iam:CreateUser", resource="*")
    assert elsewhere.denial_layer == ("service control policy" if "Get" not in str(found) else "")


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        ("identity", 6144),
        ("boundary", 6144),
        ("resource", 10240),
        ("registry", 10240),
        ("scp", 10240),
        ("rcp", 10240),
        ("session", 2048),
        ("trust", None),
        ("key", None),
    ],
)
def test_the_quota_of_each_kind(kind: str, limit: int | None) -> None:
    assert quota(kind) == limit


def test_the_quota_of_control_policies_is_the_larger_that_was_seen() -> None:
    for name in ("service control policy", "resource control policy"):
        assert SIZE_LIMITS[name] == 10240


def test_what_aws_handed_over_has_no_quota() -> None:
    long = {"Statement": [allow(PULL, [f"{REPOSITORY}{n}" for n in range(3000)])]}
    assert ask(parse(long, from_aws=True), resource=f"{REPOSITORY}7").allowed


WRITTEN = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.lists(
            st.sampled_from(["ecr:*", "*", "e*:X", "Nothing", "ecr:Batch*"]), min_size=1, max_size=2
        ),
        "Resource": st.lists(
            st.sampled_from(["*", REPOSITORY, "arn:aws:*:*:*:*", "arn:aws*:ecr:*:*:*", "x"]),
            min_size=1,
            max_size=2,
        ),
    }
)


def written(document: JSON) -> Document | None:
    """The document as a person wrote it; None if AWS would refuse it."""
    try:
        return parse(document)
    except PolicyError:
        return None


@given(st.lists(WRITTEN, max_size=3))
def test_aws_hands_over_what_a_person_may_write_with_the_same_meaning(found: list[JSON]) -> None:
    document = {"Version": "2012-10-17", "Statement": found}
    taken, asked = parse(document, from_aws=True), written(document)
    assert asked is None or ask(asked).outcome is ask(taken).outcome
