from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_feed.facts.aws import Secret
from ecr_feed.findings import OutcomeWord
from ecr_feed.login_line import LoginLine, judge_form, judge_login_registry, shell

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
PASSWORD = "AQECAHunter2Hunter2+/=="
PLAIN = f"docker login -u AWS -p {PASSWORD} https://{HOST}"

FORMS = [
    PLAIN,
    f"docker login -u AWS -p {PASSWORD} -e none https://{HOST}",
    f"docker login -u AWS -p {PASSWORD} {HOST}",
    f"docker login --username AWS --password {PASSWORD} {HOST}",
    f"docker login --username=AWS --password={PASSWORD} --email=none https://{HOST}",
    f"docker login -uAWS -p{PASSWORD} {HOST}",
    f"docker login -u=AWS -p={PASSWORD} {HOST}",
    f"docker login https://{HOST} -u AWS -p {PASSWORD}",
    f"docker login -u 'AWS' -p '{PASSWORD}' 'https://{HOST}'",
    f'docker login -u "AWS" -p "{PASSWORD}" "https://{HOST}"',
    f"  {PLAIN}  \t",
    f"{PLAIN}\r\n",
    f"\ufeff{PLAIN}\r\n\r\n",
    f"\u00a0{PLAIN}\u00a0",
    f"sudo -E {PLAIN}",
    f"$ {PLAIN}",
    f"> {PLAIN}",
    f"PS C:\\Users\\me> {PLAIN}",
    f"C:\\build>{PLAIN}",
    f"me@box:~/src$ {PLAIN}",
    f"root@box:/# {PLAIN}",
    f"# {PLAIN}",
    f"/usr/bin/{PLAIN}",
    f"& 'C:\\Program Files\\Docker\\docker.exe' {PLAIN.removeprefix('docker ')}",
    f"DOCKER_CONFIG=/x docker --config /x -D {PLAIN.removeprefix('docker ')}",
    f"$({PLAIN})",
    f'eval "$({PLAIN})"',
    f"`{PLAIN}`",
    f"{PLAIN} > /dev/null 2>&1 && docker pull {HOST}/team/app",
    f"set -e; {PLAIN}; echo done",
    f"docker login -u AWS \\\n  -p {PASSWORD} \\\r\n  https://{HOST}",
    f"docker login -u AWS `\r\n  -p {PASSWORD} `\r\n  https://{HOST}",
    f"docker login -u AWS ^\r\n  -p {PASSWORD} ^\r\n  https://{HOST}",
    f"WARNING! Using --password via the CLI is insecure.\n{PLAIN}\nLogin Succeeded",
    f"\n\n{PLAIN}\n{PLAIN}\n",
    f"Run this:\n\n    {PLAIN}\n",
    f"podman login -u AWS -p {PASSWORD} {HOST}",
    f"helm registry login -u AWS -p {PASSWORD} {HOST}",
]


@pytest.mark.parametrize("text", FORMS)
def test_every_form_of_a_login_line_is_read(text: str) -> None:
    line = LoginLine.parse(text)

    assert (line.user, line.password) == ("AWS", Secret(PASSWORD))
    assert line.problems == ()
    assert line.registry is not None
    assert str(line.registry) == HOST
    assert not line.password_stdin
    assert judge_form(line).holds
    assert judge_login_registry(line, region="eu-west-1", account="123456789012").holds


STDIN_LOGIN = f"docker login --username AWS --password-stdin {HOST}"
STDIN = [
    STDIN_LOGIN,
    f"aws ecr get-login-password --region eu-west-1 | {STDIN_LOGIN}",
    f"aws ecr get-login-password --region eu-west-1 \\\n  | {STDIN_LOGIN}",
    f"(Get-ECRLoginCommand).Password | {STDIN_LOGIN}",
    f"echo $PASSWORD | {STDIN_LOGIN} 2> log.txt",
    f"{STDIN_LOGIN} < password.txt",
    f"docker login --username AWS --password-stdin=true {HOST}",
]


@pytest.mark.parametrize("text", STDIN)
def test_a_password_from_standard_input_is_fine(text: str) -> None:
    line = LoginLine.parse(text)

    assert (line.user, line.password, line.password_stdin) == ("AWS", None, True)
    assert (line.host, line.problems) == (HOST, ())
    assert judge_form(line).holds
    assert "standard input" in str(judge_form(line).found)


@pytest.mark.parametrize("value", ["$(aws ecr get-login-password)", "$PASSWORD", "%PASSWORD%"])
def test_a_password_may_be_computed(value: str) -> None:
    line = LoginLine.parse(f"docker login -u AWS -p {value} {HOST}")

    assert line.computed
    assert line.host == HOST
    assert judge_form(line).holds


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
def test_bytes_as_windows_writes_them(encoding: str) -> None:
    line = LoginLine.parse(f"{PLAIN}\r\n".encode(encoding))

    assert (line.password, line.problems) == (Secret(PASSWORD), ())


def test_a_stray_byte_around_the_line_does_no_harm_but_one_in_it_does() -> None:
    around = LoginLine.parse(b"Gespr\xe4ch\n" + PLAIN.encode())
    within = LoginLine.parse(PLAIN.encode().replace(b"hunter", b"h\xfcnter"))

    assert around.problems == ()
    assert LoginLine.parse(PLAIN.replace("hunter", "hxnter").encode()).problems == ()
    assert LoginLine.parse(b"docker login -u AWS -p \xe4 " + HOST.encode()).problems == (
        "it is not a text in UTF-8 or UTF-16",
    )
    assert within.password is not None


NO_LOGIN = [
    ("", "empty"),
    (" \r\n\ufeff", "empty"),
    ("aws ecr get-login --no-include-email --region eu-west-1", "command `aws ecr get-login`"),
    ("$(aws ecr get-login --no-include-email)", "command `aws ecr get-login`"),
    ("eval $(aws --profile x ecr get-login | sed 's|https://||')", "command `aws ecr get-login`"),
    ("Invoke-Expression -Command (aws ecr get-login)", "command `aws ecr get-login`"),
    ("aws ecr get-login-password --region eu-west-1", "get-login-password"),
    ("eyJwYXlsb2FkIjoiaHVudGVyMg==", "bare password"),
    (PASSWORD, "bare password"),
    ('{"auths": {}}', "JSON"),
    ("docker pull x", "no `docker login`"),
    ("Please use docker to login", "no `docker login`"),
    ("Login Succeeded", "no `docker login`"),
    ("dockerlogin -u AWS", "no `docker login`"),
]


@pytest.mark.parametrize(("text", "words"), NO_LOGIN)
def test_what_is_no_login_line_says_what_it_is(text: str, words: str) -> None:
    line = LoginLine.parse(text)

    assert (line.user, line.password, line.host, line.program) == (None, None, None, "")
    assert len(line.problems) == 1
    assert words in line.problems[0]
    assert judge_form(line).message.endswith(f": {line.problems[0]}.")
    host = judge_login_registry(line, region="eu-west-1", account=None)
    assert host.outcome is OutcomeWord.NOT_ASSESSED


BROKEN = [
    (f"docker login -u AWS -p {PASSWORD}", "names no registry"),
    (f"docker login -u AWS -p {PASSWORD} {HOST} {HOST}", "names 2 registries"),
    (f"docker login -u AWS -p AQEC {PASSWORD} {HOST}", "names 2 registries"),
    (f"docker login -u AWS {PASSWORD}", "that is not a host"),
    (f"docker login -u {PASSWORD} {HOST}", "its user is"),
    (f"docker login -u AWS -p x https://AWS:x/{PASSWORD}@{HOST}", "contains a user name"),
    (f"docker login -u AWS -p  -e none {HOST}", "--password has no value"),
    (f"docker login -u -p {PASSWORD} {HOST}", "--username has no value"),
    (f"docker login {HOST} -u AWS -p", "--password has no value"),
    (f"docker login –u AWS –p {PASSWORD} {HOST}", "typographic dashes"),
    (f"docker login —username AWS —password {PASSWORD} {HOST}", "typographic dashes"),
    (f"docker login -u “AWS” -p {PASSWORD} {HOST}", "typographic quotes"),
    (f"docker login -u AWS -p '{PASSWORD} {HOST}", "quote that is never closed"),
    (f'docker login -u AWS -p "{PASSWORD} {HOST}', "quote that is never closed"),
    (f"docker login -u AWS -p {PASSWORD} --password-stdin {HOST}", "both --password and"),
    (f"docker login -u AWS -p {PASSWORD} https://AWS:{PASSWORD}@{HOST}", "contains a user name"),
    (f"{PLAIN}\ndocker login -u AWS -p {PASSWORD} docker.io", "2 logins, for different hosts"),
]


@pytest.mark.parametrize(("text", "words"), BROKEN)
def test_a_broken_line_says_where(text: str, words: str) -> None:
    line = LoginLine.parse(text)
    judged = judge_form(line)

    assert not judged.holds
    assert words in judged.message
    for shown in (repr(line), repr(judged)):
        assert PASSWORD not in shown


def test_a_commented_line_counts_only_where_there_is_no_other() -> None:
    old = PLAIN.replace("eu-west-1", "us-east-1")

    assert LoginLine.parse(f"# {old}\n{PLAIN}").host == f"https://{HOST}"
    assert LoginLine.parse(f"# {old}").problems == ()


def test_notes_are_evidence_alone() -> None:
    line = LoginLine.parse(f"podman login --zzz={PASSWORD} -xhunter2 -e n -u AWS -p AQ...x {HOST}")

    assert line.problems == ()
    assert line.email_flag
    notes = " ".join(line.notes)
    for words in ("podman", "17.06", "--zzz, -x", "ellipsis"):
        assert words in notes
    assert PASSWORD not in notes
    assert "hunter2" not in notes


passwords = st.binary(min_size=3, max_size=60).map(lambda data: base64.b64encode(data).decode())
frames = st.sampled_from(
    [
        "docker login -u AWS -p {} https://{}",
        "docker login -u AWS -p {} -e none https://{}",
        "docker login --username AWS --password '{}' {}\r\n",
        'sudo docker login --password="{}" --username=AWS "{}"  ',
        "docker login `\r\n -p{} \\\n -uAWS {}",
    ]
)


@given(passwords, frames, st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]))
def test_whatever_the_password_it_is_read_and_never_shown(
    password: str, frame: str, encoding: str
) -> None:
    line = LoginLine.parse(frame.format(password, HOST).encode(encoding))

    assert (line.user, line.password) == ("AWS", Secret(password))
    judged = [judge_form(line), judge_login_registry(line, region="eu-west-1", account=None)]
    assert all(each.holds for each in judged)
    if len(password) > 8:
        assert password not in repr((line, judged))


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_text_is_read_without_failing(text: str | bytes) -> None:
    line = LoginLine.parse(text)

    assert line.problems or line.host is not None
    assert judge_form(line).outcome in (OutcomeWord.MET, OutcomeWord.NOT_MET)


@given(st.text(alphabet="docker login -upe\"'`$()<>|;&\\\n AWS=–“", max_size=80))
def test_any_mess_of_quotes_and_pipes_is_read(text: str) -> None:
    line = LoginLine.parse(f"docker login {text}")

    assert line.program in ("docker", "")
    judge_form(line)
    judge_login_registry(line, region="eu-west-1", account="123456789012")


@pytest.mark.parametrize(
    "text",
    [
        *("a" * 200_000, " " * 200_000, "$(" * 100_000, '"\\' * 100_000, "`" * 100_001),
        *("a@" * 100_000, "aws " * 50_000, "aws ecr " * 30_000, "\\ " * 100_000, "<a" * 100_000),
        *("C:\\" * 60_000, "docker --x " * 500, "(" * 100_000 + PLAIN),
    ],
    ids=range(13),
)
def test_long_texts_take_no_longer_than_their_length(text: str) -> None:
    # Each was quadratic in some draft of the patterns: this test then does not end.
    LoginLine.parse(text)


MAKES = "aws ecr get-login-password"
PIPED = f"docker login --username AWS --password-stdin {HOST}"


@pytest.mark.parametrize(
    "text",
    [
        f"{MAKES} --region us-west-2 | {PIPED}",
        f"aws --region us-west-2 ecr get-login-password | {PIPED}",
        f"AWS_REGION=us-west-2 {MAKES} | {PIPED}",
        f"(Get-ECRLoginCommand -Region us-west-2).Password | {PIPED}",
        f"P=$({MAKES} --region us-west-2)\ndocker login -u AWS -p $P {HOST}",
    ],
)
def test_the_region_that_the_password_is_of(text: str) -> None:
    assert LoginLine.parse(text).source_region == "us-west-2"


def test_a_region_of_another_login_is_not_taken() -> None:
    makers = f"A=$({MAKES} --region us-west-2)\nB=$({MAKES} --region us-east-1)\n"
    assert LoginLine.parse(f"{makers}docker login -u AWS -p $B {HOST}").source_region is None
    assert LoginLine.parse(f"{makers}{PLAIN}").source_region is None


def test_the_same_host_twice_is_one() -> None:
    once = LoginLine.parse(f"{PLAIN}\ndocker login -u AWS -p {PASSWORD} {HOST.upper()}")
    assert once.problems == ()


def test_words_as_a_shell_would_part_them() -> None:
    commands = shell.commands(r"""a 'b c' "d \"e\"" f\ g | h 2>&1 > i j; k=$(l | m) <n o>""")

    assert [command.words for command in commands] == [
        ["a", "b c", 'd "e"', "f g"],
        ["h", "j"],
        ["k=$(l | m)", "<n o>"],
    ]
