"""A feed's missing packages, looked for in the partition's other regions."""

from __future__ import annotations

from ecr_feed.aws.account import Account
from ecr_feed.aws.readers.repositories import Inventory
from ecr_feed.naming import is_repository_name


class MissingElsewhere:
    """The partition's other regions, asked searched only with `--look-elsewhere`."""

    def __init__(self, account: Account, asked: bool) -> None:
        self._account = account
        self.asked = asked

    def missing(self) -> tuple[str, ...]:
        """The feed's packages, legal by name, that have no repository in its region."""
        inventory = self._account.inventory()
        names = (package.id for package in self._account.feed.packages)
        return tuple(
            name for name in names if is_repository_name(name) and not inventory.repository(name)
        )

    def regions(self, package: str) -> tuple[str, ...]:
        """The other regions that hold the package's repository, as read there."""
        return self._account.other_regions(package).regions if self.asked else ()

    def unread(self, package: str) -> tuple[str, ...]:
        """The other regions that did not answer."""
        return tuple(sorted(self._account.other_regions(package).failures)) if self.asked else ()

    def evidence(self, package: str) -> dict[str, object]:
        """What was looked for elsewhere and found, for a finding's evidence."""
        if not self.asked:
            return {}
        return {"elsewhere": list(self.regions(package)), "unread": list(self.unread(package))}

    def found(self, package: str, inventory: Inventory) -> str:
        """One line for a missing package: the regions that hold it, or the nearest name here."""
        if regions := self.regions(package):
            return f"it is in {', '.join(regions)}"
        near = inventory.near(package)
        return f"nearest: {', '.join(near)}" if near else "no similar name"
