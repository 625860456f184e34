"""The two forms in which the platform writes its messages: XML, and for mini-programs also JSON (wechat.md 2.1)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channels.wechat import codec
from normalizer.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Form:
    """How to read a message's ``fields``, and what stands ``sealed`` in an encrypted one (None for nothing).

    Both raise InvalidInput or TooLarge.
    """

    fields: Callable[[bytes], dict[str, object]]
    sealed: Callable[[bytes], object]


def parse_json(data: bytes) -> dict[str, object]:
    """Return the fields of a callback's JSON, numbers as they are written; raises InvalidInput or TooLarge."""
    if len(data) > codec.MAX_BODY:
        raise TooLarge("too_large")
    try:
        root = json.loads(
            data.decode(), object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as error:
        raise InvalidInput("not_json") from error
    if not isinstance(root, dict) or not root:
        raise InvalidInput("not_a_message")
    return root


def _object(pairs: list[tuple[str, Any]]) -> dict[str, object]:
    if len(pairs) > codec.MAX_ELEMENTS:
        raise TooLarge("too_deep_or_many")
    made = {name: codec.printable(value) if isinstance(value, str) else value for name, value in pairs}
    if len(made) != len(pairs):
        raise InvalidInput("repeated_element")
    return made


def _refuse(_: str) -> None:
    raise InvalidInput("not_json")


XML = Form(fields=codec.parse_xml, sealed=codec.sealed_part)
JSON = Form(fields=parse_json, sealed=lambda data: parse_json(data).get("Encrypt"))
