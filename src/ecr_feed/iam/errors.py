"""What is wrong with a policy document, and where."""

from __future__ import annotations

import json
import re

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class PolicyError(ValueError):
    """A document that IAM would refuse.

    `path` is a JSON path (`$.Statement[0].Condition.StringEquals`), `reason` one sentence that says
    what was found and what was expected there.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[PolicyError], tuple[str, str]]:
        """Rebuild from both fields, so that an error crosses process boundaries whole."""
        return (type(self), (self.path, self.reason))


def child(path: str, key: str | int) -> str:
    """The JSON path of `key` (an element name or an array index) below `path`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}[{json.dumps(key)}]"
