from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.iam import SIZE_LIMITS, Document, PolicyError, combine, parse, policy_size
from tests.iam.helpers import PULL, REPOSITORY, allow, ask, policy

GOOD = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
TEXT = json.dumps({"Version": "2012-10-17", "Statement": [GOOD]})


def one(**changes: object) -> dict[str, object]:
    """A policy of the good statement with elements changed, or removed where None."""
    found = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    return {"Version": "2012-10-17", "Statement": [found]}


def condition(value: object) -> dict[str, object]:
    return one(Condition=value)


AT = "$.Statement[0]"
BAD: list[tuple[object, str, str]] = [
    ([], "$", "an object"),
    ("text", "$", "an object"),
    ({}, "$.Statement", "missing"),
    ({"Statement": []}, "$.Statement", "an empty list"),
    ({"Statement": "x"}, "$.Statement", "expected a statement"),
    ({"Statement": [1]}, AT, "a number, expected an object"),
    ({"Statement": [GOOD], "Version": "2012-10-18"}, "$.Version", "2012-10-17 or 2008-10-17"),
    ({"Statement": [GOOD], "Version": 20121017}, "$.Version", "expected a string"),
    ({"Statement": [GOOD], "Version": None}, "$.Version", "null, expected a string"),
    ({"Statement": [GOOD], "Id": 1}, "$.Id", "expected a string"),
    ({"Statement": [GOOD], "statement": []}, "$.statement", "expected 'Statement'"),
    ({"Statement": [GOOD], "Comment": ""}, "$.Comment", "unknown element"),
    (one(Effect=None), f"{AT}.Effect", "missing"),
    (one(Effect="allow"), f"{AT}.Effect", "expected Allow or Deny"),
    (one(Effect="Permit"), f"{AT}.Effect", "expected Allow or Deny"),
    (one(Effect=["Allow"]), f"{AT}.Effect", "expected a string"),
    (one(Sid="has space"), f"{AT}.Sid", "letters and digits"),
    (one(Sid=1), f"{AT}.Sid", "expected a string"),
    (one(Actions="ecr:*"), f"{AT}.Actions", "unknown element"),
    (one(action="ecr:*"), f"{AT}.action", "expected 'Action'"),
    (one(**{"Not Action": 1}), f'{AT}["Not Action"]', "unknown element"),
    (one(Action=None), f"{AT}.Action", "missing"),
    (one(NotAction="ecr:*"), f"{AT}.NotAction", "one of the two"),
    (one(Action=[]), f"{AT}.Action", "empty list"),
    (one(Action=["ecr:*", 1]), f"{AT}.Action[1]", "expected a string"),
    (one(Action={"a": 1}), f"{AT}.Action", "a string or a list of strings"),
    (one(Action=[None]), f"{AT}.Action[0]", "null"),
    (one(Action="GetItem"), f"{AT}.Action", "SERVICE:ACTION"),
    (one(Action="e*:Get"), f"{AT}.Action", "no wildcard within"),
    (one(Action="ec?:Get"), f"{AT}.Action", "no wildcard within"),
    (one(Action="ecr:Get:x"), f"{AT}.Action", "one colon"),
    (one(Action="ecr:"), f"{AT}.Action", "action name"),
    (one(Action=":Get"), f"{AT}.Action", "service prefix"),
    (one(Action="ecr: Get"), f"{AT}.Action", "action name"),
    (one(Resource=None), f"{AT}.Resource", "missing"),
    (one(Resource=[]), f"{AT}.Resource", "empty list"),
    (one(NotResource="*"), f"{AT}.NotResource", "one of the two"),
    (one(Resource="team/app"), f"{AT}.Resource", "an ARN"),
    (one(Resource="?"), f"{AT}.Resource", "an ARN"),
    (one(Resource="arn:aws"), f"{AT}.Resource", "an ARN"),
    (one(Resource="arn:amazon:ecr:x:1:y"), f"{AT}.Resource", "partition"),
    (one(Resource="arn:aws::x:1:y"), f"{AT}.Resource", "service"),
    (one(Resource=["*", "x"]), f"{AT}.Resource[1]", "an ARN"),
    (one(Principal="*"), f"{AT}.Principal", "not allowed in a policy of kind identity"),
    (condition([]), f"{AT}.Condition", "expected an object"),
    (condition({"StringEqual": {}}), f"{AT}.Condition.StringEqual", "StringEquals"),
    (condition({"stringequals": {}}), f"{AT}.Condition.stringequals", "unknown operator"),
    (condition({"NullIfExists": {}}), f"{AT}.Condition.NullIfExists", "unknown operator"),
    (
        condition({"ForAllValue:StringEquals": {}}),
        f'{AT}.Condition["ForAllValue:StringEquals"]',
        "unknown operator",
    ),
    (condition({"Bool": "true"}), f"{AT}.Condition.Bool", "expected an object"),
    (condition({"Bool": {"aws:x": "yes"}}), f'{AT}.Condition.Bool["aws:x"]', "true or false"),
    (condition({"Bool": {"aws:x": None}}), f'{AT}.Condition.Bool["aws:x"]', "null"),
    (condition({"Bool": {"aws:x": {}}}), f'{AT}.Condition.Bool["aws:x"]', "an object"),
    (
        condition({"NumericEquals": {"aws:x": ["1", "one"]}}),
        f'{AT}.Condition.NumericEquals["aws:x"][1]',
        "a number",
    ),
    (
        condition({"DateLessThan": {"aws:x": "2026-13-01"}}),
        f'{AT}.Condition.DateLessThan["aws:x"]',
        "ISO 8601",
    ),
    (
        condition({"IpAddress": {"aws:x": "10.0.0.0/33"}}),
        f'{AT}.Condition.IpAddress["aws:x"]',
        "CIDR",
    ),
    (
        condition({"BinaryEquals": {"aws:x": "?"}}),
        f'{AT}.Condition.BinaryEquals["aws:x"]',
        "base64",
    ),
    (condition({"Null": {"aws:x": "maybe"}}), f'{AT}.Condition.Null["aws:x"]', "true or false"),
    ({"Statement": {**GOOD, "Effect": "x"}}, "$.Statement.Effect", "expected Allow or Deny"),
    (
        {"Statement": [{**GOOD, "Sid": "A"}, {**GOOD, "Sid": "A"}]},
        "$.Statement[1].Sid",
        "expected unique",
    ),
]


@pytest.mark.parametrize(("source", "path", "reason"), BAD)
def test_what_iam_refuses_is_an_error_that_names_the_place(
    source: object, path: str, reason: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(json.dumps(source))
    assert caught.value.path == path
    assert reason in caught.value.reason
    if isinstance(source, Mapping):
        with pytest.raises(PolicyError) as again:
            parse(source)
        assert again.value.path == path


@pytest.mark.parametrize(
    ("source", "path", "reason"),
    [
        ("", "$", "not JSON"),
        ("{", "$", "line 1 column 2"),
        ("\ufeff" + TEXT, "$", "byte order mark"),
        (b"\xef\xbb\xbf" + TEXT.encode(), "$", "byte order mark"),
        (TEXT.encode("utf-16"), "$", "not UTF-8"),
        ("// hello\n" + TEXT, "$", "a comment"),
        (TEXT[:-1] + "\n/* hello */}", "$", "line 2 column 1: a comment"),
        (TEXT.replace('"Effect"', '"Effect": "Deny", "Effect"'), f"{AT}.Effect", "twice"),
        ('{"Version": "2012-10-17", ' + TEXT[1:], "$.Version", "twice"),
        (TEXT.replace('"*"', "NaN"), "$", "NaN"),
        (TEXT.replace("ecr:*", "ecr:資"), "$", "U+8CC7"),
        ("[" * 100_000, "$", ""),
        (TEXT + " " * 131_072, "$", "at most 131072"),
        (TEXT.replace("}]}", "},]}"), "$", "not JSON"),
    ],
)
def test_text_that_iam_refuses(source: str | bytes, path: str, reason: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(source)
    assert caught.value.path == path
    assert reason in caught.value.reason
    assert str(caught.value) == f"{path}: {caught.value.reason}"


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(PolicyError("$.Statement", "missing")))
    assert (error.path, error.reason) == ("$.Statement", "missing")


def test_unicode() -> None:
    name = "資材/アプリ"
    escaped = json.dumps(one(Resource=f"arn:aws:s3:::bucket/{name}", Action="s3:*"))
    document = parse(escaped)
    arn = f"arn:aws:s3:::bucket/{name}"
    assert ask(document, action="s3:GetObject", resource=arn).allowed
    latin = json.dumps(one(Resource="arn:aws:s3:::b/é", Action="s3:*"), ensure_ascii=False)
    assert ask(parse(latin), action="s3:GetObject", resource="arn:aws:s3:::b/é").allowed
    # A repository policy's API takes any character.
    remark = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Sid": "für 資材"}
    parse(json.dumps({"Statement": [remark]}, ensure_ascii=False), kind="resource")


def test_a_policy_at_the_managed_limit_and_one_above() -> None:
    limit = SIZE_LIMITS["managed policy"]
    bare = json.dumps(one(Resource=["*", "arn:aws:s3:::"]), separators=(",", ":"))
    full = bare.replace('arn:aws:s3:::"', "arn:aws:s3:::" + "x" * (limit - len(bare)) + '"')
    assert policy_size(full) == limit
    padded = full.replace(",", " ,\n\t ")
    assert policy_size(padded) == policy_size(padded.encode()) == limit
    assert ask(parse(padded, limit=limit)).allowed
    with pytest.raises(PolicyError, match=f"{limit + 1} characters .* at most {limit}"):
        parse(full.replace("xx", "xxx", 1), limit=limit)
    assert ask(parse(full.replace("xx", "xxx", 1))).allowed


def test_the_size_of_a_parsed_policy_is_that_of_its_shortest_text() -> None:
    assert policy_size({"a": ["b", "é"]}) == len('{"a":["b","é"]}')


def test_a_thousand_statements() -> None:
    statements = [allow(f"s3:Get{index}") for index in range(999)]
    document = policy(*statements, allow("ecr:BatchGetImage", REPOSITORY))
    assert len(document.statements) == 1000
    decision = ask(document)
    assert decision.statement is not None
    assert decision.statement.index == 999


def test_one_statement_may_be_an_object_and_any_list_a_string() -> None:
    assert ask(parse({"Version": "2012-10-17", "Id": "x", "Statement": GOOD})).allowed
    assert ask(parse({"Statement": ({**GOOD, "Action": ("ecr:*",)},)})).allowed


def test_a_missing_version_is_the_old_one() -> None:
    assert parse({"Statement": GOOD}).version == "2008-10-17"
    assert Document.parse(TEXT.encode()).version == "2012-10-17"


@pytest.mark.parametrize("action", ["*", "*:*", "ecr:*", "ecr:Get*Image", "a4b:X", "ecr-public:*"])
def test_actions_that_iam_takes(action: str) -> None:
    parse(one(Action=action))


@pytest.mark.parametrize(
    "resource", ["*", "arn:aws:ecr", "arn:*:ecr:*:*:*", "arn:aws*:ecr:*:*:*", "arn:aws-cn:s3:::b"]
)
def test_resources_that_iam_takes(resource: str) -> None:
    parse(one(Resource=resource))


def test_the_same_text_is_read_once() -> None:
    assert parse(TEXT, name="a") is parse(TEXT, name="a")
    others = {parse(TEXT, name=name, from_aws=taken) for name in "ab" for taken in (True, False)}
    assert len(others) == 4
    assert parse(TEXT, name="b").statements[0].ref.policy == "b"
    assert parse(TEXT).kind == "identity"
    assert parse(TEXT, kind="scp").kind == "scp"


def test_a_refused_text_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(PolicyError):
            parse(TEXT.replace("Allow", "Permit"))


def test_a_policy_that_is_changed_after_it_was_read_is_read_again() -> None:
    source = one()
    first = parse(source)
    source["Statement"] = [{**GOOD, "Effect": "Deny"}]
    assert ask(first).allowed
    assert not ask(parse(source)).allowed


def test_statements_that_are_alike_keep_their_places() -> None:
    document = policy(allow("s3:*"), allow(PULL), allow(PULL), name="third")
    assert [str(each.ref) for each in document.statements] == [
        f"statement {number} of 'third'" for number in range(1, 4)
    ]
    old = parse({"Statement": allow(PULL, REPOSITORY + "${aws:username}")})
    new = policy(allow(PULL, REPOSITORY + "${aws:username}"))
    asked = REPOSITORY + "${aws:username}"
    assert ask(old, resource=asked).allowed
    assert not ask(new, resource=asked).allowed


def test_values_that_json_tells_apart_are_told_apart() -> None:
    for value in (1, 1.0, True):
        document = policy(allow(Condition={"StringEquals": {"aws:x": value}}))
        text = "true" if value is True else str(value)
        assert ask(document, context={"aws:x": text}).allowed


def test_texts_are_read_by_many_threads_at_once() -> None:
    texts = [json.dumps(one(Sid=f"S{index % 5}")) for index in range(200)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(parse, texts))
    assert [each.statements[0].sid for each in found] == [f"S{n % 5}" for n in range(200)]


REPO = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}


def test_an_unknown_kind_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="bucket"):
        parse(TEXT, kind="bucket")


def test_condition_keys() -> None:
    document = policy(
        allow("ecr:*", REPOSITORY[:-3] + "${aws:PrincipalTag/Team}"),
        allow(Condition={"StringEquals": {"aws:X": "${aws:Y, 'z'}"}}),
    )
    assert document.condition_keys == {"aws:principaltag/team", "aws:x", "aws:y"}


def test_combined_policies_keep_their_statements_names() -> None:
    assert combine([]) is None
    alone = policy(REPO, kind="resource", name="repository")
    assert combine([alone]) is alone
    registry = policy({**REPO, "Effect": "Deny", "Resource": "*"}, kind="registry", name="registry")
    both = combine([alone, registry])
    assert both is not None
    decision = ask(repository=both)
    assert (decision.outcome, str(decision.statement)) == (
        "explicit deny",
        "statement 1 of 'registry'",
    )


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Version", "Statement", "Effect", "Action", "Resource", "Condition", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_any_json_is_read_or_refused_with_a_path(value: object) -> None:
    found = refusal(json.dumps(value))
    assert found is None or (found.path.startswith("$") and found.reason)


def refusal(source: str) -> PolicyError | None:
    try:
        parse(source)
    except PolicyError as error:
        return error
    return None


@given(st.text(max_size=40) | st.binary(max_size=40))
def test_any_text_is_read_or_refused(source: str | bytes) -> None:
    with pytest.raises(PolicyError):
        parse(source)
