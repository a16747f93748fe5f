"""IAM's quotas on policies, and how much of them is used.

Source: IAM User Guide, "IAM and AWS STS quotas". GetAccountSummary returns an account's values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ecr_feed.iam.policy_rules import SIZE_LIMITS

_ATTACHED: Final = 10
_KINDS: Final = ("user", "role", "group")
_OUTSIDE_STRINGS: Final = re.compile(r'("(?:[^"\\]|\\.)*")|\s+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class PolicyQuotas:
    """Quotas in characters and numbers of policies; `inline` and `attached` are by kind.

    A kind is "user", "role" or "group". `inline` is for all inline policies of one identity
    together, `managed` for each managed policy, `attached` for the managed policies of one
    identity.
    """

    managed: int
    inline: Mapping[str, int]
    attached: Mapping[str, int]

    @classmethod
    def of(cls, summary: Mapping[str, int]) -> PolicyQuotas:
        """From the SummaryMap of GetAccountSummary; IAM's default where it lacks a value."""
        return cls(
            managed=summary.get("PolicySizeQuota", SIZE_LIMITS["managed policy"]),
            inline={
                kind: summary.get(
                    f"{kind.capitalize()}PolicySizeQuota", SIZE_LIMITS[f"{kind} inline policies"]
                )
                for kind in _KINDS
            },
            attached={
                kind: summary.get(f"AttachedPoliciesPer{kind.capitalize()}Quota", _ATTACHED)
                for kind in _KINDS
            },
        )


DEFAULT_QUOTAS: Final = PolicyQuotas.of({})


def used_size(document: str | Mapping[str, object]) -> int:
    """The most characters that IAM may count a policy as.

    White space between the elements is not counted. AWS does not say whether it is within a string:
    here it is, so that a policy that is to fit does. `policy_size` has the least.
    """
    if not isinstance(document, str):
        document = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return len(_OUTSIDE_STRINGS.sub(r"\1", document))
