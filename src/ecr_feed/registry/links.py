"""The `Link` header (RFC 8288): the only way to the next page of a registry's list."""

from __future__ import annotations

import re
from typing import Final

_LINK: Final = re.compile(r"<([^>]*)>((?:[^,<\"]|\"(?:[^\"\\]|\\.)*\")*)")
_PARAMETER: Final = re.compile(
    r""";[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*
        (?:=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t;,"]+)))?""",
    re.VERBOSE,
)


def next_link(header: str) -> str | None:
    """The target of the first link whose relation is `next`, as written, or None.

    A link may carry several relations; only its first `rel` counts, as RFC 8288 says.
    """
    for link in _LINK.finditer(header):
        for parameter in _PARAMETER.finditer(link.group(2)):
            if parameter.group(1).lower() != "rel":
                continue
            relations = (parameter.group(2) or parameter.group(3) or "").lower().split()
            if "next" in relations:
                return link.group(1).strip()
            break
    return None
