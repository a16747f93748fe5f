"""A `docker login` line, taken apart. Nothing here judges it against a feed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Final

from ecr_feed.facts.aws import Secret
from ecr_feed.login_line import shell
from ecr_feed.naming import RegistryHost

_ECR: Final = r"\baws(?:\.exe)?\b[^|;&]{0,500}?\becr\s+"
GET_LOGIN: Final = re.compile(rf"{_ECR}get-login(?![\w-])")
GET_PASSWORD: Final = re.compile(rf"{_ECR}get-login-password(?![\w-])")
_POWERSHELL: Final = re.compile(r"\bGet-ECRLoginCommand\b", re.IGNORECASE)
REGION: Final = re.compile(r"(?i:--?region)[=\s]+[\"']?([^\s\"'|;&)]+)")
_VARIABLE_REGION: Final = re.compile(r"\bAWS_(?:DEFAULT_)?REGION=[\"']?([^\s\"'|;&)]+)")

_PROGRAMS: Final = frozenset({"docker", "podman", "nerdctl", "finch", "buildah", "skopeo", "helm"})
_SHORT: Final = {"-u": "--username", "-p": "--password", "-e": "--email"}
_VALUES: Final = frozenset({"--username", "--password", "--email", "--authfile", "--cert-dir"})
_DASHES: Final = ("\u2013", "\u2014", "\u2212", "\u2010", "\u2011")
_USER_INFO = re.compile(r"\A([A-Za-z]+://)?.*@", re.DOTALL)
_HOST_LIKE = re.compile(r"localhost|[^/]*[.:$%#<]")
_LONGEST_HOST: Final = 300
_BARE_PASSWORD = re.compile(r"(?:eyJwYXlsb2Fk|AQECAH)[\w+/=-]+|[A-Za-z0-9+/]{200,}={0,2}")


@dataclass(frozen=True, slots=True)
class LoginLine:
    """What a legacy Docker feed takes its fields from; `problems` make it unusable, worst first.

    `user`, `password` and `host` are None where the line has none. `password_stdin`: the password
    comes from a pipe. `computed`: it is a variable or a command's output. `source_region` is the
    region of the command that made the password, where the line shows it. `program` is "" where
    there is no login. `single`: there is one login, for one registry. `notes` are evidence.
    """

    user: str | None = field(default=None, repr=False)
    password: Secret | None = field(default=None, repr=False)
    host: str | None = None
    email_flag: bool = False
    password_stdin: bool = False
    computed: bool = False
    program: str = ""
    source_region: str | None = None
    single: bool = True
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str | bytes) -> LoginLine:
        """Find the login among the lines of a saved text. Never raises, never shows the password.

        Bytes may be UTF-8 or UTF-16, as PowerShell's `>` writes. Of several logins the first is
        taken, and that there are several hosts is a problem.
        """
        plain, trouble = shell.decode(text) if isinstance(text, bytes) else (text, None)
        found = list(_logins(plain))
        if not found:
            return cls(problems=(*([trouble] if trouble else []), _instead(plain)))
        first = found[0]
        problems = [*first.problems]
        hosts = {str(each.registry) for each in found}
        if len(hosts) > 1:
            problems.append(f"it contains {len(hosts)} logins, for different hosts")
        if trouble and first._unreadable():
            problems.append(trouble)
        single = first.single and len(hosts) == 1
        return replace(first, problems=tuple(problems), single=single)

    @property
    def registry(self) -> RegistryHost | None:
        """The host taken apart; None where the line names none."""
        return None if self.host is None else RegistryHost.parse(self.host)

    def _unreadable(self) -> bool:
        """The login itself holds what could not be decoded, not just the text around it."""
        password = self.password.reveal() if self.password is not None else ""
        return any("\ufffd" in part for part in (self.user or "", self.host or "", password))


@dataclass(slots=True)
class _Options:
    """The words after `login`, as Docker's option parser takes them."""

    values: dict[str, str] = field(default_factory=dict)
    servers: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    dashes: bool = False


def _logins(text: str) -> Iterator[LoginLine]:
    lines = shell.lines(text)
    live = [line for line in lines if not line.startswith("#")]
    live = live or [line.lstrip("# ") for line in lines]
    elsewhere = {region for line in live if (region := _source(line)) is not None}
    for line in live:
        for command in shell.commands(line):
            at = _login_at(command.words)
            if at is not None:
                program, behind = at
                login = _login(program, command.words[behind:], command.slips, line)
                yield _fed_from(login, elsewhere)


def _source(line: str) -> str | None:
    """The region in which a line's command makes the password, where the line says it."""
    if not GET_PASSWORD.search(line) and not _POWERSHELL.search(line):
        return None
    found = REGION.search(line) or _VARIABLE_REGION.search(line)
    return found[1] if found else None


def _fed_from(login: LoginLine, regions: set[str]) -> LoginLine:
    """With the region of another line that makes the password, if only one is named."""
    elsewhere = login.source_region is None and (login.computed or login.password_stdin)
    return replace(login, source_region=min(regions)) if elsewhere and len(regions) == 1 else login


def _login_at(words: list[str]) -> tuple[str, int] | None:
    """Program and where the words behind `login` begin; None: not a login."""
    for start, word in enumerate(words):
        program = PurePosixPath(word.replace("\\", "/").lstrip("(&")).name.lower()
        program = program.removesuffix(".exe")
        if program not in _PROGRAMS:
            continue
        for index in range(start + 1, len(words)):
            if words[index].lower() == "login":
                return program, index + 1
            if not _global_option(words, index) and (program, words[index]) != ("helm", "registry"):
                break
    return None


def _global_option(words: list[str], index: int) -> bool:
    """An option between `docker` and `login`, or its value."""
    before = words[index - 1]
    return words[index].startswith("-") or (before.startswith("-") and "=" not in before)


def _options(words: list[str]) -> _Options:
    parsed = _Options()
    rest = iter(words)
    for word in rest:
        option = _plain_dashes(word)
        parsed.dashes = parsed.dashes or option != word
        if not option.startswith("-") or option == "-":
            parsed.servers.append(word)
            continue
        name, equals, value = _split(option)
        if name == "--password-stdin":
            parsed.values[name] = value
        elif name not in _VALUES:
            parsed.unknown.append(name)
        elif equals:
            parsed.values[name] = value
        else:
            _next_value(parsed, name, rest)
    return parsed


def _plain_dashes(word: str) -> str:
    """Undo a word processor, which makes one dash of `--` and of `-`."""
    if not word.startswith(_DASHES):
        return word
    name = word.lstrip("-" + "".join(_DASHES))
    return f"-{name}" if len(name) == 1 else f"--{name}"


def _next_value(parsed: _Options, name: str, rest: Iterator[str]) -> None:
    """The next word is the value, even one that begins with a dash: then the value is missing."""
    value = next(rest, "-")
    if value.startswith("-"):
        parsed.missing.append(name)
        if value in _SHORT or value.partition("=")[0] in _VALUES:
            _next_value(parsed, _SHORT.get(value, value), rest)
    else:
        parsed.values[name] = value


def _split(word: str) -> tuple[str, str, str]:
    """`--name=value`, `-nvalue`, `-n=value` -> the long name, "=" where a value follows, value."""
    if word.startswith("--"):
        return word.partition("=")
    name, value = _SHORT.get(word[:2], word[:2]), word[2:]
    return name, "=" if value else "", value.removeprefix("=")


def _login(program: str, words: list[str], slips: list[str], line: str) -> LoginLine:
    options = _options(words)
    password = options.values.get("--password")
    servers = [_USER_INFO.sub(r"\1", server.rstrip(")")) for server in options.servers]
    hosts = [server for server in servers if _is_host(server)]
    computed = password is not None and password.startswith(("$", "`", "%"))
    return LoginLine(
        user=options.values.get("--username"),
        password=Secret(password) if password else None,
        host=hosts[0] if hosts else None,
        email_flag="--email" in options.values or "--email" in options.missing,
        password_stdin="--password-stdin" in options.values,
        computed=computed,
        program=program,
        source_region=_source(line),
        single=len(servers) == 1,
        problems=tuple(_problems(options, servers, hosts, slips)),
        notes=tuple(_notes(program, options, password)),
    )


def _is_host(server: str) -> bool:
    """Anything else may be a part of the password after a blank, and is not kept."""
    return len(server) <= _LONGEST_HOST and _HOST_LIKE.match(server) is not None


def _problems(
    options: _Options, servers: list[str], hosts: list[str], slips: list[str]
) -> Iterator[str]:
    for name in options.missing:
        yield f"option {name} has no value"
    if not servers:
        yield "it names no registry (Docker would use Docker Hub), or the line is cut or broken"
    elif len(servers) > 1:
        yield f"it names {len(servers)} registries, or the line is broken by blanks"
    elif not hosts:
        yield f"its registry is a text of {len(servers[0])} characters that is not a host"
    if any("@" in server for server in options.servers):
        yield "its registry contains a user name"
    for slip in slips:
        yield f"it has {slip}"
    if options.dashes:
        yield "it has typographic dashes, which Docker reads as letters"
    if {"--password", "--password-stdin"} <= set(options.values):
        yield "it has both --password and --password-stdin, of which Docker accepts only one"


def _notes(program: str, options: _Options, password: str | None) -> Iterator[str]:
    if program != "docker":
        yield f"the login is {program}'s"
    if "--email" in options.values:
        yield "-e: Docker has no such option since 17.06; a Docker feed does not need it"
    if options.unknown:
        yield f"options that are not known here: {', '.join(options.unknown)}"
    if password and ("..." in password or "\u2026" in password):
        yield "the password is shortened (it holds an ellipsis)"


def _instead(text: str) -> str:
    """What a text without any login line is."""
    stripped = text.strip("\ufeff \t\r\n\0")
    if not stripped:
        return "it is empty"
    if GET_LOGIN.search(stripped):
        return "it is the command `aws ecr get-login`, not the line that this prints"
    if GET_PASSWORD.search(stripped):
        return "it is the command `aws ecr get-login-password` alone, without `docker login`"
    if _BARE_PASSWORD.fullmatch(stripped):
        return "it is a bare password, not a `docker login` line"
    try:
        json.loads(stripped)
    except (ValueError, RecursionError):
        return "there is no `docker login` in it"
    return "it is JSON, not a `docker login` line"
