"""An account made of policy documents, before anything exists in AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final

from ecr_feed.embedded.seeding.account_file import AccountError, AccountFile, from_tables
from ecr_feed.facts.iam import Effect
from ecr_feed.iam import PolicyError, parse, quota
from ecr_feed.naming import account_of, judge_name, partition_of
from ecr_feed.planned.arns import plan_account, refuse_other_partitions
from ecr_feed.planned.resource_principals import Unheld, unheld

LABEL = "feed"
EVERY = "*"
_NOBODY: Final = "the-user-that-no-document-names"
"""The user that has the policies where the documents do not say which. No report shows it."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Policy documents as JSON text, by name (a file's, for example), and what they are judged on.

    `repository_policies` is by repository name; `*` is for every package without one of its own.
    `account` and `identity` (a user's name) are "" where nobody stated them.
    """

    region: str
    packages: Sequence[str]
    policies: Mapping[str, str]
    boundary: tuple[str, str] | None = None  # name, text
    repository_policies: Mapping[str, str] = field(default_factory=dict)
    scps: Mapping[str, str] = field(default_factory=dict)
    account: str = ""
    identity: str = ""
    pulls: bool = False

    @property
    def all(self) -> Iterator[tuple[str, str, str]]:
        """Every document: how a message names it, its text, its kind."""
        yield from ((name, text, "identity") for name, text in self.policies.items())
        for name, text in self.repository_policies.items():
            yield f"the repository policy of {name}", text, "resource"
        yield from ((name, text, "scp") for name, text in self.scps.items())
        if self.boundary is not None:
            yield *self.boundary, "boundary"


def account_from_documents(given: Documents) -> AccountFile:
    """An account with these repositories, and a user with these policies.

    Its `plan` says what is stated; the rest is only there to put the documents in. Raises
    AccountError, with the document and the place in it, for what AWS would refuse.
    """
    _check(given)
    texts = (json.dumps(json.loads(text)) for _, text, _ in given.all)
    where = plan_account(given.account, texts)
    account, name = where.judged_in, given.identity or _NOBODY
    user: dict[str, Any] = {
        "name": name,
        "policies": {
            _policy_name(number, name): text
            for number, (name, text) in enumerate(given.policies.items())
        },
        "keys": [{"label": LABEL}],
    }
    if given.boundary is not None:
        user["boundary"] = given.boundary[1]
    feed = {
        "name": "Plan",
        "region": given.region,
        "packages": list(given.packages),
        "credentials": {"key": LABEL},
        "pulls": given.pulls,
        **({"account": given.account} if given.account else {}),
    }
    doubted = dict(_doubted(given))
    tables = {
        "says": "An account made of policy documents.",
        "account": account,
        "region": given.region,
        "enabled_regions": [given.region],
        # An illegal name gets no repository; a check reports the name.
        "repository": [
            _repository(given, name)
            for name in dict.fromkeys(given.packages)
            if judge_name(name).legal
        ],
        "user": [user],
        "scp": [{"document": text} for text in given.scps.values()],
        "feed": [feed],
        "open": [
            {"says": each.doubt, "package": package, "effect": Effect.REFUSED}
            for package, each in doubted.items()
        ],
        "remarks": [said for each in doubted.values() for said in each.remarks],
        "plan": {
            **asdict(where),
            "principal": f"arn:{partition_of(given.region)}:iam::{account}:user/{name}",
            "identity": given.identity,
            "names": [(text, name) for name, text, kind in given.all if kind != "resource"],
        },
    }
    return from_tables(tables, "the documents")


def _doubted(given: Documents) -> Iterator[tuple[str, Unheld]]:
    """The packages whose repository policy names principals that no document has."""
    for name in dict.fromkeys(given.packages):
        text = _repository(given, name).get("policy")
        found = unheld(text, name, given.account, partial(_is_stated, given)) if text else None
        if found is not None:
            yield name, found


def _repository(given: Documents, name: str) -> dict[str, Any]:
    policy = given.repository_policies.get(name) or given.repository_policies.get(EVERY)
    return {"name": name} | ({"policy": policy} if policy else {})


def _check(given: Documents) -> None:
    for where, text, kind in given.all:
        try:
            document = parse(text, kind=kind, name=where, limit=quota(kind))
            refuse_other_partitions(document, given.region)
        except PolicyError as error:
            raise AccountError(f"{where}: AWS would refuse this policy: {error}") from None


def _is_stated(given: Documents, principal: str) -> bool:
    """The principal is the user that the feed is said to be."""
    own = not given.account or account_of(principal) == given.account
    return bool(given.identity) and own and principal.endswith(f":user/{given.identity}")


def _policy_name(number: int, name: str) -> str:
    """A policy name that IAM accepts, made from a file's name; no two files have the same."""
    return f"{number}-{re.sub(r'[^A-Za-z0-9_+=,.@-]', '-', name)}"[:128]
