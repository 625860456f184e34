"""One line of a talk as its citizen sees it."""

from __future__ import annotations

import re
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
    """One message as it is shown; ``mine`` is the citizen's, ``link`` opens the file that the hotline sent with it."""

    id: str
    mine: bool
    at: datetime
    text: str
    link: str = ""


_LINK = re.compile(
    r"(?:https?://[A-Za-z0-9.:-]+)?(/files/[0-9a-f]{64}\?[A-Za-z0-9_=&-]+|/f/[0-9]{1,15}\.[A-Za-z0-9_-]+)$"
)
"""How the words end with which ``gateway.sending`` says a file."""


def said(line: Line, sealer: Sealer) -> Said:
    """Return a line of a talk in the open."""
    if line.mine:
        return Said(line.id.hex(), line.mine, instant(line.at), open_message(sealer, line.body).text)
    text, link = sealer.open(line.body).decode(), ""
    if (found := _LINK.search(text)) is not None:
        text, link = text[: found.start()].rstrip(), found.group(1)
    return Said(line.id.hex(), line.mine, instant(line.at), text, link)
