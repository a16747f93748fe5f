"""The host of a private ECR registry: its account, its region, and what is wrong with it.

Forms: https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html. A pattern alone
accepts impossible hosts (`dkr-ecr` with amazonaws.com, cn-north-1 without `.cn`), so region and
suffix are compared as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ecr_feed.naming.regions import PARTITIONS, looks_like_region, partition

ACCOUNT_ID: Final = re.compile(r"[0-9]{12}")
GALLERIES: Final = ("public.ecr.aws", "ecr-public.aws.com")

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_HOST = re.compile(
    r"(?:(?P<account>[^.]*)\.)?dkr(?P<joint>[.-])ecr(?P<fips>-fips)?\.(?P<region>[^.]*)\.(?P<suffix>.+)"
)
_NO_REGION = re.compile(r"(?:[^.]*\.)?dkr[.-]ecr(?:-fips)?\.(?P<suffix>.+)")
_API = re.compile(r"(?:api\.ecr|ecr|ecr-fips|api\.ecr-fips)\.[^.]+\.(?:amazonaws|api\.)\S*")
_STRANGE = re.compile(r"[^a-z0-9.:_-]")
_SUFFIXES = frozenset(
    suffix for each in PARTITIONS for suffix in (each.suffix, each.dual_stack) if suffix
)


def is_account_id(text: str) -> bool:
    """Twelve ASCII digits; the first may be 0."""
    return ACCOUNT_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class RegistryHost:
    """A registry host taken apart; what could not be read is "", and `problems` says why.

    `account` and `region` are kept as found even where they are wrong, so that a message can show
    them. `port` is None where the text has none, which means 443.
    """

    account: str
    region: str
    suffix: str
    fips: bool = False
    dual_stack: bool = False
    port: int | None = None
    problems: tuple[str, ...] = ()
    found: str = ""

    @classmethod
    def for_(
        cls, account: str, region: str, *, fips: bool = False, dual_stack: bool = False
    ) -> RegistryHost:
        """The host of that account in that region.

        ValueError: dual stack is asked of a partition where AWS documents none.
        """
        where = partition(region)
        suffix = where.dual_stack if dual_stack else where.suffix
        if not suffix:
            raise ValueError(f"partition {where.name} has no dual-stack registry host")
        return cls(account, region, suffix, fips, dual_stack)

    @classmethod
    def parse(cls, text: str) -> RegistryHost:
        """Take apart a host, `host:port`, or a URL with a path; never raises.

        Letter case does not matter. `problems` has everything that keeps the text from being the
        address of a private ECR registry, worst first.
        """
        host, port, problems = _strip(text)
        match = _HOST.fullmatch(host)
        if match is None or _names_no_region(host):
            return cls("", "", "", port=port, problems=(*problems, _not_ecr(host)), found=host)
        joint, fips = match["joint"], match["fips"]
        parsed = cls(
            match["account"] or "", match["region"], match["suffix"], bool(fips), joint == "-", port
        )
        problems = (*problems, *parsed._parts_problems())
        return cls(
            *(parsed.account, parsed.region, parsed.suffix, parsed.fips, parsed.dual_stack, port),
            problems=problems,
            found=host if problems else "",
        )

    @property
    def ok(self) -> bool:
        """It is the address of a private ECR registry."""
        return not self.problems

    @property
    def partition(self) -> str:
        """The partition of the region, such as `aws-cn`."""
        return partition(self.region).name

    @property
    def host(self) -> str:
        """Without scheme, port and path, in lower case."""
        if self.found:
            return self.found
        joint = "-" if self.dual_stack else "."
        fips = "-fips" if self.fips else ""
        return f"{self.account}.dkr{joint}ecr{fips}.{self.region}.{self.suffix}"

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def _parts_problems(self) -> list[str]:
        return [
            problem
            for problem in (
                account_problem(self.account),
                _region_problem(self.region),
                self._suffix_problem(),
                None if self.port in (None, 443) else f"port {self.port} is not ECR's: 443",
            )
            if problem
        ]

    def _suffix_problem(self) -> str | None:
        """Why the suffix does not fit the region or the form of host (`on.aws`), or None."""
        where = partition(self.region)
        expected = where.dual_stack if self.dual_stack else where.suffix
        if self.suffix == expected:
            return None
        if self.suffix not in _SUFFIXES:
            return f"it ends in .{self.suffix}, which is not a suffix of AWS registries"
        if self.dual_stack != self.suffix.startswith("on."):
            form = "dkr-ecr goes with .on.aws, dkr.ecr with .amazonaws.com"
            return f"it mixes two forms of host ({form}, or the equivalents in other partitions)"
        wanted = f"end in .{expected}" if expected else "have no dual-stack form"
        return f"hosts in {self.region} ({where.name}) {wanted}, found .{self.suffix}"


def expected_hosts(account: str, region: str) -> tuple[str, ...]:
    """Every host of that registry: the usual one, FIPS, and dual-stack with and without FIPS."""
    dual = (False, True) if partition(region).dual_stack else (False,)
    return tuple(
        RegistryHost.for_(account, region, fips=fips, dual_stack=both).host
        for both in dual
        for fips in (False, True)
    )


def account_problem(account: str) -> str | None:
    """Why a text is not an AWS account ID, or None: it has 12 digits."""
    if is_account_id(account):
        return None
    if not account:
        return "the account ID is missing"
    if re.fullmatch(r"[0-9]+", account):
        count = len(account)
        return f"account ID {account} has {count} digit{'s' * (count > 1)}, AWS's have 12"
    return f"account ID {account!r} is not made of digits only"


def _region_problem(region: str) -> str | None:
    if looks_like_region(region):
        return None
    return f"{region!r} is not a region's name, such as eu-west-1"


def _strip(text: str) -> tuple[str, int | None, tuple[str, ...]]:
    """Host in lower case, port, and what is wrong around it."""
    problems: list[str] = []
    rest = text.strip()
    scheme = _SCHEME.match(rest)
    if scheme:
        rest = rest[scheme.end() :]
        if scheme[1].lower() != "https":
            problems.append(f"its scheme is {scheme[1]}, ECR accepts https only")
    rest = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in rest:
        problems.append("it contains a user name")
        rest = rest.rpartition("@")[2]
    host, colon, digits = rest.lower().partition(":")
    port = int(digits) if re.fullmatch(r"[0-9]{1,5}", digits) and int(digits) < 65536 else None
    if colon and port is None:
        problems.append("what follows its colon is not a port")
    if host.endswith("."):
        problems.append("it ends in a dot")
        host = host.rstrip(".")
    return host, port, tuple(problems)


def _names_no_region(host: str) -> bool:
    match = _NO_REGION.fullmatch(host)
    return match is not None and match["suffix"] in _SUFFIXES


def _not_ecr(host: str) -> str:
    """What a text that is not a registry host seems to be."""
    strange = _STRANGE.search(host)
    if not host:
        return "the host is empty"
    if strange:
        return f"character {strange[0]!r} does not belong in a host name"
    if host in GALLERIES:
        return f"{host} is the public gallery, not a private registry"
    if _API.fullmatch(host):
        return f"{host} is the address of ECR's API, not of a registry"
    if _names_no_region(host):
        return f"{host} names no region"
    return f"{host} is not an ECR registry (ACCOUNT.dkr.ecr.REGION.amazonaws.com)"
