"""policy-fix.SLUG.json: for each feed that lacks permissions, the policy that grants them."""

from __future__ import annotations

import json
from typing import Final

from ecr_feed.report.run import Run

NAME: Final = "policy-fix.{slug}.json"


def policy_fixes(run: Run) -> dict[str, bytes]:
    """File name -> an IAM policy document, ready for `aws iam put-user-policy`.

    Nothing for feeds that lack nothing.
    """
    return {
        NAME.format(slug=feed.slug): json.dumps(dict(feed.policy_fix), indent=2).encode() + b"\n"
        for feed in run.feeds
        if feed.policy_fix
    }
