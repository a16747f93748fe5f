"""The IAM user behind a feed's access key, as the auditor reads it."""

from __future__ import annotations

from ecr_feed.facts.aws import Identity
from ecr_feed.facts.iam import AccessKey, Principal
from ecr_feed.permissions.answers import Rights


class FeedUser:
    """A user, its access keys and its console password. Methods raise ReadError."""

    def __init__(self, rights: Rights, principal: Principal, key_id: str) -> None:
        self._rights = rights
        self._principal = principal
        self._key_id = key_id

    @property
    def name(self) -> str:
        """The user's name, without its path."""
        return self._principal.name

    def keys(self) -> tuple[AccessKey, ...]:
        """Every access key of the user; `own` marks the one that the feed holds."""
        return self._rights.audit().access_keys(self._principal, self._key_id)

    def own_key(self) -> AccessKey | None:
        """The feed's own key; None where IAM does not list it among the user's."""
        return next((key for key in self.keys() if key.own), None)

    def other_keys(self) -> tuple[AccessKey, ...]:
        """The user's other keys."""
        return tuple(key for key in self.keys() if not key.own)

    def has_console_password(self) -> bool:
        """The user can sign in to the console."""
        return self._rights.audit().has_console_password(self._principal)


def user_of(identity: Identity) -> Principal | None:
    """The IAM user that STS names, without its policies; None for a role or the root user."""
    _, is_user, name = identity.arn.partition(":user/")
    if not is_user:
        return None
    return Principal("user", identity.arn, identity.account, name.rpartition("/")[2])
