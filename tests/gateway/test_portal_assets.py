"""The files of the pages over HTTP: packed, named by their content, kept; and nothing outside their folder."""

import pytest
from aiohttp import web

from gateway.web import assets

STYLE = "/static/portal.css"


async def test_a_file_asked_by_its_own_name_is_kept_for_ever(pages):
    at = assets.address("portal.css")
    async with pages.get(at) as answer:
        assert (answer.status, answer.content_type) == (200, "text/css")
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"
        assert ":root" in await answer.text()


async def test_a_file_of_another_content_is_asked_for_again(pages):
    async with pages.get(STYLE, params={"v": "other"}) as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        mark = answer.headers["ETag"]
    async with pages.get(STYLE, headers={"If-None-Match": mark}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


async def test_whoever_cannot_unpack_gets_it_plain(pages):
    async with pages.get(STYLE, headers={"Accept-Encoding": "identity"}) as answer:
        assert "Content-Encoding" not in answer.headers
        assert await answer.read() == (assets.FOLDER / "portal.css").read_bytes()


@pytest.mark.parametrize("path", ["none.js", "../app.py", "%2e%2e/app.py", "vendor", "/etc/passwd"])
async def test_nothing_else_is_served(pages, path):
    async with pages.get(f"/static/{path}") as answer:
        assert answer.status == 404


async def test_files_that_ask_for_each_other_are_kept_by_the_mark_of_their_folder(pages):
    at = assets.address_in("desk", "app.js")
    for path in (at, at.replace("app.js", "dom.js")):
        async with pages.get(path) as answer:
            assert (answer.status, "immutable" in answer.headers["Cache-Control"]) == (200, True)
    old = "/static/desk@000000000000/app.js"
    async with pages.get(old) as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
    async with pages.get(at.replace("app.js", "none.js")) as answer:
        assert answer.status == 404


def test_what_is_not_there_has_no_address():
    assert assets.address("vendor/none.js") == ""


@pytest.fixture
async def pages(aiohttp_client):
    app = web.Application()
    assets.add(app)
    return await aiohttp_client(app)
