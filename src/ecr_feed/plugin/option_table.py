"""The options of `pytest checks/`, each written once.

`--help`, the command line in reports, the suggestion for a misspelt option, the refusal of options
that a run does not use and the table in README.md are made from `OPTIONS`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from ecr_feed.findings import Severity
from ecr_feed.planned.attachment import WAYS
from ecr_feed.planned.inputs import Planned
from ecr_feed.report.services import FORMATS


@dataclass(frozen=True, slots=True)
class Option:
    """One option. It takes one value, which `metavar` or `choices` describe, or none (a switch).

    `field` is where `CommandLine` or its `planned` keeps the value. `in_reports` is False for an
    option that reports do not show.
    """

    flag: str
    field: str
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    default: str | None = None
    repeats: bool = False
    in_reports: bool = True

    @property
    def switch(self) -> bool:
        """It takes no value."""
        return not self.metavar and not self.choices

    @property
    def dest(self) -> str:
        """The attribute of pytest's `config.option` that holds the value."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def attributes(self) -> dict[str, Any]:
        """The keyword arguments of pytest's `addoption`."""
        if self.switch:
            return {"action": "store_true", "help": self.help}
        return {
            "help": self.help,
            "action": "append" if self.repeats else "store",
            "default": self.default,
            **({"choices": self.choices} if self.choices else {"metavar": self.metavar}),
        }

    def is_given(self, value: object) -> bool:
        """Whether this value, as pytest parsed it, is another than without the option."""
        return value not in (None, False, self.default)

    def parsed(self, value: Any) -> Any:
        """Pytest's value as `CommandLine` keeps it: a tuple where the option repeats."""
        return tuple(value or ()) if self.repeats else value


_SEVERITIES: Final = tuple(severity.word for severity in reversed(Severity))

OPTIONS: Final = (
    Option(
        "--feeds",
        "feeds",
        "judge the feeds of this file; paths in it are relative to the file's folder",
        metavar="FILE",
    ),
    Option("--aws-region", "region", "judge one feed without a file, in this region", metavar="R"),
    Option(
        "--package",
        "packages",
        "a package ID of that feed; can be repeated",
        metavar="ID",
        repeats=True,
    ),
    Option(
        "--account",
        "account",
        "the 12 digits of the account that this feed, or a plan's feed, is meant to be in",
        metavar="ID",
    ),
    Option("--aws-profile", "profile", "the AWS profile of that feed", metavar="P"),
    Option(
        "--pulls",
        "pulls",
        "deployment targets pull with the feed's credentials: also ask about PERM-5 and PERM-6",
    ),
    Option(
        "--demo",
        "demo",
        "judge an embedded account (default: healthy, where no feeds are given)",
        metavar="NAME",
    ),
    Option(
        "--gate",
        "gate",
        "the lowest severity that fails the run (default: high)",
        choices=_SEVERITIES,
        default=Severity.HIGH.word,
    ),
    Option(
        "--report",
        "report",
        "where the reports go (default: reports/)",
        metavar="DIR",
        in_reports=False,
    ),
    Option("--aws-endpoint-url", "endpoint_url", "send every AWS call to this endpoint", "U"),
    Option(
        "--look-elsewhere",
        "look_elsewhere",
        "look for missing repositories in the partition's other regions",
    ),
    Option(
        "--deep",
        "deep",
        "also read the manifest and layers of one image per package, which ECR counts as a pull",
    ),
    Option(
        "--context",
        "context",
        "what the feed's requests have for a condition key that no document shows; can be repeated",
        metavar="KEY=VALUE",
        repeats=True,
    ),
    Option(
        "--waivers",
        "waivers",
        "accept what this file waives, with a reason, until it expires",
        metavar="FILE",
    ),
    Option(
        "--baseline",
        "baseline",
        "mark findings new, known or fixed since an earlier results.json",
        metavar="FILE",
    ),
    Option("--new-only", "new_only", "fail only for findings that the baseline does not have"),
    Option(
        "--output-format",
        "formats",
        "also write this format; can be repeated",
        choices=FORMATS,
        repeats=True,
    ),
    Option(
        "--write-policy",
        "write_policy",
        "write the smallest policy that a feed needs, and the auditor's policy beside it",
        metavar="FILE",
    ),
    Option(
        "--policy",
        "policies",
        "judge this identity policy before it is attached; can be repeated",
        metavar="FILE",
        repeats=True,
    ),
    Option(
        "--attach",
        "attach",
        "with --policy: as inline policies of a user, role or group (default: managed policies)",
        choices=WAYS,
    ),
    Option("--boundary", "boundary", "with --policy: within this permissions boundary", "FILE"),
    Option(
        "--repository-policy",
        "repository_policies",
        "with --policy: this policy on the repository of a package; can be repeated",
        metavar="ID=FILE",
        repeats=True,
    ),
    Option(
        "--scp",
        "scps",
        "with --policy: under this service control policy; can be repeated",
        metavar="FILE",
        repeats=True,
    ),
    Option(
        "--plan",
        "plan",
        "judge the account that a Terraform plan would create (`terraform show -json` output)",
        metavar="FILE",
    ),
    Option(
        "--identity",
        "identity",
        "the user or role that the feed is: its Terraform address or IAM name (--policy: a user)",
        metavar="ADDRESS|NAME",
    ),
)
"""In the order of `--help` and README.md."""

_PLANNED: Final = frozenset(field.name for field in fields(Planned))


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The options as given; None where an option was not."""

    feeds: str | None
    region: str | None
    packages: tuple[str, ...]
    account: str | None
    profile: str | None
    pulls: bool
    demo: str | None
    report: str | None
    gate: Severity
    endpoint_url: str | None
    look_elsewhere: bool
    planned: Planned
    write_policy: str | None
    waivers: str | None
    baseline: str | None
    new_only: bool
    formats: tuple[str, ...]
    deep: bool
    context: tuple[str, ...]
    root: Path
    here: Path

    @property
    def one_feed(self) -> bool:
        """One feed is described without a file."""
        return self.region is not None or bool(self.packages) or self.profile is not None

    def shown(self) -> dict[str, str]:
        """The options as given, by flag, for reports; none of them can hold a secret."""
        texts = {
            option.flag: _text(
                getattr(self.planned if option.field in _PLANNED else self, option.field)
            )
            for option in OPTIONS
            if option.in_reports
        }
        return {flag: text for flag, text in texts.items() if text}


def command_line(parsed: Mapping[str, Any], *, root: Path, here: Path) -> CommandLine:
    """From pytest's parsed options, by `dest`; `root` is the suite, `here` where it is run."""
    values = {option.field: option.parsed(parsed[option.dest]) for option in OPTIONS}
    planned = Planned(**{name: values.pop(name) for name in _PLANNED})
    gate = Severity[values.pop("gate").upper()]
    return CommandLine(**values, planned=planned, gate=gate, root=root, here=here)


def strays(parsed: Mapping[str, Any]) -> list[str]:
    """The flags of our options that were given."""
    return [option.flag for option in OPTIONS if option.is_given(parsed[option.dest])]


def did_you_mean(arguments: Iterable[str]) -> str:
    """`--feeds (for --feed)` for the first argument that is nearly one of our options."""
    flags = [option.flag for option in OPTIONS]
    for argument in arguments:
        word = argument.partition("=")[0]
        if word.startswith("--") and word not in flags:
            near = difflib.get_close_matches(word, flags, n=1, cutoff=0.8)
            if near:
                return f"{near[0]} (for {word})"
    return ""


def _text(value: object) -> str:
    match value:
        case Severity():
            return value.word
        case tuple():
            return ", ".join(value)
        case True:
            return "yes"
        case _:
            return str(value or "")
