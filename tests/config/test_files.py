"""What a feeds file, a login file and a variable may be like outside their content."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ecr_feed.config import (
    ConfigError,
    DockerFeed,
    EnvCredentials,
    KeyCredentials,
    LoginFile,
    OidcCredentials,
    ProfileCredentials,
    Suite,
    WorkerCredentials,
    check_sources,
    from_tables,
    load,
    one_feed,
    read_login,
)
from ecr_feed.facts.aws import Secret
from ecr_feed.login_line import LoginParts, LoginText, of
from ecr_feed.text.files import Files

FEED = """\
[[feed]]
name = "Prod"
region = "eu-west-1"
packages = ["team/app"]
credentials = { profile = "octopus" }
"""
FIELDS = '{ username = "AWS", password_env = "LEGACY", url = "https://registry.example" }'


def docker_feed(login: str) -> str:
    return f'[[docker_feed]]\nname = "Legacy"\nregion = "eu-west-1"\nlogin = {login}\n'


def suite(tmp_path: Path, text: str) -> Suite:
    path = tmp_path / "feeds.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def legacy(tmp_path: Path, login: str) -> DockerFeed:
    return suite(tmp_path, docker_feed(login)).docker_feeds[0]


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + FEED.replace("\n", "\r\n").encode()
    (tmp_path / "feeds.toml").write_bytes(data)
    files = Files(tmp_path)

    assert load("feeds.toml", files=files).feeds[0].packages[0].id == "team/app"
    assert files.digests == {"feeds.toml": hashlib.sha256(data).hexdigest()}


def test_a_piped_feeds_files_paths_resolve_from_the_current_folder(tmp_path: Path) -> None:
    text = docker_feed('{ file = "login.txt" }').encode("utf-16")
    files = Files(tmp_path, handed={0: text})

    login = load("-", files=files).docker_feeds[0].login

    assert login == LoginFile(file=tmp_path / "login.txt")


def test_what_a_feeds_file_names_is_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "-").write_text("a file of that name")

    assert read_login(legacy(tmp_path, '{ file = "-" }'), {}) == LoginText(b"a file of that name")
    with pytest.raises(ConfigError, match=r"login\.file: .*pipe is a named pipe: expected"):
        read_login(legacy(tmp_path, '{ file = "pipe" }'), {})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (FEED.encode("utf-16-le"), ["NUL", "UTF-16 without a byte order mark"]),
        (FEED.encode().replace(b"Prod", b"Pr\xf6d"), ["UTF-8", "byte 20"]),
        (b"\0\0\0", ["TOML"]),
        (b"#" * (4 * 1024 * 1024 + 1), ["4 MiB"]),
        (b"\xef\xbb\xbf", ["no feed"]),
    ],
)
def test_bytes_that_are_no_feeds_file(tmp_path: Path, data: bytes, words: list[str]) -> None:
    path = tmp_path / "feeds.toml"
    path.write_bytes(data)

    with pytest.raises(ConfigError) as caught:
        load(path)

    for word in (str(path), *words):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.toml", ["missing.toml", "no such file"]),
        (".", ["directory"]),
        ("file/feeds.toml", ["cannot be read", "Not a directory"]),
        ("nul\0.toml", ["cannot be read", "nul\\x00.toml"]),
        ("new\nline.toml", ["new\\nline.toml", "no such file"]),
        ("x" * 300, ["cannot be read"]),
    ],
)
def test_a_path_that_leads_nowhere(tmp_path: Path, name: str, words: list[str]) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError) as caught:
        load(tmp_path / name)

    assert str(caught.value).isprintable()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads whatever it wants")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "feeds.toml"
    path.write_text(FEED)
    path.chmod(0)

    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        load(path)


def test_paths_resolve_from_the_feeds_files_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "deep"
    folder.mkdir()
    (folder / "feeds.toml").write_text(docker_feed('{ file = "../login.txt" }'))

    login = load(Path("deep/feeds.toml")).docker_feeds[0].login

    assert isinstance(login, LoginFile)
    assert login.file == folder / "../login.txt"


def test_the_home_directory_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")

    assert legacy(tmp_path, '{ file = "~/l.txt" }').login == LoginFile(
        file=Path("/home/someone/l.txt")
    )
    with pytest.raises(ConfigError, match="home directory"):
        suite(tmp_path, docker_feed('{ file = "~nobody-of-that-name/l.txt" }'))


def test_one_feed_asks_for_ambient_credentials_only_without_a_profile() -> None:
    ambient = one_feed("eu-west-1", ["team/app"], None, None)
    profiled = one_feed("eu-west-1", ["team/app", "team/api"], "octopus", "http://localhost:5000")

    assert ambient.feeds[0].credentials == WorkerCredentials(worker=True)
    assert profiled.feeds[0].credentials == ProfileCredentials(profile="octopus")
    assert profiled.feeds[0].endpoint_url == "http://localhost:5000"
    assert profiled.feeds[0].slug == "ecr-eu-west-1"
    assert [package.id for package in profiled.feeds[0].packages] == ["team/app", "team/api"]


def test_labels_of_keys_are_for_account_files() -> None:
    tables = {
        "auditor": {"key": "auditor"},
        "feed": [
            {
                "name": "Prod",
                "region": "eu-west-1",
                "packages": ["team/app"],
                "credentials": {"key": "octopus"},
            }
        ],
    }

    read = from_tables(tables, base=Path("/"), source="healthy.toml", labels=True)

    assert read.auditor == KeyCredentials(key="auditor")
    assert read.feeds[0].credentials == KeyCredentials(key="octopus")
    with pytest.raises(ConfigError, match=r"healthy\.toml: auditor: found a table with \"key\""):
        from_tables(tables, base=Path("/"), source="healthy.toml")


def test_a_login_file_is_read_as_bytes(tmp_path: Path) -> None:
    line = "docker login -u AWS -p hunter2 https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    (tmp_path / "login.txt").write_bytes(line.encode("utf-16"))

    login = read_login(legacy(tmp_path, '{ file = "login.txt" }'), {})

    assert isinstance(login, LoginText)
    assert "hunter2" not in repr(login)
    assert of(login).password == Secret("hunter2")


def test_login_fields_take_the_password_from_the_environment(tmp_path: Path) -> None:
    login = read_login(legacy(tmp_path, FIELDS), {"LEGACY": "hunter2"})

    assert login == LoginParts("AWS", Secret("hunter2"), "https://registry.example")
    assert "hunter2" not in repr(login)


@pytest.mark.parametrize(
    ("text", "environ", "words"),
    [
        (docker_feed('{ file = "no.txt" }'), {}, ["Legacy", "login.file", "no.txt"]),
        (docker_feed('{ file = "." }'), {}, ["login.file", "directory"]),
        (docker_feed('{ file = "big" }'), {}, ["login.file", "256 KiB"]),
        (docker_feed('{ file = "feeds.toml/x" }'), {}, ["login.file", "cannot be read"]),
        (docker_feed(FIELDS), {}, ["Legacy", "login.password_env", "LEGACY", "not set"]),
        (docker_feed(FIELDS), {"LEGACY": " "}, ["LEGACY", "empty"]),
        (
            FEED.replace("profile", "env_prefix").replace("octopus", "OCTO_"),
            {"OCTO_AWS_ACCESS_KEY_ID": "AKIA"},
            ["Prod", "credentials.env_prefix", "OCTO_AWS_SECRET_ACCESS_KEY", "not set"],
        ),
        (
            '[auditor]\nenv_prefix = "AUDIT_"\n' + FEED,
            {},
            ["auditor.env_prefix", "AUDIT_AWS_ACCESS_KEY_ID", "not set"],
        ),
        (
            FEED.replace(
                'profile = "octopus"',
                'role_arn = "arn:aws:iam::123456789012:role/x", audience = "a", token_file = "no"',
            ),
            {},
            ["Prod", "credentials.token_file", "no such file"],
        ),
    ],
)
def test_what_a_file_names_must_be_there(
    tmp_path: Path, text: str, environ: dict[str, str], words: list[str]
) -> None:
    (tmp_path / "big").write_bytes(b"x" * (256 * 1024 + 1))
    read = suite(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        check_sources(read, environ)

    assert str(caught.value).isprintable()
    for word in words:
        assert word in str(caught.value)


def test_what_is_there_passes(tmp_path: Path) -> None:
    (tmp_path / "login.txt").touch()
    (tmp_path / "token").touch()
    texts = [
        FEED,
        FEED.replace("Prod", "Env").replace('profile = "octopus"', 'env_prefix = "OCTO_"'),
        FEED.replace("Prod", "Oidc").replace(
            'profile = "octopus"',
            'role_arn = "arn:aws:iam::123456789012:role/x", audience = "a", token_file = "token"',
        ),
        docker_feed('{ file = "login.txt" }'),
    ]
    environ = {"OCTO_AWS_ACCESS_KEY_ID": "AKIA", "OCTO_AWS_SECRET_ACCESS_KEY": "x"}

    check_sources(suite(tmp_path, "".join(texts)), environ)


def test_credentials_say_where_they_come_from() -> None:
    environment = EnvCredentials(env_prefix="OCTO_")
    oidc = OidcCredentials(role_arn="arn:aws:iam::123456789012:role/x", audience="a")

    assert ProfileCredentials(profile="octopus").source == "profile octopus"
    assert environment.source == "variables OCTO_AWS_*"
    assert environment.variables[2] == "OCTO_AWS_SESSION_TOKEN"
    assert oidc.source == "role arn:aws:iam::123456789012:role/x"
    assert oidc.session_seconds == 3600
    assert "own credentials" in WorkerCredentials(worker=True).source
    assert "octopus" in KeyCredentials(key="octopus").source
