"""Refuses an answer whose values have other types than the service's model gives them.

botocore converts what it gets: of a text where a list must be it makes a list of letters, of a list
where one object must be its first item, of an element without items an empty list. What that says
was never sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from xml.etree import ElementTree

_TEXTS: Final = ("string", "char", "blob")
_WHOLE: Final = ("integer", "long")
_NUMBERS: Final = (*_WHOLE, "float", "double")


class WrongShapeError(Exception):
    """A value of the answer has a type that the model does not allow; the text says where."""


def install(events: Any) -> None:
    """Register on a session's event emitter, for all clients made afterwards."""
    events.register("before-parse", _check)


def _check(operation_model: Any, response_dict: Mapping[str, Any], **_: object) -> None:
    """Handle `before-parse`. An error, or a body that cannot be parsed, is left to botocore."""
    shape = operation_model.output_shape
    if shape is None or response_dict.get("status_code") != 200:
        return
    body = response_dict.get("body")
    if not isinstance(body, bytes):
        return
    try:
        if "json" in operation_model.service_model.resolved_protocol:
            _check_json(shape, json.loads(body), "the answer")
        else:
            _check_xml(shape, _result(ElementTree.fromstring(body), shape))
    except (ValueError, RecursionError, ElementTree.ParseError):
        return


def _check_json(shape: Any, value: Any, where: str) -> None:
    if value is None:
        return
    if not _fits(shape.type_name, value):
        raise WrongShapeError(f"{where} is {_kind(value)}, not {_wanted(shape.type_name)}")
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            key = member.serialization.get("name", name)
            _check_json(member, value.get(key), key)
    elif shape.type_name == "list":
        for item in value:
            if item is None:
                raise WrongShapeError(f"{where} has an item that is null")
            _check_json(shape.member, item, where)
    elif shape.type_name == "map":
        for item in value.values():
            _check_json(shape.value, item, where)


def _fits(kind: str, value: Any) -> bool:
    if kind == "structure" or kind == "map":
        return isinstance(value, dict)
    if kind == "list":
        return isinstance(value, list)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in _TEXTS:
        return isinstance(value, str)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in _WHOLE:
        return number and value == int(value)
    if kind in _NUMBERS:
        return number
    return number or isinstance(value, str)  # a timestamp


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return names.get(type(value), "a number")


def _wanted(kind: str) -> str:
    if kind in ("structure", "map"):
        return "an object"
    names = {"list": "a list", "boolean": "true or false", "timestamp": "a time"}
    return names.get(kind, "a text" if kind in _TEXTS else "a number")


def _result(root: ElementTree.Element, shape: Any) -> ElementTree.Element:
    """The element with the answer's members: that of the wrapper, where the protocol has one."""
    wrapper = shape.serialization.get("resultWrapper")
    found = next((each for each in root if _name(each) == wrapper), None)
    return root if found is None else found


def _check_xml(shape: Any, element: ElementTree.Element) -> None:
    """Structures and lists hold elements and no text; the rest holds text and no elements."""
    kind, children = shape.type_name, list(element)
    text = (element.text or "").strip()
    if kind in ("structure", "list", "map"):
        if text:
            raise WrongShapeError(f"{_name(element)} is a text, not {_wanted(kind)}")
    elif children:
        raise WrongShapeError(f"{_name(element)} is an object, not {_wanted(kind)}")
    if kind == "list":
        for child in children:
            if _name(child) != shape.member.serialization.get("name", "member"):
                raise WrongShapeError(f"{_name(element)} is an object, not a list")
            _check_xml(shape.member, child)
    elif kind == "structure":
        _check_members(shape, children)


def _check_members(shape: Any, children: list[ElementTree.Element]) -> None:
    members = {
        member.serialization.get("name", name): member for name, member in shape.members.items()
    }
    seen: set[str] = set()
    for child in children:
        name = _name(child)
        member = members.get(name)
        if member is None or member.serialization.get("flattened"):
            continue
        if name in seen:
            raise WrongShapeError(f"{name} is there twice, not once")
        seen.add(name)
        _check_xml(member, child)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
