"""Slips: a token that lets whoever holds it add files to one case, for a quarter of an hour (domain.md 4.4, BC).

Short enough for a text message, so what it says is packed: the case's number, the minute it ends, and a mark by our key.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from normalizer import case_no

if TYPE_CHECKING:
    from gateway.store.seal import Sealer

HOLDS_MS = 900_000
_MINUTE_MS = 60_000
_NUMBER, _END, _MARK = 8, 4, 12
_LENGTH = (_NUMBER + _END + _MARK) * 4 // 3


def make(sealer: Sealer, number: str, now: int) -> str:
    """Return a slip for a case; ``now`` is in milliseconds, UTC."""
    end = -(-(now + HOLDS_MS) // _MINUTE_MS)
    said = int(number).to_bytes(_NUMBER) + end.to_bytes(_END)
    return urlsafe_b64encode(said + _mark(sealer, said)).decode()


def read(sealer: Sealer, token: str, now: int) -> str | None:
    """Return the number of a slip's case, None for a slip that is not ours or has ended."""
    if len(token) != _LENGTH or not token.isascii():
        return None
    try:
        packed = urlsafe_b64decode(token)
    except ValueError:
        return None
    said, mark = packed[:-_MARK], packed[-_MARK:]
    if len(packed) != _NUMBER + _END + _MARK or not hmac.compare_digest(mark, _mark(sealer, said)):
        return None
    end = int.from_bytes(said[_NUMBER:]) * _MINUTE_MS
    number = f"{int.from_bytes(said[:_NUMBER]):0{case_no.LENGTH}d}"
    return number if now < end else None


def _mark(sealer: Sealer, said: bytes) -> bytes:
    return sealer.hash(f"slip {said.hex()}")[:_MARK]
