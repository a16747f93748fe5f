"""Who may assume a role, and what kind of credentials a feed with that role has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from ecr_feed.iam import Document, Outcome, Policies, Request, decide, parse

_ASSUME: Final = "sts:AssumeRole"
_WEB: Final = "sts:AssumeRoleWithWebIdentity"
_SAML: Final = "sts:AssumeRoleWithSAML"
_EKS: Final = ":oidc-provider/oidc.eks."
_WORKERS: Final = frozenset(
    {"ec2.amazonaws.com", "ecs-tasks.amazonaws.com", "pods.eks.amazonaws.com"}
)
"""The services whose machines, tasks and pods an Octopus worker runs on."""
_OTHERS: Final = ("token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io")
"""Issuers of web identities that are known not to be Octopus Servers."""
_SIGNED: Final = "arn:aws:iam::{account}:root"


class TrustKind(StrEnum):
    """What a role's trust makes of a feed that has the role."""

    WORKER = "a worker's own role"
    WEB_IDENTITY = "a web identity (OIDC)"
    ASSUMED = "assumed by another user or role"
    SAML = "a SAML sign-in"
    NOT_ASSUMABLE = "assumed by nothing"
    UNKNOWN = "a trust that is known only after apply"

    @property
    def fits_a_feed(self) -> bool:
        """An ECR feed can have such a role, as far as the plan says."""
        return self in (TrustKind.WORKER, TrustKind.WEB_IDENTITY, TrustKind.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Trust:
    """Who may assume a role, by kind; the first kind is the one that a feed is judged with.

    `audience` and `subject` are those that the trust asks of a web identity; "" if it names none,
    or more than one.
    """

    kinds: Mapping[TrustKind, tuple[str, ...]]
    audience: str = ""
    subject: str = ""

    @property
    def kind(self) -> TrustKind:
        """The first kind that fits a feed, else the first."""
        fitting = [kind for kind in self.kinds if kind.fits_a_feed]
        return next(iter(fitting or self.kinds), TrustKind.NOT_ASSUMABLE)

    @property
    def doubt(self) -> str:
        """Why a feed may not be able to have the role, as a clause; "" where it can."""
        services = self.kinds.get(TrustKind.WORKER, ())
        providers = self.kinds.get(TrustKind.WEB_IDENTITY, ())
        if self.kind is TrustKind.WORKER and not any(map(_runs_workers, services)):
            return f"it trusts {', '.join(services)}, on which no worker is known to run"
        if self.kind is TrustKind.WEB_IDENTITY and all(map(_is_no_octopus, providers)):
            return f"it trusts {', '.join(providers)}, which is not an Octopus Server"
        return ""

    def __str__(self) -> str:
        if not self.kinds:
            return str(TrustKind.NOT_ASSUMABLE)
        return "; ".join(
            f"{kind}: {', '.join(named)}" if named else str(kind)
            for kind, named in self.kinds.items()
        )


def _runs_workers(service: str) -> bool:
    return _EKS in service or service.removesuffix(".cn") in _WORKERS


def _is_no_octopus(provider: str) -> bool:
    return provider.rpartition(":oidc-provider/")[2].startswith(_OTHERS)


UNKNOWN_TRUST: Final = Trust({TrustKind.UNKNOWN: ()})


@dataclass(slots=True)
class _Found:
    services: list[str] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)
    saml: list[str] = field(default_factory=list)
    principals: list[str] = field(default_factory=list)


def trust_of(text: str) -> Trust:
    """The trust that a policy document states. Raises PolicyError for one that IAM refuses."""
    document = parse(text, kind="trust")
    found, asked = _Found(), _Asked()
    for statement in _statements(text):
        for kind, name in _principals(statement):
            _sort(document, found, kind, name)
        asked.read(statement)
    kinds = {
        TrustKind.WORKER: found.services,
        TrustKind.WEB_IDENTITY: found.providers,
        TrustKind.ASSUMED: found.principals,
        TrustKind.SAML: found.saml,
    }
    return Trust(
        {kind: tuple(dict.fromkeys(names)) for kind, names in kinds.items() if names},
        _single(asked.audiences),
        _single(asked.subjects),
    )


def _sort(document: Document, found: _Found, kind: str, name: str) -> None:
    if kind == "Service" and _may(document, name, _ASSUME):
        found.services.append(name)
    elif kind == "Federated":
        if ":saml-provider/" in name:
            if _may(document, name, _SAML):
                found.saml.append(name)
        elif _may(document, name, _WEB):
            # A pod of EKS has its role through a web identity of its cluster: it is the worker's.
            (found.services if _EKS in name else found.providers).append(name)
    elif kind in ("AWS", "*") and _may(document, _signed(name), _ASSUME):
        found.principals.append(name)


def _signed(name: str) -> str:
    """A principal that stands for those that an `AWS` principal names."""
    if name.startswith("arn:"):
        return name
    return _SIGNED.format(account=name if name.isdigit() else "123456789012")


def _may(document: Document, principal: str, action: str) -> bool:
    """The trust allows the call, or would with the right values of its conditions."""
    try:
        request = Request(principal, action, "*", unknown=document.condition_keys)
    except ValueError:
        return True  # a unique ID (AROA...), for example: it stands there to be let in
    outcome = decide(request, Policies(resource=document)).outcome
    return outcome in (Outcome.ALLOWED, Outcome.UNDETERMINED)


def _statements(text: str) -> Iterator[Mapping[str, Any]]:
    """The statements that allow."""
    listed = json.loads(text)["Statement"]
    for each in listed if isinstance(listed, list) else [listed]:
        if each.get("Effect") == "Allow":
            yield each


def _principals(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    named = statement.get("Principal") or {}
    if isinstance(named, str):
        yield "*", named
        return
    for kind, listed in named.items():
        for each in listed if isinstance(listed, list) else [listed]:
            yield kind, str(each)


@dataclass(slots=True)
class _Asked:
    """The audiences and subjects that conditions ask for, where they name exact values."""

    audiences: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)

    def read(self, statement: Mapping[str, Any]) -> None:
        for operator, keys in (statement.get("Condition") or {}).items():
            if not operator.lower().endswith("stringequals"):
                continue
            for key, value in keys.items():
                listed = [str(each) for each in (value if isinstance(value, list) else [value])]
                if key.lower().endswith(":aud"):
                    self.audiences += listed
                elif key.lower().endswith(":sub"):
                    self.subjects += listed


def _single(texts: list[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else ""
