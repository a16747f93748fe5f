from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecr_feed.naming import (
    NameProblem,
    account_of,
    is_repository_name,
    judge_name,
    other_registry,
    repository_arn,
)

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
words = st.text(alphabet="abyz09", min_size=1, max_size=4)
joints = st.sampled_from([".", "_", "__", "-", "--", "-----", "/"])
legal_names = st.builds(
    lambda first, rest: first + "".join(joint + word for joint, word in rest),
    words,
    st.lists(st.tuples(joints, words), max_size=6),
).filter(lambda name: len(name) >= 2)


@pytest.mark.parametrize(
    "name",
    ["ab", "team/app", "a.b", "a_b", "a__b", "a-b", "a---b", "0/1/2", "x" * 256, "my.app/x"],
)
def test_legal(name: str) -> None:
    assert judge_name(name).legal
    assert judge_name(name).problem is None


ILLEGAL = [
    ("", NameProblem.EMPTY, None, None, "empty"),
    (" \t", NameProblem.EMPTY, None, None, "empty"),
    ("a", NameProblem.LENGTH, None, None, "1 character, allowed are 2 to 256"),
    ("x" * 257, NameProblem.LENGTH, None, None, "257 characters"),
    ("Team/app", NameProblem.CASE, 1, "team/app", "'T' at position 1"),
    ("team/App", NameProblem.CASE, 6, "team/app", "'A' at position 6"),
    ("team app", NameProblem.CHARACTER, 5, None, "' ' at position 5"),
    ("team/äpp", NameProblem.CHARACTER, 6, None, "U+00E4"),
    ("te\u0430m", NameProblem.CHARACTER, 3, None, "U+0430 (cyrillic small letter a)"),
    ("team\\app", NameProblem.CHARACTER, 5, "team/app", "position 5"),
    ("team\x00app", NameProblem.CHARACTER, 5, None, "U+0000"),
    ("team/app+x", NameProblem.CHARACTER, 9, None, "'+'"),
    ("a..b", NameProblem.SEPARATOR, 2, "a.b", "'..' at position 2"),
    ("a___b", NameProblem.SEPARATOR, 2, "a_b", "'___'"),
    ("a._b", NameProblem.SEPARATOR, 2, "a.b", "'._'"),
    ("a-_b", NameProblem.SEPARATOR, 2, "a-b", "'-_'"),
    ("a//b", NameProblem.SEPARATOR, 2, "a/b", "'//'"),
    ("a/-b", NameProblem.SEPARATOR, 2, "a/b", "'/-'"),
    ("a_/b", NameProblem.SEPARATOR, 2, "a/b", "'_/'"),
    ("-ab", NameProblem.SEPARATOR, 1, "ab", "begins with '-'"),
    ("ab.", NameProblem.SEPARATOR, 3, "ab", "ends with '.'"),
    ("/team/app", NameProblem.SLASH, 1, "team/app", "begins with a slash"),
    ("team/app/", NameProblem.SLASH, 9, "team/app", "ends with a slash"),
    (" team/app", NameProblem.SPACE, 1, "team/app", "begins"),
    ("team/app\n", NameProblem.SPACE, 9, "team/app", "U+000A"),
    ("team/app\u00a0", NameProblem.SPACE, 9, "team/app", "no-break space"),
    ("team/app:1.4.2", NameProblem.TAG, 9, "team/app", ":1.4.2"),
    ("team/app@sha256:abc123", NameProblem.DIGEST, 9, "team/app", "digest"),
    ("team/app:1@sha256:abc123", NameProblem.DIGEST, 11, "team/app", "digest"),
    ("team/#{Octopus.Name}", NameProblem.VARIABLE, 6, None, "#{Octopus.Name}"),
    ("#{App", NameProblem.VARIABLE, 1, None, "variable"),
    ("https://registry.example/team/app", NameProblem.URL, 1, "team/app", "URL"),
    (f"{HOST}/team/app", NameProblem.HOST, 1, "team/app", "expected only team/app"),
    (f"https://{HOST}/Team/App:1.0", NameProblem.HOST, 1, "team/app", HOST),
    (HOST, NameProblem.HOST, 1, None, HOST),
    (f"{HOST}:443/team/app", NameProblem.HOST, 1, "team/app", "expected only team/app"),
    (f"{HOST.upper()}/team/app", NameProblem.HOST, 1, "team/app", "host"),
    ("1.dkr.ecr.eu-west-1.amazonaws.com/ab", NameProblem.HOST, 1, "ab", "expected only ab"),
    ("123456789012.dkr-ecr.eu-west-1.on.aws/ab", NameProblem.HOST, 1, "ab", "expected only ab"),
    ("dkr.ecr.eu-west-1.amazonaws.com/team/app", NameProblem.HOST, 1, "team/app", "host"),
    ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/a", NameProblem.HOST, 1, None, "host"),
    ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/ab", NameProblem.HOST, 1, "ab", "host"),
    ("public.ecr.aws/x1/app", NameProblem.GALLERY, 1, None, "not a private registry"),
    ("https://public.ecr.aws/x1/app:2", NameProblem.GALLERY, 1, None, "not a private registry"),
    ("public.ecr.aws", NameProblem.GALLERY, 1, None, "gallery"),
    ("localhost:5000/app", NameProblem.HOST, 1, "app", "localhost:5000"),
    (
        *("arn:aws-cn:ecr:cn-north-1:123456789012:repository/team/app", NameProblem.ARN),
        *(1, "team/app", "ARN"),
    ),
]


@pytest.mark.parametrize(("name", "kind", "position", "proposal", "words"), ILLEGAL)
def test_illegal(
    name: str, kind: NameProblem, position: int | None, proposal: str | None, words: str
) -> None:
    verdict = judge_name(name)

    assert not verdict.legal
    assert (verdict.kind, verdict.position, verdict.proposal) == (kind, position, proposal)
    assert words in (verdict.problem or "")
    assert (verdict.problem or "").isprintable()


@given(legal_names)
def test_whatever_the_grammar_makes_is_legal(name: str) -> None:
    assert judge_name(name).legal


@given(st.text(alphabet="abZ019._-/:@#{}\\ é", max_size=12) | st.text(max_size=8))
@example("a" * 256 + "\n")
def test_a_verdict_agrees_with_the_grammar(text: str) -> None:
    verdict = judge_name(text)

    assert verdict.legal == is_repository_name(text)
    assert (verdict.problem is None) == verdict.legal
    if verdict.proposal is not None:
        assert is_repository_name(verdict.proposal)
        assert judge_name(verdict.proposal).legal
        assert verdict.proposal != text
    if verdict.position is not None:
        assert 1 <= verdict.position <= len(text)


@given(legal_names, st.sampled_from(["upper", "padded", "slash"]))
def test_a_spoilt_name_is_proposed_back(name: str, how: str) -> None:
    spoilt = {"upper": name.upper(), "padded": f" {name}\n", "slash": f"/{name}/"}[how]

    assert spoilt == name or judge_name(spoilt).proposal == name


@pytest.mark.parametrize(
    ("arn", "account"),
    [
        ("arn:aws:iam::123456789012:user/team/octopus", "123456789012"),
        ("arn:aws-cn:ecr:cn-north-1:123456789012:repository/a:b", "123456789012"),
        ("arn:aws:s3:::bucket/key", ""),
        ("arn:aws:s3", ""),
        ("*", ""),
        ("", ""),
    ],
)
def test_the_account_of_an_arn(arn: str, account: str) -> None:
    assert account_of(arn) == account


def test_arns_follow_the_partition() -> None:
    account = "012345678910"

    assert repository_arn(account, "eu-west-1", "a/b") == (
        "arn:aws:ecr:eu-west-1:012345678910:repository/a/b"
    )
    assert repository_arn(account, "cn-north-1", "*").startswith("arn:aws-cn:ecr:cn-north-1:")
    assert repository_arn(account, "us-gov-west-1", "a").startswith("arn:aws-us-gov:ecr:")


@pytest.mark.parametrize(
    ("name", "registry"),
    [
        ("ghcr.io/org/app", "ghcr.io"),
        ("docker.io/library/nginx", "docker.io"),
        ("localhost/app", "localhost"),
        ("team/app", None),
        ("my.app", None),
        ("", None),
    ],
)
def test_another_registry_in_front_is_a_hint(name: str, registry: str | None) -> None:
    assert other_registry(name) == registry
