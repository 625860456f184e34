"""What may be chosen in the form of a case: codes with the words that an agent reads (domain.md 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from gateway.desk.rights import Right
from gateway.web.desk.operations import Call, Operation, Reply
from normalizer.codes import CATEGORY_LABELS, KIND_LABELS, SUPERVISION_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable

Choice = tuple[str, str]


class Choices(BaseModel):
    """Lists of (code, label)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: tuple[Choice, ...]
    categories: tuple[Choice, ...]
    supervisions: tuple[Choice, ...]


def operations() -> tuple[Operation, ...]:
    """Return the operation that answers them."""
    return (Operation("GET", "/choices", show, Right.ACT_ON_CASES),)


async def show(call: Call) -> Reply:
    """Answer what may be chosen."""
    return Reply(
        Choices(
            kinds=_listed(KIND_LABELS.items()),
            categories=_listed(CATEGORY_LABELS.items()),
            supervisions=_listed(SUPERVISION_LABELS.items()),
        )
    )


def _listed(labels: Iterable[tuple[object, str]]) -> tuple[Choice, ...]:
    return tuple((str(code), label) for code, label in labels)
