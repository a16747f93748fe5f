"""What would create a missing repository: a creation template or a pull-through cache rule."""

from __future__ import annotations

from ecr_feed.check import render_fix
from ecr_feed.facts.aws import ReadError
from ecr_feed.facts.iam import CreationTemplate, cache_rule_of
from ecr_feed.naming import is_repository_name
from ecr_feed.permissions.answers import Rights

_EVERY = "ROOT"
"""The prefix of the template for repositories that no other template fits."""


class Creation:
    """The registry's documents about missing repositories, read by the auditor or else the feed.

    `asked` is False behind a test endpoint, which may not support these calls.
    """

    def __init__(self, rights: Rights, *, asked: bool) -> None:
        self._rights = rights
        self._asked = asked

    def fix(self, package: str, command: str) -> str | None:
        """The fix where something would create the repository; None where nothing is known to.

        Where the documents cannot be read, None: the check's own fix works in any case.
        """
        if not self._asked or not is_repository_name(package):
            return None
        try:
            documents = self._rights.documents()
            rule = cache_rule_of(package, documents.cache_rules())
            template = _template_of(package, documents.creation_templates())
        except ReadError:
            return None
        values = {"package": package, "feed": self._rights.account.feed}
        otherwise = f"Or create it: {render_fix(command, values)}"
        if rule is not None:
            return (
                f"The cache rule {rule.prefix!r} creates it at the first pull: pull it "
                "once with an identity that is allowed ecr:BatchImportUpstreamImage and "
                f"ecr:CreateRepository. {otherwise}"
            )
        if template is not None:
            name = template.prefix
            return f"Push an image: template {name!r} creates it at the first push. {otherwise}"
        return None


def _template_of(package: str, templates: tuple[CreationTemplate, ...]) -> CreationTemplate | None:
    """The most specific template that is applied to pushes."""
    pushed = [each for each in templates if "CREATE_ON_PUSH" in each.applied_for]
    named = [each for each in pushed if package.startswith(f"{each.prefix}/")]
    every = [each for each in pushed if each.prefix == _EVERY]
    return max(named or every, key=lambda each: len(each.prefix), default=None)
