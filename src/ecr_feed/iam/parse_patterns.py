"""Read Action and Resource elements: what they can match, and what AWS refuses in them.

`from_aws`: the document came from AWS. What AWS would refuse from a person then matches nothing,
or is read in both ways where AWS does not say what it means.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ecr_feed.iam.policy_rules import PolicyError, child
from ecr_feed.iam.reading import Reading, certain
from ecr_feed.iam.statement import Actions, Resources
from ecr_feed.iam.variables import has_unclosed_variable

_SERVICE = re.compile(r"\*|[A-Za-z0-9-]+")
_SERVICE_PATTERN = re.compile(r"[A-Za-z0-9*?-]+")
_NAME = re.compile(r"[A-Za-z0-9*?-]+")
_PARTITION = re.compile(r"\*|aws[a-z-]*")
_PARTITION_PATTERN = re.compile(r"[a-z*?-]+")
_WILD = re.compile(r"[*?]")


@lru_cache(maxsize=4096)
def read_actions(
    texts: tuple[str, ...], negated: bool, sts_only: bool, from_aws: bool
) -> Reading[Actions]:
    """An Action or NotAction element. Raises PolicyError with the index of the refused pattern."""
    if not texts and not from_aws:
        raise PolicyError("", "an empty list, expected at least one action")
    sound: list[str] = []
    doubtful: list[str] = []
    for index, text in enumerate(texts):
        refusal = _refused_action(text, sts_only=sts_only)
        if refusal is None:
            sound.append(text)
        elif not from_aws:
            raise PolicyError(child("", index), f"{text!r}, expected {refusal}")
        elif _has_doubtful_service(text):
            doubtful.append(text)
    if len(sound) == len(texts):
        return certain(Actions.of(texts, negated=negated))
    few = Actions.of(texts, negated=negated, patterns=tuple(sound))
    if not doubtful:
        return certain(few)
    many = Actions.of(texts, negated=negated, patterns=(*sound, *doubtful))
    doubt = f"how AWS reads the action {doubtful[0]!r} (a wildcard in its service)"
    return Reading(many, few, doubt) if negated else Reading(few, many, doubt)


def _refused_action(text: str, *, sts_only: bool) -> str | None:
    """What AWS expects instead of an action that it refuses."""
    if text == "*":
        return None
    service, colon, name = text.partition(":")
    if not colon:
        return '"*" or SERVICE:ACTION'
    if not _SERVICE.fullmatch(service):
        return "a whole service prefix (no wildcard within)"
    if not _NAME.fullmatch(name):
        return "one colon, then an action name"
    if sts_only and service.lower() not in ("sts", "*"):
        return "an sts action in a trust policy"
    return None


def _has_doubtful_service(text: str) -> bool:
    service, _, name = text.partition(":")
    return bool(
        _WILD.search(service) and _SERVICE_PATTERN.fullmatch(service) and _NAME.fullmatch(name)
    )


@lru_cache(maxsize=4096)
def read_resources(
    texts: tuple[str, ...], negated: bool, variables: bool, from_aws: bool
) -> Reading[Resources]:
    """A Resource or NotResource element. Raises PolicyError with the refused pattern's index."""
    if not texts and not from_aws:
        raise PolicyError("", "an empty list, expected at least one resource")
    sound: list[str] = []
    doubtful: list[str] = []
    for index, text in enumerate(texts):
        refusal = _refused_resource(text, variables=variables)
        if refusal is not None:
            if not from_aws:
                raise PolicyError(child("", index), f"{text!r}, {refusal}")
        elif _has_doubtful_partition(text):
            doubtful.append(text)
        else:
            sound.append(text)
    if len(sound) == len(texts):
        return certain(Resources.of(texts, negated=negated, variables=variables))
    few = Resources.of(texts, negated=negated, variables=variables, patterns=tuple(sound))
    if not doubtful:
        return certain(few)
    more = (*sound, *doubtful)
    many = Resources.of(texts, negated=negated, variables=variables, patterns=more)
    doubt = f"how AWS reads {doubtful[0]!r} (a wildcard within the partition)"
    return Reading(many, few, doubt) if negated else Reading(few, many, doubt)


def _refused_resource(text: str, *, variables: bool) -> str | None:
    """What AWS refuses in a resource, and what it expects."""
    if text == "*":
        return None
    parts = text.split(":", 3)
    if parts[0] != "arn" or len(parts) < 3:
        return 'expected an ARN or "*"'
    if not _PARTITION.fullmatch(parts[1]) and not _has_doubtful_partition(text):
        return "expected an AWS partition after arn:"
    if not parts[2]:
        return "expected a service after the partition"
    if _WILD.search(parts[2]):
        return "expected a whole service name after the partition (no wildcard)"
    if variables and has_unclosed_variable(text):
        return "expected a closing brace after ${"
    return None


def _has_doubtful_partition(text: str) -> bool:
    """Whether wildcards stand for a part of the partition; `*` for the whole is documented."""
    partition = text.split(":", 2)[1] if text.count(":") > 1 else "*"
    wild = partition != "*" and _WILD.search(partition) is not None
    return wild and _PARTITION_PATTERN.fullmatch(partition) is not None
