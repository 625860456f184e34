"""Uploads by a client that is not ours (tuspy), by curl, and by hand; over a line that is cut. On both stores."""

import asyncio
import hashlib
import io
import json
import os
from dataclasses import replace
from functools import partial

import pytest
from aiohttp import ClientSession
from tusclient.client import TusClient

from gateway.app import listening
from gateway.media.pieces import Pieces
from gateway.media.uploads import Moved
from gateway.runtime import millis
from gateway.store import uploads as rows
from tests.kit import media
from tests.kit.gateway import running, settings
from tests.kit.line import Line
from tests.kit.tus import MB, OFFSETS, OWNER, TUS, begun, film, offset, patch


@pytest.fixture
async def site(gateway):
    async with listening(gateway.app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def http():
    async with ClientSession() as session:
        yield session


async def test_a_client_that_is_not_ours_uploads_over_a_line_that_is_cut_three_times(gateway, site):
    size = int(os.environ.get("JIESU_TEST_UPLOAD_MB", "12")) * MB
    content = film(size)
    token = gateway.media.uploads.grant(OWNER, size=2 * size)
    async with Line(site, cuts=[size // 5, size // 3, size // 4]) as line:

        def upload():
            client = TusClient(f"{line.url}/uploads", headers={"Authorization": f"Bearer {token}"})
            uploader = client.uploader(
                file_stream=io.BytesIO(content),
                chunk_size=size,
                retries=9,
                retry_delay=0.1,
                metadata={"filename": "路口.mp4"},
            )
            uploader.upload()

        await asyncio.to_thread(upload)
        assert line.cut == 3
        assert line.passed < 1.1 * size  # what had come was not sent again
    (taken,) = await gateway.media.uploads.of(OWNER)
    assert (taken.name, taken.mime, taken.size) == ("路口.mp4", "video/mp4", size)
    assert taken.sha256 == hashlib.sha256(content).hexdigest()


async def test_curl_uploads_by_a_form(gateway, site, tmp_path):
    first, second = tmp_path / "井盖.jpg", tmp_path / "b.png"
    first.write_bytes(media.photo())
    second.write_bytes(media.photo("PNG"))
    token = gateway.media.uploads.grant(OWNER)
    form = ["-F", f"grant={token}", "-F", f"file=@{first}", "-F", f"file=@{second}"]
    curl = await asyncio.create_subprocess_exec(
        "curl", "-s", *form, f"{site}/uploads/form", stdout=asyncio.subprocess.PIPE
    )
    said, _ = await curl.communicate()
    assert [file["accepted"] for file in json.loads(said)["files"]] == [True, True]
    assert {taken.name for taken in await gateway.media.uploads.of(OWNER)} == {"井盖.jpg", "b.png"}


@pytest.mark.parametrize("step", [1, 7, 1000, 4096])
async def test_an_upload_cut_at_any_byte_goes_on_from_where_the_server_says(gateway, site, http, step):
    content = media.photo(exif=False) + bytes(9000)
    place = await begun(http, site, gateway, len(content))
    host, port = site.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"PATCH {place.removeprefix(site)} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
    writer.write(f"{head}Content-Type: {OFFSETS}\r\nContent-Length: {len(content)}\r\n\r\n".encode())
    writer.write(content[:step])
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    status = 0
    while status != 204:
        at = int(await offset(http, place))
        assert 0 <= at <= step
        async with http.patch(place, data=content[at:], headers=patch(at)) as answer:
            status = answer.status
            assert status in {204, 409}
    (taken,) = await gateway.media.uploads.of(OWNER)
    assert await gateway.media.blobs.get(taken.key) == content


async def test_another_process_goes_on_where_the_first_stopped(database, tmp_path, http):
    content = media.photo()
    async with running(settings(database, tmp_path)) as first, listening(first.app, "127.0.0.1", 0) as port:
        place = await begun(http, f"http://127.0.0.1:{port}", first, len(content))
        async with http.patch(place, data=content[:500], headers=patch(0)) as answer:
            assert answer.status == 204
    async with running(settings(database, tmp_path)) as second, listening(second.app, "127.0.0.1", 0) as port:
        place = f"http://127.0.0.1:{port}/uploads/{place.rsplit('/', 1)[1]}"
        assert await offset(http, place) == "500"
        async with http.patch(place, data=content[500:], headers=patch(500)) as answer:
            assert answer.status == 204
        (taken,) = await second.media.uploads.of(OWNER)
        assert taken.sha256 == hashlib.sha256(content).hexdigest()


async def whole_but_unfinished(gateway, content: bytes):
    """An upload as a crash leaves it after its last piece was counted and before the file was taken in."""
    uploads = gateway.media.uploads
    upload = await uploads.begin(uploads.granted(uploads.grant(OWNER)), len(content), "a.jpg", "")
    pieces = Pieces(gateway.media.blobs).write(upload.id, 0, len(content), media.streamed(content))
    added = [piece async for piece in pieces]
    ident = bytes.fromhex(upload.id)
    until = millis(upload.expires_at)
    await gateway.media.store.write(
        partial(rows.append, ident=ident, at=0, added=added, expires_at=until),
    )
    return replace(upload, received=len(content))


async def test_an_upload_that_a_crash_left_whole_is_finished_when_it_is_asked_for(gateway, site, http):
    content = media.photo()
    upload = await whole_but_unfinished(gateway, content)
    assert await offset(http, f"{site}/uploads/{upload.id}") == str(len(content))
    (taken,) = await gateway.media.uploads.of(OWNER)
    assert await gateway.media.blobs.get(taken.key) == content


async def test_two_processes_may_finish_one_upload(gateway):
    upload = await whole_but_unfinished(gateway, media.photo())
    uploads = gateway.media.uploads
    one, other = await asyncio.gather(uploads.finish(upload), uploads.finish(upload))
    assert one.key == other.key != ""
    assert (await uploads.finish(upload)).key == one.key
    assert len(await uploads.of(OWNER)) == 1


async def test_two_requests_at_the_same_place_do_not_both_count(gateway):
    content = media.photo(exif=False) + bytes(9000)
    uploads = gateway.media.uploads
    upload = await uploads.begin(uploads.granted(uploads.grant(OWNER)), len(content), "a.jpg", "")
    results = await asyncio.gather(
        *(uploads.append(upload, media.streamed(content)) for _ in range(2)), return_exceptions=True
    )
    assert [type(result) for result in results].count(Moved) == 1
    (taken,) = await uploads.of(OWNER)
    assert await gateway.media.blobs.get(taken.key) == content


@pytest.mark.usefixtures("alone")
async def test_an_upload_that_was_ended_or_is_too_old_is_gone(gateway, site, http, clock):
    ended, old = [await begun(http, site, gateway, 10) for _ in range(2)]
    async with http.delete(ended, headers=TUS) as answer:
        assert answer.status == 204
    assert await offset(http, ended) == "404"
    clock.wait(hours=25)
    assert await offset(http, old) == "404"
    assert await gateway.media.uploads.sweep() == 1


async def test_an_owner_uploads_no_more_than_his_leave(gateway, site, http):
    token = gateway.media.uploads.grant(OWNER, size=1000, count=2)
    said = []
    for size in (400, 700, 300, 10):
        asked = TUS | {"Upload-Length": str(size), "Authorization": f"Bearer {token}"}
        async with http.post(f"{site}/uploads", headers=asked) as answer:
            said.append(
                (
                    answer.status,
                    (await answer.json(content_type=None))["reason"] if answer.status > 299 else "",
                )
            )
    assert said == [(201, ""), (413, "total"), (201, ""), (403, "count")]


async def test_what_is_attached_to_a_case_stays_and_the_rest_goes(gateway, site, http, clock):
    for content in (media.photo(), media.photo("PNG")):
        place = await begun(http, site, gateway, len(content))
        async with http.patch(place, data=content, headers=patch(0)) as answer:
            assert answer.status == 204
        clock.wait(seconds=1)
    first, _ = await gateway.media.uploads.of(OWNER)
    assert await gateway.media.uploads.attach(OWNER, "37090026112400017", [first.key]) == 1
    assert [taken.key for taken in await gateway.media.uploads.of("37090026112400017")] == [first.key]
