"""`decide`: from a request and the policies that apply to IAM's answer."""

from __future__ import annotations

from ecr_feed.iam.completions import settle
from ecr_feed.iam.decision import Decision, Outcome, Policies, Request
from ecr_feed.iam.judge import judge


def decide(request: Request, policies: Policies) -> Decision:
    """What IAM would answer to a request under these policies.

    Undetermined only if keys of `request.unknown` can really turn the answer: two ways of filling
    them in, one allowed and one denied, exist. Raises ValueError for a principal that is none.
    """
    decision = judge(request, policies, request.env)
    return settle(decision) if decision.outcome is Outcome.UNDETERMINED else decision
