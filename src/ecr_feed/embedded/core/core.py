"""The embedded account's core: one HTTP request in, one answer out, in the order AWS works.

Parse, fault hook, authenticate, validate, authorise, answer (or have moto answer), page.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Final

from ecr_feed.embedded.core import faults as fault_hook
from ecr_feed.embedded.core.faults import Asked, Faults
from ecr_feed.embedded.core.organization import Organization, answer_account
from ecr_feed.embedded.core.regions import partition_of
from ecr_feed.embedded.core.world import Clock, World, utc_now
from ecr_feed.embedded.ecr import HANDLERS, Context
from ecr_feed.embedded.ecr.state import Registry
from ecr_feed.embedded.iam import operations, simulate
from ecr_feed.embedded.iam.documents import check_written
from ecr_feed.embedded.iam.operations import IamCall
from ecr_feed.embedded.identity.authorise import Guard, denied
from ecr_feed.embedded.identity.callers import ANONYMOUS, Caller, unknown_key, verify
from ecr_feed.embedded.identity.context import on_repository
from ecr_feed.embedded.identity.sts import StsCall, answer_sts
from ecr_feed.embedded.identity.tokens import TokenHolder
from ecr_feed.embedded.protocol.protocol import Call, answer, parse, read_params, refuse
from ecr_feed.embedded.protocol.validate import Pager, validate
from ecr_feed.embedded.protocol.wire import ConnectionFault, ServiceError, WireRequest, WireResponse

_log = logging.getLogger(__name__)
_UNSIGNED = frozenset({"AssumeRoleWithWebIdentity"})


class Core:
    """One AWS-like world in this process; it makes no call, opens no port and starts no thread.

    `handle` is all that the doors use. `clock` is AWS's time as a callable; `advance` moves it.
    """

    def __init__(self, partition: str = "aws", clock: Callable[[], datetime] = utc_now) -> None:
        self.world = World(partition, Clock(clock))
        self.faults = Faults()
        self.guard = Guard.of(self.world)
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
        """Let time pass; signatures made with the machine's clock stay good."""
        self.world.clock.advance(step)

    def registry(self, account: str, region: str) -> Registry:
        """The private registry of an account in a region: the same state that the API shows."""
        return self.world.registries.get(account, region)

    def token_caller(self, password: str) -> TokenHolder | None:
        """Whose authorization token a password is, expired or not; None where it is nobody's."""
        return self.world.tokens.holder(password)

    def permit(self, holder: TokenHolder, operation: str, repository: str | None = None) -> None:
        """Raise AccessDeniedException unless a token's holder may, now; None asks for any."""
        registry = self.registry(holder.account, holder.region)
        action = f"ecr:{operation}"
        deed = on_repository(registry, action, "*" if repository is None else repository)
        with self._lock:
            denial = self.guard.denial(deed, holder.caller, holder.region)
        if denial is not None:
            raise denied("ecr", holder.caller, deed, denial)

    def call_as(
        self, holder: TokenHolder, operation: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """An ECR operation in the name of a token's holder, unpaged. Raises ServiceError."""
        self.permit(holder, operation, params.get("repositoryName"))
        with self._lock:
            world = self.world
            ctx = Context(world.registries, world.tokens, holder.caller, holder.region, self.now())
            return HANDLERS[operation](ctx, {**params, "registryId": holder.account})

    def handle(self, request: WireRequest) -> WireResponse:
        """Answer a request. Raises ConnectionFault alone: a fault says that no answer comes."""
        service = "ecr"
        try:
            call = parse(request)
            service = call.service
            read_params(call)
            return self._faulty(call)
        except ServiceError as error:
            return refuse(service, error, self.now())
        except ConnectionFault:
            raise
        except Exception as error:  # noqa: BLE001 - a server has no other way to say that it broke
            _log.exception("the embedded account broke")
            code = "InternalFailure" if service in ("iam", "sts") else "ServerException"
            return refuse(service, ServiceError(code, type(error).__name__, 500), self.now())

    def _faulty(self, call: Call) -> WireResponse:
        fault = self.faults.take(self._asked(call))
        if fault is None:
            return self._true(call)
        if fault.connection:
            raise ConnectionFault(fault.connection)
        if fault.code:
            raise fault_hook.error_of(fault, call.service)
        if fault.body is not None:
            return fault_hook.body_of(fault)
        return fault_hook.cut(fault, self._true(call))

    def _asked(self, call: Call) -> Asked:
        names = call.params.get("repositoryNames") or [call.params.get("repositoryName", "")]
        callers = self.world.names_behind(call.scope.key_id) if call.scope else ()
        repositories = tuple(str(name) for name in names if name)
        return Asked(call.service, call.operation, call.region, repositories, callers)

    def _true(self, call: Call) -> WireResponse:
        with self._lock:
            caller = self._authenticated(call)
            validate(call)
            self.guard.check(call, caller)
            page = self._pager.resume(call)
            if page is None:
                page = self._pager.first(call, self._answered(call, caller))
            return answer(call, page, self.now())

    def _authenticated(self, call: Call) -> Caller:
        self._check_region(call)
        if call.scope is None and call.operation in _UNSIGNED:
            return ANONYMOUS
        clock = self.world.clock
        verify(self.world.keys, call, clock.now(), clock.signing_now())
        if call.scope is None:
            return ANONYMOUS
        return self.world.caller(call.scope.key_id, call.service)

    def _check_region(self, call: Call) -> None:
        """A region that is off, or another partition's, does not know the account's keys."""
        if not partition_of(call.region):
            text = "Credential should be scoped to a valid region."
            if call.service in ("iam", "sts"):
                raise ServiceError("SignatureDoesNotMatch", text, 403)
            raise ServiceError("InvalidSignatureException", text)
        if call.service in ("ecr", "sts") and not self.world.regions.enabled(call.region):
            if call.operation == "AssumeRoleWithWebIdentity":
                text = f"STS is not activated in this region for account: {call.region}"
                raise ServiceError("RegionDisabledException", text, 403)
            raise unknown_key(call.service)

    def _answered(self, call: Call, caller: Caller) -> dict[str, object]:
        if call.service == "iam":
            return _answer_iam(IamCall(self.world, caller, call))
        if call.service == "sts":
            return answer_sts(StsCall(self.world, caller, call))
        if call.service == "account":
            return answer_account(self.world.regions, call)
        if call.service == "organizations":
            above = Organization(self.world.environment, caller.account)
            return above.answer(call.operation, call.params)
        handler = HANDLERS.get(call.operation)
        if handler is None:
            text = f"The embedded account does not stand in for ecr:{call.operation}."
            raise ServiceError("UnknownOperationException", text)
        world = self.world
        ctx = Context(world.registries, world.tokens, caller, call.region, self.now())
        return handler(ctx, call.params)


_IAM: Final = {
    **operations.HANDLERS,
    "SimulatePrincipalPolicy": simulate.simulate_principal,
    "SimulateCustomPolicy": simulate.simulate_custom,
}


def _answer_iam(asked: IamCall) -> operations.Answer:
    """The whole answer of an IAM call; pages are cut later."""
    check_written(asked.call.operation, asked.params)
    handler = _IAM.get(asked.call.operation, operations.forward)
    return handler(asked)
