"""The smallest policies that grant exactly what is needed.

Size limits: IAM User Guide, "IAM and AWS STS quotas" (white space does not count).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ecr_feed.iam.actions import acts_on_resource, find
from ecr_feed.iam.patterns import covers
from ecr_feed.iam.policy_rules import SIZE_LIMITS
from ecr_feed.iam.quotas import used_size

Policy: TypeAlias = dict[str, object]
"""Policy JSON as `json.dumps` takes it."""

_VERSION = "2012-10-17"


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """One action on a resource ARN or pattern; the resource is ignored where an action has none."""

    action: str
    resource: str = "*"


@dataclass(frozen=True, slots=True, order=True)
class _Grant:
    """A statement to be written: every action on every resource."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def statement(self) -> Policy:
        return {
            "Effect": "Allow",
            "Action": _one_or_list(self.actions),
            "Resource": _one_or_list(self.resources),
        }


def smallest_policy(
    needs: Iterable[Need], *, limit: int = SIZE_LIMITS["managed policy"]
) -> list[Policy]:
    """Policy JSON that allows exactly the needs: merged, sorted, each within `limit` characters.

    Actions that act on no resource (`ecr:GetAuthorizationToken`) come first, on `*`, in a statement
    of their own. Several documents only where one would be too large; none for no needs. Raises
    ValueError if a single action on a single resource is larger than `limit`.
    """
    wanted = _wanted(needs)
    free = tuple(sorted(action for action, resources in wanted.items() if resources == {"*"}))
    scoped = {action: each for action, each in wanted.items() if each != {"*"}}
    grants = [_Grant(free, ("*",))] if free else []
    by_action, by_resource = _by_action(scoped), _by_resource(scoped)
    grants += min((by_action, by_resource), key=_size)
    return [_document(each) for each in _packed(grants, limit)]


def smallest_repository_policy(actions: Iterable[str], principals: Iterable[str]) -> Policy:
    """The repository policy that lets `principals` (ARNs or account numbers) do `actions`.

    Actions that act on no repository are left out: a repository policy cannot grant them.
    """
    kept = sorted({_spelled(each) for each in actions if acts_on_resource(each.lower())})
    return {
        "Version": _VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": _one_or_list(sorted(set(principals)))},
                "Action": _one_or_list(kept),
            }
        ],
    }


def _wanted(needs: Iterable[Need]) -> dict[str, set[str]]:
    """Resources by action, without those that a wider one of the same action covers."""
    asked: dict[str, set[str]] = {}
    for need in needs:
        resource = need.resource if acts_on_resource(need.action.lower()) else "*"
        asked.setdefault(_spelled(need.action), set()).add(resource)
    return {action: _widest(resources) for action, resources in asked.items()}


def _widest(resources: set[str]) -> set[str]:
    patterns = [each for each in resources if "*" in each or "?" in each]
    return {
        each
        for each in resources
        if not any(pattern != each and covers(pattern, each) for pattern in patterns)
    }


def _spelled(action: str) -> str:
    """The action in AWS's spelling; as given where AWS does not list it."""
    found = find(action)
    return action if found is None else found.full_name


def _by_action(wanted: Mapping[str, set[str]]) -> list[_Grant]:
    """Actions that share their resources go together."""
    together: dict[tuple[str, ...], list[str]] = {}
    for action in sorted(wanted):
        together.setdefault(tuple(sorted(wanted[action])), []).append(action)
    return sorted(_Grant(tuple(actions), resources) for resources, actions in together.items())


def _by_resource(wanted: Mapping[str, set[str]]) -> list[_Grant]:
    """Resources that share their actions go together."""
    actions: dict[str, list[str]] = {}
    for action in sorted(wanted):
        for resource in wanted[action]:
            actions.setdefault(resource, []).append(action)
    together: dict[tuple[str, ...], list[str]] = {}
    for resource in sorted(actions):
        together.setdefault(tuple(actions[resource]), []).append(resource)
    return sorted(_Grant(each, tuple(resources)) for each, resources in together.items())


def _size(grants: Iterable[_Grant]) -> int:
    return used_size(_document(grants))


def _document(grants: Iterable[_Grant]) -> Policy:
    return {"Version": _VERSION, "Statement": [grant.statement() for grant in grants]}


def _packed(grants: Iterable[_Grant], limit: int) -> list[list[_Grant]]:
    """Grants by document, filled in order; a grant too large for the space left is split."""
    documents: list[list[_Grant]] = [[]]
    pending = list(reversed(list(grants)))
    while pending:
        grant = pending.pop()
        current = documents[-1]
        count = _fitting(current, grant, limit)
        if count:
            current.append(_Grant(grant.actions, grant.resources[:count]))
            if count < len(grant.resources):
                pending.append(_Grant(grant.actions, grant.resources[count:]))
        elif current:
            documents.append([])
            pending.append(grant)
        elif len(grant.actions) > 1:
            half = len(grant.actions) // 2
            pending.append(_Grant(grant.actions[half:], grant.resources))
            pending.append(_Grant(grant.actions[:half], grant.resources))
        else:
            raise ValueError(f"{grant.actions[0]} on {grant.resources[0]}: over {limit} characters")
    return [document for document in documents if document]


def _fitting(current: Sequence[_Grant], grant: _Grant, limit: int) -> int:
    """How many of the grant's resources fit beside `current`."""
    return bisect_right(
        range(1, len(grant.resources) + 1),
        limit,
        key=lambda count: _size([*current, _Grant(grant.actions, grant.resources[:count])]),
    )


def _one_or_list(texts: Sequence[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else list(texts)
