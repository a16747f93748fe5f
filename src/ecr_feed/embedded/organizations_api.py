"""The reads of AWS Organizations and Account Management that an auditor uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from ecr_feed.embedded.protocol.operation_calls import ApiCall
from ecr_feed.embedded.protocol.wire import Result, ServiceError
from ecr_feed.embedded.world import RCP, SCP, AccountRegions, Environment


def answer_account(regions: AccountRegions, call: ApiCall) -> dict[str, Any]:
    """GetRegionOptStatus; every other operation is a ValidationException."""
    if call.operation == "GetRegionOptStatus":
        name = call.params["RegionName"]
        if name not in regions.all():
            raise ServiceError("ValidationException", f"Region Name {name} is invalid.")
        return {"RegionName": name, "RegionOptStatus": regions.status(name)}
    text = f"The embedded account does not implement account:{call.operation}."
    raise ServiceError("ValidationException", text)


_ROOT: Final = "r-exmp"
_FULL: Final = {
    SCP: (
        "FullAWSAccess",
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    ),
    RCP: (
        "RCPFullAWSAccess",
        (
            '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",'
            '"Action":"*","Resource":"*"}]}'
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class OrganizationsApi:
    """The organisation of one account: level 0 is the root, each next level a unit below it."""

    environment: Environment
    account: str

    def answer(self, operation: str, params: Mapping[str, Any]) -> Result:
        """One read; AWSOrganizationsNotInUseException where the account is in no organisation."""
        if not self._in_one:
            text = "Your account is not a member of an organization."
            raise ServiceError("AWSOrganizationsNotInUseException", text)
        if operation != "DescribeOrganization" and not self.environment.delegated:
            text = "You don't have permissions to access this resource."
            raise ServiceError("AccessDeniedException", text)
        handler = {
            "DescribeOrganization": self._describe,
            "ListRoots": self._roots,
            "ListParents": self._parents,
            "ListPoliciesForTarget": self._policies,
            "DescribePolicy": self._policy,
        }.get(operation)
        if handler is None:
            text = f"The embedded account does not implement organizations:{operation}."
            raise ServiceError("UnsupportedAPIEndpointException", text)
        made: Callable[[Mapping[str, Any]], Result] = handler
        return made(params)

    @property
    def _in_one(self) -> bool:
        found = self.environment
        return bool(found.organization or found.scps is not None or found.rcps is not None)

    @property
    def _id(self) -> str:
        return self.environment.organization or "o-exampleorgid"

    @property
    def _units(self) -> list[str]:
        """The targets from the root down to the account's unit."""
        found = self.environment
        depth = max(len(found.scps or ()), len(found.rcps or ()), 1)
        return [_ROOT, *(f"ou-exmp-level{n:03d}" for n in range(1, depth))]

    def _describe(self, params: Mapping[str, Any]) -> Result:
        management = "999999999999"
        stem = f"arn:aws:organizations::{management}"
        return {
            "Organization": {
                "Id": self._id,
                "Arn": f"{stem}:organization/{self._id}",
                "FeatureSet": "ALL",
                "MasterAccountArn": f"{stem}:account/{self._id}/{management}",
                "MasterAccountId": management,
                "MasterAccountEmail": "management@example.com",
                "AvailablePolicyTypes": [],
            }
        }

    def _roots(self, params: Mapping[str, Any]) -> Result:
        stem = f"arn:aws:organizations::999999999999:root/{self._id}/{_ROOT}"
        types = [{"Type": kind, "Status": status} for kind, status in self._types.items()]
        return {"Roots": [{"Id": _ROOT, "Arn": stem, "Name": "Root", "PolicyTypes": types}]}

    @property
    def _types(self) -> Mapping[str, str]:
        return self.environment.policy_types

    def _parents(self, params: Mapping[str, Any]) -> Result:
        chain = [*self._units, self.account]
        child = params["ChildId"]
        if child not in chain[1:]:
            raise ServiceError("ChildNotFoundException", f"You specified no child: {child}")
        parent = chain[chain.index(child) - 1]
        kind = "ROOT" if parent == _ROOT else "ORGANIZATIONAL_UNIT"
        return {"Parents": [{"Id": parent, "Type": kind}]}

    def _policies(self, params: Mapping[str, Any]) -> Result:
        target, kind = params["TargetId"], params["Filter"]
        if target not in (*self._units, self.account):
            raise ServiceError("TargetNotFoundException", f"You specified no target: {target}")
        return {"Policies": [self._summary(kind, *each) for each in self._at(target, kind)]}

    def _at(self, target: str, kind: str) -> list[tuple[str, str]]:
        """Name and text of each policy on a target; AWS's full-access policy if there is none."""
        found = self.environment
        levels = {SCP: found.scps, RCP: found.rcps}
        if kind not in self._types:
            return []  # a type that is off has nothing attached
        configured = levels[kind] or ()
        level = self._units.index(target) if target in self._units else len(configured)
        if level >= len(configured):
            return [_FULL[kind]]
        short = "scp" if kind == SCP else "rcp"
        return [(f"{short}-{level}-{n}", text) for n, text in enumerate(configured[level])]

    def _summary(self, kind: str, name: str, text: str) -> Result:
        managed = (name, text) == _FULL[kind]
        policy_id = _policy_id(name, text)
        owner = "aws:policy" if managed else f"999999999999:policy/{self._id}"
        return {
            "Id": policy_id,
            "Arn": f"arn:aws:organizations::{owner}/{kind.lower()}/{policy_id}",
            "Name": name,
            "Type": kind,
            "AwsManaged": managed,
        }

    def _policy(self, params: Mapping[str, Any]) -> Result:
        for kind in _FULL:
            for target in (*self._units, self.account):
                for name, text in self._at(target, kind):
                    if _policy_id(name, text) == params["PolicyId"]:
                        summary = self._summary(kind, name, text)
                        return {"Policy": {"PolicySummary": summary, "Content": text}}
        text = f"We can't find a policy with the PolicyId {params['PolicyId']}."
        raise ServiceError("PolicyNotFoundException", text)


def _policy_id(name: str, text: str) -> str:
    if (name, text) in _FULL.values():
        return f"p-{name}"
    return f"p-{sha256(f'{name} {text}'.encode()).hexdigest()[:10]}"
