from __future__ import annotations

import pytest

from ecr_feed.facts.iam import CacheRule, cache_rule_of

RULES = (CacheRule("hub", "registry-1.docker.io"), CacheRule("hub/team", "example.com"))


@pytest.mark.parametrize(
    ("repository", "prefix"),
    [
        ("hub/library/nginx", "hub"),
        ("hub/team/app", "hub/team"),
        ("hub", None),
        ("hubs/app", None),
        ("team/hub/app", None),
    ],
)
def test_the_most_specific_rule_has_a_repository(repository: str, prefix: str | None) -> None:
    rule = cache_rule_of(repository, RULES)
    assert (rule.prefix if rule else None) == prefix
