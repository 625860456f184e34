"""The words in a photographed letter, where the extra ``ocr`` is installed."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from gateway.media import reading
from gateway.media.intake import Claim
from normalizer.errors import Misconfigured
from tests.kit import media
from tests.kit.gateway import embedded, running, settings

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
needs_reader = pytest.mark.skipif(
    not (reading.installed() and FONT.exists()), reason="needs jiesu[ocr] and a font"
)


@pytest.fixture
def database(tmp_path):
    return embedded(tmp_path)


def letter(*lines: str) -> bytes:
    picture = Image.new("RGB", (1200, 400), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.truetype(FONT, 48)
    for number, line in enumerate(lines):
        pen.text((60, 60 + 100 * number), line, font=font, fill="black")
    out = io.BytesIO()
    picture.save(out, "JPEG")
    return out.getvalue()


@needs_reader
async def test_a_photographed_letter_is_read_once(gateway):
    await gateway.media.intake.take(
        media.streamed(letter("关于人民路路灯不亮的投诉", "张三")), Claim("draft")
    )
    assert (await gateway.media.reading.read_some(9), await gateway.media.reading.read_some(9)) == (1, 0)
    (taken,) = await gateway.media.uploads.of("draft")
    assert "人民路路灯不亮" in taken.words


async def test_a_photo_that_cannot_be_read_is_not_tried_for_ever(gateway):
    taken = await gateway.media.intake.take(media.streamed(media.photo()), Claim("draft"))
    await gateway.media.blobs.delete(taken.key)
    assert (await gateway.media.reading.read_some(9), await gateway.media.reading.read_some(9)) == (1, 0)


@pytest.mark.skipif(reading.installed(), reason="only where it is not installed")
async def test_reading_without_its_extra_says_what_to_install(database, tmp_path):
    with pytest.raises(Misconfigured, match=r"jiesu\[ocr\]"):
        async with running(settings(database, tmp_path, ocr=True)):
            pass
