"""Limits and patterns as the services hold them: botocore checks types and minima alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from ecr_feed.embedded.protocol import Call, operation_model
from ecr_feed.embedded.wire import ServiceError


def validate(call: Call) -> None:
    """Raise the service's own error for the first parameter that the model does not allow."""
    shape = operation_model(call.service, call.operation).input_shape
    if shape is None:
        return
    for path, value, constraint in _faults(shape, call.params, ""):
        raise _error(call.service, path, value, constraint)


def _error(service: str, path: str, value: Any, constraint: str) -> ServiceError:
    if service == "ecr":
        return ServiceError(
            "InvalidParameterException",
            f"Invalid parameter at '{path}' failed to satisfy constraint: '{constraint}'",
        )
    codes = {"account": "ValidationException", "organizations": "InvalidInputException"}
    code = codes.get(service, "ValidationError")
    text = (
        f"1 validation error detected: Value '{value}' at '{path[:1].lower() + path[1:]}' failed "
        f"to satisfy constraint: {constraint[:1].upper() + constraint[1:]}"
    )
    return ServiceError(code, text)


Fault = tuple[str, Any, str]


def _faults(shape: Any, value: Any, path: str) -> Iterator[Fault]:
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(shape, value, path)
    elif kind == "list":
        yield from _list(shape, value, path)
    elif kind == "string":
        yield from _string(shape, value, path)
    elif kind in ("integer", "long"):
        yield from _range(shape, value, path)


def _structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[Fault]:
    for name in shape.required_members:
        if name not in value:
            yield f"{path}{name}", "null", "Member must not be null"
    for name, item in value.items():
        yield from _faults(shape.members[name], item, f"{path}{name}")


def _list(shape: Any, value: list[Any], path: str) -> Iterator[Fault]:
    yield from _length(shape, value, path)
    for index, item in enumerate(value, start=1):
        yield from _faults(shape.member, item, f"{path}.{index}.member")


def _length(shape: Any, value: Any, path: str) -> Iterator[Fault]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        yield path, value, f"Member must have length greater than or equal to {least}"
    if most is not None and len(value) > most:
        yield path, value, f"Member must have length less than or equal to {most}"


def _range(shape: Any, value: int, path: str) -> Iterator[Fault]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield path, value, f"Member must have value greater than or equal to {least}"
    if most is not None and value > most:
        yield path, value, f"Member must have value less than or equal to {most}"


def _string(shape: Any, value: str, path: str) -> Iterator[Fault]:
    yield from _length(shape, value, path)
    if shape.enum and value not in shape.enum:
        yield path, value, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and (compiled := _compiled(pattern)) and not compiled.fullmatch(value):
        yield path, value, f"must satisfy regular expression '{pattern}'"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The model's pattern, or None for Java's character classes, which Python does not know."""
    try:
        return re.compile(re.sub(r"\\u10000-\\u10FFFF", r"\\U00010000-\\U0010FFFF", pattern))
    except re.error:
        return None
