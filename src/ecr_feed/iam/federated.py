"""What a federated user (GetFederationToken) may do: its parent's permissions, cut to its own.

Sources: STS API reference, GetFederationToken; IAM User Guide, "Session policies". Without a
session policy it has no permissions but those that a resource's policy grants to it by name. Its
ARN does not tell its parent.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from ecr_feed.iam.document import Document, parse
from ecr_feed.iam.policy_rules import Kind
from ecr_feed.iam.reading import in_doubt
from ecr_feed.iam.request import Policies

PARENT = "what the federated user's parent may do"
"""The open fact that stands for the policies of a parent that is not known."""

_EVERYTHING = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'


def federated_policies(policies: Policies) -> Policies:
    """The policies of a federated user as `decide` needs them: parent and session policy stated."""
    if policies.session is None:
        policies = replace(policies, session=_no_session_policy())
    return policies if policies.identity else replace(policies, identity=(_unknown_parent(),))


@lru_cache(maxsize=1)
def _no_session_policy() -> Document:
    return Document("no session policy", Kind.SESSION, "2012-10-17", ())


@lru_cache(maxsize=1)
def _unknown_parent() -> Document:
    name = "policies of the parent"
    (statement,) = parse(_EVERYTHING, name=name).statements
    return Document(name, Kind.IDENTITY, "2012-10-17", (in_doubt(statement, PARENT),))
