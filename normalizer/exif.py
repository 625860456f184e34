"""When and where a photo was taken, from its EXIF block (CIPA DC-008, TIFF 6.0): numbers and a date, never words.

Kept for the agents, and never in a copy that leaves (domain.md 2.1). Whatever text stands in the other tags is not
even read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_CHANGED, _TAKEN, _OFFSET = 0x0132, 0x9003, 0x9011
_LAT_REF, _LAT, _LON_REF, _LON = 1, 2, 3, 4
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}
_MOST_TAGS = 200
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Exif:
    """``taken_at`` by the camera's clock, with its offset where the camera noted it; degrees are WGS-84."""

    taken_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None


_Tags = dict[int, tuple[int, bytes]]


def read(block: bytes) -> Exif:
    """Return what an EXIF block says, nothing where it is broken or says nothing."""
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return Exif()
    first = _tags(block, order, struct.unpack_from(order + "I", block.ljust(8, b"\0"), 4)[0])
    inner = _tags(block, order, _pointer(first, order, _EXIF_IFD))
    gps = _tags(block, order, _pointer(first, order, _GPS_IFD))
    lat = _degrees(gps, order, _LAT, 90) if _LAT in gps else None
    lon = _degrees(gps, order, _LON, 180) if _LON in gps else None
    if lat is None or lon is None:
        lat = lon = None
    else:
        lat = -lat if gps.get(_LAT_REF, (0, b""))[1][:1] == b"S" else lat
        lon = -lon if gps.get(_LON_REF, (0, b""))[1][:1] == b"W" else lon
    taken = inner.get(_TAKEN) or first.get(_CHANGED)
    return Exif(_when(taken, inner.get(_OFFSET)), lon, lat)


def _tags(block: bytes, order: str, at: int) -> _Tags:
    tags: _Tags = {}
    if not 8 <= at <= len(block) - 2:
        return tags
    (count,) = struct.unpack_from(order + "H", block, at)
    for number in range(min(count, _MOST_TAGS)):
        entry = at + 2 + 12 * number
        if entry + 12 > len(block):
            break
        tag, kind, values = struct.unpack_from(order + "HHI", block, entry)
        length = _SIZES.get(kind, 0) * values
        if not 0 < length <= _LONGEST:
            continue
        start = entry + 8 if length <= 4 else struct.unpack_from(order + "I", block, entry + 8)[0]
        if start + length <= len(block):
            tags[tag] = (kind, block[start : start + length])
    return tags


def _pointer(tags: _Tags, order: str, tag: int) -> int:
    kind, value = tags.get(tag, (0, b""))
    return int(struct.unpack(order + "I", value)[0]) if kind == 4 and len(value) == 4 else 0


def _degrees(gps: _Tags, order: str, tag: int, most: int) -> float | None:
    kind, value = gps[tag]
    if kind != 5 or len(value) != 24:
        return None
    numbers = struct.unpack(order + "6I", value)
    if 0 in numbers[1::2]:
        return None
    degrees, minutes, seconds = (numbers[n] / numbers[n + 1] for n in (0, 2, 4))
    whole = degrees + minutes / 60 + seconds / 3600
    return round(whole, 6) if whole <= most else None


def _when(taken: tuple[int, bytes] | None, offset: tuple[int, bytes] | None) -> datetime | None:
    if taken is None:
        return None
    text, zone = _text(taken[1]), _text(offset[1]) if offset else ""
    parse: Callable[[str, str], datetime] = datetime.strptime
    try:
        return parse(text + zone, "%Y:%m:%d %H:%M:%S" + ("%z" if zone else ""))
    except ValueError:
        return None


def _text(value: bytes) -> str:
    return value.split(b"\0")[0].decode("ascii", "replace").strip()
