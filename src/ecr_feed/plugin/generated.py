"""Writes what is generated of the documentation: parts of README.md, and docs/checks.md.

A tool for developers: `python -m ecr_feed.plugin.generated`. A test fails where the files are not
up to date.
"""

from __future__ import annotations

import json
import re
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final

from ecr_feed.check import CheckInfo
from ecr_feed.plugin.catalogue import SUITE, catalogue
from ecr_feed.plugin.option_table import OPTIONS, Option
from ecr_feed.plugin.policy_files import auditor_policy, auditor_reads
from ecr_feed.report.groups import is_command

README: Final = SUITE / "README.md"
CHECKS_PAGE: Final = SUITE / "docs" / "checks.md"
IAM_READS: Final = "auditor's IAM reads"
_IAM_SERVICES: Final = ("iam:", "organizations:")
_PLACE: Final = re.compile(r"\{([a-z_]+)(?:\.([a-z_]+))?(?:![a-z])?(?::[a-z]+)?\}")
_COMMAND: Final = "python -m ecr_feed.plugin.generated"


def files() -> dict[Path, str]:
    """Each generated file and the text that it must have now."""
    checks = catalogue()
    return {README: readme(README.read_text("utf-8"), checks), CHECKS_PAGE: checks_page(checks)}


def readme(text: str, checks: tuple[CheckInfo, ...]) -> str:
    """README.md with its generated parts. Raises ValueError where it lacks the marks of one."""
    policy = json.dumps(auditor_policy(checks), indent=2)
    for name, content in (
        ("options", options_table(OPTIONS)),
        ("checks", checks_table(checks)),
        ("auditor-policy", f"```json\n{policy}\n```"),
    ):
        part = re.compile(rf"(<!-- {name}: begin [^\n]*-->\n).*?(<!-- {name}: end -->)", re.DOTALL)
        text, replaced = part.subn(partial(_filled, content), text)
        if replaced != 1:
            raise ValueError(f"README.md has {replaced} parts named {name}, and needs one")
    return text


def options_table(options: tuple[Option, ...]) -> str:
    """One row for each option, in the order of `--help`."""
    rows = [f"| `{_usage(option)}` | {option.help} |" for option in options]
    return "\n".join(["| option | what it does |", "|---|---|", *rows])


def checks_table(checks: tuple[CheckInfo, ...]) -> str:
    """One row for each check, in the catalogue's order."""
    rows = [
        f"| {info.id} | {info.severity.word} | {info.title} | {', '.join(_reads(info)) or '-'} |"
        for info in checks
    ]
    return "\n".join(["| ID | severity | what must be true | calls |", "|---|---|---|---|", *rows])


def checks_page(checks: tuple[CheckInfo, ...]) -> str:
    """docs/checks.md: all that a check's metadata says, one chapter for each family."""
    lines = [
        "# The checks",
        "",
        f"<!-- written by `{_COMMAND}` -->",
        "",
        "For each check: why it matters, the usual fix, the calls it rests on, references. Names",
        "in capitals (`PACKAGE`, `REGION`) stand for a feed's own: a finding's fix has them filled",
        "in, and is often more precise.",
    ]
    for family, members in groupby(checks, lambda info: info.family):
        lines += ["", f"## {family}"]
        for info in members:
            lines += _chapter(info)
    return "\n".join([*lines, ""])


def _chapter(info: CheckInfo) -> list[str]:
    fix = _PLACE.sub(_placeholder, info.fix)
    auditors = [f"`{action}`" for action in auditor_reads(info)]
    feeds = [f"`{action}`" for action in info.reads if action not in auditor_reads(info)]
    calls = [
        *([f"the feed: {', '.join(feeds)}"] if feeds else []),
        *([f"the auditor: {', '.join(auditors)}"] if auditors else []),
    ]
    subject = "package" if info.per_package else "feed"
    return [
        "",
        f"### {info.id}: {info.title}",
        "",
        f"Severity {info.severity.word}; one finding for each {subject}. {info.why}",
        "",
        *([f"```console\n{fix}\n```"] if is_command(fix) else [f"Fix: {fix}"]),
        "",
        f"- Calls: {'; '.join(calls) or 'none'}",
        *(f"- <{ref}>" for ref in info.refs),
    ]


def _reads(info: CheckInfo) -> list[str]:
    """The calls of one row: the auditor's reads of IAM as one, as they are up to 22."""
    if not any(action.startswith(_IAM_SERVICES) for action in info.reads):
        return list(info.reads)
    return [*(action for action in info.reads if action not in auditor_reads(info)), IAM_READS]


def _placeholder(found: re.Match[str]) -> str:
    """`PACKAGE` for `{package!q}`, `REGION` for `{feed.region}`."""
    return (found[2] or found[1]).upper()


def _usage(option: Option) -> str:
    """`--feeds FILE`; the bars of choices are escaped for a table."""
    value = (option.metavar or "|".join(option.choices)).replace("|", "\\|")
    return f"{option.flag} {value}".rstrip()


def _filled(content: str, found: re.Match[str]) -> str:
    return f"{found[1]}{content}\n{found[2]}"


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
