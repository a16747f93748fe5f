"""Policy documents that IAM takes and moto's own check refuses: kept changed, shown as written.

The grammar makes Version optional and takes JSON numbers as condition values. Managed policies are
an exception: for them IAM insists on the newer Version, as moto does for all.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote

_INLINE: Final = frozenset({"PutUserPolicy", "PutGroupPolicy", "PutRolePolicy"})
_NEWER: Final = "2012-10-17"


@dataclass(slots=True)
class Written:
    """The texts that were changed, by what they were changed to."""

    _originals: dict[str, str] = field(default_factory=dict)

    def storable(self, operation: str, text: str) -> str:
        """The document as moto takes it; the very text where it takes that."""
        try:
            found = json.loads(text, parse_int=str, parse_float=str)
            same = found == json.loads(text)
        except ValueError:
            return text  # no JSON: moto's to refuse
        version = found.get("Version")
        if operation in _INLINE and version != _NEWER:
            found["Version"] = _NEWER
        elif same:
            return text
        found["Id"] = f"as-written-{len(self._originals)}"
        changed = json.dumps(found)
        self._originals[changed] = text
        return changed

    def as_written(self, shown: Any) -> Any:
        """A document of an answer, URL-encoded as IAM sends it, in its writer's own words."""
        text = str(shown)
        plain = text if text.lstrip().startswith("{") else unquote(text)
        original = self._originals.get(plain)
        if original is not None:
            return quote(original)
        return quote(text) if plain is text else shown
