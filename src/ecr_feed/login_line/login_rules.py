"""The DOCKER rules of a legacy Docker feed: one pure function a rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from ecr_feed.login_line.line import GET_LOGIN, LoginLine
from ecr_feed.naming import RegistryHost, account_problem, expected_hosts, is_account_id
from ecr_feed.outcomes import Judgement
from ecr_feed.text.times import rfc3339
from ecr_feed.token import USER, password_hint

LIFETIME_HOURS: Final = 12.0
MARGIN_HOURS: Final = 1.0
"""A deployment that starts just before a replacement has a valid password for this long."""

_FORM = "docker login -u AWS -p PASSWORD https://ACCOUNT.dkr.ecr.REGION.amazonaws.com"
_PIPE = (
    "aws ecr get-login-password --region {region} | "
    "docker login --username AWS --password-stdin {host}"
)
_VARIABLE = re.compile(r"\$\{?\w+\}?|\$\(|%\w+%|#\{[^}]*\}|<[A-Za-z][\w -]*>")
_LONGEST_USER = 20
_UNREADABLE = "It depends on the login line, which cannot be used (DOCKER-1)"
_TOO_LATE = "The feed's credentials expire before they are replaced"


def judge_form(line: LoginLine) -> Judgement:
    """A login with user AWS, a password and a registry whose account ID has 12 digits.

    `judge_login_registry` judges which registry it is, `judge_email` the option `-e`.
    """
    problems = [*line.problems, *_form_problems(line)] if line.program else [*line.problems]
    return Judgement.of(
        not problems,
        f"The login line cannot be used for a Docker feed: {'; '.join(problems)}.",
        expected=_FORM,
        found=_found(line),
        evidence=_evidence(line),
    )


def judge_email(line: LoginLine) -> Judgement:
    """Current Docker accepts the line. Docker removed `-e` in 17.06; a feed does not need it.

    Not applicable to three fields, since there is no line then; not assessed where `judge_form`
    reports that the line is missing, or is broken and does not show `-e`.
    """
    if line.program == "fields":
        return Judgement.not_applicable("The feed has three fields and no login line.")
    if not line.email_flag and line.problems:
        return Judgement.not_assessed(f"{_UNREADABLE}: {line.problems[0]}.")
    host = line.registry if line.registry is not None and line.registry.ok else None
    return Judgement.of(
        not line.email_flag,
        "Current Docker rejects the login line: Docker removed -e in 17.06 and rejects the line.",
        expected="a login without -e",
        found="-e" if line.email_flag else "no -e",
        fix=_PIPE.format(
            region=host.region if host else "REGION", host=host.host if host else "HOST"
        ),
    )


def judge_login_registry(line: LoginLine, *, region: str, account: str | None) -> Judgement:
    """The registry is that of the feed's region, and of its account where the feed names one.

    An account ID without 12 digits cannot be compared, nor can one of several registries:
    `judge_form` reports them.
    """
    host = line.registry
    if not line.program or not line.single:
        return Judgement.not_assessed(f"{_UNREADABLE}: {'; '.join(line.problems)}.")
    if host is None:
        return Judgement.not_assessed("The login line names no registry (DOCKER-1).")
    if _VARIABLE.search(line.host or ""):
        return Judgement.not_assessed("The login line's registry has a placeholder (DOCKER-1).")
    problems = [*_host_problems(host, region, account), *_source_problems(line, region)]
    if not problems and account is not None and not is_account_id(host.account):
        return Judgement.not_assessed(
            "The registry's account ID is not valid and cannot be compared (DOCKER-1)."
        )
    whose = account or (host.account if is_account_id(host.account) else "ACCOUNT")
    expected = expected_hosts(whose, region)[0]
    return Judgement.of(
        not problems,
        f"The login is for another registry: {'; '.join(problems)}.",
        expected=expected if problems else str(host),
        found=_whose(host, line, region),
        fix=f"Log in to the feed's own host: {_PIPE.format(region=region, host=expected)}",
        evidence={"region": host.region, "account": host.account},
    )


def judge_reset(reset_hours: float | None, reset_command: str | None = None) -> Judgement:
    """The password is replaced an hour or more before it expires, by a command that exists."""
    interval, command = _judge_interval(reset_hours), _judge_command(reset_command)
    return command if interval.holds and not command.holds else interval


def schedule(replaced_at: datetime, reset_hours: float | None, now: datetime) -> dict[str, object]:
    """When the password expires and when it is due to be replaced, as evidence.

    `replaced_at` is the best known time of the last replacement (the login file's own time). A
    copied file has another time, so no outcome depends on it.
    """
    expiry = replaced_at + timedelta(hours=LIFETIME_HOURS)
    told: dict[str, object] = {
        "written_at": replaced_at.isoformat(timespec="seconds"),
        "expires_at": expiry.isoformat(timespec="seconds"),
        "expired": now >= expiry,
    }
    if reset_hours is not None:
        due = replaced_at + timedelta(hours=reset_hours)
        told |= {"next_due": due.isoformat(timespec="seconds"), "overdue": now >= due}
    return told


def _judge_interval(reset_hours: float | None) -> Judgement:
    """Interval and margin together are at most the 12 hours that a password is valid."""
    most = LIFETIME_HOURS - MARGIN_HOURS
    problem = f"they last {LIFETIME_HOURS:g} h but are replaced only every {reset_hours or 0:g} h"
    if reset_hours is None:
        problem = "no replacement interval is set (reset_hours)"
    return Judgement.of(
        reset_hours is not None and reset_hours <= most,
        f"{_TOO_LATE}: {problem}.",
        expected=f"a replacement every {most:g} h or more often",
        found="no reset_hours" if reset_hours is None else f"every {reset_hours:g} h",
        evidence={"lifetime_hours": LIFETIME_HOURS, "margin_hours": MARGIN_HOURS},
    )


def _judge_command(reset_command: str | None) -> Judgement:
    """The command that fetches the new password exists in AWS CLI version 2."""
    gone = reset_command is not None and GET_LOGIN.search(reset_command) is not None
    return Judgement.of(
        not gone,
        f"{_TOO_LATE}: AWS CLI version 2 has no command `aws ecr get-login`.",
        expected="aws ecr get-login-password, piped to docker login --password-stdin",
        found="aws ecr get-login" if gone else reset_command,
        fix=_PIPE.format(region="REGION", host="HOST") if gone else None,
    )


def _form_problems(line: LoginLine) -> Iterator[str]:
    if line.user is None:
        yield "it names no user"
    elif line.user != USER:
        yield f"its user is {_shown(line.user)}, not '{USER}'"
    if line.password is None and not line.password_stdin:
        yield "it has no password"
    if line.host is None:
        return
    variable = _VARIABLE.search(line.host)
    if variable:
        yield f"its registry has the placeholder {variable[0]}"
        return
    host = RegistryHost.parse(line.host)
    wrong = account_problem(host.account) if host.suffix else None
    if wrong:
        yield wrong


def _host_problems(host: RegistryHost, region: str, account: str | None) -> Iterator[str]:
    if not host.suffix:
        yield from host.problems
        return
    if host.region != region:
        yield f"its region is {host.region}, the feed's is {region}"
    if account is not None and is_account_id(host.account) and host.account != account:
        yield f"its account is {host.account}, the feed's is {account}"
    number = account_problem(host.account)
    yield from (problem for problem in host.problems if problem != number)


def _whose(host: RegistryHost, line: LoginLine, region: str) -> str:
    """The login's host, and the region of its password where that is another than the feed's."""
    foreign = line.source_region is not None and line.source_region != region
    return f"{host}, password fetched in {line.source_region}" if foreign else str(host)


def _source_problems(line: LoginLine, region: str) -> Iterator[str]:
    """The password is for the region it was fetched in."""
    if line.source_region is not None and line.source_region != region:
        yield f"its password is fetched in {line.source_region}, the feed's region is {region}"


def _found(line: LoginLine) -> str:
    if not line.program:
        return "; ".join(line.problems)
    password = "no password"
    if line.computed:
        password = "a password from a variable or a command"
    elif line.password is not None:
        password = f"a password of length {len(line.password)}"
    elif line.password_stdin:
        password = "a password from standard input"
    user = "no user" if line.user is None else f"user {_shown(line.user)}"
    return f"{user}, {password}, registry {line.registry or 'missing'}"


def _shown(user: str) -> str:
    """The user name, unless it is long: it may be the password in the wrong place."""
    return repr(user) if len(user) <= _LONGEST_USER else f"a text of {len(user)} characters"


def _evidence(line: LoginLine) -> dict[str, object]:
    """What was read, never the password; the hint comes from an undocumented format."""
    evidence: dict[str, object] = {"notes": list(line.notes), "email_flag": line.email_flag}
    hint = password_hint(line.password) if line.password is not None else None
    if hint is not None and hint.expires_at is not None:
        evidence["password_hint"] = f"expires {rfc3339(hint.expires_at)} (undocumented format)"
    return evidence
