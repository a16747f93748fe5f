"""Which repositories a registry holds, as read, and what that proves of the permission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecr_feed.aws.readers.ecr import ACTION_DESCRIBE, denied, no_repository, probed
from ecr_feed.facts.aws import Failure, Permission, ReadError, Repository, Trouble
from ecr_feed.naming import is_repository_name, near, repository_arn


@dataclass(frozen=True)
class Inventory:
    """The registry as read: repositories by name, and who may ask for which.

    `complete`: every page was read, so that an absent name is absent. `list_failure`: how the list
    without names was refused, where it was asked for and refused.
    """

    repositories: Mapping[str, Repository]
    complete: bool
    region: str
    account: str = ""
    list_failure: Failure | None = None
    list_asked: bool = False
    proven: frozenset[str] = frozenset()
    missing: Mapping[str, Failure] = field(default_factory=dict)
    denied: Mapping[str, Failure] = field(default_factory=dict)
    failed: Mapping[str, Failure] = field(default_factory=dict)

    def repository(self, name: str) -> Repository | None:
        """The repository of exactly this name, or None where there is none.

        Raises ReadError where neither a named call nor the list could tell. A name that ECR's
        grammar does not allow is absent without a call.
        """
        if not is_repository_name(name):
            return None
        if name in self.repositories:
            return self.repositories[name]
        if name in self.missing or self.complete:
            return None
        failure = self.denied.get(name) or self.failed.get(name) or self.list_failure
        if failure is None:
            raise KeyError(f"{name} was not asked for")
        raise ReadError(failure)

    def near(self, name: str) -> tuple[str, ...]:
        """Names that were read and resemble `name`; a partial list gives partial evidence."""
        return near(name, self.repositories)

    def resource(self, name: str) -> str:
        """The repository's ARN: as read, or as it would be; `repository/NAME` of no account."""
        known = self.repositories.get(name)
        if known is not None:
            return known.arn
        if not self.account:
            return f"repository/{name}"
        return repository_arn(self.account, self.region, name)

    def permission(self, name: str) -> Permission:
        """The probe's word on ecr:DescribeRepositories for one repository by name.

        Undetermined where there is no such repository; raises ReadError where the probe failed.
        """
        if name in self.failed:
            raise ReadError(self.failed[name])
        resource = self.resource(name)
        if name in self.proven:
            return probed(ACTION_DESCRIBE, resource)
        if name in self.denied:
            return denied(ACTION_DESCRIBE, resource, self.denied[name])
        return no_repository(ACTION_DESCRIBE, resource, self.missing.get(name))

    @property
    def listing(self) -> Permission | None:
        """The probe's word on the list without names; None where nobody needed it."""
        resource = "repository/*"
        if self.list_failure is not None:
            if self.list_failure.trouble == Trouble.DENIED:
                return denied(ACTION_DESCRIBE, resource, self.list_failure)
            raise ReadError(self.list_failure)
        return probed(ACTION_DESCRIBE, resource) if self.list_asked else None
