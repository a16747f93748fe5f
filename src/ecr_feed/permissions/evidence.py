"""The documents behind a feed's permissions on one repository, as far as the auditor may read."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ecr_feed.aws.document_reader import DocumentReader
from ecr_feed.facts.aws import Failure, ReadError
from ecr_feed.facts.iam import Organization, PolicyDocument, Principal
from ecr_feed.iam import RegistryScope
from ecr_feed.once import Once
from ecr_feed.permissions.evaluation import RESOURCE_TAG_KEYS, Evidence


class PolicyEvidence:
    """Evidence for the evaluation, each document read once. Methods raise ReadError.

    `names` are the repositories to read policies of, all at once and in parallel.
    """

    def __init__(
        self,
        audit: Callable[[], DocumentReader],
        principal: Callable[[], Principal],
        names: Callable[[], tuple[str, ...]],
        threads: int,
    ) -> None:
        self._audit = audit
        self._principal = principal
        self._names = names
        self._threads = threads
        self._common = Once(self._read_common)
        self._policies = Once(self._read_policies)
        self._evidence: dict[str, Once[Evidence]] = {}

    def of(self, package: str | None, arn: str) -> Evidence:
        """The evidence for a repository; `package` None: for an action that has no repository."""
        if package is None:
            return self._common.get()
        return self._evidence.setdefault(package, Once(lambda: self._read(package, arn))).get()

    def policy(self, package: str) -> PolicyDocument | None:
        """The repository's own policy; None where there is none. Raises ReadError."""
        found = self._policies.get().get(package)
        if isinstance(found, Failure):
            raise ReadError(found)
        return found

    def _read(self, package: str, arn: str) -> Evidence:
        common = self._common.get()
        own: tuple[PolicyDocument, ...] = ()
        try:
            policy = self.policy(package)
            own = () if policy is None else (policy,)
        except ReadError as error:
            common = replace(common, unread=(*common.unread, error.failure))
        evidence = replace(common, resource_policies=(*common.resource_policies, *own))
        return self._tagged(evidence, arn)

    def _read_common(self) -> Evidence:
        audit, principal = self._audit(), self._principal()
        unread: list[Failure] = []
        registry: tuple[PolicyDocument, ...] = ()
        try:
            policy = audit.registry_policy()
            registry = () if policy is None else (policy,)
        except ReadError as error:
            unread.append(error.failure)
        found = Evidence(principal, self._organization(), registry, unread=tuple(unread))
        if not registry:
            return found
        try:
            return replace(found, registry_scope=RegistryScope(audit.registry_policy_scope()))
        except ReadError as error:
            return replace(found, scope_unread=error.failure)

    def _organization(self) -> Organization:
        try:
            return self._audit().organization(self._principal().account)
        except ReadError as error:
            return Organization(member=None, unread=(error.failure,))

    def _tagged(self, evidence: Evidence, arn: str) -> Evidence:
        """With the repository's tags, read only where a policy looks at them."""
        texts = (str(each.document).lower() for each in evidence.documents)
        if not any(key in text for text in texts for key in RESOURCE_TAG_KEYS):
            return evidence
        try:
            return replace(evidence, tags=self._audit().repository_tags(arn))
        except ReadError as error:
            return replace(evidence, tags_unread=error.failure)

    def _read_policies(self) -> dict[str, PolicyDocument | Failure | None]:
        audit = self._audit()

        def read(name: str) -> PolicyDocument | Failure | None:
            try:
                return audit.repository_policy(name)
            except ReadError as error:
                return error.failure

        names = self._names()
        with ThreadPoolExecutor(max_workers=self._threads) as pool:
            return dict(zip(names, pool.map(read, names), strict=True))
