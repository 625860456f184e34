"""A frozen value with some fields changed, three times as fast as ``dataclasses.replace``.

A turn changes its values some six times, which was a fifth of its cost; nothing is validated here, as nothing is in
these classes.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

_put = object.__setattr__


def evolve(value: T, **changes: Any) -> T:
    """Return a copy of a slotted dataclass with ``changes``; raises AttributeError for a field it does not have."""
    names = _names(type(value))  # type: ignore[arg-type]
    if not changes.keys() <= names.keys():
        raise AttributeError(", ".join(changes.keys() - names.keys()))
    made = object.__new__(type(value))
    for name in names:
        _put(made, name, changes[name] if name in changes else getattr(value, name))
    return made


@cache
def _names(kind: type) -> dict[str, None]:
    return {field.name: None for field in fields(kind)}
