"""One description of an answer, two ways to write it: XML, and JSON by the Spark mapping (desk-and-open311.md 2).

In JSON the name of the root goes; what repeats is a bare array, one child too; codes stay text, numbers and truths are
JSON's own; what is not known is an empty element in XML and null in JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Many:
    """What repeats: the name of one, and all of them."""

    item: str
    rows: Sequence[Row | Scalar]


Row = Mapping[str, "Scalar | Many | Row"]
"""Named values in the order in which they are written."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: the name of its root and what is in it."""

    root: str
    content: Many | Row


TYPES = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'
_ILLEGAL = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry (section 2.2); a lone carriage return is read as a line end."""


def write(answer: Answer, fmt: str) -> bytes:
    """Return the answer in a format, ``xml`` or ``json``, as UTF-8."""
    return to_xml(answer) if fmt == "xml" else to_json(answer)


def to_xml(answer: Answer) -> bytes:
    """Return the answer as XML with its declaration and without a namespace."""
    root = Element(answer.root)
    _fill(root, answer.content)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=False)
    return _DECLARATION + written


def to_json(answer: Answer) -> bytes:
    """Return the answer as JSON."""
    return json.dumps(_plain(answer.content), ensure_ascii=False, allow_nan=False).encode()


def _fill(element: Element, value: Scalar | Many | Row) -> None:
    if isinstance(value, Many):
        for row in value.rows:
            _fill(SubElement(element, value.item), row)
    elif isinstance(value, Mapping):
        for name, child in value.items():
            _fill(SubElement(element, name), child)
    elif value is not None:
        element.text = _text(value)


def _text(value: str | float | bool) -> str:  # noqa: FBT001 - a value like the others
    if isinstance(value, bool):
        return "true" if value else "false"
    return _legal(value) if isinstance(value, str) else repr(value)


def _plain(value: Scalar | Many | Row) -> Any:
    if isinstance(value, Many):
        return [_plain(row) for row in value.rows]
    if isinstance(value, Mapping):
        return {name: _plain(child) for name, child in value.items()}
    return _legal(value) or None if isinstance(value, str) else value


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
