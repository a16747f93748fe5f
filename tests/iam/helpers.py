"""Short ways to write policies and requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ecr_feed.iam import Decision, Document, Policies, Request, decide, parse

A = "123456789012"
B = "210987654321"
USER = f"arn:aws:iam::{A}:user/octopus"
ROLE = f"arn:aws:iam::{A}:role/ci/octopus-feed"
SESSION = f"arn:aws:sts::{A}:assumed-role/octopus-feed/deploy"
FEDERATED = f"arn:aws:sts::{A}:federated-user/octopus"
ROOT = f"arn:aws:iam::{A}:root"
REPOSITORY = f"arn:aws:ecr:eu-west-1:{A}:repository/team/app"
FOREIGN = f"arn:aws:ecr:eu-west-1:{B}:repository/team/app"
PULL = "ecr:BatchGetImage"
TOKEN = "ecr:GetAuthorizationToken"

JSON = Mapping[str, object]
Context = Mapping[str, str | tuple[str, ...]]


def statement(effect: str, action: object, resource: object = "*", **others: object) -> JSON:
    """A statement with a Resource; None leaves that out."""
    found: dict[str, object] = {"Effect": effect, "Action": action}
    if resource is not None:
        found["Resource"] = resource
    return {**found, **others}


def allow(action: object = "*", resource: object = "*", **others: object) -> JSON:
    return statement("Allow", action, resource, **others)


def deny(action: object = "*", resource: object = "*", **others: object) -> JSON:
    return statement("Deny", action, resource, **others)


def policy(
    *statements: JSON, kind: str = "identity", name: str = "p", **others: object
) -> Document:
    """A document of Version 2012-10-17 unless `others` say otherwise."""
    return parse(
        {"Version": "2012-10-17", "Statement": list(statements), **others}, kind=kind, name=name
    )


def grant(
    principal: object, action: object = "*", effect: str = "Allow", **others: object
) -> Document:
    """A repository policy of one statement."""
    found = {"Effect": effect, "Principal": principal, "Action": action, **others}
    return policy(found, kind="resource", name="repository")


def ask(
    *identity: Document,
    principal: str | None = USER,
    action: str = PULL,
    resource: str = REPOSITORY,
    context: Context | None = None,
    unknown: Iterable[str] = (),
    resource_account: str | None = None,
    boundary: Document | None = None,
    repository: Document | None = None,
    scps: tuple[tuple[Document, ...], ...] | None = None,
    rcps: tuple[tuple[Document, ...], ...] | None = None,
    session: Document | None = None,
) -> Decision:
    """Decide one request; the positional documents are the identity's."""
    request = Request(
        principal, action, resource, context or {}, frozenset(unknown), resource_account
    )
    policies = Policies(identity, boundary, repository, scps, rcps, session)
    return decide(request, policies)


def under(condition: JSON, context: Context | None = None, unknown: Iterable[str] = ()) -> Decision:
    """Decide a request that is allowed if `condition` holds."""
    return ask(policy(allow(Condition=condition)), context=context, unknown=unknown)
