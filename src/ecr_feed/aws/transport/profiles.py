"""What a profile of the AWS configuration files says of its credentials. Makes no call."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecr_feed.aws.transport.key_shape import KeyField, mistakes_in

if TYPE_CHECKING:
    from ecr_feed.aws.transport.botosession import FeedSession

_FIELDS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile, its settings merged from both files."""

    name: str
    settings: Mapping[str, Any]

    @property
    def login_command(self) -> str:
        """The command that renews its login; "" where its credentials need none."""
        name = shlex.quote(self.name)
        if "sso_session" in self.settings or "sso_start_url" in self.settings:
            return f"aws sso login --profile {name}"
        return f"aws login --profile {name}" if "login_session" in self.settings else ""

    @property
    def mistakes(self) -> str:
        """What is wrong with the key that it holds, see `mistakes_in`."""
        fields = (
            KeyField(f"{name} of profile {self.name}", str(self.settings.get(name) or ""))
            for name in _FIELDS
        )
        return mistakes_in(*fields)


def profiles_of(session: FeedSession) -> Iterator[Profile]:
    """The session's profile, and those that it gets its credentials from, each once.

    Raises botocore's errors where a file cannot be parsed.
    """
    profiles: Mapping[str, Mapping[str, Any]] = session.full_config.get("profiles", {})
    name: object = session.profile or "default"
    seen: set[object] = set()
    while isinstance(name, str) and name in profiles and name not in seen:
        seen.add(name)
        yield Profile(name, profiles[name])
        name = profiles[name].get("source_profile")


def login_command(session: FeedSession) -> str:
    """The command that renews the login behind a session; "" where there is none."""
    return next((each.login_command for each in profiles_of(session) if each.login_command), "")
