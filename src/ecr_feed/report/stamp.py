"""Times as reports write them: RFC 3339 in UTC with `Z`, and how long in words."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """`2026-11-25T00:03:27Z`; fractions of a second only where there are any.

    Raises `ValueError` for a time without a zone, which names no moment.
    """
    if moment.tzinfo is None:
        raise ValueError("a time in a report needs its zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_second(moment: datetime) -> str:
    """`rfc3339` without fractions."""
    return rfc3339(moment.replace(microsecond=0))


def span(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `5 h 3 min`, `12 d 4 h`: the two largest units."""
    if seconds < 0:
        return f"-{span(-seconds)}"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts: list[tuple[int, str]] = []
    for name, size in units:
        number, whole = divmod(whole, size)
        if number or parts:
            parts.append((number, name))
    return " ".join(f"{number} {name}" for number, name in parts[:2] if number)
