"""The embedded AWS: one HTTP request in, one HTTP answer out, processed in AWS's order.

Parse, faults, authenticate, validate parameters, authorise, answer (or have moto answer), page.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Final

from ecr_feed.embedded import faults as fault_hook
from ecr_feed.embedded.ecr import HANDLERS, EcrCall
from ecr_feed.embedded.ecr.registry_state import StoredRegistry
from ecr_feed.embedded.faults import CalledOperation, Faults
from ecr_feed.embedded.iam import iam_api, policy_simulator
from ecr_feed.embedded.iam.iam_api import IamCall, check_stored_policy
from ecr_feed.embedded.iam.quota_checks import account_summary, check_quotas
from ecr_feed.embedded.identity.authorise import Authoriser, denied
from ecr_feed.embedded.identity.callers import (
    ANONYMOUS,
    ApiCaller,
    TokenHolder,
    unknown_key,
    verify,
)
from ecr_feed.embedded.identity.required_permissions import on_repository
from ecr_feed.embedded.identity.sts_api import answer_sts
from ecr_feed.embedded.organizations_api import OrganizationsApi, answer_account
from ecr_feed.embedded.protocol.botocore_data import known_partition
from ecr_feed.embedded.protocol.operation_calls import ApiCall, answer, parse, read_params, refuse
from ecr_feed.embedded.protocol.validate import Pager, validate
from ecr_feed.embedded.protocol.wire import (
    ConnectionFault,
    Result,
    ServiceError,
    WireRequest,
    WireResponse,
)
from ecr_feed.embedded.world import AuthenticatedCall, Clock, World, utc_now

_log = logging.getLogger(__name__)
_UNSIGNED = frozenset({"AssumeRoleWithWebIdentity"})


class EmbeddedAws:
    """One simulated AWS in this process; it makes no call, opens no port and starts no thread.

    Every entry point (botocore, HTTP, the registry) calls `handle`. `clock` returns AWS's time;
    `advance` moves it.
    """

    def __init__(self, partition: str = "aws", clock: Callable[[], datetime] = utc_now) -> None:
        self.world = World(partition, Clock(clock))
        self.faults = Faults()
        self.authoriser = Authoriser.of(self.world)
        self._pager = Pager()
        self._lock = RLock()

    @property
    def root_secret(self) -> str:
        """The secret of every account's root; its key ID is the account's 12 digits."""
        return self.world.keys.root_secret

    def now(self) -> datetime:
        """AWS's time."""
        return self.world.clock.now()

    def advance(self, step: timedelta) -> None:
        """Let time pass; signatures made with this machine's clock stay valid."""
        self.world.clock.advance(step)

    def registry(self, account: str, region: str) -> StoredRegistry:
        """The private registry of an account in a region: the same state that the API shows."""
        return self.world.registries.get(account, region)

    def token_caller(self, password: str) -> TokenHolder | None:
        """Whose authorization token a password is, expired or not; None if it was never issued."""
        return self.world.tokens.holder(password)

    def permit(self, holder: TokenHolder, operation: str, repository: str | None = None) -> None:
        """Raise AccessDeniedException unless a token's holder may do it now.

        `repository` None: on any repository.
        """
        registry = self.registry(holder.account, holder.region)
        action = f"ecr:{operation}"
        permission = on_repository(registry, action, "*" if repository is None else repository)
        with self._lock:
            denial = self.authoriser.denial(permission, holder.caller, holder.region)
        if denial is not None:
            raise denied("ecr", holder.caller, permission, denial)

    def call_as(
        self, holder: TokenHolder, operation: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """An ECR operation as a token's holder, unpaged. Raises ServiceError."""
        self.permit(holder, operation, params.get("repositoryName"))
        with self._lock:
            world = self.world
            ecr_call = EcrCall(
                world.registries, world.tokens, holder.caller, holder.region, self.now()
            )
            return HANDLERS[operation](ecr_call, {**params, "registryId": holder.account})

    def handle(self, request: WireRequest) -> WireResponse:
        """Answer a request. Raises only ConnectionFault, for a fault without any answer."""
        service = "ecr"
        try:
            call = parse(request)
            service = call.service
            read_params(call)
            return self._with_faults(call)
        except ServiceError as error:
            return refuse(service, error, self.now())
        except ConnectionFault:
            raise
        except Exception as error:  # noqa: BLE001 - a server answers 500 to any failure
            _log.exception("the embedded account failed")
            code = "InternalFailure" if service in ("iam", "sts") else "ServerException"
            return refuse(service, ServiceError(code, type(error).__name__, 500), self.now())

    def _with_faults(self, call: ApiCall) -> WireResponse:
        fault = self.faults.take(self._operation(call))
        if fault is None:
            return self._without_faults(call)
        if fault.connection:
            raise ConnectionFault(fault.connection)
        if fault.code:
            raise fault_hook.error_of(fault, call.service)
        if fault.body is not None:
            return fault_hook.body_of(fault)
        return fault_hook.cut(fault, self._without_faults(call))

    def _operation(self, call: ApiCall) -> CalledOperation:
        names = call.params.get("repositoryNames") or [call.params.get("repositoryName", "")]
        callers = self.world.names_behind(call.scope.key_id) if call.scope else ()
        repositories = tuple(str(name) for name in names if name)
        return CalledOperation(call.service, call.operation, call.region, repositories, callers)

    def _without_faults(self, call: ApiCall) -> WireResponse:
        with self._lock:
            caller = self._authenticated(call)
            validate(call)
            self.authoriser.check(call, caller)
            page = self._pager.resume(call)
            if page is None:
                page = self._pager.first(call, self._answered(call, caller))
            return answer(call, page, self.now())

    def _authenticated(self, call: ApiCall) -> ApiCaller:
        self._check_region(call)
        if call.scope is None and call.operation in _UNSIGNED:
            return ANONYMOUS
        clock = self.world.clock
        verify(self.world.keys, call, clock.now(), clock.signing_now())
        if call.scope is None:
            return ANONYMOUS
        return self.world.caller(call.scope.key_id, call.service)

    def _check_region(self, call: ApiCall) -> None:
        """Raise AWS's error for a disabled region and for one of another partition."""
        if not known_partition(call.region):
            text = "Credential should be scoped to a valid region."
            if call.service in ("iam", "sts"):
                raise ServiceError("SignatureDoesNotMatch", text, 403)
            raise ServiceError("InvalidSignatureException", text)
        if call.service in ("ecr", "sts") and not self.world.regions.enabled(call.region):
            if call.operation == "AssumeRoleWithWebIdentity":
                text = f"STS is not activated in this region for account: {call.region}"
                raise ServiceError("RegionDisabledException", text, 403)
            raise unknown_key(call.service)

    def _answered(self, call: ApiCall, caller: ApiCaller) -> Result:
        if call.service == "iam":
            return _answer_iam(IamCall(self.world, caller, call))
        if call.service == "sts":
            return answer_sts(AuthenticatedCall(self.world, caller, call))
        if call.service == "account":
            return answer_account(self.world.regions, call)
        if call.service == "organizations":
            above = OrganizationsApi(self.world.environment, caller.account)
            return above.answer(call.operation, call.params)
        handler = HANDLERS.get(call.operation)
        if handler is None:
            text = f"The embedded account does not implement ecr:{call.operation}."
            raise ServiceError("UnknownOperationException", text)
        world = self.world
        ecr_call = EcrCall(world.registries, world.tokens, caller, call.region, self.now())
        return handler(ecr_call, call.params)


_IAM: Final = {
    **iam_api.HANDLERS,
    "GetAccountSummary": account_summary,
    "SimulatePrincipalPolicy": policy_simulator.simulate_principal,
}


def _answer_iam(call: IamCall) -> Result:
    """The complete answer of an IAM call; it is cut into pages later."""
    check_stored_policy(call.api_call.operation, call.params)
    check_quotas(call)
    handler = _IAM.get(call.api_call.operation, iam_api.forward)
    return handler(call)
