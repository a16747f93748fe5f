"""An account made of policy documents, before anything exists in AWS."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ecr_feed.embedded.seeding.account_file import AccountError, AccountFile, from_tables
from ecr_feed.iam import PolicyError, parse, quota
from ecr_feed.naming import judge_name

LABEL = "feed"
EVERY = "*"
_ARN = re.compile(r"arn:aws[a-z-]*:(?:ecr|iam):[a-z0-9-]*:(\d{12}):")
_DEFAULT_ACCOUNT = "123456789012"


@dataclass(frozen=True, slots=True)
class Documents:
    """Policy documents as JSON text, by name (a file's, for example), and what they are judged on.

    `repository_policies` is by repository name; `*` is for every package without one of its own.
    """

    region: str
    packages: Sequence[str]
    policies: Mapping[str, str]
    boundary: tuple[str, str] | None = None  # name, text
    repository_policies: Mapping[str, str] = field(default_factory=dict)
    scps: Mapping[str, str] = field(default_factory=dict)
    account: str = ""
    pulls: bool = False


def account_from_documents(given: Documents) -> AccountFile:
    """An account with these repositories, and a user `octopus-feed` with these policies.

    The account ID is the one that the documents' ARNs name most often. Raises AccountError, which
    names the document and the place in it, for a document that AWS would refuse.
    """
    _check(given)
    account = given.account or _named_account(given)
    user: dict[str, Any] = {
        "name": "octopus-feed",
        "policies": {_policy_name(name): text for name, text in given.policies.items()},
        "keys": [{"label": LABEL}],
    }
    if given.boundary is not None:
        user["boundary"] = given.boundary[1]
    feed = {
        "name": "Plan",
        "region": given.region,
        "account": account,
        "packages": list(given.packages),
        "credentials": {"key": LABEL},
        "pulls": given.pulls,
    }
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
    }
    return from_tables(tables, "the documents")


def _repository(given: Documents, name: str) -> dict[str, Any]:
    policy = given.repository_policies.get(name) or given.repository_policies.get(EVERY)
    return {"name": name} | ({"policy": policy} if policy else {})


def _check(given: Documents) -> None:
    listed = [
        *((name, text, "identity") for name, text in given.policies.items()),
        *((name, text, "resource") for name, text in given.repository_policies.items()),
        *((name, text, "scp") for name, text in given.scps.items()),
        *(((*given.boundary, "boundary"),) if given.boundary else ()),
    ]
    for name, text, kind in listed:
        try:
            parse(text, kind=kind, name=name, limit=quota(kind))
        except PolicyError as error:
            where = f"the repository policy of {name}" if kind == "resource" else name
            raise AccountError(f"{where}: AWS would refuse this policy: {error}") from None


def _named_account(given: Documents) -> str:
    texts = (*given.policies.values(), *given.repository_policies.values())
    found = Counter(account for text in texts for account in _ARN.findall(text))
    return found.most_common(1)[0][0] if found else _DEFAULT_ACCOUNT


def _policy_name(name: str) -> str:
    """A policy name that IAM accepts, made from a file's name."""
    return re.sub(r"[^\w+=,.@-]", "-", name)[:128] or "policy"
