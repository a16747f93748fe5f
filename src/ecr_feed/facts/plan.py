"""What the documents of a plan state of its feed: the only facts that a plan has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What is stated; what is not here is unknown.

    `account` (12 digits) is stated by `--account`, or by what Terraform read in AWS; "" where
    nothing states it. `named` are the accounts that ARNs in the documents name. `judged_in` is the
    account in which the documents are put and read back: the stated one, the only one named, else
    `stand_in`, a number that no document has and no report shows. `principal` is the ARN of the
    identity in that account; `identity` its name, "" where the documents do not name it.
    `repositories` are the names that the documents make or read, by region, with their tags: None
    where the tags are unknown. `registry_scope` is V1 or V2, "" where nothing states which calls a
    registry policy governs. `names` are the documents that a person named (JSON, name).
    """

    judged_in: str
    principal: str
    account: str = ""
    named: tuple[str, ...] = ()
    stand_in: str = ""
    identity: str = ""
    identity_tags: bool = False
    console_password: bool = False
    registry_scope: str = ""
    repositories: Mapping[str, Mapping[str, Mapping[str, str] | None]] = field(default_factory=dict)
    names: tuple[tuple[str, str], ...] = ()

    @property
    def account_known(self) -> bool:
        """One account is stated, or named by every ARN that names one."""
        return self.judged_in != self.stand_in

    @property
    def account_id(self) -> str:
        """The account as stated, or as ARNs name it; `*` where it is unknown."""
        return self.judged_in if self.account_known else "*"

    @property
    def unnamed(self) -> str:
        """How a report names the identity where no document names it."""
        return "the feed's role" if ":role/" in self.principal else "the feed's user"

    def shown(self, text: str) -> str:
        """A text without the user and the account that only stand in for unstated ones."""
        if not self.identity:
            name = self.principal.rpartition("/")[2]
            text = text.replace(self.principal, self.unnamed).replace(name, self.unnamed)
        return text if self.account_known else text.replace(self.stand_in, "*")

    def name_of(self, document: str) -> str:
        """The name that a person gave to a document, given as JSON; "" for none."""
        wanted = json.loads(document)
        return next((name for text, name in self.names if json.loads(text) == wanted), "")

    def states(self, region: str, repository: str) -> bool:
        """The documents make or read a repository of this name in the region."""
        return repository in self.repositories.get(region, {})

    def tags(self, region: str, repository: str) -> Mapping[str, str] | None:
        """The repository's tags as stated; None where nothing states them."""
        return self.repositories.get(region, {}).get(repository)
