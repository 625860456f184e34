"""Where it is: what a page gives is kept in the degrees of Chinese maps, and a map is shown only where it is set."""

from dataclasses import replace

import pytest

from bots.contract import Moment
from gateway.profile import load as profiles
from gateway.settings import load
from gateway.web.portal import form as forms
from gateway.web.portal.form import Form, Page
from normalizer.errors import Misconfigured
from normalizer.geo import Point, metres
from tests.kit.cases import NOW

TILES = "https://tiles.example/{z}/{x}/{y}.png"
WGS = Point(117.0899, 36.2003)
CITY = profiles(None).city


def taken(**given: str) -> Form:
    base = Form()
    form = replace(base, order=replace(base.order, text="井盖丢了，路过的人很危险"))
    return forms.take(Page.WHERE, form, {"place": "东岳大街", **given}, Moment(NOW, CITY))[0]


def test_a_telephones_own_position_is_moved_and_a_chinese_maps_is_not():
    at = {"lon": str(WGS.lon), "lat": str(WGS.lat)}
    moved, kept = taken(**at, datum="wgs84").order, taken(**at, datum="gcj02").order
    assert (kept.lon, kept.lat) == (WGS.lon, WGS.lat)
    assert 300 < metres(WGS, Point(moved.lon, moved.lat)) < 900


@pytest.mark.parametrize(
    "given",
    [
        {"lon": "", "lat": ""},
        {"lon": "117", "lat": ""},
        {"lon": "x", "lat": "36"},
        {"lon": "117", "lat": "91"},
    ],
    ids=["none", "half", "no number", "off the earth"],
)
def test_what_is_no_place_is_left_out(given):
    order = taken(**given).order
    assert (order.lon, order.lat, order.place) == (None, None, "东岳大街")


@pytest.mark.parametrize(
    ("tiles", "subdomains", "origins"),
    [
        (TILES, "", ("https://tiles.example",)),
        (
            "https://t{s}.map.example:8443/w?x={x}&y={y}&l={z}",
            "01",
            ("https://t0.map.example:8443", "https://t1.map.example:8443"),
        ),
    ],
)
def test_a_page_may_show_pictures_of_the_map_and_of_nobody_else(tiles, subdomains, origins):
    settings = load(None, {}, portal={"map_tiles": tiles, "map_subdomains": subdomains})
    assert settings.portal.map is not None
    assert settings.portal.map.origins == origins


def test_without_tiles_there_is_no_map():
    assert load(None, {}).portal.map is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"map_tiles": "http://tiles.example/{z}/{x}/{y}"},
        {"map_tiles": "https://tiles.example/{z}/{x}"},
        {"map_tiles": "https://tiles.example; script-src */{z}/{x}/{y}"},
        {"map_datum": "bd09"},
        {"map_center": "here"},
    ],
    ids=["not safe", "no row", "more than an address", "unknown degrees", "no centre"],
)
def test_a_wrong_map_refuses_the_start(wrong):
    with pytest.raises(Misconfigured, match="portal"):
        load(None, {}, portal=wrong)
