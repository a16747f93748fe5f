"""From HTTP request to API call and back, for every operation in botocore's service models.

ECR speaks JSON 1.1, IAM and STS the query protocol, Account REST-JSON. No operation is
handled specially here.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from ecr_feed.embedded.protocol.botocore_data import (
    global_region,
    known_partition,
    model,
    operation_model,
)
from ecr_feed.embedded.protocol.wire import (
    ServiceError,
    WireRequest,
    WireResponse,
    json_answer,
    json_error,
    xml_answer,
    xml_error,
)

SERVICES: Final = ("ecr", "iam", "sts", "account", "organizations")
_SCOPE = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request")
_TARGETS: Final = {
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
    "AWSOrganizationsV20161128": "organizations",
}
_VERSIONS = {"2010-05-08": "iam", "2011-06-15": "sts"}


@dataclass(frozen=True, slots=True)
class Scope:
    """The credential scope of a signed request."""

    key_id: str
    date: str
    region: str
    service: str


@dataclass(slots=True)
class ApiCall:
    """One called operation. `params` has botocore's member names; blobs are bytes."""

    request: WireRequest
    service: str
    region: str
    operation: str
    params: dict[str, Any] = field(default_factory=dict)
    scope: Scope | None = None

    @property
    def action(self) -> str:
        """The call in `service:Operation` form."""
        return f"{self.service}:{self.operation}"


def parse(request: WireRequest) -> ApiCall:
    """Find service, region and operation; parameters are read by `read_params` later."""
    scope = _scope(request)
    service = _service(request, scope)
    return ApiCall(
        request, service, _region(request, scope), _operation(request, service), {}, scope
    )


def _scope(request: WireRequest) -> Scope | None:
    found = _SCOPE.search(request.headers.get("authorization", ""))
    return Scope(*found.groups()) if found else None


def _service(request: WireRequest, scope: Scope | None) -> str:
    if named := _TARGETS.get(request.headers.get("x-amz-target", "").partition(".")[0]):
        return named
    if scope and scope.service in SERVICES:
        return scope.service
    if scope is None:
        by_version = _VERSIONS.get(_form(request).get("Version", ""))
        by_host = next((name for name in SERVICES if name in request.host.split(".")), None)
        if by_version or by_host:
            return by_version or by_host or ""
    name = scope.service if scope else request.host
    raise ServiceError("UnknownOperationException", f"The embedded account has no {name!r}.", 404)


def _region(request: WireRequest, scope: Scope | None) -> str:
    if scope:
        return scope.region
    named = next((part for part in request.host.split(".") if known_partition(part)), None)
    return named or global_region("aws")


def _operation(request: WireRequest, service: str) -> str:
    name = _named_operation(request, service)
    if name not in model(service).operation_names:
        raise ServiceError(*_unknown(service, name))
    return name


def _named_operation(request: WireRequest, service: str) -> str:
    if service in _TARGETS.values():
        return request.headers.get("x-amz-target", "").partition(".")[2]
    if service == "account":
        return _by_path().get(urlsplit(request.url).path, "")
    return _form(request).get("Action", "")


def _unknown(service: str, name: str) -> tuple[str, str]:
    if service in ("iam", "sts"):
        return "InvalidAction", f"Could not find operation {name} for version {_version(service)}"
    return "UnknownOperationException", f"Unknown operation {name}"


def _version(service: str) -> str:
    return str(model(service).metadata["apiVersion"])


@cache
def _by_path() -> dict[str, str]:
    account = model("account")
    return {account.operation_model(n).http["requestUri"]: n for n in account.operation_names}


def _form(request: WireRequest) -> dict[str, str]:
    pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return dict(parse_qsl(request.query, keep_blank_values=True)) | dict(pairs)


def read_params(call: ApiCall) -> None:
    """Fill `call.params`. Raises SerializationException for a malformed body."""
    shape = operation_model(call.service, call.operation).input_shape
    if call.service in ("iam", "sts"):
        call.params = _decode_query(shape, _form(call.request)) if shape else {}
        return
    try:
        document = json.loads(call.request.body or b"{}")
    except ValueError:
        raise ServiceError("SerializationException", "The body is not valid JSON.") from None
    if not isinstance(document, dict):
        raise ServiceError("SerializationException", "The body is not a JSON object.")
    call.params = {
        name: _from_json(shape.members[name], value)
        for name, value in document.items()
        if shape and name in shape.members and value is not None
    }


_JSON_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
}


def _from_json(shape: Any, value: Any) -> Any:
    kinds = _JSON_TYPES.get(shape.type_name)
    if kinds and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
        raise ServiceError("SerializationException", f"{shape.name} is not a {shape.type_name}.")
    if shape.type_name == "structure":
        members = shape.members
        return {k: _from_json(members[k], v) for k, v in value.items() if k in members}
    if shape.type_name == "list":
        return [_from_json(shape.member, item) for item in value]
    if shape.type_name == "blob":
        return _blob(value)
    return value


def _blob(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise ServiceError("SerializationException", "A blob is not base64.") from None


def answer(call: ApiCall, result: Mapping[str, Any], now: datetime) -> WireResponse:
    """The successful answer, in the call's protocol."""
    if call.service not in ("iam", "sts"):
        return json_answer(result, now)
    return xml_answer(_encode_query(operation_model(call.service, call.operation), result), now)


def refuse(service: str, error: ServiceError, now: datetime) -> WireResponse:
    """The error, in the service's protocol."""
    if service not in ("iam", "sts"):
        return json_error(error, now)
    return xml_error(error, str(model(service).metadata["xmlNamespace"]), now)


def _decode_query(shape: Any, form: Mapping[str, str]) -> dict[str, Any]:
    """`Name.member.1.Key=...` fields as the nested parameters that botocore's shape describes."""
    return _from_fields(shape, form, "")


def _from_fields(shape: Any, form: Mapping[str, str], prefix: str) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        field = prefix + str(member.serialization.get("name", name))
        value = _value_from_fields(member, form, field)
        if value is not None:
            found[name] = value
    return found


def _value_from_fields(shape: Any, form: Mapping[str, str], field: str) -> Any:
    kind = shape.type_name
    if kind == "structure":
        nested = _from_fields(shape, form, f"{field}.")
        return nested or None
    if kind == "list":
        return _list_from_fields(shape, form, field)
    text = form.get(field)
    return None if text is None else _scalar(kind, field, text)


def _list_from_fields(shape: Any, form: Mapping[str, str], field: str) -> list[Any] | None:
    flat = bool(shape.serialization.get("flattened"))
    stem = field if flat else f"{field}.{shape.member.serialization.get('name', 'member')}"
    items: list[Any] = []
    while (item := _value_from_fields(shape.member, form, f"{stem}.{len(items) + 1}")) is not None:
        items.append(item)
    return items or ([] if field in form else None)


def _scalar(kind: str, field: str, text: str) -> Any:
    if kind in ("integer", "long"):
        try:
            return int(text)
        except ValueError:
            raise ServiceError("MalformedInput", f"{field} is not a number.") from None
    return text.lower() == "true" if kind == "boolean" else text


def _encode_query(operation: Any, result: Mapping[str, Any]) -> str:
    """The XML answer; `{request_id}` is a placeholder that `xml_answer` fills in."""
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
