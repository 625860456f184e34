import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.geo import Point, in_china, metres, to_gcj, to_wgs

KNOWN = [
    ("Beijing", Point(116.377817, 39.911954), Point(116.38404722455657, 39.91334545536069)),
    ("Shanghai", Point(121.5272106, 31.1774276), Point(121.531541859215, 31.17530398364597)),
    ("Shenzhen", Point(113.912316, 22.543847), Point(113.9171764808363, 22.540796131694766)),
]


@pytest.mark.parametrize(("wgs", "gcj"), [row[1:] for row in KNOWN], ids=[row[0] for row in KNOWN])
def test_known_points_go_there_and_back(wgs, gcj):
    assert metres(to_gcj(wgs), gcj) < 0.01
    assert metres(to_wgs(gcj), wgs) < 0.1


@given(st.floats(75, 134), st.floats(18.5, 53.5))
def test_every_point_of_china_comes_back_within_a_tenth_of_a_metre(lon, lat):
    there = to_gcj(Point(lon, lat))
    assert 1 < metres(there, Point(lon, lat)) < 1500
    assert metres(to_wgs(there), Point(lon, lat)) < 0.1


@pytest.mark.parametrize("point", [Point(-0.1276, 51.5072), Point(-74.006, 40.7128), Point(151.2, -33.87)])
def test_the_rest_of_the_world_is_not_moved(point):
    assert not in_china(point)
    assert to_gcj(point) == to_wgs(point) == point


def test_a_degree_of_the_meridian_is_some_111_kilometres():
    assert metres(Point(117, 36), Point(117, 37)) == pytest.approx(111_195, abs=10)
    assert metres(Point(117, 36), Point(117, 36)) == 0
