"""A feed's missing repositories: other regions that hold them, and what would create them."""

from __future__ import annotations

from collections.abc import Callable

from ecr_feed.aws.readers.repositories import Inventory
from ecr_feed.check import render_fix
from ecr_feed.facts.aws import ReadError
from ecr_feed.facts.iam import CreationTemplate, cache_rule_of
from ecr_feed.naming import is_repository_name
from ecr_feed.outcomes import note
from ecr_feed.permissions.answers import Rights

_EVERY = "ROOT"
"""The prefix of the template for repositories that no other template fits."""


class MissingElsewhere:
    """The partition's other regions, searched only where `asked` (`--look-elsewhere`)."""

    def __init__(self, rights: Rights, asked: bool) -> None:
        self._rights = rights
        self.asked = asked

    def missing(self) -> tuple[str, ...]:
        """The feed's packages, legal by name, that have no repository in its region."""
        inventory = self._rights.inventory()
        names = (package.id for package in self._rights.account.feed.packages)
        return tuple(
            name for name in names if is_repository_name(name) and not inventory.repository(name)
        )

    def regions(self, package: str) -> tuple[str, ...]:
        """The other regions that hold the package's repository, as read there."""
        return self._rights.other_regions(package).regions if self.asked else ()

    def unread(self, package: str) -> tuple[str, ...]:
        """The other regions that could not be read for the package."""
        return tuple(sorted(self._rights.other_regions(package).failures)) if self.asked else ()

    def evidence(self, package: str) -> dict[str, object]:
        """Other regions that hold the package, could not be read, or are not enabled.

        {} where they were not searched.
        """
        if not self.asked:
            return {}
        searched = self._rights.other_regions(package)
        return {
            "elsewhere": list(searched.regions),
            "unread": sorted(searched.failures),
            "not_enabled": list(searched.not_enabled),
        }

    def found(self, package: str, inventory: Inventory) -> str:
        """One line for a missing package: the regions that hold it, or the nearest name here."""
        if regions := self.regions(package):
            return f"no such repository here; it is in {', '.join(regions)}"
        near = inventory.near(package)
        similar = f"nearest: {', '.join(near)}" if near else "no similar name"
        return f"no such repository; {similar}"


class Creation:
    """What would create a missing repository: a creation template or a pull-through cache rule.

    The registry's documents are read by the auditor, or by the feed where there is none. `at_aws`
    is False with a test endpoint, which may not support these calls: then nothing is read.
    """

    def __init__(self, rights: Rights, at_aws: Callable[[], bool]) -> None:
        self._rights = rights
        self._at_aws = at_aws

    def fix(self, package: str, command: str) -> str | None:
        """The fix where something would create the repository; None where nothing is known to.

        `command`, a check's fix that creates it, is offered besides. Where the documents cannot be
        read, None: the check's own fix works in any case, and the evidence has the failed read.
        """
        if not self._at_aws() or not is_repository_name(package):
            return None
        try:
            documents = self._rights.documents()
            rule = cache_rule_of(package, documents.cache_rules())
            template = _template_of(package, documents.creation_templates())
        except ReadError as error:
            note(creation_rules_unread=error.failure.summary)
            return None
        values = {"package": package, "feed": self._rights.account.feed}
        otherwise = f"Or create it: {render_fix(command, values)}"
        if rule is not None:
            return (
                f"The cache rule {rule.prefix!r} creates it at the first pull: pull it "
                "once with an identity that is allowed ecr:BatchImportUpstreamImage and "
                f"ecr:CreateRepository. {otherwise}"
            )
        if template is not None:
            name = template.prefix
            return f"Push an image: template {name!r} creates it at the first push. {otherwise}"
        return None


def _template_of(package: str, templates: tuple[CreationTemplate, ...]) -> CreationTemplate | None:
    """The most specific template that is applied to pushes."""
    pushed = [each for each in templates if "CREATE_ON_PUSH" in each.applied_for]
    named = [each for each in pushed if package.startswith(f"{each.prefix}/")]
    every = [each for each in pushed if each.prefix == _EVERY]
    return max(named or every, key=lambda each: len(each.prefix), default=None)
