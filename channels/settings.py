"""An account's settings, read by its adapter: a wrong one is named, with what to do, and never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from normalizer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T", bound=BaseModel)

_CURES = {
    "missing": "this setting is missing; add it to the account's table in the configuration",
    "extra_forbidden": "there is no such setting; remove it or correct its name",
}


def read(kind: type[T], account: str, raw: Mapping[str, object]) -> T:
    """Return the settings of an account; raises Misconfigured naming the field and the cure."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        setting = ".".join(part for part in ("channels", account, field) if part)
        raise Misconfigured(setting, _CURES.get(first["type"], first["msg"])) from None
