"""The `docker login` line that a legacy Docker feed takes its fields from. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from ecr_feed.facts.aws import Secret
from ecr_feed.login_line.line import LoginLine
from ecr_feed.login_line.login_rules import (
    judge_email,
    judge_form,
    judge_login_registry,
    judge_reset,
    schedule,
)

__all__ = [
    "LoginLine",
    "LoginParts",
    "LoginText",
    "judge_email",
    "judge_form",
    "judge_login_registry",
    "judge_reset",
    "of",
    "schedule",
]


@dataclass(frozen=True, slots=True)
class LoginText:
    """A login file as read; any part of the text may be secret."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoginParts:
    """The three fields of a Docker feed."""

    username: str
    password: Secret
    url: str


def of(login: LoginText | LoginParts) -> LoginLine:
    """The login line of a file, or the line that the three fields stand for."""
    if isinstance(login, LoginText):
        return LoginLine.parse(login.data)
    return LoginLine(
        user=login.username,
        password=login.password if len(login.password) else None,
        host=login.url,
        program="fields",
    )
