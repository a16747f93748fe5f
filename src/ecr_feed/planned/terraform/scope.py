"""Where the objects of a plan are made: account, region and partition, by provider.

The account of a provider is what its own settings name (`assume_role`, `allowed_account_ids`), or
what objects that exist already say. Two providers with the same settings, but for the region, are
one account.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from ecr_feed.embedded.seeding.account_file import AccountError
from ecr_feed.naming import account_of, partition_of
from ecr_feed.planned.arns import PlanAccount, plan_account
from ecr_feed.planned.terraform.instances import Instance
from ecr_feed.planned.terraform.plan import Plan

_REGION: Final = re.compile(r"arn:aws[a-z-]*:(?:ecr|iam|sts):([a-z0-9-]+):\d{12}:")
_ACCOUNT: Final = re.compile(r"\d{12}")
_SAME_ACCOUNT: Final = frozenset({"region", "default_tags", "ignore_tags", "max_retries"})
"""Settings of a provider that do not choose the account."""
_MAIN: Final = "aws"
"""The key of the provider without an alias."""


@dataclass(slots=True)
class PlanScope:
    """The account, region and partition that the feed is in; `accounts` says how it is known.

    `home` is the place of the feed's account (see `Places`).
    """

    account: str
    region: str
    partition: str
    home: str
    accounts: PlanAccount

    @property
    def stated(self) -> bool:
        """The account was given, or Terraform read it in AWS."""
        return bool(self.accounts.account)


@dataclass(slots=True)
class Places:
    """In which account each object is: 12 digits, or a text that stands for an unnamed account."""

    plan: Plan
    _named: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._named = {}
        for each in self.plan.instances:
            foreign = each.is_data and self.plan.expression(each, "registry_id")
            if account := self._configured(each) or ("" if foreign else self._own(each)):
                self._named.setdefault(self._settings(each), account)

    def of(self, instance: Instance) -> str:
        """The account of an object, or what stands for it."""
        settings = self._settings(instance)
        return self._own(instance) or self._named.get(settings, settings)

    def _own(self, instance: Instance) -> str:
        """The account that an object which exists already names."""
        if instance.type == "aws_caller_identity":
            return _digits(instance.text("account_id") or instance.text("id"))
        if instance.type.startswith(("aws_ecr_", "aws_iam_")) and instance.type != (
            "aws_iam_policy_document"
        ):
            return _digits(account_of(instance.text("arn")) or instance.text("registry_id"))
        return ""

    def _configured(self, instance: Instance) -> str:
        """The account that the provider's settings name."""
        written = self.plan.provider(instance).get("expressions") or {}
        for block in written.get("assume_role") or []:
            arn = self.plan.constant(block.get("role_arn") or {})
            if isinstance(arn, str) and (account := _digits(account_of(arn))):
                return account
        allowed = self.plan.constant(written.get("allowed_account_ids") or {})
        if isinstance(allowed, list) and len(allowed) == 1:
            return _digits(str(allowed[0]))
        return ""

    def _settings(self, instance: Instance) -> str:
        """The settings of the object's provider that choose the account."""
        written = self.plan.provider(instance).get("expressions") or {}
        chosen = {key: value for key, value in written.items() if key not in _SAME_ACCOUNT}
        return json.dumps(chosen, sort_keys=True)


def may_be_one(place: str, other: str) -> bool:
    """Two places are one account, or may be: one of them at least has no known number."""
    return place == other or not (_digits(place) and _digits(other))


def _digits(text: str | None) -> str:
    return text if text and _ACCOUNT.fullmatch(text) else ""


def scope_of(plan: Plan, places: Places, region: str = "", account: str = "") -> PlanScope:
    """The scope. Raises AccountError where nothing names a region."""
    texts = [json.dumps(dict(each.values)) for each in plan.instances]
    home = _home(plan, places)
    accounts = plan_account(_digits(home) or account, texts)
    regions = Counter(found for text in texts for found in _REGION.findall(text))
    where = region or _provider_region(plan, _MAIN) or _data_region(plan) or _most(regions)
    if not where:
        raise AccountError("The plan names no region: add --aws-region R.")
    return PlanScope(accounts.judged_in, where, partition_of(where) or "aws", home, accounts)


def _home(plan: Plan, places: Places) -> str:
    """The place of most repositories, else of most users and roles, else of anything."""
    for kinds in (("aws_ecr_repository",), ("aws_iam_user", "aws_iam_role"), ()):
        found = [
            each
            for each in plan.instances
            if each.type in kinds or (not kinds and each.type.startswith("aws_"))
        ]
        if found:
            return _most(Counter(places.of(each) for each in found))
    return ""


def _most(counted: Counter[str]) -> str:
    return counted.most_common(1)[0][0] if counted else ""


def _data_region(plan: Plan) -> str:
    found = (each.text("region") or each.text("name") for each in plan.data("aws_region"))
    return next(filter(None, found), "")


def region_of(plan: Plan, instance: Instance) -> str:
    """An object's region: its own attribute (provider 6), or its provider's; "" if unknown."""
    own = instance.text("region")
    if own:
        return own
    arn = instance.text("arn").split(":")
    if len(arn) > 5 and arn[3]:
        return arn[3]
    key = plan.configuration(instance).get("provider_config_key", "")
    return _provider_region(plan, str(key)) if key else ""


def _provider_region(plan: Plan, key: str) -> str:
    written: Any = (plan.provider_of(key).get("expressions") or {}).get("region")
    found = plan.constant(written)
    return found if isinstance(found, str) else ""
