"""What a row brings beside its text, as it lies in the sealed fields of the row: a file, a link, a menu, a card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from normalizer.message import Card, Menu, Part

ENCLOSED = "enclosed"
"""The name under which it lies; no notice has a value of this name."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """One of the three, or none."""

    part: Part | None = None
    menu: Menu | None = None
    card: Card | None = None


NOTHING = Enclosed()
_ENCLOSED = TypeAdapter(Enclosed)


def dump(enclosed: Enclosed) -> bytes:
    """Return it as a row's fields, to be sealed."""
    made = _ENCLOSED.dump_python(enclosed, mode="json", exclude_defaults=True)
    return json.dumps({ENCLOSED: made}, ensure_ascii=False).encode()


def load(fields: Mapping[str, Any]) -> Enclosed:
    """Return what a row's fields hold of it; raises ValueError."""
    return _ENCLOSED.validate_python(fields[ENCLOSED]) if ENCLOSED in fields else NOTHING
