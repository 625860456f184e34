"""One line of a talk as its citizen sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.runtime import instant
from gateway.store.bodies import open_message

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.store.seal import Sealer
    from gateway.store.transcript import Line


@dataclass(frozen=True, slots=True)
class Said:
    """One message as it is shown; ``mine`` is the citizen's."""

    id: str
    mine: bool
    at: datetime
    text: str


def said(line: Line, sealer: Sealer) -> Said:
    """Return a line of a talk in the open."""
    text = open_message(sealer, line.body).text if line.mine else sealer.open(line.body).decode()
    return Said(line.id.hex(), line.mine, instant(line.at), text)
