"""What the feed of a plan may do: what the documents say, and nothing else.

A plan has no probe: there is no call and no simulation. What no document states is unknown: the
account, the user, tags and most condition keys may be. An answer that depends on one of them is
undetermined, and names it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from ecr_feed.aws.account import Account
from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.aws.readers.other_regions import OtherRegions
from ecr_feed.aws.readers.repositories import Inventory
from ecr_feed.facts.aws import Answer, Permission, ReadError, Repository
from ecr_feed.facts.iam import PolicyDocument, Principal
from ecr_feed.facts.plan import PlanFacts
from ecr_feed.iam import GRANTING, Decision, RegistryScope
from ecr_feed.naming import is_repository_name, repository_arn
from ecr_feed.permissions.answers import Rights
from ecr_feed.permissions.compared_answers import Answers
from ecr_feed.permissions.evaluation import (
    RESOURCE_TAG_KEYS,
    Evidence,
    evaluate,
)
from ecr_feed.permissions.needs import resource_of
from ecr_feed.permissions.plan_says import PlanSays

_ORGANIZATION: Final = ("aws:principalorg", "aws:resourceorg")
_USER: Final = ("aws:principalarn", "aws:username", "aws:userid", "aws:principaltag/")
_NUMBER: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")
_PARTLY: Final = re.compile(r"(?<=[\":])[\d*?]+(?=[\":])")
_OTHERS: Final = ("555555555555", "999999999999")
"""Accounts that are tried besides, since a part of a number may fit the one that stands in."""


class PlannedRights(Rights):
    """Rights by evaluation alone. `plan` is what the documents state of the feed."""

    def __init__(
        self,
        account: Account,
        audit: Callable[[str], DocumentReader],
        now: Callable[[], datetime],
        *,
        plan: PlanFacts,
        plan_says: PlanSays | None = None,
    ) -> None:
        super().__init__(account, audit, now, plan_says=plan_says)
        self.plan = plan

    def account_id(self) -> str:
        """The account as far as it is known; `*`, which is valid in a policy, where it is not."""
        return self.plan.account_id

    def packages(self) -> tuple[str, ...]:
        """Every package ID that is a repository's name: the documents speak of each."""
        names = (package.id for package in self.account.feed.packages)
        return tuple(name for name in names if is_repository_name(name))

    def inventory(self) -> Inventory:
        """The repositories that the documents make or read in the feed's region."""
        region, account = self.account.feed.region, self.account_id()
        names = self.plan.repositories.get(region, {})
        return Inventory(
            {n: Repository(n, repository_arn(account, region, n), account) for n in names},
            complete=True,
            region=region,
            account=account,
        )

    def other_regions(self, package: str) -> OtherRegions:
        """The other regions in which the documents make or read it."""
        here = self.account.feed.region
        others = dict(self.plan.repositories)
        others.pop(here, None)
        found = sorted(region for region, names in others.items() if package in names)
        return OtherRegions(package, tuple(found), asked=len(others))

    def access_key_id(self) -> str:
        """No document has one."""
        return ""

    def principal(self) -> Principal:
        """The identity, with its documents under the names that a person gave them."""
        found = super().principal()
        boundary = found.boundary
        return replace(
            found,
            policies=tuple(map(self._renamed, found.policies)),
            boundary=None if boundary is None else self._renamed(boundary),
        )

    def shown(self, text: str) -> str:
        """The text without the user and the account that stand in for unstated ones."""
        return self.plan.shown(text)

    def grantee(self) -> str:
        """Whose policies have to change, as far as the documents say."""
        if not self.plan.identity:
            return self.plan.unnamed
        found = self.plan.principal
        kind = "role" if ":role/" in found else "user"
        return found if self.plan.account_known else f"{kind} {self.plan.identity}"

    def _renamed(self, policy: PolicyDocument) -> PolicyDocument:
        return replace(policy, name=self.plan.name_of(_text(policy)) or policy.name)

    def _arn(self) -> str:
        return self.plan.principal

    def _open_audit(self) -> DocumentReader:
        return self._audit_of(self.plan.judged_in)

    def _obtain(self, action: str, package: str | None) -> Answers:
        resource = self.resource(action, package)
        try:
            evidence = self._evidence(package)
        except ReadError as error:
            because = self.plan.shown(error.failure.summary)
            unread = Permission(action, resource, Answer.UNDETERMINED, because, "evaluation")
            return Answers(action, resource, (unread,))
        region = self.account.feed.region
        situation = replace(self._situation(), unstated=self._unstated(package))
        tried = {
            (account, user): evaluate(
                action, resource_of(action, account, region, package), given, situation
            )
            for account, user, given in self._possible(evidence)
        }
        permission, decision = _agreed(tried)
        because, shown = self.plan.shown(permission.because), self._shown(permission.evidence)
        if len({each.answer for each, _ in tried.values()}) > 1:
            because = f"{action} on {resource} {because}"
        said = replace(permission, resource=resource, because=because, evidence=shown)
        return Answers(action, resource, (said,), decision, unnamed=not self.plan.identity)

    def _evidence(self, package: str | None) -> Evidence:
        own = resource_of("", self.plan.judged_in, self.account.feed.region, package)
        found = self._evidence_of.of(package, own)
        scope = RegistryScope(self.plan.registry_scope or RegistryScope.UNREAD)
        return replace(_each_policy(found, self._renamed), registry_scope=scope)

    def _unstated(self, package: str | None) -> tuple[str, ...]:
        """Beginnings of the condition keys that no document settles."""
        plan = self.plan
        user = () if plan.identity else _USER
        tags = () if plan.identity_tags else ("aws:principaltag/",)
        region = self.account.feed.region
        stated = package is not None and plan.tags(region, package) is not None
        return (*_ORGANIZATION, *user, *tags, *(() if stated else RESOURCE_TAG_KEYS))

    def _possible(self, evidence: Evidence) -> Iterable[tuple[str, str, Evidence]]:
        """The accounts and users that may be the feed's, and the evidence for each.

        First those that no document names: the user's ARN is then "".
        """
        plan = self.plan
        texts = [_text(each) for each in evidence.documents]
        accounts = [plan.judged_in]
        if not plan.account_known:
            accounts += _accounts_in("\n".join(texts))
        for account in dict.fromkeys(accounts):
            moved = evidence
            if account != plan.judged_in:
                moved = _moved(evidence, plan.judged_in, account)
            yield account, "", moved
            named = _users_in(moved.resource_policies, account) if not plan.identity else []
            for user in dict.fromkeys(named):
                yield account, user, replace(moved, principal=replace(moved.principal, arn=user))

    def _shown(self, evidence: Mapping[str, object]) -> dict[str, Any]:
        """Evidence without what only stands in for what no document states."""
        text = self.plan.shown(json.dumps(evidence))
        shown: dict[str, Any] = json.loads(text)
        return shown


_Tried = Mapping[tuple[str, str], tuple[Permission, Decision | None]]


def _agreed(tried: _Tried) -> tuple[Permission, Decision | None]:
    """The one answer for every account and user tried; else undetermined, with what it needs.

    Undetermined, the decision is one whose conditions an Allow would lift; None without one.
    """
    (usual, _), first = next(iter(tried.items()))
    answers = {key: permission.answer for key, (permission, _) in tried.items()}
    if len(set(answers.values())) == 1:
        return first
    of_account = {account: each for (account, user), each in answers.items() if not user}
    of_user = {user: each for (account, user), each in answers.items() if account == usual}
    needs = []
    if len(set(of_account.values())) > 1:
        differing = _differing(of_account, usual)
        needs.append(f"the account, which nothing states: give --account ({differing})")
    if len(set(of_user.values())) > 1 or not needs:
        differing = _differing(of_user, "")
        needs.append(f"aws:PrincipalArn, which nothing states: give --identity ({differing})")
    because = f"depends on {' and '.join(needs)}."
    permission, _ = first
    return replace(permission, answer=Answer.UNDETERMINED, because=because, evidence={}), _limited(
        tried
    )


def _limited(tried: _Tried) -> Decision | None:
    """The first denial, or open answer, where a granting statement fails on conditions alone."""
    for permission, decision in tried.values():
        if decision is None or permission.answer is Answer.ALLOWED:
            continue
        if any(near.layer in GRANTING for near in decision.unmet):
            return replace(decision, depends_on=())
    return None


def _differing(answers: Mapping[str, Answer], unnamed: str) -> str:
    """`allowed for 123456789012, denied for others`."""
    usual = answers[unnamed]
    other = [f"{each.value} for {key}" for key, each in answers.items() if each is not usual]
    return f"{', '.join(other)}; {usual.value} for others"


def _text(policy: PolicyDocument) -> str:
    document = policy.document
    return document if isinstance(document, str) else json.dumps(document)


def _each_policy(
    evidence: Evidence, change: Callable[[PolicyDocument], PolicyDocument]
) -> Evidence:
    """The evidence with each of its documents changed."""
    principal, organization = evidence.principal, evidence.organization

    def levels(
        given: tuple[tuple[PolicyDocument, ...], ...] | None,
    ) -> tuple[tuple[PolicyDocument, ...], ...] | None:
        return None if given is None else tuple(tuple(map(change, level)) for level in given)

    boundary = principal.boundary
    return replace(
        evidence,
        principal=replace(
            principal,
            policies=tuple(map(change, principal.policies)),
            boundary=None if boundary is None else change(boundary),
        ),
        organization=replace(
            organization, scps=levels(organization.scps), rcps=levels(organization.rcps)
        ),
        resource_policies=tuple(map(change, evidence.resource_policies)),
    )


def _moved(evidence: Evidence, old: str, new: str) -> Evidence:
    """The same documents and identity in another account."""

    def change(policy: PolicyDocument) -> PolicyDocument:
        return replace(policy, document=_text(policy).replace(old, new))

    moved = _each_policy(evidence, change)
    principal = moved.principal
    arn = principal.arn.replace(old, new)
    return replace(moved, principal=replace(principal, arn=arn, account=new))


def _accounts_in(text: str) -> list[str]:
    """Every account number in documents, one for each part of a number, and others."""
    partly = [_filled(each) for each in _PARTLY.findall(text) if set("*?") & set(each)]
    return [*_NUMBER.findall(text), *(each for each in partly if len(each) == 12), *_OTHERS]


def _filled(pattern: str) -> str:
    """An account number that a pattern of digits, `*` and `?` matches, if one does."""
    plain = pattern.replace("?", "0")
    missing = 12 - len(plain.replace("*", ""))
    return plain.replace("*", "0" * max(missing, 0), 1).replace("*", "")


def _users_in(policies: Iterable[PolicyDocument], account: str) -> list[str]:
    """The users of an account that resource policies name."""
    found = re.compile(rf"arn:[a-z-]+:iam::{account}:user/[^\"\\\s]+")
    return [user for policy in policies for user in found.findall(_text(policy))]
