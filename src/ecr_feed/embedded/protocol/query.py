"""The query protocol (IAM, STS): form fields to parameters, results to XML, both by shape."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from botocore.parsers import create_parser

from ecr_feed.embedded.protocol.wire import ServiceError


def decode_query(shape: Any, form: Mapping[str, str]) -> dict[str, Any]:
    """`Name.member.1.Key=...` fields as the nested parameters that botocore's shape describes."""
    return _structure(shape, form, "")


def _structure(shape: Any, form: Mapping[str, str], prefix: str) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        field = prefix + str(member.serialization.get("name", name))
        value = _value(member, form, field)
        if value is not None:
            found[name] = value
    return found


def _value(shape: Any, form: Mapping[str, str], field: str) -> Any:
    kind = shape.type_name
    if kind == "structure":
        nested = _structure(shape, form, f"{field}.")
        return nested or None
    if kind == "list":
        return _list(shape, form, field)
    text = form.get(field)
    return None if text is None else _scalar(kind, field, text)


def _list(shape: Any, form: Mapping[str, str], field: str) -> list[Any] | None:
    flat = bool(shape.serialization.get("flattened"))
    stem = field if flat else f"{field}.{shape.member.serialization.get('name', 'member')}"
    items: list[Any] = []
    while (item := _value(shape.member, form, f"{stem}.{len(items) + 1}")) is not None:
        items.append(item)
    return items or ([] if field in form else None)


def _scalar(kind: str, field: str, text: str) -> Any:
    if kind in ("integer", "long"):
        try:
            return int(text)
        except ValueError:
            raise ServiceError("MalformedInput", f"{field} is not a number.") from None
    return text.lower() == "true" if kind == "boolean" else text


def encode_query(operation: Any, result: Mapping[str, Any]) -> str:
    """The XML answer; `{request_id}` is left for whoever stamps it."""
    name, shape = operation.name, operation.output_shape
    namespace = operation.service_model.metadata["xmlNamespace"]
    inner = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{name}Result")
        inner = f"<{wrapper}>{_members(shape, result)}</{wrapper}>"
    return (
        f'<{name}Response xmlns="{namespace}">{inner}<ResponseMetadata>'
        f"<RequestId>{{request_id}}</RequestId></ResponseMetadata></{name}Response>"
    )


def _members(shape: Any, value: Mapping[str, Any]) -> str:
    return "".join(
        _element(member, str(member.serialization.get("name", name)), value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None
    )


def _element(shape: Any, tag: str, value: Any) -> str:
    kind = shape.type_name
    if kind == "structure":
        return f"<{tag}>{_members(shape, value)}</{tag}>"
    if kind == "list":
        item = str(shape.member.serialization.get("name", "member"))
        return f"<{tag}>{''.join(_element(shape.member, item, each) for each in value)}</{tag}>"
    if kind == "map":
        return f"<{tag}>{_entries(shape, value)}</{tag}>"
    return f"<{tag}>{escape(_text(value))}</{tag}>"


def _entries(shape: Any, value: Mapping[str, Any]) -> str:
    return "".join(
        f"<entry>{_element(shape.key, 'key', key)}{_element(shape.value, 'value', item)}</entry>"
        for key, item in value.items()
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def parse_xml(operation: Any, status: int, body: bytes) -> dict[str, Any]:
    """A query-protocol answer as botocore reads it, without what its client adds."""
    response = {"status_code": status, "headers": {}, "body": body}
    parsed: dict[str, Any] = create_parser("query").parse(response, operation.output_shape)
    return parsed
