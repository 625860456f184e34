"""Uploads by a client that is not ours (tuspy), by curl, and by hand; over a line that is cut."""

import asyncio
import base64
import hashlib
import io
import json
import os
from random import Random

import pytest
from aiohttp import ClientSession, FormData
from tusclient.client import TusClient

from gateway.app import listening, running
from tests.kit import media
from tests.kit.gateway import settings
from tests.kit.line import Line

MB = 1024 * 1024
TUS = {"Tus-Resumable": "1.0.0"}
OFFSETS = "application/offset+octet-stream"
OWNER = "draft-1"


@pytest.fixture
async def site(gateway):
    async with listening(gateway.app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def http():
    async with ClientSession() as session:
        yield session


def film(size: int) -> bytes:
    """A film that plays, made as large as is wanted by an ignored box at its end (ISO 14496-12 8.1.2)."""
    made = media.film()
    free = size - len(made)
    return made + free.to_bytes(4, "big") + b"free" + Random(1).randbytes(free - 8)


async def begun(http, site, gateway, size: int, **headers) -> str:
    token = gateway.media.uploads.grant(OWNER)
    asked = TUS | {"Upload-Length": str(size), "Authorization": f"Bearer {token}"} | headers
    async with http.post(f"{site}/uploads", headers=asked) as answer:
        assert answer.status == 201, await answer.text()
        return site + answer.headers["Location"]


def patch(at: int, **headers) -> dict[str, str]:
    return TUS | {"Upload-Offset": str(at), "Content-Type": OFFSETS} | headers


async def offset(http, place: str) -> str:
    async with http.head(place, headers=TUS) as answer:
        return answer.headers.get("Upload-Offset", str(answer.status))


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


async def test_a_checksum_that_does_not_fit_leaves_the_upload_where_it_was(gateway, site, http):
    content = media.photo()
    place = await begun(http, site, gateway, len(content))
    right = base64.b64encode(hashlib.sha1(content).digest()).decode()
    for checksum, status, stands in [
        ("sha1 " + base64.b64encode(bytes(20)).decode(), 460, 0),
        ("crc32 AAAAAA==", 400, 0),
        ("sha1 " + right, 204, len(content)),
    ]:
        headers = patch(0, **{"Upload-Checksum": checksum})
        async with http.patch(place, data=content, headers=headers) as answer:
            assert answer.status == status, checksum
        assert await offset(http, place) == str(stands)


async def test_an_upload_that_was_ended_or_is_too_old_is_gone(gateway, site, http, clock):
    ended, old = [await begun(http, site, gateway, 10) for _ in range(2)]
    async with http.delete(ended, headers=TUS) as answer:
        assert answer.status == 204
    assert await offset(http, ended) == "404"
    clock.wait(hours=25)
    assert await offset(http, old) == "404"
    assert await gateway.media.uploads.sweep() == 1


async def test_the_server_says_what_it_can(gateway, site, http):
    async with http.options(f"{site}/uploads") as answer:
        assert answer.status == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert set(answer.headers["Tus-Extension"].split(",")) == {
            "creation", "creation-with-upload", "termination", "expiration", "checksum"
        }  # fmt: skip
        assert answer.headers["Tus-Max-Size"] == str(500 * MB)


WRONG = [
    ("without the version", "PATCH", {"Tus-Resumable": "0.2.2"}, 412),
    ("another type", "PATCH", {"Content-Type": "text/plain"}, 415),
    ("another offset", "PATCH", {"Upload-Offset": "5"}, 409),
    ("no offset", "PATCH", {"Upload-Offset": ""}, 409),
    ("another verb", "PUT", {}, 405),
    ("the verb in a header", "POST", {"X-HTTP-Method-Override": "PATCH"}, 204),
]


@pytest.mark.parametrize(("label", "method", "headers", "status"), WRONG, ids=[row[0] for row in WRONG])
async def test_a_request_gets_the_status_of_the_protocol(gateway, site, http, label, method, headers, status):
    place = await begun(http, site, gateway, 100)
    async with http.request(method, place, data=b"GIF89a", headers=patch(0) | headers) as answer:
        assert answer.status == status
        assert answer.headers["Tus-Resumable"] == "1.0.0"


async def test_creation_carries_the_first_bytes(gateway, site, http):
    content = media.photo()
    token = gateway.media.uploads.grant(OWNER)
    name = base64.b64encode("井盖.jpg".encode()).decode()
    leave = base64.b64encode(token.encode()).decode()
    asked = TUS | {"Upload-Length": str(len(content)), "Content-Type": OFFSETS}
    asked |= {"Upload-Metadata": f"filename {name},grant {leave}"}
    async with http.post(f"{site}/uploads", data=content, headers=asked) as answer:
        assert (answer.status, answer.headers["Upload-Offset"]) == (201, str(len(content)))
    (taken,) = await gateway.media.uploads.of(OWNER)
    assert taken.name == "井盖.jpg"


REFUSED = [
    ("no grant", "", 100, b"", 403, "许可"),
    ("too large", "whole", 501 * MB, b"", 413, "500 MB"),
    ("a page", "whole", 100, b"<html><script>alert(1)</script>" + b" " * 69, 415, "照片"),
    ("broken", "whole", 1000, media.photo()[:1000], 422, "打不开"),
]


@pytest.mark.parametrize(
    ("label", "grant", "size", "content", "status", "word"), REFUSED, ids=[row[0] for row in REFUSED]
)
async def test_a_refusal_says_in_plain_words_what_would_be_accepted(
    gateway, site, http, label, grant, size, content, status, word
):
    token = gateway.media.uploads.grant(OWNER) if grant else "x.y"
    asked = TUS | {"Upload-Length": str(size), "Content-Type": OFFSETS, "Authorization": f"Bearer {token}"}
    async with http.post(f"{site}/uploads", data=content, headers=asked) as answer:
        assert answer.status == status
        assert word in (await answer.json(content_type=None))["detail"]


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


async def test_a_grant_is_good_for_its_time_and_its_owner_only(gateway, site, http, clock):
    token = gateway.media.uploads.grant(OWNER)
    body, mark = token.split(".")
    other = base64.urlsafe_b64encode(b'["other", 1000, 5, 99999999999]').rstrip(b"=").decode()
    clock.wait(hours=3)
    for wrong in (token, f"{other}.{mark}", f"{body}.", ""):
        asked = TUS | {"Upload-Length": "10", "Authorization": f"Bearer {wrong}"}
        async with http.post(f"{site}/uploads", headers=asked) as answer:
            assert answer.status == 403


async def test_a_form_says_of_each_file_what_became_of_it(gateway, site, http):
    form = FormData(quote_fields=False)
    form.add_field("grant", gateway.media.uploads.grant(OWNER))
    form.add_field("next", "/report/3")
    form.add_field("file", media.photo(), filename="a.jpg")
    form.add_field("file", b"<svg onload='alert(1)'/>", filename="b.jpg")
    form.add_field("file", media.pdf(), filename="../../c.pdf")
    async with http.post(f"{site}/uploads/form", data=form, allow_redirects=False) as answer:
        assert answer.status == 422
        files = (await answer.json())["files"]
    assert [(file["name"], file["accepted"]) for file in files] == [
        ("a.jpg", True),
        ("b.jpg", False),
        ("c.pdf", True),
    ]
    assert "不能接收这种类型" in files[1]["words"]


@pytest.mark.parametrize(
    ("onward", "status"), [("/report/3", 303), ("//evil.example/", 200), ("https://evil.example", 200)]
)
async def test_a_form_leads_on_to_our_own_pages_only(gateway, site, http, onward, status):
    form = FormData(quote_fields=False)
    form.add_field("grant", gateway.media.uploads.grant(OWNER))
    form.add_field("next", onward)
    form.add_field("file", media.photo(), filename="a.jpg")
    async with http.post(f"{site}/uploads/form", data=form, allow_redirects=False) as answer:
        assert answer.status == status
        assert answer.headers.get("Location", onward) == onward


async def test_what_is_attached_to_a_case_stays_and_the_rest_goes(gateway, site, http, clock):
    for content in (media.photo(), media.photo("PNG")):
        place = await begun(http, site, gateway, len(content))
        async with http.patch(place, data=content, headers=patch(0)) as answer:
            assert answer.status == 204
        clock.wait(seconds=1)
    first, _ = await gateway.media.uploads.of(OWNER)
    assert await gateway.media.uploads.attach(OWNER, "37090026112400017", [first.key]) == 1
    assert [taken.key for taken in await gateway.media.uploads.of("37090026112400017")] == [first.key]
