"""Whether a package ID is a legal ECR repository name; if not, why, and what may be meant.

Grammar and length: `RepositoryName` of Amazon ECR's API reference
(https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ecr_feed.naming.hosts import GALLERIES
from ecr_feed.naming.regions import partition_of

REPOSITORY_NAME: Final = re.compile(
    r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
)
SHORTEST: Final = 2
LONGEST: Final = 256

_VARIABLE = re.compile(r"#\{[^}]*\}?")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*://)[^/]*", re.IGNORECASE)
_ECR_HOST = re.compile(
    r"(?:[a-z]+://)?((?:[^/]*\.)?dkr[.-]ecr(?:-fips)?\.[^/]+)(?=/|\Z)", re.IGNORECASE
)
_ARN = re.compile(r"arn:[a-z0-9-]+:ecr:[^:]*:[^:]*:repository/")
_PORT = re.compile(r"([A-Za-z0-9.-]+:[0-9]{1,5})/")
_GALLERY = re.compile(
    rf"(?:[a-z]+://)?({'|'.join(map(re.escape, GALLERIES))})(?=/|:|\Z)", re.IGNORECASE
)
_DIGEST = re.compile(r"@[a-z0-9+._-]+:[0-9a-fA-F]*\Z")
_TAG = re.compile(r":[^/:]*\Z")
_FOREIGN = re.compile(r"[^a-z0-9._/-]")
_SEPARATOR_RUN = re.compile(r"[._-]+")
_JOINT = re.compile(r"\.|_|__|-+")


class NameProblem(StrEnum):
    """Why a package ID is not a repository name."""

    EMPTY = "empty"
    VARIABLE = "variable"  # an Octopus variable, whose value is known only in a deployment
    SPACE = "blank at an end"
    URL = "URL"
    ARN = "ARN"
    GALLERY = "public gallery"
    HOST = "registry host"
    DIGEST = "digest"
    TAG = "tag"
    SLASH = "slash at an end"
    LENGTH = "length"
    CASE = "capital letter"
    CHARACTER = "character"
    SEPARATOR = "separator"


@dataclass(frozen=True, slots=True)
class NameVerdict:
    """What was found of one package ID.

    `problem` completes a sentence, such as "capital letter 'T' at position 1 is not allowed";
    `position` counts characters from 1 where the problem has one place; `proposal` is a legal name
    that may be meant, for messages only.
    """

    legal: bool
    kind: NameProblem | None = None
    problem: str | None = None
    position: int | None = None
    proposal: str | None = None


def is_repository_name(text: str) -> bool:
    """Whether ECR itself accepts the name: grammar and length only."""
    return SHORTEST <= len(text) <= LONGEST and REPOSITORY_NAME.fullmatch(text) is not None


def judge_name(package_id: str) -> NameVerdict:
    """Judge a package ID as the full name of a repository in a private registry.

    The first problem found is reported. An ECR host in front is one even where the grammar allows
    it: Octopus itself puts the registry's host before the ID.
    """
    for rule in _RULES:
        found = rule(package_id)
        if found is not None:
            kind, problem, position = found
            return NameVerdict(False, kind, problem, position, _proposal(package_id, kind))
    return NameVerdict(True)


def other_registry(package_id: str) -> str | None:
    """The first segment where it looks like a registry's host (`ghcr.io/org/app`), else None.

    A hint for a repository that was not found: ECR allows such names, and mirrors have them.
    """
    first, slash, _ = package_id.partition("/")
    return first if slash and ("." in first.strip(".") or first == "localhost") else None


def repository_arn(account: str, region: str, name: str) -> str:
    """The ARN of a repository; `*` and patterns pass as they are."""
    return f"arn:{partition_of(region)}:ecr:{region}:{account}:repository/{name}"


def account_of(arn: str) -> str:
    """The account ID in an ARN; "" where the ARN names none, or the text is not an ARN."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) > 5 else ""


_Found = tuple[NameProblem, str, int | None] | None


def _empty(text: str) -> _Found:
    return None if text.strip() else (NameProblem.EMPTY, "it is empty", None)


def _variable(text: str) -> _Found:
    match = _VARIABLE.search(text)
    if match is None:
        return None
    problem = f"it contains the Octopus variable {match[0]}, known only in a deployment"
    return NameProblem.VARIABLE, problem, match.start() + 1


def _space(text: str) -> _Found:
    if text == text.strip():
        return None
    front = len(text) - len(text.lstrip())
    side, position = ("begins", 1) if front else ("ends", len(text.rstrip()) + 1)
    return NameProblem.SPACE, f"it {side} with {_show(text[position - 1])}", position


def _url(text: str) -> _Found:
    match = _SCHEME.match(text)
    if match is None:
        return None
    return NameProblem.URL, f"it is a URL ({match[1]}...), expected only the repository name", 1


def _gallery(text: str) -> _Found:
    match = _GALLERY.match(text)
    if match is None:
        return None
    problem = f"{match[1]} is the public gallery, not a private registry: it needs a Docker feed"
    return NameProblem.GALLERY, problem, 1


def _host(text: str) -> _Found:
    match = _ECR_HOST.match(text) or _PORT.match(text)
    if match is None:
        return None
    bare = _proposal(text, NameProblem.HOST)
    wanted = f"only {bare}" if bare else "only the repository name"
    return NameProblem.HOST, f"it contains the registry host {match[1]}, expected {wanted}", 1


def _arn(text: str) -> _Found:
    if _ARN.match(text) is None:
        return None
    return NameProblem.ARN, "it is an ARN, expected only the repository name", 1


def _digest(text: str) -> _Found:
    at = text.find("@")
    if at < 0 or _DIGEST.search(text) is None:
        return None
    return NameProblem.DIGEST, f"it contains a digest, {text[at:][:15]}...", at + 1


def _tag(text: str) -> _Found:
    match = _TAG.search(text)
    if match is None:
        return None
    return NameProblem.TAG, f"it contains the tag {match[0]}", match.start() + 1


def _slash(text: str) -> _Found:
    if text.startswith("/"):
        return NameProblem.SLASH, "it begins with a slash", 1
    if text.endswith("/"):
        return NameProblem.SLASH, "it ends with a slash", len(text)
    return None


def _characters(text: str) -> _Found:
    match = _FOREIGN.search(text)
    if match is None:
        return None
    position = match.start() + 1
    if re.fullmatch("[A-Z]", match[0]):
        problem = f"capital letter {match[0]!r} at position {position} is not allowed"
        return NameProblem.CASE, problem, position
    problem = f"character {_show(match[0])} at position {position} is not allowed"
    return NameProblem.CHARACTER, problem, position


def _separators(text: str) -> _Found:
    """One of `.`, `_`, `__`, `-...` separates letters or digits, one `/` separates segments."""
    for match in re.finditer(r"[._/-]+", text):
        run, position = match[0], match.start() + 1
        if match.start() == 0 or match.end() == len(text):
            side = "begins" if match.start() == 0 else "ends"
            return NameProblem.SEPARATOR, f"it {side} with {run!r}", position
        if run != "/" and _JOINT.fullmatch(run) is None:
            problem = f"separators {run!r} at position {position} may not follow each other"
            return NameProblem.SEPARATOR, problem, position
    return None


def _length(text: str) -> _Found:
    if SHORTEST <= len(text) <= LONGEST:
        return None
    count = f"{len(text)} character{'s' * (len(text) > 1)}"
    return NameProblem.LENGTH, f"it has {count}, allowed are {SHORTEST} to {LONGEST}", None


_RULES: tuple[Callable[[str], _Found], ...] = (
    *(_empty, _variable, _space, _gallery, _host, _url, _arn, _digest, _tag, _slash),
    *(_characters, _separators, _length),
)


def _proposal(text: str, kind: NameProblem) -> str | None:
    """The legal name nearest to a text, or None where none is obvious."""
    if kind in (NameProblem.VARIABLE, NameProblem.GALLERY):
        return None
    name = text.strip()
    if _GALLERY.match(name):
        return None
    host = _ECR_HOST.match(name) or _SCHEME.match(name) or _ARN.match(name) or _PORT.match(name)
    name = name[host.end() :] if host else name
    name = _TAG.sub("", _DIGEST.sub("", name)).strip().replace("\\", "/").lower()
    segments = (_SEPARATOR_RUN.sub(_single, part).strip("._-") for part in name.split("/"))
    proposal = "/".join(filter(None, segments))
    return proposal if is_repository_name(proposal) and proposal != text else None


def _single(run: re.Match[str]) -> str:
    return run[0] if _JOINT.fullmatch(run[0]) else run[0][0]


def _show(character: str) -> str:
    """A character, with its Unicode name where it may be mistaken for another."""
    if character.isascii() and character.isprintable():
        return repr(character)
    name = unicodedata.name(character, "control character")
    return f"U+{ord(character):04X} ({name.lower()})"
