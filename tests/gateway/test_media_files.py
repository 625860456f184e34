"""Files handed out: by signed links, in ranges, and as copies that carry nothing of what was hidden."""

import io
from datetime import timedelta

import av
import pytest
from aiohttp import ClientSession
from PIL import Image

from gateway.app import listening
from gateway.media.intake import Claim
from gateway.media.links import Variant
from gateway.web.files import Span, span
from tests.kit import media
from tests.kit.gateway import embedded

OWNER = "37090026112400017"


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


async def address(gateway, content: bytes, variant: Variant, name: str = "照片.jpg") -> str:
    taken = await gateway.media.intake.take(media.streamed(content), Claim(OWNER, name))
    return gateway.media.links.sign(OWNER, taken.key, variant)


async def fetched(http, url: str) -> tuple[bytes, str]:
    async with http.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read(), answer.headers["Content-Type"]


PICTURES = [
    ("JPEG", media.photo, (480, 640)),
    ("PNG", lambda: media.photo("PNG"), (480, 640)),
    ("WebP", lambda: media.photo("WEBP"), (480, 640)),
    ("TIFF", lambda: media.photo("TIFF", exif=False), (640, 480)),
    ("GIF", lambda: media.photo("GIF", exif=False), (640, 480)),
    ("HEIC", lambda: media.photo("HEIF", exif=False), (640, 480)),
    ("JPEG with a page behind it", lambda: media.photo() + b"<html><script>alert(1)</script>", (480, 640)),
    ("JPEG with a zip behind it", lambda: media.photo() + media.zipped({"a": b"b"}), (480, 640)),
    ("JPEG with a page in its comment", lambda: media.photo(comment=b"<html><script>"), (480, 640)),
]


@pytest.mark.parametrize(("label", "make", "size"), PICTURES, ids=[row[0] for row in PICTURES])
async def test_a_picture_leaves_upright_as_a_new_jpeg_that_carries_nothing(
    gateway, site, http, label, make, size
):
    content, mime = await fetched(http, site + await address(gateway, make(), Variant.PREVIEW))
    assert mime == "image/jpeg"
    picture = Image.open(io.BytesIO(content))
    assert (picture.format, picture.size, dict(picture.getexif())) == ("JPEG", size, {})
    for hidden in (b"script", b"html", b"Exif", b"PK\5\6", b"2026"):
        assert hidden not in content


async def test_the_preview_of_a_photo_held_sideways_is_turned(gateway, site, http):
    content, _ = await fetched(http, site + await address(gateway, media.photo(), Variant.THUMB))
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    assert picture.size == (240, 320)
    left, right = picture.getpixel((10, 160)), picture.getpixel((230, 160))
    assert (left[2] > left[0], right[0] > right[2]) == (True, True)  # blue was below, and is at the left now


FILMS = [
    ("MP4", media.film, (320, 240)),
    ("MOV", lambda: media.film(form="mov"), (320, 240)),
    ("HEVC of a telephone", lambda: media.film(form="mov", codec="libx265"), (320, 240)),
    (
        "HEVC of a telephone held upright",
        lambda: media.film(form="mov", codec="libx265", turned=90),
        (240, 320),
    ),
    ("WebM", lambda: media.film(form="webm", codec="libvpx-vp9", sound="libopus"), (320, 240)),
    ("3GP", lambda: media.film(form="3gp", size=(176, 144), codec="h263"), (176, 144)),
    ("AVI", lambda: media.film(form="avi", codec="mpeg4", sound="libmp3lame"), (320, 240)),
    ("HEVC larger than is shown", lambda: media.film(0.5, (1920, 1080), codec="libx265"), (1280, 720)),
]


@pytest.mark.parametrize(("label", "make", "size"), FILMS, ids=[row[0] for row in FILMS])
async def test_a_film_leaves_without_its_descriptions_and_plays(gateway, site, http, label, make, size):
    content, mime = await fetched(http, site + await address(gateway, make(), Variant.PLAY, "a.mp4"))
    assert mime == "video/mp4"
    for hidden in (b"script", b"+36.1950", b"location"):
        assert hidden not in content
    with av.open(io.BytesIO(content)) as played:
        video, sound = played.streams.video[0], played.streams.audio[0]
        assert (video.codec_context.name, (video.width, video.height)) == ("h264", size)
        assert sound.codec_context.name in {"aac", "mp3"}
        assert float(played.duration / av.time_base) == pytest.approx(0.5 if size[0] == 1280 else 2, abs=0.25)
        assert len(list(played.decode(video))) == (5 if size[0] == 1280 else 20)
    assert content.index(b"moov") < content.index(b"mdat")  # begins to play before all has come


TURNED = [
    ("upright", 0, (320, 240), "above"),
    ("to the left", 90, (240, 320), "left"),
    ("over", 180, (320, 240), "below"),
]


@pytest.mark.parametrize(("label", "turned", "size", "red"), TURNED, ids=[row[0] for row in TURNED])
async def test_the_poster_of_a_film_is_upright(gateway, site, http, label, turned, size, red):
    content, _ = await fetched(
        http, site + await address(gateway, media.film(turned=turned), Variant.PREVIEW, "a.mp4")
    )
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    assert picture.size == size
    middle = (size[0] // 2, size[1] // 2)
    places = {"above": (middle[0], 5), "below": (middle[0], size[1] - 6), "left": (5, middle[1])}
    colour = picture.getpixel(places[red])
    assert colour[0] > colour[2]


async def test_a_film_that_is_copied_keeps_how_it_was_held(gateway, site, http):
    content, _ = await fetched(
        http, site + await address(gateway, media.film(turned=90), Variant.PLAY, "a.mp4")
    )
    with av.open(io.BytesIO(content)) as played:
        assert next(played.decode(video=0)).rotation == 90


VOICES = [
    ("AMR", lambda: media.voice("amr", "libopencore_amrnb", rate=8000)),
    ("SILK of WeChat", media.silk),
    ("MP3", media.voice),
    ("M4A", lambda: media.voice("mp4", "aac")),
]


@pytest.mark.parametrize(("label", "make"), VOICES, ids=[row[0] for row in VOICES])
async def test_a_recording_leaves_as_mp3(gateway, site, http, label, make):
    content, mime = await fetched(http, site + await address(gateway, make(), Variant.PLAY, "a"))
    assert mime == "audio/mpeg"
    with av.open(io.BytesIO(content)) as played:
        assert sum(frame.samples for frame in played.decode(audio=0)) / 24_000 == pytest.approx(2, abs=0.25)


async def test_a_recording_with_a_spoiled_frame_is_still_heard(gateway, site, http):
    whole = media.voice()
    spoiled = whole[:4000] + b"\xff\xfb\x90\x00" + bytes(60) + whole[4064:]
    content, _ = await fetched(http, site + await address(gateway, spoiled, Variant.PLAY, "a.mp3"))
    with av.open(io.BytesIO(content)) as played:
        assert sum(frame.samples for frame in played.decode(audio=0)) / 24_000 > 1


async def test_the_original_is_a_download_in_a_sandbox(gateway, site, http):
    async with http.get(
        site + await address(gateway, media.photo(), Variant.ORIGINAL, "井 盖.jpg")
    ) as answer:
        assert await answer.read() == media.photo()
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert (
            answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E4%BA%95%20%E7%9B%96.jpg"
        )
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_a_document_has_no_copy_to_show(gateway, site, http):
    async with http.get(site + await address(gateway, media.pdf(), Variant.PREVIEW, "a.pdf")) as answer:
        assert answer.status == 404


async def test_a_link_opens_only_what_it_was_made_for_and_only_in_time(gateway, site, http, clock):
    good = await address(gateway, media.photo(), Variant.THUMB)
    other = await address(gateway, media.photo("PNG"), Variant.THUMB)
    key, other_key = (link.split("?")[0].rsplit("/", 1)[1] for link in (good, other))
    until = good.split("&e=")[1].split("&")[0]
    wrong = [
        good.replace("v=thumb", "v=original"),
        good.replace(key, other_key),
        good.replace(f"e={until}", f"e={int(until) + 1}"),
        good[:-3],
        good.split("&s=")[0],
        f"/files/{key}",
        "/files/..%2f..%2fkey",
    ]
    for link in wrong:
        async with http.get(site + link) as answer:
            assert answer.status == 404, link
            assert "链接已经过期" in (await answer.json(content_type=None))["detail"]
    async with http.get(site + good) as answer:
        assert answer.status == 200
    clock.wait(minutes=31)
    async with http.get(site + good, headers={"Accept": "text/html"}) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")


async def test_a_link_may_live_for_as_long_as_is_said(gateway, site, http, clock):
    taken = await gateway.media.intake.take(media.streamed(media.photo()), Claim(OWNER))
    link = gateway.media.links.sign(OWNER, taken.key, Variant.THUMB, timedelta(days=3))
    clock.wait(days=2)
    await fetched(http, site + link)


SPANS = [
    ("the first bytes", "bytes=0-9", Span(0, 10)),
    ("the last bytes", "bytes=-5", Span(95, 100)),
    ("from one on", "bytes=90-", Span(90, 100)),
    ("more than there is", "bytes=90-999", Span(90, 100)),
    ("more at the end than there is", "bytes=-999", Span(0, 100)),
    ("turned around", "bytes=9-0", None),
    ("several", "bytes=0-1,5-6", None),
    ("another unit", "lines=1-2", None),
    ("none", "", None),
    ("behind the end", "bytes=100-", ValueError),
    ("no bytes at the end", "bytes=-0", ValueError),
]


@pytest.mark.parametrize(("label", "header", "expected"), SPANS, ids=[row[0] for row in SPANS])
def test_a_range_is_read_as_rfc_9110_says(label, header, expected):
    if expected is ValueError:
        with pytest.raises(ValueError, match="there"):
            span(header, 100)
    else:
        assert span(header, 100) == expected


async def test_a_range_is_answered_and_only_of_the_same_file(gateway, site, http):
    content = media.photo() + bytes(1_200_000)
    url = site + await address(gateway, content, Variant.ORIGINAL)
    async with http.get(url, headers={"Range": "bytes=524280-524300"}) as answer:
        assert (answer.status, await answer.read()) == (206, content[524280:524301])
        assert answer.headers["Content-Range"] == f"bytes 524280-524300/{len(content)}"
        etag = answer.headers["ETag"]
    rows = [
        ({"Range": "bytes=9999999-"}, 416),
        ({"Range": "bytes=0-1", "If-Range": etag}, 206),
        ({"Range": "bytes=0-1", "If-Range": '"another"'}, 200),
        ({"If-None-Match": etag}, 304),
    ]
    for headers, status in rows:
        async with http.get(url, headers=headers) as answer:
            assert answer.status == status, headers
    async with http.head(url) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(content)))


async def test_a_copy_is_made_once(gateway, site, http, tmp_path):
    url = site + await address(gateway, media.photo(), Variant.PREVIEW)
    first, _ = await fetched(http, url)
    count = len(list(tmp_path.rglob("*")))
    second, _ = await fetched(http, url)
    assert (first, len(list(tmp_path.rglob("*")))) == (second, count)
