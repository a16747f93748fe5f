"""Each mistake of a feeds file: one paragraph that names file, key path, found and expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecr_feed.config import ConfigError, from_tables, load, one_feed

FEED = """\
[[feed]]
name = "Prod"
region = "eu-west-1"
packages = ["team/app"]
credentials = { profile = "octopus" }
"""
DOCKER = """\
[[docker_feed]]
name = "Legacy"
region = "eu-west-1"
login = { file = "login.txt" }
"""
SECRET = "hunter2-hunter2"  # planted: no message may hold it
LONG_KEY = "A" * 100


def feed(**changes: str) -> str:
    """The good feed with some lines changed or added; "" takes a line out."""
    lines = dict(line.split(" = ", 1) for line in FEED.splitlines()[1:]) | changes
    return "[[feed]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items() if value)


def docker(**changes: str) -> str:
    lines = dict(line.split(" = ", 1) for line in DOCKER.splitlines()[1:]) | changes
    return "[[docker_feed]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


OIDC = 'role_arn = "arn:aws:iam::123456789012:role/x", audience = "a"'

MISTAKES = [
    # unknown keys, at every level
    (feed(regoin='"x"'), ["feed[1].regoin", '"Prod"', 'did you mean "region"?']),
    (feed(repositories='["x"]'), ["feed[1].repositories", 'did you mean "packages"?']),
    (feed(reset_hours="8"), ["feed[1].reset_hours", "[[docker_feed]]"]),
    (feed(zzz="1"), ["feed[1].zzz", "expected one of name, region"]),
    (feed(**{LONG_KEY: "1"}), ["feed[1].", "AAA..."]),
    ("feeds = 1\n" + FEED, ["feeds: found an unknown key", 'did you mean "feed"?']),
    (feed(packages='[{ id = "a/b", tga = "1" }]'), ["packages[1].tga", 'did you mean "tag"?']),
    (feed(credentials="{ profil = 'x' }"), ["credentials", 'did you mean "profile"?']),
    (feed(credentials="{ profile = 'x', zzz = 1 }"), [".zzz", "expected one of profile"]),
    (docker(login="{ fiel = 'x' }"), ["docker_feed[1].login", '"Legacy"', 'mean "file"?']),
    # missing keys
    (feed(region=""), ["feed[1].region", "missing", "eu-west-1"]),
    (feed(name=""), ["feed[1].name is missing"]),
    (feed(credentials=""), ["feed[1].credentials", "missing", "profile"]),
    (feed(packages="[{ tag = '1' }]"), ["packages[1].id", "missing"]),
    ("", ["no feed", "[[feed]]"]),
    ("[auditor]\nprofile = 'x'\n", ["no feed"]),
    # wrong types
    (feed(region="5"), ["feed[1].region", "found 5", "a text in quotes"]),
    (feed(region="['eu-west-1']"), ["feed[1].region", "a list of 1"]),
    (feed(name="1979-05-27"), ["feed[1].name", "a date"]),
    (feed(packages='"team/app"'), ["feed[1].packages", '"team/app"', "a list in [ ]"]),
    (feed(packages="{ id = 'x' }"), ["feed[1].packages", "a table", "a list in [ ]"]),
    (feed(packages="['a/b', 5]"), ["feed[1].packages[2]", "found 5", "in quotes"]),
    (feed(packages="['a/b', true]"), ["feed[1].packages[2]", "found true"]),
    (feed(packages="[{ id = 7 }]"), ["feed[1].packages[1].id", "found 7"]),
    (feed(account="123456789012"), ["feed[1].account", "123456789012", "in quotes"]),
    (feed(pulls='"yes"'), ["feed[1].pulls", '"yes"', "true or false"]),
    (feed(pulls="1"), ["feed[1].pulls", "found 1", "true or false"]),
    (feed(min_token_hours="true"), ["min_token_hours", "found true", "a number"]),
    (feed(min_token_hours='"2"'), ["min_token_hours", '"2"', "without quotes"]),
    (feed(min_token_hours="0x" + "f" * 5000), ["min_token_hours", "very long number"]),
    (FEED.replace("[[feed]]", "[feed]"), ["feed:", "a table", "[[feed]] in double brackets"]),
    ("[[auditor]]\nprofile = 'x'\n" + FEED, ["auditor", "[auditor] in single brackets"]),
    ("auditor = 'x'\n" + FEED, ["auditor", '"x"', "profile"]),
    (feed(credentials='"octopus"'), ["credentials", '"octopus"', "{ profile ="]),
    (docker(login='"login.txt"'), ["login", '"login.txt"', "{ file ="]),
    # values
    (feed(region='""'), ["feed[1].region", 'found ""', "not empty"]),
    (feed(region='" \\t"'), ["feed[1].region", "not empty"]),
    (feed(region='"eu-west-1 "'), ["feed[1].region", "without blanks"]),
    (feed(name='"a\\nb"'), ["feed[1].name", '"a\\nb"', "control characters"]),
    (feed(name='"a\\u202eb"'), ["feed[1].name", "control characters"]),
    (feed(name='""'), ["feed[1].name", "not empty"]),
    (feed(packages="[]"), ["feed[1].packages", "an empty list", "at least one"]),
    (feed(packages="['']"), ["feed[1].packages[1]", 'found ""']),
    (feed(packages="[{ id = ' ' }]"), ["feed[1].packages[1].id", "not empty"]),
    (feed(packages="['a/b', 'c', 'a/b']"), ["packages", '"a/b" as items 1 and 3', "once"]),
    (feed(packages="['a/b', { id = 'a/b', tag = '1' }]"), ['"a/b" as items 1 and 2']),
    (feed(packages="[{ id = 'a/b', platform = 'amd64' }]"), ["packages[1].platform", '"amd64"']),
    (feed(account='"96802670493"'), ["feed[1].account", "11 digits", "12 digits"]),
    (feed(account='"1234-5678-9012"'), ["feed[1].account", "12 digits"]),
    (feed(account='"١٢٣٤٥٦٧٨٩٠١٢"'), ["feed[1].account", "12 digits"]),
    (feed(min_token_hours="nan"), ["min_token_hours", "nan", "above 0"]),
    (feed(min_token_hours="inf"), ["min_token_hours", "inf", "above 0"]),
    (feed(longest_deployment_hours="0"), ["longest_deployment_hours", "found 0", "above 0"]),
    (docker(reset_hours="-1"), ["docker_feed[1].reset_hours", "found -1", "above 0"]),
    (docker(reset_hours="1e300"), ["docker_feed[1].reset_hours", "at most"]),
    (feed(endpoint_url='"localhost:5000"'), ["endpoint_url", '"localhost:5000"', "http"]),
    (feed(endpoint_url='"ftp://x"'), ["endpoint_url", "http"]),
    (feed(endpoint_url='"https://"'), ["endpoint_url", "http"]),
    (feed(endpoint_url='"http://h:99999"'), ["endpoint_url", "http"]),
    (feed(endpoint_url='"http://[::1"'), ["endpoint_url", "http"]),
    (feed(endpoint_url='"http://h/?x=1"'), ["endpoint_url", "without ?"]),
    (feed(registry_endpoint=f'"http://u:{SECRET}@h"'), ["registry_endpoint", "user name"]),
    (docker(endpoint_url=f'"http://{SECRET}@h"'), ["endpoint_url", "user name"]),
    # credentials and logins of no kind, of two kinds, of a kind that is wrong
    (feed(credentials="{}"), ["credentials", "an empty table", "worker = true"]),
    (feed(credentials="{ profile = 'x', worker = true }"), ["profile and worker together"]),
    (feed(credentials="{ profile = 'x', audience = 'a' }"), ["profile and audience together"]),
    (feed(credentials="{ env_prefix = 'X_', profile = 'x' }"), ["profile and env_prefix"]),
    (feed(credentials="{ worker = false }"), ["credentials.worker", "found false", "true"]),
    (feed(credentials="{ worker = 1 }"), ["credentials.worker", "found 1", "true"]),
    (feed(credentials="{ key = 'label' }"), ["credentials", '"key"', "{ profile ="]),
    (feed(credentials="{ profile = '' }"), ["credentials.profile", "not empty"]),
    (feed(credentials="{ env_prefix = '1X' }"), ["credentials.env_prefix", "environment variable"]),
    (feed(credentials="{ env_prefix = '' }"), ["credentials.env_prefix", "environment variable"]),
    (feed(credentials="{ audience = 'a' }"), ["credentials.role_arn", "missing"]),
    (feed(credentials=f"{{ {OIDC}, session_seconds = 899 }}"), ["session_seconds", "900 to 43200"]),
    (feed(credentials=f"{{ {OIDC}, session_seconds = 43201 }}"), ["session_seconds", "43200"]),
    (feed(credentials=f"{{ {OIDC}, session_seconds = '3600' }}"), ["session_seconds", "whole"]),
    (feed(credentials=f"{{ {OIDC}, session_seconds = 3600.0 }}"), ["session_seconds", "whole"]),
    (
        feed(credentials="{ role_arn = 'arn:aws:iam::123456789012:user/x', audience = 'a' }"),
        ["credentials.role_arn", "user/x", "ARN of an IAM role"],
    ),
    (
        feed(credentials="{ role_arn = 'arn:aws:iam::12345678901:role/x', audience = 'a' }"),
        ["credentials.role_arn", "ARN of an IAM role"],
    ),
    (docker(login="{}"), ["login", "an empty table", "{ file ="]),
    (docker(login="{ file = 'x', username = 'AWS' }"), ["login", "file and username together"]),
    (docker(login="{ username = 'AWS', url = 'x' }"), ["login.password_env", "missing"]),
    (docker(login="{ file = '' }"), ["login.file", "not empty"]),
    (docker(login="{ file = 5 }"), ["login.file", "found 5"]),
    # names
    (FEED + FEED, ["feed[2].name", '"Prod"', "feed[1].name"]),
    (FEED + docker(name='"Prod"'), ["docker_feed[1].name", '"Prod"', "feed[1].name"]),
    (FEED + feed(name='"prod!"'), ["feed[2].name", '"prod!"', "feed[1].name", "both are prod"]),
    # secrets, which are never shown
    (feed(credentials=f"{{ access_key = '{SECRET}' }}"), ["credentials.access_key", "secret"]),
    (feed(aws_secret_access_key=f"'{SECRET}'"), ["feed[1].aws_secret_access_key", "secret"]),
    (feed(credentials=f"{{ profile = 'x', SecretKey = '{SECRET}' }}"), ["SecretKey", "profile"]),
    (f"password = '{SECRET}'\n" + FEED, ["password:", "variable"]),
    (feed(aws=f"{{ deep = [{{ api-token = '{SECRET}' }}] }}"), ["aws.deep[1].api-token"]),
    (docker(login=f"{{ password = '{SECRET}' }}"), ["login.password", "password_env"]),
    (feed(credentials=f"{{ env_prefix = '{SECRET}' }}"), ["env_prefix", "not shown"]),
    (
        docker(login=f"{{ username = 'AWS', password_env = '{SECRET}', url = 'x' }}"),
        ["login.password_env", "not shown"],
    ),
    (
        docker(login=f"{{ username = 'AWS', password_env = 'X', url = 'https://u:{SECRET}@h' }}"),
        ["login.url", "user name"],
    ),
    (feed(credentials="{ profile = 'AKIAIOSFODNN7EXAMPLE' }"), ["credentials.profile", "secret"]),
    (feed(packages="['eyJwYXlsb2FkIjoiaHVudGVyMi1odW50ZXIy']"), ["packages[1]", "secret"]),
    # TOML itself
    ("a = 'x", ["not valid TOML", "line 1", "quote"]),
    (FEED + "account = 012345678901\n", ["line 6", "quotes"]),
    (FEED + 'endpoint_url = "C:\\Users"\n', ["line 6", "backslash"]),
    (FEED + "region = 'x'\n", ["line 6", "TOML"]),
    (f"[[feed]]\npassword = '{SECRET}\n", ["line 2", "TOML"]),
    ("x = " + "[" * 20_000, ["nested too deep"]),
    ("x = " + "1" * 5_000, ["TOML"]),
]


@pytest.mark.parametrize(("text", "words"), MISTAKES, ids=[str(n) for n in range(len(MISTAKES))])
def test_a_mistake_is_one_clear_paragraph(tmp_path: Path, text: str, words: list[str]) -> None:
    path = tmp_path / "feeds.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load(path)

    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    assert len(message) < 600
    for word in words:
        assert word in message
    for secret in (SECRET, "AKIAIOSFODNN7EXAMPLE", "eyJwYXlsb2Fk"):
        assert secret not in message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_further_mistakes_are_counted_and_named() -> None:
    tables = {"feed": [{"name": "Prod", "region": 5, "packages": [], "credentials": {}, "x": 1}]}

    with pytest.raises(ConfigError, match=r"\[1\]\.x .*Further mistakes: 3 .*\[1\]\.region"):
        from_tables(tables, base=Path("/"), source="feeds.toml")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("", ["a/b"], None, None), ["--aws-region", 'found ""']),
        (("eu-west-1 ", ["a/b"], None, None), ["--aws-region", "blanks"]),
        (("a\nb", ["a/b"], None, None), ["--aws-region", "control"]),
        (("eu-west-1", [], None, None), ["--package", "at least one"]),
        (("eu-west-1", [""], None, None), ["--package", "not empty"]),
        (("eu-west-1", ["a/b", "a/b"], None, None), ["--package", "items 1 and 2"]),
        (("eu-west-1", ["a/b"], "", None), ["--aws-profile", "not empty"]),
        (("eu-west-1", ["a/b"], None, "localhost"), ["--aws-endpoint-url", "http"]),
    ],
)
def test_options_are_named_as_options(
    arguments: tuple[str, list[str], str | None, str | None], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        one_feed(*arguments)

    assert str(caught.value).isprintable()
    for word in words:
        assert word in str(caught.value)
