"""What can become of an answer: every way of damaging it, derived from the answer itself.

A path names a place in an answer: keys, and `*` for every item of a list.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final
from xml.etree import ElementTree

from ecr_feed.embedded.protocol.wire import WireResponse
from tests.faults.accounts import ACCOUNT, REGION

Path = tuple[str, ...]
Edit = Callable[[bytes], bytes]

EVERY: Final = "*"
OTHER_ACCOUNT: Final = "210987654321"
_XML: Final = re.compile(rb"\s*<")
_NAMESPACE: Final = re.compile(r"\{[^}]*\}")
_MARKUP: Final = "ResponseMetadata"


def with_body(answer: WireResponse, body: bytes) -> WireResponse:
    """The answer with another body."""
    headers = {**answer.headers, "content-length": str(len(body))}
    return replace(answer, headers=headers, body=body)


def paths(body: bytes) -> list[Path]:
    """Every place in an answer, the outer ones first."""
    if is_xml(body):
        found = _xml_paths(ElementTree.fromstring(body), ())
    else:
        found = _json_paths(json.loads(body), ())
    return sorted(dict.fromkeys(found), key=lambda path: (len(path), path))


def removing(path: Path) -> Edit:
    """Without what is at a path."""
    return lambda body: _edited(body, path, remove=True, value=None)


def putting(path: Path, value: object) -> Edit:
    """With another value at a path; in XML `None` and containers are an empty element."""
    return lambda body: _edited(body, path, remove=False, value=value)


def doubling(path: Path) -> Edit:
    """With every item of the list at a path twice."""
    return lambda body: _edited(body, path, remove=False, value=_double)


def replacing(old: str, new: str) -> Edit:
    """With every occurrence of a text replaced."""
    return lambda body: body.replace(old.encode(), new.encode())


OTHER_REGISTRIES: Final = {
    "other account": replacing(ACCOUNT, OTHER_ACCOUNT),
    "other region": replacing(REGION, "us-east-1"),
    "other partition": replacing("arn:aws:", "arn:aws-cn:"),
}


def value_at(body: bytes, path: Path) -> object:
    """The first value at a path; in XML a text, or None for an element with others inside."""
    if is_xml(body):
        elements = _elements(ElementTree.fromstring(body), path)
        return next((_text_of(element) for element in elements), None)
    values = [json.loads(body)]
    for key in path:
        values = [inner for value in values for inner in _inside(value, key)]
    return next(iter(values), None)


def _text_of(element: ElementTree.Element) -> str | None:
    return None if len(element) else element.text or ""


def is_xml(body: bytes) -> bool:
    """An answer of the query protocol: every value is a text, and empty is empty."""
    return _XML.match(body) is not None


def _double(value: Any) -> Any:
    return [*value, *copy.deepcopy(value)] if isinstance(value, list) else value


def _edited(body: bytes, path: Path, *, remove: bool, value: object) -> bytes:
    try:
        return (_edit_xml if is_xml(body) else _edit_json)(body, path, remove, value)
    except (ValueError, ElementTree.ParseError):
        return body


def _json_paths(value: object, at: Path) -> Iterator[Path]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else [(EVERY, each) for each in value]
        if isinstance(value, list)
        else ()
    )
    for key, item in inner:
        yield (*at, key)
        yield from _json_paths(item, (*at, key))


def _inside(value: object, key: str) -> list[Any]:
    if isinstance(value, list) and key == EVERY:
        return value
    return [value[key]] if isinstance(value, dict) and key in value else []


def _edit_json(body: bytes, path: Path, remove: bool, value: object) -> bytes:
    document = json.loads(body)
    holders = [document]
    for key in path[:-1]:
        holders = [inner for holder in holders for inner in _inside(holder, key)]
    for holder in holders:
        for key in _keys_of(holder, path[-1]):
            if remove:
                del holder[key]
            else:
                holder[key] = value(holder[key]) if callable(value) else copy.deepcopy(value)
    return json.dumps(document).encode()


def _keys_of(holder: Any, key: str) -> list[Any]:
    if isinstance(holder, list) and key == EVERY:
        return list(reversed(range(len(holder))))
    return [key] if isinstance(holder, dict) and key in holder else []


def _name(element: ElementTree.Element) -> str:
    name = _NAMESPACE.sub("", element.tag)
    return EVERY if name == "member" else name


def _xml_paths(element: ElementTree.Element, at: Path) -> Iterator[Path]:
    for child in element:
        if _name(child) != _MARKUP:
            yield (*at, _name(child))
            yield from _xml_paths(child, (*at, _name(child)))


def _elements(root: ElementTree.Element, path: Path) -> list[ElementTree.Element]:
    found = [root]
    for key in path:
        found = [child for element in found for child in element if _name(child) == key]
    return found


def _edit_xml(body: bytes, path: Path, remove: bool, value: object) -> bytes:
    root = ElementTree.fromstring(body)
    for holder in _elements(root, path[:-1]):
        for child in [child for child in holder if _name(child) == path[-1]]:
            if remove:
                holder.remove(child)
            elif callable(value):
                child.extend([copy.deepcopy(each) for each in child])
            else:
                _put(child, value)
    return ElementTree.tostring(root)


def _put(element: ElementTree.Element, value: object) -> None:
    namespace = _NAMESPACE.match(element.tag)
    for child in list(element):
        element.remove(child)
    element.text = value if isinstance(value, str) else str(value) if value else None
    if isinstance(value, list | dict) and value:
        element.text = None
        name = f"{namespace[0] if namespace else ''}member"
        ElementTree.SubElement(element, name).text = "text"
