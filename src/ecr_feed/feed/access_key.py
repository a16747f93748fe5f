"""The IAM user behind a feed's access key, as the auditor reads it."""

from __future__ import annotations

from ecr_feed.facts.iam import AccessKey, Principal
from ecr_feed.outcomes import not_assessed
from ecr_feed.permissions.answers import Rights


class FeedUser:
    """A user and its keys; `own` is the one that the feed holds."""

    def __init__(self, rights: Rights, principal: Principal, key_id: str) -> None:
        self._rights = rights
        self._principal = principal
        self._key_id = key_id

    @property
    def name(self) -> str:
        """The user's name, without its path."""
        return self._principal.name

    def own_key(self) -> AccessKey:
        """The feed's own key, as IAM lists it."""
        own = [key for key in self._keys() if key.own]
        if not own:
            not_assessed(f"IAM does not list the feed's key among the keys of user {self.name}.")
        return own[0]

    def other_keys(self) -> tuple[AccessKey, ...]:
        """The user's other keys."""
        return tuple(key for key in self._keys() if not key.own)

    def has_console_password(self) -> bool:
        """The user can sign in to the console."""
        return self._rights.audit().has_console_password(self._principal)

    def _keys(self) -> tuple[AccessKey, ...]:
        keys = self._rights.audit().access_keys(self._principal, self._key_id)
        self._rights.known_keys = keys
        return keys
