"""ARNs in a policy that can never match the feed's repository: wrong partition or account."""

from __future__ import annotations

from collections.abc import Iterator

from ecr_feed.iam import Decision

_WILD = frozenset("*?$")


def wrong_arns(decision: Decision) -> tuple[str, ...]:
    """A sentence for each ARN of ECR in the nearest statements that names another registry."""
    return tuple(dict.fromkeys(_sentences(decision)))


def _sentences(decision: Decision) -> Iterator[str]:
    asked = decision.request.resource.split(":", 5)
    for near in decision.nearest if len(asked) == 6 else ():
        for miss in near.misses:
            for arn in miss.expected.split(" or ") if miss.what == "resource" else ():
                if sentence := _wrong(arn, asked):
                    yield f"In {near.statement}, {arn} {sentence}"


def _wrong(arn: str, asked: list[str]) -> str:
    """What is wrong with an ARN, compared with the parts of the one asked for; "" for nothing."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "ecr":
        return ""
    partition, account = parts[1], parts[4]
    if partition != asked[1] and not _WILD & set(partition):
        return f"is of partition {partition}, and {asked[3]} is in {asked[1]}: it matches nothing."
    if account == asked[4] or _WILD & set(account):
        return ""
    if len(account) != 12 or not account.isdigit():
        return f"names account {account!r}, which is not 12 digits: it matches nothing."
    return f"names account {account}, not {asked[4]}."
