"""The documents behind a feed's permissions, as one set of credentials may read them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from ecr_feed.aws.readers import access_keys, ecr_documents, organization, simulation
from ecr_feed.aws.readers.identity import IdentityReader
from ecr_feed.aws.readers.identity_policies import PrincipalReader, policy_quotas
from ecr_feed.aws.readers.registry_items import AskedRegistry
from ecr_feed.aws.readers.simulation import SimulationRequest
from ecr_feed.aws.transport.client import Client
from ecr_feed.aws.transport.sessions import Sessions
from ecr_feed.config import Credentials
from ecr_feed.facts.aws import Failure, Identity, Permission, ReadError, Trouble
from ecr_feed.facts.iam import (
    AccessKey,
    CacheRule,
    CreationTemplate,
    LifecyclePolicy,
    OidcProvider,
    Organization,
    PolicyDocument,
    Principal,
)
from ecr_feed.iam import PolicyQuotas
from ecr_feed.naming import account_of
from ecr_feed.once import Once

T = TypeVar("T")


class DocumentReader:
    """Reads documents of an account, each once; every method raises ReadError.

    `credentials` are the auditor's, or the feed's own for what a feed may read itself. `account` is
    the account that is judged: with credentials of another account nothing is called, since that
    may have a user or a repository of the same name. IAM is called through `region`; documents of
    the registry are read in the region that the method names, by default the same. `registry` gives
    the account that the registry's documents must be of, by default `account`.
    """

    def __init__(
        self,
        sessions: Sessions,
        credentials: Credentials,
        region: str,
        *,
        account: str = "",
        endpoint_url: str | None = None,
        registry: Callable[[], str] | None = None,
    ) -> None:
        self.region = region
        self.account = account
        self._registry = registry
        self._sessions = sessions
        self._credentials = credentials
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._facts: dict[object, Once[Any]] = {}
        self._principals = Once(lambda: PrincipalReader(self._client("iam")))

    def identity(self) -> Identity:
        """Who the credentials are."""
        who = IdentityReader(self._sessions, self._credentials, self._endpoint_url)
        return self._once("identity", lambda: who.identity(self.region), own=False)

    def principal(self, arn: str) -> Principal:
        """The user or role behind an identity's ARN or a role's, with all its policies."""
        return self._once(
            ("principal", arn), lambda: self._principals.get().read(arn), account=account_of(arn)
        )

    def quotas(self) -> PolicyQuotas:
        """The account's quotas on policies."""
        return self._once("quotas", lambda: policy_quotas(self._client("iam")))

    def organization(self, account: str) -> Organization:
        """The organisation's policies that apply to an account; refusals are kept in `unread`.

        Credentials of the management account can read those of its members.
        """

        def read() -> Organization:
            own = self.identity().account == account
            client = self._client("organizations")
            return organization.read_organization(client, account, own=own)

        return self._once(("organization", account), read, own=False)

    def simulate(self, principal: Principal, request: SimulationRequest) -> tuple[Permission, ...]:
        """IAM's simulation of each action on each resource."""
        return self._once(
            ("simulation", principal.arn, request.key),
            lambda: simulation.simulate(self._client("iam"), principal, request),
            account=principal.account,
        )

    def access_keys(self, principal: Principal, own_key_id: str = "") -> tuple[AccessKey, ...]:
        """The access keys of a user."""
        return self._once(
            ("keys", principal.arn, own_key_id),
            lambda: access_keys.access_keys(
                self._client("iam"), principal.name, own_key_id=own_key_id
            ),
            account=principal.account,
        )

    def has_console_password(self, principal: Principal) -> bool:
        """Whether a user has a password for the AWS console."""
        return self._once(
            ("password", principal.arn),
            lambda: access_keys.has_console_password(self._client("iam"), principal.name),
            account=principal.account,
        )

    def oidc_provider(self, arn: str) -> OidcProvider | None:
        """An OIDC identity provider of the account; None where it does not exist."""
        return self._once(
            ("provider", arn),
            lambda: access_keys.oidc_provider(self._client("iam"), arn),
            account=account_of(arn),
        )

    def oidc_providers(self) -> tuple[str, ...]:
        """The ARNs of all OIDC providers of the account."""
        return self._once(
            "providers", lambda: access_keys.oidc_providers(self._client("iam"), self.account)
        )

    def repository_policy(self, repository: str, region: str = "") -> PolicyDocument | None:
        """The repository's policy, None where it has none."""
        return self._ecr("policy", region, ecr_documents.repository_policy, repository)

    def registry_policy(self, region: str = "") -> PolicyDocument | None:
        """The registry's policy in a region, None where it has none."""
        return self._ecr("registry policy", region, ecr_documents.registry_policy)

    def registry_policy_scope(self, region: str = "") -> str:
        """`V1` or `V2`: which calls the registry's policy governs."""
        return self._ecr("registry scope", region, ecr_documents.registry_policy_scope)

    def lifecycle_policy(self, repository: str, region: str = "") -> LifecyclePolicy | None:
        """The repository's lifecycle policy, None where it has none."""
        return self._ecr("lifecycle", region, ecr_documents.lifecycle_policy, repository)

    def repository_tags(self, repository_arn: str, region: str = "") -> Mapping[str, str]:
        """The repository's tags, which policy conditions may use."""
        return self._ecr("tags", region, ecr_documents.repository_tags, repository_arn)

    def cache_rules(self, region: str = "") -> tuple[CacheRule, ...]:
        """The registry's pull-through cache rules."""
        return self._ecr("cache rules", region, ecr_documents.cache_rules)

    def creation_templates(self, region: str = "") -> tuple[CreationTemplate, ...]:
        """The registry's repository creation templates."""
        return self._ecr("templates", region, ecr_documents.creation_templates)

    def _ecr(self, what: str, region: str, read: Callable[..., T], *names: str) -> T:
        where = region or self.region

        def asked() -> T:
            account = self.account if self._registry is None else self._registry()
            registry = AskedRegistry(account, where)
            return read(self._client("ecr", where), registry, *names)

        return self._once((what, where, names), asked)

    def _client(self, service: str, region: str = "") -> Client:
        return self._sessions.client(
            self._credentials,
            service,
            region or self.region,
            self._endpoint_url,
            via=self.region,
        )

    def _once(
        self, key: object, read: Callable[[], T], *, account: str = "", own: bool = True
    ) -> T:
        def guarded() -> T:
            for each in (account, self.account) if own else ():
                self._require_account(each)
            return read()

        with self._lock:
            fact = self._facts.setdefault(key, Once(guarded))
        return cast("T", fact.get())

    def _require_account(self, account: str) -> None:
        own = self.identity().account if account else ""
        if own != account:
            raise ReadError(
                Failure(
                    Trouble.OTHER,
                    "iam",
                    "GetUser",
                    self.region,
                    code="OtherAccount",
                    message=f"not called: the auditor belongs to account {own}, not to {account}",
                )
            )
