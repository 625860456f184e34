from random import Random

import pytest

from gateway.media.door import Door
from gateway.media.intake import Claim
from gateway.media.retention import Spans
from gateway.store.media import talk_owner
from normalizer.media import NotAccepted, Refusal, Trait
from normalizer.message import Address, PartKind
from tests.kit import media
from tests.kit.gateway import embedded


@pytest.fixture
def database(tmp_path):
    """One store is enough here: what is asked of it is asked of both in test_uploads."""
    return embedded(tmp_path)


async def taken(gateway, content: bytes, name: str = "照片.jpg"):
    return await gateway.media.intake.take(media.streamed(content), Claim("draft-1", name))


async def test_a_photo_is_taken_in_and_what_its_camera_noted_stays_inside(gateway):
    found = await taken(gateway, media.photo())
    assert (found.kind, found.mime, found.width, found.height) == (PartKind.IMAGE, "image/jpeg", 640, 480)
    assert found.taken_at == "2026-11-02T09:30:00+08:00"
    assert (found.lat, found.lon) == pytest.approx(media.PLACE, abs=1e-4)
    assert await gateway.media.blobs.get(found.key) == media.photo()
    assert await gateway.media.uploads.of("draft-1") == (found,)


async def test_channels_bring_files_by_the_same_door(gateway):
    sealer, sender = gateway.books.sealer, Address("post", "li@citizen.example")
    door = Door(gateway.media.intake, sealer, Spans().talks)
    part = await door.take(sender, media.photo(), "../井盖.png")
    assert (part.kind, part.mime, part.name) == (PartKind.IMAGE, "image/jpeg", "井盖.png.jpg")
    (kept,) = await gateway.media.uploads.of(talk_owner(sealer.conversation(sender.account, sender.user)))
    assert (kept.key, kept.lat is None) == (part.blob, False)
    assert await door.take(sender, media.vast_png(), "大图.png") is None


PLAYED = [
    ("MP4", media.film, PartKind.VIDEO, "video/mp4", 2.0),
    ("MP4 with sound only", lambda: media.voice("mp4", "aac"), PartKind.VOICE, "audio/mp4", 2.0),
    ("MP3", media.voice, PartKind.VOICE, "audio/mpeg", 2.0),
    ("AMR", lambda: media.voice("amr", "libopencore_amrnb", rate=8000), PartKind.VOICE, "audio/amr", 2.0),
    ("SILK of WeChat", media.silk, PartKind.VOICE, "audio/silk", 2.0),
    ("WAV", lambda: media.voice("wav", "pcm_s16le"), PartKind.VOICE, "audio/x-wav", 2.0),
]


@pytest.mark.parametrize(("label", "make", "kind", "mime", "seconds"), PLAYED, ids=[row[0] for row in PLAYED])
async def test_a_recording_or_film_is_known_with_its_length(gateway, label, make, kind, mime, seconds):
    found = await taken(gateway, make(), "a.bin")
    assert (found.kind, found.mime) == (kind, mime)
    assert found.seconds == pytest.approx(seconds, abs=0.2)


REFUSED = [
    ("an empty file", lambda: b"", Refusal.EMPTY),
    ("a PNG of 60,000 by 60,000", media.vast_png, Refusal.PIXELS),
    ("a zip bomb", media.zip_bomb, Refusal.BOMB),
    ("a gzip bomb", media.gzip_bomb, Refusal.BOMB),
    ("zips in zips", lambda: media.deep_zip(4), Refusal.BOMB),
    ("a tar with a symbolic link", lambda: media.tarred(("link", "/etc/passwd")), Refusal.ARCHIVE),
    ("a tar that climbs", lambda: media.tarred(("../up.txt", b"x")), Refusal.ARCHIVE),
    ("a zip with a symbolic link", media.linked_zip, Refusal.ARCHIVE),
    ("a page named as a photo", lambda: b"<!DOCTYPE html><script>1</script>", Refusal.TYPE),
    ("an SVG named as a photo", lambda: b'<?xml version="1.0"?><svg onload="alert(1)"/>', Refusal.TYPE),
    ("a program named as a photo", lambda: b"MZ" + bytes(500), Refusal.TYPE),
    ("a shell script", lambda: b"#!/bin/sh\nrm -rf /\n", Refusal.TYPE),
    ("a JPEG cut in the middle", lambda: media.photo()[:3000], Refusal.BROKEN),
    ("an MP4 cut in the middle", lambda: media.film()[:4000], Refusal.BROKEN),
    ("a SILK recording cut in the middle", lambda: media.silk()[:-7], Refusal.BROKEN),
    (
        "a zip cut in the middle",
        lambda: media.zipped({"a": Random(1).randbytes(5000)})[:2000],
        Refusal.BROKEN,
    ),
]


@pytest.mark.parametrize(("label", "make", "refusal"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_what_is_refused_is_refused_by_its_rule_and_not_kept(gateway, label, make, refusal, tmp_path):
    with pytest.raises(NotAccepted) as refused:
        await taken(gateway, make())
    assert refused.value.breach.refusal is refusal
    assert await gateway.media.uploads.of("draft-1") == ()
    assert not [path for path in tmp_path.rglob("*.media/**/*") if path.is_file()]


async def test_a_pdf_with_a_script_is_kept_and_marked(gateway):
    found = await taken(gateway, media.pdf("/OpenAction << /S /JavaScript /JS (app.alert) >>"), "a.pdf")
    assert found.traits == {Trait.PDF, Trait.ACTIVE}


async def test_a_photo_with_a_page_behind_it_is_a_photo_and_marked(gateway):
    found = await taken(gateway, media.photo() + b"<html><script>alert(1)</script></html>")
    assert (found.mime, found.traits) == ("image/jpeg", {Trait.MIXED})


async def test_a_heic_photo_is_taken_in(gateway):
    found = await taken(gateway, media.photo("HEIF"), "IMG_0001.HEIC")
    assert (found.mime, found.name, found.width) == ("image/heic", "IMG_0001.HEIC", 640)
    assert found.taken_at == "2026-11-02T09:30:00+08:00"
