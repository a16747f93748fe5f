"""The ARNs in a plan's documents: which accounts they name, and whether AWS takes their partition.

An account that ARNs name is not thereby the feed's: a person mistypes digits. So it is used to
judge by, and IDENT-2 asks for `--account`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ecr_feed.facts.plan import PlanFacts
from ecr_feed.findings import OutcomeWord
from ecr_feed.iam import Document, PolicyError
from ecr_feed.naming import partition_of
from ecr_feed.outcomes import Judgement

_ARN: Final = re.compile(r"arn:[^:\s\"]+:([^:\s\"]*):[^:\s\"]*:(\d{12}):")
_NUMBER: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")
_ACCOUNT: Final = re.compile(r"\d{12}")


@dataclass(frozen=True, slots=True)
class PlanAccount:
    """In which account a plan is judged; the fields are those of `PlanFacts`."""

    judged_in: str
    account: str
    named: tuple[str, ...]
    stand_in: str


def is_account_id(text: str) -> bool:
    """Whether a text has the form of an AWS account ID: 12 digits."""
    return _ACCOUNT.fullmatch(text) is not None and text.isascii()


def plan_account(stated: str, texts: Iterable[str]) -> PlanAccount:
    """The account to judge documents in: the stated one, else the only one that ARNs name.

    Where there is neither, a number that no text has stands in for it. `texts` are JSON. Accounts
    in ARNs of ECR come before all others: they decide which registry is meant.
    """
    whole = "\n".join(texts)
    found = _ARN.findall(whole)
    of_ecr = Counter(account for service, account in found if service == "ecr")
    counted = of_ecr or Counter(account for _, account in found)
    named = tuple(account for account, _ in counted.most_common())
    taken = set(_NUMBER.findall(whole))
    stand_in = next(each for each in map("{:012}".format, range(10**6)) if each not in taken)
    only = named[0] if len(named) == 1 else ""
    return PlanAccount(stated or only or stand_in, stated, named, stand_in)


def judge_account(plan: PlanFacts, expected: str | None) -> Judgement:
    """The documents are of the expected account, as far as they and `--account` say."""
    named = ", ".join(plan.named)
    evidence = {"named": list(plan.named), "stated": plan.account or None}
    if not plan.account and not plan.named:
        return Judgement.not_applicable("No ARN names an account, and --account states none.")
    if not plan.account:
        what = "the account" if len(plan.named) == 1 else "the accounts"
        return Judgement(
            OutcomeWord.NOT_ASSESSED,
            f"{named}: {what} in the documents' ARNs. Nothing states which account the feed is in: "
            "give --account.",
            fix=f"Run again with --account {plan.named[0]}, if the feed is in that account.",
            evidence=evidence,
        )
    if plan.named and plan.account not in plan.named:
        return Judgement.not_applicable(
            f"{named}: the documents' ARNs name another account than {plan.account}, the feed's "
            "(see the PERM rules)."
        )
    return Judgement.of(
        expected in (None, plan.account),
        f"The plan is of account {plan.account}, not {expected}.",
        expected=expected or plan.account,
        found=plan.account,
        evidence=evidence,
    )


def refuse_other_partitions(document: Document, region: str) -> None:
    """Raises PolicyError for an ARN of a partition that the region is not in, as AWS does.

    A partition with a wildcard or a variable in it passes.
    """
    wanted = partition_of(region)
    for place, arn in _arns(document):
        parts = arn.split(":")
        found = parts[1] if parts[0] == "arn" and len(parts) > 2 else wanted
        if found != wanted and not set("*?$") & set(found):
            raise PolicyError(
                place,
                f"{arn!r} is of partition {found!r}, expected arn:{wanted}:..., "
                f"the partition of {region}",
            )


def _arns(document: Document) -> Iterator[tuple[str, str]]:
    for statement in document.statements:
        place = f"$.Statement[{statement.ref.index}]"
        if statement.resources is not None:
            element = "NotResource" if statement.resources.negated else "Resource"
            yield from ((f"{place}.{element}", each) for each in statement.resources.patterns)
        if statement.principals is not None:
            element = "NotPrincipal" if statement.principals.negated else "Principal"
            yield from ((f"{place}.{element}", each) for each in statement.principals.texts)
