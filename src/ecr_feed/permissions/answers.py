"""Three answers about a feed's permissions: its own calls, IAM's simulation, our evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from ecr_feed.aws.account import Account
from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.aws.readers.other_regions import OtherRegions
from ecr_feed.aws.readers.repositories import Inventory
from ecr_feed.aws.readers.simulation import SimulationRequest
from ecr_feed.config import OidcCredentials
from ecr_feed.facts.aws import Answer, Failure, Permission, ReadError, Trouble
from ecr_feed.facts.iam import Principal
from ecr_feed.iam import Decision
from ecr_feed.naming import account_of, is_repository_name
from ecr_feed.once import Once
from ecr_feed.permissions.compared_answers import Answers
from ecr_feed.permissions.evaluation import Evidence, Situation, evaluate, simulated_context
from ecr_feed.permissions.evidence import PolicyEvidence
from ecr_feed.permissions.needs import (
    CALLED,
    DESCRIBE,
    PULL,
    READ,
    TOKEN,
    actions_on_repositories,
    resource_of,
)
from ecr_feed.permissions.plan_says import PlanSays
from ecr_feed.permissions.pull_proof import Walked, proof
from ecr_feed.permissions.simulation_limits import within_limits
from ecr_feed.permissions.stated_context import resting_on

T = TypeVar("T")

_UNSEEN: Final = ("endpoint", "session")
"""Policies that AWS may name as the cause of a denial and that no API returns."""


class Rights:
    """What a feed may do.

    `audit` opens the auditor's view of an account, None where no auditor is configured; `plan_says`
    is what a plan says beside its documents. `pulled` gives what a walk to a
    package's image downloaded, None where there was no such walk; it is itself None in a run that
    reads no manifest and no layer.
    """

    def __init__(
        self,
        account: Account,
        audit: Callable[[str], DocumentReader] | None,
        now: Callable[[], datetime],
        *,
        plan_says: PlanSays | None = None,
    ) -> None:
        self.account = account
        self.plan_says = plan_says or PlanSays()
        self.now = now
        self.pulled: Callable[[str], Walked | None] | None = None
        self._make_audit = audit
        self._audit = Once(self._open_audit)
        self._evidence_of = PolicyEvidence(
            self.audit, self.principal, self.packages, account.threads
        )
        self._simulated = Once(self._simulate)
        self._given: Mapping[str, str | tuple[str, ...]] = {}  # stated values, to the simulation
        self._obtained: dict[tuple[str, str | None], Once[Answers]] = {}

    @property
    def has_auditor(self) -> bool:
        """An auditor is configured to read IAM."""
        return self._make_audit is not None

    def audit(self) -> DocumentReader:
        """The auditor's view of the feed's account. Raises ReadError."""
        return self._audit.get()

    def documents(self) -> DocumentReader:
        """A reader of the registry's documents: the auditor's, else the feed's own."""
        return self.audit() if self.has_auditor else self.account.self_audit()

    def principal(self) -> Principal:
        """The user or role that the feed is, with its policies, as the auditor reads it."""
        return self.audit().principal(self._arn())

    def shown(self, text: str) -> str:
        """A text about the feed's account as a report may show it."""
        return text

    def grantee(self) -> str:
        """The ARN of the user or role whose policies are the feed's. Raises ReadError."""
        try:
            return self.principal().arn if self.has_auditor else self.account.identity().arn
        except ReadError:
            return self.account.identity().arn

    def inventory(self) -> Inventory:
        """The repositories of the feed's registry, as far as its packages need them."""
        return self.account.inventory()

    def other_regions(self, package: str) -> OtherRegions:
        """The partition's other regions that hold the package's repository."""
        return self.account.other_regions(package)

    def access_key_id(self) -> str:
        """The ID of the feed's access key; "" without one."""
        return self.account.access_key_id()

    def longest_session(self) -> timedelta | None:
        """The role's MaxSessionDuration; None for a user, and where nobody may read it."""
        try:
            return self.principal().max_session if self.has_auditor else None
        except ReadError:
            return None

    def answers(self, action: str, package: str | None) -> Answers:
        """The answers about an action; `package` None: the token, or the list without names.

        Each is obtained once. Raises ReadError where the feed's own call failed for a reason other
        than a denial.
        """
        ask = Once(lambda: self._obtain(action, package))
        return self._obtained.setdefault((action, package), ask).get()

    def is_proved(self, action: str, package: str) -> bool:
        """A pull of this run proves the action on the package's repository. Raises ReadError."""
        return self._pulled(action, package) is not None

    def all_answers(self) -> Iterator[Answers]:
        """The answers on every action that the feed needs on its packages, where there are any."""
        for action, package in self._needed():
            yield from self._answers_unless_unread(action, package)

    def unanswered(self) -> list[Failure]:
        """Why the feed's own call failed, for each action that it needs and has no answers on."""
        failures = []
        for action, package in self._needed():
            try:
                self.answers(action, package)
            except ReadError as error:
                failures.append(error.failure)
        return failures

    def _needed(self) -> list[tuple[str, str | None]]:
        """Each action that the feed needs, and the package it needs it on; None for the token."""
        actions = actions_on_repositories(self.account.feed)
        on_packages = [(action, package) for package in self.packages() for action in actions]
        return [(TOKEN, None), *on_packages]

    def listing_answers(self) -> Iterator[Answers]:
        """The answers on the list without names, where there are any."""
        yield from self._answers_unless_unread(DESCRIBE, None)

    def so_far(self) -> list[Answers]:
        """The answers obtained so far."""
        found = [once.peek() for once in self._obtained.values()]
        return [answers for answers in found if answers is not None]

    def _answers_unless_unread(self, action: str, package: str | None) -> Iterator[Answers]:
        try:
            yield self.answers(action, package)
        except ReadError:
            return  # the rule of this permission is then not assessed

    def _obtain(self, action: str, package: str | None) -> Answers:
        resource = self.resource(action, package)
        witnesses = [self._probe(action, package)]
        decision = None
        if self.has_auditor:
            simulation = self._simulation(action, resource)
            evaluated, decision, evidence = self._evaluation(action, resource, package)
            if evidence is not None:
                called = witnesses[0] is not None
                simulation = within_limits(simulation, evaluated, decision, evidence, called=called)
            simulation = resting_on(simulation, self._given, evaluated, decision)
            witnesses += [self._unless_unseen(action, package, w) for w in (simulation, evaluated)]
        return Answers(action, resource, tuple(w for w in witnesses if w is not None), decision)

    def resource(self, action: str, package: str | None) -> str:
        """The ARN that AWS judges the action on."""
        # The account may cost a call, and the token has no resource.
        account = "" if action == TOKEN else self.account_id()
        return resource_of(action, account, self.account.feed.region, package)

    def account_id(self) -> str:
        """The account whose registry the feed reads, 12 digits. Raises ReadError if unknown."""
        credentials = self.account.feed.credentials
        if isinstance(credentials, OidcCredentials):
            return account_of(credentials.role_arn)
        try:
            return self.account.identity().account
        except ReadError:
            # STS may be out of reach while ECR answers: then the feeds file may name the account.
            if self.account.feed.account is None:
                raise
            return self.account.feed.account

    def packages(self) -> tuple[str, ...]:
        """Package IDs that have a repository, or may have one where that could not be read."""
        names = (package.id for package in self.account.feed.packages)
        return tuple(name for name in names if is_repository_name(name) and self._may_exist(name))

    def _may_exist(self, name: str) -> bool:
        try:
            return self.inventory().repository(name) is not None
        except ReadError:
            return True

    def _probe(self, action: str, package: str | None) -> Permission | None:
        if action in PULL:
            return self._pulled(action, package)
        if action not in CALLED:
            return None
        try:
            if action == DESCRIBE and package is None:
                # Known where the inventory had to list; no call is made for this alone.
                return self.account.inventory().listing
            return self.account.permission(action, package)
        except ReadError as error:
            # Octopus makes the web identity token: without one the feed cannot call.
            oidc = isinstance(self.account.feed.credentials, OidcCredentials)
            if oidc and self.has_auditor and _of_the_token(error.failure):
                return None
            raise

    def _pulled(self, action: str, package: str | None) -> Permission | None:
        """What a pull of this run proves; a pull that failed proves nothing."""
        walked = self.pulled(package) if self.pulled is not None and package is not None else None
        return None if walked is None else proof(walked, action, self.resource(action, package))

    def _unless_unseen(self, action: str, package: str | None, witness: Permission) -> Permission:
        """An answer about an action that is never called, or "undetermined".

        It is undetermined where one of the feed's calls was denied by a policy that neither the
        simulation nor the evaluation covers.
        """
        if action not in PULL or witness.answer is not Answer.ALLOWED:
            return witness
        asked = [(TOKEN, None), *((each, package) for each in READ)]
        denials = [probe for each in asked if (probe := self._tried(*each)) is not None]
        unseen = next((d for d in denials if d.evidence.get("policy_type") in _UNSEEN), None)
        if unseen is None:
            return witness
        because = f"{witness.because}, but {unseen.action} is denied by what it does not cover: "
        return replace(witness, answer=Answer.UNDETERMINED, because=because + unseen.because)

    def _tried(self, action: str, package: str | None) -> Permission | None:
        try:
            return self._probe(action, package)
        except ReadError:
            return None  # the rule of that action reports it

    def _simulation(self, action: str, resource: str) -> Permission:
        try:
            return self._simulated.get()[action, resource]
        except ReadError as error:
            return _unread("simulation", action, resource, error.failure)
        except KeyError:
            return Permission(action, resource, Answer.UNDETERMINED, "not simulated", "simulation")

    def _simulate(self) -> dict[tuple[str, str], Permission]:
        """All actions on all repositories, in few calls; by action and resource."""
        audit, principal = self.audit(), self.principal()
        texts: dict[str, str] = {}
        said: list[Permission] = []
        arns: list[str] = []
        for name in self.packages():
            arn = self.resource(DESCRIBE, name)
            try:
                policy = self._evidence_of.policy(name) if principal.kind == "user" else None
            except ReadError as error:
                # A policy that was not read cannot be handed to the simulation.
                said += [
                    _unread("simulation", action, arn, error.failure) for action in (*READ, *PULL)
                ]
                continue
            arns.append(arn)
            if policy is not None and isinstance(policy.document, str):
                texts[arn] = policy.document
        feed = self.account.feed
        self._given = simulated_context(feed.context, principal)
        context = {**self._given, "aws:RequestedRegion": feed.region, "aws:SecureTransport": "true"}
        questions = [
            SimulationRequest((TOKEN,), ("*",), context=context),
            SimulationRequest((DESCRIBE,), (self.resource(DESCRIBE, None),), context=context),
        ]
        if arns:
            questions.append(SimulationRequest((*READ, *PULL), tuple(arns), texts, context))
        said += [each for question in questions for each in audit.simulate(principal, question)]
        return {(each.action, each.resource): each for each in said}

    def _evaluation(
        self, action: str, resource: str, package: str | None
    ) -> tuple[Permission, Decision | None, Evidence | None]:
        try:
            evidence = self._evidence_of.of(package, resource)
        except ReadError as error:
            return _unread("evaluation", action, resource, error.failure), None, None
        return *evaluate(action, resource, evidence, self._situation()), evidence

    def _situation(self) -> Situation:
        feed = self.account.feed
        return Situation(feed.region, self.now(), feed.context)

    def _open_audit(self) -> DocumentReader:
        return self._audit_of(self.account_id())

    def _audit_of(self, account: str) -> DocumentReader:
        if self._make_audit is None:
            raise ReadError(_no_auditor(self.account.feed.region))
        return self._make_audit(account)

    def _arn(self) -> str:
        credentials = self.account.feed.credentials
        if isinstance(credentials, OidcCredentials):
            return credentials.role_arn
        return self.account.identity().arn


def _of_the_token(failure: Failure) -> bool:
    """There was no web identity token, it was unusable, or STS did not exchange it."""
    missing = failure.trouble is Trouble.NO_CREDENTIALS or failure.code == "TokenFile"
    return missing or failure.operation == "AssumeRoleWithWebIdentity"


def _unread(witness: str, action: str, resource: str, failure: Failure) -> Permission:
    because = failure.summary
    return Permission(action, resource, Answer.UNDETERMINED, because, witness, failure=failure)


def _no_auditor(region: str) -> Failure:
    return Failure(
        Trouble.NO_CREDENTIALS, "iam", "GetUser", region, message="no auditor is configured"
    )
