"""Account files in a few words, and what a run over them said, feed by feed."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.run import Ran, project_with, run_checks

FOUR = (
    "ecr:GetAuthorizationToken",
    "ecr:DescribeRepositories",
    "ecr:DescribeImages",
    "ecr:ListImages",
)
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
READS = FOUR[1:]
ALL = (*FOUR, *PULL)

Statement = dict[str, Any]


def allow(actions: str | Iterable[str], on: str | list[str] = "*", **more: Any) -> Statement:
    """One statement in an account file's short form."""
    return {"allow": actions if isinstance(actions, str) else list(actions), "on": on, **more}


def deny(actions: str | Iterable[str], on: str | list[str] = "*", **more: Any) -> Statement:
    """The same, denying."""
    return {"deny": actions if isinstance(actions, str) else list(actions), "on": on, **more}


def toml(value: Any) -> str:
    """A value as TOML writes it inline."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def table(kind: str, **values: Any) -> str:
    """One `[[kind]]` table."""
    return f"[[{kind}]]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in values.items())


def repository(name: str, **more: Any) -> str:
    """A repository with one released image."""
    return table("repository", name=name, **{"images": [{"tags": ["3.1.0"]}], **more})


def user(
    name: str, *statements: Statement, key: Mapping[str, Any] | None = None, **more: Any
) -> str:
    """A user whose key has its name as label."""
    age = {} if key else {"age_days": 5, "used_days": 1}
    keys = [{"label": name, **age, **(key or {})}]
    return table("user", name=name, keys=keys, policies={"own": list(statements)}, **more)


def role(name: str, *statements: Statement, label: str = "", **more: Any) -> str:
    """A role; with `label`, one session of it."""
    keys = [{"label": label}] if label else []
    return table("role", name=name, keys=keys, policies={"own": list(statements)}, **more)


def feed(name: str, region: str, *packages: str, **more: Any) -> str:
    """A feed with the key that is labelled with its name, unless `credentials` says otherwise."""
    given = {"credentials": {"key": name}, **more}
    return table("feed", name=name, region=region, packages=packages or ("shop/cart",), **given)


def fault(caller: str, **more: Any) -> str:
    """A fault that one caller meets."""
    return table("fault", caller=caller, **more)


AUDIT = (
    *("iam:Get*", "iam:List*", "iam:SimulatePrincipalPolicy", "ecr:Get*", "ecr:Describe*"),
    *("ecr:List*", "organizations:Describe*", "organizations:List*"),
)


def auditor(*statements: Statement) -> str:
    """An auditor who may read all there is, or what the statements say."""
    given = statements or (allow(AUDIT),)
    return user("watcher", *given) + '[auditor]\nkey = "watcher"\n'


@dataclass(frozen=True)
class Said:
    """One finding, as far as a case asks."""

    outcome: str
    message: str
    found: str
    fix: str
    evidence: Mapping[str, Any]

    @property
    def text(self) -> str:
        """All that a person reads of it."""
        return f"{self.message} {self.found} {self.fix}"


@dataclass(frozen=True)
class Told:
    """What a run said, by feed, check and package."""

    ran: Ran

    def of(self, feed: str, check: str, package: str | None = None) -> Said:
        """One finding; the only one of its check on that feed where no package is named."""
        found = [
            each
            for each in self.ran.results["findings"]
            if (each["feed"], each["check"]) == (feed, check) and package in (None, each["package"])
        ]
        assert len(found) == 1, (feed, check, package, found)
        evidence = found[0]["evidence"]
        return Said(
            found[0]["outcome"],
            found[0]["message"],
            str(evidence.get("found") or ""),
            found[0]["fix"] or "",
            evidence,
        )

    def outcome(self, feed: str, check: str, package: str | None = None) -> str:
        """One finding's outcome word."""
        return self.of(feed, check, package).outcome

    def not_met(self, feed: str) -> set[str]:
        """The checks that are not met somewhere on a feed."""
        return self.checks(feed, "not met")

    def checks(self, feed: str, outcome: str) -> set[str]:
        """The checks of a feed that have an outcome somewhere."""
        found = self.ran.results["findings"]
        return {
            each["check"] for each in found if (each["feed"], each["outcome"]) == (feed, outcome)
        }


FAMILIES = ("region", "identity", "repositories", "permissions", "token", "docker", "key", "scope")


def once(factory: pytest.TempPathFactory, name: str, judge: Callable[[Path], Told]) -> Told:
    """The run of a module, made by whichever xdist worker needs it first and shared with all."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    kept = shared / f"field-{name}.pickle"
    with (shared / f"field-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(judge(factory.mktemp(name))))
        told = pickle.loads(kept.read_bytes())
    assert isinstance(told, Told)
    return told


def demo(
    tmp_path: Path,
    *parts: str,
    files: Mapping[str, str] | None = None,
    options: tuple[str, ...] = (),
    families: Iterable[str] = FAMILIES,
) -> Told:
    """Judge one embedded account by these families; `files` lie beside the account file."""
    head = [part for part in parts if not part.startswith("[")]
    rest = [part for part in parts if part.startswith("[")]
    text = "\n".join((*head, *rest))
    project = project_with(tmp_path, accounts={"case": text})
    for name, content in (files or {}).items():
        (project / "fixtures" / "accounts" / name).write_text(content, encoding="utf-8")
    target = [f"checks/test_{family}.py" for family in families]
    ran = run_checks(tmp_path, "--demo", "case", *options, root=project, target=target)
    assert ran.results, ran.text
    assert "Traceback" not in ran.text
    own = [each for each in ran.results["findings"] if "check itself" in each["message"]]
    assert own == []
    return Told(ran)
