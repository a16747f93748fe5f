"""Whether a document has the form of a plan, in the parts that are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from ecr_feed.embedded.seeding.account_file import AccountError

Check: TypeAlias = Callable[[Any, str], None]


def check_form(document: Mapping[str, Any], source: str) -> None:
    """Raises AccountError with the place where the document is not a plan."""
    try:
        _PLAN(document, "")
    except _WrongError as error:
        raise AccountError(f"{source}: not a whole plan: {error}.") from None


class _WrongError(Exception):
    """A value of another type than a plan has there."""


def _of(kind: type, what: str) -> Check:
    def check(value: Any, place: str) -> None:
        if value is not None and not isinstance(value, kind):
            raise _WrongError(f"{place.lstrip('.') or 'the document'} is not {what}")

    return check


_TEXT = _of(str, "a text")
_OBJECT = _of(dict, "an object")
_LIST = _of(list, "a list")


def _list(of: Check) -> Check:
    def check(value: Any, place: str) -> None:
        _LIST(value, place)
        for number, each in enumerate(value or []):
            if each is None:
                raise _WrongError(f"{place.lstrip('.')}[{number}] is null")
            of(each, f"{place}[{number}]")

    return check


def _object(**parts: Check) -> Check:
    def check(value: Any, place: str) -> None:
        _OBJECT(value, place)
        for name, part in parts.items():
            part((value or {}).get(name), f"{place}.{name}")

    return check


def _each(of: Check) -> Check:
    def check(value: Any, place: str) -> None:
        _OBJECT(value, place)
        for name, each in (value or {}).items():
            of(each, f"{place}.{name}")

    return check


def _expressions(value: Any, place: str) -> None:
    """Attributes and nested blocks; `references` are texts wherever they stand."""
    _OBJECT(value, place)
    for where, listed in _references(value or {}, place):
        _list(_TEXT)(listed, where)


def _references(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "references":
                yield f"{place}.{name}", each
            elif name != "constant_value":
                yield from _references(each, f"{place}.{name}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _references(each, f"{place}[{number}]")


_RESOURCE = _object(address=_TEXT, type=_TEXT, name=_TEXT, mode=_TEXT, values=_OBJECT)


def _module(value: Any, place: str) -> None:
    _object(address=_TEXT, resources=_list(_RESOURCE))(value, place)
    _list(_module)((value or {}).get("child_modules"), f"{place}.child_modules")


def _configured(value: Any, place: str) -> None:
    block = _object(address=_TEXT, expressions=_expressions, provider_config_key=_TEXT)
    _object(resources=_list(block), outputs=_each(_OBJECT))(value, place)
    call = _object(expressions=_expressions, module=_configured)
    _each(call)((value or {}).get("module_calls"), f"{place}.module_calls")


_CHANGE = _object(actions=_list(_TEXT), before=_of(object, "a value"))
_PLAN = _object(
    planned_values=_object(root_module=_module),
    prior_state=_object(values=_object(root_module=_module)),
    resource_changes=_list(_object(address=_TEXT, module_address=_TEXT, change=_CHANGE)),
    configuration=_object(
        provider_config=_each(_object(expressions=_expressions)), root_module=_configured
    ),
    variables=_each(_OBJECT),
)
