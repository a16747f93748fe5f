"""What a plan says beside its documents: what it leaves open, and remarks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecr_feed.facts.iam import Effect, LeftOpen
from ecr_feed.iam import Decision, decide

_OPENS_A_DENIAL = (Effect.ANY, Effect.GRANTS)
_OPENS_A_GRANT = (Effect.ANY, Effect.LIMITS)


@dataclass(frozen=True, slots=True)
class PlanSays:
    """What is left open about the feed until the plan is applied; `remarks` change no answer."""

    left_open: tuple[LeftOpen, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def may_grant(self) -> LeftOpen | None:
        """An item that may grant something to the identity."""
        opens = (each for each in self.left_open if each.effect is Effect.ANY)
        return next((each for each in opens if not each.package), None)

    def doubt(self, package: str | None, *, allowed: bool, decision: Decision | None) -> str:
        """Why an answer about a package (None: the token, or the list) is open; "" if it is not.

        An explicit denial is never open.
        """
        effects = _OPENS_A_GRANT if allowed else _OPENS_A_DENIAL
        for each in self.left_open:
            if each.package in ("", package) and each.effect in effects:
                return f"Unknown until the plan is applied: {each.says}"
        if allowed and (decision is None or _rests_on_resource_policies(decision)):
            for each in self.left_open:
                if each.package in ("", package) and each.effect is Effect.REFUSED:
                    return f"Not proven by the plan: {each.says}."
        return ""


def _rests_on_resource_policies(decision: Decision) -> bool:
    """Without the repository's and the registry's policies, the answer would be another."""
    policies = replace(decision.policies, resource=None)
    return not decide(decision.request, policies).allowed
