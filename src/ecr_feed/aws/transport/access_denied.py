"""Read AWS's access denied messages: who, which action, which resource, which kind of policy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_USER = re.compile(r"\b(?:User|Principal): (\S+) is not authorized")
_ACTION = re.compile(r"not authorized to perform:? ([A-Za-z0-9-]+:[A-Za-z0-9]+)", re.IGNORECASE)
# IAM names a resource in short, such as `user octopus`; S3 puts quotes around the ARN.
_RESOURCE = re.compile(
    r"\bon resource: (?:\"(?P<quoted>[^\"]+)\"|"
    r"(?P<short>(?:user|group|role|policy|instance profile) (?!with |because )\S+)|(?P<plain>\S+))"
)
# Older sentences end after "explicit deny": the kind of policy is then not known.
_EXPLICIT = re.compile(
    r"\bwith an explicit deny\b"
    r"(?: in (?:an? |the )?(?P<kind>[A-Za-z -]*?(?:policy|boundary)))?(?:: (?P<arn>arn:\S+))?"
)
_IMPLICIT = re.compile(r"\bbecause no (?P<kind>[A-Za-z -]+?) allows the (?P<action>\S+) action")

# AWS's terms (IAM user guide, "Troubleshoot access denied error messages") -> our layer.
_LAYERS: Final = {
    "identity-based": "identity",
    "resource-based": "resource",
    "permissions boundary": "boundary",
    "session": "session",
    "service control": "scp",
    "resource control": "rcp",
    "vpc endpoint": "endpoint",
    "role trust": "trust",
}


@dataclass(frozen=True, slots=True)
class DenialMessage:
    """The parts of a message; what it does not say is "".

    `explicit` is None where no reason is given. `layer` is identity, resource, boundary, session,
    scp, rcp, endpoint, trust, or "". Only AWS's newer messages have a `policy_arn`.
    """

    user: str = ""
    action: str = ""
    resource: str = ""
    explicit: bool | None = None
    layer: str = ""
    policy_arn: str = ""

    @property
    def reason(self) -> str:
        """One clause: "an explicit deny in an scp policy", or "" where AWS gave no reason."""
        if self.explicit is None:
            return ""
        what = f"{self.layer or 'some'} policy"
        if not self.explicit:
            return f"no {what} allows it"
        named = f" ({self.policy_arn})" if self.policy_arn else ""
        return f"an explicit deny in the {what}{named}"


def parse_denial(message: str) -> DenialMessage:
    """The parts of AWS's message; what is not recognised stays empty. Never raises."""
    explicit = _EXPLICIT.search(message)
    implicit = _IMPLICIT.search(message)
    reason = explicit or implicit
    return DenialMessage(
        user=_first(_USER, message),
        action=_first(_ACTION, message) or (implicit["action"] if implicit else ""),
        resource=_resource(message),
        explicit=None if reason is None else explicit is not None,
        layer=_layer(reason["kind"] or "") if reason else "",
        policy_arn=(explicit["arn"] or "").rstrip(".,;") if explicit else "",
    )


def _first(pattern: re.Pattern[str], message: str) -> str:
    found = pattern.search(message)
    return found[1] if found else ""


def _resource(message: str) -> str:
    found = _RESOURCE.search(message)
    text = next((each for each in found.groups() if each), "") if found else ""
    return text.rstrip(".,;")


def _layer(kind: str) -> str:
    lowered = kind.strip().lower()
    return next((layer for term, layer in _LAYERS.items() if lowered.startswith(term)), "")
