"""SILK, the voice messages of WeChat: to samples a player knows, where the decoder is installed."""

from __future__ import annotations

import io
import wave

from normalizer.media import Breach, NotAccepted, Refusal
from normalizer.message import PartKind

RATE = 24_000
"""Samples a second, as WeChat records."""
_MARK = b"#!SILK_V3"
_FRAME_SECONDS = 0.02


def seconds(content: bytes) -> float:
    """Return how long a recording is, by counting its frames of 20 ms; raises NotAccepted when it is cut."""
    at = content.index(_MARK) + len(_MARK)
    count = 0
    while at + 2 <= len(content):
        length = int.from_bytes(content[at : at + 2], "little")
        if length == 0xFFFF:
            break
        at += 2 + length
        if at > len(content):
            raise NotAccepted(Breach(Refusal.BROKEN, PartKind.VOICE))
        count += 1
    if count == 0:
        raise NotAccepted(Breach(Refusal.BROKEN, PartKind.VOICE))
    return round(count * _FRAME_SECONDS, 2)


def to_wave(content: bytes) -> io.BytesIO:
    """Return a recording as WAV; raises ImportError where no decoder is installed."""
    import pysilk  # noqa: PLC0415 - absent where no wheel is published for the machine

    samples, out = io.BytesIO(), io.BytesIO()
    pysilk.decode(io.BytesIO(content), samples, RATE)
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.getvalue())
    out.seek(0)
    return out
