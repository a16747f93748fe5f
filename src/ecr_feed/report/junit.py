"""junit.xml as pytest wrote it, without secrets and the machine's name, and with the verdict in it.

failure = not met, error = not assessed, skipped = not applicable or, with the type `pytest.xfail`,
waived or not gating: pytest's own words for the outcomes that the run's tests have.
"""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from ecr_feed.report.redact import Redactor
from ecr_feed.report.run import Run

_HIDDEN: Final = ("hostname",)  # of the machine that ran the audit, which no reader needs


class UnreadableJUnit(Exception):  # noqa: N818 - it says what it is
    """What pytest wrote is not the XML it should be."""


def junit(text: str, run: Run, redactor: Redactor) -> bytes:
    """The document to publish, in UTF-8. Raises `UnreadableJUnit`."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise UnreadableJUnit(f"pytest's junit.xml cannot be parsed: {error}") from None
    for element in root.iter():
        for name in _HIDDEN:
            element.attrib.pop(name, None)
        for name, value in element.attrib.items():
            element.attrib[name] = redactor.text(value)
        if element.text:
            element.text = redactor.text(element.text)
    for suite in root.iter("testsuite"):
        _add_properties(suite, run)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _add_properties(suite: ET.Element, run: Run) -> None:
    properties = suite.find("properties")
    if properties is None:
        properties = ET.Element("properties")
        suite.insert(0, properties)
    told = {"verdict": run.verdict, "mode": run.mode, "gate": run.gate}
    for name, value in told.items():
        ET.SubElement(properties, "property", name=name, value=value)
