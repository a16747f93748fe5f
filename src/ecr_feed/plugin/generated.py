"""Writes the generated parts of README.md: the table of checks and the auditor's policy.

`python -m ecr_feed.plugin.generated` writes them; a test fails where they are not up to date.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any, Final

from ecr_feed.check import CheckInfo
from ecr_feed.plugin.catalogue import SUITE, catalogue

README: Final = SUITE / "README.md"
FEED_READS: Final = frozenset(
    {
        "ecr:GetAuthorizationToken",
        "ecr:DescribeRepositories",
        "ecr:DescribeImages",
        "ecr:ListImages",
        "sts:GetCallerIdentity",  # needs no permission
    }
)
"""What is read with the feed's own credentials: the rules judge these calls."""


def table(checks: tuple[CheckInfo, ...]) -> str:
    """One row per check, in the catalogue's order."""
    rows = [
        f"| {info.id} | {info.severity.word} | {info.title} | {', '.join(info.reads) or '-'} |"
        for info in checks
    ]
    return "\n".join(["| ID | severity | what must be true | calls |", "|---|---|---|---|", *rows])


def auditor_policy(checks: tuple[CheckInfo, ...]) -> dict[str, Any]:
    """The auditor's IAM policy: every read of the rules that need it, nothing else."""
    actions = sorted({action for info in checks for action in info.reads} - FEED_READS)
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    }


def rendered(text: str) -> str:
    """The README with its generated parts as they must be now."""
    checks = catalogue()
    policy = json.dumps(auditor_policy(checks), indent=2)
    for name, content in (
        ("checks", table(checks)),
        ("auditor-policy", f"```json\n{policy}\n```"),
    ):
        part = re.compile(rf"(<!-- {name}: begin [^\n]*-->\n).*?(<!-- {name}: end -->)", re.DOTALL)
        text, replaced = part.subn(partial(_filled, content), text)
        if replaced != 1:
            raise ValueError(f"README.md has {replaced} parts named {name}, and needs one")
    return text


def _filled(content: str, found: re.Match[str]) -> str:
    return f"{found[1]}{content}\n{found[2]}"


if __name__ == "__main__":
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
