"""The files of a case that are not here: those that are still fetched, and those that are lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.media.words import missing_words
from gateway.store.bodies import open_part
from gateway.store.wanted import STILL

if TYPE_CHECKING:
    from gateway.store.rows import WantedRow
    from gateway.store.seal import Cipher
    from normalizer.message import PartKind


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that somebody sent and that is not here: ``coming``, or lost for a ``reason``; ``told`` says so to him."""

    kind: PartKind
    coming: bool
    reason: str
    told: str


def from_row(row: WantedRow, cipher: Cipher) -> Missing:
    """Return what a row says of its file."""
    coming = row.state == STILL
    part = open_part(cipher, row.body)
    return Missing(part.kind, coming, row.reason, missing_words("" if coming else row.reason))
