"""Parameters checked against botocore's models, and answers cut into pages."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from ecr_feed.embedded.protocol.botocore_data import operation_model, paginators
from ecr_feed.embedded.protocol.operation_calls import ApiCall
from ecr_feed.embedded.protocol.wire import ServiceError

# Page sizes where the request names none and the default is not 100 (service API references).
_DEFAULTS: Final = {
    "organizations:ListPoliciesForTarget": 20,
    "organizations:ListRoots": 20,
}
KEPT: Final = 4096  # tokens; the oldest are forgotten


@dataclass(slots=True)
class _Rest:
    fingerprint: str
    answer: dict[str, Any]
    rows: list[tuple[str, Any]]  # (result key, row), in order
    start: int


@dataclass(slots=True)
class Pager:
    """Cuts answers into pages; the remaining rows are kept under opaque tokens."""

    kept: OrderedDict[str, _Rest] = field(default_factory=OrderedDict)

    def resume(self, call: ApiCall) -> dict[str, Any] | None:
        """The next page for the call's token; None for a call without one. Raises ServiceError."""
        rule = _rule(call)
        token = call.params.get(rule["input_token"]) if rule else None
        if rule is None or token is None:
            return None
        rest = self.kept.get(token)
        if rest is None or rest.fingerprint != _fingerprint(call, rule):
            raise _bad_token(call, rule["input_token"])
        return self._page(call, rule, rest)

    def first(self, call: ApiCall, answer: dict[str, Any]) -> dict[str, Any]:
        """The first page of a complete answer."""
        rule = _rule(call)
        if rule is None:
            return answer
        rows = [(key, row) for key in _keys(rule) for row in answer.get(key, [])]
        frame = {name: value for name, value in answer.items() if name not in _keys(rule)}
        return self._page(call, rule, _Rest(_fingerprint(call, rule), frame, rows, 0))

    def _page(self, call: ApiCall, rule: Mapping[str, Any], rest: _Rest) -> dict[str, Any]:
        limit = call.params.get(rule.get("limit_key", "")) or _DEFAULTS.get(call.action, 100)
        end = rest.start + limit
        page: dict[str, Any] = {**rest.answer, **{key: [] for key in _keys(rule)}}
        for key, row in rest.rows[rest.start : end]:
            page[key].append(row)
        more = end < len(rest.rows)
        if rule.get("more_results"):
            page[rule["more_results"]] = more
        page.pop(rule["output_token"], None)
        if more:
            page[rule["output_token"]] = self._keep(rest, end)
        return page

    def _keep(self, rest: _Rest, start: int) -> str:
        token = secrets.token_urlsafe(96)
        self.kept[token] = _Rest(rest.fingerprint, rest.answer, rest.rows, start)
        while len(self.kept) > KEPT:
            self.kept.popitem(last=False)
        return token


def _rule(call: ApiCall) -> Mapping[str, Any] | None:
    return paginators(call.service).get(call.operation)


def _keys(rule: Mapping[str, Any]) -> list[str]:
    keys = rule["result_key"]
    return [keys] if isinstance(keys, str) else list(keys)


def _fingerprint(call: ApiCall, rule: Mapping[str, Any]) -> str:
    """What must be equal for a token to be valid: operation, region, key and parameters."""
    paging = (rule["input_token"], rule.get("limit_key"))
    asked = sorted((name, repr(v)) for name, v in call.params.items() if name not in paging)
    return repr((call.action, call.region, call.scope.key_id if call.scope else "", asked))


def _bad_token(call: ApiCall, name: str) -> ServiceError:
    if call.service == "ecr":
        text = f"Invalid parameter at '{name}' failed to satisfy constraint: 'Invalid token'"
        return ServiceError("InvalidParameterException", text)
    return ServiceError("ValidationError", f"Invalid {name}.")


def validate(call: ApiCall) -> None:
    """Raise the service's own error for the first parameter that the model does not allow."""
    shape = operation_model(call.service, call.operation).input_shape
    if shape is None:
        return
    for path, value, constraint in _violations(shape, call.params, ""):
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


Violation = tuple[str, Any, str]


def _violations(shape: Any, value: Any, path: str) -> Iterator[Violation]:
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(shape, value, path)
    elif kind == "list":
        yield from _list(shape, value, path)
    elif kind == "string":
        yield from _string(shape, value, path)
    elif kind in ("integer", "long"):
        yield from _range(shape, value, path)


def _structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[Violation]:
    for name in shape.required_members:
        if name not in value:
            yield f"{path}{name}", "null", "Member must not be null"
    for name, item in value.items():
        yield from _violations(shape.members[name], item, f"{path}{name}")


def _list(shape: Any, value: list[Any], path: str) -> Iterator[Violation]:
    yield from _length(shape, value, path)
    for index, item in enumerate(value, start=1):
        yield from _violations(shape.member, item, f"{path}.{index}.member")


def _length(shape: Any, value: Any, path: str) -> Iterator[Violation]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        yield path, value, f"Member must have length greater than or equal to {least}"
    if most is not None and len(value) > most:
        yield path, value, f"Member must have length less than or equal to {most}"


def _range(shape: Any, value: int, path: str) -> Iterator[Violation]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield path, value, f"Member must have value greater than or equal to {least}"
    if most is not None and value > most:
        yield path, value, f"Member must have value less than or equal to {most}"


def _string(shape: Any, value: str, path: str) -> Iterator[Violation]:
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
