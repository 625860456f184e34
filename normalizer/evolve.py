"""Frozen values made and changed some five times as fast as dataclasses do it, one field after the other.

A turn makes and changes its values some ten times, which was half of its cost. Only for dataclasses without slots and
without anything to check when they are made.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, TypeVar

T = TypeVar("T")
Shape = tuple[frozenset[str], dict[str, Any]]
_SHAPES: dict[type[Any], Shape] = {}


def make(kind: type[T], /, **given: Any) -> T:
    """Return a value of a dataclass without slots; raises TypeError when a field is missing or unknown."""
    names, defaults = _SHAPES.get(kind) or _SHAPES.setdefault(kind, _shape(kind))
    values = defaults | given
    if values.keys() != names:
        raise TypeError(f"{kind.__name__}: {', '.join(sorted(values.keys() ^ names))}")
    made = object.__new__(kind)
    made.__dict__.update(values)
    return made


def evolve(value: T, **changes: Any) -> T:
    """Return a copy of a dataclass without slots, with ``changes``; raises AttributeError for a field it does not have."""
    fields = value.__dict__
    if not changes.keys() <= fields.keys():
        raise AttributeError(", ".join(changes.keys() - fields.keys()))
    made = object.__new__(type(value))
    made.__dict__.update(fields, **changes)
    return made


def _shape(kind: Any) -> Shape:
    """Return a dataclass's field names and default values; a default that is made anew must be empty and frozen."""
    known = fields(kind)
    plain = {each.name: each.default for each in known if each.default is not MISSING}
    made = {each.name: each.default_factory() for each in known if each.default_factory is not MISSING}
    return frozenset(each.name for each in known), plain | made
