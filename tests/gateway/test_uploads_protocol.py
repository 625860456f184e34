"""Uploads by the letter of tus 1.0, and by a form: what each request is answered, and what a refusal says."""

import base64
import hashlib

import pytest
from aiohttp import ClientSession, FormData

from gateway.app import listening
from tests.kit import media
from tests.kit.gateway import embedded
from tests.kit.tus import MB, OFFSETS, OWNER, TUS, begun, offset, patch


@pytest.fixture
def database(tmp_path):
    """One store is enough here: what is asked of it is asked of both in test_uploads."""
    return embedded(tmp_path)


@pytest.fixture
async def site(gateway):
    async with listening(gateway.app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def http():
    async with ClientSession() as session:
        yield session


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


async def test_a_file_that_is_removed_leaves_room_for_another(gateway, site, http):
    token = gateway.media.uploads.grant(OWNER, count=1)
    asked = {"Authorization": f"Bearer {token}"}
    seen = []
    for content in (media.photo(), media.photo("PNG"), media.photo("PNG")):
        form = FormData()
        form.add_field("file", content, filename="a.jpg")
        async with http.post(f"{site}/uploads/form", data=form, headers=asked) as answer:
            seen.append(answer.status)
        if len(seen) == 2:
            (taken,) = await gateway.media.uploads.of(OWNER)
            await gateway.media.uploads.remove(OWNER, taken.key)
            assert not await gateway.media.blobs.has(taken.key)
    assert seen == [200, 422, 200]
    assert len(await gateway.media.uploads.of(OWNER)) == 1


async def test_a_film_that_will_be_too_large_is_refused_at_its_first_bytes(gateway, site, http):
    place = await begun(http, site, gateway, 40 * MB)
    async with http.patch(place, data=media.photo(exif=False) + bytes(9000), headers=patch(0)) as answer:
        assert answer.status == 413
        assert "照片太大了，每个不能超过 30 MB" in (await answer.json(content_type=None))["detail"]
    async with http.patch(place, data=b"more", headers=patch(0)) as answer:
        assert answer.status == 413


FORMLESS = [
    ("another type", {"Content-Type": "application/json"}, b"{}"),
    ("no boundary", {"Content-Type": "multipart/form-data"}, b"x"),
    ("nothing in it", {"Content-Type": "multipart/form-data; boundary=b"}, b"--b--\r\n"),
    (
        "cut",
        {"Content-Type": "multipart/form-data; boundary=b"},
        b"--b\r\nContent-Dispo",
    ),
    (
        "no file chosen",
        {"Content-Type": "multipart/form-data; boundary=b"},
        b'--b\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--b--\r\n',
    ),
    (
        "an endless field",
        {"Content-Type": "multipart/form-data; boundary=b"},
        b'--b\r\nContent-Disposition: form-data; name="grant"\r\n\r\n' + b"x" * 20_000 + b"\r\n--b--\r\n",
    ),
]


@pytest.mark.parametrize(("label", "headers", "body"), FORMLESS, ids=[row[0] for row in FORMLESS])
async def test_a_form_without_a_file_is_told_so(site, http, label, headers, body):
    async with http.post(f"{site}/uploads/form", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert "请选择文件" in (await answer.json(content_type=None))["detail"]
    page = headers | {"Accept": "text/html,*/*"}
    async with http.post(f"{site}/uploads/form", data=body, headers=page) as answer:
        assert (answer.status, answer.content_type) == (400, "text/html")


async def test_a_name_cannot_put_anything_into_the_page(gateway, site, http):
    form = FormData(quote_fields=False)
    form.add_field("grant", gateway.media.uploads.grant(OWNER))
    form.add_field("file", b"MZ program", filename="<img src=x onerror=alert(1)>.exe")
    async with http.post(f"{site}/uploads/form", data=form, headers={"Accept": "text/html"}) as answer:
        said = await answer.text()
    assert "<img" not in said
    assert "不能接收这种类型" in said
