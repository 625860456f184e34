"""Degrees of the world (WGS-84) and degrees of Chinese maps (GCJ-02), one into the other.

Cases keep GCJ-02, as WeChat and the Chinese maps give it; Open311 and satellite receivers speak WGS-84. The shift is the
published series of sines over Krasovsky's ellipsoid; outside China there is none, and degrees pass through.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_AXIS = 6378245.0
"""Half the long axis of Krasovsky's ellipsoid, in metres."""
_ECCENTRICITY = 0.00669342162296594323
"""Its first eccentricity, squared."""
_CHINA_LON, _CHINA_LAT = (72.004, 137.8347), (0.8293, 55.8271)
_NEAR = 1e-9
"""Degrees, about 0.1 mm: where the way back stops."""
_STEPS = 30
_EARTH = 6371008.8
"""Mean radius of the earth, in metres."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the earth, in degrees."""

    lon: float
    lat: float


def in_china(point: Point) -> bool:
    """Return whether the shift applies: in the box that Chinese maps draw around the country."""
    return _CHINA_LON[0] <= point.lon <= _CHINA_LON[1] and _CHINA_LAT[0] <= point.lat <= _CHINA_LAT[1]


def to_gcj(point: Point) -> Point:
    """Return the GCJ-02 degrees of WGS-84 degrees."""
    if not in_china(point):
        return point
    east, north = _shift(point)
    return Point(point.lon + east, point.lat + north)


def to_wgs(point: Point) -> Point:
    """Return the WGS-84 degrees of GCJ-02 degrees, by coming nearer step by step, to well below 0.1 m."""
    if not in_china(point):
        return point
    guess = point
    for _ in range(_STEPS):
        there = to_gcj(guess)
        east, north = point.lon - there.lon, point.lat - there.lat
        if abs(east) < _NEAR and abs(north) < _NEAR:
            break
        guess = Point(guess.lon + east, guess.lat + north)
    return guess


def metres(a: Point, b: Point) -> float:
    """Return the distance of two points along the earth's surface, in metres (haversine)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat, half_lon = (lat_b - lat_a) / 2, math.radians(b.lon - a.lon) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * _EARTH * math.asin(min(1.0, math.sqrt(chord)))


def _shift(point: Point) -> tuple[float, float]:
    """Return by how many degrees Chinese maps move a point to the east and to the north."""
    x, y = point.lon - 105.0, point.lat - 35.0
    lat = math.radians(point.lat)
    bend = 1 - _ECCENTRICITY * math.sin(lat) ** 2
    east = math.degrees(_east(x, y) / (_AXIS / math.sqrt(bend) * math.cos(lat)))
    north = math.degrees(_north(x, y) / (_AXIS * (1 - _ECCENTRICITY) / bend**1.5))
    return east, north


def _east(x: float, y: float) -> float:
    metres_east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    return metres_east + _waves(
        x, ((20.0, 6.0), (20.0, 2.0), (20.0, 1.0), (40.0, 1 / 3), (150.0, 1 / 12), (300.0, 1 / 30))
    )


def _north(x: float, y: float) -> float:
    metres_north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    short = _waves(x, ((20.0, 6.0), (20.0, 2.0)))
    return metres_north + short + _waves(y, ((20.0, 1.0), (40.0, 1 / 3), (160.0, 1 / 12), (320.0, 1 / 30)))


def _waves(at: float, waves: tuple[tuple[float, float], ...]) -> float:
    return sum(height * math.sin(at * often * math.pi) for height, often in waves) * 2 / 3
